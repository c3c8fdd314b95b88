"""Quarantine: what cannot be read now may be read by a later version, and enters the log once."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select
from tests.fakes.clock import FakeClock
from tests.fakes.records import sqlite_records
from tests.fakes.sent import WATER, FakeNode, arrived

from forge_hub import __main__ as command_line
from forge_hub.alerts.projector import AlertProjection
from forge_hub.errors import NotFoundError
from forge_hub.ingest.reading import Arrived
from forge_hub.ingest.replay import Replayed, counts, entries
from forge_hub.ingest.store import IngestStore
from forge_hub.projection import catch_up
from forge_hub.records.database import Database
from forge_hub.records.schema import Alert, Audit, EventLog, Quarantine
from forge_shared.ids import new_id

FUTURE = "org.personaforge.request.made.v99"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = sqlite_records(tmp_path)
    yield database
    database.close()


@pytest.fixture
def node() -> FakeNode:
    return FakeNode(FakeClock())


@pytest.fixture
def store(database: Database, node: FakeNode) -> IngestStore:
    return IngestStore("site", database, node.clock)


def upgraded(database: Database) -> None:
    """From now on the hub reads what it could not."""
    with database.begin() as transaction:
        for row in transaction.scalars(select(Quarantine)):
            row.payload = row.payload.replace(FUTURE.encode(), WATER.type_name().encode())


def logged(database: Database) -> list[int]:
    with database.read() as transaction:
        return list(transaction.scalars(select(EventLog.sequence).order_by(EventLog.position)))


def test_what_can_be_read_after_an_upgrade_enters_the_log_once(
    database: Database, store: IngestStore, node: FakeNode
) -> None:
    store.commit([node.send(WATER, type=FUTURE), node.send(WATER)])
    assert store.replay() == Replayed(entered=0, known=0, kept=1)
    upgraded(database)
    assert store.replay() == Replayed(entered=1, known=0, kept=0)
    assert store.replay() == Replayed(entered=0, known=0, kept=0)
    assert logged(database) == [2, 1]
    assert entries(database) == []


def test_what_came_twice_under_two_numbers_enters_once(database: Database, store: IngestStore, node: FakeNode) -> None:
    one = new_id()
    store.commit([node.send(WATER, id=one, type=FUTURE), node.send(WATER, id=one, type=FUTURE)])
    upgraded(database)
    assert store.replay() == Replayed(entered=1, known=1, kept=0)


def test_an_alarm_that_is_replayed_later_is_an_alert_and_marked_late(
    database: Database, store: IngestStore, node: FakeNode
) -> None:
    store.commit([node.send(WATER, type=FUTURE)])
    node.clock.advance(3600)
    upgraded(database)
    store.replay(entries(database)[0].id)
    catch_up(database, AlertProjection(database, node.clock))
    with database.read() as transaction:
        kinds = {alert.kind: alert.late for alert in transaction.scalars(select(Alert))}
    assert kinds == {"unreadable-alarm": False, "request": True}


def test_what_lies_beyond_a_gap_waits_for_it(database: Database, store: IngestStore, node: FakeNode) -> None:
    first = node.send(WATER)
    store.commit([node.send(WATER, type=FUTURE)])
    upgraded(database)
    assert store.replay().kept == 1
    store.commit([first])
    assert store.replay().entered == 1
    assert logged(database) == [1, 2]


def test_a_message_of_nobody_stays(database: Database, store: IngestStore) -> None:
    store.commit([Arrived("forge/v1/site/room-1/event/x", b"{}")])
    assert store.replay() == Replayed(entered=0, known=0, kept=1)
    assert counts(database) == {"topic.invalid": 1}


def test_an_entry_that_is_not_there_cannot_be_replayed(store: IngestStore) -> None:
    with pytest.raises(NotFoundError):
        store.replay(new_id())


def test_the_command_line_shows_the_reason_and_the_content_only_when_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], node: FakeNode
) -> None:
    monkeypatch.setenv("FORGE_HUB_STATE_DIR", str(tmp_path))
    database = sqlite_records(tmp_path)
    message = arrived(node.event(WATER, type=FUTURE))
    IngestStore("site", database, node.clock).commit([message])
    (row,) = entries(database)
    upgraded(database)
    assert command_line.main(["quarantine", "list"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["reason"].startswith("event.unknown")
    assert command_line.main(["quarantine", "show", row.id]) == 0
    assert "specversion" not in capsys.readouterr().out
    assert command_line.main(["quarantine", "show", row.id, "--payload"]) == 0
    assert "specversion" in capsys.readouterr().out
    assert command_line.main(["quarantine", "replay", "--all"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == {"entered": 1, "known": 0, "kept": 0}
    assert command_line.main(["quarantine", "show", row.id]) == 1
    with database.read() as transaction:
        assert transaction.scalar(select(func.count()).select_from(Quarantine)) == 0
        actions = list(transaction.scalars(select(Audit.action).order_by(Audit.position)))
    database.close()
    assert actions == ["quarantine.read", "quarantine.replay"]
