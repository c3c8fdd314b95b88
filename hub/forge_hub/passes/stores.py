"""The stores as passes B and C see them from within the process that owns them."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from forge_hub.errors import RecordsError
from forge_hub.graph.exchange import cypher_of, graph_json, read_graph_json
from forge_hub.graph.ports import GraphStore, NodeRef, Subgraph
from forge_hub.ingest.store import IngestStore
from forge_hub.passes.alignment import Alignment, align
from forge_hub.passes.errors import PassError
from forge_hub.passes.pass_c import Drawn
from forge_hub.passes.rows import Chunk
from forge_hub.passes.runs import Run, RunFolder, event_of, sequence_of
from forge_hub.passes.said_events import ending, messages
from forge_hub.passes.steps import Beat
from forge_hub.passes.tables import TableFolder
from forge_hub.projection import Projection, advance
from forge_hub.records.database import Database, trouble_of
from forge_hub.records.log import end_of_log

LOOK_SECONDS = 0.2
"""How often another thread's projections are looked at. Ours."""


class Stores:
    """Log, graph and the runs' folders of one hub. Blocks; one thread at a time.

    Args:
        site: Name of the site.
        folder: The state folder.
        database: The records.
        graph: The graph.
        log: What writes the log.
        filing: What pass B waits for: tables and CSV.
        drawing: What pass C waits for, each with what it must not overtake: graph and inferences.
        own: Whether this object brings them forward; else somebody else does, and it waits.
    """

    def __init__(  # noqa: PLR0913 (wiring, by keyword)
        self,
        site: str,
        folder: Path,
        *,
        database: Database,
        graph: GraphStore,
        log: IngestStore,
        filing: Sequence[Projection],
        drawing: Sequence[Projection],
        own: bool,
    ) -> None:
        self._site = site
        self._folder = folder
        self._database = database
        self._graph = graph
        self._log = log
        self._filing = tuple(filing)
        self._drawing = tuple(drawing)
        self._own = own
        self._drawn: tuple[str, int, Subgraph] | None = None

    def commit(self, run: str, chunk: int) -> int:
        """Log a chunk of a run, all or nothing, the end of the session with the last; return how many events are new.

        Raises:
            PassError: The log does not take it, or the run's folder cannot be read.
            RecordsError: The records cannot be written.
        """
        folder = RunFolder.open(self._folder, run)
        rows = folder.chunk(chunk)
        batch = messages(self._site, folder.run, rows)
        if chunk == folder.chunks() and "a" in folder.progress.done:
            batch.append(ending(self._site, folder.run, rows.rows[-1]))
        with _translated():
            committed = self._log.commit(batch)
        if committed.events + committed.duplicates != len(batch):
            raise PassError("the log did not take a chunk: those before it are missing")
        return committed.events

    def file(self, run: str, beat: Beat) -> None:
        """Bring tables and CSV to the end of the log."""
        del run
        with _translated():
            self._settle([(each, ()) for each in self._filing], beat)

    def load(self, run: str, beat: Beat) -> None:
        """Bring graph and inferences to the end of the log."""
        del run
        first, *others = self._drawing
        with _translated():
            self._settle([(first, ()), *((each, [first]) for each in others)], beat)

    def settled(self) -> bool:
        """Tell whether everything holds what the log does."""
        with _translated():
            return all(
                each.position() >= end_of_log(self._database, each.lane) for each in (*self._filing, *self._drawing)
            )

    def draw(self, run: str, chunk: int) -> Drawn:
        """Return the part of the graph that a chunk's utterances are.

        Raises:
            GraphRefusedError: Something in it is outside the schema.
            PassError: The graph lacks an utterance of the chunk.
        """
        folder = RunFolder.open(self._folder, run)
        rows = folder.chunk(chunk)
        part = part_of(self._snapshot(folder.run.person), folder.run, rows)
        document = graph_json(part)
        # Read back by what refuses whatever is outside the published schema.
        checked = read_graph_json(document)
        return Drawn(document, cypher_of(checked), len(part.nodes), len(part.edges))

    def align(self) -> Alignment:
        """Compare tables, CSV and graph. Nothing may change them meanwhile.

        Raises:
            PassError: A CSV file cannot be read.
            GraphError: The graph cannot be read.
        """
        with _translated():
            return align(self._database, self._graph, TableFolder(self._folder))

    def _snapshot(self, person: str) -> Subgraph:
        position = self._graph.position()
        if self._drawn is None or self._drawn[:2] != (person, position):
            self._drawn = (person, position, self._graph.snapshot(person))
        return self._drawn[2]

    def _settle(self, projections: Sequence[tuple[Projection, Sequence[Projection]]], beat: Beat) -> None:
        for projection, after in projections:
            end = end_of_log(self._database, projection.lane)
            while projection.position() < end:
                beat()
                if not self._own:
                    time.sleep(LOOK_SECONDS)
                elif not advance(self._database, projection, after=after):
                    raise PassError(f"the {projection.name} cannot go on: an event of the log is in its way")


def part_of(graph: Subgraph, run: Run, chunk: Chunk) -> Subgraph:
    """Return the utterances of a chunk, what is said of them, their session and person.

    Raises:
        PassError: An utterance is missing.
    """
    said = {NodeRef("Utterance", event_of(run.id, sequence_of(run, row.ordinal))) for row in chunk.rows}
    here = NodeRef("Session", run.session)
    edges = tuple(
        edge
        for edge in graph.edges
        if edge.start in said or edge.end in said or (edge.end == here and edge.start.label == "Persona")
    )
    wanted = said | {end for edge in edges for end in (edge.start, edge.end)}
    nodes = tuple(node for node in graph.nodes if node.ref in wanted)
    if not wanted <= {node.ref for node in nodes}:
        raise PassError("the graph lacks what the run has said: run pass b, or derive the graph anew")
    return Subgraph(nodes, edges)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        raise RecordsError(f"the records cannot be used now ({trouble_of(error)})") from None
