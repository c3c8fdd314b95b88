"""The room's state, and what becomes of everything that is heard, touched, ordered or due.

Whatever is decided is carried out by `reactions`. Decisions are made in `dialogue` and `screen.decisions`; nothing here
waits for anything but the disk, the ears and the eyes.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from forge_edge import desired
from forge_edge.anonymiser import Sign
from forge_edge.at_home import AtHome
from forge_edge.at_screen import AtScreen
from forge_edge.children import EarsChild, EyesChild
from forge_edge.danger import Danger
from forge_edge.device.health import MachineWatch
from forge_edge.dialogue import fall_check, reach, reminders, reminding
from forge_edge.dialogue.conversation import ACCEPTED, NO_HUB, REOPENED, Conversation
from forge_edge.dialogue.sentences import UNANSWERED
from forge_edge.home.device import HomeDevice
from forge_edge.judgement import Judged
from forge_edge.listening import Listening
from forge_edge.messages import Instruction
from forge_edge.monitor.looks import Look
from forge_edge.observations import CanaryDue, RiskReviewObserved, SenseObserved, SessionClosed, SessionOpened
from forge_edge.outbox.publisher import Publisher
from forge_edge.reactions import Reactions
from forge_edge.room_clock import RoomClock
from forge_edge.room_files import RoomFiles
from forge_edge.room_updates import RoomUpdates
from forge_edge.screen.light import Night
from forge_edge.screen.memory import ScreenMemory
from forge_edge.screen.room import ScreenRoom
from forge_edge.settings import NodeSettings
from forge_edge.stay import Stay
from forge_edge.twin import reported
from forge_edge.watching import Watching
from forge_shared.events import SessionEnd
from forge_shared.logs import get_logger
from forge_shared.plan import Watch
from forge_shared.wire import (
    AlertAccepted,
    AlertReopened,
    Command,
    EndSession,
    LanePosition,
    RoomTrouble,
    StartSession,
    TwinDesired,
)

ToldTroubles = Callable[[tuple[RoomTrouble, ...]], tuple[RoomTrouble, ...]]
"""Returns which troubles the hub is told, by those of the room's own machine."""

log = get_logger()


