"""What a room that means harm sends: everything is accounted for, nobody else is disturbed, nothing of it is logged."""

import itertools
import json
import logging
import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select
from structlog.testing import capture_logs
from tests.fakes.clock import FakeClock
from tests.fakes.hostile import PLANTED, Hostile
from tests.fakes.sent import WATER, FakeNode, arrived, phq_9, utterance

from forge_hub.alerts.projector import AlertProjection
from forge_hub.fleet.rooms import Rooms
from forge_hub.fleet.twins import Twins
from forge_hub.ingest.quarantine import NOT_KEPT, Space
from forge_hub.ingest.store import LARGEST_PAYLOAD_BYTES, Arrived, IngestStore
from forge_hub.projection import catch_up
from forge_hub.records.database import Database, open_database
from forge_hub.records.projector import RecordsProjection
from forge_hub.records.schema import Alert, DesiredTwin, EventLog, Inbox, Quarantine
from forge_shared.forms.questionnaire import installed
from forge_shared.ids import new_id
from forge_shared.wire import MOST_REVISIONS, TwinDesired, TwinReported

BATCH = 500


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = open_database(f"sqlite:///{tmp_path / 'records.db'}")
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
            went.update(events=done.events, duplicates=done.duplicates, quarantined=done.quarantined, sent=len(batch))
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
    assert went["events"] + went["duplicates"] + went["quarantined"] + (aside or 0) == went["sent"]
    assert sum(count for _, count in rows) == went["quarantined"]
    codes = {reason.partition(":")[0] for reason, _ in rows}
    assert codes == {"event.invalid", "event.unknown", "event.too-large", "event.misplaced", "topic.invalid"}
    assert went["quarantined"] > 50_000, "most of it is broken"
    told = f"{logged}{caplog.text}{rows}"
    assert PLANTED not in told
    assert "Planted" not in told

