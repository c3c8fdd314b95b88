"""Whether a release stays in the rooms that have it, by what it does there. Pure: figures in, findings out.

The release's own limits are judged by each room; here rooms are judged together: how many failed, and how they are
against themselves before and against rooms without the release.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from forge_hub.releases.evidence import Exposure, Weighed, exceeds, trend_of, usual_of, weigh
from forge_hub.releases.rollout import Finding, Found, Measure, RoomState
from forge_shared.releases import Hardware

ALL: Final = "all"
GOLDEN: Final = frozenset({"golden-differs", "golden-failed", "golden-crashed", "golden-unreadable"})
"""Reasons with which a room refuses a release that does not give what it shall from its golden inputs. One that is only
too slow is not among them: a room may be busy."""
LOST: Final = "lost"
"""Stands for a room that has been out of touch since it took the release."""

FAILED_COUNT: Final = 2
FAILED_SHARE: Final = 0.2
"""A release is withdrawn when so many rooms, and such a share of those that tried it, have failed. Both: one room may
fail for reasons of its own, and of a hundred two. Ours, in the shape of Azure's device updates; where 2 % of rooms fail
for such reasons, two of a first ring of five do in 0.4 % of roll-outs.
"""
MUCH_SLOWER: Final = 1.5
"""95th percentile of latency against the room before. Ours: rooms differ by a tenth from day to day, and who waits half
as long again for an answer notices.
"""
MUCH_LARGER: Final = 1.5
"""Memory, likewise."""
MUCH_HOTTER_CELSIUS: Final = 10.0
"""Ours: more than a summer's day makes."""
HALF: Final = 0.5
"""Share of the rooms measured, and at least two, that must be so much worse. Ours: one room has its own reasons."""
LEAST_OTHERS: Final = 3
"""Rooms without the release that must be measured before they excuse. Ours: the median of fewer is one room's."""
MOST_OTHERS_LOST: Final = 0.1
"""Share of the rooms without the release that are out of touch, above which it is the network. Ours."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured of what serves in a room; None: nothing."""

    latency_ms: float | None = None
    memory_mb: float | None = None
    temperature_celsius: float | None = None


@dataclass(frozen=True, slots=True)
class TriedRoom:
    """A room that was told of the release.

    Attributes:
        reason: Why it failed, a code; None: it has not.
        before: Figures of what served before.
        now: Figures of the release.
        alerts: False alerts before and with it; None: it does not serve it, or the role raises none.
        is_lost: Whether it has been out of touch since it took the release.
        is_given_up: Whether its trial did not end in time: it shows neither that the release is good nor that it fails.
    """

    node: str
    hardware: Hardware | None
    state: RoomState
    reason: str | None = None
    before: Figures = Figures()
    now: Figures = Figures()
    alerts: Exposure | None = None
    is_lost: bool = False
    is_given_up: bool = False


