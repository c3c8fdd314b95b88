"""From scores to confidences: Platt's logistic regression on what was held out (Platt 1999)."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
_ROUNDS: Final = 60
_PULL: Final = 1e-2
"""Keeps the slope of a label that has next to no examples finite."""


def slope_and_shift(scores: Array, true: Array) -> tuple[Array, Array]:
    """Return for each column what turns its scores into log-odds that are right on average.

    Args:
        scores: Shape ``(texts, labels)``.
        true: 0 or 1, the same shape.
    """
    pairs = [
        regression(np.column_stack([own, np.ones(len(own))]), each) for own, each in zip(scores.T, true.T, strict=True)
    ]
    return tuple(np.array(part, np.float32) for part in zip(*pairs, strict=True))  # type: ignore[return-value]  # two parts


def regression(rows: NDArray[np.floating], true: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the weights of a logistic regression by Newton's steps, shape ``(columns,)``."""
    weights = np.zeros(rows.shape[1])
    rows = rows.astype(np.float64)
    for _ in range(_ROUNDS):
        likely = 1 / (1 + np.exp(-np.clip(rows @ weights, -30, 30)))
        bent = (rows * (likely * (1 - likely))[:, None]).T @ rows + _PULL * np.eye(rows.shape[1])
        weights -= np.linalg.solve(bent, rows.T @ (likely - true) + _PULL * weights)
    return weights


def calibration_error(sure: NDArray[np.floating], true: NDArray[np.floating], bins: int = 10) -> float:
    """Return the expected calibration error (ECE): how far confidence and truth are apart, by bins of equal width."""
    places = np.minimum((sure * bins).astype(int), bins - 1)
    counts = np.maximum(1, np.bincount(places, minlength=bins))
    gaps = np.abs(np.bincount(places, sure, bins) - np.bincount(places, true, bins)) / counts
    return float((gaps * np.bincount(places, minlength=bins)).sum() / len(sure))
