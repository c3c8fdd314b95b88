"""What a large recogniser makes up: whether its words can have been said. Pure decisions.

Whisper writes fluent sentences over noise and silence, with high confidence (Koenecke et al. 2024, "Careless Whisper:
Speech-to-Text Hallucination Harms", FAccT). What it reports of itself is not enough, so its words are weighed, too.
"""

from collections.abc import Sequence
from typing import Literal

NO_SPEECH_PROBABILITY = 0.6
LEAST_MEAN_LOG_PROBABILITY = -1.0
MOST_COMPRESSION = 2.4
"""Silence, doubt and repetition: Radford et al. 2022, "Robust Speech Recognition via Large-Scale Weak Supervision",
section 4.5. The paper calls a segment silent where the first two hold together; here either is enough to ask again."""

MOST_WORDS_PER_SECOND = 6.0
"""People read aloud at 2 to 5 words a second (Goldman-Eisler 1968, "Psycholinguistics", and many since); what has more
words than this for its length was not said in it."""
_FEW_WORDS = 4
"""Up to so many words may be cut short by the end of the sound, so that their rate says nothing."""

_REPEATS = 3
"""The same words so often in a row are a loop of the decoder; people say things twice."""

Fault = Literal["silence", "doubt", "repetition", "too-fast", "made-up"]


def fault(  # noqa: PLR0913 (what the recogniser reports of a segment)
    text: str,
    *,
    seconds: float,
    no_speech_probability: float,
    mean_log_probability: float,
    compression_ratio: float,
    made_up: Sequence[str],
) -> Fault | None:
    """Return why a recogniser's words are not to be believed; None if nothing speaks against them.

    Args:
        text: Lower-case words with single spaces.
        seconds: Length of the sound, > 0.
        no_speech_probability: 0 to 1.
        mean_log_probability: Of its tokens, at most 0.
        compression_ratio: Characters over compressed bytes, >= 0.
        made_up: Sentences that are known to be written over silence.
    """
    words = text.split()
    if no_speech_probability > NO_SPEECH_PROBABILITY:
        return "silence"
    if mean_log_probability < LEAST_MEAN_LOG_PROBABILITY:
        return "doubt"
    if compression_ratio > MOST_COMPRESSION or _loops(words):
        return "repetition"
    if len(words) > _FEW_WORDS and len(words) > MOST_WORDS_PER_SECOND * seconds:
        return "too-fast"
    return "made-up" if any(f" {known} " in f" {text} " for known in made_up) else None


def _loops(words: list[str]) -> bool:
    return any(
        words[start : start + length] * _REPEATS == words[start : start + length * _REPEATS]
        for length in range(1, len(words) // _REPEATS + 1)
        for start in range(len(words) - length * _REPEATS + 1)
    )
