"""How near texts are to examples that a head has kept."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Known:
    """Examples to compare with.

    Attributes:
        numbers: Shape ``(numbers, known)``, float64.
        squares: The squared length of each, shape ``(known,)``.
    """

    numbers: NDArray[np.float64]
    squares: NDArray[np.float64]


def known(rows: Array) -> Known:
    """Return examples ready to be compared with, from shape ``(known, numbers)``."""
    numbers = np.ascontiguousarray(rows.T.astype(np.float64))
    return Known(numbers, np.square(numbers).sum(axis=0))


def product(rows: Array, matrix: NDArray[np.floating]) -> Array:
    """Return a matrix product, shape ``(rows, columns)``, of which each row is what it is for that row alone.

    In single precision the order of a sum depends on how many rows there are, and changes its seventh digit, which a
    kernel enlarges; it is summed in double precision and rounded.
    """
    found: Array = (rows.astype(np.float64) @ matrix.astype(np.float64, copy=False)).astype(np.float32)
    return found


def resemblances(rows: Array, to: Known, width: float) -> Array:
    """Return 1 for the same, towards 0 with distance (a Gaussian kernel), shape ``(rows, known)``.

    Args:
        rows: Shape ``(rows, numbers)``.
        to: What they are compared with.
        width: What the squared distance is multiplied with, above 0.
    """
    rows_64 = rows.astype(np.float64)
    distances = np.square(rows_64).sum(axis=1)[:, None] + to.squares - 2 * (rows_64 @ to.numbers)
    near: Array = np.exp(-width * np.maximum(0, distances)).astype(np.float32)
    return near
