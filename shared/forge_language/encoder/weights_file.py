"""Reads tensors from a safetensors file: the length of a JSON header, the header, the numbers."""

import json
import mmap
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

_LENGTH_BYTES: Final = 8


def read(data: bytes | mmap.mmap) -> Mapping[str, NDArray[np.float32]]:
    """Return the tensors of single precision in a file's bytes, without copying them.

    Raises:
        ValueError: The bytes are no safetensors file.
    """
    length = int.from_bytes(data[:_LENGTH_BYTES], "little")
    if not 0 < length <= len(data) - _LENGTH_BYTES:
        raise ValueError("this is no safetensors file")
    header = json.loads(data[_LENGTH_BYTES : _LENGTH_BYTES + length])
    found: dict[str, NDArray[np.float32]] = {}
    for name, about in header.items():
        if name != "__metadata__" and about["dtype"] == "F32":
            start, end = about["data_offsets"]
            numbers = np.frombuffer(data, "<f4", (end - start) // 4, _LENGTH_BYTES + length + start)
            found[name] = numbers.reshape(about["shape"])
    return found


def mapped(path: Path) -> mmap.mmap:
    """Return a file's bytes as the system pages them in: of the words' rows only those in use take memory.

    Raises:
        OSError: It cannot be read.
        ValueError: It is empty.
    """
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
