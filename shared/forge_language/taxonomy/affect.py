"""Places on the circumplex of affect, and kinds of emotion."""

import math
from typing import Final, Literal, get_args

QuadrantId = Literal[
    "pleasant_activated",
    "unpleasant_activated",
    "unpleasant_deactivated",
    "pleasant_deactivated",
    "neutral",
]
"""Quadrants of the circumplex of affect and the zone around its centre.

Sources: Russell J.A. (1980); Posner, Russell & Peterson (2005).
"""

GoEmotion = Literal[
    "admiration",
    "amusement",
    "anger",
    "annoyance",
    "approval",
    "caring",
    "confusion",
    "curiosity",
    "desire",
    "disappointment",
    "disapproval",
    "disgust",
    "embarrassment",
    "excitement",
    "fear",
    "gratitude",
    "grief",
    "joy",
    "love",
    "nervousness",
    "optimism",
    "pride",
    "realization",
    "relief",
    "remorse",
    "sadness",
    "surprise",
    "neutral",
]
"""Emotion categories of text. Source: Demszky et al. (2020), *GoEmotions*, with its spelling."""

GOEMOTIONS: Final[tuple[GoEmotion, ...]] = get_args(GoEmotion)

NEUTRAL_RADIUS: Final = 0.15
"""Readings closer to the centre than this are in no quadrant. Our own choice, about one step of a nine-point scale."""


def quadrant_of(valence: float, arousal: float) -> QuadrantId:
    """Return where a reading lies on the circumplex.

    Args:
        valence: Unpleasant to pleasant, -1 to 1.
        arousal: Deactivated to activated, -1 to 1.
    """
    if math.hypot(valence, arousal) < NEUTRAL_RADIUS:
        return "neutral"
    if valence >= 0:
        return "pleasant_activated" if arousal >= 0 else "pleasant_deactivated"
    return "unpleasant_activated" if arousal >= 0 else "unpleasant_deactivated"
