"""Erasing a person everywhere, with a proof: what was erased where, and a search of every store that finds nothing.

The caller keeps projections from running meanwhile: one that has read an event before would write it after.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from forge_hub.errors import RecordsError
from forge_hub.graph.ports import GraphStore
from forge_hub.graph.projection import rebuild
from forge_hub.records.compaction import compact
from forge_hub.records.database import Database
from forge_hub.records.erasures import KEPT, erase_person, mentions
from forge_shared.logs import get_logger

ROUNDS = 3
"""How often what is found is erased again: a batch of events that was being committed arrives after the first round."""
_CHUNK_BYTES = 1 << 20

log = get_logger()


@dataclass(frozen=True, slots=True)
class Proof:
    """What an erasure did and what a search found afterwards.

    Attributes:
        person_hash: How the person is remembered; it is also what `forge-hub restore --erased` takes.
        at: When, in UTC.
        by: Id of the account, or ``command-line``.
        erased: Rows by table; ``identity`` counts what the identity store held.
        searched: Traces looked for, tables, nodes and edges of the graph, files.
        found: Mentions by place. Nothing, or the erasure has failed.
        kept: Mentions in what is kept on purpose, by table.
    """

    person_hash: str
    at: str
    by: str
    reason: str
    erased: Mapping[str, int]
    searched: Mapping[str, int]
    found: Mapping[str, int]
    kept: Mapping[str, int]

    def as_json(self) -> dict[str, object]:
        """Return what is printed and handed over."""
        return asdict(self)


class Eraser:
    """Erases people from one hub. Blocks on every store: call it from a thread.

    Args:
        database: The records.
        graph: It is derived anew from the log without the person, which also leaves nothing in its file.
        folder: The state folder, whose files are searched; the databases may lie elsewhere.
        forget_identity: Removes who a pseudonym is and returns how many entries that were; None: no such store.
        forget_files: Deletes what the state folder holds of a person besides the stores, and returns how much that was.
    """

    def __init__(
        self,
        database: Database,
        graph: GraphStore,
        folder: Path,
        forget_identity: Callable[[str], int] | None = None,
        forget_files: Callable[[str], int] = lambda _: 0,
    ) -> None:
        self._database = database
        self._graph = graph
        self._folder = folder
        self._forget_identity = forget_identity
        self._forget_files = forget_files

    def erase(self, pseudonym: str, *, at: datetime, by: str, reason: str) -> Proof:
        """Erase a person and search for what is left.

        Raises:
            NotFoundError: Nothing mentions the person, and nobody of that pseudonym was erased before.
            RecordsError: The records could not be compacted; doing it again goes on where it stopped.
            GraphError: The graph could not be derived anew; the same.
        """
        rows: Counter[str] = Counter()
        traces: set[str] = set()
        # First of all, while the records can still say which stay the pseudonym belongs to.
        if self._forget_identity is not None:
            rows["identity"] += self._forget_identity(pseudonym)
        for _ in range(ROUNDS):
            with self._database.begin() as transaction:
                erased = erase_person(transaction, pseudonym, at=at, by=by, reason=reason)
            rows.update(erased.rows)
            traces |= erased.traces
            rows["transcript"] += self._forget_files(pseudonym)
            entry = erased.entry
            rebuild(self._database, self._graph)
            compact(self._database)
            searched, found, kept = self._search(traces)
            if not found:
                break
        log.info("person.erased", rows=sum(rows.values()), found=sum(found.values()))
        return Proof(entry.person_hash, at.isoformat(), by, reason, dict(rows), searched, found, kept)

    def _search(self, traces: Iterable[str]) -> tuple[dict[str, int], dict[str, int], dict[str, int]]:
        """Return what was searched, what was found, and what was found where it is kept on purpose."""
        found: Counter[str] = Counter()
        kept: Counter[str] = Counter()
        with self._database.read() as transaction:
            mentioned = mentions(transaction, traces)
        for tables in mentioned.values():
            for table, count in tables.items():
                (kept if table in KEPT else found)[f"table {table}"] += count
        nodes = 0
        for text in _texts(self._graph):
            nodes += 1
            found["graph"] += sum(trace in text for trace in traces)
        # What the audit keeps lies in the same file as everything else.
        sought = [trace.encode() for trace in traces if not any(table in KEPT for table in mentioned.get(trace, {}))]
        files = [path for path in sorted(self._folder.rglob("*")) if path.is_file()]
        # In a process of its own: a process that closes a file which SQLite has open in it loses SQLite's locks on it
        # (sqlite.org/howtocorrupt.html, section 2.2).
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as apart:
            for path, hits in zip(files, apart.map(partial(_hits, sought=sought), files), strict=True):
                found[f"file {path.relative_to(self._folder)}"] += hits
        searched = {"traces": len(list(traces)), "graph": nodes, "files": len(files)}
        return searched, {place: count for place, count in found.items() if count}, dict(kept)


def _texts(graph: GraphStore) -> Iterator[str]:
    snapshot = graph.snapshot()
    for node in snapshot.nodes:
        yield " ".join((node.key, *(value for value in node.properties.values() if isinstance(value, str))))


def _hits(path: Path, sought: Iterable[bytes]) -> int:
    """Count which of the traces a file holds, read in pieces."""
    left = set(sought)
    total = len(left)
    overlap = max((len(trace) for trace in left), default=0)
    tail = b""
    try:
        with path.open("rb") as file:
            while left and (chunk := file.read(_CHUNK_BYTES)):
                window = tail + chunk
                left -= {trace for trace in left if trace in window}
                tail = window[-overlap:]
    except FileNotFoundError:  # a database's temporary file
        return 0
    except OSError as error:
        raise RecordsError(f"{path.name} cannot be searched ({type(error).__name__})") from None
    return total - len(left)
