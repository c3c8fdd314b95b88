"""A room's own threshold: what its marks speak for (pure). Marks are scores and times; no sound is ever kept."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

LOWEST, HIGHEST = 0.1, 0.9
"""No proposal goes beyond: a room that wakes at everything, or at nothing, is a fault and no setting."""

LOOK_BACK = timedelta(days=14)
"""Older marks do not count: patient, bed and television change. Of the order of a stay (about a week in Europe's acute
care: OECD, Health at a Glance, "Average length of stay in hospitals")."""

MISSED_WEIGHT = 2.0
"""A call that is not heard weighs as much as two wakes that nobody wanted: a patient who is not heard may give up."""

LEAST_GAIN = 3.0
"""Weight of mistakes that a change must spare: one bad moment moves nothing."""

LARGEST_STEP = 0.2
"""One proposal changes no more than this, so that its effect is seen before the next."""

_MARGIN = 0.01


@dataclass(frozen=True, slots=True)
class Mark:
    """What somebody said, or did, about one wake.

    Attributes:
        kind: ``wanted``: the room woke and was asked for something. ``false``: it woke, and staff or patient marked
            that nobody had called. ``missed``: somebody called, and it did not wake.
        score: That of the wake, 0 to 1; of a missed one, the best score below the threshold in the seconds before, or
            None where nothing was heard at all.
        at: When, UTC.
    """

    kind: Literal["wanted", "false", "missed"]
    score: float | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Proposal:
    """A new threshold for a person to accept.

    Attributes:
        threshold: 0.1 to 0.9, two decimals.
        spared_false: False wakes of the last two weeks that it would have spared (negative: that it would have added).
        spared_missed: Missed calls that it would have heard (negative: wanted ones that it would have lost).
        unheard: Missed calls that no threshold would have heard.
        reason: A sentence for staff.
    """

    threshold: float
    spared_false: int
    spared_missed: int
    unheard: int
    reason: str


def propose(marks: Sequence[Mark], current: float, now: datetime) -> Proposal | None:
    """Return the threshold that the marks speak for, or None where they speak for none but the current one.

    Args:
        marks: In any order.
        current: The room's threshold, 0 to 1.
        now: UTC.
    """
    recent = [mark for mark in marks if now - LOOK_BACK <= mark.at <= now]
    false = [mark.score for mark in recent if mark.kind == "false" and mark.score is not None]
    called = [mark.score for mark in recent if mark.kind != "false" and mark.score is not None]
    unheard = sum(mark.kind == "missed" and mark.score is None for mark in recent)

    def mistakes(threshold: float) -> tuple[int, int]:
        return sum(score >= threshold for score in false), sum(score < threshold for score in called)

    def cost(threshold: float) -> float:
        woken, missed = mistakes(threshold)
        return woken + MISSED_WEIGHT * missed

    # Only just below what should wake and just above what should not does the count change.
    edges = {round(score - _MARGIN, 2) for score in called} | {round(score + _MARGIN, 2) for score in false}
    low = max(LOWEST, math.ceil((current - LARGEST_STEP) * 100) / 100)
    high = min(HIGHEST, math.floor((current + LARGEST_STEP) * 100) / 100)
    candidates = {min(max(edge, low), high) for edge in edges}
    best = min(candidates, key=lambda threshold: (cost(threshold), abs(threshold - current)), default=current)
    if cost(current) - cost(best) < LEAST_GAIN:
        return None
    woken, missed = mistakes(current)
    woken_then, missed_then = mistakes(best)
    return Proposal(
        threshold=round(best, 2),
        spared_false=woken - woken_then,
        spared_missed=missed - missed_then,
        unheard=unheard,
        reason=_reason(woken, woken - woken_then, missed, missed - missed_then),
    )


def _reason(woken: int, spared_false: int, missed: int, spared_missed: int) -> str:
    parts = []
    if spared_false > 0:
        parts.append(f"{spared_false} of {woken} wakes that nobody wanted would not have been")
    if spared_missed > 0:
        parts.append(f"{spared_missed} of {missed} calls that were not heard would have been")
    if spared_false < 0:
        parts.append(f"{-spared_false} more wakes that nobody wanted would have been")
    if spared_missed < 0:
        parts.append(f"{-spared_missed} calls that were heard would not have been")
    return f"In the last {LOOK_BACK.days} days: {'; '.join(parts)}."
