"""What waits in the hub's memory, and how much each room may have on its way."""

import asyncio

import aiomqtt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs
from tests.fakes.clock import FakeClock
from tests.fakes.sent import WATER, FakeNode, phq_9

from forge_hub.ingest.answers import Answers
from forge_hub.ingest.inlet import Inlet
from forge_hub.ingest.pressure import BUSY_SECONDS, LARGEST_WINDOW, MOST_IN_FLIGHT, QUEUE_SECONDS, Pressure
from forge_hub.ingest.reading import Arrived
from forge_shared.ids import new_id
from forge_shared.wire import Acknowledgement, LanePosition

NODE = FakeNode(FakeClock())
EPOCH = new_id()


def message(arrived: Arrived) -> aiomqtt.Message:
    return aiomqtt.Message(arrived.topic, arrived.payload, qos=1, retain=False, mid=1, properties=None)


def record() -> aiomqtt.Message:
    return message(NODE.send(phq_9(NODE.clock, [0] * 9)))


async def test_an_alarm_overtakes_the_records_that_came_before_it() -> None:
    inlet = Inlet()
    for _ in range(1000):
        inlet.put_nowait(record())
    inlet.put_nowait(message(NODE.send(WATER)))
    async with asyncio.timeout(1):
        (alarm,) = await inlet.alarms.take(500)
    assert "/alarm/" in alarm.topic
    assert len(inlet.records) == 1000


async def test_records_keep_their_order_and_are_taken_a_batch_at_a_time() -> None:
    inlet, sent = Inlet(), [record() for _ in range(7)]
    for one in sent:
        inlet.put_nowait(one)
    taken = [*await inlet.records.take(5), *await inlet.records.take(5)]
    assert [one.topic for one in taken] == [str(one.topic) for one in sent]


async def test_a_full_memory_refuses_records_says_so_once_and_never_refuses_an_alarm() -> None:
    inlet = Inlet(records=3)
    with capture_logs() as logs:
        for _ in range(8):
            inlet.put_nowait(record())
        inlet.put_nowait(message(NODE.send(WATER)))
    assert (len(inlet.records), inlet.refused, len(inlet.alarms)) == (3, 5, 1)
    assert [line["event"] for line in logs] == ["ingest.refusing"]


async def test_what_is_no_event_is_looked_at_before_it_waits() -> None:
    seen: list[Arrived] = []
    inlet = Inlet(on_state=seen.append)
    birth = Arrived("forge/v1/site/room-1/status", b"{}")
    inlet.put_nowait(message(birth))
    inlet.put_nowait(record())
    assert seen == [birth]


async def test_what_is_no_event_waits_apart() -> None:
    inlet = Inlet()
    inlet.put_nowait(message(Arrived("forge/v1/site/room-1/status", b"{}")))
    assert (len(inlet.states), len(inlet.alarms), len(inlet.records)) == (1, 0, 0)


FAST = 100_000
"""Records in a second that no hub commits."""


def test_one_room_alone_may_send_as_much_as_it_ever_could_to_a_fast_hub() -> None:
    pressure = Pressure()
    pressure.committed(["room-1"], FAST, 0.5)
    assert pressure.window(0, 1.0) == LARGEST_WINDOW


@given(rooms=st.integers(0, 500), waiting=st.integers(0, 100_000), committed=st.integers(0, FAST))
def test_what_all_rooms_may_send_together_is_bounded(rooms: int, waiting: int, committed: int) -> None:
    pressure = Pressure()
    pressure.committed([f"room-{number}" for number in range(rooms)], committed, 0.0)
    window = pressure.window(waiting, 0.5)
    assert 1 <= window <= LARGEST_WINDOW
    assert window == 1 or window * rooms <= MOST_IN_FLIGHT


@given(rate=st.integers(1300, 4900))
def test_what_is_on_its_way_is_what_the_hub_commits_while_an_alarm_may_wait(rate: int) -> None:
    pressure = Pressure()
    rooms = [f"room-{number}" for number in range(10)]
    for tenth in range(30):
        pressure.committed(rooms, rate // 10, tenth / 10)
    assert abs(len(rooms) * pressure.window(0, 2.95) - rate * QUEUE_SECONDS) <= len(rooms)


@pytest.mark.parametrize(("rooms", "fewer"), [(1, 10), (10, 100)])
def test_the_more_rooms_send_and_the_more_waits_the_less_each_may_send(rooms: int, fewer: int) -> None:
    few, many = Pressure(), Pressure()
    few.committed([f"room-{number}" for number in range(rooms)], FAST, 0.5)
    many.committed([f"room-{number}" for number in range(fewer)], FAST, 0.5)
    assert many.window(0, 1.0) < few.window(0, 1.0)
    assert many.window(MOST_IN_FLIGHT, 1.0) < many.window(0, 1.0)


def test_a_room_that_has_been_quiet_leaves_its_share_to_the_others() -> None:
    pressure = Pressure()
    pressure.committed([f"room-{number}" for number in range(100)], FAST, 0.0)
    pressure.committed(["room-1"], FAST, BUSY_SECONDS)
    assert pressure.window(0, BUSY_SECONDS + 0.5) == LARGEST_WINDOW


def acknowledgement(sequence: int, epoch: str = EPOCH) -> Acknowledgement:
    return Acknowledgement(positions=(LanePosition(epoch=epoch, lane="record", sequence=sequence),))


async def test_a_room_is_told_the_newest_of_what_waits_to_be_said_to_it_and_of_every_epoch() -> None:
    answers = Answers()
    older = new_id()
    answers.put("room-1", acknowledgement(3, older))
    answers.put("room-2", acknowledgement(7))
    answers.put("room-1", acknowledgement(4))
    answers.put("room-1", acknowledgement(5))
    node, said = await answers.take()
    assert node == "room-1"
    assert {(place.epoch, place.sequence) for place in said.positions} == {(older, 3), (EPOCH, 5)}
    assert await answers.take() == ("room-2", acknowledgement(7))


async def test_a_room_of_which_nothing_is_committed_is_answered_all_the_same() -> None:
    answers = Answers()
    answers.put("room-1", Acknowledgement(positions=()))
    async with asyncio.timeout(1):
        assert await answers.take() == ("room-1", Acknowledgement(positions=()))
