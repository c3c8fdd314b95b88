"""Runs a release's golden input as the room would run it: a process of its own, which may crash, hang or be killed.

``forge-edge prove FOLDER`` prints one JSON object: ``{"off": 0.004}``, the share of the output's range by which the
golden output is missed, or ``{"refused": "engine-missing"}``.
"""

import importlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from forge_edge import released_speech
from forge_edge.errors import AudioError, EngineError, EngineMissingError, InferenceError, UpdateRefusedError
from forge_edge.update.golden import Given, read_expected, worst_share
from forge_shared.logs import get_logger
from forge_shared.releases import MANIFEST, Manifest, ReleaseRole

NICENESS: Final = 15
"""As the kernel counts it, 0 to 19: whoever is listened to or watched meanwhile comes first. Ours."""

log = get_logger()


def run(folder: Path, *, build: bool) -> Mapping[str, Any]:
    """Prove a release that lies in a folder, and return what is to be said of it.

    Args:
        folder: Where it was unpacked; its files are as its manifest says.
        build: Only build the engines that this device needs for it.
    """
    os.nice(NICENESS)
    try:
        manifest = Manifest.model_validate_json((folder / MANIFEST).read_bytes())
        if build:
            return {"built": _build(folder, manifest)}
        return {"off": _PROOFS[manifest.role](folder, manifest)}
    except UpdateRefusedError as error:
        return {"refused": error.reason}
    except EngineMissingError:
        log.exception("release.not-proved")
        return {"refused": "engine-missing"}
    except (EngineError, AudioError):
        log.exception("release.not-proved")
        return {"refused": "golden-failed"}
    except (OSError, ValidationError):
        return {"refused": "golden-unreadable"}


def _build(folder: Path, manifest: Manifest) -> bool:
    if manifest.role != "pose":
        return False
    from forge_edge.vision.released import ReleasedNetworks  # noqa: PLC0415 (half a second that other roles do not need)

    return ReleasedNetworks(folder, manifest).build()


def _pose(folder: Path, manifest: Manifest) -> float:
    from forge_edge.vision.released import ReleasedNetworks  # noqa: PLC0415 (see above)

    networks = ReleasedNetworks(folder, manifest)
    try:
        return networks.worst(lambda one: log.info("backend.passed-over", backend=one.backend, reason=one.reason))
    except InferenceError:
        raise UpdateRefusedError("golden-failed") from None


def _transcriber(folder: Path, manifest: Manifest) -> float:
    from forge_edge.audio.files import load  # noqa: PLC0415 (see above)

    whisper = _module("forge_edge.speech.whisper").Whisper(released_speech.whisper_folder(folder, manifest))
    heard = whisper.hear(load(folder / manifest.golden.input)).words()
    return _off(folder, manifest, {"text": "" if heard is None else heard.text})


def _voice(folder: Path, manifest: Manifest) -> float:
    from forge_edge.speech.piper import PiperSynthesiser  # noqa: PLC0415 (see above)

    text = (folder / manifest.golden.input).read_text(encoding="utf-8")
    speech = PiperSynthesiser(released_speech.voice_file(folder, manifest)).synthesise(text)
    return _off(folder, manifest, {"seconds": [len(speech.samples) / 16_000]})


def _wake_word(folder: Path, manifest: Manifest) -> float:
    from forge_edge.audio.files import load  # noqa: PLC0415 (see above)
    from forge_edge.update.slots import Serving  # noqa: PLC0415 (see above)
    from forge_edge.wake.open_wake_word import OpenWakeWords  # noqa: PLC0415 (see above)

    detector = OpenWakeWords(released_speech.wake_models(Serving(folder, manifest, is_on_trial=True)))
    samples, heard = load(folder / manifest.golden.input), 0
    for start in range(0, len(samples), 512):
        heard += detector.feed(samples[start : start + 512]) is not None
    return _off(folder, manifest, {"detections": [float(heard)]})


def _language_model(_: Path, __: Manifest) -> float:
    raise UpdateRefusedError("no-engine")


def _off(folder: Path, manifest: Manifest, given: Given) -> float:
    return worst_share(read_expected((folder / manifest.golden.output).read_bytes()), given)


def _module(name: str) -> Any:  # noqa: ANN401 (an extra, absent on most nodes)
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise EngineMissingError(f"{name} needs what is not installed") from error


_PROOFS: Final[Mapping[ReleaseRole, Callable[[Path, Manifest], float]]] = {
    "pose": _pose,
    "transcriber": _transcriber,
    "voice": _voice,
    "wake-word": _wake_word,
    "language-model": _language_model,
}
