"""Named numbers in a file (npz), the same bytes each time; large ones as signed bytes with a scale a column."""

from collections.abc import Mapping
from io import BytesIO
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_STEPS: Final = 127
"""Of a signed byte, either way."""

Numbers = Mapping[str, NDArray[Any]]


def written(numbers: Numbers) -> bytes:
    """Return the bytes of a file of numbers: the same for the same numbers on one machine, whose zlib packs them."""
    file = BytesIO()
    np.savez_compressed(file, **dict(numbers))  # type: ignore[arg-type]  # its stub takes them for its own options
    return file.getvalue()


def read(data: bytes) -> Numbers:
    """Return the numbers of a file.

    Raises:
        ValueError: It is no file of numbers.
    """
    with np.load(BytesIO(data), allow_pickle=False) as arrays:
        return {key: arrays[key] for key in arrays.files}


def in_bytes(name: str, values: NDArray[np.floating]) -> dict[str, NDArray[Any]]:
    """Return numbers as signed bytes with one scale a column, which together are what `single` brings back."""
    scale = np.maximum(np.abs(values).max(axis=0), 1e-12).astype(np.float32) / np.float32(_STEPS)
    return {name: np.round(values / scale).astype(np.int8), f"{name}.scale": scale}


def single(numbers: Numbers, name: str) -> NDArray[np.float32]:
    """Return numbers as float32; those kept in bytes times the scale of their column."""
    kept = numbers[name]
    if kept.dtype == np.int8:
        scaled: NDArray[np.float32] = kept.astype(np.float32) * numbers[f"{name}.scale"].astype(np.float32)
        return scaled
    return kept.astype(np.float32)
