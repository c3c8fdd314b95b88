"""The room and Home Assistant: what it is shown, and what becomes of what it asks for.

Home Assistant may close the room's senses for a while, and the room says so; it can open nothing that consent or the
patient keeps closed, and it takes no alert: that is for people at the hub, by name.
"""

import asyncio
import random
from collections.abc import Mapping, Sequence
from typing import Final

from forge_edge.danger import Danger
from forge_edge.dialogue.sentences import IDENTIFIED, PRIVACY_OFF, PRIVACY_ON
from forge_edge.errors import HomeCommandError
from forge_edge.home import commands, privacy, wishes
from forge_edge.home.device import HomeDevice
from forge_edge.home.privacy import LONGEST, Privacy
from forge_edge.home.senses import HomeSenses
from forge_edge.home.state import HomeState, Problem, ProblemAttributes, Profile, SafetyAttributes, switch
from forge_edge.listening import Listening
from forge_edge.monitor.looks import Look
from forge_edge.observations import SenseObserved
from forge_edge.outbox.home_line import HomeLine
from forge_edge.reactions import Reactions
from forge_edge.room_clock import RoomClock
from forge_edge.room_files import RoomFiles
from forge_edge.screen.memory import ScreenMemory
from forge_edge.stay import Stay
from forge_edge.watching import Watching
from forge_shared import home
from forge_shared.events import DangerKind, SenseReason
from forge_shared.logs import get_logger
from forge_shared.wire import RoomTrouble

AWARENESS: Final[frozenset[DangerKind]] = frozenset({"bed_edge", "extra_person"})
"""What staff are told of for awareness only: nobody is in danger yet, and Home Assistant need not know."""
ARRIVES_SECONDS: Final = 30.0
"""What has waited longer does not arrive. Ours: longer than a broker that starts anew is away."""
OUTBOX_SECONDS: Final = 5.0
"""How often the outbox is asked how long it has waited."""
AGAIN_SECONDS: Final = 10.0
"""Between two answers to the button that asks which room this is."""
_TROUBLES: Final[Mapping[RoomTrouble, Problem]] = {"disk.full": "disk-full", "disk.failed": "disk-failed"}

log = get_logger()


