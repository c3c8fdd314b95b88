"""Distortions by a trained head beside the patterns, with a quote, and silence where it is not sure.

A logistic regression on word and letter grams and on a sentence encoding. It says first whether there is a distortion
at all; only then it names up to three, the likeliest first. Trained on utterances that were written for it, none a
patient's: how it does on another writer's is in `docs/benchmarks.md`, how it was made in `models/mind/distortions`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from forge_language.clauses import stretches
from forge_language.distortions import find_distortions
from forge_language.heads.files import HeadFile, head_file
from forge_language.heads.reader import Array, Encoded, Reader, reader
from forge_language.heads.regression import Regression
from forge_language.taxonomy import DISTORTIONS, DistortionId

LABELS: Final[tuple[DistortionId, ...]] = tuple(DISTORTIONS)
_MOST: Final = 3
"""Humans agree on the one type in about a third of cases (Shreevastava and Foltz 2021), so three are offered."""
_NO_PARTS: Final[Array] = np.zeros((0, len(LABELS) + 1), np.float32)


@dataclass(frozen=True, slots=True)
class Named:
    """A distortion that an utterance shows, as the head has it.

    Attributes:
        label: Which one.
        start: Place of the quote's first character.
        end: Place after its last.
        confidence: 0 to 1, calibrated on utterances of writers who taught nothing.
    """

    label: DistortionId
    start: int
    end: int
    confidence: float


@dataclass(frozen=True, slots=True)
class Measure:
    """What turns scores into what is said.

    Attributes:
        present: The least `presence` from which a distortion is named.
        slope, shift: Turn a label's score into log-odds that are right on average.
    """

    present: float
    slope: float
    shift: float


@dataclass(frozen=True, slots=True)
class Judged:
    """What another judge than the head says of some texts, as a fine-tuned encoder does.

    Attributes:
        scores: Shape ``(texts, 14)``, as `DistortionHead.scores` returns them.
        measure: What turns them into what is said.
    """

    scores: Array
    measure: Measure


class DistortionHead:
    """The trained head. Any thread may call it.

    Args:
        file: Its numbers.
    """

    def __init__(self, file: HeadFile) -> None:
        self.version = file.version
        self.scores = Regression(file).scores
        """What is for each label in the order of `LABELS` and for any at all, log-odds, shape ``(texts, 14)``."""
        self._measure = Measure(*(float(file[each]) for each in ("present", "slope", "shift")))
        self._least = float(file["least"])

    def named(self, texts: Sequence[str], on: Reader, judged: Judged | None = None) -> list[tuple[Named, ...]]:
        """Return the distortions of each text, the likeliest first, at most three; none where it is not sure of any.

        Args:
            texts: As they are kept; places are in them.
            on: What reads for the head.
            judged: What is said of the texts in the head's place; the head then finds the quotes alone.
        """
        if not texts:
            return []
        encoded = on.read(texts)
        said = judged or Judged(self.scores(encoded), self._measure)
        chosen = [self._chosen(text, own, said.measure) for text, own in zip(texts, said.scores, strict=True)]
        places = [stretches(text) if labels else [] for text, labels in zip(texts, chosen, strict=True)]
        parts = [
            on.stretches(text, pieces, own)
            for text, pieces, own in zip(texts, encoded.pieces, places, strict=True)
            if own
        ]
        scores = iter(self._scores_of_each(parts))
        return [
            tuple(Named(LABELS[label], *self._quote(text, label, own, part), sure) for label, sure in labels)
            for text, labels, own in zip(texts, chosen, places, strict=True)
            for part in ([next(scores)] if own else [_NO_PARTS])
        ]

    def _scores_of_each(self, parts: Sequence[Encoded]) -> list[Array]:
        """Return the scores of each one's texts, computed together."""
        if not parts:
            return []
        texts = tuple(text for each in parts for text in each.texts)
        scores = self.scores(Encoded(texts, np.concatenate([each.states for each in parts])))
        return np.split(scores, np.cumsum([len(each.texts) for each in parts])[:-1])

    def _chosen(self, text: str, scores: Array, measure: Measure) -> list[tuple[int, float]]:
        if presence(scores) < measure.present or not stretches(text):
            return []
        sure = 1 / (1 + np.exp(-(scores[:-1] * measure.slope + measure.shift)))
        best = np.argsort(-scores[:-1], kind="stable")[:_MOST]
        return [
            (int(label), round(float(sure[label]), 4))
            for rank, label in enumerate(best)
            if rank == 0 or sure[label] >= self._least
        ]

    @staticmethod
    def _quote(text: str, label: int, places: Sequence[tuple[int, int]], scores: Array) -> tuple[int, int]:
        """Return the stretch that is most like the label, among those that the label's pattern touches if one does."""
        hits = [(tag.start, tag.end) for tag in find_distortions(text) if tag.label == LABELS[label]]
        touched = [
            row
            for row, (start, end) in enumerate(places)
            if any(start <= first and last <= end for first, last in hits)
        ]
        rows = touched or list(range(len(places)))
        # A stretch must show the label and, half as much, be no look-alike.
        return places[max(rows, key=lambda row: (float(scores[row, label] + scores[row, -1] / 2), -row))]


def presence(scores: Array) -> Array:
    """Return how much speaks for any distortion at all, from scores of shape ``(..., 14)``: any, and the likeliest.

    On another writer's utterances than were taught both together tell look-alikes better than either.
    """
    found: Array = scores[..., -1] + scores[..., :-1].max(axis=-1)
    return found


@lru_cache(maxsize=1)
def distortion_head() -> tuple[DistortionHead, Reader] | None:
    """Return the head that comes with this package and what reads for it; None without an encoder."""
    on = reader()
    return None if on is None else (DistortionHead(head_file("distortions")), on)
