"""What a text shows on its surface: the lexicon's words, its marks and its length, as numbers."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

_WORD: Final = re.compile(r"[\w']+")
_SHOUTED: Final = re.compile(r"\b[A-Z]{2,}\b")
_SELF: Final = frozenset({"i", "me", "my", "i'm", "i've", "i'll", "i'd", "myself"})
_OTHER: Final = frozenset({"you", "your", "you're"})
_MARKS_COUNTED: Final = 3
"""Exclamation and question marks beyond the third say no more."""
WIDTH: Final = 22


def surface(texts: Sequence[str]) -> NDArray[np.float32]:
    """Return `WIDTH` numbers of each text, shape ``(texts, 22)``: VADER's scores and words, marks, length, persons."""
    return np.array([_one(text) for text in texts], np.float32).reshape(len(texts), WIDTH)


def _one(text: str) -> list[float]:
    analyser = _analyser()
    whole = analyser.polarity_scores(text)
    words = _WORD.findall(text.lower().replace("\u2019", "'"))
    count = max(1, len(words))
    known = [float(analyser.lexicon[word]) for word in words if word in analyser.lexicon]
    strengths = [abs(value) for value in known]
    return [
        *(whole[name] for name in ("compound", "pos", "neg", "neu")),
        max(known, default=0.0),
        min(known, default=0.0),
        sum(known) / count,
        len(known) / count,
        sum(strengths) / count,
        max(strengths, default=0.0),
        min(text.count("!"), _MARKS_COUNTED),
        min(text.count("?"), _MARKS_COUNTED),
        len(_SHOUTED.findall(text)) / count,
        float(np.log1p(count)),
        text.count(",") / count,
        float('"' in text),
        float("..." in text),
        sum(letter.isdigit() for letter in text) / max(1, len(text)),
        sum(word in _SELF for word in words) / count,
        sum(word in _OTHER for word in words) / count,
        float(np.mean([len(word) for word in words])) if words else 0.0,
        float(text[:1].isupper()),
    ]


@lru_cache(maxsize=1)
def _analyser() -> SentimentIntensityAnalyzer:
    """Read the lexicon once, on first use."""
    return SentimentIntensityAnalyzer()
