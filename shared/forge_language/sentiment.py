"""Valence and arousal of a sentence, from the VADER lexicon.

A lexicon knows words, not people: on EmoBank's readers (`benchmarks/language.py`) its valence correlates at r = .48 and
its arousal at only .15 (.56 and .21 where it knows a word), and both are more extreme than those readers were. So
a reading is a hint for a clinician, with the words it rests on, and never a cause for action.

Source of the lexicon: Hutto & Gilbert (2014), VADER, `vaderSentiment` 3.3.2.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

Source = Literal["vader-3.3.2"]
SOURCE: Final[Source] = "vader-3.3.2"

_STRONGEST_WORD: Final = 4.0
"""Largest mean rating of a word in the lexicon, either way. Source: Hutto & Gilbert (2014)."""

_MIDDLE: Final = 0.5
"""A word half as strong as the strongest is taken as neither calm nor excited."""

_EXCLAMATION: Final = 0.2
_EXCLAMATIONS: Final = 3
"""Each of the first three exclamation marks adds a tenth of the whole scale; on EmoBank this raises r by about .03."""

_HALF_SURE_AT: Final = 4
"""Lexicon words at which the confidence is one half. Our own choice, not calibrated."""

_WORD = re.compile(r"\S+")
_MARKS: Final = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~\u2018\u2019\u201c\u201d\u2026"


@dataclass(frozen=True, slots=True)
class Reading:
    """What a sentence's words suggest of the feeling in it.

    Attributes:
        valence: Unpleasant to pleasant, -1 to 1: VADER's compound score, which heeds negation and boosters.
        arousal: Deactivated to activated, -1 to 1: strength of the strongest word against a middling one, plus
            exclamation marks. Weak: a strong word for a still mood ("miserable") reads as activated.
        confidence: 0 to 1, grows with the number of lexicon words; 0 without one, and then both axes are 0.
        spans: Places of the lexicon words, ``text[start:end]``.
        source: Lexicon and version.
    """

    valence: float
    arousal: float
    confidence: float
    spans: tuple[tuple[int, int], ...]
    source: Source = SOURCE


def valence_arousal(text: str) -> Reading:
    """Read valence and arousal from the words of a text."""
    analyser = _analyser()
    spans: list[tuple[int, int]] = []
    strongest = 0.0
    for match in _WORD.finditer(text):
        span = _lexicon_word(match, analyser.lexicon)
        if span is not None:
            spans.append(span)
            strongest = max(strongest, abs(float(analyser.lexicon[text[slice(*span)].lower()])))
    if not spans:
        return Reading(valence=0.0, arousal=0.0, confidence=0.0, spans=())
    arousal = strongest / _STRONGEST_WORD - _MIDDLE + _EXCLAMATION * min(text.count("!"), _EXCLAMATIONS)
    return Reading(
        valence=float(analyser.polarity_scores(text)["compound"]),
        arousal=round(max(-1.0, min(1.0, arousal)), 4),
        confidence=round(len(spans) / (len(spans) + _HALF_SURE_AT), 4),
        spans=tuple(spans),
    )


def _lexicon_word(match: re.Match[str], lexicon: dict[str, float]) -> tuple[int, int] | None:
    """Return the place of a lexicon word or emoticon within one run of signs without a space."""
    start, end = match.span()
    if match[0].lower() in lexicon:
        return start, end
    bare = match[0].strip(_MARKS)
    if not bare or bare.lower() not in lexicon:
        return None
    start += match[0].index(bare)
    return start, start + len(bare)


@lru_cache(maxsize=1)
def _analyser() -> SentimentIntensityAnalyzer:
    """Read the lexicon once, on first use."""
    return SentimentIntensityAnalyzer()
