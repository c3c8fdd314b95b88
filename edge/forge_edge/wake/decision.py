"""How the cheap engine and the verifier are weighed against each other (pure)."""

import math
from collections.abc import Mapping

DEFAULT_THRESHOLD = 0.5
"""Score from which a room wakes, unless it has a threshold of its own: as likely a call as not."""

ENGINE_FLOOR = 0.2
"""Below this the engine heard nothing, and the verifier is not asked. Lower than every published cut-off (0.85 to
0.97): where the verifier is sure, the engine need not be."""

VERIFIER_WEIGHT = 0.5
"""Of the verifier's log-odds: it was taught by synthetic voices and is surer of itself with people than it may be."""

VERIFIER_LIMIT = 5.0
"""Weighted log-odds beyond which the verifier's opinion counts no more."""

LEAN: Mapping[str, float] = {"alexa": 1.0, "hey_jarvis": -0.5}
"""Log-odds in favour of a word, 0 where none is named.

"alexa" resembles little that people say, "hey jarvis" is taken for what a bare name and a breath make. Set on synthetic
voices that were not trained on, and with 159 and 192 recordings of people in view (models/wake, card): of the held-out
voices' near-misses none wakes, and both words are heard more often than by the engine alone.
"""

_LEAST = 0.001


def certainty(engine_score: float, cutoff: float, verdict: float | None, lean: float = 0.0) -> float:
    """Return how sure it is that the word was said.

    Args:
        engine_score: The cheap engine's, 0 to 1.
        cutoff: The engine's published cut-off for this word, above 0 and below 1.
        verdict: The verifier's log-odds for this word; None without a verifier.
        lean: Log-odds in favour of the word, with a verifier only.

    Returns:
        0 to 1. Without a verifier it is 0.5 where the engine reaches its cut-off.
    """
    odds = _log_odds(engine_score) - _log_odds(cutoff)
    if verdict is not None:
        odds += max(-VERIFIER_LIMIT, min(VERIFIER_LIMIT, VERIFIER_WEIGHT * verdict)) + lean
    return 1 / (1 + math.exp(-odds))


def _log_odds(probability: float) -> float:
    bounded = min(max(probability, _LEAST), 1 - _LEAST)
    return math.log(bounded / (1 - bounded))
