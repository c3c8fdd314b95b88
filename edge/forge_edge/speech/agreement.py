"""Whether two hearings of one utterance agree on what was said. Pure decisions.

The first hearing searches with a grammar, the second writes down phones freely (`forge_edge.speech.phones`). What both
find probable, and neither hears as something else, is accepted; what is less clear may be asked about ("I heard ... Is
that right?"); everything else is refused. Nothing is stored without the person's word in any case.
"""

import math
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from typing import Literal

from forge_edge.speech.evidence import Evidence
from forge_edge.speech.phones import PhraseScores
from forge_edge.speech.ports import Grammar
from forge_shared.model import Frozen

LEAST_ACCEPTED = 0.75
"""Probability at which a phrase is taken as said, where both hearings rank it first."""
LEAST_LEAD = 1.0
"""Nat by which the second hearing must prefer the sense to any other: e times as probable. Less is a tie."""
LEAST_CERTAIN = 0.98
MOST_BEHIND = 2.0
"""Probability, and nat by which another sense may lead in the second hearing, at which it is taken all the same: a word
of one syllable has too few phones to lead by much."""
LEAST_DOUBTED = 0.2
"""Probability at which it is worth a question. All five from ``benchmarks/hearing.py``, which prints what they let
through: other speech must be refused in 95 of 100 cases, and no recording of a person who says something else is
accepted."""

_SHORT_PHONES = 4
_FARTHEST = 15.0
"""Differences of log-ratios beyond this mean the same: certainty."""
_NEVER = -50.0
"""Log-ratio of a phrase that the second hearing cannot spell."""

DECOY = "decoy:"
"""Begins the sense of a phrase that is in the grammar only so that nothing else is taken for it."""

Reason = Literal["agreed", "nothing-heard", "decoy", "unlike", "disagreement", "unsure"]


class AgreementRule(Frozen):
    """A logistic rule over `Claim.figures`.

    Attributes:
        weights: One for each figure.
        bias: Added to the weighted sum.
    """

    weights: tuple[float, ...]
    bias: float

    def probability(self, figures: tuple[float, ...]) -> float:
        """Return the probability, 0 to 1, that what is claimed was said."""
        logit = self.bias + sum(weight * value for weight, value in zip(self.weights, figures, strict=True))
        return 1.0 / (1.0 + math.exp(-min(max(logit, -40.0), 40.0)))


@dataclass(frozen=True, slots=True)
class Claim:
    """What the first hearing chose, with what each hearing says for it. Ratios are natural logarithms.

    Attributes:
        phrase: The grammar's phrase.
        sense: What it means.
        evidence: How well it fits the sound.
        own: The second hearing's ratio for the sense, by its best phrase.
        rival: The same for the best other sense; 0, speech at large, where there is no other.
        exact: The same for the phrase itself.
        heard: Signs that the second hearing wrote down, at least 1.
    """

    phrase: str
    sense: str
    evidence: Evidence
    own: float
    rival: float
    exact: float
    heard: int

    @property
    def agreed(self) -> bool:
        """Whether the second hearing, too, finds this sense the most probable, and clearly."""
        return self.lead >= LEAST_LEAD

    @property
    def lead(self) -> float:
        """How far the second hearing prefers this sense to any other, in nat; negative where it prefers another."""
        return self.own - self.rival

    @property
    def figures(self) -> tuple[float, ...]:
        """What the rule weighs: the evidence's ten figures, then nine of the second hearing."""
        short = 1.0 if round(math.exp(self.evidence.phones)) <= _SHORT_PHONES else 0.0
        return (
            *astuple(self.evidence),
            self.own / self.heard,
            (self.own - self.rival) / self.heard,
            self.own,
            min(self.own - self.rival, _FARTHEST),
            math.log(self.heard),
            short,
            short * self.own / self.heard,
            short * self.evidence.fit,
            self.exact / self.heard,
        )


@dataclass(frozen=True, slots=True)
class Decision:
    """What may be done with a hearing.

    Attributes:
        accepted: Both hearings agree: it is taken as said, and read back.
        doubted: It is probable enough to be asked about, and no more.
        confidence: Calibrated probability, 0 to 1, that it was said.
        reason: Why; stable words for logs and reports.
    """

    accepted: bool
    doubted: bool
    confidence: float
    reason: Reason


NOTHING_HEARD = Decision(accepted=False, doubted=False, confidence=0.0, reason="nothing-heard")


def claimed(
    phrase: str, evidence: Evidence | None, scores: PhraseScores, grammar: Grammar, senses: Mapping[str, str]
) -> Claim | None:
    """Put together what the two hearings say; None where one of them heard nothing.

    Args:
        phrase: The grammar's choice, empty for none.
        evidence: How it fits.
        scores: The second hearing's comparison with every phrase of the grammar.
        grammar: What might have been said.
        senses: Its senses by phrase.
    """
    if not phrase or evidence is None or not scores.heard:
        return None
    sense = grammar.sense(phrase)
    best = scores.best(senses)
    return Claim(
        phrase,
        sense,
        evidence,
        own=best[sense][0] if sense in best else _NEVER,
        rival=next((ratio for other, (ratio, _) in best.items() if other != sense), 0.0),
        exact=scores.ratios.get(phrase, _NEVER),
        heard=scores.heard,
    )


def decide(claim: Claim | None, rule: AgreementRule) -> Decision:
    """Decide whether a claim is accepted, asked about or refused."""
    if claim is None:
        return NOTHING_HEARD
    probability = rule.probability(claim.figures)
    certain = probability >= LEAST_CERTAIN and claim.lead >= -MOST_BEHIND
    sure = certain or (claim.agreed and probability >= LEAST_ACCEPTED)
    return decision(claim.sense, probability, sure=sure, agreed=claim.agreed)


def decision(sense: str, probability: float, *, sure: bool, agreed: bool) -> Decision:
    """Return what follows from how probable a sense is, however many hearings were asked.

    Args:
        sense: What was probably said.
        probability: 0 to 1.
        sure: Whether that is enough to take it as said.
        agreed: Whether the hearings prefer the same sense.
    """
    if sense.startswith(DECOY):
        return Decision(accepted=False, doubted=False, confidence=0.0, reason="decoy")
    if probability < LEAST_DOUBTED:
        return Decision(accepted=False, doubted=False, confidence=probability, reason="unlike")
    if sure:
        return Decision(accepted=True, doubted=False, confidence=probability, reason="agreed")
    return Decision(accepted=False, doubted=True, confidence=probability, reason="unsure" if agreed else "disagreement")
