"""How bright the screen is. Pure.

By night it is dark and its colours are warm, without being asked: a bright screen beside a bed keeps people awake
(Chang et al. 2015, PNAS 112(4):1232-1237). Who is in the bed may want it otherwise, and that holds until morning or
evening.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Light = Literal["day", "night"]


@dataclass(frozen=True, slots=True)
class Night:
    """Hours of the day, 0 to 23, local time. Both the same: there is no night."""

    begins_hour: int
    ends_hour: int


@dataclass(frozen=True, slots=True)
class Wish:
    """What the patient chose, and whether it was night then."""

    dark: bool
    at_night: bool


def is_night(now: datetime | None, night: Night) -> bool:
    """Tell whether it is night; without the right time it is not."""
    if now is None or night.begins_hour == night.ends_hour:
        return False
    if night.begins_hour < night.ends_hour:
        return night.begins_hour <= now.hour < night.ends_hour
    return now.hour >= night.begins_hour or now.hour < night.ends_hour


def shown(now: datetime | None, night: Night, wish: Wish | None) -> Light:
    """Return how bright the screen is now."""
    dark = is_night(now, night)
    if wish is not None and wish.at_night == dark:
        dark = wish.dark
    return "night" if dark else "day"
