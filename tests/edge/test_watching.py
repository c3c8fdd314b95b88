"""The room's sight as its core knows it: every loss once, nothing after consent is withdrawn."""

import asyncio
import sys
import textwrap
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, tzinfo
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from tests.edge.test_children import CONNECT
from tests.fakes.clock import FakeClock

from forge_edge import supervision
from forge_edge import watching as watching_module
from forge_edge.children import EyesChild
from forge_edge.messages import PictureMeasures, Seen
from forge_edge.monitor.looks import Look
from forge_edge.observations import SenseObserved
from forge_edge.room_clock import RoomClock
from forge_edge.watching import Watching
from forge_shared.events import SenseReason

BERLIN = ZoneInfo("Europe/Berlin")

LOOK = Seen(
    aspect=0.75,
    at_s=12.5,
    people=((0.5,) * 132,),
    measures=PictureMeasures(luma=90, contrast=30, motion=0.5, scene=2**63),
    looked=True,
    masks="abc123",
).model_dump_json()
SIGHT = 'say(kind="sight", state={state!r}, reason={reason!r})'
STARTED = SIGHT.format(state="ok", reason="started")
LOST = SIGHT.format(state="lost", reason="source-failed")
RECOVERED = SIGHT.format(state="ok", reason="recovered")
BEATS = "while True: beat(); time.sleep(0.05)"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervision, "BEAT_LIMIT_SECONDS", 0.5)
    monkeypatch.setattr(supervision, "RESTART_SECONDS", (0.01, 0.05))


class Core:
    """What a room does with its sight, written down."""

    def __init__(self) -> None:
        self.observed: list[tuple[str, str]] = []
        self.looks: list[Look] = []
        self.slow_seconds = 0.0

    async def observe(self, observed: SenseObserved) -> None:
        assert observed.sense == "sight"
        self.observed.append((observed.state, observed.reason))

    async def on_look(self, look: Look) -> None:
        await asyncio.sleep(self.slow_seconds)
        self.looks.append(look)

    async def until(self, condition: Callable[[], bool], seconds: float = 8) -> None:
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(0.01)


@asynccontextmanager
async def watching(
    folder: Path, program: str, core: Core, *, zone: tzinfo | None = BERLIN, hour: int = 22
) -> AsyncIterator[Watching]:
    path = folder / "eyes.py"
    path.write_text(f"{CONNECT}LOOK = {LOOK!r}\n{textwrap.dedent(program)}", encoding="utf-8")
    clock = FakeClock()
    clock.at = datetime(2026, 1, 5, hour, 30, 15, tzinfo=UTC)
    room = Watching(
        partial(EyesChild, [sys.executable, str(path)], folder / "eyes.sock"),
        observe=core.observe,
        clock=RoomClock(clock),
        zone=lambda: zone,
        on_look=core.on_look,
    )
    task = asyncio.create_task(room.run())
    try:
        yield room
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await asyncio.sleep(0.1)  # in which the loop lets go of the pipes of a program that was killed just now


async def test_looks_reach_the_monitor_with_the_time_of_day(tmp_path: Path) -> None:
    core = Core()
    program = f"{STARTED}\nconnection.sendall(LOOK.encode() + b'\\n')\n{BEATS}"
    async with watching(tmp_path, program, core) as room:
        assert (room.state, room.masks) == ("starting", "none")
        await core.until(lambda: len(core.looks) == 1)
        assert (room.state, room.masks) == ("ok", "abc123")
    (look,) = core.looks
    assert look.people[0].shape == (33, 4)
    assert look.people[0].dtype == np.float32
    assert (look.at_s, look.looked, look.day_s) == (12.5, True, 23 * 3600 + 30 * 60 + 15)
    assert look.measures is not None
    assert look.measures.scene == 2**63
    assert core.observed == [("ok", "started")]


