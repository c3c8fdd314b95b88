"""What a third hearing adds to two: whether Whisper, too, finds that a phrase was said. Pure decisions.

Whisper's own words are often wrong in noise ("over half the game"), but of the phrases that a question allows it finds
the right one most probable in 95 of 100 cases. So its words are not matched: the phrases are compared. Each hearing
errs in its own way, and what counts is their sum: in 98 of 100 cases the best phrase of all three means what was said.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from forge_edge.speech.agreement import LEAST_ACCEPTED, NOTHING_HEARD, AgreementRule, Claim, Decision, decision
from forge_edge.speech.phones import PhraseScores

LEAST_ALONE = 0.97
"""Probability at which a sense is taken that the first hearing did not choose."""

_MOST_CANDIDATES = 12
_MOST_SENSES = 7
_MOST_PHRASES = 9
"""Phrases that are compared: the first hearing's, Whisper's own words, the best of each of the senses that the second
hearing ranks highest, and its best phrases."""

SECOND_SHARE = 0.6
FIRST_SHARE, FIRST_AHEAD = 1.0, 4.0
"""What a nat of the second hearing is worth beside one of Whisper, and what the first hearing's choice is worth: its
log-odds and as many nat more. Of a grid on 900 fitted utterances: 0.965 of what was said was ranked first at 0 and 0.6,
0.979 so; the ratios are plain sums of logarithms, so that none of the shares is far from one."""

_MOST_MARGIN = 12.0
_LEAST_BEHIND, _MOST_BEHIND = -3.0, 15.0
_MOST_LEAD = 10.0
"""Nat; differences beyond these mean the same."""
_LEAST_PROBABILITY = 1e-4
_CHARACTERS_PER_TOKEN = 4.0
_NEVER = -50.0
"""Log-ratio of a phrase that the second hearing cannot spell."""
_NO_RIVAL = 0.0
"""Of the second hearing: speech at large, where there is no other sense."""

RULE = AgreementRule(
    weights=(0.1724, -0.0604, -0.0378, 1.6336, 0.5124, 0.4024, 0.1606, -0.008, -0.1017),
    bias=2.0552,
)
"""Fitted by ``benchmarks/hearing.py third --seed 2``, in the order of `ThirdClaim.figures`."""


@dataclass(frozen=True, slots=True)
class ThirdClaim:
    """What Whisper finds most probable of what may have been said. Ratios are natural logarithms.

    Attributes:
        phrase: The phrase.
        sense: What it means.
        margin: How far it is ahead of the best phrase of any other sense, all three hearings together.
        ahead: The same for Whisper alone; negative where it prefers another sense.
        behind: How far the sense's best phrase is behind what Whisper would write freely; negative where it is ahead.
        mean: The phrase's logarithm of probability for each of its tokens, roughly counted.
        agrees: Whether the first hearing chose the same sense.
        odds: Log-odds of the first two hearings' claim.
        own: The second hearing's ratio for the sense, for each sign it heard.
        lead: How far the second hearing prefers the sense to any other that was compared, for each sign it heard.
    """

    phrase: str
    sense: str
    margin: float
    ahead: float
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
            min(max(self.ahead, -_MOST_MARGIN), _MOST_MARGIN),
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
    held = min(max(probability, _LEAST_PROBABILITY), 1 - _LEAST_PROBABILITY)
    odds = math.log(held / (1 - held))
    chosen = claim.sense if claim is not None else None
    ratios = {phrase: scores.ratios.get(phrase, _NEVER) for phrase in compared}
    best = _best(
        {
            phrase: found
            + SECOND_SHARE * ratios[phrase]
            + (FIRST_SHARE * (odds + FIRST_AHEAD) if senses[phrase] == chosen else 0.0)
            for phrase, found in compared.items()
        },
        senses,
    )
    if not best:
        return None
    (sense, (phrase, total)), *others = best
    whispered, other_whispered = _apart(compared, senses, sense)
    own, rival = _apart(ratios, senses, sense)
    ahead = whispered - other_whispered if other_whispered is not None else _MOST_MARGIN
    lead = own - (rival if rival is not None else _NO_RIVAL)
    heard = max(1, scores.heard)
    return ThirdClaim(
        phrase,
        sense,
        margin=total - others[0][1][1] if others else _MOST_MARGIN,
        ahead=ahead,
        behind=free - whispered,
        mean=compared[phrase] / (len(phrase) / _CHARACTERS_PER_TOKEN + 2),
        agrees=sense == chosen,
        odds=odds,
        own=own / heard,
        lead=min(max(lead, -_MOST_LEAD), _MOST_LEAD) / heard,
    )


def decide_third(claim: ThirdClaim | None, rule: AgreementRule = RULE) -> Decision:
    """Decide whether what three hearings make of an utterance is accepted, asked about or refused."""
    if claim is None:
        return NOTHING_HEARD
    probability = rule.probability(claim.figures)
    sure = probability >= (LEAST_ACCEPTED if claim.agrees else LEAST_ALONE)
    return decision(claim.sense, probability, sure=sure, agreed=claim.agrees)


def _best(found: Mapping[str, float], senses: Mapping[str, str]) -> Sequence[tuple[str, tuple[str, float]]]:
    """Return the best phrase and its figure for each sense, best sense first."""
    best: dict[str, tuple[str, float]] = {}
    for phrase, figure in found.items():
        sense = senses[phrase]
        if sense not in best or figure > best[sense][1]:
            best[sense] = (phrase, figure)
    return sorted(best.items(), key=lambda item: -item[1][1])


def _apart(found: Mapping[str, float], senses: Mapping[str, str], sense: str) -> tuple[float, float | None]:
    """Return the best figure of a sense's phrases, and the best of all others."""
    own = max(figure for phrase, figure in found.items() if senses[phrase] == sense)
    return own, max((figure for phrase, figure in found.items() if senses[phrase] != sense), default=None)
