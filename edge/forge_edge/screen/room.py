"""The room as its screen sees it."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Literal

from forge_edge.dialogue.conversation import Conversation, Dialogue
from forge_edge.messages import RoomState
from forge_edge.screen.decisions import led_by_hand
from forge_edge.screen.light import Night
from forge_edge.screen.memory import ScreenMemory
from forge_edge.screen.shown import Doing, Facts, Shown, Sight, shown
from forge_edge.screen.taps import Dim, SeenCall, Tap
from forge_edge.watching import Drawing

_DOING: Mapping[str, Doing] = {
    "waiting": "waiting",
    "listening": "listening",
    "deciding": "thinking",
    "speaking": "speaking",
    "lost": "lost",
    "closed": "closed",
}


class ScreenRoom:
    """Implements `forge_edge.screen.application.Room` over what the core hands in.

    Args:
        memory: What the screen remembers; the core tells it what happens.
        facts: What the core knows now.
        touched: Takes a touch, under the core's lock.
        night: The hours of the night.
    """

    def __init__(
        self,
        memory: ScreenMemory,
        facts: Callable[[], Facts],
        touched: Callable[[Tap], Awaitable[None]],
        night: Night,
    ) -> None:
        self.memory = memory
        self._facts = facts
        self._touched = touched
        self._night = night

    def shown(self) -> Shown:
        """Return what is on the screen now."""
        facts = self._facts()
        captions = self.memory.captions(facts.conversation)
        light = self.memory.light(facts.now, self._night)
        return shown(facts, self.memory.call, captions, light, self.memory.note)

    @property
    def drawing(self) -> Drawing | None:
        """The eyes' page on which staff draw, if it was opened."""
        return self._facts().drawing

    async def tapped(self, tap: Tap) -> None:
        """Take a touch; what concerns the screen alone needs nothing of the core."""
        match tap:
            case Dim():
                self.memory.dim(self._facts().now, self._night, dark=tap.dark)
            case SeenCall():
                self.memory.call_was_seen()
            case _:
                await self._touched(tap)
        self.memory.changed()


def facts(  # noqa: PLR0913 (what the core knows)
    conversation: Conversation,
    dialogue: Dialogue,
    memory: ScreenMemory,
    ears: RoomState,
    *,
    hearing: str,
    deaf: bool,
    staff: Literal["reached", "gone", "alone"],
    now: datetime | None,
    by_word: bool,
    sight: Sight | None,
    by_pin: bool = False,
    drawing: Drawing | None = None,
) -> Facts:
    """Return what the core knows at this moment.

    Args:
        conversation: Where the dialogue stands.
        dialogue: Its rules.
        memory: What the screen remembers.
        ears: What the ears said last of what they do.
        hearing: State of the sense of hearing; ``starting`` and ``lost`` where there are no ears.
        deaf: Whether the room may not listen.
        staff: Whether the staff can be told something.
        now: The local time; None where it is not known to be right.
        by_word: Whether who speaks is known by an agreed word.
        sight: What the camera does; None: the room has none.
        by_pin: Whether staff have a PIN here.
        drawing: The eyes' page on which staff draw, if it was opened.
    """
    idle = conversation.activity == "idle"
    is_shown = conversation.activity == "form" or (idle and led_by_hand(conversation) and memory.is_in_form)
    return Facts(
        conversation=conversation,
        doing=doing(ears.state, hearing, muted=conversation.muted, deaf=deaf),
        staff=staff,
        form=dialogue.forms.shown(conversation) if is_shown else None,
        now=now,
        audible=ears.audible,
        mutable=not deaf,
        by_word=by_word,
        sight=sight,
        draws=by_pin and sight in ("ok", "lost"),
        drawing=drawing,
    )


def doing(state: str, hearing: str, *, muted: bool, deaf: bool) -> Doing:
    """Return what the ears do, as it is shown.

    Args:
        state: As the ears said last (`RoomState.state`).
        hearing: State of the sense of hearing; ``starting`` and ``lost`` where there are no ears.
        muted: Whether the patient muted the room.
        deaf: Whether the room may not listen.
    """
    if deaf:
        return "closed"
    if hearing == "starting" and not muted:
        return "starting"
    if muted:
        # Ears that are not there hear nothing either; those that are must have said so.
        return "muted" if state in ("muted", "closed") or hearing in ("lost", "starting") else "muting"
    if hearing == "lost":
        return "lost"
    # Ears that still say "muted" have been told to hear again and have not begun.
    return _DOING.get(state, "starting")
