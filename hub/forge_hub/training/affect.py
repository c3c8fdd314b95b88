"""Trains the head of `forge_language.affect` from EmoBank."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forge_hub.training.calibration import regression
from forge_hub.training.standard import standard
from forge_language.affect import inputs, sureness_rows
from forge_language.emotions import EmotionHead
from forge_language.heads.reader import Reader
from forge_language.taxonomy import quadrant_of

Array = NDArray[np.float32]

PENALTY: Final = 20_000.0
"""Of the ridge, on numbers of unit size. As large as this because the encoding has seen these sentences before."""
HELD_OUT: Final = 8
"""Every eighth sentence sets the confidence of a head trained on the others; the shipped head reads all of train."""


def sentences(file: Path, split: str) -> tuple[list[str], Array]:
    """Return the sentences of a split and their readings, shape ``(sentences, 2)``, valence and arousal, -1 to 1."""
    with file.open(encoding="utf-8", newline="") as opened:
        rows = [row for row in csv.DictReader(opened) if row["split"] == split]
    readings = np.array([[(float(row[axis]) - 3) / 2 for axis in "VA"] for row in rows], np.float32)
    return [row["text"] for row in rows], readings


def train(folder: Path, on: Reader, emotions: EmotionHead) -> Mapping[str, NDArray[Any]]:
    """Return the numbers of the head.

    Args:
        folder: Holds ``emobank_train_dev.csv``.
        on: Encodes texts as the head will read them.
        emotions: The head that stands below this one.
    """
    texts, readings = sentences(folder / "emobank_train_dev.csv", "train")
    rows = inputs(on.means(texts), emotions)
    held = np.arange(len(texts)) % HELD_OUT == 0
    weights, bias = _fitted(rows[~held], readings[~held])
    places = np.clip(rows[held] @ weights + bias, -1, 1)
    right = np.array(
        [
            quadrant_of(*map(float, a)) == quadrant_of(*map(float, b))
            for a, b in zip(places, readings[held], strict=True)
        ]
    )
    weights, bias = _fitted(rows, readings)
    sureness = regression(sureness_rows(places), right).astype(np.float32)
    return {"weights": weights, "bias": bias, "sureness": sureness}


def _fitted(rows: Array, readings: Array) -> tuple[Array, Array]:
    """Return the weights of the inputs, shape ``(inputs, 2)``, and the bias, shape ``(2,)``, by a ridge regression."""
    unit, mean, deviation = standard(rows)
    unit, middle = unit.astype(np.float64), readings.mean(axis=0, dtype=np.float64)
    square = unit.T @ unit + PENALTY * np.eye(unit.shape[1])
    weights = np.linalg.solve(square, unit.T @ (readings - middle)) / deviation[:, None]
    return weights.astype(np.float32), (middle - mean @ weights).astype(np.float32)