class Room:
    """A room. Its callbacks may be called at any time; what changes the conversation is done one at a time.

    Args:
        settings: How the node is run.
        files: What it has on its disk.
        clock: The room's clock.
        release: The node's version.
        sign: Signs what a person signs in a form with the node's key; None without one.
        ears: Makes the child that hears and speaks, given what to do with what it says and with its end.
        eyes: The same for the child that sees; None: the room has no camera.
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
        eyes: Callable[..., EyesChild] | None = None,
    ) -> None:
        self._settings, self._files, self._clock, self._release = settings, files, clock, release
        self._lock, self._machine = asyncio.Lock(), MachineWatch()
        self._reach = reach.started(clock.monotonic_seconds())
        self._screen = ScreenMemory(clock)
        self._publisher: Publisher | None = None
        self._troubles: ToldTroubles = tuple
        self._session_ends = float("inf")
        self._stay = Stay(settings, files, clock, sign)
        self._danger = Danger(files.folder, lambda: self.watching.masks)
        self._reactions = Reactions(
            files,
            clock=clock,
            stay=self._stay,
            screen=self._screen,
            danger=self._danger,
            send=self._send,
            report=self.report,
        )
        self.listening = Listening(
            ears,
            stay=self._stay,
            reactions=self._reactions,
            screen=self._screen,
            clock=clock,
            lock=self._lock,
            report=self.report,
        )
        self.watching = Watching(
            eyes, observe=self._on_sight, clock=clock, zone=lambda: self._stay.plan.zone, on_look=self._on_look
        )
        self.at_home = AtHome(
            files,
            clock=clock,
            lock=self._lock,
            stay=self._stay,
            danger=self._danger,
            reactions=self._reactions,
            screen=self._screen,
            listening=self.listening,
            watching=self.watching,
        )
        self._at_screen = AtScreen(
            settings,
            clock=clock,
            lock=self._lock,
            stay=self._stay,
            reactions=self._reactions,
            screen=self._screen,
            listening=self.listening,
            watching=self.watching,
        )
        self._follow_plan()

        heard_and_seen = self.listening, self.watching
        self.updates = RoomUpdates(
            settings, self._lock, self._reactions, self._danger, self._screen, *heard_and_seen, self.report
        )

    async def prepare(self) -> None:
        """Be as the room was left: deaf or muted, its eyes closed."""
        closed = await self.at_home.let_watch(agreed=self._stay.may_watch())
        if self._stay.told is not None:  # else nobody has withdrawn anything yet
            await self._reactions.commit(closed)
        await self.listening.begin(muted=self._conversation.muted)

    @property
    def is_told(self) -> bool:
        """Whether the node knows how the hub wants it to be."""
        return self._stay.told is not None and self._stay.told.revision > 0

    def connect(self, publisher: Publisher, device: HomeDevice, troubles: ToldTroubles = tuple) -> None:
        """Send what happens from now on, and tell Home Assistant what it may be told.

        Args:
            publisher: Sends it.
            device: What the room is to Home Assistant.
            troubles: Returns what the hub is told, by what is wrong with the machine.
        """
        self._publisher, self._troubles = publisher, troubles
        self._at_screen.is_alone = False
        self._reactions.connect(publisher, self.at_home.wish)
        if self._settings.home_assistant:
            self.at_home.connect(publisher.home, device)

    def shown(self, night: Night) -> ScreenRoom:
        """Return the room as its screen sees it."""
        return self._at_screen.shown(night)

    async def _send(self, instruction: Instruction) -> bool:
        return await self.listening.send(instruction)

    @property
    def _conversation(self) -> Conversation:
        return self._reactions.conversation

    async def _on_sight(self, observed: SenseObserved) -> None:
        async with self._lock:
            await self._reactions.commit((observed,))
            self.report()

    async def _on_look(self, look: Look) -> None:
        await self._judge(self._danger.see(look))
        if not self._danger.has_forgotten(look):
            self.at_home.looked(look)

    async def _judge(self, judged: Judged) -> None:
        """Tell what was judged, of the stay in which it was seen; who came meanwhile is not asked about it."""
        seen_of = self._stay.anonymiser
        if judged.sight is not None:
            await self.watching.see(None if judged.sight == "seeing" else judged.sight)
        if not judged.dangers:
            return
        async with self._lock:
            await self._reactions.commit(judged.dangers, of=seen_of)
            if seen_of is not self._stay.anonymiser:
                return
            if judged.asks and not self._stay.is_deaf:
                await self._reactions.react(fall_check.asked(self._conversation))
            elif self._conversation.activity == "fall" and judged.takes_back_fall:
                await self._reactions.react(fall_check.got_up(self._conversation))

    async def on_command(self, command: Command) -> None:
        """Do what the hub orders, once it is begun to its end: a connection that breaks leaves it not half done."""
        await _to_the_end(self._obey(command))

    async def _obey(self, command: Command) -> None:
        """What is not allowed, or is of another session, has no effect."""
        async with self._lock:
            match command:
                case StartSession() if not self._stay.may_record:
                    log.warning("session.refused", reason="no-consent")
                case StartSession():
                    await self._reactions.commit((SessionOpened(session=command.session, consent=command.consent),))
                    self._session_ends = self._clock.monotonic_seconds() + 60 * command.limit_minutes
                    await self._reactions.react(self._stay.dialogue.session(self._conversation, command.session))
                case EndSession() if command.session == self._conversation.session:
                    await self._end_session("asked")
                case AlertAccepted():
                    self._screen.accepted(command.event)
                    self._reactions.accepted(command.event)
                    await self._reactions.say(ACCEPTED)
                case AlertReopened():
                    self._screen.reopened(command.event)
                    self._reactions.take_back(ACCEPTED)  # a promise that was not spoken yet is not spoken any more
                    await self._reactions.say(REOPENED)
                case _:
                    log.info("command.without-effect", command=command.name)

    async def on_desired(self, told: TwinDesired) -> None:
        """Be as the hub wants; a connection that breaks meanwhile does not leave it half done."""
        await _to_the_end(self._become(told))

    async def _become(self, told: TwinDesired) -> None:
        """What must stop stops first, then what was known of someone who left is forgotten."""
        async with self._lock:
            held = self._stay.told
            if not desired.is_news(held, told):
                return
            self._stay.told = told
            await self._reactions.commit(await self.at_home.let_watch(agreed=desired.may_watch(told, of_site=True)))
            if desired.is_deaf(told):
                await self.listening.close(farewell=not desired.is_deaf(held))
            ended = desired.ends_stay(held, told)
            if ended:
                await self._forget()
                self._stay.use_pseudonym()  # at once: what is seen from now on is of whoever is there now
            elif not desired.may_record(told):
                await self._end_session("consent-withdrawn")
            await self._stay.save(told)
            self._reactions.change(speaker=desired.speaker(told))
            self._stay.follow_plan()
            self._follow_plan()
            await self.listening.tune()
            if desired.is_deaf(held) and not desired.is_deaf(told):
                await self.listening.open()
            if ended or desired.is_deaf(told):
                await self._reactions.react(self._stay.dialogue.announce(self._conversation, ()))
            self.report()
            self.updates.told(told.releases)
            log.info("twin.applied", revision=told.revision)

    async def _forget(self) -> None:
        """Forget the person of a stay that ended. What waits in the outbox is anonymous and goes on its way."""
        before = self._conversation
        if before.session is not None:
            self._session_ends = float("inf")
            await self._reactions.commit((SessionClosed(session=before.session, reason="stay-ended"),))
        if before.interview is not None and before.interview.risk_key is not None:
            await self._reactions.commit((RiskReviewObserved(key=before.interview.risk_key, outcome="not-reviewed"),))
        self._screen.forget()
        await self.listening.mute(muted=False)
        self._stay.forget()
        self._reactions.forget()
        self._danger.forget(self._clock.monotonic_seconds())
        self.at_home.forget()

    def _follow_plan(self) -> None:
        self._danger.adopt(self._stay.plan.watch or Watch())
        self.at_home.announce()

    async def _end_session(self, reason: SessionEnd) -> None:
        session = self._conversation.session
        if session is None:
            return
        self._session_ends = float("inf")
        await self._reactions.commit((SessionClosed(session=session, reason=reason),))
        await self._reactions.react(self._stay.dialogue.session(self._conversation, None))

    async def close_interrupted_session(self) -> None:
        """After a restart nobody can be sure that the room still shows the session: it is off until started again."""
        if self._conversation.session is not None:
            await self._reactions.commit((SessionClosed(session=self._conversation.session, reason="restart"),))
            self._reactions.change(session=None)

    async def on_hub(self, online: bool) -> None:  # noqa: FBT001 (a callback's one argument)
        """Know whether the hub is listening."""
        self._reactions.hub_online = online
        self._reach = reach.changed(self._reach, self._clock.monotonic_seconds(), online=online)
        self._screen.changed()

    async def on_acknowledged(self, position: LanePosition) -> None:
        """Know that the hub has stored everything up to a position."""
        self._reactions.acknowledged(position)
        self._screen.acknowledged(position)

    async def look_after(self, now: float) -> None:
        """Do what is due: what was promised and has not come, and what has gone on for long enough."""
        if self._danger.follow_drawing():
            await self.watching.see(None)
        if self.watching.state == "ok":
            await self._judge(self._danger.tick(now))
        elif self._is_done_looking:
            async with self._lock:
                if self._is_done_looking:  # it may have been opened anew while this waited
                    self._danger.forget(now)
        if self._reactions.is_alarm_overdue(now):
            log.warning("alarm.undelivered")
            self._screen.overdue()
            async with self._lock:
                await self._reactions.say(NO_HUB)
        await self._at_screen.tick(now)
        await self._ask_again(now)
        if now > self._session_ends:
            async with self._lock:
                await self._end_session("time-limit")
        await self._reactions.scrub()
        await self.at_home.tick(now)
        if self._publisher is not None:
            await self._say_reach(now)

    @property
    def _is_done_looking(self) -> bool:
        """Whether the eyes are closed to whom they saw; who was asked how they are answers first."""
        is_closed = self.watching.camera == "closed" and not self._danger.is_fresh
        return is_closed and self._conversation.activity != "fall"

    async def prove_alarms(self) -> None:
        """Send the alarm that proves that another one would come through; without a hub there is nothing to prove."""
        if self._publisher is None:
            return
        async with self._lock:
            await self._reactions.commit((CanaryDue(),))

    async def remind(self) -> None:
        """Say what the room's plan asks for now."""
        async with self._lock:
            deaf = self._stay.is_deaf
            reaction = reminding.tick(self._conversation, self._stay.plan, now=self._clock.now(), deaf=deaf)
            if reaction is not None:
                await self._reactions.react(reaction)

    async def _ask_again(self, now: float) -> None:
        """Make the calls again that nobody has answered, and say so. That a hub is gone is said elsewhere."""
        if not self._reactions.hub_online:
            return
        async with self._lock:
            if unanswered := self._reactions.unanswered(now):
                log.warning("call.unanswered", calls=len(unanswered))
                await self._reactions.commit(unanswered)
                await self._reactions.say(UNANSWERED)

    async def _say_reach(self, now: float) -> None:
        if reminders.is_quiet(self._stay.plan, self._clock.now()):
            return  # who calls is told that nobody is there; if it lasts, everyone is when it is quiet no more
        self._reach, sentence = reach.due(self._reach, now)
        if sentence is not None:
            log.info("hub.reach", gone=self._reach.said_gone)
            async with self._lock:
                await self._reactions.say(sentence, tone=self._reach.said_gone)

    def report(self) -> None:
        """Tell the screen and the hub how the room is."""
        self._screen.changed()
        if self._publisher is None:
            return
        self._publisher.report(
            reported(
                self._conversation,
                hearing=self.listening.hearing,
                sight=self.watching.state,
                speaks=self.listening.speaks,
                told=self._stay.told,
                version=self._release,
                pending_events=self._files.outboxes.state().pending,
                troubles=self._troubles((*self._files.outboxes.troubles, *self._machine.look())),
                clock=self._clock,
                releases=self.updates.releases(),
                hardware=self._settings.machine_kind,
            )
        )


async def _to_the_end(doing: Coroutine[Any, Any, None]) -> None:
    """Do it, also where who waits for it is cancelled meanwhile."""
    await asyncio.shield(asyncio.ensure_future(doing))