async def test_a_core_that_is_busy_gets_the_newest_look_and_not_all(tmp_path: Path) -> None:
    core = Core()
    core.slow_seconds = 0.3
    program = f"""
    {STARTED}
    for number in range(40):
        connection.sendall(LOOK.replace("12.5", f"{{number}}.0").encode() + b"\\n")
        time.sleep(0.02)
    {BEATS}
    """
    async with watching(tmp_path, program, core):
        await core.until(lambda: bool(core.looks) and core.looks[-1].at_s == 39)
    assert len(core.looks) < 8


async def test_a_camera_that_is_lost_and_comes_back_is_observed_once_each(tmp_path: Path) -> None:
    core = Core()
    program = f"{STARTED}\n{LOST}\ntime.sleep(0.1)\n{LOST}\n{RECOVERED}\n{BEATS}"
    async with watching(tmp_path, program, core) as room:
        await core.until(lambda: len(core.observed) == 3)
        assert room.state == "ok"
    assert core.observed == [("ok", "started"), ("lost", "source-failed"), ("ok", "recovered")]


async def test_eyes_that_die_again_and_again_are_one_loss_and_one_recovery(tmp_path: Path) -> None:
    core = Core()
    program = f"""
    runs = len(os.listdir({str(tmp_path)!r} + "/runs"))
    open({str(tmp_path)!r} + f"/runs/{{runs}}", "w").close()
    if runs == 0: {STARTED}; time.sleep(0.1); sys.exit(3)
    if runs < 4: {LOST}; sys.exit(3)
    {STARTED}
    {BEATS}
    """
    (tmp_path / "runs").mkdir()
    async with watching(tmp_path, program, core) as room:
        await core.until(lambda: len(core.observed) == 3)
        assert room.state == "ok"
    assert core.observed == [("ok", "started"), ("lost", "process-died"), ("ok", "recovered")]


async def test_eyes_that_talk_of_hearing_are_not_believed(tmp_path: Path) -> None:
    core = Core()
    program = f'{STARTED}\nsay(kind="speech", text="planted")\n{BEATS}'
    async with watching(tmp_path, program, core):
        await core.until(lambda: ("lost", "process-died") in core.observed)


async def test_a_picture_that_shows_nothing_is_a_loss_until_it_does_again(tmp_path: Path) -> None:
    core = Core()
    async with watching(tmp_path, f"{STARTED}\n{BEATS}", core) as room:
        await core.until(lambda: room.state == "ok")
        reasons: tuple[SenseReason | None, ...] = ("picture-covered", "picture-covered", None, None)
        for reason in reasons:
            await room.see(reason)
    assert core.observed == [("ok", "started"), ("lost", "picture-covered"), ("ok", "recovered")]


async def test_a_camera_that_may_not_be_open_is_not_and_its_process_is_gone_within_two_seconds(tmp_path: Path) -> None:
    core = Core()
    program = f"""
    {STARTED}
    open({str(tmp_path / "pid")!r}, "w").write(str(os.getpid()))
    while True: connection.sendall(LOOK.encode() + b"\\n"); time.sleep(0.02)
    """
    async with watching(tmp_path, program, core) as room:
        await core.until(lambda: len(core.looks) > 2)
        pid = (tmp_path / "pid").read_text()
        began = time.monotonic()
        closed = await room.allow(allowed=False)
        assert time.monotonic() - began < 2
        assert closed == (SenseObserved(sense="sight", state="closed", reason="consent-withdrawn"),)
        assert not Path(f"/proc/{pid}").exists()
        assert room.state == "closed"
        count = len(core.looks)
        await asyncio.sleep(0.5)
        assert len(core.looks) == count, "nothing is looked at any more, not even what was seen before"
        assert await room.allow(allowed=False) == (), "it is closed already"
        assert core.observed == [("ok", "started")], "an end that was asked for is no loss"
        await room.allow(allowed=True)
        assert room.state == "starting"
        await core.until(lambda: len(core.looks) > count)
    assert core.observed == [("ok", "started"), ("ok", "started")]


