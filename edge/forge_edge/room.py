"""The room's state, and what becomes of everything that is heard, touched, ordered or due.

Whatever is decided is first committed to the outbox, then saved, then said. Decisions are made in `dialogue` and
`screen.decisions`; nothing here waits for anything but the disk and the ears.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from forge_edge import desired, room_files
from forge_edge.anonymiser import Anonymiser, Sign
from forge_edge.children import EarsChild
from forge_edge.deliveries import Deliveries
from forge_edge.dialogue import calls, crisis, reach, reminders, reminding
from forge_edge.dialogue.conversation import (
    ACCEPTED,
    NO_HUB,
    NOT_LISTENING,
    REOPENED,
    TELLING,
    Conversation,
    Dialogue,
    Reaction,
)
from forge_edge.dialogue.saved import SavedConversation
from forge_edge.dialogue.sentences import CALLING, UNANSWERED
from forge_edge.errors import OutboxError
from forge_edge.forms.touch import Pause
from forge_edge.home import Home
from forge_edge.messages import Hearing, NothingHeard, RoomState, Said, SpeechHeard, WakeHeard
from forge_edge.observations import (
    CanaryDue,
    Observation,
    RequestObserved,
    RiskReviewObserved,
    SenseObserved,
    SessionClosed,
    SessionOpened,
)
from forge_edge.outbox.outboxes import Outboxes
from forge_edge.outbox.publisher import Publisher
from forge_edge.room_clock import RoomClock
from forge_edge.screen.decisions import Outcome, decide, led_by_hand
from forge_edge.screen.light import Night
from forge_edge.screen.memory import ScreenMemory
from forge_edge.screen.room import ScreenRoom, facts
from forge_edge.screen.shown import Facts, asked
from forge_edge.screen.taps import Ask, Mute, Tap
from forge_edge.settings import NodeSettings
from forge_edge.twin import reported
from forge_shared.events import SessionEnd
from forge_shared.forms.questionnaire import Questionnaire
from forge_shared.ids import new_id
from forge_shared.logs import get_logger
from forge_shared.plan import RoomPlan
from forge_shared.wire import (
    AlertAccepted,
    AlertReopened,
    Command,
    EndSession,
    LanePosition,
    StartSession,
    TwinDesired,
)

_UNSAID = frozenset({"sense.changed", "canary.sent"})
"""Alarms that nobody in the room waits for: that one of them does not come through is not said."""
_GUARDED = frozenset({ACCEPTED, CALLING, NO_HUB, NOT_LISTENING, REOPENED, TELLING, UNANSWERED})
"""What concerns somebody's safety: only speech that lasts interrupts it."""

log = get_logger()


@dataclass(frozen=True, slots=True)
class RoomFiles:
    """What a room has on its disk.

    Attributes:
        folder: Its state folder.
        forms: The installed forms, by name.
        plan: The room's own plan.
        names: Names that are known to be said here.
        saved: The conversation as it was last kept.
        outboxes: What waits to be sent.
    """

    folder: Path
    forms: Mapping[str, Questionnaire]
    plan: RoomPlan
    names: frozenset[str]
    saved: SavedConversation
    outboxes: Outboxes


