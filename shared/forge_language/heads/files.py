"""The numbers of a head, read from the file that its description names."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from forge_language.encoder import built, numbers_file
from forge_language.encoder.numbers_file import single

HeadName = Literal["emotions", "affect", "distortions"]


@dataclass(frozen=True, slots=True)
class HeadFile:
    """A head's numbers and what is written beside them.

    Attributes:
        name: Which head.
        numbers: By name; bytes are brought back to float32 by `HeadFile.__getitem__`.
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
        """Return numbers as float32."""
        return single(self.numbers, name)


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
    if hashlib.sha256(data).hexdigest() != about["sha256"] or about["encoder_sha256"] != built.digest():
        raise ValueError("a head's file is not the one that its description names")
    return HeadFile(name, numbers_file.read(data), about)
