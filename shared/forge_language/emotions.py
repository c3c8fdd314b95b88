"""Emotions of an utterance: the 27 of GoEmotions and neutral, and the 23 that clinicians read, with their mapping.

A logistic regression on word and letter grams and on a sentence encoding. Trained on Reddit comments that
readers labelled (GoEmotions, Demszky et al. 2020, CC BY 4.0): how it does is in `docs/benchmarks.md`, how it was made
in `models/mind/emotions`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from forge_language.heads.files import HeadFile, head_file
from forge_language.heads.grams import hashes, placed_tokens
from forge_language.heads.reader import Array, Encoded, Reader, memoised, reader
from forge_language.heads.regression import Regression
from forge_language.taxonomy import GOEMOTIONS, GoEmotion

EmotionId = Literal[
    "joy",
    "excitement",
    "love",
    "tenderness",
    "gratitude",
    "trust",
    "pride",
    "hope",
    "relief",
    "longing",
    "interest",
    "surprise",
    "confusion",
    "sadness",
    "grief",
    "disappointment",
    "fear",
    "anxiety",
    "anger",
    "irritation",
    "disgust",
    "guilt",
    "shame",
]
"""The product's emotions.

Sources: the six of Ekman (1992); trust with its stronger and weaker neighbours from Plutchik (1980); the split of fear
from anxiety, guilt from shame and grief from sadness that clinicians make (Lazarus 1991, *Emotion and Adaptation*);
the rest as in GoEmotions (Demszky et al. 2020).
"""

EMOTIONS: Final[tuple[EmotionId, ...]] = get_args(EmotionId)

FROM_GOEMOTIONS: Final[Mapping[EmotionId, tuple[GoEmotion, ...]]] = MappingProxyType(
    {
        "joy": ("joy", "amusement"),
        "excitement": ("excitement",),
        "love": ("love",),
        "tenderness": ("caring",),
        "gratitude": ("gratitude",),
        "trust": ("admiration", "approval"),  # one dimension of Plutchik's, acceptance to admiration
        "pride": ("pride",),
        "hope": ("optimism",),
        "relief": ("relief",),
        "longing": ("desire",),
        "interest": ("curiosity",),
        "surprise": ("surprise", "realization"),
        "confusion": ("confusion",),
        "sadness": ("sadness",),
        "grief": ("grief",),
        "disappointment": ("disappointment",),
        "fear": ("fear",),
        "anxiety": ("nervousness",),
        "anger": ("anger",),
        "irritation": ("annoyance", "disapproval"),  # the weaker neighbour of anger, towards things and towards persons
        "disgust": ("disgust",),
        "guilt": ("remorse",),
        "shame": ("embarrassment",),
    }
)
"""Which labels of GoEmotions each stands for; every one of the 27 is in exactly one, neutral in none."""


@dataclass(frozen=True, slots=True)
class Felt:
    """One emotion that an utterance is said to show.

    Attributes:
        label: Which.
        confidence: 0 to 1, calibrated on comments that were held out of the training.
        start: Place of the first word that speaks most for it; 0 where it rests on the whole.
        end: Place after the last.
    """

    label: GoEmotion
    confidence: float
    start: int
    end: int


class EmotionHead:
    """The trained head. Any thread may call it.

    Args:
        file: Its numbers.
    """

    def __init__(self, file: HeadFile) -> None:
        self.version = file.version
        self._on = Regression(file)
        self.thresholds, self._slope, self._shift = file["thresholds"], file["slope"], file["shift"]
        self.scores = memoised(self._on.scores)
        """Log-odds of texts in the order of `GOEMOTIONS`, shape ``(texts, 28)``."""

    def confidences(self, encoded: Encoded) -> Array:
        """Return the calibrated confidence of every label in the order of `GOEMOTIONS`, shape ``(texts, 28)``."""
        found: Array = 1 / (1 + np.exp(-(self.scores(encoded) * self._slope + self._shift)))
        return found

    def felt(self, texts: Sequence[str], asserted: NDArray[np.bool_], sure: Array) -> list[tuple[Felt, ...]]:
        """Return the emotions asserted of each text, the surest first, each with the word that speaks most for it.

        Args:
            texts: As they are kept; places are in them.
            asserted: Which labels, shape ``(texts, 28)``: those whose score is at least of the `thresholds`.
            sure: How sure each would be, shape ``(texts, 28)``.
        """
        found = []
        for place, text in enumerate(texts):
            said = [
                Felt(GOEMOTIONS[label], round(float(sure[place, label]), 4), *self._span(text, int(label)))
                for label in np.flatnonzero(asserted[place])
                if text.strip()
            ]
            found.append(tuple(sorted(said, key=lambda each: (-each.confidence, each.label))))
        return found

    def _span(self, text: str, label: int) -> tuple[int, int]:
        """Return the place of the word that speaks most for a label; the whole text where none does."""
        best, span = 0.0, (0, len(text))
        for token, start, end in placed_tokens(text):
            keys = np.fromiter(hashes(token), np.uint32)
            places, is_known = self._on.vocabulary.places(keys)
            known = places[is_known]
            speaks = float(self._on.grams[known, label] @ self._on.vocabulary.rarity[known])
            if speaks > best and token[0].isalpha():
                best, span = speaks, (start, end)
        return span


def of_clinicians(confidences: Mapping[GoEmotion, float]) -> Mapping[EmotionId, float]:
    """Return the product's 23 scores, 0 to 1: each the highest of those that it stands for."""
    return {emotion: max(confidences[label] for label in FROM_GOEMOTIONS[emotion]) for emotion in EMOTIONS}


@lru_cache(maxsize=1)
def emotion_head() -> tuple[EmotionHead, Reader] | None:
    """Return the head that comes with this package and what reads for it; None without an encoder."""
    on = reader()
    return None if on is None else (EmotionHead(head_file("emotions")), on)
