"""The room's hearing: what the ears say, whether they hear, and what follows from it. The core's side of the ears."""

import asyncio
from collections import deque
from collections.abc import Callable

from forge_edge.children import EarsChild
from forge_edge.dialogue import crisis
from forge_edge.dialogue.conversation import NOT_LISTENING
from forge_edge.messages import Hearing, Instruction, NothingHeard, RoomState, Said, SpeechHeard, WakeHeard
from forge_edge.observations import SenseObserved
from forge_edge.reactions import Reactions
from forge_edge.room_clock import RoomClock
from forge_edge.screen.memory import ScreenMemory
from forge_edge.stay import Stay
from forge_shared.ids import new_id

MOST_TIMES = 200
"""Of the newest utterances whose time is kept: some days of a room. Ours."""


class Listening:
    """What the room knows of its ears. Runs on the event loop.

    Args:
        ears: Makes the child that hears and speaks.
        stay: Whether anybody may be listened to, and how they are answered.
        reactions: Carries out what is decided.
        screen: Shows what was heard.
        clock: The room's clock.
        lock: Held while anything changes the conversation.
        report: Tells the screen and the hub how the room is.

    Attributes:
        hearing: ``starting``, ``ok``, ``lost`` or ``closed``.
        state: What the ears said last of what they do.
        speaks: Whether the room is speaking.
        took_ms: How long the newest utterances took to transcribe.
        faults: How often the ears ended by themselves while they heard, since they were started anew.
    """

    def __init__(  # noqa: PLR0913 (the parts of a room, by keyword)
        self,
        ears: Callable[..., EarsChild],
        *,
        stay: Stay,
        reactions: Reactions,
        screen: ScreenMemory,
        clock: RoomClock,
        lock: asyncio.Lock,
        report: Callable[[], None],
    ) -> None:
        self._stay, self._reactions, self._screen, self._clock = stay, reactions, screen, clock
        self._lock, self._report = lock, report
        self._farewell = False
        self.hearing: str = "starting"
        self.state = RoomState(state="closed")
        self.speaks = False
        self.took_ms: deque[float] = deque(maxlen=MOST_TIMES)
        self.faults = 0
        self._ears = ears(on_said=self._on_said, on_gone=self._on_gone)

    async def run(self) -> None:
        """Listen once what is said can be judged at once; what waits in the outbox is sent meanwhile."""
        await asyncio.to_thread(crisis.prepare)
        await self._ears.run()

    async def send(self, instruction: Instruction) -> bool:
        """Give the ears an instruction; False when there are none at the moment."""
        return await self._ears.send(instruction)

    async def mute(self, *, muted: bool) -> None:
        """Let the ears keep nothing of what the microphone delivers, or hear again."""
        await self._ears.mute(muted=muted)

    async def begin(self, *, muted: bool) -> None:
        """Be as the room was left."""
        await self.tune()
        await self._ears.deafen(deaf=self._stay.is_deaf)
        await self.mute(muted=muted)

    async def close(self, *, farewell: bool) -> None:
        """Hear nobody from now on, and say so once where there is a farewell."""
        self._farewell = self._farewell or farewell
        if await self._ears.deafen(deaf=True):
            await self._closed()

    async def open(self) -> None:
        """Hear again."""
        self.hearing, self._farewell = "starting", False
        await self._ears.deafen(deaf=False)

    async def tune(self) -> None:
        """Speak and wake as what is set for the room has it: other ears, where they were other."""
        plan = self._stay.plan
        tuned = await self._ears.tune(words_per_minute=plan.words_per_minute, wake_threshold=plan.wake_threshold)
        if tuned and not self._stay.is_deaf:
            self.hearing = "starting"

    @property
    def pid(self) -> int | None:
        """The ears' process; None: there is none."""
        return self._ears.pid

    async def start_anew(self) -> None:
        """Let another process be the ears: what it reads from the disk may have changed."""
        self.took_ms.clear()
        self.faults = 0
        if not self._stay.is_deaf:
            self.hearing = "starting"
        await self._ears.restart()

    async def _on_said(self, said: Said) -> None:
        async with self._lock:
            if self._stay.is_deaf and not (isinstance(said, Hearing) and said.state == "closed"):
                return  # what ears had still said before they were closed
            dialogue, reactions = self._stay.dialogue, self._reactions
            before = reactions.conversation
            match said:
                case Hearing():
                    await self._on_hearing(said)
                case RoomState():
                    self.state = said
                    self._screen.changed()
                    if self.speaks != (said.state == "speaking"):
                        self.speaks = not self.speaks
                        self._report()
                case WakeHeard():
                    await reactions.react(dialogue.wake(before, said))
                case SpeechHeard():
                    self._screen.heard(said, before)
                    if said.took_ms > 0:
                        self.took_ms.append(said.took_ms)
                    now = self._clock.now()
                    await reactions.react(
                        dialogue.speech(before, said, now=now, new_id=new_id(), hub=reactions.hub_online)
                    )
                case NothingHeard():
                    await reactions.react(dialogue.nothing(before, said, hub=reactions.hub_online))

    async def _on_hearing(self, said: Hearing) -> None:
        if said.reason == "consent-withdrawn":
            await self._closed()
            if self._farewell:
                self._farewell = False
                await self._reactions.say(NOT_LISTENING)
            self._report()
            return
        self.hearing = said.state
        await self._reactions.commit((SenseObserved(sense="hearing", state=said.state, reason=said.reason),))
        if said.reason == "started":
            await self._reactions.react(self._stay.dialogue.start(self._reactions.conversation))
        self._report()

    async def _on_gone(self) -> None:
        async with self._lock:
            if self._stay.is_deaf:
                return
            self.faults += self.hearing != "lost"
            self.hearing = "lost"
            await self._reactions.commit((SenseObserved(sense="hearing", state="lost", reason="process-died"),))
            self._report()

    async def _closed(self) -> None:
        if self.hearing != "closed":
            self.hearing = "closed"
            await self._reactions.commit((SenseObserved(sense="hearing", state="closed", reason="consent-withdrawn"),))
