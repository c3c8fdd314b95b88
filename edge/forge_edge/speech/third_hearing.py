"""What a third hearing adds to two: whether Whisper, too, finds that a phrase was said. Pure decisions.

Whisper's own words are often wrong in noise ("over half the game"), but of the phrases that a question allows it nearly
always finds the right one most probable. So its words are not matched: the phrases are compared, with each other and
with what it would have written freely.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from forge_edge.speech.agreement import DECOY, LEAST_ACCEPTED, LEAST_DOUBTED, AgreementRule, Claim, Decision
from forge_edge.speech.phones import PhraseScores

LEAST_ALONE = 0.97
"""Probability at which a sense is taken although the first hearing found nothing at all."""

_MOST_CANDIDATES = 12
_MOST_SENSES = 7
_MOST_PHRASES = 9
"""Phrases that are compared: the first hearing's, Whisper's own words, the best of each of the senses that the second
hearing ranks highest, and its best phrases."""

_MOST_MARGIN = 12.0
_LEAST_BEHIND, _MOST_BEHIND = -3.0, 15.0
_MOST_LEAD = 10.0
"""Nat; differences beyond these mean the same."""
_LEAST_ODDS = 1e-4
_CHARACTERS_PER_TOKEN = 4.0
_NEVER = -50.0

RULE = AgreementRule(
    weights=(0.0,) * 8,
    bias=0.0,
)
"""Fitted by ``benchmarks/hearing.py third --seed 2``, in the order of `ThirdClaim.figures`."""


@dataclass(frozen=True, slots=True)
class ThirdClaim:
    """What Whisper finds most probable of what may have been said. Ratios are natural logarithms.

    Attributes:
        phrase: The phrase.
        sense: What it means.
        margin: How far it is ahead of the best phrase of any other sense.
        behind: How far it is behind what Whisper would write freely; negative where it is ahead.
        mean: The phrase's logarithm of probability for each of its tokens, roughly counted.
        agrees: Whether the first hearing chose the same sense.
        odds: Log-odds of the first two hearings' claim.
        own: The second hearing's ratio for the sense, for each sign it heard.
        lead: How far the second hearing prefers the sense to any other that was compared, for each sign it heard.
    """

    phrase: str
    sense: str
    margin: float
    behind: float
    mean: float
    agrees: bool
    odds: float
    own: float
    lead: float

    @property
    def figures(self) -> tuple[float, ...]:
        """What the rule weighs."""
        return (
            min(self.margin, _MOST_MARGIN),
            min(max(self.behind, _LEAST_BEHIND), _MOST_BEHIND),
            self.mean,
            1.0 if self.agrees else 0.0,
            self.odds if self.agrees else 0.0,
            0.0 if self.agrees else self.odds,
            self.own,
            self.lead,
        )


def candidates(
    claim: Claim | None, words: str | None, scores: PhraseScores, senses: Mapping[str, str]
) -> tuple[str, ...]:
    """Return the phrases that are worth comparing, at most 12, the likeliest first.

    Args:
        claim: What the first hearing chose.
        words: What Whisper would write freely.
        scores: The second hearing's comparison with every phrase.
        senses: What each phrase means.
    """
    ranked = sorted(scores.ratios, key=lambda phrase: -scores.ratios[phrase])
    found = (
        *((claim.phrase,) if claim is not None else ()),
        *((words,) if words in senses else ()),
        *(phrase for _, phrase in list(scores.best(senses).values())[:_MOST_SENSES]),
        *ranked[:_MOST_PHRASES],
    )
    return tuple(dict.fromkeys(phrase for phrase in found if phrase))[:_MOST_CANDIDATES]


def third_claim(  # noqa: PLR0913 (what one comparison rests on)
    compared: Mapping[str, float],
    free: float,
    *,
    claim: Claim | None,
    probability: float,
    scores: PhraseScores,
    senses: Mapping[str, str],
) -> ThirdClaim | None:
    """Put together what Whisper finds of some phrases; None where nothing was compared.

    Args:
        compared: Logarithm of each candidate's probability.
        free: The same for what Whisper would write freely.
        claim: What the first two hearings say.
        probability: What their rule makes of it, 0 to 1.
        scores: The second hearing's comparison.
        senses: What each phrase means.
    """
    best = _best(compared, senses)
    if not best:
        return None
    (sense, (phrase, found)), *others = best
    ratios = _best({phrase: scores.ratios.get(phrase, _NEVER) for phrase in compared}, senses)
    own = next(ratio for other, (_, ratio) in ratios if other == sense)
    rival = next((ratio for other, (_, ratio) in ratios if other != sense), 0.0)
    held = min(max(probability, _LEAST_ODDS), 1 - _LEAST_ODDS)
    heard = max(1, scores.heard)
    return ThirdClaim(
        phrase,
        sense,
        margin=found - others[0][1][1] if others else _MOST_MARGIN,
        behind=free - found,
        mean=found / (len(phrase) / _CHARACTERS_PER_TOKEN + 2),
        agrees=claim is not None and claim.sense == sense,
        odds=math.log(held / (1 - held)),
        own=own / heard,
        lead=min(max(own - rival, -_MOST_LEAD), _MOST_LEAD) / heard,
    )


def decide_third(claim: ThirdClaim | None, rule: AgreementRule = RULE) -> Decision:
    """Decide whether what three hearings make of an utterance is accepted, asked about or refused."""
    if claim is None:
        return Decision(accepted=False, doubted=False, confidence=0.0, reason="nothing-heard")
    if claim.sense.startswith(DECOY):
        return Decision(accepted=False, doubted=False, confidence=0.0, reason="decoy")
    probability = rule.probability(claim.figures)
    if probability < LEAST_DOUBTED:
        return Decision(accepted=False, doubted=False, confidence=probability, reason="unlike")
    if probability >= (LEAST_ACCEPTED if claim.agrees else LEAST_ALONE):
        return Decision(accepted=True, doubted=False, confidence=probability, reason="agreed")
    return Decision(
        accepted=False, doubted=True, confidence=probability, reason="unsure" if claim.agrees else "disagreement"
    )


def _best(found: Mapping[str, float], senses: Mapping[str, str]) -> Sequence[tuple[str, tuple[str, float]]]:
    """Return the best phrase and its figure for each sense, best sense first."""
    best: dict[str, tuple[str, float]] = {}
    for phrase, figure in found.items():
        sense = senses[phrase]
        if sense not in best or figure > best[sense][1]:
            best[sense] = (phrase, figure)
    return sorted(best.items(), key=lambda item: -item[1][1])
