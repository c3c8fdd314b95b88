"""The ears as the core sees them: a program that speaks, dies, hangs and lies."""

import asyncio
import os
import signal
import sys
import textwrap
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

import forge_edge.ears
from forge_edge import core_link, supervision
from forge_edge.children import EarsChild
from forge_edge.errors import EngineMissingError, NodeConfigError
from forge_edge.messages import Instruction, Said, WakeHeard

CONNECT = """
import json, os, socket, sys, time
connection = socket.socket(socket.AF_UNIX)
connection.connect(sys.argv[sys.argv.index("--socket") + 1])
lines = connection.makefile("rb")
def say(**said): connection.sendall(json.dumps(said).encode() + b"\\n")
def beat(): say(kind="beat")
"""


class Core:
    """What a core does with its ears, written down."""

    def __init__(self) -> None:
        self.said: list[Said] = []
        self.gone = 0
        self.refuse: Exception | None = None
        self.changed = asyncio.Event()

    async def on_said(self, said: Said) -> None:
        self.said.append(said)
        self.changed.set()
        if self.refuse is not None:
            raise self.refuse

    async def on_gone(self) -> None:
        self.gone += 1
        self.changed.set()

    async def until(self, condition: Callable[[], bool], seconds: float = 8) -> None:
        async with asyncio.timeout(seconds):
            while not condition():
                self.changed.clear()
                await self.changed.wait()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervision, "BEAT_LIMIT_SECONDS", 0.5)
    monkeypatch.setattr(supervision, "START_LIMIT_SECONDS", 5.0)
    monkeypatch.setattr(supervision, "RESTART_SECONDS", (0.01, 0.05))


@asynccontextmanager
async def ears(folder: Path, program: str, core: Core) -> AsyncIterator[EarsChild]:
    path = folder / "ears.py"
    path.write_text(CONNECT + textwrap.dedent(program), encoding="utf-8")
    child = EarsChild([sys.executable, str(path)], folder / "core.sock", on_said=core.on_said, on_gone=core.on_gone)
    task = asyncio.create_task(child.run())
    try:
        yield child
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_what_the_ears_hear_reaches_the_core_and_its_instruction_reaches_the_ears(tmp_path: Path) -> None:
    core = Core()
    program = """
    beat()
    say(kind="wake", word="hey_jarvis", score=0.9)
    instruction = json.loads(lines.readline())
    say(kind="nothing", turn=instruction["turn"])
    while True: beat(); time.sleep(0.1)
    """
    async with ears(tmp_path, program, core) as child:
        await core.until(lambda: len(core.said) == 1)
        assert core.said == [WakeHeard(word="hey_jarvis", score=0.9)]
        assert await child.send(Instruction(turn=7))
        await core.until(lambda: len(core.said) == 2)
    assert core.said[1].model_dump() == {"kind": "nothing", "turn": 7}


async def test_a_mute_holds_for_ears_that_are_started_anew(tmp_path: Path) -> None:
    core = Core()
    program = """
    beat()
    muted = json.loads(lines.readline())["muted"]
    say(kind="nothing", turn=int(muted))
    beat()
    """
    async with ears(tmp_path, program, core) as child:
        assert not await child.mute(muted=True)  # nobody is there yet
        await core.until(lambda: core.gone >= 2 and len(core.said) >= 2)
    assert [said.model_dump()["turn"] for said in core.said[:2]] == [1, 1]


