"""A room whose camera sees and whose ears hear, in which a test lets things happen."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from tests.fakes.clock import FakeClock
from tests.fakes.looks import Stage

from forge_edge.dialogue.saved import SavedConversation
from forge_edge.judgement import ZONES_FILE
from forge_edge.messages import Instruction, PictureMeasures, Said, Seen, Shown, SpeechHeard
from forge_edge.outbox.outboxes import Outboxes, open_outboxes
from forge_edge.room import Room
from forge_edge.room_clock import RoomClock
from forge_edge.room_files import RoomFiles
from forge_edge.settings import NodeSettings
from forge_shared.events import DangerSeen
from forge_shared.plan import RoomPlan
from forge_shared.sealing import Keyring


class Ears:
    """Ears that note what they are to say."""

    def __init__(self, *, on_said: Callable[[Said], Awaitable[None]], **_: Any) -> None:
        self.on_said = on_said
        self.instructions: list[Instruction] = []
        self.muted = False

    async def send(self, instruction: Instruction) -> bool:
        self.instructions.append(instruction)
        return True

    async def mute(self, *, muted: bool) -> bool:
        self.muted = muted
        return True

    async def deafen(self, *, deaf: bool) -> bool:
        self.deaf = deaf
        return True

    async def tune(self, **_: object) -> bool:
        return False


class Eyes:
    """Eyes that say what a test tells them to."""

    def __init__(self, *, on_said: Callable[[Shown], Awaitable[None]], **_: Any) -> None:
        self.on_said = on_said
        self.closed = False

    async def close(self, *, closed: bool) -> bool:
        self.closed = closed
        return True


class Bedroom:
    """A room in which somebody falls, with what it says and tells."""

    def __init__(self, folder: Path, plan: RoomPlan | None = None) -> None:
        self.stage = Stage()
        (folder / ZONES_FILE).write_text(json.dumps(self.stage.room.zones), encoding="utf-8")
        self.clock = FakeClock()
        self.clock.elapsed = 0.0  # as on the stage: no clock goes back
        keyring = Keyring.open(folder / "device.key")
        self.outboxes: Outboxes = open_outboxes(
            folder / "outbox.db", "site", "node", self.clock, limit_bytes=10**7, keyring=keyring
        )
        files = RoomFiles(
            folder,
            {},
            plan or RoomPlan(),
            frozenset(),
            SavedConversation(folder / "conversation.json", keyring),
            self.outboxes,
        )
        self.room = Room(
            NodeSettings(state_dir=folder),
            files,
            clock=RoomClock(self.clock),
            release="1",
            sign=None,
            ears=self._ears,
            eyes=self._eyes,
        )

    def _ears(self, **callbacks: Any) -> Any:
        self.ears = Ears(**callbacks)
        return self.ears

    def _eyes(self, **callbacks: Any) -> Any:
        self.eyes = Eyes(**callbacks)
        return self.eyes

    @property
    def says(self) -> tuple[str, ...]:
        return self.ears.instructions[-1].say

    def falls_told(self) -> list[tuple[str, str]]:
        """Return of whom falls wait to be told, and their stages."""
        waiting = [each for outbox in self.outboxes.each() for each in outbox.pending("alarm", 0, 100)]
        return [
            (each.subject, each.data["stage"])
            for each in waiting
            if DangerSeen.noun_verb in each.type and each.data["kind"] == "fall"
        ]

    async def somebody_falls(self) -> None:
        """Let somebody fall and lie there for as long as the looks of `watch` last."""
        await self.room.on_hub(True)
        somebody = self.stage.somebody("near")
        somebody.walk(self.stage.room.places["mat"])
        somebody.wait(3, "awake")
        self.fell_s = somebody.now
        somebody.take("sideways", 0.8, power=2)
        somebody.wait(40, "hurt")
        self._looks = iter(self.stage.looks(somebody.now))
        await self.watch(self.fell_s + 3)

    async def watch(self, until_s: float) -> None:
        """See what happens up to a second."""
        for look in self._looks:
            assert look.measures is not None
            people = tuple(tuple(round(float(value), 4) for value in person.flatten()) for person in look.people)
            measures = PictureMeasures(
                luma=look.measures.luma,
                contrast=look.measures.contrast,
                motion=look.measures.motion,
                scene=look.measures.scene,
            )
            seen = Seen(at_s=look.at_s, aspect=look.aspect, people=people, measures=measures, looked=True, masks="none")
            self.clock.elapsed = look.at_s
            await self.eyes.on_said(seen)
            if look.at_s >= until_s:
                return

    async def hear(self, words: str) -> None:
        """Hear an answer to what the room asked last."""
        await self.ears.on_said(
            SpeechHeard(
                turn=self.ears.instructions[-1].turn,
                text=words,
                accepted=True,
                confidence=0.95,
                engine="test",
                ended_monotonic_seconds=self.clock.elapsed,
            )
        )
