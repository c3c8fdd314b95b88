"""What the files of a model are, by the role that it is for: which of a folder's files belong to it, and what they do.

Only what a room's engine reads is taken along: never a script, a pickle or another model of the same repository.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from forge_hub.errors import ReleaseError
from forge_shared.releases import ReleaseFormat, ReleaseRole, Tensor

_WHISPER_NEEDS: Final = ("model.bin", "config.json", "tokenizer.json")
_WHISPER_TAKES: Final = (*_WHISPER_NEEDS, "vocabulary.json", "vocabulary.txt", "preprocessor_config.json")
"""As faster-whisper reads them from a folder of CTranslate2's format (``faster_whisper.utils.download_model``)."""
_SAYS: Final = ("README.md", "MODEL_CARD", "MODEL_CARD.md", "LICENSE", "LICENSE.md", "LICENSE.txt", "NOTICE")
"""What says what a model is, in its own folder or at the top."""

_AUDIO = Tensor(name="audio", shape=("samples",), dtype="int16", axes=("time",), unit="PCM at 16 kHz, mono")
_TEXT = Tensor(name="text", shape=("characters",), dtype="text", unit="English words")


@dataclass(frozen=True, slots=True)
class Kind:
    """How models of a role are described."""

    format: ReleaseFormat
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]


KINDS: Final[Mapping[ReleaseRole, Kind]] = {
    "transcriber": Kind("ctranslate2", (_AUDIO,), (_TEXT,)),
    "voice": Kind(
        "piper",
        (_TEXT,),
        (Tensor(name="seconds", shape=(1,), dtype="float32", unit="seconds of speech that it makes"),),
    ),
    "wake-word": Kind(
        "wake-word", (_AUDIO,), (Tensor(name="detections", shape=(1,), dtype="float32", unit="times that it woke"),)
    ),
    "language-model": Kind("gguf", (_TEXT,), (_TEXT,)),
}
"""Those that can be imported. Of a pose network the files do not say what goes in and comes out."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The files of one model.

    Attributes:
        role: What it is for.
        files: Paths as they are in the source, by the path that they get in the release.
        says: The same for what says what it is: cards and licences.
        main: The path in the release of what an engine is pointed at: the weights.
        stem: A name for it.
    """

    role: ReleaseRole
    files: Mapping[str, str]
    says: Mapping[str, str]
    main: str
    stem: str


def choose(paths: Sequence[str], role: ReleaseRole | None, wanted: str | None, source: str) -> Chosen:
    """Choose the files of one model. Pure.

    Args:
        paths: What the source holds, relative, with ``/``.
        role: What it is for; None: as its files tell.
        wanted: Which of several models: the path of its weights, or of the folder that they are in.
        source: A name for the source, in case that the files have none.

    Raises:
        ReleaseError: There is no such model, or there are several; the message says how one is chosen.
    """
    found = _weights(paths, role, wanted)
    if not found:
        raise ReleaseError(
            "no model that a room can run is in there: model.bin of CTranslate2 with config.json and tokenizer.json, a "
            "piper voice .onnx with its .onnx.json, or a .gguf; for a wake word (.onnx) say --role wake-word"
        )
    if len(found) > 1:
        shown = ", ".join(path for path, _ in found[:5])
        raise ReleaseError(f"{len(found)} models are in there: choose one with --file, such as {shown}")
    ((weights, kind),) = found
    place = PurePosixPath(weights)
    beside = [path for path in paths if PurePosixPath(path).parent == place.parent]
    if kind == "transcriber":
        files = [path for path in beside if PurePosixPath(path).name in _WHISPER_TAKES]
        stem = source if place.parent == PurePosixPath() else place.parent.name
    else:
        files = [weights, *([f"{weights}.json"] if kind == "voice" else [])]
        stem = place.stem
    says = {f"source/{PurePosixPath(path).name}": path for path in paths if path in _SAYS}
    says |= {f"source/{PurePosixPath(path).name}": path for path in beside if PurePosixPath(path).name in _SAYS}
    return Chosen(kind, {PurePosixPath(path).name: path for path in files}, says, place.name, stem)


def _weights(paths: Sequence[str], role: ReleaseRole | None, wanted: str | None) -> list[tuple[str, ReleaseRole]]:
    there = set(paths)
    found: list[tuple[str, ReleaseRole]] = []
    for path in sorted(there):
        kind = _kind(path, there, role)
        inside = wanted is None or path == wanted or PurePosixPath(path).is_relative_to(wanted)
        if kind is not None and inside and role in (None, kind):
            found.append((path, kind))
    return found


def _kind(path: str, there: set[str], role: ReleaseRole | None) -> ReleaseRole | None:
    place = PurePosixPath(path)
    if place.name == "model.bin" and all((place.parent / name).as_posix() in there for name in _WHISPER_NEEDS):
        return "transcriber"
    if place.suffix == ".gguf":
        return "language-model"
    if place.suffix != ".onnx":
        return None
    if f"{path}.json" in there:
        return "voice"
    return "wake-word" if role == "wake-word" else None
