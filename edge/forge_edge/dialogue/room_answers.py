"""What the room does about a wish by itself: the time, the day, the menu, and what Home Assistant controls. Pure."""

from dataclasses import dataclass
from datetime import datetime

from forge_edge.dialogue.sentences import AMBIENCE, NO_AMBIENCE
from forge_shared.events import RequestCode
from forge_shared.plan import DAYS, RoomPlan

_STAFF_DO: dict[str, RequestCode] = {
    **dict.fromkeys(("light-on", "light-off", "blinds-open", "blinds-close"), "light"),
    **dict.fromkeys(("warmer", "cooler"), "temperature"),
    **dict.fromkeys(("music-on", "music-off"), "music"),
}
"""What a wish becomes as a request of the staff, where nothing in the room obeys."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the room does: say something, pass a code of `AMBIENCE` to Home Assistant, or ask the staff after all."""

    say: str = ""
    ambience: str | None = None
    request: RequestCode | None = None


def answer(code: str, plan: RoomPlan, *, now: datetime, hub: bool) -> Answer:
    """Return what the room does about a wish.

    Args:
        code: A code of `forge_edge.speech.wishes.WISHES`.
        plan: What the staff have set.
        now: Time of the decision.
        hub: Whether the hub is known to be listening; the way to Home Assistant leads over the same broker.
    """
    here = local(now, plan)
    kind, _, what = code.partition("/")
    if kind == "ambience":
        if not plan.ambience:
            return Answer(request=_STAFF_DO[what])
        return Answer(AMBIENCE[what], ambience=what) if hub else Answer(NO_AMBIENCE)
    if code == "menu":
        meals = plan.menu.get(DAYS[here.weekday()])
        return Answer(f"Today there is: {meals}") if meals else Answer(request="menu")
    return Answer(_day(here) if code == "day" else _time_of_day(here))


def local(now: datetime, plan: RoomPlan) -> datetime:
    """Return the local time in the room: the plan's time zone, else the machine's."""
    return now.astimezone(plan.zone)


def _time_of_day(at: datetime) -> str:
    half = "in the morning" if at.hour < 12 else "in the afternoon" if at.hour < 18 else "in the evening"  # noqa: PLR2004 (hours of a day)
    return f"It is {at.hour % 12 or 12}:{at:%M} {half}."


def _day(at: datetime) -> str:
    return f"Today is {at:%A}, {at.day} {at:%B} {at.year}."
