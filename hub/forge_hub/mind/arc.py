"""Where a person's sessions turned, and which way. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import variance
from typing import Final, Literal

from forge_hub.mind.summaries import PatternSummary

Turn = Literal["rise", "fall"]

LEAST_STEP: Final = 0.25
"""A turn is at least this much of mean valence from one session to the next: one step of a nine-point scale. Ours."""

SIDE: Final = 3
"""Sessions that are compared on either side of a turn, and never fewer than two. Source: Tang & DeRubeis (1999)."""
LEAST_SIDE: Final = 2

T_CRITICAL: Final = {2: 4.303, 3: 3.182, 4: 2.776}
"""Student's t, two-sided at .05, by degrees of freedom. Tang & DeRubeis (1999) took that of 4 throughout."""


@dataclass(frozen=True, slots=True)
class TurningPoint:
    """A lasting step in mean valence between two sessions.

    Attributes:
        before: The session before the step.
        after: The session after it.
        at: When the session after it began.
        turn: Whether it went up or down.
        step: Change of mean valence from the one session to the other, -2 to 2.
        mean_before: Mean of the two or three sessions up to the step.
        mean_after: Mean of the two or three from it on.
    """

    before: str
    after: str
    at: datetime
    turn: Turn
    step: float
    mean_before: float
    mean_after: float


def turning_points(summaries: Sequence[PatternSummary]) -> list[TurningPoint]:
    """Return where mean valence made a large and lasting step.

    The rule is that of sudden gains (Tang & DeRubeis 1999) on another scale: the step from one session to the next is
    large (a quarter), and the means of the two or three sessions before and after it differ by more than Student's t
    allows at .05. Their third rule, a quarter of the level before, has no meaning on a scale with zero in its middle.

    Args:
        summaries: Of sessions, in their order; those without a reading are passed over.
    """
    series = [(each.session or "", each.since, each.avg_valence) for each in summaries]
    known = [(session, since, value) for session, since, value in series if value is not None]
    found = []
    for place in range(LEAST_SIDE, len(known) - LEAST_SIDE + 1):
        values = [value for _, _, value in known]
        before, after = values[max(0, place - SIDE) : place], values[place : place + SIDE]
        step = after[0] - before[-1]
        if abs(step) >= LEAST_STEP and _differ(before, after, step):
            turn: Turn = "rise" if step > 0 else "fall"
            means = math.fsum(before) / len(before), math.fsum(after) / len(after)
            found.append(TurningPoint(known[place - 1][0], known[place][0], known[place][1], turn, step, *means))
    return found


def _differ(before: Sequence[float], after: Sequence[float], step: float) -> bool:
    """Tell whether two short series differ in their means, in the direction of a step: t test of equal spread."""
    difference = math.fsum(after) / len(after) - math.fsum(before) / len(before)
    if difference * step <= 0:
        return False
    freedom = len(before) + len(after) - 2
    pooled = ((len(before) - 1) * variance(before) + (len(after) - 1) * variance(after)) / freedom
    error = math.sqrt(pooled * (1 / len(before) + 1 / len(after)))
    return abs(difference) > T_CRITICAL[freedom] * error
