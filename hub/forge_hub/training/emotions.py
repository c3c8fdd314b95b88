"""Trains the head of `forge_language.emotions` from GoEmotions."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forge_hub.training.calibration import slope_and_shift
from forge_hub.training.logistic import Array, Course, Weights, fit, vocabulary
from forge_hub.training.standard import standard
from forge_language.heads.files import in_bytes
from forge_language.heads.grams import Vocabulary
from forge_language.heads.reader import Reader
from forge_language.taxonomy import GOEMOTIONS

COURSE: Final = Course(rounds=6, batch=1024, rate=0.4, dense_rate=0.05, decay=1e-3, seed=1)
LEAST: Final = 4
"""Comments that a gram must be in."""
GRAMS: Final = 24_000
"""Grams that are kept, those with the largest weights: the head must stay under 1 MB, and it does better so."""
HELD_OUT: Final = 8
"""Every eighth comment teaches nothing; on those the thresholds and the confidences are set."""
DENSE_SCALE: Final = np.float32(0.1)
"""Size of the encoder's numbers beside those of the grams, whose rows have length 1."""


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
    states, mean, deviation = standard(on.means(texts).states)
    held = np.arange(len(texts)) % HELD_OUT == 0
    taught = [text for text, out in zip(texts, held, strict=True) if not out]
    known = vocabulary(taught, LEAST)
    learned = fit(known.rows(taught), states[~held] * DENSE_SCALE, labels[~held], COURSE)
    kept, grams = _largest(known, learned)
    numbers: dict[str, NDArray[Any]] = {
        "keys": kept.keys,
        "rarity": kept.rarity.astype(np.float16),
        **in_bytes("grams", grams),
        "dense": (learned.dense * (DENSE_SCALE / deviation)[:, None]).astype(np.float16),
    }
    dense = numbers["dense"].astype(np.float32)
    numbers["bias"] = (learned.bias - mean @ dense).astype(np.float32)
    shipped = Weights(numbers["grams"].astype(np.float32) * numbers["grams.scale"], dense, numbers["bias"])
    read = Vocabulary(kept.keys, numbers["rarity"].astype(np.float32))
    checked = [text for text, out in zip(texts, held, strict=True) if out]
    scores = shipped.scores(read.rows(checked), states[held] * deviation + mean)
    numbers["thresholds"] = thresholds(scores, labels[held])
    numbers["slope"], numbers["shift"] = slope_and_shift(scores, labels[held])
    return numbers


def _largest(known: Vocabulary, learned: Weights) -> tuple[Vocabulary, Array]:
    weight = np.linalg.norm(learned.grams, axis=1) * known.rarity[: len(learned.grams)]
    chosen = np.sort(np.argsort(-weight, kind="stable")[:GRAMS])
    return Vocabulary(known.keys[chosen], known.rarity[chosen]), learned.grams[chosen]


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
