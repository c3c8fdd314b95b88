"""Roll-outs as pages show them, and what an admin's forms ask for. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, tzinfo
from typing import Final

from forge_hub.errors import ReleaseError
from forge_hub.records.schema import Ward
from forge_hub.releases.rollout import RolloutState, RoomProgress, RoomState, Window
from forge_hub.releases.rollouts import WARD

DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
BAR_WIDTH: Final = 1000
"""Width of a bar in its own units; it is drawn as wide as the page."""
MOST_RINGS: Final = 20
"""Of what a form may ask for; each is soaked. Ours."""
_SHARE: Final = re.compile(r"[0-9]{1,3}")

ORDER: Final[tuple[RoomState, ...]] = (
    "failed",
    "returning",
    "on-trial",
    "directed",
    "planned",
    "left-out",
    "returned",
    "kept",
)
"""In which rooms are listed: what needs looking at first."""
DRAWN: Final[tuple[RoomState, ...]] = (
    "kept",
    "on-trial",
    "directed",
    "planned",
    "left-out",
    "returned",
    "returning",
    "failed",
)
"""From left to right in a bar: what is done, what is under way, what is to come, what went wrong."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a bar.

    Attributes:
        state: Of the rooms in it.
        count: Rooms.
        x: Where it begins, of `BAR_WIDTH`.
        width: How wide it is, likewise.
    """

    state: RoomState
    count: int
    x: float
    width: float


def bar(counts: Mapping[RoomState, int]) -> tuple[Segment, ...]:
    """Return rooms by their state as a bar; empty without rooms."""
    total = sum(counts.values())
    segments, begun = [], 0
    for state in DRAWN:
        if count := counts.get(state, 0):
            segments.append(
                Segment(state, count, round(BAR_WIDTH * begun / total, 2), round(BAR_WIDTH * count / total, 2))
            )
            begun += count
    return tuple(segments)


def counted(rooms: Sequence[RoomProgress]) -> Mapping[RoomState, int]:
    """Return how many rooms are in which state."""
    return {state: count for state in DRAWN if (count := sum(room.state == state for room in rooms))}


def in_order(rooms: Sequence[RoomProgress]) -> list[RoomProgress]:
    """Return rooms in the order in which they are listed."""
    return sorted(rooms, key=lambda room: (ORDER.index(room.state), room.node))


def group_names(wards: Sequence[Ward]) -> Mapping[str, str]:
    """Return what people call the groups that are wards, by the groups' names."""
    return {f"{WARD}{ward.id}": ward.name for ward in wards}


def accounts_of(rollouts: Sequence[RolloutState]) -> set[str]:
    """Return the ids of the accounts that these roll-outs name."""
    return {account for each in rollouts for account in (each.started_by, each.changed_by)}


def read_rings(text: str) -> tuple[int, ...]:
    """Return rings as a person types them, "5, 25, 50, 100".

    Raises:
        ReleaseError: They are none.
    """
    parts = text.replace("%", " ").replace(",", " ").split()
    if not 0 < len(parts) <= MOST_RINGS or not all(_SHARE.fullmatch(part) for part in parts):
        raise ReleaseError("rings are shares of the rooms in per cent, such as 5, 25, 50, 100")
    return tuple(int(part) for part in parts)


def read_window(days: Sequence[int], begins: str, ends: str) -> Window | None:
    """Return the time in which rooms may be told, as a form gives it; None: any time.

    Raises:
        ReleaseError: A time is none, or a day is.
    """
    if not days and not begins and not ends:
        return None
    if not set(days) <= set(range(len(DAYS))):
        raise ReleaseError("a day of the week is from Monday to Sunday")
    return Window(frozenset(days or range(len(DAYS))), _time(begins), _time(ends))


def read_moment(text: str, zone: tzinfo) -> datetime:
    """Return a moment as a form gives it, in the site's time where it does not say.

    Raises:
        ReleaseError: It is none.
    """
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ReleaseError("a date and a time are needed, such as 2026-05-01T14:03") from None


def window_words(window: Window | None) -> str:
    """Return in words when rooms may be told."""
    if window is None:
        return "at any time"
    days = "every day" if len(window.days) == len(DAYS) else ", ".join(DAYS[day] for day in sorted(window.days))
    if window.begins == window.ends:
        return f"{days}, all day"
    return f"{days}, {window.begins:%H:%M} to {window.ends:%H:%M}"


def _time(text: str) -> time:
    try:
        return time.fromisoformat(text or "00:00").replace(tzinfo=None)
    except ValueError:
        raise ReleaseError("a time is written as hours and minutes, such as 10:00") from None
