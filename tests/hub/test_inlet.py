"""What waits in the hub's memory, and how much each room may have on its way."""

import asyncio

import aiomqtt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs
from tests.fakes.clock import FakeClock
from tests.fakes.sent import WATER, FakeNode, phq_9

from forge_hub.ingest.inlet import Inlet
from forge_hub.ingest.pressure import BUSY_SECONDS, IN_FLIGHT, LARGEST_WINDOW, Pressure
from forge_hub.ingest.reading import Arrived

NODE = FakeNode(FakeClock())


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


async def test_what_is_no_event_waits_apart() -> None:
    inlet = Inlet()
    inlet.put_nowait(message(Arrived("forge/v1/site/room-1/status", b"{}")))
    assert (len(inlet.states), len(inlet.alarms), len(inlet.records)) == (1, 0, 0)


def test_one_room_alone_may_send_as_much_as_it_ever_could() -> None:
    pressure = Pressure()
    pressure.sent(["room-1"], 0.0)
    assert pressure.window(0, 1.0) == LARGEST_WINDOW


@given(rooms=st.integers(0, 500), waiting=st.integers(0, 100_000))
def test_what_all_rooms_may_send_together_is_bounded(rooms: int, waiting: int) -> None:
    pressure = Pressure()
    pressure.sent([f"room-{number}" for number in range(rooms)], 0.0)
    window = pressure.window(waiting, 1.0)
    assert 1 <= window <= LARGEST_WINDOW
    assert window == 1 or window * rooms <= IN_FLIGHT


@pytest.mark.parametrize(("rooms", "fewer"), [(1, 10), (10, 100)])
def test_the_more_rooms_send_and_the_more_waits_the_less_each_may_send(rooms: int, fewer: int) -> None:
    few, many = Pressure(), Pressure()
    few.sent([f"room-{number}" for number in range(rooms)], 0.0)
    many.sent([f"room-{number}" for number in range(fewer)], 0.0)
    assert many.window(0, 1.0) < few.window(0, 1.0)
    assert many.window(IN_FLIGHT, 1.0) < many.window(0, 1.0)


def test_a_room_that_has_been_quiet_leaves_its_share_to_the_others() -> None:
    pressure = Pressure()
    pressure.sent([f"room-{number}" for number in range(100)], 0.0)
    pressure.sent(["room-1"], BUSY_SECONDS)
    assert pressure.window(0, BUSY_SECONDS + 1) == LARGEST_WINDOW
