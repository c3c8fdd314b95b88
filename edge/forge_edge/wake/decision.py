"""How the cheap engine and the verifier are weighed against each other (pure)."""

import math

DEFAULT_THRESHOLD = 0.5
"""Score from which a room wakes, unless it has a threshold of its own: as likely a call as not."""

ENGINE_FLOOR = 0.5
"""Below this the engine heard nothing, and the verifier is not asked. Lower than every published cut-off: where the
verifier is sure, the engine need not be. Measured on 159 recordings of "alexa": all of them reach 0.8."""

VERIFIER_WEIGHT = 0.5
"""Of the verifier's log-odds: it was taught by synthetic voices and is surer of itself with people than it may be."""

VERIFIER_LIMIT = 5.0
"""Weighted log-odds beyond which the verifier's opinion counts no more."""

_LEAST = 0.001


def certainty(engine_score: float, cutoff: float, verdict: float | None) -> float:
    """Return how sure it is that the word was said.

    Args:
        engine_score: The cheap engine's, 0 to 1.
        cutoff: The engine's published cut-off for this word, above 0 and below 1.
        verdict: The verifier's log-odds for this word; None without a verifier.

    Returns:
        0 to 1. Without a verifier it is 0.5 where the engine reaches its cut-off.
    """
    odds = _log_odds(engine_score) - _log_odds(cutoff)
    if verdict is not None:
        odds += max(-VERIFIER_LIMIT, min(VERIFIER_LIMIT, VERIFIER_WEIGHT * verdict))
    return 1 / (1 + math.exp(-odds))


def _log_odds(probability: float) -> float:
    bounded = min(max(probability, _LEAST), 1 - _LEAST)
    return math.log(bounded / (1 - bounded))