async def test_ears_speak_and_wake_as_is_set_for_the_room_deaf_or_not(tmp_path: Path) -> None:
    core = Core()
    program = """
    words = dict(zip(sys.argv[1:], sys.argv[2:]))
    beat()
    say(kind="nothing", turn=int(words.get("--words-per-minute", 0)) + 1000 * ("--deaf" in sys.argv))
    while True: beat(); time.sleep(0.1)
    """
    async with ears(tmp_path, program, core) as child:
        assert await child.tune(words_per_minute=120, wake_threshold=0.7)
        await core.until(lambda: [said.model_dump()["turn"] for said in core.said][-1:] == [120])
        assert not await child.tune(words_per_minute=120, wake_threshold=0.7), "nothing has changed"
        await child.deafen(deaf=True)
        await core.until(lambda: [said.model_dump()["turn"] for said in core.said][-1:] == [1120])
        assert await child.tune(words_per_minute=None, wake_threshold=None)
        await core.until(lambda: [said.model_dump()["turn"] for said in core.said][-1:] == [1000])
    assert core.gone == 0, "what was told to end is no trouble"


async def test_an_instruction_without_ears_is_not_pretended_to_be_sent(tmp_path: Path) -> None:
    core = Core()
    child = EarsChild(["true"], tmp_path / "core.sock", on_said=core.on_said, on_gone=core.on_gone)
    assert not await child.send(Instruction(turn=1))


async def test_ears_that_die_are_reported_and_started_again(tmp_path: Path) -> None:
    core = Core()
    async with ears(tmp_path, "beat(); say(kind='wake', word='w', score=1); os._exit(3)", core):
        await core.until(lambda: core.gone >= 2 and len(core.said) >= 3)


async def test_ears_that_hang_are_killed_within_the_limit_and_started_again(tmp_path: Path) -> None:
    core = Core()
    started = time.monotonic()
    async with ears(tmp_path, "beat(); say(kind='nothing', turn=os.getpid()); time.sleep(60)", core):
        await core.until(lambda: core.gone >= 1)
        assert time.monotonic() - started < 5
        await core.until(lambda: len(core.said) == 2)
    first, second = (said.model_dump()["turn"] for said in core.said)
    assert first != second
    assert not Path(f"/proc/{first}").exists()


async def test_ears_that_say_how_long_they_will_work_may_be_silent_for_so_long_and_no_longer(tmp_path: Path) -> None:
    core = Core()
    program = """
    beat()
    say(kind="beat", busy_seconds=1.5)
    time.sleep(1.2)
    say(kind="nothing", turn=1)
    say(kind="beat", busy_seconds=0.5)
    time.sleep(60)
    """
    async with ears(tmp_path, program, core):
        await core.until(lambda: len(core.said) == 1)
        assert core.gone == 0
        await core.until(lambda: core.gone == 1)


async def test_ears_that_say_that_they_are_stuck_are_ended_at_once(tmp_path: Path) -> None:
    core = Core()
    program = "beat(); say(kind='nothing', turn=os.getpid()); say(kind='beat', stuck=True)\nwhile True: beat()"
    async with ears(tmp_path, program, core):
        await core.until(lambda: core.gone == 1)
    assert not Path(f"/proc/{core.said[0].model_dump()['turn']}").exists()


async def test_ears_that_never_connect_are_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervision, "START_LIMIT_SECONDS", 0.3)
    core = Core()
    async with ears(tmp_path, "time.sleep(60)", core):
        await core.until(lambda: core.gone >= 1)


async def test_ears_that_talk_nonsense_are_reported_and_nothing_of_it_is_taken(tmp_path: Path) -> None:
    core = Core()
    program = 'beat(); connection.sendall(b\'{"kind": "speech", "text": "planted"}\\n\'); time.sleep(60)'
    async with ears(tmp_path, program, core):
        await core.until(lambda: core.gone >= 1)
    assert core.said == []


async def test_a_line_without_an_end_does_not_fill_the_memory(tmp_path: Path) -> None:
    core = Core()
    async with ears(tmp_path, "beat()\nconnection.sendall(b'x' * 2_000_000)\ntime.sleep(60)", core):
        await core.until(lambda: core.gone >= 1)
    assert core.said == []


