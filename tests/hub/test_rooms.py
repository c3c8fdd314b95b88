"""The last known state of every room. What is not known is unknown."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs
from tests.fakes.clock import FakeClock
from tests.fakes.records import sqlite_records

from forge_hub.fleet.rooms import Rooms
from forge_hub.records.database import Database
from forge_hub.records.schema import Room
from forge_hub.web.wording import trouble_words
from forge_shared.wire import RoomTrouble, Status, TwinReported


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = sqlite_records(tmp_path)
    yield database
    database.close()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def rooms(database: Database, clock: FakeClock) -> Rooms:
    return Rooms(database, clock)


def room(database: Database) -> Room:
    with database.read() as transaction:
        return transaction.scalars(select(Room)).one()


def status(state: str) -> bytes:
    return Status.model_validate({"state": state, "version": "1.2"}).model_dump_json().encode()


def twin(clock: FakeClock, **changes: Any) -> bytes:
    values = {
        "hearing": "ok",
        "sight": "closed",
        "activity": "form",
        "session_on": True,
        "pending_events": 4,
        "version": "1.2",
        "at": clock.now(),
    }
    return TwinReported.model_validate({**values, **changes}).model_dump_json().encode()


def test_a_birth_is_noted_with_what_is_not_known_yet(rooms: Rooms, database: Database, clock: FakeClock) -> None:
    assert rooms.note("room-1", "status", status("online"))
    kept = room(database)
    assert (kept.node, kept.connection, kept.version, kept.seen_at) == ("room-1", "online", "1.2", clock.now())
    assert (kept.hearing, kept.sight, kept.activity) == ("unknown",) * 3


def test_a_twin_is_noted(rooms: Rooms, database: Database, clock: FakeClock) -> None:
    rooms.note("room-1", "status", status("online"))
    assert not rooms.note("room-1", "twin/reported", twin(clock))
    kept = room(database)
    assert (kept.connection, kept.hearing, kept.sight, kept.activity) == ("online", "ok", "closed", "form")
    assert (kept.session_on, kept.pending_events) == (True, 4)


def test_a_twin_of_a_room_whose_birth_was_not_heard_leaves_its_connection_unknown(
    rooms: Rooms, database: Database, clock: FakeClock
) -> None:
    rooms.note("room-1", "twin/reported", twin(clock))
    assert room(database).connection == "unknown"


def test_a_last_will_makes_everything_unknown_that_was_about_now(
    rooms: Rooms, database: Database, clock: FakeClock
) -> None:
    rooms.note("room-1", "status", status("online"))
    rooms.note("room-1", "twin/reported", twin(clock))
    assert not rooms.note("room-1", "status", status("offline"))
    kept = room(database)
    assert (kept.connection, kept.hearing, kept.sight, kept.activity) == ("offline", "unknown", "unknown", "unknown")


def test_an_offline_room_is_not_shown_as_recording(rooms: Rooms, database: Database, clock: FakeClock) -> None:
    rooms.note("room-1", "twin/reported", twin(clock))
    rooms.note("room-1", "status", status("offline"))
    assert not room(database).session_on


def test_a_retained_twin_of_an_offline_room_does_not_make_it_hear_again(
    rooms: Rooms, database: Database, clock: FakeClock
) -> None:
    last_words = twin(clock)
    clock.advance(86_400)
    rooms.note("room-1", "status", status("offline"))
    rooms.note("room-1", "twin/reported", last_words)
    kept = room(database)
    assert (kept.connection, kept.hearing, kept.sight, kept.activity) == ("offline", "unknown", "unknown", "unknown")
    assert not kept.session_on


def test_a_room_was_last_seen_when_it_last_spoke_and_not_when_the_broker_repeats_it(
    rooms: Rooms, database: Database, clock: FakeClock
) -> None:
    rooms.note("room-1", "status", status("online"))
    rooms.note("room-1", "twin/reported", last_words := twin(clock))
    spoke = clock.now()
    clock.advance(86_400)
    for path, payload in (("status", status("offline")), ("twin/reported", last_words)):
        rooms.note("room-1", path, payload)
        assert room(database).seen_at == spoke


def test_a_twin_from_the_future_was_seen_now(rooms: Rooms, database: Database, clock: FakeClock) -> None:
    rooms.note("room-1", "twin/reported", twin(clock, at=clock.now() + timedelta(days=400)))
    assert room(database).seen_at == clock.now()


def test_a_room_that_comes_back_hears_again_with_its_next_twin(
    rooms: Rooms, database: Database, clock: FakeClock
) -> None:
    for path, payload in (
        ("status", status("offline")),
        ("status", status("online")),
        ("twin/reported", twin(clock, pending_events=10**30)),
    ):
        rooms.note("room-1", path, payload)
    assert (room(database).hearing, room(database).session_on) == ("ok", True)


@pytest.mark.parametrize("path", ["status", "twin/reported", "something"])
@pytest.mark.parametrize(
    "payload",
    [b"", b"\xff", b"{}", b'{"state": "planted words"}', b'{"state": "online", "version": "planted\\u0000words"}'],
)
def test_what_cannot_be_read_changes_nothing_and_is_logged_without_its_words(
    rooms: Rooms, database: Database, path: str, payload: bytes
) -> None:
    with capture_logs() as logs:
        assert not rooms.note("room-1", path, payload)
    with database.read() as transaction:
        assert transaction.scalars(select(Room)).all() == []
    assert [line["event"] for line in logs] == ["room.unreadable-state"]
    assert "planted" not in repr(logs)


@pytest.mark.parametrize("trouble", get_args(RoomTrouble))
def test_every_trouble_that_a_room_can_report_is_told_in_words(trouble: RoomTrouble) -> None:
    words = trouble_words(trouble, 60.0)
    assert words.endswith(f"({trouble})")
    assert "reports a trouble" not in words
