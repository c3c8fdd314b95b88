"""Ingest: everything that arrives is accounted for, once, in order, and nothing stops the stream."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from tests.fakes.clock import FakeClock
from tests.fakes.records import sqlite_records
from tests.fakes.sent import WATER, FakeNode, arrived, phq_9, risk

from forge_hub.ingest.ledger import REMEMBERED_EPOCHS
from forge_hub.ingest.reading import LARGEST_PAYLOAD_BYTES, Arrived
from forge_hub.ingest.store import IngestStore
from forge_hub.records.database import Database
from forge_hub.records.schema import Alert, EventLog, Inbox, Quarantine
from forge_shared.topics import Lane


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


@pytest.fixture
def node(clock: FakeClock) -> FakeNode:
    return FakeNode(clock)


def logged(database: Database, lane: Lane = "alarm") -> list[int]:
    with database.read() as transaction:
        query = select(EventLog.sequence).where(EventLog.lane == lane).order_by(EventLog.position)
        return list(transaction.scalars(query))


def reasons(database: Database) -> list[str]:
    with database.read() as transaction:
        return list(transaction.scalars(select(Quarantine.reason).order_by(Quarantine.id)))


def alerts(database: Database) -> list[Alert]:
    with database.read() as transaction:
        return list(transaction.scalars(select(Alert)))


def acknowledged(store: IngestStore, node: FakeNode, lane: Lane = "alarm") -> int:
    positions = store.acknowledgement(node.name).positions
    return next((at.sequence for at in positions if (at.epoch, at.lane) == (node.epoch, lane)), 0)


def test_an_event_is_logged_whole_and_acknowledged(store: IngestStore, database: Database, node: FakeNode) -> None:
    envelope = node.event(WATER)
    committed = store.commit([arrived(envelope)])
    assert (committed.events, committed.duplicates, committed.quarantined) == (1, 0, 0)
    assert acknowledged(store, node) == 1
    with database.read() as transaction:
        row = transaction.scalars(select(EventLog)).one()
    assert row.envelope == json.loads(envelope.to_json())
    assert (row.time, row.received_at) == (envelope.time, node.clock.now())


def test_a_repeat_is_counted_and_changes_nothing(store: IngestStore, database: Database, node: FakeNode) -> None:
    message = node.send(WATER)
    assert store.commit([message, message]).duplicates == 1
    assert store.commit([message]).duplicates == 1
    assert logged(database) == [1]
    assert acknowledged(store, node) == 1


def test_what_lies_beyond_a_gap_waits_and_is_then_logged_in_order(
    store: IngestStore, database: Database, node: FakeNode
) -> None:
    first, second, third = (node.send(WATER) for _ in range(3))
    store.commit([third, second])
    assert (logged(database), acknowledged(store, node)) == ([], 0)
    store.commit([first])
    assert (logged(database), acknowledged(store, node)) == ([1, 2, 3], 3)
    with database.read() as transaction:
        assert transaction.scalar(select(func.count()).select_from(Inbox)) == 0


def test_a_gap_in_one_lane_does_not_hold_the_other(
    store: IngestStore, database: Database, node: FakeNode, clock: FakeClock
) -> None:
    node.send(phq_9(clock, [0] * 9))
    store.commit([node.send(phq_9(clock, [0] * 9)), node.send(WATER)])
    assert (logged(database, "record"), logged(database, "alarm")) == ([], [1])


def test_an_alarm_beyond_a_gap_rings_at_once_and_is_logged_in_its_order(
    store: IngestStore, database: Database, node: FakeNode
) -> None:
    missing, alarm = node.send(WATER), node.send(risk())
    assert store.commit([alarm]).rung == 1
    assert [alert.kind for alert in alerts(database)] == ["risk-answer"]
    assert (logged(database), acknowledged(store, node)) == ([], 0)
    assert store.commit([alarm]).duplicates == 1
    store.commit([missing])
    assert (logged(database), acknowledged(store, node)) == ([1, 2], 2)
    assert len(alerts(database)) == 1, "it rings once"


def test_a_record_beyond_a_gap_waits(store: IngestStore, database: Database, node: FakeNode, clock: FakeClock) -> None:
    node.send(phq_9(clock, [0] * 9))
    store.commit([node.send(phq_9(clock, [0] * 9))])
    assert logged(database, "record") == []


def test_an_event_that_comes_again_in_a_new_epoch_is_acknowledged_and_not_logged_twice(
    store: IngestStore, node: FakeNode
) -> None:
    before = node.event(WATER)
    store.commit([arrived(before)])
    node.flash()
    committed = store.commit([node.send(WATER, id=before.id), node.send(WATER)])
    assert (committed.events, committed.duplicates) == (1, 1)
    assert acknowledged(store, node) == 2


def test_the_version_before_is_read(store: IngestStore, database: Database, node: FakeNode) -> None:
    store.commit([node.send(WATER, type="org.personaforge.request.made.v1", data={"request": "water"})])
    assert (logged(database), reasons(database)) == ([1], [])


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"", "event.invalid"),
        (b"\xff\xfe", "event.invalid"),
        (b"[" * 100_00, "event.invalid"),
        (b"null", "event.invalid"),
        (b'{"subject": "planted words"}', "event.invalid"),
        (b"x" * (LARGEST_PAYLOAD_BYTES + 1), "event.too-large"),
    ],
)
def test_what_cannot_be_read_is_quarantined_with_its_reason_and_counts_as_received(
    store: IngestStore, database: Database, node: FakeNode, payload: bytes, code: str
) -> None:
    committed = store.commit([node.garbage(payload), node.send(WATER)])
    assert (committed.quarantined, committed.events) == (1, 1)
    assert acknowledged(store, node, "record") == 1
    (reason,) = reasons(database)
    assert reason.startswith(code)
    assert "planted" not in reason


def test_a_reason_repeats_nothing_of_what_was_sent(store: IngestStore, database: Database, node: FakeNode) -> None:
    store.commit([node.garbage(b'{"planted words": 1}')])
    assert "planted" not in reasons(database)[0]


def test_an_unknown_type_is_quarantined_as_such(store: IngestStore, database: Database, node: FakeNode) -> None:
    store.commit([node.send(WATER, type="org.personaforge.request.made.v99")])
    assert reasons(database)[0].startswith("event.unknown")


def test_what_is_too_large_is_found_so_also_beyond_a_gap(
    store: IngestStore, database: Database, node: FakeNode, clock: FakeClock
) -> None:
    first = node.send(phq_9(clock, [0] * 9))
    store.commit([node.garbage(b"x" * 10_000_000)])
    store.commit([first])
    assert reasons(database)[0].startswith("event.too-large")
    assert acknowledged(store, node, "record") == 2


def test_an_unreadable_alarm_is_an_alert(store: IngestStore, database: Database, node: FakeNode) -> None:
    store.commit([node.garbage(b"\xff", "alarm")])
    (alert,) = alerts(database)
    assert (alert.kind, alert.node, alert.state, alert.late) == ("unreadable-alarm", "room-1", "open", False)
    assert alert.detail == {"reason": "event.invalid"}


def test_an_unreadable_record_is_none(store: IngestStore, database: Database, node: FakeNode) -> None:
    store.commit([node.garbage(b"\xff")])
    assert alerts(database) == []


def test_an_unreadable_alarm_beyond_a_gap_rings_at_once_and_once(
    store: IngestStore, database: Database, node: FakeNode
) -> None:
    missing = node.send(WATER)
    garbage = node.garbage(b"\xff", "alarm")
    store.commit([garbage])
    assert len(alerts(database)) == 1
    store.commit([garbage])
    store.commit([missing])
    assert len(alerts(database)) == 1
    assert acknowledged(store, node) == 2


def test_an_envelope_under_another_nodes_topic_is_quarantined(
    store: IngestStore, database: Database, node: FakeNode, clock: FakeClock
) -> None:
    foreign = FakeNode(clock, "room-2").event(WATER)
    topic = foreign.address.model_copy(update={"node": node.name}).topic()
    store.commit([Arrived(topic, foreign.to_json())])
    assert logged(database) == []
    assert len(reasons(database)) == 1


def test_two_nodes_may_use_the_same_numbers(store: IngestStore, database: Database, clock: FakeClock) -> None:
    store.commit([FakeNode(clock, name).send(WATER) for name in ("room-1", "room-2")])
    assert logged(database) == [1, 1]


@pytest.mark.parametrize("topic", ["", "forge/v1/site/room-1/event/x", "other/topic", "forge/v1/site/room-1/event/#"])
def test_a_topic_that_is_none_of_ours_is_quarantined(store: IngestStore, database: Database, topic: str) -> None:
    committed = store.commit([Arrived(topic, b"{}")])
    assert (committed.quarantined, committed.acknowledgements) == (1, {})
    assert reasons(database)[0].startswith("topic.invalid")


def test_an_event_of_another_site_is_quarantined_and_not_acknowledged(
    store: IngestStore, database: Database, clock: FakeClock
) -> None:
    committed = store.commit([FakeNode(clock, site="elsewhere").send(WATER)])
    assert (committed.events, committed.quarantined, committed.acknowledgements) == (0, 1, {})
    assert logged(database) == []


def test_an_acknowledgement_names_the_newest_epochs(store: IngestStore, node: FakeNode) -> None:
    for _ in range(REMEMBERED_EPOCHS + 2):
        node.flash()
        store.commit([node.send(WATER)])
    positions = store.acknowledgement(node.name).positions
    assert node.epoch in {position.epoch for position in positions}
    assert len({position.epoch for position in positions}) >= REMEMBERED_EPOCHS


def test_a_node_whose_clock_was_in_the_past_when_it_was_flashed_is_still_acknowledged(
    store: IngestStore, node: FakeNode, clock: FakeClock
) -> None:
    for _ in range(2 * REMEMBERED_EPOCHS):
        node.flash()
        store.commit([node.send(WATER), node.send(phq_9(clock, [0] * 9))])
    node.flash()
    node.epoch = "0000" + node.epoch[4:]
    committed = store.commit([node.send(WATER)])
    assert node.epoch in {position.epoch for position in committed.acknowledgements[node.name].positions}


def test_a_batch_that_cannot_be_committed_leaves_nothing(database: Database, node: FakeNode) -> None:
    class BrokenClock(FakeClock):
        def now(self) -> NoReturn:
            raise RuntimeError("no time")

    with pytest.raises(RuntimeError):
        IngestStore("site", database, BrokenClock()).commit([node.send(WATER)])
    assert logged(database) == []
    assert IngestStore("site", database, FakeClock()).acknowledgement(node.name).positions == ()


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(field=st.sampled_from(["data", "id", "time", "subject", "type", "source", "sequence", "extra"]), value=_JSON)
def test_no_payload_stops_the_stream(store: IngestStore, clock: FakeClock, field: str, value: object) -> None:
    node = FakeNode(clock)
    message = node.send(WATER)
    altered = json.dumps({**json.loads(message.payload), field: value}).encode()
    committed = store.commit([Arrived(message.topic, altered), node.send(WATER)])
    assert committed.events + committed.quarantined + committed.duplicates == 2
    assert acknowledged(store, node) == 2
