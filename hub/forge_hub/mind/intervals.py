"""How sure a mean, a share, or a difference of two is. Pure.

Every interval is of 95 %. Utterances of one session hang together, so that the intervals are rather too narrow; whoever
shows them says so.
"""

import math
from dataclasses import dataclass
from typing import Final

Z_95: Final = 1.959963984540054
"""The 0.975 quantile of the standard normal distribution."""

LEAST: Final = 10
"""Fewer utterances than this on one side, and two sides are not compared. Ours: as for correlations; the interval of a
share of ten utterances already spans half of all shares.
"""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its interval and the number of utterances that it rests on."""

    value: float
    low: float
    high: float
    n: int

    @property
    def is_told(self) -> bool:
        """Whether a difference leaves zero out."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, slots=True)
class Sums:
    """Values added up: how many, their sum, and the sum of their squares."""

    n: int
    total: float
    squares: float

    @classmethod
    def of(cls, values: list[float]) -> "Sums":
        """Add values up."""
        return cls(len(values), math.fsum(values), math.fsum(value * value for value in values))

    @property
    def mean(self) -> float:
        """Their mean; there must be one."""
        return self.total / self.n

    @property
    def variance(self) -> float:
        """Their sample variance; there must be two."""
        return max(0.0, (self.squares - self.total * self.total / self.n) / (self.n - 1))


def mean(sums: Sums) -> Estimate | None:
    """Return a mean of values in [-1, 1] with Student's interval; None of fewer than two values."""
    if sums.n < 2:  # noqa: PLR2004 (one value has no spread)
        return None
    reach = student(sums.n - 1) * math.sqrt(sums.variance / sums.n)
    return Estimate(sums.mean, max(-1.0, sums.mean - reach), min(1.0, sums.mean + reach), sums.n)


def mean_difference(first: Sums, second: Sums) -> Estimate | None:
    """Return second minus first with Welch's interval (1947); None where either has fewer than `LEAST` values."""
    if min(first.n, second.n) < LEAST:
        return None
    parts = [each.variance / each.n for each in (first, second)]
    difference, spread = second.mean - first.mean, sum(parts)
    n = first.n + second.n
    if spread == 0:
        return Estimate(difference, difference, difference, n)
    freedom = spread**2 / sum(part**2 / (each.n - 1) for part, each in zip(parts, (first, second), strict=True))
    reach = student(freedom) * math.sqrt(spread)
    return Estimate(difference, difference - reach, difference + reach, n)


def share(count: int, of: int) -> Estimate | None:
    """Return a share with Wilson's interval (1927); None of nothing."""
    if of == 0:
        return None
    value, scale = count / of, 1 + Z_95**2 / of
    middle = (value + Z_95**2 / (2 * of)) / scale
    reach = Z_95 / scale * math.sqrt(value * (1 - value) / of + Z_95**2 / (4 * of * of))
    return Estimate(value, max(0.0, min(value, middle - reach)), min(1.0, max(value, middle + reach)), of)


def share_difference(first: tuple[int, int], second: tuple[int, int]) -> Estimate | None:
    """Return second minus first, each a count and what it is of; None where either is of fewer than `LEAST`.

    Source: Newcombe (1998), *Statistics in Medicine* 17: 873, method 10.
    """
    if min(first[1], second[1]) < LEAST:
        return None
    before, after = share(*first), share(*second)
    if before is None or after is None:
        return None
    difference = after.value - before.value
    down = math.hypot(after.value - after.low, before.high - before.value)
    up = math.hypot(after.high - after.value, before.value - before.low)
    return Estimate(difference, max(-1.0, difference - down), min(1.0, difference + up), first[1] + second[1])


def student(freedom: float) -> float:
    """Return the 0.975 quantile of Student's t, within 0.01 from four degrees of freedom on.

    Source: Abramowitz and Stegun (1964), 26.7.5. Below four degrees, the tables' own values.
    """
    if freedom < 4:  # noqa: PLR2004 (where the expansion is not good enough)
        return (12.706, 4.303, 3.182)[max(1, int(freedom)) - 1]
    z = Z_95
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
    )
    return z + math.fsum(term / freedom**power for power, term in enumerate(terms, start=1))
