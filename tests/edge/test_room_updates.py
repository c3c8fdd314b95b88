"""When a room is needed, and how its eyes and ears are exchanged."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.fakes.clock import FakeClock

from forge_edge.dialogue.conversation import Conversation
from forge_edge.messages import Seen, Sight
from forge_edge.observations import SenseObserved
from forge_edge.room_clock import RoomClock
from forge_edge.room_updates import RoomUpdates, needed_for, peak_memory_mb
from forge_edge.updating.ports import Measured, Need
from forge_edge.watching import Watching


@pytest.mark.parametrize(
    ("changes", "busy", "need"),
    [
        ({}, False, None),
        ({}, True, "conversation"),
        ({"activity": "request"}, False, "conversation"),
        ({"activity": "fall"}, False, "conversation"),
        ({"session": "01900000-0000-7000-8000-000000000000"}, False, "session"),
    ],
)
def test_a_room_is_needed_while_anybody_speaks_with_it(changes: dict[str, Any], busy: Any, need: Need | None) -> None:
    conversation = Conversation().model_copy(update=changes)
    assert needed_for(conversation, "pose", busy=busy) == need
    assert needed_for(conversation, "transcriber", busy=busy) == need


def test_a_form_that_waits_keeps_its_ears_and_not_the_eyes() -> None:
    waiting = Conversation().model_copy(update={"interview": object()})
    assert needed_for(waiting, "voice", busy=False) == "form"
    assert needed_for(waiting, "pose", busy=False) is None
    assert needed_for(waiting.model_copy(update={"activity": "answer"}), "pose", busy=False) == "form"


class Exchanged:
    """Eyes that a test lets speak and die."""

    def __init__(self, **callbacks: Callable[..., Any]) -> None:
        self.say, self.die = callbacks["on_said"], callbacks["on_gone"]
        self.restarts = 0
        self.pid = None

    async def restart(self) -> None:
        self.restarts += 1


async def test_eyes_that_are_exchanged_are_no_loss_and_their_own_faults_are_counted() -> None:
    made: list[Exchanged] = []
    observed: list[SenseObserved] = []

    def make(**callbacks: Callable[..., Any]) -> Any:
        made.append(Exchanged(**callbacks))
        return made[-1]

    async def observe(observation: SenseObserved) -> None:
        observed.append(observation)

    watching = Watching(make, observe=observe, clock=RoomClock(FakeClock()), zone=lambda: None)
    (eyes,) = made
    look = Seen(at_s=1.0, aspect=0.75, people=(), measures=None, looked=True, masks="none", took_ms=12.5)
    await eyes.say(Sight(state="ok", reason="started"))
    await eyes.say(look)
    assert list(watching.took_ms) == [12.5]
    await watching.start_anew()
    assert (eyes.restarts, list(watching.took_ms), watching.camera) == (1, [], "starting")
    await eyes.say(Sight(state="ok", reason="started"))
    assert [(each.state, each.reason) for each in observed] == [("ok", "started"), ("ok", "started")]
    await eyes.die()
    assert watching.faults == 1
    # A camera that is gone is no fault of what looks through it.
    await watching.start_anew()
    await eyes.say(Sight(state="lost", reason="source-failed"))
    await eyes.die()
    assert watching.faults == 0


async def test_eyes_work_as_long_as_their_camera_does_and_only_some_roles_are_measured() -> None:
    made: list[Exchanged] = []

    def make(**callbacks: Callable[..., Any]) -> Any:
        made.append(Exchanged(**callbacks))
        return made[-1]

    async def observe(_: SenseObserved) -> None:
        return

    watching = Watching(make, observe=observe, clock=RoomClock(FakeClock()), zone=lambda: None)
    ears: Any = SimpleNamespace(hearing="closed", took_ms=[], faults=0, pid=None)
    unused: Any = None
    room = RoomUpdates(unused, asyncio.Lock(), unused, unused, unused, ears, watching, unused)
    assert room.measured("pose") == Measured(works=False, took_ms=())
    await made[0].say(Sight(state="ok", reason="started"))
    assert room.measured("pose").works
    await made[0].say(Sight(state="lost", reason="source-failed"))
    assert not room.measured("pose").works
    assert room.measured("transcriber") == Measured(works=False, took_ms=())
    ears.hearing = "ok"
    assert room.measured("voice") == Measured(works=True, took_ms=None)


def test_the_memory_of_a_process_is_known_as_long_as_it_lives() -> None:
    assert peak_memory_mb(None) is None
    assert peak_memory_mb(2**22 + 1) is None
    found = peak_memory_mb(int(Path("/proc/self").readlink().name))
    assert found is not None
    assert 1 < found < 10_000