async def test_eyes_whose_closing_nobody_waits_for_any_more_are_observed_as_closed(tmp_path: Path) -> None:
    core = Core()
    async with watching(tmp_path, f"{STARTED}\n{BEATS}", core) as room:
        await core.until(lambda: room.state == "ok")
        closing = asyncio.create_task(room.allow(allowed=False, reason="stopped"))
        await asyncio.sleep(0)
        closing.cancel()
        await asyncio.gather(closing, return_exceptions=True)
        assert closing.cancelled()
        await core.until(lambda: room.state == "closed")
    assert core.observed == [("ok", "started"), ("closed", "stopped")]


async def test_a_room_whose_patient_has_not_agreed_starts_no_eyes(tmp_path: Path) -> None:
    core = Core()
    program = f'open({str(tmp_path / "started")!r}, "w").close()\n{STARTED}\n{BEATS}'
    path = tmp_path / "eyes.py"
    path.write_text(f"{CONNECT}{program}")
    room = Watching(
        partial(EyesChild, [sys.executable, str(path)], tmp_path / "eyes.sock"),
        observe=core.observe,
        clock=RoomClock(FakeClock()),
        zone=lambda: None,
    )
    await room.allow(allowed=False)
    task = asyncio.create_task(room.run())
    await asyncio.sleep(0.5)
    assert (room.state, (tmp_path / "started").exists()) == ("closed", False)
    await room.allow(allowed=True)
    await core.until(lambda: room.state == "ok")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_room_without_a_camera_is_closed_and_nothing_runs() -> None:
    core = Core()
    room = Watching(None, observe=core.observe, clock=RoomClock(FakeClock()), zone=lambda: None)
    await room.run()
    assert await room.allow(allowed=False) == ()
    assert (room.state, core.observed) == ("closed", [])


PAGE = "order = json.loads(lines.readline())\nsay(kind='drawing', port=order['screen_port'] + 1)"


async def test_the_eyes_are_told_to_open_their_drawing_page_with_a_token_of_its_own_each_time(tmp_path: Path) -> None:
    core = Core()
    program = f"{STARTED}\n{PAGE}\n{PAGE}\nbeat(); lines.readline(); say(kind='drawing', port=None)\n{BEATS}"
    async with watching(tmp_path, program, core) as room:
        await core.until(lambda: room.state == "ok")
        one, other = await room.draw(8030), await room.draw(8040)
        assert one is not None
        assert other is not None
        assert (one.port, other.port) == (8031, 8041)
        assert one.token != other.token
        assert other.token not in repr(other)
        assert room.drawing == other
        assert await room.draw(8050) is None, "they could not open it"
        assert room.drawing is None


async def test_a_drawing_page_is_forgotten_when_it_closes_when_the_eyes_die_and_when_consent_ends(
    tmp_path: Path,
) -> None:
    core = Core()
    program = f"{STARTED}\n{PAGE}\nbeat(); time.sleep(0.1); say(kind='drawing', port=None)\n{BEATS}"
    async with watching(tmp_path, program, core) as room:
        await core.until(lambda: room.state == "ok")
        assert await room.draw(8030) is not None
        await core.until(lambda: room.drawing is None)
    core = Core()
    async with watching(tmp_path, f"{STARTED}\n{PAGE}\nbeat(); time.sleep(0.1); sys.exit(3)", core) as room:
        await core.until(lambda: room.state == "ok")
        assert await room.draw(8030) is not None
        await core.until(lambda: room.drawing is None)
    core = Core()
    async with watching(tmp_path, f"{STARTED}\n{PAGE}\n{BEATS}", core) as room:
        await core.until(lambda: room.state == "ok")
        assert await room.draw(8030) is not None
        await room.allow(allowed=False)
        assert room.drawing is None
        assert await room.draw(8030) is None, "nothing is drawn without consent"


async def test_eyes_that_do_not_answer_are_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching_module, "DRAWING_SECONDS", 0.2)
    core = Core()
    async with watching(tmp_path, f"{STARTED}\n{BEATS}", core) as room:
        await core.until(lambda: room.state == "ok")
        assert await room.draw(8030) is None
