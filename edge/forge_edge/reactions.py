"""Carries out what was decided in a room: commit first, then save, then say."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from forge_edge.anonymiser import Anonymiser
from forge_edge.danger import Danger
from forge_edge.deliveries import Deliveries
from forge_edge.dialogue import calls, fall_check
from forge_edge.dialogue.conversation import (
    ACCEPTED,
    NO_HUB,
    NOT_LISTENING,
    REOPENED,
    TELLING,
    Conversation,
    Reaction,
)
from forge_edge.dialogue.sentences import CALLING, TELLING_OF_FALL, UNANSWERED
from forge_edge.errors import OutboxError
from forge_edge.messages import Instruction
from forge_edge.observations import Observation, RequestObserved
from forge_edge.outbox.publisher import Publisher
from forge_edge.room_clock import RoomClock
from forge_edge.room_files import RoomFiles
from forge_edge.screen.decisions import Outcome
from forge_edge.screen.memory import ScreenMemory
from forge_edge.stay import Stay
from forge_shared.logs import get_logger
from forge_shared.wire import LanePosition

_UNSAID = frozenset({"sense.changed", "canary.sent"})
"""Alarms that nobody in the room waits for: that one of them does not come through is not said."""
_GUARDED = frozenset({ACCEPTED, CALLING, NO_HUB, NOT_LISTENING, REOPENED, TELLING, TELLING_OF_FALL, UNANSWERED})
"""What concerns somebody's safety: only speech that lasts interrupts it."""

log = get_logger()


