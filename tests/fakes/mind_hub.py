"""The stores of a hub that does not serve, as passes and pages work with them."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.fakes.clock import FakeClock
from tests.fakes.records import sqlite_records

from forge_hub.graph import open_graph
from forge_hub.graph.ports import GraphStore
from forge_hub.graph.projection import GraphProjection, inferences_of
from forge_hub.ingest.journal import Journal
from forge_hub.ingest.store import IngestStore
from forge_hub.passes.alignment import Alignment
from forge_hub.passes.basis import Statement
from forge_hub.passes.importing import Asked, begin
from forge_hub.passes.pass_a import read_transcript
from forge_hub.passes.readers import Format
from forge_hub.passes.removal import Remover
from forge_hub.passes.router import route
from forge_hub.passes.runs import PassName, RunFolder
from forge_hub.passes.stores import Stores
from forge_hub.passes.table_projection import InferredTables, SaidTables
from forge_hub.passes.tables import TableFolder
from forge_hub.projection import catch_up
from forge_hub.records.database import Database
from forge_hub.records.projector import RecordsProjection
from forge_hub.records.schema import Account
from forge_language.redaction import redact

SITE = "ward"
CARLA = Statement(None, "carla", "spoken")
"""A clinician states the consent."""

Told = Callable[[PassName, int, int], None]


@dataclass(frozen=True, slots=True)
class MindHub:
    """A hub in a folder, with one clinician, ``carla``."""

    folder: Path
    database: Database
    graph: GraphStore
    clock: FakeClock
    stores: Stores
    tables: TableFolder
    log: IngestStore
    journal: Journal

    def begin(self, content: bytes, kind: Format = "text", person: str = "p-1", **changes: object) -> RunFolder:
        """Begin the import of a transcript."""
        asked = Asked(person, True, None, kind, CARLA)
        asked = Asked(**{**{name: getattr(asked, name) for name in Asked.__slots__}, **changes})
        return begin(SITE, self.folder, self.database, self.clock, read_transcript(content, kind), asked)

    def route(
        self,
        run: RunFolder,
        content: bytes = b"",
        kind: Format = "text",
        *,
        passes: Sequence[PassName] = ("a", "b", "c"),
        step: Told = lambda *_: None,
    ) -> dict[str, int]:
        """Do passes of a run."""
        transcript = read_transcript(content, kind) if content else None
        names = transcript.names if transcript else frozenset()
        return route(
            run, passes, step=step, transcript=transcript, redact=lambda text: redact(text, names), desk=self.stores
        )

    def bring(self, content: bytes, kind: Format = "text", person: str = "p-1", **changes: object) -> RunFolder:
        """Bring a transcript in."""
        run = self.begin(content, kind, person, **changes)
        self.route(run, content, kind)
        return run

    def derive(self) -> None:
        """Bring everything that is derived to the end of the log."""
        drawn = GraphProjection(self.graph, inferences_of(self.database))
        catch_up(self.database, RecordsProjection(self.database, {}))
        catch_up(self.database, SaidTables(self.tables))
        catch_up(self.database, drawn)
        catch_up(self.database, InferredTables(self.tables, self.database), [drawn])

    def align(self) -> Alignment:
        """Compare the three stores, brought up to date."""
        self.derive()
        return self.stores.align()

    def remover(self) -> Remover:
        """Return what removes runs."""
        return Remover(self.folder, self.database, self.graph, self.clock, self.derive)


@contextmanager
def mind_hub(folder: Path, graph_uri: str | None = None, clock: FakeClock | None = None) -> Iterator[MindHub]:
    """Open a hub's stores in a folder."""
    clock = clock or FakeClock()
    database = sqlite_records(folder)
    graph = open_graph(graph_uri or f"ladybug://{folder / 'graph.lbdb'}", None)
    with database.begin() as transaction:
        carla = Account(id="carla-id", username="carla", role="clinician", password_hash="", created_at=clock.now())
        transaction.merge(carla)
    drawn = GraphProjection(graph, inferences_of(database))
    tables = TableFolder(folder)
    log = IngestStore(SITE, database, clock)
    stores = Stores(
        SITE,
        folder,
        database=database,
        graph=graph,
        log=log,
        filing=[RecordsProjection(database, {}), SaidTables(tables)],
        drawing=[drawn, InferredTables(tables, database)],
        own=True,
    )
    try:
        yield MindHub(folder, database, graph, clock, stores, tables, log, Journal(log, SITE, clock))
    finally:
        graph.close()
        database.close()


def files_of(folder: Path) -> dict[str, str]:
    """Return the digest of every file that the passes have written, by its place."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for part in ("passes", "rows")
        for path in sorted((folder / part).rglob("*"))
        if path.is_file()
    }
