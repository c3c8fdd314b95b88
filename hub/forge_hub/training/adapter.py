"""Teaches the adapter of `forge_language.encoder.adapter` all that the heads must tell, in one course."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

import forge_language.encoder
from forge_hub.errors import TrainingError
from forge_hub.training import affect, distortions, emotions
from forge_hub.training.fine_tuning import LABEL, SQUARE, Course, FineTune
from forge_hub.training.writing import write
from forge_language.distortion_head import LABELS
from forge_language.encoder import adapter
from forge_language.encoder.built import DEPTHS
from forge_language.encoder.numbers_file import in_bytes
from forge_language.encoder.package import WEIGHTS_SHA256, encoder
from forge_language.encoder.quantised import quantised
from forge_language.heads.reader import as_read
from forge_language.taxonomy import GOEMOTIONS

Array = NDArray[np.float32]

COURSE: Final = Course(
    losses=(LABEL,) * len(GOEMOTIONS) + (SQUARE,) * 2 + (LABEL,) * (len(LABELS) + 1),
    epochs=4,
    rate=7e-4,
    layers=DEPTHS[-1],
    rank=32,
)
"""Rank and layers: what fits in 1 MB, and what the heads read. The rate is the one usual for changes of low
rank, some times that of whole weights (Hu et al. 2021)."""
_LICENCE: Final = "CC-BY-SA-4.0 (trained on EmoBank, on GoEmotions, CC-BY-4.0, and on our own utterances)"


@dataclass(frozen=True, slots=True)
class Folders:
    """Where the data of the heads lie.

    Attributes:
        emotions: Holds GoEmotions' ``train.tsv``.
        affect: Holds ``emobank_train_dev.csv``.
        distortions: Holds ``writer_*.jsonl``.
    """

    emotions: Path
    affect: Path
    distortions: Path


def train(folders: Folders, out: Path, *, tune: FineTune) -> Path:
    """Teach the adapter and write its file and description.

    What sets the heads' thresholds and confidences teaches nothing here either, but for affect's confidence. The heads
    must be trained anew on it.

    Args:
        folders: Of the data.
        out: The folder to write to.
        tune: Does the learning: `forge_hub.training.fine_tuning.fine_tune`.

    Raises:
        TrainingError: The data or the encoder's weights are not there, or the adapter became too large.
    """
    start, state = encoder()
    if start is None:
        raise TrainingError(f"the encoder's weights are {state}")
    try:
        texts, targets = _lessons(folders)
    except (OSError, KeyError, ValueError) as error:
        raise TrainingError(f"the adapter's data cannot be read: {type(error).__name__}") from error
    learnt = tune(start, texts, targets, COURSE).change
    numbers: dict[str, NDArray[Any]] = {}
    for name, values in sorted(learnt.items()):
        numbers |= in_bytes(name, values)
    made = quantised(adapter.changed(start.transformer, numbers), DEPTHS)
    about = {
        "weights_sha256": WEIGHTS_SHA256,
        "encoder_sha256": hashlib.sha256(made).hexdigest(),
        "licence": _LICENCE,
        "layers": COURSE.layers,
        "rank": COURSE.rank,
        "texts": len(texts),
    }
    return write("adapter", numbers, about, out)


def home() -> Path:
    """Return where the adapter of this installation lies."""
    return Path(next(iter(forge_language.encoder.__path__)))


def _lessons(folders: Folders) -> tuple[list[str], Array]:
    """Return the texts of all data and what is to be said of each, NaN for what its data do not tell."""
    comments, felt = emotions.comments(folders.emotions / "train.tsv")
    teaching = np.arange(len(comments)) % emotions.HELD_OUT != 0
    sentences, readings = affect.sentences(folders.affect / "emobank_train_dev.csv", "train")
    examples = distortions.taught(folders.distortions)
    parts: Sequence[tuple[Sequence[str], Array]] = (
        ([text for text, teaches in zip(comments, teaching, strict=True) if teaches], felt[teaching]),
        (sentences, (readings - readings.mean(axis=0)) / readings.std(axis=0)),
        ([one.text for one in examples], distortions.targets(examples)),
    )
    targets = np.full((sum(len(texts) for texts, _ in parts), len(COURSE.losses)), np.nan, np.float32)
    row = column = 0
    for texts, own in parts:
        targets[row : row + len(texts), column : column + own.shape[1]] = own
        row, column = row + len(texts), column + own.shape[1]
    return [as_read(text) for texts, _ in parts for text in texts], targets
