"""Valence and arousal of any utterance, with how sure the place on the circumplex is.

A ridge regression on a sentence encoding, the lexicon, the surface and the emotions' scores. Trained on what
readers said of English sentences, mostly written ones (EmoBank, Buechel and Hahn 2017, CC BY-SA 4.0): how it does is in
`docs/benchmarks.md`, how it was made in `models/mind/affect`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from forge_language.emotions import EmotionHead, emotion_head
from forge_language.heads.files import HeadFile, head_file
from forge_language.heads.reader import Array, Encoded, Reader
from forge_language.heads.regression import product
from forge_language.heads.surface import surface
from forge_language.sentiment import valence_arousal


@dataclass(frozen=True, slots=True)
class Affect:
    """Where on the circumplex a text lies, for its readers.

    Attributes:
        valence: Unpleasant to pleasant, -1 to 1: what EmoBank's readers would say on average, (rating - 3) / 2.
        arousal: Deactivated to activated, -1 to 1, the same.
        confidence: 0 to 1: how likely the readers' mean lies in the same quadrant or, like this, in none.
        start: Place of the first word of the lexicon; 0 where there is none, and the reading rests on the whole.
        end: Place after the last.
    """

    valence: float
    arousal: float
    confidence: float
    start: int
    end: int


class AffectHead:
    """The trained head. Any thread may call it.

    Args:
        file: Its numbers.
        emotions: Whose scores it reads.

    Raises:
        ValueError: It was trained on another head of emotions.
    """

    def __init__(self, file: HeadFile, emotions: EmotionHead) -> None:
        if file.about["emotions"] != emotions.version:
            raise ValueError("the head of affect was trained on another head of emotions")
        self.version = file.version
        self._emotions = emotions
        self._weights, self._bias = file["weights"].astype(np.float64), file["bias"]
        self._sureness = file["sureness"]

    def read(self, texts: Sequence[str], encoded: Encoded, beside: Array | None = None) -> list[Affect]:
        """Return the affect of each text.

        Args:
            texts: As they are kept; places are in them.
            encoded: The same as the heads read them.
            beside: What another model reads, shape ``(texts, 2)``; the mean of both is returned.
        """
        if not texts:
            return []
        places = np.clip(product(inputs(encoded, self._emotions), self._weights) + self._bias, -1, 1)
        if beside is not None:
            places = (places + np.clip(beside, -1, 1)) / 2
        sure = 1 / (1 + np.exp(-sureness_rows(places) @ self._sureness))
        return [
            Affect(round(float(valence), 4), round(float(arousal), 4), round(float(one), 4), *_span(text))
            for text, (valence, arousal), one in zip(texts, places, sure, strict=True)
        ]


def inputs(encoded: Encoded, emotions: EmotionHead) -> Array:
    """Return what the head reads of texts: encoding, surface, log-odds and shares of the emotions, side by side."""
    scores = emotions.scores(encoded)
    return np.concatenate([encoded.states, surface(encoded.texts), scores, 1 / (1 + np.exp(-scores))], axis=1)


def sureness_rows(places: Array) -> Array:
    """Return from what the confidence follows: distance from the centre, from the nearer axis, and one."""
    distances = np.abs(places)
    return np.column_stack([np.hypot(places[:, 0], places[:, 1]), distances.min(axis=1), np.ones(len(places))])


def _span(text: str) -> tuple[int, int]:
    spans = valence_arousal(text).spans
    return (min(start for start, _ in spans), max(end for _, end in spans)) if spans else (0, len(text))


@lru_cache(maxsize=1)
def affect_head() -> tuple[AffectHead, Reader] | None:
    """Return the head that comes with this package and what reads for it; None without an encoder."""
    emotions = emotion_head()
    return None if emotions is None else (AffectHead(head_file("affect"), emotions[0]), emotions[1])
