"""Adult attachment: four styles on two axes."""

from dataclasses import dataclass
from typing import Final, Literal, get_args

AttachmentStyleId = Literal["secure", "anxious_preoccupied", "dismissive_avoidant", "fearful_avoidant"]
"""Names of the four corners.

Sources: Hazan & Shaver (1987); Bartholomew & Horowitz (1991); infants: Ainsworth et al. (1978), Main & Solomon (1990).
"""

AttachmentHintId = Literal["anxiety_high", "anxiety_low", "avoidance_high", "avoidance_low"]
"""What one utterance may hint at: an end of one axis. A style is of a person, never of an utterance.

Axes: Brennan, Clark & Shaver (1998), ECR; Fraley, Waller & Brennan (2000), ECR-R.
"""

ATTACHMENT_HINTS: Final[tuple[AttachmentHintId, ...]] = get_args(AttachmentHintId)

InsufficientEvidence = Literal["insufficient_evidence"]
INSUFFICIENT_EVIDENCE: Final[InsufficientEvidence] = "insufficient_evidence"
"""The answer where too little was said to say anything."""

Level = Literal["low", "high"]
Model = Literal["positive", "negative"]


@dataclass(frozen=True, slots=True)
class AttachmentStyle:
    """One corner of the two axes.

    Attributes:
        id: Its name.
        anxiety: Fear of being left.
        avoidance: Discomfort with closeness.
        self_model: How one sees oneself.
        other_model: How one sees others.
        infant: The corresponding pattern of infants.
        marks: What it looks like.
    """

    id: AttachmentStyleId
    anxiety: Level
    avoidance: Level
    self_model: Model
    other_model: Model
    infant: str
    marks: str


_STYLES: Final[tuple[AttachmentStyle, ...]] = (
    AttachmentStyle(
        "secure", "low", "low", "positive", "positive", "secure_B", "At ease with closeness and with being alone."
    ),
    AttachmentStyle(
        "anxious_preoccupied",
        "high",
        "low",
        "negative",
        "positive",
        "ambivalent_C",
        "Fears being left, asks for reassurance, watches for signs.",
    ),
    AttachmentStyle(
        "dismissive_avoidant",
        "low",
        "high",
        "positive",
        "negative",
        "avoidant_A",
        "Prizes independence, plays down need and feeling.",
    ),
    AttachmentStyle(
        "fearful_avoidant",
        "high",
        "high",
        "negative",
        "negative",
        "disorganised_D",
        "Wants closeness and is afraid of it.",
    ),
)

ATTACHMENT_STYLES: Final = {style.id: style for style in _STYLES}
"""Every style by its name."""

HIGH_FROM: Final = 0.5
"""From this value on, an axis counts as high: its middle. Ours; questionnaires split at a sample's mean instead."""

LEAST_QUOTED: Final = 5
"""Fewer utterances that hint at anything name no style. Ours; the taggers' hints are near chance one by one."""


def attachment_name(anxiety: float, avoidance: float, n_evidence: int) -> AttachmentStyleId | InsufficientEvidence:
    """Return the style that two axes amount to.

    Args:
        anxiety: 0 to 1.
        avoidance: 0 to 1.
        n_evidence: Utterances quoted for it; fewer than five are insufficient.
    """
    if n_evidence < LEAST_QUOTED:
        return INSUFFICIENT_EVIDENCE
    levels = ("high" if anxiety >= HIGH_FROM else "low", "high" if avoidance >= HIGH_FROM else "low")
    return next(style.id for style in _STYLES if (style.anxiety, style.avoidance) == levels)