async def test_ears_that_are_just_being_ended_are_waited_for_when_the_core_ends() -> None:
    process = await asyncio.create_subprocess_exec("sleep", "60")
    ending = asyncio.create_task(supervision._end(process))  # noqa: SLF001 (the moment cannot be hit from outside)
    await asyncio.sleep(0)
    ending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await ending
    assert process.returncode == -signal.SIGKILL


async def test_the_ears_end_with_the_core(tmp_path: Path) -> None:
    core = Core()
    async with ears(tmp_path, "while True: say(kind='nothing', turn=os.getpid()); time.sleep(0.1)", core):
        await core.until(lambda: len(core.said) >= 1)
    pid = core.said[0].model_dump()["turn"]
    assert not Path(f"/proc/{pid}").exists()


async def test_a_socket_that_a_killed_core_left_behind_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "core.sock").touch()
    core = Core()
    async with ears(tmp_path, "while True: say(kind='nothing', turn=1); time.sleep(0.1)", core):
        await core.until(lambda: len(core.said) >= 1)


async def test_an_error_of_the_core_is_not_mistaken_for_unreadable_ears(tmp_path: Path) -> None:
    core = Core()
    core.refuse = ValueError("an error of the core")
    path = tmp_path / "ears.py"
    path.write_text(
        CONNECT + "say(kind='nothing', turn=os.getpid())\nwhile True: beat(); time.sleep(0.1)", encoding="utf-8"
    )
    child = EarsChild([sys.executable, str(path)], tmp_path / "core.sock", on_said=core.on_said, on_gone=core.on_gone)
    with capture_logs() as logs, pytest.raises(ValueError, match="of the core"):
        await asyncio.wait_for(child.run(), 3)
    assert logs == []
    assert not Path(f"/proc/{core.said[0].model_dump()['turn']}").exists()


async def test_an_error_while_the_loss_is_told_ends_the_core_too(tmp_path: Path) -> None:
    async def refuse() -> None:
        raise KeyError("an error of the core")

    child = EarsChild(["true"], tmp_path / "core.sock", on_said=Core().on_said, on_gone=refuse)
    with pytest.raises(KeyError):
        await asyncio.wait_for(child.run(), 3)


async def test_a_slow_core_does_not_make_its_ears_look_as_if_they_hang(tmp_path: Path) -> None:
    core = Core()

    async def take_long(said: Said) -> None:
        await asyncio.sleep(0.6)  # longer than the ears may be silent
        await core.on_said(said)

    path = tmp_path / "ears.py"
    words = "for turn in range(3): say(kind='nothing', turn=turn)\nwhile True: beat(); time.sleep(0.1)"
    path.write_text(CONNECT + words, encoding="utf-8")
    child = EarsChild([sys.executable, str(path)], tmp_path / "core.sock", on_said=take_long, on_gone=core.on_gone)
    task = asyncio.create_task(child.run())
    await core.until(lambda: len(core.said) == 3)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert [said.model_dump()["turn"] for said in core.said] == [0, 1, 2]
    assert core.gone == 0


