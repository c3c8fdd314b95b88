"""What a room that means harm sends: everything is accounted for, nobody else is disturbed, nothing of it is logged."""

import json
import logging
import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select
from structlog.testing import capture_logs
from tests.fakes.clock import FakeClock
from tests.fakes.hostile import PLANTED, Hostile
from tests.fakes.records import sqlite_records
from tests.fakes.sent import WATER, FakeNode, arrived, phq_9, utterance

from forge_hub.alerts.projector import AlertProjection
from forge_hub.fleet.rooms import Rooms
from forge_hub.fleet.twins import Twins
from forge_hub.ingest.ledger import MOST_ASIDE
from forge_hub.ingest.quarantine import NOT_KEPT, Space
from forge_hub.ingest.reading import LARGEST_PAYLOAD_BYTES, Arrived
from forge_hub.ingest.store import IngestStore
from forge_hub.projection import catch_up
from forge_hub.records.database import Database
from forge_hub.records.projector import RecordsProjection
from forge_hub.records.schema import Alert, DesiredTwin, EventLog, Inbox, Quarantine
from forge_shared.events import CanarySent
from forge_shared.forms.questionnaire import installed
from forge_shared.ids import new_id
from forge_shared.wire import MOST_REVISIONS, Status, TwinDesired, TwinReported

BATCH = 500


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = sqlite_records(tmp_path)
    yield database
    database.close()


