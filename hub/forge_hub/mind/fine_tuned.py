"""Fine-tuned encoders that a site has made or taken over, too large for a repository.

One is a folder with a ``manifest.json``, made by ``forge-hub train head NAME --fine-tune``. Nothing of it is used
unless every file has its digest and the golden texts get their golden answers on this machine.
"""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from forge_hub.errors import ReleaseError
from forge_language.encoder import word_pieces
from forge_language.encoder.built import Runner
from forge_language.heads.reader import as_read
from forge_language.taxonomy import DISTORTIONS, GOEMOTIONS
from forge_shared.logs import get_logger
from forge_shared.model import Frozen
from forge_shared.releases import (
    MANIFEST,
    Golden,
    Provenance,
    ReleaseFile,
    ReleaseMetric,
    ReleaseName,
    ReleasePath,
    ReleaseVersion,
    Tensor,
)

log = get_logger()

Array = NDArray[np.float32]
FineTunedName = Literal["affect", "emotions", "distortions"]
_OUTPUTS: Final[Mapping[FineTunedName, int]] = {
    "affect": 2,
    "emotions": len(GOEMOTIONS),
    "distortions": len(DISTORTIONS) + 1,
}
_CALIBRATED: Final[Mapping[FineTunedName, tuple[int, int, int] | None]] = {
    "affect": None,
    "emotions": (len(GOEMOTIONS),) * 3,
    "distortions": (1, 1, 1),
}
"""How many thresholds, slopes and shifts each head needs."""
MODEL: Final = "model.onnx"
VOCABULARY: Final = "vocab.txt"


class Calibration(Frozen):
    """Of labels: from which score one is asserted, and what turns a score into log-odds that are right on average.

    Of distortions there is one of each: from which `forge_language.distortion_head.presence` on any is named, and what
    is the same for all labels.
    """

    thresholds: tuple[float, ...]
    slope: tuple[float, ...]
    shift: tuple[float, ...]


class EncoderManifest(Frozen):
    """What a fine-tuned encoder says of itself, in the words of a room's model release.

    It stays in the hub: it has no hardware profile, no trial in a room, and no role of a room.
    """

    name: ReleaseName
    version: ReleaseVersion
    role: Literal["text-encoder"] = "text-encoder"
    head: FineTunedName
    format: Literal["onnx"] = "onnx"
    licence: Annotated[str, Field(min_length=1, max_length=100)]
    card: ReleasePath
    files: Annotated[tuple[ReleaseFile, ...], Field(min_length=5, max_length=20)]
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    golden: Golden
    calibration: Calibration | None = None
    metrics: tuple[ReleaseMetric, ...] = ()
    provenance: Provenance


class FineTuned:
    """A fine-tuned encoder. Any thread may call it.

    Args:
        manifest: What it says of itself.
        runner: Runs it.
        digest: Of its model.
    """

    def __init__(self, manifest: EncoderManifest, runner: Runner, digest: str) -> None:
        self.manifest = manifest
        self.version = f"{manifest.version}-{digest[:8]}"
        self._runner = runner

    def read(self, texts: Sequence[str]) -> Array:
        """Return what it says of each text, shape ``(texts, outputs)``."""
        return said_of(self._runner, texts)


def said_of(runner: Runner, texts: Sequence[str]) -> Array:
    """Return what an encoder with an output says of each text, shape ``(texts, outputs)``: the mean over its pieces."""
    found = np.zeros((len(texts), 0), np.float32)
    for places, [said] in runner.rows([as_read(text) for text in texts]):
        if not found.size:
            found = np.empty((len(texts), said.shape[2]), np.float32)
        found[places] = said.mean(axis=1)
    return found


def opened(folder: Path) -> FineTuned:
    """Return the fine-tuned encoder of a folder.

    Raises:
        ReleaseError: A file is missing or altered, or the golden texts get other answers here.
    """
    try:
        manifest = EncoderManifest.model_validate_json((folder / MANIFEST).read_bytes())
        files = {each.path: (folder / each.path).read_bytes() for each in manifest.files}
    except (OSError, ValidationError) as error:
        raise ReleaseError("a fine-tuned encoder's folder cannot be read") from error
    digests = {path: hashlib.sha256(content).hexdigest() for path, content in files.items()}
    if any(digests[each.path] != each.sha256 for each in manifest.files) or not {MODEL, VOCABULARY} <= files.keys():
        raise ReleaseError("a file of a fine-tuned encoder is not the one that its manifest names")
    try:
        runner = Runner(files[MODEL], word_pieces.read(files[VOCABULARY].decode()))
    except (ImportError, ValueError) as error:
        raise ReleaseError("a fine-tuned encoder cannot be opened here") from error
    sizes = manifest.calibration and tuple(
        map(len, (manifest.calibration.thresholds, manifest.calibration.slope, manifest.calibration.shift))
    )
    if sizes != _CALIBRATED[manifest.head]:
        raise ReleaseError("a fine-tuned encoder is calibrated for other labels than its head has")
    found = FineTuned(manifest, runner, digests[MODEL])
    wanted = np.array(json.loads(files[manifest.golden.output]), np.float32)
    given = found.read(json.loads(files[manifest.golden.input]))
    if (
        given.shape != wanted.shape
        or wanted.shape[1] != _OUTPUTS[manifest.head]
        or np.abs(given - wanted).max() > manifest.golden.tolerance * np.ptp(wanted)
    ):
        raise ReleaseError("the golden texts of a fine-tuned encoder get other answers on this machine")
    return found


def home() -> Path:
    """Return where the fine-tuned encoders of this machine lie: below ``XDG_DATA_HOME``, else ``~/.local/share``."""
    data = os.environ.get("XDG_DATA_HOME")
    return (Path(data) if data else Path("~/.local/share").expanduser()) / "persona-forge" / "fine-tuned"


def all_of(folder: Path) -> dict[FineTunedName, FineTuned]:
    """Return the fine-tuned encoders in the folders below one, by the head that each stands for.

    One that cannot be used is left out and said so in the log: the small head is there all the same.
    """
    found: dict[FineTunedName, FineTuned] = {}
    for manifest in sorted(folder.glob(f"*/{MANIFEST}")):
        try:
            one = opened(manifest.parent)
        except ReleaseError as error:
            log.warning("fine-tuned.refused", folder=manifest.parent.name, reason=str(error))
        else:
            found[one.manifest.head] = one
    return found


def of_this_machine() -> dict[FineTunedName, FineTuned]:
    """Return those in `home`; none where whoever runs this has no home or may not look into it, as in a service."""
    try:
        return all_of(home())
    except (OSError, RuntimeError) as error:
        log.warning("fine-tuned.unreadable", reason=type(error).__name__)
        return {}
