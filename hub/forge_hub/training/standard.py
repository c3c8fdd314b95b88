"""Numbers of unit size."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
SMALLEST: Final = 1e-4
"""Directions of kept examples that vary less are left out: single precision could not carry them."""


def standard(values: Array) -> tuple[Array, Array, Array]:
    """Return values with mean 0 and deviation 1 in each column, the means and the deviations."""
    mean = values.mean(axis=0, dtype=np.float64).astype(np.float32)
    deviation = values.std(axis=0, dtype=np.float64).astype(np.float32) + np.float32(1e-3)
    return (values - mean) / deviation, mean, deviation


def whitening(near: Array) -> NDArray[np.float64]:
    """Return what turns resemblances to kept examples into numbers of whose products resemblances are made.

    Nystroem's approximation (Williams and Seeger 2001).

    Args:
        near: Of the kept examples to each other, shape ``(kept, kept)``.
    """
    values, directions = np.linalg.eigh((near + near.T).astype(np.float64) / 2)
    turned: NDArray[np.float64] = directions / np.sqrt(np.maximum(values, SMALLEST))
    return turned