class Room:
    """A room. Its callbacks may be called at any time; what changes the conversation is done one at a time.

    Args:
        settings: How the node is run.
        files: What it has on its disk.
        clock: The room's clock.
        release: The node's version.
        sign: Signs what a person signs in a form with the node's key; None without one.
        ears: Makes the child that hears and speaks, given what to do with what it says and with its end.
    """

    def __init__(  # noqa: PLR0913 (the parts of a room, by keyword)
        self,
        settings: NodeSettings,
        files: RoomFiles,
        *,
        clock: RoomClock,
        release: str,
        sign: Sign | None,
        ears: Callable[..., EarsChild],
    ) -> None:
        self._settings, self._files, self._clock = settings, files, clock
        self._release, self._sign = release, sign
        self._lock = asyncio.Lock()
        self._hub_online = False
        self._reach = reach.started(clock.monotonic_seconds())
        self._hearing: str = "starting"
        self._ears_state = RoomState(state="closed")
        self._screen = ScreenMemory(clock)
        self._speaks = False
        self._notices: deque[str] = deque(maxlen=4)
        self._deliveries = Deliveries()
        self._calls: calls.Calls = ()
        self._publisher: Publisher | None = None
        self._home: Home | None = None
        self._at_home = False
        self._session_ends = float("inf")
        self._farewell = False
        self._desired: desired.Held = desired.load(files.folder / "desired.json")
        self._scrub = self._desired is not None
        self._follow_plan()
        self._conversation = files.saved.load().model_copy(update={"speaker": desired.speaker(self._desired)})
        self._use_pseudonym()
        self._ears = ears(on_said=self._on_said, on_gone=self._on_ears_gone)

    async def prepare(self) -> None:
        """Be as the room was left: deaf or muted."""
        await self._ears.deafen(deaf=desired.is_deaf(self._desired))
        await self._ears.mute(muted=self._conversation.muted)

    def connect(self, publisher: Publisher, home: Home) -> None:
        """Send what happens from now on, and tell Home Assistant what it may be told."""
        self._publisher, self._home = publisher, home
        self._announce()

    def shown(self, night: Night) -> ScreenRoom:
        """Return the room as its screen sees it."""
        return ScreenRoom(self._screen, self._facts, self._on_tap, night)

    async def listen(self) -> None:
        """Listen once what is said can be judged at once; what waits in the outbox is sent meanwhile."""
        await asyncio.to_thread(crisis.prepare)
        await self._ears.run()

    async def _on_said(self, said: Said) -> None:
        async with self._lock:
            if desired.is_deaf(self._desired) and not (isinstance(said, Hearing) and said.state == "closed"):
                return  # what ears had still said before they were closed
            match said:
                case Hearing():
                    await self._on_hearing(said)
                case RoomState():
                    self._ears_state = said
                    self._screen.changed()
                    if self._speaks != (said.state == "speaking"):
                        self._speaks = not self._speaks
                        self.report()
                case WakeHeard():
                    await self._react(self._dialogue.wake(self._conversation, said))
                case SpeechHeard():
                    self._screen.heard(said, self._conversation)
                    reaction = self._dialogue.speech(
                        self._conversation, said, now=self._clock.now(), new_id=new_id(), hub=self._hub_online
                    )
                    await self._react(reaction)
                case NothingHeard():
                    await self._react(self._dialogue.nothing(self._conversation, said))

    async def _on_hearing(self, said: Hearing) -> None:
        if said.reason == "consent-withdrawn":
            await self._close_hearing()
            if self._farewell:
                self._farewell = False
                await self._say(NOT_LISTENING)
            self.report()
            return
        self._hearing = said.state
        await self._commit((SenseObserved(sense="hearing", state=said.state, reason=said.reason),))
        if said.reason == "started":
            await self._react(self._dialogue.start(self._conversation))
        self.report()

    async def _on_ears_gone(self) -> None:
        async with self._lock:
            if desired.is_deaf(self._desired):
                return
            self._hearing = "lost"
            await self._commit((SenseObserved(sense="hearing", state="lost", reason="process-died"),))
            self.report()

    async def _react(self, reaction: Reaction, *, touched: Outcome | None = None) -> None:
        """Commit, save, then say: what was observed survives whatever happens next."""
        await self._commit(reaction.observations)
        if reaction.instruction is not None:
            self._screen.said(reaction.instruction.say, self._conversation, reaction.conversation)
        self._conversation = reaction.conversation
        await asyncio.to_thread(self._files.saved.keep, self._conversation)
        self._notices.extend(reaction.later)
        if reaction.ambience is not None and self._publisher is not None and self._home is not None:
            self._publisher.pass_on(self._home.topic, self._home.command(reaction.ambience))
        instruction = reaction.instruction
        if instruction is None:
            self.report()
            return
        if touched is not None:
            instruction = instruction.model_copy(update={"say": touched.said(instruction.say), "at_once": True})
        if self._notices:
            instruction = instruction.model_copy(update={"say": (*self._notices, *instruction.say)})
            self._notices.clear()
        if not _GUARDED.isdisjoint(instruction.say):
            instruction = instruction.model_copy(update={"guarded": True})
        await self._ears.send(instruction)
        self.report()

    async def _commit(self, observations: Sequence[Observation]) -> None:
        for observation in observations:
            event = self._anonymiser.event_of(observation)
            if event is None:
                continue
            try:
                envelope = await asyncio.to_thread(self._files.outboxes.append, event)
            except OutboxError as error:
                log.exception("outbox.failed", reason=error.code)
                self._notices.append(NO_HUB)
                if isinstance(observation, RequestObserved):
                    self._screen.called(observation.request, None, hub=False)
                continue
            if isinstance(observation, RequestObserved):
                self._screen.called(observation.request, envelope, hub=self._hub_online)
            if event.data.lane == "alarm" and event.data.noun_verb not in _UNSAID:
                self._deliveries.expect(envelope, self._clock.monotonic_seconds())
                self._calls = calls.made(self._calls, observation, envelope.id, self._clock.monotonic_seconds())
            if self._publisher is not None:
                self._publisher.wake()

    async def on_command(self, command: Command) -> None:
        """Do what the hub orders; what is not allowed, or is of another session, has no effect."""
        async with self._lock:
            match command:
                case StartSession() if not desired.may_record(self._desired):
                    log.warning("session.refused", reason="no-consent")
                case StartSession():
                    await self._commit((SessionOpened(session=command.session, consent=command.consent),))
                    self._session_ends = self._clock.monotonic_seconds() + 60 * command.limit_minutes
                    await self._react(self._dialogue.session(self._conversation, command.session))
                case EndSession() if command.session == self._conversation.session:
                    await self._end_session("asked")
                case AlertAccepted():
                    self._screen.accepted(command.event)
                    self._calls = calls.accepted(self._calls, command.event)
                    await self._say(ACCEPTED)
                case AlertReopened():
                    self._screen.reopened(command.event)
                    if ACCEPTED in self._notices:  # a promise that was not spoken yet is not spoken any more
                        self._notices.remove(ACCEPTED)
                    await self._say(REOPENED)
                case _:
                    log.info("command.without-effect", command=command.name)

    async def on_desired(self, told: TwinDesired) -> None:
        """Be as the hub wants: what must stop stops first, then what was known of someone who left is forgotten."""
        async with self._lock:
            held = self._desired
            if not desired.is_news(held, told):
                return
            self._desired = told
            if desired.is_deaf(told):
                await self._deafen(farewell=not desired.is_deaf(held))
            ended = desired.ends_stay(held, told)
            if ended:
                await self._forget()
            elif not desired.may_record(told):
                await self._end_session("consent-withdrawn")
            try:
                await asyncio.to_thread(desired.save, self._files.folder / "desired.json", told)
            except OSError:
                # It holds until the next start, and the broker repeats it then.
                log.exception("twin.not-saved")
            if ended:
                self._use_pseudonym()
            self._conversation = self._conversation.model_copy(update={"speaker": desired.speaker(told)})
            self._follow_plan()
            if desired.is_deaf(held) and not desired.is_deaf(told):
                self._hearing, self._farewell = "starting", False
                await self._ears.deafen(deaf=False)
            if ended or desired.is_deaf(told):
                await self._react(self._dialogue.announce(self._conversation, ()))
            self.report()
            log.info("twin.applied", revision=told.revision)

    async def _deafen(self, *, farewell: bool) -> None:
        self._farewell = self._farewell or farewell
        if await self._ears.deafen(deaf=True):
            await self._close_hearing()

    async def _close_hearing(self) -> None:
        if self._hearing != "closed":
            self._hearing = "closed"
            await self._commit((SenseObserved(sense="hearing", state="closed", reason="consent-withdrawn"),))

    async def _forget(self) -> None:
        """Forget the person of a stay that ended. What waits in the outbox is anonymous and goes on its way."""
        before = self._conversation
        if before.session is not None:
            self._session_ends = float("inf")
            await self._commit((SessionClosed(session=before.session, reason="stay-ended"),))
        if before.interview is not None and before.interview.risk_key is not None:
            await self._commit((RiskReviewObserved(key=before.interview.risk_key, outcome="not-reviewed"),))
        self._notices.clear()
        self._screen.forget()
        await self._ears.mute(muted=False)
        self._calls = ()
        room_files.forget(self._files.folder)
        self._conversation = Conversation(turn=before.turn)
        self._scrub = True

    def _follow_plan(self) -> None:
        self._plan = desired.plan(self._desired, self._files.plan)
        self._dialogue = Dialogue(
            self._files.forms,
            self._settings.form,
            self._plan,
            zone=self._plan.zone or datetime.now().astimezone().tzinfo or UTC,
            dictation=self._settings.takes_dictation,
            screen=self._settings.screen_port is not None,
        )
        self._announce()

    def _announce(self) -> None:
        known, self._at_home = self._at_home, self._plan.ambience
        if self._publisher is not None and self._home is not None and (known or self._plan.ambience):
            self._publisher.announce(self._home.triggers(self._release, wanted=self._plan.ambience))

    def _use_pseudonym(self) -> None:
        subject = self._desired.subject if self._desired is not None else None
        subject = subject or room_files.pseudonym(self._files.folder)
        self._anonymiser = Anonymiser(subject, self._clock, known_names=self._files.names, sign=self._sign)

    async def _end_session(self, reason: SessionEnd) -> None:
        session = self._conversation.session
        if session is None:
            return
        self._session_ends = float("inf")
        await self._commit((SessionClosed(session=session, reason=reason),))
        await self._react(self._dialogue.session(self._conversation, None))

    async def close_interrupted_session(self) -> None:
        """After a restart nobody can be sure that the room still shows the session: it is off until started again."""
        if self._conversation.session is not None:
            await self._commit((SessionClosed(session=self._conversation.session, reason="restart"),))
            self._conversation = self._conversation.model_copy(update={"session": None})

    async def on_hub(self, online: bool) -> None:  # noqa: FBT001 (a callback's one argument)
        """Know whether the hub is listening."""
        self._hub_online = online
        self._reach = reach.changed(self._reach, self._clock.monotonic_seconds(), online=online)
        self._screen.changed()

    async def on_acknowledged(self, position: LanePosition) -> None:
        """Know that the hub has stored everything up to a position."""
        self._deliveries.acknowledged(position)
        self._screen.acknowledged(position)

    async def look_after(self, now: float) -> None:
        """Do what is due: what was promised and has not come, and what has gone on for long enough."""
        if self._deliveries.are_overdue(now):
            log.warning("alarm.undelivered")
            self._screen.overdue()
            async with self._lock:
                await self._say(NO_HUB)
        if self._screen.is_form_left(now):
            await self._leave_form()
        await self._ask_again(now)
        if now > self._session_ends:
            async with self._lock:
                await self._end_session("time-limit")
        if self._scrub and self._files.outboxes.state().pending == 0:
            self._scrub = False
            with contextlib.suppress(OutboxError):  # what cannot be written is reported when an event is
                await asyncio.to_thread(self._files.outboxes.scrub)
        if self._publisher is not None:
            await self._say_reach(now)

    async def prove_alarms(self) -> None:
        """Send the alarm that proves that another one would come through; without a hub there is nothing to prove."""
        if self._publisher is None:
            return
        async with self._lock:
            await self._commit((CanaryDue(),))

    async def remind(self) -> None:
        """Say what the room's plan asks for now."""
        async with self._lock:
            deaf = desired.is_deaf(self._desired)
            reaction = reminding.tick(self._conversation, self._plan, now=self._clock.now(), deaf=deaf)
            if reaction is not None:
                await self._react(reaction)

    async def _ask_again(self, now: float) -> None:
        """Make the calls again that nobody has answered, and say so. That a hub is gone is said elsewhere."""
        if not self._hub_online:
            return
        async with self._lock:
            self._calls, unanswered = calls.due(self._calls, now)
            if unanswered:
                log.warning("call.unanswered", calls=len(unanswered))
                await self._commit(unanswered)
                await self._say(UNANSWERED)

    async def _say_reach(self, now: float) -> None:
        if reminders.is_quiet(self._plan, self._clock.now()):
            return  # who calls is told that nobody is there; if it lasts, everyone is when it is quiet no more
        self._reach, sentence = reach.due(self._reach, now)
        if sentence is not None:
            log.info("hub.reach", gone=self._reach.said_gone)
            async with self._lock:
                await self._say(sentence, tone=self._reach.said_gone)

    async def _say(self, sentence: str, *, tone: bool = False) -> None:
        """Say something as soon as nobody is in the middle of answering."""
        if self._conversation.activity == "idle":
            await self._react(
                self._dialogue.announce(self._conversation, (sentence,), tone=tone, repeatable=sentence != ACCEPTED)
            )
        else:
            self._notices.append(sentence)

    async def _on_tap(self, tap: Tap) -> None:
        """Do what was touched on the screen; what the ears hear meanwhile is of an old turn and leads to nothing."""
        async with self._lock:
            if isinstance(tap, Ask) and self._screen.repeats_call(tap.request):
                return
            outcome = decide(
                self._dialogue,
                self._conversation,
                tap,
                asked(self._facts()),
                now=self._clock.now(),
                new_id=new_id(),
                hub=self._hub_online,
            )
            self._conversation = outcome.conversation
            self._screen.tapped(outcome)
            if outcome.reaction is not None:
                await self._react(outcome.reaction, touched=outcome)
                return
            await asyncio.to_thread(self._files.saved.keep, self._conversation)
            if isinstance(tap, Mute):
                await self._ears.mute(muted=tap.muted)

    async def _leave_form(self) -> None:
        """Nobody touches the form any more: it waits, and what was left open at a risk item is an alarm."""
        async with self._lock:
            if self._conversation.activity not in ("idle", "form"):
                return  # somebody speaks with the room: it is asked again when that is over
            self._screen.leave_form()
            if led_by_hand(self._conversation):
                await self._react(self._dialogue.forms.touched(self._conversation, Pause(), now=self._clock.now()))

    def _facts(self) -> Facts:
        return facts(
            self._conversation,
            self._dialogue,
            self._screen,
            self._ears_state,
            hearing=self._hearing,
            deaf=desired.is_deaf(self._desired),
            staff="alone" if self._publisher is None else "reached" if self._hub_online else "gone",
            now=None if self._clock.is_wrong else self._clock.now().astimezone(),
            by_word=self._plan.agreed_word is not None,
        )

    def report(self) -> None:
        """Tell the screen and the hub how the room is."""
        self._screen.changed()
        if self._publisher is None:
            return
        self._publisher.report(
            reported(
                self._conversation,
                hearing=self._hearing,
                speaks=self._speaks,
                told=self._desired,
                version=self._release,
                pending_events=self._files.outboxes.state().pending,
                troubles=self._files.outboxes.troubles,
                clock=self._clock,
            )
        )
