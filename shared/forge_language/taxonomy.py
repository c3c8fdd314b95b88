"""The closed vocabularies of the psychology layer: which labels exist, what they mean, who described them.

Wording is our own. The lists support a clinician's formulation; none of them is a diagnosis, and no label is ever told
to the person it is about.
"""

import math
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, get_args

DistortionId = Literal[
    "all_or_nothing",
    "overgeneralisation",
    "mental_filter",
    "disqualifying_positive",
    "mind_reading",
    "fortune_telling",
    "magnification",
    "emotional_reasoning",
    "should_statements",
    "labelling",
    "personalisation",
    "blaming",
    "unfair_comparison",
]
"""Cognitive distortions.

Sources: Beck A.T. (1963, 1976); Burns D. (1980), *Feeling Good*; Beck J.S. (2021), *Cognitive Behavior Therapy: Basics
and Beyond*, 3rd ed.
"""

StrategyId = Literal[
    "continuum_rating",
    "specific_reattribution",
    "balanced_evidence_log",
    "positive_data_log",
    "alternative_explanations",
    "behavioural_experiment",
    "decatastrophising",
    "feeling_fact_separation",
    "preference_rewording",
    "define_terms",
    "responsibility_pie",
    "fair_comparison",
]
"""Answers of cognitive therapy, offered to the clinician. Source: Leahy R. (2017), *Cognitive Therapy Techniques*."""

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

EriksonStageId = Literal[
    "trust_vs_mistrust",
    "autonomy_vs_shame_doubt",
    "initiative_vs_guilt",
    "industry_vs_inferiority",
    "identity_vs_role_confusion",
    "intimacy_vs_isolation",
    "generativity_vs_stagnation",
    "integrity_vs_despair",
]
"""Psychosocial stages. Sources: Erikson E.H. (1950/1963); Erikson & Erikson (1982), *The Life Cycle Completed*."""

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


@dataclass(frozen=True, slots=True)
class Distortion:
    """One thinking pattern.

    Attributes:
        id: Its label.
        burns: Its number in Burns (1980), absent where he does not list it.
        definition: What it is.
        cues: Words that often mark it; they explain, they do not detect.
        strategy: The usual answer.
        strategy_text: That answer as a step for the clinician to offer.
    """

    id: DistortionId
    burns: str | None
    definition: str
    cues: tuple[str, ...]
    strategy: StrategyId
    strategy_text: str


_DISTORTIONS: Final = (
    Distortion(
        "all_or_nothing",
        "1",
        "Sorting events or people into two extremes with nothing in between.",
        ("completely", "total failure", "either/or"),
        "continuum_rating",
        "Place the event on a 0-100 scale and find real examples between the ends.",
    ),
    Distortion(
        "overgeneralisation",
        "2",
        "Taking one event as proof of a never-ending rule.",
        ("always", "never", "everyone", "every time"),
        "specific_reattribution",
        "Name the single event, count exceptions, and restate with when/where/how often.",
    ),
    Distortion(
        "mental_filter",
        "3",
        "Dwelling on one negative detail until the whole looks dark.",
        ("all I can see", "only thing that matters"),
        "balanced_evidence_log",
        "List all parts of the event, pleasant and neutral ones too, and weigh the whole.",
    ),
    Distortion(
        "disqualifying_positive",
        "4",
        "Declaring good experiences or praise not to count.",
        ("that doesn't count", "anyone could", "they were just being nice"),
        "positive_data_log",
        "Record the good event with evidence for why it does count; imagine judging a friend.",
    ),
    Distortion(
        "mind_reading",
        "5a",
        "Assuming to know what others think, usually something bad, without checking.",
        ("they must think", "she hates me"),
        "alternative_explanations",
        "Generate three other explanations, then check by asking or observing.",
    ),
    Distortion(
        "fortune_telling",
        "5b",
        "Treating a bad prediction as an established fact.",
        ("I'll never", "it will go wrong"),
        "behavioural_experiment",
        "Write the prediction with a percentage, test it, compare with the outcome.",
    ),
    Distortion(
        "magnification",
        "6",
        "Blowing up the meaning or cost of a problem, or shrinking one's own strengths.",
        ("disaster", "unbearable", "the worst"),
        "decatastrophising",
        "Work out worst, best and most likely outcome, and how one would cope with each.",
    ),
    Distortion(
        "emotional_reasoning",
        "7",
        "Taking a feeling as proof of a fact.",
        ("I feel ..., so it is ...",),
        "feeling_fact_separation",
        "Write feeling and fact in two columns; ask what would be seen on a video.",
    ),
    Distortion(
        "should_statements",
        "8",
        "Rigid rules for oneself or others; guilt or anger when they are broken.",
        ("should", "must", "ought", "supposed to"),
        "preference_rewording",
        "Turn the rule into a wish or goal; list costs and benefits of the rule.",
    ),
    Distortion(
        "labelling",
        "9",
        "A fixed global name for oneself or others in place of the act.",
        ("I am a loser", "he is a monster"),
        "define_terms",
        "Define the label, look for what does not fit, describe the act instead of the person.",
    ),
    Distortion(
        "personalisation",
        "10a",
        "Taking the blame for what depended on many causes.",
        ("my fault", "because of me"),
        "responsibility_pie",
        "List all causes and give each a share before taking one's own.",
    ),
    Distortion(
        "blaming",
        "10b",
        "Making others wholly the cause of one's distress and missing one's own part.",
        ("it's all their fault",),
        "responsibility_pie",
        "Same pie with one's own share and what is in one's control.",
    ),
    Distortion(
        "unfair_comparison",
        None,
        "Measuring oneself against a select best case of others.",
        ("everyone else has",),
        "fair_comparison",
        "Compare with one's own past and with a broad range of people.",
    ),
)

DISTORTIONS: Final = MappingProxyType({distortion.id: distortion for distortion in _DISTORTIONS})
"""Every distortion by its label, in Burns's order."""


@dataclass(frozen=True, slots=True)
class EriksonStage:
    """One psychosocial stage. ``typical_age`` (years) differs by textbook and is never evidence by itself."""

    id: EriksonStageId
    number: int
    typical_age: str
    virtue: str
    question: str


ERIKSON_STAGES: Final = (
    EriksonStage("trust_vs_mistrust", 1, "0-1.5", "hope", "Can I rely on others to be there?"),
    EriksonStage("autonomy_vs_shame_doubt", 2, "1.5-3", "will", "May I act by myself?"),
    EriksonStage("initiative_vs_guilt", 3, "3-5", "purpose", "Is it all right to start things?"),
    EriksonStage("industry_vs_inferiority", 4, "6-11", "competence", "Am I able, compared with others?"),
    EriksonStage("identity_vs_role_confusion", 5, "12-18", "fidelity", "Who am I?"),
    EriksonStage("intimacy_vs_isolation", 6, "19-40", "love", "Can I be close without losing myself?"),
    EriksonStage("generativity_vs_stagnation", 7, "40-65", "care", "Do I give something to those after me?"),
    EriksonStage("integrity_vs_despair", 8, "65+", "wisdom", "Was my life all right as it was?"),
)

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
