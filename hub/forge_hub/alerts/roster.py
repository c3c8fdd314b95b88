"""Who answers now: shifts by local time, and the people who are on duty. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

LONGEST_DUTY = timedelta(hours=14)
"""A duty ends by itself when nobody ended it and no shift says when. Ours: a long shift and its handover."""


class OnDuty(Protocol):
    """A duty as it is stored."""

    @property
    def account(self) -> str:
        """Who is on duty."""

    @property
    def ward(self) -> str:
        """The ward."""

    @property
    def level(self) -> int:
        """When they are asked: 1 first."""

    @property
    def begins_at(self) -> datetime:
        """From then on."""

    @property
    def ends_at(self) -> datetime:
        """Until before then."""


@dataclass(frozen=True, slots=True)
class ShiftTimes:
    """A shift of a ward.

    Attributes:
        starts_minute: Minutes after local midnight.
        ends_minute: The same; not after the start means on the next day.
        weekdays: Days on which it starts, Monday is 0.
    """

    id: str
    ward: str
    starts_minute: int
    ends_minute: int
    weekdays: frozenset[int]

    def ends_after(self, local: datetime) -> datetime | None:
        """Return when the shift that is on at a local time ends, or None while it is not on."""
        length = timedelta(minutes=(self.ends_minute - self.starts_minute - 1) % 1440 + 1)
        for days in (0, 1):
            day = (local - timedelta(days=days)).replace(hour=0, minute=0, second=0, microsecond=0)
            starts = day + timedelta(minutes=self.starts_minute)
            if day.weekday() in self.weekdays and starts <= local < starts + length:
                return starts + length
        return None


def shift_now(shifts: Iterable[ShiftTimes], ward: str | None, local: datetime) -> ShiftTimes | None:
    """Return the ward's shift that is on; of several the one that ends last."""
    on = [(end, shift.id, shift) for shift in shifts if shift.ward == ward and (end := shift.ends_after(local))]
    return max(on)[2] if on else None


def duty_end(shifts: Iterable[ShiftTimes], ward: str, local: datetime) -> datetime:
    """Return when a duty that begins now ends: with the shift that is on, else after `LONGEST_DUTY`."""
    shift = shift_now(shifts, ward, local)
    return (shift.ends_after(local) if shift else None) or local + LONGEST_DUTY


def answering(duties: Iterable[OnDuty], ward: str | None, now: datetime) -> Mapping[int, frozenset[str]]:
    """Return who answers for a ward now, by level. A room that belongs to no ward is answered for by every ward."""
    levels: dict[int, set[str]] = {}
    for duty in duties:
        if duty.begins_at <= now < duty.ends_at and (ward is None or duty.ward == ward):
            levels.setdefault(duty.level, set()).add(duty.account)
    return {level: frozenset(accounts) for level, accounts in levels.items()}
