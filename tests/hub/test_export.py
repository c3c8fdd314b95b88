"""An export holds the answers and nothing that leads back to the person or to the hub."""

import json
import re
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.fakes.clock import FakeClock
from tests.fakes.sent import PHQ_9_CODES, PHQ_9_SCORED, FakeNode, phq_9

from forge_hub.__main__ import main
from forge_hub.errors import NotFoundError
from forge_hub.ingest.store import IngestStore
from forge_hub.projection import catch_up
from forge_hub.records.database import Database, open_database
from forge_hub.records.export import bundle_of, forms_of
from forge_hub.records.projector import RecordsProjection
from forge_hub.records.schema import Audit, EventLog, FormResponse
from forge_shared.forms.questionnaire import installed

SCORES = [0, 1, 2, 3, 0, 1, 2, 3, 1]
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    (tmp_path / "state").mkdir()
    clock, database = FakeClock(), open_database(f"sqlite:///{tmp_path / 'state' / 'records.db'}")
    node = FakeNode(clock, subject="p-planted")
    other = {"questionnaire": "https://example.org/form|1", "total": None, "status": "stopped"}
    IngestStore("site", database, clock).commit(
        [node.send(phq_9(clock, SCORES)), node.send(phq_9(clock, [1, 2], **other))]
    )
    catch_up(database, RecordsProjection(database, installed()))
    yield database
    database.close()


def test_the_answers_come_with_their_codes_and_nested_as_in_the_form(database: Database) -> None:
    bundle = bundle_of(forms_of(database, "p-planted"), installed())
    kinds = [entry["resource"]["resourceType"] for entry in bundle["entry"]]
    assert sorted(kinds) == ["Patient", "QuestionnaireResponse", "QuestionnaireResponse"]
    (whole,) = [entry["resource"] for entry in bundle["entry"] if entry["resource"].get("status") == "completed"]
    (group,) = [item for item in whole["item"] if "item" in item]
    answers = {item["linkId"]: item["answer"][0] for item in group["item"] if item["linkId"] in PHQ_9_SCORED}
    assert {link: answer["valueCoding"]["code"] for link, answer in answers.items()} == {
        link: PHQ_9_CODES[score] for link, score in zip(PHQ_9_SCORED, SCORES, strict=True)
    }
    assert {answer["valueCoding"]["system"] for answer in answers.values()} == {"http://loinc.org"}
    assert f'"valueInteger": {sum(SCORES)}' in json.dumps(whole)


def test_answers_to_a_form_that_is_not_installed_are_exported_all_the_same(database: Database) -> None:
    bundle = bundle_of(forms_of(database, "p-planted"), installed())
    (stopped,) = [entry["resource"] for entry in bundle["entry"] if entry["resource"].get("status") == "stopped"]
    assert [item["answer"][0]["valueCoding"]["code"] for item in stopped["item"]] == [PHQ_9_CODES[1], PHQ_9_CODES[2]]


def test_every_id_is_made_for_this_export_alone(database: Database) -> None:
    forms = installed()
    first, second = (json.dumps(bundle_of(forms_of(database, "p-planted"), forms)) for _ in range(2))
    with database.read() as transaction:
        ours = set(transaction.scalars(select(FormResponse.id))) | set(transaction.scalars(select(EventLog.event_id)))
    assert set(UUID.findall(first)) & set(UUID.findall(second)) == set()
    assert set(UUID.findall(first)) & ours == set()
    assert "p-planted" not in first
    assert "room-1" not in first


def test_nobody_is_not_exported(database: Database) -> None:
    with pytest.raises(NotFoundError):
        forms_of(database, "p-nobody")


@pytest.mark.usefixtures("database")
def test_the_command_writes_a_private_file_of_a_random_name_and_an_entry_in_the_audit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORGE_HUB_STATE_DIR", str(tmp_path / "state"))
    for _ in range(2):
        assert main(["export", "p-planted", "--out", str(tmp_path / "out")]) == 0
    files = list((tmp_path / "out").iterdir())
    assert len(files) == 2
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert not [path for path in files if "planted" in path.name or b"planted" in path.read_bytes()]
    with closing(open_database(f"sqlite:///{tmp_path / 'state' / 'records.db'}")) as again, again.read() as transaction:
        rows = transaction.execute(select(Audit.action, Audit.object)).all()
    assert [tuple(row) for row in rows] == [("person.export", "p-planted")] * 2
