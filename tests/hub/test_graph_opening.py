"""A graph is named by a URI; a server that is away or refuses is a clear error, and no secret is ever shown."""

import socket
import threading
import time
from pathlib import Path

import pytest
from pydantic import SecretStr

from forge_hub.errors import HubConfigError
from forge_hub.graph import open_graph
from forge_hub.graph.embedded import EmbeddedGraphStore
from forge_hub.graph.errors import GraphUnavailableError

PASSWORD = SecretStr("correct-horse-battery")


def test_a_ladybug_uri_opens_the_embedded_graph_at_its_path(tmp_path: Path) -> None:
    store = open_graph(f"ladybug://{tmp_path}/a%20graph.lbdb", None)
    assert isinstance(store, EmbeddedGraphStore)
    store.close()
    assert (tmp_path / "a graph.lbdb").exists()


@pytest.mark.parametrize(
    ("uri", "password"),
    [
        ("", None),
        ("graph.lbdb", None),
        ("ladybug://relative/graph", None),
        ("http://neo4j@localhost:7687", PASSWORD),
        ("bolt://neo4j@", PASSWORD),
        ("bolt://neo4j@localhost:nonsense", PASSWORD),
        ("bolt://localhost:7687", PASSWORD),
        ("bolt://neo4j@localhost:7687", None),
        ("bolt://neo4j:correct-horse-battery@localhost:7687", PASSWORD),
    ],
)
def test_a_uri_that_names_no_graph_is_refused_without_repeating_it(uri: str, password: SecretStr | None) -> None:
    with pytest.raises(HubConfigError) as refusal:
        open_graph(uri, password)
    assert "correct-horse" not in str(refusal.value)


def test_a_server_that_is_not_there_is_unavailable(caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening: nobody answers on this port
        with caplog.at_level(0), pytest.raises(GraphUnavailableError) as trouble:
            open_graph(f"bolt://neo4j@127.0.0.1:{taken.getsockname()[1]}", PASSWORD)
    assert PASSWORD.get_secret_value() not in caplog.text + str(trouble.value)


def test_a_server_that_accepts_and_never_answers_is_given_up_within_the_limit() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        held: list[socket.socket] = []
        accepting = threading.Thread(target=_hold, args=(silent, held), daemon=True)
        accepting.start()
        began = time.monotonic()
        with pytest.raises(GraphUnavailableError):
            open_graph(f"bolt://neo4j@127.0.0.1:{silent.getsockname()[1]}", PASSWORD)
        assert time.monotonic() - began < 9
        for connection in held:
            connection.close()


def _hold(silent: socket.socket, held: list[socket.socket]) -> None:
    try:
        while True:
            held.append(silent.accept()[0])
    except OSError:
        return
