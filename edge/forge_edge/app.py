"""The node's core and composition root: dialogue, anonymiser, outbox and publisher, and the children it watches.

The core is pure Python and touches no device. Whatever it decides is first committed to the outbox, then saved, then
said.
"""

import asyncio
import contextlib
import signal
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from forge_edge import desired, health, room_files
from forge_edge.anonymiser import Anonymiser
from forge_edge.children import EarsChild
from forge_edge.counterpart import Counterpart
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
from forge_edge.engines import takes_dictation
from forge_edge.enrolment import Renewal, certificate_begins
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
from forge_edge.outbox.outboxes import open_outboxes
from forge_edge.outbox.publisher import BrokerAddress, Publisher
from forge_edge.room_clock import RoomClock
from forge_edge.screen import room as screen_room
from forge_edge.screen.decisions import Outcome, decide, led_by_hand
from forge_edge.screen.light import Night
from forge_edge.screen.memory import ScreenMemory
from forge_edge.screen.shown import Facts, asked
from forge_edge.screen.taps import Ask, Mute, Tap
from forge_edge.settings import NodeSettings, load_credentials
from forge_edge.twin import reported
from forge_shared.clock import SystemClock
from forge_shared.errors import FormInvalidError, FormUnknownError
from forge_shared.events import SessionEnd
from forge_shared.files import owned_folder
from forge_shared.forms.questionnaire import installed, obstacle
from forge_shared.ids import new_id
from forge_shared.logs import get_logger
from forge_shared.sealing import Keyring
from forge_shared.tasks import until_first_failure
from forge_shared.wire import (
    AlertAccepted,
    AlertReopened,
    Command,
    EndSession,
    LanePosition,
    StartSession,
    TwinDesired,
)

TWIN_SECONDS = 10.0
"""How often the node says how it is, beside every change."""
WATCHDOG_SECONDS = 5.0
TICK_SECONDS = 0.5
_UNSAID = frozenset({"sense.changed", "canary.sent"})
"""Alarms that nobody in the room waits for: that one of them does not come through is not said."""
_GUARDED = frozenset({ACCEPTED, CALLING, NO_HUB, NOT_LISTENING, REOPENED, TELLING, UNANSWERED})
"""What concerns somebody's safety: only speech that lasts interrupts it."""

log = get_logger()