class AtHome:
    """What a room is to Home Assistant. Runs on the event loop; without `connect` it tells nobody anything.

    Args:
        files: What the room has on its disk.
        clock: Its clock.
        lock: Held while anything changes the conversation.
        stay: Whose room it is.
        danger: What goes on that is dangerous.
        reactions: Says what is to be said.
        screen: What the room's screen remembers.
        listening: The room's hearing.
        watching: Its sight.
    """

    def __init__(  # noqa: PLR0913 (the parts of a room, by keyword)
        self,
        files: RoomFiles,
        *,
        clock: RoomClock,
        lock: asyncio.Lock,
        stay: Stay,
        danger: Danger,
        reactions: Reactions,
        screen: ScreenMemory,
        listening: Listening,
        watching: Watching,
    ) -> None:
        self._files, self._clock, self._lock = files, clock, lock
        self._stay, self._danger, self._reactions, self._screen = stay, danger, reactions, screen
        self._listening, self._watching = listening, watching
        self._senses = HomeSenses()
        self._seen: frozenset[str] = frozenset()
        self._privacy = privacy.load(files.folder)
        self._private_until_s = clock.monotonic_seconds()
        if self._privacy is not None:
            self._private_until_s += self._privacy.left_seconds(clock.now())
        self._profile: Profile = "standard"
        self._identified_s = float("-inf")
        self._again_s: float | None = None
        self._ask_outbox_s = float("-inf")
        self._waits = False
        self._line: HomeLine | None = None
        self._device: HomeDevice | None = None

    def connect(self, line: HomeLine, device: HomeDevice) -> None:
        """Show the room from now on."""
        self._line, self._device = line, device
        self.announce()
        self.show()

    def announce(self) -> None:
        """Show what the room is; it depends on what staff have set."""
        if self._line is not None and self._device is not None:
            self._line.show(self._device.announced(wishes_wanted=self._stay.plan.ambience))

    def wish(self, code: str) -> None:
        """Pass on what was wished of light, warmth, music or blinds."""
        if self._line is not None and self._device is not None:
            self._line.pass_on(self._device.wish_topic, wishes.message(code))

    def looked(self, look: Look) -> None:
        """Take note of what the camera shows."""
        self._senses.looked(look, self._clock.monotonic_seconds(), empty=self._danger.is_empty)

    def show(self) -> None:
        """Show how the room is now; what has not changed is not sent again."""
        if self._line is not None and self._device is not None:
            self._line.show(self._device.state(self._state()))

    async def tick(self, now: float) -> None:
        """Do what is due: open again what was closed for long enough, announce to a Home Assistant that has started."""
        if self._has_ended(now):
            async with self._lock:
                if self._has_ended(now):  # it may have been asked for anew while this waited
                    await self._open()
        if self._again_s is not None and now >= self._again_s and self._line is not None:
            self._again_s = None
            self._line.again()
        self.show()

    async def on_message(self, topic: str, payload: bytes, retained: bool) -> None:  # noqa: FBT001 (a callback's)
        """Do what Home Assistant asks for; what is late or not known has no effect."""
        if topic == home.BIRTH:
            if payload == b"online":
                jitter = random.uniform(0.0, home.BIRTH_JITTER_SECONDS)  # noqa: S311 (spreads load)
                self._again_s = self._clock.monotonic_seconds() + jitter
            return
        try:
            command = commands.read(home.parse_command(topic), payload, retained=retained, now=self._clock.now())
        except HomeCommandError as error:
            log.warning("home.refused", reason=error.reason)
            return
        log.info("home.asked", command=type(command).__name__)
        async with self._lock:
            await self._do(command)

    async def let_watch(self, *, agreed: bool) -> tuple[SenseObserved, ...]:
        """Let the eyes be open as far as it is agreed to and Home Assistant has not closed them.

        Returns:
            What is to be observed of it.
        """
        reason: SenseReason = "stopped" if agreed else "consent-withdrawn"
        return await self._watching.allow(allowed=agreed and self._privacy is None, reason=reason)

    def forget(self) -> None:
        """Forget the person of a stay that ended."""
        self._profile = "standard"
        self._senses = HomeSenses()
        self._seen = frozenset()
        self._behave()

    async def _do(self, command: commands.HomeCommand) -> None:
        match command:
            case commands.Privacy(closed=True):
                await self._close()
            case commands.Privacy() if self._privacy is not None:
                await self._open()
            case commands.Identify():
                await self._identify()
            case commands.Acknowledge():
                self._seen = self._dangers
            case commands.Profile():
                self._profile = command.name
                self._behave()
            case commands.Display():
                self._screen.says(f"Message: {command.text}" if command.text else "")
        self.show()

    def _has_ended(self, now: float) -> bool:
        """Tell whether privacy is to end: by its time, or since the patient unmuted the room at its screen."""
        return self._privacy is not None and (now >= self._private_until_s or not self._reactions.conversation.muted)

    async def _close(self) -> None:
        """Close the senses, but not while the room asks somebody how they are, or something dangerous goes on.

        That privacy is on is remembered before the room is muted: a node that stops in between opens again.
        """
        conversation = self._reactions.conversation
        if self._dangers or conversation.activity == "fall":
            log.warning("privacy.refused", reason="danger")
            return
        news = self._privacy is None
        muted = not conversation.muted if self._privacy is None else self._privacy.muted
        self._privacy = Privacy(ends=self._clock.now() + LONGEST, muted=muted)
        self._private_until_s = self._clock.monotonic_seconds() + LONGEST.total_seconds()
        await asyncio.to_thread(privacy.keep, self._files.folder, self._privacy)
        await self._mute(muted=True)
        await self._reactions.commit(await self.let_watch(agreed=self._stay.may_watch()))
        if news:
            log.info("privacy.on")
            await self._reactions.say(PRIVACY_ON)

    async def _open(self) -> None:
        """Open again what was closed by this, as far as consent and the patient let it.

        That privacy was on is forgotten after the room is unmuted: a node that stops in between opens again.
        """
        if self._privacy is not None and self._privacy.muted and self._reactions.conversation.muted:
            await self._mute(muted=False)
        self._privacy = None
        await asyncio.to_thread(privacy.keep, self._files.folder, None)
        await self.let_watch(agreed=self._stay.may_watch())
        log.info("privacy.off")
        await self._reactions.say(PRIVACY_OFF)

    async def _mute(self, *, muted: bool) -> None:
        self._reactions.change(muted=muted)
        await self._reactions.keep()
        await self._listening.mute(muted=muted)

    async def _identify(self) -> None:
        now = self._clock.monotonic_seconds()
        if now - self._identified_s < AGAIN_SECONDS:
            return
        self._identified_s = now
        self._screen.says(IDENTIFIED)
        await self._reactions.say(IDENTIFIED, tone=True)

    def _behave(self) -> None:
        self._stay.be_quiet(quiet=self._profile != "standard")
        self._screen.keep_dark(dark=self._profile == "night")

    @property
    def _dangers(self) -> frozenset[str]:
        return frozenset(incident for incident, kind in self._danger.going_on.items() if kind not in AWARENESS)

    def _state(self) -> HomeState:
        now = self._clock.monotonic_seconds()
        sees = self._watching.state == "ok"
        dangers, problems = self._dangers, self._problems()
        return HomeState(
            safety=switch(on=True if dangers else False if sees else None),
            safety_attributes=SafetyAttributes(seen_at_room=bool(dangers) and dangers <= self._seen),
            occupancy=switch(on=self._senses.occupied(now) if sees else None),
            motion=switch(on=self._senses.moving(now) if sees else None),
            connectivity="ON" if self._arrives(now) else "OFF",
            problem="ON" if problems else "OFF",
            problem_attributes=ProblemAttributes(problems=tuple(problems)),
            privacy="OFF" if self._privacy is None else "ON",
            profile=self._profile,
        )

    def _arrives(self, now: float) -> bool:
        if now >= self._ask_outbox_s:
            self._ask_outbox_s = now + OUTBOX_SECONDS
            outbox = self._files.outboxes.state()
            self._waits = outbox.pending > 0 and outbox.oldest_seconds > ARRIVES_SECONDS
        return self._reactions.hub_online and not self._waits

    def _problems(self) -> Sequence[Problem]:
        found: list[Problem] = []
        if self._listening.hearing == "lost":
            found.append("hearing-lost")
        if self._watching.state == "lost":
            found.append("sight-lost")
        found += [_TROUBLES[trouble] for trouble in self._files.outboxes.troubles if trouble in _TROUBLES]
        if self._clock.is_wrong:
            found.append("clock-wrong")
        return found