@pytest.fixture
def store(database: Database, clock: FakeClock) -> IngestStore:
    return IngestStore("site", database, clock)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_of_100_000_hostile_messages_each_is_accounted_for_and_no_other_room_is_disturbed(
    store: IngestStore, database: Database, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    hostile = [Hostile(seed, clock, f"room-{seed}") for seed in range(1, 5)]
    honest = FakeNode(clock, "room-9")
    session, chance = new_id(), random.Random(0)
    went: Counter[str] = Counter()
    wanted: dict[str, list[str]] = {"alarm": [], "record": []}
    with capture_logs() as logged:
        for _ in range(100_000 // BATCH):
            batch = [hostile[number % len(hostile)].message() for number in range(BATCH)]
            events = [honest.event(data) for data in (WATER, phq_9(clock, [1] * 9), utterance(session))]
            for place, event in zip(sorted(chance.sample(range(BATCH), len(events))), events, strict=True):
                wanted[event.lane].append(event.id)
                batch.insert(place, arrived(event))
            done = store.commit(batch)
            went.update(events=done.events, duplicates=done.duplicates, quarantined=done.quarantined, left=done.left)
            went["sent"] += len(batch)
            assert [(at.lane, at.sequence) for at in sorted(done.acknowledgements["room-9"].positions, key=str)] == [
                (lane, len(ids)) for lane, ids in wanted.items()
            ]
    with database.read() as transaction:
        aside = transaction.scalar(select(func.count()).select_from(Inbox).where(Inbox.logged.is_(False)))
        rows = transaction.execute(select(Quarantine.reason, func.count()).group_by(Quarantine.reason)).all()
        for lane, ids in wanted.items():
            own = (EventLog.node == "room-9", EventLog.lane == lane)
            assert list(transaction.scalars(select(EventLog.event_id).where(*own).order_by(EventLog.position))) == ids
        assert transaction.scalar(select(func.count()).select_from(EventLog)) == went["events"]
    assert went["events"] + went["duplicates"] + went["quarantined"] + went["left"] + (aside or 0) == went["sent"]
    assert sum(count for _, count in rows) == went["quarantined"]
    codes = {reason.partition(":")[0] for reason, _ in rows}
    assert codes == {"event.invalid", "event.unknown", "event.too-large", "event.misplaced", "topic.invalid"}
    assert went["quarantined"] > 50_000, "most of it is broken"
    for projection in (AlertProjection(database, clock), RecordsProjection(database, installed())):
        catch_up(database, projection)
        assert projection.position() > 0
    told = f"{logged}{caplog.text}{rows}"
    assert PLANTED not in told
    assert "Planted" not in told


@pytest.mark.parametrize(
    "fields",
    [
        {"answers": [{}] * 16_000},
        {"answers": [1] * 30_000},
        {"skipped": [1] * 30_000},
        {f"x{number}": 1 for number in range(6_000)},
    ],
)
def test_a_message_made_of_faults_keeps_the_hub_no_longer_than_another(
    store: IngestStore, database: Database, clock: FakeClock, fields: dict[str, object]
) -> None:
    node = FakeNode(clock)
    event = node.event(phq_9(clock, [0] * 9))
    broken = event.model_copy(update={"data": {**event.data, **fields}})
    payload = broken.to_json()
    assert len(payload) <= LARGEST_PAYLOAD_BYTES
    began = time.process_time()
    store.commit([Arrived(event.address.topic(), payload)])
    assert time.process_time() - began < 0.5, "it was two seconds for each"
    with database.read() as transaction:
        (reason,) = transaction.scalars(select(Quarantine.reason))
    assert len(reason) < 300


def alerts(database: Database) -> list[str]:
    with database.read() as transaction:
        return list(transaction.scalars(select(Alert.kind)))


def test_an_alarm_that_is_sent_as_a_record_is_not_filed_in_silence(
    store: IngestStore, database: Database, clock: FakeClock
) -> None:
    node = FakeNode(clock)
    done = store.commit([node.send(WATER, lane="record", sequence=1)])
    assert (done.events, done.quarantined) == (0, 1)
    catch_up(database, AlertProjection(database, clock))
    assert alerts(database) == ["unreadable-alarm"]


def test_a_record_that_is_sent_as_an_alarm_rings_as_one_that_cannot_be_read(
    store: IngestStore, database: Database, clock: FakeClock
) -> None:
    store.commit([FakeNode(clock).send(utterance(new_id()), lane="alarm", sequence=1)])
    assert alerts(database) == ["unreadable-alarm"]


def test_a_flood_of_what_cannot_be_read_fills_no_disk_and_pushes_nothing_out(
    database: Database, clock: FakeClock
) -> None:
    store = IngestStore("site", database, clock, Space(limit_bytes=10_000))
    node, other = FakeNode(clock), FakeNode(clock, "room-2")
    first = node.garbage(b"\xff" * 900)
    with capture_logs() as logged:
        store.commit([first, *(node.garbage(b"\xff" * 900) for _ in range(30)), other.garbage(b"\xff" * 900)])
        store.commit([node.garbage(b"\xff" * 900, "alarm") for _ in range(30)])
        store.commit([node.garbage(b"\xff" * 900), node.send(WATER)])
    with database.read() as transaction:
        rows = list(transaction.scalars(select(Quarantine).order_by(Quarantine.id)))
    assert len(rows) == 63, "each is accounted for"
    kept = Counter((row.node, row.lane) for row in rows if row.payload)
    assert kept == {("room-1", "record"): 11, ("room-1", "alarm"): 11, ("room-2", "record"): 1}
    assert rows[0].payload == first.payload
    assert {row.payload == b"" for row in rows if row.reason.endswith(NOT_KEPT)} == {True}
    assert alerts(database) == ["unreadable-alarm"], "every alarm rings, as one incident"
    with database.read() as transaction:
        assert transaction.scalars(select(Alert.count)).one() == 30
    said = [(line["node"], line["lane"]) for line in logged if line["event"] == "quarantine.full"]
    assert said == [("room-1", "record"), ("room-1", "alarm")], "once for each"
    assert store.acknowledgement("room-1").positions, "the room is not made to keep it"


def test_space_in_quarantine_is_counted_anew_after_a_restart_and_when_entries_leave(
    database: Database, clock: FakeClock
) -> None:
    node = FakeNode(clock)
    IngestStore("site", database, clock, Space(limit_bytes=1000)).commit([node.garbage(b"\xff" * 900)])
    store = IngestStore("site", database, clock, Space(limit_bytes=1000))
    store.commit([node.garbage(b"\xff" * 900)])
    with database.begin() as transaction:
        transaction.execute(delete(Quarantine))
    store.replay()
    store.commit([node.garbage(b"\xff" * 900)])
    with database.read() as transaction:
        assert len(transaction.scalars(select(Quarantine.payload)).one()) == 900


def test_a_room_that_only_jumps_ahead_is_not_kept_for_ever_and_its_alarms_still_ring(
    store: IngestStore, database: Database, clock: FakeClock
) -> None:
    node = FakeNode(clock)
    missing, *ahead = [node.send(CanarySent()) for _ in range(MOST_ASIDE + 2)]
    alarm, garbage = node.send(WATER), node.garbage(b"\xff", "alarm")
    done = store.commit([*ahead, alarm, garbage])
    assert (done.events, done.left, done.quarantined) == (0, 2, 1)
    assert set(alerts(database)) == {"canary", "request", "unreadable-alarm"}
    with database.read() as transaction:
        assert transaction.scalar(select(func.count()).select_from(Inbox)) == MOST_ASIDE
    assert store.commit([missing]).events == MOST_ASIDE + 1
    # What was left was not acknowledged, so it comes again and closes the lane; its alert is the one that rang.
    store.commit([ahead[-1], alarm, garbage])
    assert [at.sequence for at in store.acknowledgement("room-1").positions] == [MOST_ASIDE + 4]
    assert alerts(database).count("request") == 1


def test_what_came_on_a_topic_that_is_no_events_names_its_room(database: Database, store: IngestStore) -> None:
    store.commit([Arrived("forge/v1/site/room-1/event/x", b"{}"), Arrived("else", b"{}")])
    with database.read() as transaction:
        assert set(transaction.scalars(select(Quarantine.node))) == {"room-1", None}


async def test_no_report_of_a_room_stops_the_hub_or_is_repeated_in_its_log(
    database: Database, clock: FakeClock
) -> None:
    rooms, hostile = Rooms(database, clock), Hostile(7, clock, "room-1")
    told: list[tuple[str, bytes]] = []

    async def publish(topic: str, payload: bytes) -> None:
        told.append((topic, payload))

    twins = Twins("site", database, publish, sign=lambda _: "a signature", clock=clock)
    with database.begin() as transaction:
        transaction.add(DesiredTwin(node="room-1", revision=3, wanted={"subject": None}))
    await twins.tell_all()
    reports = (
        TwinReported(
            hearing="ok",
            sight="closed",
            activity="idle",
            session_on=False,
            pending_events=0,
            version="1",
            at=clock.now(),
            revision=3,
        ),
        Status(state="online", version="1"),
    )
    with capture_logs() as logged:
        for number in range(2_000):
            path, report = (("twin/reported", reports[0]), ("status", reports[1]))[number % 2]
            payload = hostile.broken(report.model_dump(mode="json"))
            rooms.note("room-1", path, payload)
            await twins.heard("room-1", path, payload)
    assert "Planted" not in str(logged)
    assert {line["event"] for line in logged} <= {"room.unreadable-state", "twin.behind-its-node"}


async def test_a_room_that_claims_the_highest_revision_cannot_make_its_hub_or_its_successor_fail(
    database: Database, clock: FakeClock
) -> None:
    told: list[TwinDesired] = []

    async def publish(_: str, payload: bytes) -> None:
        told.append(TwinDesired.model_validate_json(payload))

    twins = Twins("site", database, publish, sign=lambda _: "a signature", clock=clock)
    with database.begin() as transaction:
        transaction.add(DesiredTwin(node="room-1", revision=1, wanted={"subject": None}))
    await twins.tell_all()
    report = {"hearing": "ok", "sight": "ok", "activity": "idle", "session_on": False, "pending_events": 0}
    for claimed in (MOST_REVISIONS, MOST_REVISIONS + 5, 2 * MOST_REVISIONS, 10**30):
        said = {**report, "version": "1", "at": clock.now().isoformat(), "revision": claimed}
        await twins.heard("room-1", "twin/reported", json.dumps(said).encode())
    assert told[-1].revision == MOST_REVISIONS + 1
    TwinReported.model_validate({**report, "version": "1", "at": clock.now(), "revision": told[-1].revision})
