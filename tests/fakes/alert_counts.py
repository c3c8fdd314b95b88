"""False alerts of a hundred rooms before and during a first ring, counted without store or hub."""

import math
import random
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from forge_hub.releases.evidence import Exposure, trend_of, usual_of, weigh
from forge_hub.releases.verdict_reading import DAYS_BEFORE

RATE_PER_DAY = 0.8
ROOMS, FIRST = 100, 5
STEP_HOURS = 6
LONGEST_DAYS = 14
AMONG = 4
"""Groups that a verdict looks at where there are three hardware profiles: each of them, and all."""
PARTS_OF_DAY = (0.6, 0.6, 0.6, 2.2)
"""How much rooms raise in the four parts of a day: most at night."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What is known at one look: the rooms of the first ring, and the others."""

    hours: int
    ring: Sequence[Exposure]
    others: Sequence[Exposure]


def drawn(seed: int, ratio: float) -> Iterator[Looked]:
    """Yield a look at a drawn site every six hours, where rooms with the release raise ``ratio`` times as much.

    Rooms differ by a gamma distribution of shape 1.5, and every six hours of a room by one of shape 2. The first ring
    is of rooms that raise at least as much as the middle one, as `forge_hub.releases.rings` does.
    """
    chance = random.Random(seed)
    rates = [chance.gammavariate(1.5, RATE_PER_DAY / 1.5) / 4 for _ in range(ROOMS)]

    def raised(rate: float, part: int) -> int:
        return _poisson(chance, rate * PARTS_OF_DAY[part % 4] * chance.gammavariate(2, 0.5))

    daily = [[sum(raised(rate, part) for part in range(4)) for _ in range(DAYS_BEFORE)] for rate in rates]
    before = [sum(days) for days in daily]
    middle = statistics.median(before)
    order = sorted(range(ROOMS), key=lambda room: (before[room] < middle, room))
    counts, first_part = [0] * ROOMS, chance.randrange(4)
    for look in range(1, LONGEST_DAYS * 24 // STEP_HOURS + 1):
        for place, room in enumerate(order):
            counts[room] += raised(rates[room] * (ratio if place < FIRST else 1), first_part + look)
        hours = look * STEP_HOURS
        seen = [
            Exposure(str(room), DAYS_BEFORE * 24, before[room], hours, counts[room], tuple(daily[room]))
            for room in order
        ]
        yield Looked(hours, seen[:FIRST], seen[FIRST:])


def told_after_hours(looks: Iterator[Looked]) -> tuple[str, int]:
    """Return the first verdict of the rule, once a day of use is over for a good one, and after how many hours."""
    usual = None
    hours = 0
    for look in looks:
        hours = look.hours
        usual = usual or usual_of([*look.ring, *look.others])
        assert usual is not None
        verdict = weigh(usual, look.ring, trend_of(usual, look.others), among=AMONG).verdict
        if verdict == "bad" or (verdict == "good" and hours >= 24):
            return verdict, hours
    return "open", hours


def _poisson(chance: random.Random, mean: float) -> int:
    limit, product, count = math.exp(-mean), chance.random(), 0
    while product > limit:
        product *= chance.random()
        count += 1
    return count
