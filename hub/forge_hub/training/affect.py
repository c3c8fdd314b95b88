"""Trains the head of `forge_language.affect` from EmoBank."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forge_hub.training.calibration import regression
from forge_hub.training.standard import standard, whitening
from forge_language.affect import inputs, seen, sureness_rows
from forge_language.emotions import EmotionHead
from forge_language.heads.files import in_bytes
from forge_language.heads.kernel import known as ready
from forge_language.heads.kernel import resemblances
from forge_language.heads.reader import Reader
from forge_language.heads.surface import WIDTH
from forge_language.taxonomy import GOEMOTIONS, quadrant_of

Array = NDArray[np.float32]

AXES: Final = 192
"""Main axes of the encoding on which texts are compared."""
KNOWN: Final = 2600
"""Sentences that the head keeps, as numbers and not as words, to compare with (Williams and Seeger 2001)."""
SURFACE_SIZE, EMOTION_SIZE = 0.35, 0.8
"""Sizes of the surface and of the emotions beside the encoding, whose squares sum to 1 on average. Ours, on dev."""
BREADTH: Final = 0.15
STRAIGHT_SIZE: Final = np.float32(0.01)
"""Size of the inputs themselves beside the resemblances: the linear part of the regression."""
PENALTY: Final = (0.15, 1.0)
"""Of the ridge, for valence and for arousal, which is noisier."""
HELD_OUT: Final = 8
"""Every eighth sentence sets the confidence of a head trained on the others; the shipped head reads all of train."""
SEED: Final = 1


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
    rows, mean, deviation = standard(inputs(on.means(texts), emotions))
    frame = _frame(rows)
    compared = seen(rows, frame["axes"].astype(np.float32) * frame["axes.scale"], frame["sizes"])
    chosen = np.sort(np.random.default_rng(SEED).choice(len(texts), min(KNOWN, len(texts)), replace=False))
    known = in_bytes("known", compared[chosen])
    near = resemblances(compared, ready(known["known"].astype(np.float32) * known["known.scale"]), BREADTH)
    held = np.arange(len(texts)) % HELD_OUT == 0
    first = _fitted(near[~held], rows[~held], readings[~held], chosen_near=near[chosen])
    places = np.clip(near[held] @ first["alphas"] + rows[held] @ first["straight"] + first["bias"], -1, 1)
    right = np.array(
        [
            quadrant_of(*map(float, a)) == quadrant_of(*map(float, b))
            for a, b in zip(places, readings[held], strict=True)
        ]
    )
    return {
        "mean": mean,
        "deviation": deviation,
        **frame,
        **known,
        "width": np.array(BREADTH, np.float32),
        **_fitted(near, rows, readings, chosen_near=near[chosen]),
        "sureness": regression(sureness_rows(places), right).astype(np.float32),
    }


def _frame(rows: Array) -> dict[str, NDArray[Any]]:
    """Return the main axes of the encoding and the size in which each number is compared."""
    width = rows.shape[1] - WIDTH - 2 * len(GOEMOTIONS)
    states = rows[:, :width].astype(np.float64)
    _, directions = np.linalg.eigh(states.T @ states)
    axes = in_bytes("axes", directions[:, ::-1][:, :AXES])
    spread = rows[:, :width] @ (axes["axes"].astype(np.float32) * axes["axes.scale"])
    sizes = np.concatenate(
        [
            np.full(AXES, 1 / np.sqrt(np.square(spread).sum(axis=1).mean())),
            np.full(WIDTH, SURFACE_SIZE / np.sqrt(WIDTH)),
            np.full(2 * len(GOEMOTIONS), EMOTION_SIZE / np.sqrt(2 * len(GOEMOTIONS))),
        ]
    )
    return {**axes, "sizes": sizes.astype(np.float32)}


def _fitted(near: Array, rows: Array, readings: Array, *, chosen_near: Array) -> dict[str, Array]:
    """Return the weights of the resemblances, of the inputs, and the bias, by one ridge regression on both."""
    turned = whitening(chosen_near)
    both = np.concatenate([near @ turned.astype(np.float32), rows * STRAIGHT_SIZE], axis=1).astype(np.float64)
    centre, middle = both.mean(axis=0), readings.mean(axis=0, dtype=np.float64)
    both -= centre
    square, aims = both.T @ both, both.T @ (readings - middle)
    weights = np.column_stack(
        [np.linalg.solve(square + penalty * np.eye(len(square)), aims[:, axis]) for axis, penalty in enumerate(PENALTY)]
    )
    split = len(turned)
    return {
        "alphas": (turned @ weights[:split]).astype(np.float32),
        "straight": (weights[split:] * STRAIGHT_SIZE).astype(np.float32),
        "bias": (middle - centre @ weights).astype(np.float32),
    }
