"""The graph in Ladybug: embedded, nothing to install, one file and one writing process."""

import contextlib
import fcntl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import ladybug

from forge_hub.graph import cypher
from forge_hub.graph.answering import CypherAnswers, Result
from forge_hub.graph.errors import GraphError, GraphUnavailableError
from forge_hub.graph.ports import GraphBatch
from forge_hub.graph.schema import EDGES, KEY, NODES, VERSION, Kind

BUFFER_POOL_BYTES = 256 * 2**20
"""Ladybug's own default is 80 % of the machine's memory."""

MAX_DATABASE_BYTES = 2**36
"""Address space that is reserved, 64 GiB; Ladybug's own default of 8 TiB is more than some kernels allow."""

STATEMENT_TIMEOUT_MS = 30_000
TURN_TIMEOUT_SECONDS = 60.0
"""How long a call waits for the calls before it."""

LOCK = ".lock"
"""Ending of the file beside the database that its owner holds locked."""

_TYPES: dict[Kind, str] = {"text": "STRING", "integer": "INT64", "number": "DOUBLE"}


class EmbeddedGraphStore(CypherAnswers):
    """A `forge_hub.graph.ports.GraphStore` in one Ladybug file, which this process then owns.

    Calls from all threads take turns. The file and its log are safe against the process being killed: what `apply` had
    returned from is there when it is opened again, and nothing of a batch that it had not.

    Args:
        path: The database file; made with its folder when it is not there. ``path`` + ``.lock`` is held locked.

    Raises:
        GraphUnavailableError: Another process, or another store in this one, owns the file.
        GraphError: The file is no database that can be opened.
    """

    def __init__(self, path: Path) -> None:
        self._turn = threading.Lock()
        self._path = path
        self._lock = _own(path)
        self._connection: ladybug.Connection | None = None
        try:
            self._open()
            self._transact(_create_schema)
        except GraphError:
            self.close()
            raise

    def apply(self, batch: GraphBatch) -> None:
        """Merge a batch and move the position, all or nothing."""
        self._transact(lambda run: cypher.write(run, "ladybug", batch))

    def clear(self) -> None:
        """Remove everything: the file is deleted and begun anew, since what is deleted in it stays in its pages."""
        with self._my_turn():
            if self._connection is None:
                raise GraphUnavailableError("the graph is closed")
            self._connection.close()
            self._connection = None
            self._database.close()
            try:
                for part in (self._path, *self._path.parent.glob(f"{self._path.name}.*")):
                    if part.name != self._path.name + LOCK:
                        part.unlink(missing_ok=True)
            except OSError:
                raise GraphError(f"{self._path.name} cannot be deleted") from None
            finally:
                self._open()
        self._transact(_create_schema)

    def close(self) -> None:
        """Write the log into the file and give the file up."""
        with self._my_turn():
            if self._connection is not None:
                self._connection.close()
                self._connection = None
                self._database.close()
            self._lock.close()

    def _open(self) -> None:
        try:
            self._database = ladybug.Database(
                self._path,
                buffer_pool_size=BUFFER_POOL_BYTES,
                max_db_size=MAX_DATABASE_BYTES,
                # A kill may tear the last record of the log. Replaying up to it loses nothing: the position is part of
                # every transaction, so the projection goes on from what is there.
                throw_on_wal_replay_failure=False,
            )
        except RuntimeError:
            raise GraphError(
                f"{self._path.name} cannot be opened as a graph;"
                " delete it and the hub derives it anew from the event log"
            ) from None
        self._connection = ladybug.Connection(self._database)
        self._connection.set_query_timeout(STATEMENT_TIMEOUT_MS)

    def _read(self, work: Callable[[cypher.Run], Result]) -> Result:
        return self._transact(work)

    def _transact(self, work: Callable[[cypher.Run], Result]) -> Result:
        with self._my_turn():
            connection = self._connection
            if connection is None:
                raise GraphUnavailableError("the graph is closed")

            def run(statement: str, **parameters: Any) -> list[list[Any]]:  # noqa: ANN401 (whatever Cypher takes)
                result = connection.execute(cypher.spoken(statement, "ladybug"), parameters)
                if isinstance(result, list):  # several statements in one text, which none of ours is
                    raise GraphError("one statement at a time")
                with result:
                    return [list(row) for row in result.get_all()]

            try:
                run("BEGIN TRANSACTION")
                try:
                    result = work(run)
                    run("COMMIT")
                except BaseException:
                    # A statement that failed may have ended the transaction itself.
                    with contextlib.suppress(RuntimeError):
                        run("ROLLBACK")
                    raise
            except RuntimeError:
                # Ladybug's messages quote statements, hence neither repeated nor chained.
                raise GraphError("the embedded graph refused a statement") from None
            return result

    @contextmanager
    def _my_turn(self) -> Iterator[None]:
        if not self._turn.acquire(timeout=TURN_TIMEOUT_SECONDS):
            raise GraphUnavailableError("the graph is busy")
        try:
            yield
        finally:
            self._turn.release()


def _own(path: Path) -> IO[str]:
    """Lock the database for this store. Ladybug's own lock lets a second store of the same process in."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = path.with_name(path.name + LOCK).open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise GraphUnavailableError(
            f"{path.name} is in use: one process owns the graph, ask the hub that serves"
        ) from None
    return lock


def _create_schema(run: cypher.Run) -> None:
    """Make the tables and the vocabulary that are missing; empty a store that was written with another schema."""
    kinds = dict(run("CALL show_tables() RETURN name, type"))
    if cypher.CURSOR in kinds and (cypher.version(run) not in (None, VERSION) or cypher.is_foreign(run)):
        for name in sorted(kinds, key=lambda name: kinds[name] != "REL"):
            run(f"DROP TABLE `{name}`")
        kinds = {}
    if cypher.CURSOR not in kinds:
        run(f"CREATE NODE TABLE {cypher.CURSOR}(name STRING PRIMARY KEY, position INT64, version INT64)")
    for label, node in NODES.items():
        if label not in kinds:
            columns = [f"`{name}` {_TYPES[kind]}" for name, kind in node.properties.items()]
            run(f"CREATE NODE TABLE {label}({', '.join([f'{KEY} STRING PRIMARY KEY', *columns])})")
    for label, edge in EDGES.items():
        if label not in kinds:
            ways = [f"FROM {start} TO {end}" for start, end in edge.between]
            columns = [f"`{name}` {_TYPES[kind]}" for name, kind in edge.properties.items()]
            run(f"CREATE REL TABLE {label}({', '.join([*ways, *columns])})")
    cypher.write(run, "ladybug", cypher.vocabulary())
