"""A gentle rewording of a thought for the clinician to offer in their own words, never for the patient to read.

It does not argue with the thought. Each keeps the person's own words as a quote, names no fault, and opens towards what
the linked strategy of cognitive therapy looks for (Leahy 2017, *Cognitive Therapy Techniques*; Beck 2021).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from forge_language.taxonomy import DISTORTIONS, DistortionId, StrategyId

_LONGEST_QUOTE: Final = 160
"""Characters of a quote that is repeated; a longer one is shortened, since the clinician has it on the page."""

_OPENINGS: Final[Mapping[StrategyId, str]] = MappingProxyType(
    {
        "continuum_rating": (
            "You put it as {quote}. If nought were the worst it could be and a hundred the best, where would this be, "
            "and what lies a little above and below it?"
        ),
        "specific_reattribution": (
            "You said {quote}. This time it went the way you feared; I would like to hear about this one time, and "
            "about one when it went differently."
        ),
        "balanced_evidence_log": (
            "{quote} is what stays with you most. It may well matter, and there was more to that day; what else "
            "belongs in the picture?"
        ),
        "positive_data_log": (
            "You said {quote}. Suppose a friend had done the same: what would you let count for them, and may a part "
            "of it count for you?"
        ),
        "alternative_explanations": (
            "{quote} is one way to read it, and none of us can see into others. What other reasons might there be, and "
            "how could you find out?"
        ),
        "behavioural_experiment": (
            "Looking ahead, you said {quote}. It could turn out so, and it could turn out otherwise; how likely does "
            "it feel in percent, and what small step would show?"
        ),
        "decatastrophising": (
            "{quote} tells me how heavy it feels. What would be the worst, the best and the likeliest way it goes on, "
            "and what would help you through each?"
        ),
        "feeling_fact_separation": (
            "You said {quote}. The feeling is real; what would somebody see who watched the moment without it?"
        ),
        "preference_rewording": (
            "I hear a strict rule in {quote}. How would it sound as a wish: it matters to me, and I would like to, as "
            "far as I can?"
        ),
        "define_terms": (
            "{quote} is a hard name for a whole person. What exactly happened, and what about that person does not fit "
            "the name?"
        ),
        "responsibility_pie": (
            "You said {quote}. Several things came together there; if all of them shared a cake, how large would each "
            "slice be, and which is in your hands?"
        ),
        "fair_comparison": (
            "In {quote} you look at others at their best. Where were you a year ago, and what do those others find "
            "hard that you cannot see?"
        ),
    }
)


def rewording(label: DistortionId, quote: str) -> str:
    """Return how a clinician might take up a thought, after the strategy that belongs to the distortion.

    Args:
        label: Which distortion it may show.
        quote: The person's own words, pseudonymised as they are kept.
    """
    words = " ".join(quote.split()).rstrip(".,;:")
    if len(words) > _LONGEST_QUOTE:
        words = words[:_LONGEST_QUOTE].rsplit(" ", 1)[0] + " \u2026"
    return _OPENINGS[DISTORTIONS[label].strategy].format(quote=f"\u201c{words}\u201d")
