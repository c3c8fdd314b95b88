"""How far the alarms of a camera can be trusted: how often they were right, and how long anybody watched. Pure.

What nobody has marked is not known; it is never counted as right, and a room without marks has no figure at all.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from math import sqrt
from typing import Literal

from forge_hub.alerts.marks import Verdict

Z_95 = 1.959964
"""The 0.975 quantile of the standard normal distribution, for a two-sided interval of 95 %."""

SightState = Literal["ok", "lost", "closed"]


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm of a room's camera.

    Attributes:
        kind: As `forge_shared.events.DangerKind`.
        verdict: What a person said that it was; None: nobody has.
        taken_back: Whether it closed by itself since the room took it back.
    """

    node: str
    kind: str
    happened_at: datetime
    verdict: Verdict | None
    taken_back: bool = False


@dataclass(frozen=True, slots=True)
class SightChange:
    """From when on a room's sight was so."""

    node: str
    at: datetime
    state: SightState


@dataclass(frozen=True, slots=True)
class Away:
    """A time in which the hub did not know how a room was; ``until`` None: it still does not."""

    node: str
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Share:
    """A share with its 95 % interval, all in [0, 1]."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Trust:
    """The alarms of one room over some time. What cannot be told is None.

    Attributes:
        alarms: How many, by kind.
        hours_watched: How long the camera saw and the room was in touch.
        hours_blind: How long it said that it could not see.
        precision: Real over real and false; tests and what nobody marked count for neither.
        false_per_hour: False alarms per hour watched; a lower bound where some are unmarked.
    """

    alarms: Mapping[str, int]
    real: int
    false: int
    test: int
    unmarked: int
    taken_back: int
    hours_watched: float
    hours_blind: float
    precision: Share | None
    false_per_hour: float | None

    @property
    def total(self) -> int:
        """How many alarms there were."""
        return sum(self.alarms.values())


@dataclass(frozen=True, slots=True)
class RoomTrust:
    """One room: in all, and by local day, the newest first; days on which nothing is known of are left out."""

    node: str
    total: Trust
    days: Sequence[tuple[date, Trust]]


def wilson(hits: int, of: int) -> Share | None:
    """Return a share with its 95 % score interval; None when it is of nothing.

    Args:
        hits: From 0 to ``of``.
        of: How many were tried.

    Source: Wilson, Probable inference, the law of succession, and statistical inference, JASA 1927; 22: 209-212. It
    holds for small numbers and at 0 and 1, where the usual one does not (Brown, Cai and DasGupta, Statistical Science
    2001; 16: 101-133).
    """
    if of == 0:
        return None
    share, z_squared = hits / of, Z_95**2
    centre = (share + z_squared / (2 * of)) / (1 + z_squared / of)
    half = Z_95 * sqrt(share * (1 - share) / of + z_squared / (4 * of**2)) / (1 + z_squared / of)
    # At the ends the bound is the end itself but for rounding.
    return Share(share, 0.0 if hits == 0 else max(0.0, centre - half), 1.0 if hits == of else min(1.0, centre + half))


def trust_of(  # noqa: PLR0913 (what is known of the rooms, by keyword)
    alarms: Iterable[Alarm],
    sight: Iterable[SightChange],
    away: Iterable[Away] = (),
    *,
    since: datetime,
    until: datetime,
    zone: tzinfo,
) -> list[RoomTrust]:
    """Return how far each room's alarms can be trusted between two moments, by name of the room.

    Args:
        alarms: Those outside the time are left out.
        sight: In the order in which the rooms said it; what holds at ``since`` is the last one before.
        away: When rooms were out of touch: nobody knows whether they were watched then.
        since: Beginning.
        until: End, exclusive.
        zone: In which a day begins at midnight.
    """
    raised: dict[str, list[Alarm]] = {}
    for alarm in alarms:
        if since <= alarm.happened_at < until:
            raised.setdefault(alarm.node, []).append(alarm)
    spans = spans_of(sight, until)
    gaps: dict[str, list[tuple[datetime, datetime]]] = {}
    for gap in away:
        gaps.setdefault(gap.node, []).append((gap.since, gap.until or until))
    days = _days(since, until, zone)
    rooms = []
    for node in sorted({*raised, *spans}):
        seen = without(spans.get(node, ()), gaps.get(node, ()))
        mine = raised.get(node, [])
        total = _trust(mine, seen, since, until)
        by_day = [
            (day, _trust([each for each in mine if begins <= each.happened_at < ends], seen, begins, ends))
            for day, begins, ends in days
        ]
        if total.total or total.hours_watched or total.hours_blind:
            known = [(day, one) for day, one in by_day if one.total or one.hours_watched or one.hours_blind]
            rooms.append(RoomTrust(node, total, known[::-1]))
    return rooms


@dataclass(frozen=True, slots=True)
class Span:
    """A time in which a sense of a room was so."""

    state: SightState
    begins: datetime
    ends: datetime


def spans_of(sight: Iterable[SightChange], until: datetime) -> dict[str, list[Span]]:
    """Return for each room from when to when its sense was how.

    Args:
        sight: In the order in which the rooms said it.
        until: End of what is looked at, exclusive.
    """
    changes: dict[str, list[tuple[datetime, SightState]]] = {}
    for change in sight:
        mine = changes.setdefault(change.node, [])
        # Rooms say things in order; a time that goes back is of a clock that was set.
        mine.append((max(change.at, mine[-1][0]) if mine else change.at, change.state))
    return {
        node: [
            Span(state, at, ends)
            for (at, state), (ends, _) in zip(mine, [*mine[1:], (until, "closed")], strict=True)
            if at < ends
        ]
        for node, mine in changes.items()
    }


def without(spans: Iterable[Span], gaps: Iterable[tuple[datetime, datetime]]) -> list[Span]:
    """Return what is left of spans outside some gaps."""
    left = list(spans)
    for begins, ends in gaps:
        left = [
            Span(span.state, first, last)
            for span in left
            for first, last in ((span.begins, min(span.ends, begins)), (max(span.begins, ends), span.ends))
            if first < last
        ]
    return left


def hours_of(spans: Iterable[Span], state: SightState, begins: datetime, ends: datetime) -> float:
    """Return how many hours of a time a sense was so."""
    seconds = (
        max(0.0, (min(span.ends, ends) - max(span.begins, begins)).total_seconds())
        for span in spans
        if span.state == state
    )
    return sum(seconds) / 3600


def _days(since: datetime, until: datetime, zone: tzinfo) -> list[tuple[date, datetime, datetime]]:
    """Return each local day with the part of it that lies between two moments."""
    day = since.astimezone(zone).date()
    days = []
    while (begins := _midnight(day, zone)) < until:
        days.append((day, max(begins, since), min(_midnight(day + timedelta(days=1), zone), until)))
        day += timedelta(days=1)
    return days


def _midnight(day: date, zone: tzinfo) -> datetime:
    # In UTC: of two moments in one zone Python compares the face of the clock, and a day of 23 hours would have 24.
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)


def _trust(alarms: Sequence[Alarm], spans: Sequence[Span], begins: datetime, ends: datetime) -> Trust:
    verdicts = Counter(alarm.verdict for alarm in alarms)
    real, false = verdicts["real"], verdicts["false"]
    watched = hours_of(spans, "ok", begins, ends)
    is_marked = real + false + verdicts["test"] > 0
    return Trust(
        alarms=dict(sorted(Counter(alarm.kind for alarm in alarms).items())),
        real=real,
        false=false,
        test=verdicts["test"],
        unmarked=verdicts[None],
        taken_back=sum(alarm.taken_back for alarm in alarms),
        hours_watched=watched,
        hours_blind=hours_of(spans, "lost", begins, ends),
        precision=wilson(real, real + false),
        false_per_hour=false / watched if watched and is_marked else None,
    )
