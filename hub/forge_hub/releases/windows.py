"""The hours in which rooms may be told of a release: written, read, and whether they are open. Pure."""

import re
from datetime import datetime, time, tzinfo
from typing import Final

from forge_hub.errors import ReleaseError
from forge_hub.releases.rollout import Window

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPELLING: Final = "hours are written like 'mon-fri 09:00-16:00' or '22:00-05:00'"
_HOURS: Final = re.compile(r"([0-2]\d:[0-5]\d)-([0-2]\d:[0-5]\d)")


def window_of(text: str) -> Window:
    """Return a window that was written like ``mon-fri 09:00-16:00`` or ``sat,sun 22:00-05:00``; no days: every day.

    Raises:
        ReleaseError: It is not written so.
    """
    *days, hours = text.lower().split() or [""]
    match = _HOURS.fullmatch(hours)
    if match is None or len(days) > 1:
        raise ReleaseError(_SPELLING)
    try:
        begins, ends = (time.fromisoformat(part) for part in match.groups())
        return Window(_days(days[0]) if days else frozenset(range(len(DAYS))), begins, ends)
    except ValueError:
        raise ReleaseError(_SPELLING) from None


def words_of(window: Window) -> str:
    """Return a window as it is written."""
    days = ",".join(DAYS[day] for day in sorted(window.days)) if len(window.days) < len(DAYS) else ""
    return f"{days} {window.begins:%H:%M}-{window.ends:%H:%M}".strip()


def is_open(window: Window | None, now: datetime, zone: tzinfo) -> bool:
    """Tell whether rooms may be told now.

    Hours that run over midnight belong to the day on which they begin.
    """
    if window is None:
        return True
    local = now.astimezone(zone)
    today, before = local.weekday(), (local.weekday() - 1) % len(DAYS)
    at = local.time().replace(tzinfo=None)
    if window.begins < window.ends:
        return today in window.days and window.begins <= at < window.ends
    return (today in window.days and at >= window.begins) or (before in window.days and at < window.ends)


def _days(text: str) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        begins, ends = DAYS.index(first), DAYS.index(last or first)
        found |= {day % len(DAYS) for day in range(begins, ends + 1 if ends >= begins else ends + 1 + len(DAYS))}
    return frozenset(found)
