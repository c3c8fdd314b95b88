"""A room's screen, served as the node serves it, over a room that a test puts into any state."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from tests.fakes.ports import free_port

from forge_edge.dialogue.conversation import Conversation
from forge_edge.forms.touch import View
from forge_edge.messages import SpeechHeard
from forge_edge.screen.light import Night
from forge_edge.screen.memory import ScreenMemory
from forge_edge.screen.room import ScreenRoom
from forge_edge.screen.server import serve
from forge_edge.screen.shown import Facts
from forge_edge.screen.taps import Tap
from forge_shared.clock import SystemClock

EVENING = datetime(2026, 3, 2, 18, 42, tzinfo=UTC)
RESTING = Facts(
    conversation=Conversation(),
    doing="waiting",
    staff="reached",
    form=None,
    now=EVENING,
    audible=True,
    mutable=True,
)


@dataclass
class Bedside:
    """The world a test alters."""

    memory: ScreenMemory
    folder: Path
    port: int
    facts: Facts = RESTING
    taps: list[Tap] = field(default_factory=list)
    answer: Any = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def key(self) -> str:
        return (self.folder / "screen.key").read_text()

    def becomes(self, **facts: Any) -> None:
        self.facts = replace(self.facts, **facts)
        self.memory.changed()

    def asks(self, view: View, **conversation: Any) -> None:
        """Let a question of a form be asked."""
        self.becomes(form=view, conversation=in_form(**conversation))

    def hears(self, text: str, *answer: str) -> None:
        conversation = self.facts.conversation
        self.memory.heard(speech(text, conversation.turn), conversation)
        self.memory.said(answer, conversation, conversation)
        self.memory.changed()

    async def touched(self, tap: Tap) -> None:
        self.taps.append(tap)
        if self.answer is not None:
            await self.answer(tap)


def in_form(**conversation: Any) -> Conversation:
    # What of a form is shown comes from its view; the conversation only tells which response it belongs to.
    return Conversation(activity="form", **conversation)


def speech(text: str, turn: int | None, *, accepted: bool = True) -> SpeechHeard:
    return SpeechHeard(
        turn=turn, text=text, accepted=accepted, confidence=0.9, engine="scripted", ended_monotonic_seconds=0.0
    )


@asynccontextmanager
async def bedside(folder: Path) -> AsyncIterator[Bedside]:
    port = free_port()
    world = Bedside(ScreenMemory(SystemClock()), folder, port)
    room = ScreenRoom(world.memory, lambda: world.facts, world.touched, Night(21, 7))
    serving = asyncio.create_task(serve(room, folder, port, "hey jarvis"))
    try:
        async with asyncio.timeout(10), httpx.AsyncClient(trust_env=False) as client:
            while True:
                with contextlib.suppress(httpx.TransportError):
                    await client.get(world.address)
                    break
                await asyncio.sleep(0.02)
        yield world
    finally:
        serving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await serving
