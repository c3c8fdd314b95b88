"""The numbers of a head, read from the file that its description names, and written to one the same way each time."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from io import BytesIO
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from forge_language.encoder.built import BUILT_SHA256

HeadName = Literal["emotions", "affect", "distortions"]
_STEPS: Final = 127
"""Of a signed byte, either way."""


@dataclass(frozen=True, slots=True)
class HeadFile:
    """A head's numbers and what is written beside them.

    Attributes:
        name: Which head.
        numbers: By name; bytes are brought back to float32 by `numbers_of`.
        about: Digest, encoder, licence and figures.
    """

    name: HeadName
    numbers: Mapping[str, NDArray[Any]]
    about: Mapping[str, Any]

    @property
    def version(self) -> str:
        """The first eight digits of the file's digest."""
        return str(self.about["sha256"])[:8]

    def __getitem__(self, name: str) -> NDArray[np.float32]:
        """Return numbers as float32; those kept in bytes times the scale of their column."""
        kept = self.numbers[name]
        if kept.dtype == np.int8:
            scaled: NDArray[np.float32] = kept.astype(np.float32) * self.numbers[f"{name}.scale"].astype(np.float32)
            return scaled
        return kept.astype(np.float32)


def head_file(name: HeadName) -> HeadFile:
    """Return a head that comes with this package.

    Raises:
        ValueError: The file is not the one that its description names, or was trained on another encoder.
    """
    folder = resources.files("forge_language.heads")
    about = json.loads(folder.joinpath(f"{name}.json").read_text(encoding="utf-8"))
    return read(name, folder.joinpath(f"{name}.npz").read_bytes(), about)


def read(name: HeadName, data: bytes, about: Mapping[str, Any]) -> HeadFile:
    """Return a head from its file's bytes and its description.

    Raises:
        ValueError: They do not belong together, or another encoder is installed than it was trained on.
    """
    if hashlib.sha256(data).hexdigest() != about["sha256"] or about["encoder_sha256"] != BUILT_SHA256:
        raise ValueError("a head's file is not the one that its description names")
    with np.load(BytesIO(data), allow_pickle=False) as arrays:
        return HeadFile(name, {key: arrays[key] for key in arrays.files}, about)


def written(numbers: Mapping[str, NDArray[Any]]) -> bytes:
    """Return the bytes of a head's file: the same for the same numbers."""
    file = BytesIO()
    np.savez_compressed(file, **dict(numbers))  # type: ignore[arg-type]  # its stub takes them for its own options
    return file.getvalue()


def in_bytes(name: str, values: NDArray[np.floating]) -> dict[str, NDArray[Any]]:
    """Return numbers as signed bytes with one scale a column, which together are what `HeadFile` reads."""
    scale = np.maximum(np.abs(values).max(axis=0), 1e-12).astype(np.float32) / np.float32(_STEPS)
    return {name: np.round(values / scale).astype(np.int8), f"{name}.scale": scale}
