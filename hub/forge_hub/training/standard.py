"""Numbers of unit size."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


def standard(values: Array) -> tuple[Array, Array, Array]:
    """Return values with mean 0 and deviation 1 in each column, the means and the deviations."""
    mean = values.mean(axis=0, dtype=np.float64).astype(np.float32)
    deviation = values.std(axis=0, dtype=np.float64).astype(np.float32) + np.float32(1e-3)
    return (values - mean) / deviation, mean, deviation