async def test_ears_that_speak_without_waiting_are_given_up_and_what_fitted_is_handled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervision, "QUEUE_LENGTH", 5)
    core = Core()
    program = "for turn in range(2000): say(kind='nothing', turn=turn)\ntime.sleep(60)"
    order: list[str] = []

    async def on_said(said: Said) -> None:
        await asyncio.sleep(0.01)
        order.append("said")
        await core.on_said(said)

    async def on_gone() -> None:
        order.append("gone")
        await core.on_gone()

    path = tmp_path / "ears.py"
    path.write_text(CONNECT + program, encoding="utf-8")
    child = EarsChild([sys.executable, str(path)], tmp_path / "core.sock", on_said=on_said, on_gone=on_gone)
    with capture_logs() as logs:
        task = asyncio.create_task(child.run())
        await core.until(lambda: core.gone >= 1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert logs[0]["event"] == "child.floods"
    handled = order.index("gone")
    assert 5 <= handled < 50
    assert [said.model_dump()["turn"] for said in core.said[:handled]] == list(range(handled))


async def test_the_loss_is_told_after_everything_that_the_ears_had_said(tmp_path: Path) -> None:
    order: list[str] = []
    core = Core()

    async def on_said(said: Said) -> None:
        await asyncio.sleep(0.05)
        order.append(said.kind)

    async def on_gone() -> None:
        order.append("gone")
        await core.on_gone()

    path = tmp_path / "ears.py"
    path.write_text(CONNECT + "beat()\nfor turn in range(4): say(kind='nothing', turn=turn)", encoding="utf-8")
    child = EarsChild([sys.executable, str(path)], tmp_path / "core.sock", on_said=on_said, on_gone=on_gone)
    task = asyncio.create_task(child.run())
    await core.until(lambda: core.gone >= 1)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert order[:5] == ["nothing"] * 4 + ["gone"]


async def test_ears_that_die_are_known_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervision, "BEAT_LIMIT_SECONDS", 60.0)
    core = Core()
    program = "beat(); say(kind='nothing', turn=os.getpid())\nwhile True: beat(); time.sleep(0.1)"
    async with ears(tmp_path, program, core):
        await core.until(lambda: len(core.said) == 1)
        killed = time.monotonic()
        os.kill(core.said[0].model_dump()["turn"], signal.SIGKILL)
        await core.until(lambda: core.gone >= 1)
        assert time.monotonic() - killed < 1


def test_a_hanging_room_is_known_within_ten_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert core_link.BEAT_SECONDS < supervision.BEAT_LIMIT_SECONDS
    assert forge_edge.ears.STUCK_SECONDS + supervision.BEAT_LIMIT_SECONDS < 10
    assert forge_edge.ears.DECODE_SECONDS + supervision.BEAT_LIMIT_SECONDS < 10


async def test_a_trouble_is_logged_once_and_so_is_the_recovery(tmp_path: Path) -> None:
    core = Core()
    program = f"""
    runs = len(os.listdir({str(tmp_path)!r} + "/runs"))
    open({str(tmp_path)!r} + f"/runs/{{runs}}", "w").close()
    if runs < 3: sys.exit(3)
    while True: say(kind='nothing', turn=runs); time.sleep(0.05)
    """
    (tmp_path / "runs").mkdir()
    with capture_logs() as logs:
        async with ears(tmp_path, program, core):
            await core.until(lambda: len(core.said) >= 5)
    assert core.gone == 3
    assert [line["event"] for line in logs] == ["child.died", "child.recovered"]


async def test_nonsense_is_logged_without_being_repeated(tmp_path: Path) -> None:
    core = Core()
    program = 'beat(); connection.sendall(b\'{"kind": "speech", "text": "planted"}\\n\'); time.sleep(60)'
    with capture_logs() as logs:
        async with ears(tmp_path, program, core):
            await core.until(lambda: core.gone >= 2)
    assert [line["event"] for line in logs] == ["child.unreadable"]
    assert "planted" not in f"{logs}"


@pytest.mark.parametrize("command", ["/nonexistent/ears", "."])
async def test_a_program_that_is_not_there_is_a_sentence(tmp_path: Path, command: str) -> None:
    core = Core()
    child = EarsChild([command], tmp_path / "core.sock", on_said=core.on_said, on_gone=core.on_gone)
    with pytest.raises(EngineMissingError, match="the ears cannot be started"):
        await asyncio.wait_for(child.run(), 3)


async def test_a_folder_with_too_long_a_name_for_the_socket_is_a_sentence(tmp_path: Path) -> None:
    core = Core()
    folder = tmp_path / ("x" * 120)
    folder.mkdir()
    child = EarsChild(["true"], folder / "core.sock", on_said=core.on_said, on_gone=core.on_gone)
    with pytest.raises(NodeConfigError, match="FORGE_EDGE_STATE_DIR"):
        await asyncio.wait_for(child.run(), 3)
