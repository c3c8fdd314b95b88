"""The graph leaves the hub as a file for its owner alone, whole or one person's part, with an entry in the audit."""

import asyncio
import json
import stat
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.contracts.test_graph_store import conversation, tagged

from forge_hub import control
from forge_hub.__main__ import main
from forge_hub.errors import HubConfigError, NotFoundError
from forge_hub.graph.batches import canonical, merged
from forge_hub.graph.embedded import EmbeddedGraphStore
from forge_hub.graph.exchange import read_graph_json
from forge_hub.graph.exporting import export
from forge_hub.graph.ports import Edge, GraphBatch, Node, NodeRef
from forge_hub.records.database import open_database
from forge_hub.records.schema import Audit


def another() -> GraphBatch:
    persona, said = NodeRef("Persona", "p-2"), NodeRef("Utterance", "v-1")
    return GraphBatch(
        (Node("Persona", "p-2"), Node("Utterance", "v-1", {"text": "other"})), (Edge("SAID", persona, said),), 3
    )


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("FORGE_HUB_STATE_DIR", str(folder))
    with closing(EmbeddedGraphStore(folder / "graph.lbdb")) as store:
        store.apply(merged([conversation(3), tagged(), another()]))
    return folder


def test_the_command_writes_a_private_file_that_can_be_read_back(state: Path, tmp_path: Path) -> None:
    file = tmp_path / "graph.json"
    assert main(["graph", "export", "--out", str(file)]) == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    batch = read_graph_json(file.read_text())
    with closing(EmbeddedGraphStore(state / "graph.lbdb")) as store:
        assert canonical(batch.nodes, batch.edges) == store.snapshot()
    with closing(open_database(f"sqlite:///{state / 'records.db'}")) as database, database.read() as transaction:
        assert transaction.scalars(select(Audit.action)).all() == ["graph.export"]


@pytest.mark.usefixtures("state")
def test_one_persons_part_has_nothing_of_another(tmp_path: Path) -> None:
    for form in ("json", "cypher"):
        file = tmp_path / form
        assert main(["graph", "export", "--format", form, "--person", "p-1", "--out", str(file)]) == 0
        text = file.read_text()
        assert "u-002" in text
        assert "v-1" not in text
        assert "p-2" not in text


@pytest.mark.usefixtures("state")
def test_nobody_and_nowhere_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["graph", "export", "--person", "p-3", "--out", str(tmp_path / "x")]) == 1
    assert "nobody" in capsys.readouterr().err
    assert main(["graph", "export", "--out", str(tmp_path / "no" / "folder" / "x")]) == 1
    assert not (tmp_path / "x").exists()


def test_a_format_that_is_none_is_refused(state: Path, tmp_path: Path) -> None:
    with closing(EmbeddedGraphStore(state / "graph.lbdb")) as store:
        with pytest.raises(HubConfigError):
            export(store, tmp_path / "x", "csv", None)
        with pytest.raises(NotFoundError):
            export(store, tmp_path / "x", "json", "p-3")


async def test_the_hub_that_serves_writes_it_since_it_owns_the_graph(state: Path, tmp_path: Path) -> None:
    with closing(EmbeddedGraphStore(state / "graph.lbdb")) as store:

        async def export_graph(file: str, form: str, person: str | None) -> dict[str, object]:
            return dict(await asyncio.to_thread(export, store, Path(file), form, person))

        serving = asyncio.create_task(control.serve(state / "control.sock", {"graph-export": export_graph}))
        while not (state / "control.sock").exists():
            await asyncio.sleep(0.01)
        file = tmp_path / "graph.json"
        assert await asyncio.to_thread(main, ["graph", "export", "--person", "p-1", "--out", str(file)]) == 0
        serving.cancel()
    assert {node["label"] for node in json.loads(file.read_text())["nodes"]} >= {"Persona", "Session", "Utterance"}
