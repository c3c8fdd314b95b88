"""Both children of a node, as they are shipped, on their own supervision: one is hurt, and both are asked to answer.

The ears answer by having listened for nothing; the eyes by a look.
"""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Literal

from tests.fakes.cameras import keypoint_log

from forge_edge.children import EarsChild, EyesChild
from forge_edge.messages import Hearing, Instruction, Listen, NothingHeard, Said, Seen, Shown
from forge_edge.supervision import Child

PROGRAM = Path(__file__).with_name("hanging_child.py")
ANSWER_SECONDS = 2.0
"""Within this the child that is not hurt answers."""
BACK_SECONDS = 10.0
"""Within this the hurt one does: the bound of the issue."""
GIVE_UP_SECONDS = 60.0
LOG_HOURS = 2
PATIENCE_SECONDS = 0.2

Name = Literal["ears", "eyes"]
Way = Literal["kill", "stop", "hang"]
SIGNALS: dict[Way, signal.Signals] = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP, "hang": signal.SIGUSR1}


@dataclass
class Tally:
    """What came of it.

    Attributes:
        back_seconds: How long each hurt child was away, by child and way.
        slow: Answers of the other child that took longer than `ANSWER_SECONDS`, as child and seconds.
        answers: How often the other child was asked.
    """

    back_seconds: dict[tuple[Name, Way], list[float]] = field(default_factory=dict)
    slow: list[tuple[Name, float]] = field(default_factory=list)
    answers: int = 0

    @property
    def late(self) -> list[float]:
        """Absences that were longer than `BACK_SECONDS`."""
        return [seconds for times in self.back_seconds.values() for seconds in times if seconds > BACK_SECONDS]


class _Ears:
    def __init__(self, folder: Path, program: list[str]) -> None:
        self.gone = 0
        self.started = asyncio.Event()
        self._answered = asyncio.Event()
        self._turn = 0
        self.child = EarsChild([*program, "ears"], folder / "core.sock", on_said=self._on_said, on_gone=self._on_gone)

    async def _on_said(self, said: Said) -> None:
        match said:
            case Hearing():
                self.started.set()
            case NothingHeard(turn=turn) if turn == self._turn:
                self._answered.set()

    async def _on_gone(self) -> None:
        self.gone += 1

    async def answer(self) -> None:
        """Return once they have done what they were just told."""
        while True:
            self._turn += 1
            self._answered.clear()
            listen = Listen(grammar="answer", phrases=("yes", "no"), patience_seconds=PATIENCE_SECONDS)
            if await self.child.send(Instruction(turn=self._turn, listen=listen)):
                with _no_timeout():
                    async with asyncio.timeout(1.0):
                        await self._answered.wait()
                        return
            await asyncio.sleep(0.02)


class _Eyes:
    def __init__(self, folder: Path, program: list[str]) -> None:
        self.gone = 0
        self.started = asyncio.Event()
        self._looked = asyncio.Event()
        self.child = EyesChild(
            [*program, "eyes"],
            folder / "eyes.sock",
            on_said=self._on_said,
            on_gone=self._on_gone,
            on_closed=self._on_gone,
        )

    async def _on_said(self, said: Shown) -> None:
        if isinstance(said, Seen):
            self.started.set()
            self._looked.set()

    async def _on_gone(self) -> None:
        self.gone += 1

    async def answer(self) -> None:
        """Return once they have looked again."""
        self._looked.clear()
        await self._looked.wait()


@contextmanager
def _no_timeout() -> Iterator[None]:
    try:
        yield
    except TimeoutError:
        return


async def hurt(folder: Path, times: int) -> Tally:
    """Hurt each child so many times, by one way after the other.

    Raises:
        TimeoutError: A child did not come back at all.
    """
    script = folder / "patient.json"
    script.write_text(json.dumps({"wants": []}), encoding="utf-8")
    log = keypoint_log(folder / "day.npz", [number / 5 for number in range(5 * 3600 * LOG_HOURS)])
    settings = {
        "FORGE_EDGE_STATE_DIR": str(folder),
        "FORGE_EDGE_AUDIO": "simulated",
        "FORGE_EDGE_ROOM_SCRIPT": str(script),
        "FORGE_EDGE_HEARING": "light",
        "FORGE_EDGE_CAMERA": "simulated",
        "FORGE_EDGE_CAMERA_SCRIPT": str(log),
    }
    program = ["env", *(f"{name}={value}" for name, value in settings.items()), sys.executable, str(PROGRAM)]
    ears, eyes = _Ears(folder, program), _Eyes(folder, program)
    tasks = [asyncio.create_task(one.child.run()) for one in (ears, eyes)]
    tally = Tally()
    try:
        async with asyncio.timeout(GIVE_UP_SECONDS):
            await asyncio.gather(ears.started.wait(), eyes.started.wait())
        ways = cycle(SIGNALS)
        for _ in range(times):
            way = next(ways)
            await _hurt_one("ears", way, ears, eyes, tally)
            await _hurt_one("eyes", way, eyes, ears, tally)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return tally


async def _hurt_one(name: Name, way: Way, victim: _Ears | _Eyes, other: _Ears | _Eyes, tally: Tally) -> None:
    async with asyncio.timeout(GIVE_UP_SECONDS):
        await asyncio.gather(victim.answer(), other.answer())
        gone, began = victim.gone, time.monotonic()
        os.kill(_pid(victim.child), SIGNALS[way])
        back = asyncio.create_task(_back(victim, gone))
        while not back.done():
            asked = time.monotonic()
            await other.answer()
            seconds = time.monotonic() - asked
            tally.answers += 1
            if seconds > ANSWER_SECONDS:
                tally.slow.append(("eyes" if name == "ears" else "ears", seconds))
            await asyncio.wait((back,), timeout=0.3)
        await back
    tally.back_seconds.setdefault((name, way), []).append(time.monotonic() - began)


async def _back(victim: _Ears | _Eyes, gone: int) -> None:
    while victim.gone == gone:
        await asyncio.sleep(0.01)
    await victim.answer()


def _pid(child: Child[Said] | Child[Shown]) -> int:
    process = child._process  # noqa: SLF001 (nobody but this needs it)
    assert process is not None
    return process.pid
