"""Trains the head of `forge_language.emotions` from GoEmotions."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forge_hub.training.calibration import slope_and_shift
from forge_hub.training.logistic import Array, Course, regression
from forge_language.heads.files import HeadFile
from forge_language.heads.reader import Reader
from forge_language.heads.regression import Regression
from forge_language.taxonomy import GOEMOTIONS

COURSE: Final = Course(rounds=6, batch=1024, rate=0.4, dense_rate=0.05, decay=1e-3, seed=1)
LEAST: Final = 4
"""Comments that a gram must be in."""
GRAMS: Final = 24_000
"""Grams that are kept, those with the largest weights: the head must stay under 1 MB, and it does better so."""
HELD_OUT: Final = 8
"""Every eighth comment teaches nothing; on those the thresholds and the confidences are set."""


def comments(file: Path) -> tuple[list[str], Array]:
    """Return the comments of a split and their labels, shape ``(comments, 28)``.

    Args:
        file: Lines of text, label numbers and id between tabs, as GoEmotions is published.
    """
    texts, labels = [], []
    for line in file.read_text(encoding="utf-8").split("\n"):
        if line:
            text, numbers, _ = line.split("\t")
            texts.append(text)
            labels.append(np.isin(np.arange(len(GOEMOTIONS)), [int(number) for number in numbers.split(",")]))
    return texts, np.array(labels, np.float32)


def train(folder: Path, on: Reader) -> Mapping[str, NDArray[Any]]:
    """Return the numbers of the head.

    Args:
        folder: Holds ``train.tsv``.
        on: Encodes texts as the head will read them.
    """
    texts, labels = comments(folder / "train.tsv")
    held = np.arange(len(texts)) % HELD_OUT == 0
    taught, checked = (
        on.means([text for text, out in zip(texts, held, strict=True) if out == which]) for which in (False, True)
    )
    numbers = regression(taught, labels[~held], COURSE, least=LEAST, most=GRAMS)
    scores = Regression(HeadFile("emotions", numbers, {})).scores(checked)
    slope, shift = slope_and_shift(scores, labels[held])
    return {**numbers, "thresholds": thresholds(scores, labels[held]), "slope": slope, "shift": shift}


def thresholds(scores: Array, labels: Array) -> Array:
    """Return for each label the score from which its F1 on some texts is highest, shape ``(labels,)``."""
    found = []
    for own, true in zip(scores.T, labels.T, strict=True):
        order = np.argsort(-own, kind="stable")
        right = np.cumsum(true[order])
        found.append(own[order[np.argmax(2 * right / (np.arange(1, len(order) + 1) + true.sum()))]])
    return np.array(found, np.float32)


def macro_f1(asserted: NDArray[np.bool_], labels: Array) -> float:
    """Return the mean F1 of the labels."""
    right = (asserted * labels).sum(axis=0)
    return float(np.mean(2 * right / np.maximum(1, asserted.sum(axis=0) + labels.sum(axis=0))))
