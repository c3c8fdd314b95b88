"""Thinking patterns and the answers that cognitive therapy has to them."""

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

NotADistortion = Literal[
    "realistic_appraisal",
    "grief",
    "feeling_only",
    "question",
    "quotation_of_other",
    "therapist_speech",
]
"""What is taken for a distortion and is none: a clinician's answer to a hypothesis, never a tagger's label. Ours."""

NOT_A_DISTORTION: Final[tuple[NotADistortion, ...]] = get_args(NotADistortion)


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