class Node:
    """A room node on one state folder. `run` keeps it going until it is told to end.

    Args:
        settings: How the node is run.
        ears_command: The program that hears and speaks; default: the one shipped.
    """

    def __init__(self, settings: NodeSettings, *, ears_command: Sequence[str] | None = None) -> None:
        self._settings = settings
        self._ears_command = ears_command
        self._clock = RoomClock(SystemClock())
        self._version = version("persona-forge-edge")
        self._lock = asyncio.Lock()
        self._hub_online = False
        self._reach = reach.started(self._clock.monotonic_seconds())
        self._hearing: str = "starting"
        self._ears_state = RoomState(state="closed")
        self._screen = ScreenMemory(self._clock)
        self._speaks = False
        self._notices: deque[str] = deque(maxlen=4)
        self._deliveries = Deliveries()
        self._calls: calls.Calls = ()
        self._publisher: Publisher | None = None
        self._home: Home | None = None
        self._at_home = False
        self._session_ends = float("inf")
        self._desired: desired.Held = None
        self._farewell = False
        self._scrub = False

    async def run(self) -> None:
        """Run the node until SIGTERM or SIGINT.

        Raises:
            NodeError: Settings contradict each other or the outbox cannot be opened.
        """
        settings = self._settings
        forms = installed(settings.forms_dir)
        if settings.form not in forms:
            raise FormUnknownError(f"there is no form {settings.form}; installed: {', '.join(sorted(forms))}")
        if (reason := obstacle(forms[settings.form])) is not None:
            raise FormInvalidError(f"the form {settings.form} cannot be offered in a room: {reason}")
        credentials = load_credentials(settings.credentials) if settings.credentials else None
        if credentials is not None:
            self._clock.not_before(certificate_begins(credentials))
        with owned_folder(settings.folder) as folder:
            self._forms, self._own_plan = forms, room_files.room_plan(settings.room_plan)
            keyring = Keyring.open(settings.key_file or folder / "keys" / "device.key")
            self._saved, self._folder = SavedConversation(folder / room_files.CONVERSATION, keyring), folder
            self._names = room_files.known_names(settings.known_names)
            self._renewal = (
                Renewal(settings.credentials, credentials, self._clock)
                if settings.credentials is not None and credentials is not None
                else None
            )
            self._desired = desired.load(folder / "desired.json")
            self._follow_plan()
            self._conversation = self._saved.load().model_copy(update={"speaker": desired.speaker(self._desired)})
            self._use_pseudonym()
            self._scrub = self._desired is not None
            self._outboxes = open_outboxes(
                folder / "outbox.db",
                credentials.site if credentials else "site",
                credentials.node if credentials else "node",
                self._clock,
                limit_bytes=settings.outbox_limit_megabytes * 1_000_000,
                keyring=keyring,
            )
            make = EarsChild.shipped if self._ears_command is None else _ears_of(self._ears_command)
            self._ears = make(folder / "core.sock", on_said=self._on_said, on_gone=self._on_ears_gone)
            await self._ears.deafen(deaf=desired.is_deaf(self._desired))
            await self._ears.mute(muted=self._conversation.muted)
            tasks: list[Coroutine[Any, Any, None]] = [self._listen(), self._tick(), _until_told()]
            if self._renewal is not None and credentials is not None:
                renewal = self._renewal
                self._publisher = Publisher(
                    self._outboxes,
                    BrokerAddress(credentials.host, credentials.port, renewal.context),
                    site=credentials.site,
                    node=credentials.node,
                    version=self._version,
                    version_file=folder / "mqtt-version",
                    clock=self._clock,
                    on_command=self._on_command,
                    on_desired=self._on_desired,
                    on_hub=self._on_hub,
                    on_acknowledged=self._on_acknowledged,
                    on_protocol=Counterpart(folder / "hub-protocol").heard,
                    on_hub_time=self._clock.hub_says,
                )
                self._home = Home(credentials.site, credentials.node)
                self._announce()
                tasks.extend((self._publisher.run(), renewal.run(self._publisher.reconnect)))
            if settings.screen_port is not None:
                from forge_edge.screen.server import serve  # noqa: PLC0415 (9 MB that a room without a screen saves)

                night = Night(settings.screen_night_begins_hour, settings.screen_night_ends_hour)
                shown = screen_room.ScreenRoom(self._screen, self._facts, self._on_tap, night)
                tasks.append(serve(shown, folder, settings.screen_port, settings.wake_words[0].replace("_", " ")))
            try:
                await self._close_interrupted_session()
                log.info("node.started", alone=credentials is None)
                await until_first_failure(*tasks)
            finally:
                self._outboxes.close()
            log.info("node.stopped")

    async def _listen(self) -> None:
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
                        self._report()
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
            self._report()
            return
        self._hearing = said.state
        await self._commit((SenseObserved(sense="hearing", state=said.state, reason=said.reason),))
        if said.reason == "started":
            await self._react(self._dialogue.start(self._conversation))
        self._report()

    async def _on_ears_gone(self) -> None:
        async with self._lock:
            if desired.is_deaf(self._desired):
                return
            self._hearing = "lost"
            await self._commit((SenseObserved(sense="hearing", state="lost", reason="process-died"),))
            self._report()

    async def _react(self, reaction: Reaction, *, touched: Outcome | None = None) -> None:
        """Commit, save, then say: what was observed survives whatever happens next."""
        await self._commit(reaction.observations)
        if reaction.instruction is not None:
            self._screen.said(reaction.instruction.say, self._conversation, reaction.conversation)
        self._conversation = reaction.conversation
        await asyncio.to_thread(self._saved.keep, self._conversation)
        self._notices.extend(reaction.later)
        if reaction.ambience is not None and self._publisher is not None and self._home is not None:
            self._publisher.pass_on(self._home.topic, self._home.command(reaction.ambience))
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
        await self._ears.send(instruction)
        self._report()

    async def _commit(self, observations: Sequence[Observation]) -> None:
        for observation in observations:
            event = self._anonymiser.event_of(observation)
            if event is None:
                continue
            try:
                envelope = await asyncio.to_thread(self._outboxes.append, event)
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

    async def _on_command(self, command: Command) -> None:
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

    async def _on_desired(self, told: TwinDesired) -> None:
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
                await asyncio.to_thread(desired.save, self._folder / "desired.json", told)
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
            self._report()
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
        room_files.forget(self._folder)
        self._conversation = Conversation(turn=before.turn)
        self._scrub = True

    def _follow_plan(self) -> None:
        self._plan = desired.plan(self._desired, self._own_plan)
        self._dialogue = Dialogue(
            self._forms,
            self._settings.form,
            self._plan,
            zone=self._plan.zone or datetime.now().astimezone().tzinfo or UTC,
            dictation=takes_dictation(self._settings),
            screen=self._settings.screen_port is not None,
        )
        self._announce()

    def _announce(self) -> None:
        known, self._at_home = self._at_home, self._plan.ambience
        if self._publisher is not None and self._home is not None and (known or self._plan.ambience):
            self._publisher.announce(self._home.triggers(self._version, wanted=self._plan.ambience))

    def _use_pseudonym(self) -> None:
        subject = self._desired.subject if self._desired is not None else None
        subject = subject or room_files.pseudonym(self._folder)
        sign = self._renewal.sign if self._renewal is not None else None
        self._anonymiser = Anonymiser(subject, self._clock, known_names=self._names, sign=sign)

    async def _end_session(self, reason: SessionEnd) -> None:
        session = self._conversation.session
        if session is None:
            return
        self._session_ends = float("inf")
        await self._commit((SessionClosed(session=session, reason=reason),))
        await self._react(self._dialogue.session(self._conversation, None))

    async def _close_interrupted_session(self) -> None:
        """After a restart nobody can be sure that the room still shows the session: it is off until started again."""
        if self._conversation.session is not None:
            await self._commit((SessionClosed(session=self._conversation.session, reason="restart"),))
            self._conversation = self._conversation.model_copy(update={"session": None})

    async def _on_hub(self, online: bool) -> None:  # noqa: FBT001 (a callback's one argument)
        self._hub_online = online
        self._reach = reach.changed(self._reach, self._clock.monotonic_seconds(), online=online)
        self._screen.changed()

    async def _on_acknowledged(self, position: LanePosition) -> None:
        self._deliveries.acknowledged(position)
        self._screen.acknowledged(position)

    async def _tick(self) -> None:
        """Watch deadlines and limits; say how the node is."""
        next_report = next_watchdog = 0.0
        next_canary = self._clock.monotonic_seconds() + 60 * self._settings.canary_minutes
        health.notify("READY=1")
        while True:
            now = self._clock.monotonic_seconds()
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
            if self._scrub and self._outboxes.state().pending == 0:
                self._scrub = False
                with contextlib.suppress(OutboxError):  # what cannot be written is reported when an event is
                    await asyncio.to_thread(self._outboxes.scrub)
            if self._publisher is not None:
                await self._say_reach(now)
                if now >= next_canary:
                    next_canary = now + 60 * self._settings.canary_minutes
                    async with self._lock:
                        await self._commit((CanaryDue(),))
            if now >= next_report:
                next_report = now + TWIN_SECONDS
                await asyncio.to_thread(self._outboxes.tend)
                self._report()
            if now >= next_watchdog:
                await self._remind()
                next_watchdog = now + WATCHDOG_SECONDS
                health.notify("WATCHDOG=1")
            await asyncio.sleep(TICK_SECONDS)

    async def _remind(self) -> None:
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
            await asyncio.to_thread(self._saved.keep, self._conversation)
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
        return screen_room.facts(
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

    def _report(self) -> None:
        self._screen.changed()
        if self._publisher is None:
            return
        self._publisher.report(
            reported(
                self._conversation,
                hearing=self._hearing,
                speaks=self._speaks,
                told=self._desired,
                version=self._version,
                pending_events=self._outboxes.state().pending,
                troubles=self._outboxes.troubles,
                clock=self._clock,
            )
        )


def _ears_of(command: Sequence[str]) -> Callable[..., EarsChild]:
    def make(socket_path: Path, **callbacks: Any) -> EarsChild:  # noqa: ANN401 (the callbacks of EarsChild)
        return EarsChild(command, socket_path, **callbacks)

    return make


async def _until_told() -> None:
    told = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    await told.wait()
