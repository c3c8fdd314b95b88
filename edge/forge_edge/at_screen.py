"""The room at its screen: what it shows, and what becomes of what is touched there."""

import asyncio

from forge_edge.dialogue.sentences import NOT_THE_PIN
from forge_edge.forms.touch import Pause
from forge_edge.listening import Listening
from forge_edge.reactions import Reactions
from forge_edge.room_clock import RoomClock
from forge_edge.screen.decisions import decide, led_by_hand
from forge_edge.screen.light import Night
from forge_edge.screen.memory import ScreenMemory
from forge_edge.screen.room import ScreenRoom, facts
from forge_edge.screen.shown import Facts, asked
from forge_edge.screen.taps import Ask, DrawZones, Mute, Tap
from forge_edge.settings import NodeSettings
from forge_edge.stay import Stay
from forge_edge.watching import Watching
from forge_shared.ids import new_id

NO_DRAWING = "The camera shows nothing to draw on right now."


class AtScreen:
    """What a room is to its screen. Runs on the event loop.

    Args:
        settings: How the node is run.
        clock: The room's clock.
        lock: Held while anything changes the conversation.
        stay: Whose room it is.
        reactions: Carries out what is decided.
        screen: What the screen remembers.
        listening: The room's hearing.
        watching: Its sight.

    Attributes:
        is_alone: Whether the room belongs to no site, so that there is no hub to reach.
    """

    def __init__(  # noqa: PLR0913 (the parts of a room, by keyword)
        self,
        settings: NodeSettings,
        *,
        clock: RoomClock,
        lock: asyncio.Lock,
        stay: Stay,
        reactions: Reactions,
        screen: ScreenMemory,
        listening: Listening,
        watching: Watching,
    ) -> None:
        self._settings, self._clock, self._lock = settings, clock, lock
        self._stay, self._reactions, self._screen = stay, reactions, screen
        self._listening, self._watching = listening, watching
        self.is_alone = True

    def shown(self, night: Night) -> ScreenRoom:
        """Return the room as its screen sees it."""
        return ScreenRoom(self._screen, self._facts, self._on_tap, night)

    async def tick(self, now: float) -> None:
        """Do what is due: nobody touches the form any more."""
        if self._screen.is_form_left(now):
            await self._leave_form()

    async def _on_tap(self, tap: Tap) -> None:
        """Do what was touched on the screen; what the ears hear meanwhile is of an old turn and leads to nothing."""
        if isinstance(tap, DrawZones):
            await self._open_drawing(tap.pin)
            return
        async with self._lock:
            if isinstance(tap, Ask) and self._screen.repeats_call(tap.request):
                return
            outcome = decide(
                self._stay.dialogue,
                self._reactions.conversation,
                tap,
                asked(self._facts()),
                now=self._clock.now(),
                new_id=new_id(),
                hub=self._reactions.hub_online,
            )
            self._reactions.conversation = outcome.conversation
            self._screen.tapped(outcome)
            if outcome.reaction is not None:
                await self._reactions.react(outcome.reaction, touched=outcome)
                return
            await self._reactions.keep()
            if isinstance(tap, Mute):
                await self._listening.mute(muted=tap.muted)

    async def _open_drawing(self, pin: str) -> None:
        """Let staff draw. The eyes are waited for without the lock: what they see meanwhile needs it."""
        async with self._lock:
            conversation = self._reactions.conversation
            self._reactions.conversation, right = self._stay.dialogue.is_staff(conversation, pin)
            await self._reactions.keep()
        port = self._settings.screen_port
        if not right:
            self._screen.says(NOT_THE_PIN)
        elif port is None or await self._watching.draw(port) is None:
            self._screen.says(NO_DRAWING)

    async def _leave_form(self) -> None:
        """Nobody touches the form any more: it waits, and what was left open at a risk item is an alarm."""
        async with self._lock:
            conversation = self._reactions.conversation
            if conversation.activity not in ("idle", "form"):
                return  # somebody speaks with the room: it is asked again when that is over
            self._screen.leave_form()
            if led_by_hand(conversation):
                left = self._stay.dialogue.forms.touched(conversation, Pause(), now=self._clock.now())
                await self._reactions.react(left)

    def _facts(self) -> Facts:
        return facts(
            self._reactions.conversation,
            self._stay.dialogue,
            self._screen,
            self._listening.state,
            hearing=self._listening.hearing,
            deaf=self._stay.is_deaf,
            staff="alone" if self.is_alone else "reached" if self._reactions.hub_online else "gone",
            now=None if self._clock.is_wrong else self._clock.now().astimezone(),
            by_word=self._stay.plan.agreed_word is not None,
            sight=self._watching.camera,
            by_pin=self._stay.plan.staff_pin is not None,
            drawing=self._watching.drawing,
        )
