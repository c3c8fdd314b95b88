"""The embedded graph is one file of one process, and survives that process being killed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import ladybug
import pytest

from forge_hub.graph import cypher
from forge_hub.graph.embedded import EmbeddedGraphStore
from forge_hub.graph.errors import GraphError, GraphUnavailableError
from forge_hub.graph.ports import GraphBatch, Node

OPEN_AND_HOLD = """
import sys, time
from pathlib import Path
from forge_hub.graph.embedded import EmbeddedGraphStore
store = EmbeddedGraphStore(Path(sys.argv[1]))
print("open", flush=True)
time.sleep(60)
"""

WRITE_FOR_EVER = """
import sys
from pathlib import Path
from forge_hub.graph.embedded import EmbeddedGraphStore
from forge_hub.graph.ports import Edge, GraphBatch, Node, NodeRef
store = EmbeddedGraphStore(Path(sys.argv[1]))
person = Node("Persona", "p-1")
position = store.position()
while True:
    position += 1
    new = [Node("Session", f"s-{position}-{number}") for number in range(20)]
    edges = tuple(Edge("HAD_SESSION", person.ref, session.ref) for session in new)
    store.apply(GraphBatch((person, *new), edges, position))
    print(position, flush=True)
"""


def test_a_second_process_is_told_that_the_graph_is_in_use(tmp_path: Path) -> None:
    path = tmp_path / "graph.lbdb"
    holder = subprocess.Popen([sys.executable, "-c", OPEN_AND_HOLD, str(path)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        with pytest.raises(GraphUnavailableError, match="in use"):
            EmbeddedGraphStore(path)
    finally:
        holder.kill()
        holder.communicate(timeout=10)
    EmbeddedGraphStore(path).close()


def test_a_second_store_in_the_same_process_is_told_so_too(tmp_path: Path) -> None:
    store = EmbeddedGraphStore(tmp_path / "graph.lbdb")
    with pytest.raises(GraphUnavailableError, match="in use"):
        EmbeddedGraphStore(tmp_path / "graph.lbdb")
    store.close()
    EmbeddedGraphStore(tmp_path / "graph.lbdb").close()


def test_after_each_kill_the_graph_holds_whole_batches_up_to_its_position(tmp_path: Path) -> None:
    path = tmp_path / "graph.lbdb"
    for acknowledged_before_kill in (1, 15, 40):
        writer = subprocess.Popen([sys.executable, "-c", WRITE_FOR_EVER, str(path)], stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        for _ in range(acknowledged_before_kill):
            acknowledged = int(writer.stdout.readline())
        os.kill(writer.pid, signal.SIGKILL)
        writer.communicate(timeout=10)
        store = EmbeddedGraphStore(path)
        position = store.position()
        counts = store.counts()
        store.close()
        assert position >= acknowledged
        assert counts["Session"] == counts["HAD_SESSION"] == 20 * position


def test_a_log_torn_by_a_kill_is_replayed_up_to_the_tear(tmp_path: Path) -> None:
    path = tmp_path / "graph.lbdb"
    writer = subprocess.Popen([sys.executable, "-c", WRITE_FOR_EVER, str(path)], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    for _ in range(10):
        writer.stdout.readline()
    os.kill(writer.pid, signal.SIGKILL)
    writer.communicate(timeout=10)
    log = path.with_name(path.name + ".wal")
    log.write_bytes(log.read_bytes()[:-37])
    store = EmbeddedGraphStore(path)
    position, counts = store.position(), store.counts()
    assert position > 0
    assert counts["Session"] == counts["HAD_SESSION"] == 20 * position
    store.apply(GraphBatch((Node("Persona", "p-2"),), (), position + 1))
    store.close()
    again = EmbeddedGraphStore(path)
    assert again.position() == position + 1
    again.close()


def test_a_graph_of_another_schema_empties_itself_to_be_derived_anew(tmp_path: Path) -> None:
    path = tmp_path / "graph.lbdb"
    store = EmbeddedGraphStore(path)
    store.apply(GraphBatch((Node("Persona", "p-1"),), (), 7))
    store.close()
    database = ladybug.Database(path, buffer_pool_size=2**26)
    connection = ladybug.Connection(database)
    connection.execute(f"MATCH (c:{cypher.CURSOR}) SET c.version = 0")
    connection.execute("ALTER TABLE Persona ADD old STRING")
    connection.close()
    database.close()
    again = EmbeddedGraphStore(path)
    assert (again.position(), again.counts()["Persona"]) == (0, 0)
    again.apply(GraphBatch((Node("Persona", "p-1"),), (), 1))
    again.close()
    EmbeddedGraphStore(path).close()


def test_a_file_that_is_no_graph_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "graph.lbdb"
    path.write_bytes(b"this is no database " * 1000)
    with pytest.raises(GraphError, match="derives it anew"):
        EmbeddedGraphStore(path)
    path.unlink()
    EmbeddedGraphStore(path).close()


def test_the_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    EmbeddedGraphStore(tmp_path / "new" / "graph.lbdb").close()
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
