"""The outbox: nothing leaves it but by the hub's word."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.fakes.clock import FakeClock

from forge_edge.anonymiser import Anonymiser, AnonymousEvent
from forge_edge.observations import FormObserved, RequestObserved
from forge_edge.outbox.store import Outbox
from forge_shared.events import EventsWithheld, RequestMade
from forge_shared.ids import new_id
from forge_shared.sealing import Keyring
from forge_shared.topics import LANES, Lane
from forge_shared.wire import LanePosition


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def outbox(tmp_path: Path, clock: FakeClock) -> Iterator[Outbox]:
    outbox = open_outbox(tmp_path, clock)
    yield outbox
    outbox.close()


def open_outbox(folder: Path, clock: FakeClock, limit_bytes: int = 10_000_000) -> Outbox:
    keyring = Keyring.open(folder / "device.key")
    return Outbox(folder / "outbox.db", "site", "room-1", clock, limit_bytes=limit_bytes, keyring=keyring)


def alarm(clock: FakeClock) -> AnonymousEvent:
    event = Anonymiser("p-1", clock).event_of(RequestObserved("water", "voice"))
    assert event is not None
    return event


def record(clock: FakeClock) -> AnonymousEvent:
    observation = FormObserved(
        new_id(), "https://personaforge.org/fhir/Questionnaire/phq-9|1.0.0", "stopped", (), (), None, 0, clock.now()
    )
    event = Anonymiser("p-1", clock).event_of(observation)
    assert event is not None
    return event


def sequences(outbox: Outbox, lane: Lane) -> list[int]:
    return [envelope.sequence for envelope in outbox.pending(lane, 0, 1000)]


def acknowledge(outbox: Outbox, lane: Lane, sequence: int) -> int:
    return outbox.acknowledge(LanePosition(epoch=outbox.epoch, lane=lane, sequence=sequence))


def test_each_lane_is_numbered_from_one_without_a_gap(outbox: Outbox, clock: FakeClock) -> None:
    for _ in range(3):
        outbox.append(alarm(clock))
        outbox.append(record(clock))
    assert sequences(outbox, "alarm") == sequences(outbox, "record") == [1, 2, 3]


def test_only_an_acknowledgement_removes_an_event(outbox: Outbox, clock: FakeClock) -> None:
    for _ in range(3):
        outbox.append(alarm(clock))
    assert acknowledge(outbox, "alarm", 2) == 2
    assert sequences(outbox, "alarm") == [3]
    assert acknowledge(outbox, "alarm", 2) == 0
    assert outbox.state().pending == 1


def test_an_acknowledgement_of_another_epoch_removes_nothing(outbox: Outbox, clock: FakeClock) -> None:
    outbox.append(alarm(clock))
    assert outbox.acknowledge(LanePosition(epoch=new_id(), lane="alarm", sequence=1)) == 0
    assert sequences(outbox, "alarm") == [1]


@pytest.mark.parametrize("claimed", [3, 2**63, 10**400], ids=["one", "too-large", "absurd"])
def test_an_acknowledgement_of_events_that_were_never_made_removes_nothing_and_opens_a_new_epoch(
    outbox: Outbox, clock: FakeClock, claimed: int
) -> None:
    ids = [outbox.append(alarm(clock)).id for _ in range(2)]
    before = outbox.epoch
    assert acknowledge(outbox, "alarm", claimed) == 0
    assert outbox.epoch != before, "what comes next would be taken for a repeat"
    ids.append(outbox.append(alarm(clock)).id)
    assert [(event.sequence, event.id) for event in outbox.pending("alarm", 0, 10)] == list(enumerate(ids, 1))


def test_an_acknowledgement_removes_only_what_was_sent(outbox: Outbox, clock: FakeClock) -> None:
    for _ in range(4):
        outbox.append(alarm(clock))
    assert outbox.acknowledge(LanePosition(epoch=outbox.epoch, lane="alarm", sequence=4), sent=2) == 2
    assert sequences(outbox, "alarm") == [3, 4]
    assert outbox.acknowledged("alarm") == 2


@given(
    claims=st.lists(
        st.tuples(st.booleans(), st.sampled_from(LANES), st.integers(0, 12) | st.integers(0)), min_size=1, max_size=6
    ),
    sent=st.integers(0, 8),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_acknowledgements_say_what_was_never_sent_stays(
    tmp_path_factory: pytest.TempPathFactory, claims: list[tuple[bool, Lane, int]], sent: int
) -> None:
    clock = FakeClock()
    outbox = open_outbox(tmp_path_factory.mktemp("node"), clock)
    made = [outbox.append(alarm(clock)).id for _ in range(8)]
    first = outbox.epoch
    for own, lane, sequence in claims:
        position = LanePosition(epoch=outbox.epoch if own else new_id(), lane=lane, sequence=sequence)
        outbox.acknowledge(position, sent=sent if outbox.epoch == first else 0)
    kept = [event.id for event in outbox.pending("alarm", 0, 100)]
    outbox.close()
    assert kept == made[len(made) - len(kept) :]
    assert len(kept) >= len(made) - sent


def test_a_hub_that_was_restored_makes_the_node_open_a_new_epoch_and_keep_every_event_id(
    outbox: Outbox, clock: FakeClock
) -> None:
    ids = [outbox.append(alarm(clock)).id for _ in range(5)]
    acknowledge(outbox, "alarm", 3)
    before = outbox.epoch
    acknowledge(outbox, "alarm", 1)
    assert outbox.epoch != before
    waiting = outbox.pending("alarm", 0, 10)
    assert [envelope.id for envelope in waiting] == ids[3:]
    assert [envelope.sequence for envelope in waiting] == [1, 2]
    assert {envelope.epoch for envelope in waiting} == {outbox.epoch}


def test_events_survive_a_restart_and_are_then_backfill(tmp_path: Path, clock: FakeClock) -> None:
    first = open_outbox(tmp_path, clock)
    sent = first.append(alarm(clock))
    assert not first.pending("alarm", 0, 1)[0].backfill
    first.close()
    second = open_outbox(tmp_path, clock)
    (kept,) = second.pending("alarm", 0, 10)
    second.close()
    assert kept.id == sent.id
    assert kept.backfill


def test_an_event_that_waited_a_minute_is_backfill(outbox: Outbox, clock: FakeClock) -> None:
    outbox.append(alarm(clock))
    clock.advance(61)
    assert outbox.pending("alarm", 0, 1)[0].backfill


def test_a_full_outbox_thins_records_to_tombstones_and_never_alarms(tmp_path: Path, clock: FakeClock) -> None:
    outbox = open_outbox(tmp_path, clock, limit_bytes=200_000)
    for _ in range(400):
        outbox.append(alarm(clock))
        outbox.append(record(clock))
    alarms, records = outbox.pending("alarm", 0, 1000), outbox.pending("record", 0, 1000)
    outbox.close()
    assert {envelope.type for envelope in alarms} == {RequestMade.type_name()}
    assert [envelope.sequence for envelope in alarms] == list(range(1, 401))
    assert [envelope.sequence for envelope in records] == list(range(1, 401)), "a tombstone keeps its place"
    assert EventsWithheld.type_name() in {envelope.type for envelope in records}


def test_only_the_anonymiser_can_make_what_the_outbox_takes(clock: FakeClock) -> None:
    with pytest.raises(TypeError):
        AnonymousEvent(
            object(), data=RequestMade(request="water", mode="voice"), event_id=new_id(), subject="p", time=clock.now()
        )


def test_an_event_that_was_appended_survives_kill_9(tmp_path: Path) -> None:
    program = f"""
import sys
from pathlib import Path
from forge_edge.anonymiser import Anonymiser
from forge_edge.observations import SenseObserved
from forge_edge.outbox.store import Outbox
from forge_shared.clock import SystemClock
from forge_shared.sealing import Keyring
clock = SystemClock()
folder = Path({str(tmp_path)!r})
keyring = Keyring.open(folder / "device.key")
outbox = Outbox(folder / "outbox.db", "site", "room-1", clock, limit_bytes=10**9, keyring=keyring)
anonymiser = Anonymiser("p-1", clock)
while True:
    print(outbox.append(anonymiser.event_of(SenseObserved("hearing", "ok", "started"))).sequence, flush=True)
"""
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    seen = [int(process.stdout.readline()) for _ in range(20)]
    process.kill()
    seen += [int(line) for line in process.stdout.read().splitlines() if line]
    process.stdout.close()
    process.wait(timeout=5)
    outbox = open_outbox(tmp_path, FakeClock())
    kept = sequences(outbox, "alarm")
    outbox.close()
    assert kept[: len(seen)] == seen
    assert kept == list(range(1, len(kept) + 1))
