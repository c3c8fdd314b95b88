"""A fall in a room whose camera sees and whose ears hear: what the room says of it is so."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fakes.bedroom import Bedroom

from forge_edge.dialogue.sentences import ALREADY_TOLD, ARE_YOU_ALL_RIGHT, GLAD
from forge_edge.messages import Seen
from forge_edge.monitor.looks import Look
from forge_shared.wire import TwinDesired


@pytest.fixture
def bedroom(tmp_path: Path) -> Iterator[Bedroom]:
    made = Bedroom(tmp_path)
    yield made
    made.outboxes.close()


def stay_of(revision: int, subject: str) -> TwinDesired:
    return TwinDesired(revision=revision, subject=subject, consents=("voice", "camera"))


async def test_who_says_in_time_that_they_are_fine_is_believed(bedroom: Bedroom) -> None:
    await bedroom.somebody_falls()
    assert bedroom.says == (ARE_YOU_ALL_RIGHT,)
    await bedroom.hear("i am fine")
    assert bedroom.says == (GLAD,)


async def test_who_says_so_after_it_is_confirmed_hears_that_the_staff_know_and_close_it(bedroom: Bedroom) -> None:
    await bedroom.somebody_falls()
    await bedroom.watch(bedroom.fell_s + 20)
    await bedroom.hear("i am fine")
    assert bedroom.says == (ALREADY_TOLD,)


async def test_a_fall_seen_while_the_room_becomes_anothers_is_told_of_who_fell_and_nobody_else_is_asked(
    bedroom: Bedroom,
) -> None:
    await bedroom.room.on_desired(stay_of(1, "p-000000000001"))
    mute, forgetting, may_forget = bedroom.ears.mute, asyncio.Event(), asyncio.Event()

    async def slow(*, muted: bool) -> bool:
        forgetting.set()
        await may_forget.wait()
        return await mute(muted=muted)

    bedroom.ears.mute = slow  # type: ignore[method-assign]
    becoming = asyncio.create_task(bedroom.room.on_desired(stay_of(2, "p-000000000002")))
    await forgetting.wait()
    falling = asyncio.create_task(bedroom.somebody_falls())
    async with asyncio.timeout(10):
        while not bedroom.room._danger.is_suspected:  # noqa: SLF001 (it waits to be told while the room changes)
            await asyncio.sleep(0.01)
    may_forget.set()
    await asyncio.gather(becoming, falling)
    assert not any(ARE_YOU_ALL_RIGHT in instruction.say for instruction in bedroom.ears.instructions)
    assert bedroom.falls_told() == [("p-000000000001", "suspected")]
    assert not bedroom.room._danger.is_suspected  # noqa: SLF001 (it shows nowhere else)


async def test_a_picture_that_was_taken_of_the_one_before_is_not_judged_in_the_next_stay(bedroom: Bedroom) -> None:
    await bedroom.room.on_desired(stay_of(1, "p-000000000001"))
    bedroom.clock.elapsed = 100.0
    await bedroom.room.on_desired(stay_of(2, "p-000000000002"))
    shown: list[Look] = []
    bedroom.room.at_home.looked = shown.append  # type: ignore[method-assign,assignment]
    for at_s, is_judged in ((99.9, False), (100.1, True)):
        await bedroom.eyes.on_said(Seen(at_s=at_s, aspect=0.75, people=(), measures=None, looked=True, masks="none"))
        assert bool(shown) is is_judged, "nor shown to Home Assistant"
        assert bedroom.room._danger.is_fresh != is_judged  # noqa: SLF001 (the first that is judged shows nowhere else)
