"""The small heads by name: how each is trained, and where what was trained lies."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, get_args

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # it publishes no types

import forge_language.heads
from forge_hub.errors import TrainingError
from forge_hub.training import affect, distortions, emotions
from forge_hub.training.writing import write
from forge_language.emotions import emotion_head
from forge_language.encoder import built
from forge_language.heads.files import HeadName
from forge_language.heads.reader import Reader, reader

NAMES: Final[tuple[HeadName, ...]] = get_args(HeadName)

_LICENCES: Final[Mapping[HeadName, str]] = {
    "emotions": "CC-BY-SA-4.0 (the adapter's; trained on GoEmotions, CC-BY-4.0)",
    "affect": "CC-BY-SA-4.0 (trained on EmoBank)",
    "distortions": "CC-BY-SA-4.0 (the adapter's; trained on our own utterances, Apache-2.0)",
}


def train(name: HeadName, data: Path, out: Path) -> Path:
    """Train a head and write its file and description, the same bytes each time on one machine.

    Args:
        name: Which head.
        data: The folder of its data set.
        out: The folder to write to.

    Raises:
        TrainingError: There is no encoder, the data set is not there, or the head became too large.
    """
    on = reader()
    if on is None:
        raise TrainingError("the encoder's package is not installed, or not the one that was examined")
    try:
        with threadpool_limits(limits=1):
            numbers, beside = _recipes()[name](data, on)
    except (OSError, KeyError, ValueError) as error:
        raise TrainingError(f"the data of '{name}' cannot be read: {type(error).__name__}") from error
    about = {"encoder_sha256": built.digest(), "licence": _LICENCES[name], **beside}
    return write(name, numbers, about, out)


def home() -> Path:
    """Return where the heads of this installation lie."""
    return Path(next(iter(forge_language.heads.__path__)))


_Trained = tuple[Mapping[str, NDArray[np.generic]], Mapping[str, Any]]


def _recipes() -> Mapping[HeadName, Callable[[Path, Reader], _Trained]]:
    return {
        "emotions": lambda data, on: (emotions.train(data, on), {}),
        "affect": _affect,
        "distortions": lambda data, on: (distortions.train(data, on), {}),
    }


def _affect(data: Path, on: Reader) -> _Trained:
    try:
        below = emotion_head()
    except ValueError:
        below = None
    if below is None:
        raise TrainingError("the head of affect needs the head of emotions: train that first, on the same encoder")
    return affect.train(data, on, below[0]), {"emotions": below[0].version}
