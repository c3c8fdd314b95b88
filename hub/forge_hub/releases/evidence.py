"""How much more often rooms raise false alerts with a release than they did. Pure.

Each room is compared with itself before, and the time of day and the season with the rooms without the release.
The evidence is a ratio of likelihoods that may be looked at as often as one likes: that it ever exceeds ``1 / a`` where
nothing has changed has a probability of at most ``a`` (Ville's inequality). So it condemns a release at once when it is
large, and clears it when the same ratio is small.

Source: Ville, Étude critique de la notion de collectif, 1939; Wald, Sequential tests of statistical hypotheses, Annals
of Mathematical Statistics 1945; 16: 117-186. Rates differ from room to room by a gamma distribution (Greenwood and
Yule, Journal of the Royal Statistical Society 1920; 83: 255-279).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import exp, inf, log, log1p
from typing import Final, Literal

FALSE_WITHDRAWAL: Final = 0.005
"""Probability at most with which a release that raises no more is withdrawn for it. Ours: one roll-out in two hundred;
starting it again costs a day."""
MISSED: Final = 0.001
"""Probability at most with which a release that raises `WORSE` times as much is cleared for the next ring. Ours."""
WORSE: Final = 3.0
"""The ratio that must not get through. Ours, by the aim of these roll-outs."""
RATIOS: Final = (2.0, 3.0, 5.0, 10.0)
"""Ratios that are looked for, with equal weights. Ours."""
STEADY_ALERTS: Final = 10.0
"""Alerts for which the belief weighs that rooms without the release raise as much as before. Ours."""
_SHAPES: Final = (0.3, 30.0)
"""Bounds of the gamma distribution's shape. Ours: below, most rooms would raise nothing ever; above, all are alike."""
_MOST_DISPERSED: Final = 5.0
"""Bound of the dispersion from day to day. Ours."""


@dataclass(frozen=True, slots=True)
class Exposure:
    """False alerts of a room before and with a release. ``daily``: of each whole day before, for their scatter."""

    node: str
    hours_before: float
    alerts_before: int
    hours: float
    alerts: int
    daily: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Weighed:
    """What follows from the counts. ``ratio`` is observed over expected; None: nothing is expected."""

    verdict: Literal["good", "open", "bad"]
    expected: float
    observed: int
    ratio: float | None


@dataclass(frozen=True, slots=True)
class Usual:
    """What rooms of a site usually raise: a gamma distribution of rates per hour, and the scatter from day to day."""

    shape: float
    hours: float
    dispersion: float


def usual_of(rooms: Sequence[Exposure]) -> Usual | None:
    """Return what rooms raised before, by the method of moments; None where nobody was watched."""
    watched = [room for room in rooms if room.hours_before > 0]
    hours = sum(room.hours_before for room in watched)
    if not watched:
        return None
    # Half an alert more: a site that has seen none has seen too little to say that there are none (Jeffreys).
    mean = (sum(room.alerts_before for room in watched) + 0.5) / hours
    between = sum(
        room.hours_before * ((room.alerts_before / room.hours_before - mean) ** 2 - mean / room.hours_before)
        for room in watched
    )
    variance = between / hours
    shape = mean * mean / variance if variance > 0 else inf
    shape = min(max(shape, _SHAPES[0]), _SHAPES[1])
    return Usual(shape, shape / mean, _dispersion(watched))


def trend_of(usual: Usual, others: Iterable[Exposure]) -> float:
    """Return by what factor rooms without the release raise more now than before; 1 where there are none."""
    observed, expected = STEADY_ALERTS, STEADY_ALERTS
    for room in others:
        observed += room.alerts
        expected += _rate(usual, room) * room.hours
    return observed / expected


def weigh(usual: Usual, rooms: Sequence[Exposure], trend: float, *, among: int = 1) -> Weighed:
    """Return what the alerts of rooms with a release say of it.

    Args:
        usual: What the site's rooms usually raise.
        rooms: Those with the release.
        trend: By what factor rooms without it raise more now. It excuses where it is above 1, and never accuses.
        among: How many groups of rooms are looked at: each may condemn, so each must be the surer.
    """
    observed = sum(room.alerts for room in rooms)
    expected = sum(_rate(usual, room) * room.hours for room in rooms) * trend
    ratio = observed / expected if expected > 0 else None
    accusing = [_log_ratio(usual, rooms, rho, max(1.0, trend)) / usual.dispersion for rho in RATIOS]
    if _log_mean(accusing) >= log(among / FALSE_WITHDRAWAL):
        return Weighed("bad", expected, observed, ratio)
    clearing = _log_ratio(usual, rooms, WORSE, min(1.0, trend)) / usual.dispersion
    return Weighed("good" if clearing <= log(MISSED) else "open", expected, observed, ratio)


def exceeds(limit_per_hour: float, rooms: Sequence[Exposure], dispersion: float) -> bool:
    """Tell whether rooms with a release surely raise more than a limit, by the same kind of evidence."""
    expected = limit_per_hour * sum(room.hours for room in rooms)
    observed = sum(room.alerts for room in rooms)
    each = [(observed * log(rho) - (rho - 1) * expected) / dispersion for rho in RATIOS]
    return _log_mean(each) >= -log(FALSE_WITHDRAWAL)


def _rate(usual: Usual, room: Exposure) -> float:
    return (usual.shape + room.alerts_before) / (usual.hours + room.hours_before)


def _log_ratio(usual: Usual, rooms: Iterable[Exposure], rho: float, trend: float) -> float:
    """Return the logarithm of how much likelier the alerts are at ``rho`` times each room's rate than at the rate.

    The rate itself is integrated out: what a room raised before leaves a gamma distribution of it.
    """
    total = 0.0
    for room in rooms:
        known = usual.hours + room.hours_before
        count = usual.shape + room.alerts_before + room.alerts
        hours = trend * room.hours
        total += room.alerts * log(rho) - count * log1p((rho - 1) * hours / (known + hours))
    return total


def _log_mean(values: Sequence[float]) -> float:
    top = max(values)
    return top + log(sum(exp(value - top) for value in values) / len(values))


def _dispersion(rooms: Iterable[Exposure]) -> float:
    """Return by how much a room's counts scatter more from day to day than chance alone lets them (Pearson)."""
    squares, degrees = 0.0, 0
    for room in rooms:
        days = len(room.daily)
        mean = sum(room.daily) / days if days else 0.0
        if mean > 0:
            squares += sum((count - mean) ** 2 for count in room.daily) / mean
            degrees += days - 1
    return min(max(squares / degrees, 1.0), _MOST_DISPERSED) if degrees > 0 else 1.0
