"""The ears' models from a release: what each role loads from the folder of the release that serves."""

from pathlib import Path

from forge_edge.errors import EngineMissingError
from forge_edge.update.slots import Serving
from forge_shared.releases import Manifest


def voice_file(folder: Path, manifest: Manifest) -> Path:
    """Return the piper voice of a release.

    Raises:
        EngineMissingError: It holds none, or several.
    """
    return _only(folder, manifest, ".onnx")


def whisper_folder(folder: Path, manifest: Manifest) -> Path:
    """Return the folder of a release's CTranslate2 model.

    Raises:
        EngineMissingError: It holds none, or several.
    """
    return _only(folder, manifest, "model.bin").parent


def wake_models(served: Serving) -> tuple[Path, ...]:
    """Return the openWakeWord models of a release."""
    return tuple(served.folder / file.path for file in served.manifest.files if file.path.endswith(".onnx"))


def _only(folder: Path, manifest: Manifest, ending: str) -> Path:
    found = [file.path for file in manifest.files if file.path.endswith(ending)]
    if len(found) != 1:
        raise EngineMissingError(f"the release holds {len(found)} files *{ending}, and must hold one")
    return folder / found[0]