@dataclass(frozen=True, slots=True)
class OtherRoom:
    """A room of the roll-out without the release: its figures when the roll-out began and now."""

    node: str
    before: Figures = Figures()
    now: Figures = Figures()
    is_lost: bool = False


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that a verdict goes by.

    Attributes:
        others_alerts: False alerts of every room without the release, before and since its first room has served it.
        raises_alerts: Whether the role raises alerts that staff can call false.
        alerts_per_hour: The release's own limit; None: it has none.
    """

    tried: Sequence[TriedRoom]
    others: Sequence[OtherRoom] = ()
    others_alerts: Sequence[Exposure] = ()
    raises_alerts: bool = False
    alerts_per_hour: float | None = None


def judge(evidence: Evidence) -> list[Found]:
    """Return what is known of a release, what condemns it first."""
    found = [
        *_golden(evidence.tried),
        *_failures(evidence),
        *_ratios("latency", evidence, lambda each: each.latency_ms, MUCH_SLOWER, "ms"),
        *_ratios("memory", evidence, lambda each: each.memory_mb, MUCH_LARGER, "MB"),
        *_temperature(evidence),
        *_false_alerts(evidence),
    ]
    order: Mapping[Finding, int] = {"bad": 0, "open": 1, "good": 2}
    return sorted(found, key=lambda each: (order[each.finding], each.group != ALL))


def _golden(tried: Sequence[TriedRoom]) -> Iterable[Found]:
    """A release that gets its golden inputs wrong on a profile and right on none of it is wrong on that profile.

    Same bytes, same input: it is no matter of chance, so the first room is enough. Where another room of the profile
    got them right, it is the room that is broken, and it counts as a failure like any other.
    """
    for hardware, rooms in _profiles(tried):
        wrong = sum(room.reason in GOLDEN for room in rooms)
        right = sum(
            room.state in {"on-trial", "kept"} or (room.state == "failed" and room.reason not in GOLDEN)
            for room in rooms
        )
        if wrong and not right:
            words = f"the golden inputs came out wrong in {wrong} room(s) with {hardware}, and right in none"
            yield Found("golden", hardware, "bad", wrong, None, wrong, words)


def _failures(evidence: Evidence) -> Iterable[Found]:
    is_network = _is_network(evidence.others)

    def is_failed(room: TriedRoom) -> bool:
        return room.state == "failed" or (room.is_lost and not is_network)

    done = [
        room
        for room in evidence.tried
        if room.state in {"on-trial", "kept", "failed"} and (is_failed(room) or not room.is_given_up)
    ]
    for group, rooms in [(ALL, done), *_profiles(done)]:
        failed = [room for room in rooms if is_failed(room)]
        # A site of one room has no second one that could fail.
        least = min(FAILED_COUNT, len(evidence.tried)) if group == ALL else FAILED_COUNT
        share = len(failed) / len(rooms) if rooms else 0.0
        is_bad = len(failed) >= max(1, least) and share >= FAILED_SHARE
        if is_bad or (group == ALL and rooms):
            words = f"{len(failed)} of {len(rooms)} room(s) {_on(group)}failed: {_reasons(failed)}"
            yield Found("failures", group, "bad" if is_bad else "good", share, FAILED_SHARE, len(rooms), words)


def _ratios(
    measure: Measure, evidence: Evidence, of: Callable[[Figures], float | None], limit: float, unit: str
) -> Iterable[Found]:
    """Compare each room with itself before, less what has changed in the rooms without the release meanwhile.

    A room that has not measured what it had before is compared with nothing, and condemns nothing.
    """
    others = [ratio for room in evidence.others if (ratio := _ratio(of(room.before), of(room.now))) is not None]
    trend = max(1.0, median(others)) if len(others) >= LEAST_OTHERS else 1.0
    for group, rooms in [(ALL, evidence.tried), *_profiles(evidence.tried)]:
        measured = [(of(room.before), now) for room in rooms if (now := of(room.now)) is not None]
        pairs = [(before, now) for before, now in measured if before]
        compared = _Compared([now / before / trend for before, now in pairs], limit, len(measured) - len(pairs))
        yield from _judged(measure, group, compared, evidence, _said(pairs, unit))


def _temperature(evidence: Evidence) -> Iterable[Found]:
    others = [
        room.now.temperature_celsius - room.before.temperature_celsius
        for room in evidence.others
        if room.now.temperature_celsius is not None and room.before.temperature_celsius is not None
    ]
    trend = max(0.0, median(others)) if len(others) >= LEAST_OTHERS else 0.0
    for group, rooms in [(ALL, evidence.tried), *_profiles(evidence.tried)]:
        measured = [
            (room.before.temperature_celsius, now)
            for room in rooms
            if (now := room.now.temperature_celsius) is not None
        ]
        pairs = [(before, now) for before, now in measured if before is not None]
        rises = [now - before - trend for before, now in pairs]
        compared = _Compared(rises, MUCH_HOTTER_CELSIUS, len(measured) - len(pairs))
        yield from _judged("temperature", group, compared, evidence, _said(pairs, "°C"))


@dataclass(frozen=True, slots=True)
class _Compared:
    """One measure in some rooms.

    Attributes:
        values: How much more each room needs than before.
        limit: Above which that is much more.
        without: Rooms that measured it, and not before.
    """

    values: Sequence[float]
    limit: float
    without: int


def _judged(measure: Measure, group: str, compared: _Compared, evidence: Evidence, said: str) -> Iterable[Found]:
    values, limit, without = compared.values, compared.limit, compared.without
    if not values:
        if group == ALL and without:
            words = f"insufficient evidence: what served before was not measured in {without} room(s)"
            yield Found(measure, ALL, "open", 0, None, without, words)
        return
    worse = sum(value > limit for value in values)
    least = min(2, len(evidence.tried)) if group == ALL else 2
    is_bad = worse >= max(least, HALF * len(values))
    if is_bad or group == ALL:
        words = f"{measure} {_on(group)}{said}: much more than before in {worse} of {len(values)} room(s)"
        words += f"; {without} more did not measure what they had before" if without else ""
        yield Found(measure, group, "bad" if is_bad else "good", median(values), limit, len(values), words)


def _false_alerts(evidence: Evidence) -> Iterable[Found]:
    if not evidence.raises_alerts:
        return
    mine = [(room.hardware, room.alerts) for room in evidence.tried if room.alerts is not None]
    others = evidence.others_alerts
    with_it = [each for _, each in mine]
    usual = usual_of([*with_it, *others])
    hours = sum(room.hours for room in with_it)
    if hours == 0 or usual is None:
        yield Found("false-alerts", ALL, "open", 0, None, 0, "no room has been watched with the release yet")
        return
    trend = trend_of(usual, others)
    profiles = sorted({hardware for hardware, _ in mine if hardware is not None})
    groups = [(ALL, with_it), *((one, [each for hardware, each in mine if hardware == one]) for one in profiles)]
    for group, rooms in groups:
        weighed = weigh(usual, rooms, trend, among=len(groups))
        if group == ALL or weighed.verdict == "bad":
            yield _alerts_found(group, rooms, weighed)
    limit = evidence.alerts_per_hour
    if limit is not None and exceeds(limit, with_it, usual.dispersion):
        rate = sum(room.alerts for room in with_it) / hours
        words = f"{rate:.2f} false alerts an hour, where the release's own limit is {limit:.2f}"
        yield Found("false-alerts", ALL, "bad", rate, limit, len(with_it), words)


def _alerts_found(group: str, rooms: Sequence[Exposure], weighed: Weighed) -> Found:
    hours = sum(room.hours for room in rooms)
    words = (
        f"{weighed.observed} false alerts {_on(group)}in {hours:.0f} hours with the release, "
        f"where {weighed.expected:.1f} were to be expected of these rooms"
    )
    rate, against = (weighed.observed / hours, weighed.expected / hours) if hours else (0.0, None)
    return Found("false-alerts", group, weighed.verdict, rate, against, len(rooms), words)


def _is_network(others: Sequence[OtherRoom]) -> bool:
    return bool(others) and sum(room.is_lost for room in others) > MOST_OTHERS_LOST * len(others)


def _ratio(before: float | None, now: float | None) -> float | None:
    return now / before if before and now is not None else None


def _profiles(rooms: Sequence[TriedRoom]) -> list[tuple[Hardware, list[TriedRoom]]]:
    known = sorted({room.hardware for room in rooms if room.hardware is not None})
    return [(hardware, [room for room in rooms if room.hardware == hardware]) for hardware in known]


def _on(group: str) -> str:
    return "" if group == ALL else f"with {group} "


def _reasons(failed: Iterable[TriedRoom]) -> str:
    return ", ".join(sorted({room.reason or LOST for room in failed})) or "none"


def _said(pairs: Sequence[tuple[float, float]], unit: str) -> str:
    if not pairs:
        return ""
    return f"{median(now for _, now in pairs):.0f} {unit} against {median(before for before, _ in pairs):.0f} {unit}"