class Reactions:
    """What the room has told and said, and what it still owes. Used under the room's lock.

    Args:
        files: What the room has on its disk.
        clock: Its clock.
        stay: Whose room it is.
        screen: What its screen remembers.
        danger: Gets what somebody who may have fallen answered.
        send: Gives the ears an instruction.
        report: Tells the screen and the hub how the room is.

    Attributes:
        conversation: Where the dialogue stands.
        hub_online: Whether the hub is known to be listening.
    """

    def __init__(  # noqa: PLR0913 (the parts of a room, by keyword)
        self,
        files: RoomFiles,
        *,
        clock: RoomClock,
        stay: Stay,
        screen: ScreenMemory,
        danger: Danger,
        send: Callable[[Instruction], Awaitable[bool]],
        report: Callable[[], None],
    ) -> None:
        self._files, self._clock, self._screen, self._danger = files, clock, screen, danger
        self._stay, self._send, self._report = stay, send, report
        self._notices: deque[str] = deque(maxlen=4)
        self._deliveries = Deliveries()
        self._calls: calls.Calls = ()
        self._publisher: Publisher | None = None
        self._wish: Callable[[str], None] = lambda _: None
        self.conversation: Conversation = files.saved.load()
        self.change(speaker=stay.speaker)
        self._scrubs = stay.told is not None
        self.hub_online = False

    def connect(self, publisher: Publisher, wish: Callable[[str], None]) -> None:
        """Send what is committed from now on, and pass on what is wished of light, warmth, music and blinds."""
        self._publisher, self._wish = publisher, wish

    async def react(self, reaction: Reaction, *, touched: Outcome | None = None) -> None:
        """Commit, save, then say: what was observed survives whatever happens next."""
        await self.commit(reaction.observations)
        reaction = await self._judge_answer(reaction)
        if reaction.instruction is not None:
            self._screen.said(reaction.instruction.say, self.conversation, reaction.conversation)
        self.conversation = reaction.conversation
        await self.keep()
        self._notices.extend(reaction.later)
        if reaction.ambience is not None:
            self._wish(reaction.ambience)
        instruction = reaction.instruction
        if instruction is None:
            self._report()
            return
        if touched is not None:
            instruction = instruction.model_copy(update={"say": touched.said(instruction.say), "at_once": True})
        if self._notices:
            instruction = instruction.model_copy(update={"say": (*self._notices, *instruction.say)})
            self._notices.clear()
        if not _GUARDED.isdisjoint(instruction.say):
            instruction = instruction.model_copy(update={"guarded": True})
        await self._send(instruction)
        self._report()

    async def commit(self, observations: Sequence[Observation], *, of: Anonymiser | None = None) -> None:
        """Store what is to be told, before anything else becomes of it.

        Args:
            observations: What was observed, in order.
            of: The stay in which it was; default: the one of now.
        """
        seen_of = of or self._stay.anonymiser
        for observation in observations:
            event = seen_of.event_of(observation)
            if event is None:
                continue
            try:
                envelope = await asyncio.to_thread(self._files.outboxes.append, event)
            except OutboxError as error:
                log.exception("outbox.failed", reason=error.code)
                if seen_of is self._stay.anonymiser:
                    self._notices.append(NO_HUB)
                if isinstance(observation, RequestObserved):
                    self._screen.called(observation.request, None, hub=False)
                continue
            if isinstance(observation, RequestObserved):
                self._screen.called(observation.request, envelope, hub=self.hub_online)
            # Who came meanwhile hears nothing of an alarm of the stay before.
            is_said = seen_of is self._stay.anonymiser and event.data.noun_verb not in _UNSAID
            if event.data.lane == "alarm" and is_said:
                self._deliveries.expect(envelope, self._clock.monotonic_seconds())
                self._calls = calls.made(self._calls, observation, envelope.id, self._clock.monotonic_seconds())
            if self._publisher is not None:
                self._publisher.wake()

    async def _judge_answer(self, reaction: Reaction) -> Reaction:
        """Judge what somebody who may have fallen answered, before anything is said about it."""
        if reaction.after_fall is None:
            return reaction
        judged = self._danger.answered(self._clock.monotonic_seconds(), reaction.after_fall)
        await self.commit(judged.dangers)
        if reaction.after_fall != "well" or judged.takes_back_fall:
            return reaction
        return fall_check.too_late(reaction, hub=self.hub_online)

    async def keep(self) -> None:
        """Save the conversation."""
        await asyncio.to_thread(self._files.saved.keep, self.conversation)

    def change(self, **changes: object) -> None:
        """Change something of the conversation."""
        self.conversation = self.conversation.model_copy(update=changes)

    async def say(self, sentence: str, *, tone: bool = False) -> None:
        """Say something as soon as nobody is in the middle of answering."""
        if self.conversation.activity == "idle":
            dialogue = self._stay.dialogue
            announced = dialogue.announce(self.conversation, (sentence,), tone=tone, repeatable=sentence != ACCEPTED)
            await self.react(announced)
        else:
            self._notices.append(sentence)

    def take_back(self, sentence: str) -> None:
        """Say something not any more that was not said yet."""
        if sentence in self._notices:
            self._notices.remove(sentence)

    def acknowledged(self, position: LanePosition) -> None:
        """Note that the hub has stored everything up to a position."""
        self._deliveries.acknowledged(position)

    def accepted(self, event: str) -> None:
        """Note that a person has taken the alert of an event."""
        self._calls = calls.accepted(self._calls, event)

    def is_alarm_overdue(self, now: float) -> bool:
        """Tell whether an alarm is not coming through; told once."""
        return self._deliveries.are_overdue(now)

    @property
    def awaits_somebody(self) -> bool:
        """Whether an alarm is on its way, or somebody who was called has not come forward."""
        return self._deliveries.are_awaited or bool(self._calls)

    def unanswered(self, now: float) -> Sequence[Observation]:
        """Return the calls that nobody has answered and that are due to be made again."""
        self._calls, due = calls.due(self._calls, now)
        return due

    async def scrub(self) -> None:
        """Wipe what was sent off the disk once nothing waits: after a stay, and at the start where stays are kept."""
        if self._scrubs and self._files.outboxes.state().pending == 0:
            self._scrubs = False
            with contextlib.suppress(OutboxError):  # what cannot be written is reported when an event is
                await asyncio.to_thread(self._files.outboxes.scrub)

    def forget(self) -> None:
        """Forget the person of a stay that ended."""
        self._notices.clear()
        self._calls = ()
        self._scrubs = True
        self.conversation = Conversation(turn=self.conversation.turn)
