"""Figures of what serves in a room, as trials and reports count them. All but the temperature are pure."""

import math
from collections.abc import Sequence

from forge_edge.device import health


def percentile_95(values: Sequence[float]) -> float | None:
    """Return the 95th percentile by rank; None where there is no value."""
    if not values:
        return None
    ranked = sorted(values)
    return ranked[math.ceil(0.95 * len(ranked)) - 1]


def greater(one: float | None, other: float | None) -> float | None:
    """Return the greater of what is known; None: nothing is."""
    known = [value for value in (one, other) if value is not None]
    return max(known, default=None)


def hottest_celsius() -> float | None:
    """Return the temperature of the device's hottest sensor in degrees Celsius; None: it has none."""
    return health.read().temperature_celsius
