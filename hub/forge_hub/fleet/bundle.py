"""The bundle from which a fresh machine becomes a node: one file that the hub serves, pinned by its digest.

It holds the node's three wheels of ours, and out of one of them the installer, the units and the lock of all the rest.
Nothing in it is secret. Who takes it needs no trust in the way it came: the digest stands in the line that is typed.
"""

import hashlib
import io
import shlex
import tarfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import IO, Annotated

from pydantic import Field, ValidationError

from forge_hub.errors import BundleError
from forge_shared.files import durable, replace
from forge_shared.model import Frozen

FOLDER = "install"
"""Where it lies in the hub's state folder."""
PATH = "/install/node.tar"
"""Where the hub serves it."""
NAME = "persona-forge-node"
"""The folder in the bundle."""
DISTRIBUTIONS = ("persona_forge_edge", "persona_forge_language", "persona_forge_shared")
_DEVICE = "forge_edge/device/"
_PARTS = ("jetson/", "systemd/", "edge.txt")
"""What of the node's wheel lies open in the bundle, so that it can be used before the wheel is installed."""
_ALL_MAY_RUN, _ALL_MAY_READ = 0o755, 0o644
_CHUNK = 1 << 20


class Bundle(Frozen):
    """What is served: the file's SHA-256, its size, and the node's version."""

    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    bytes: Annotated[int, Field(ge=1)]
    version: Annotated[str, Field(max_length=40)]


def make(wheels: Sequence[Path], packages: Path | None, into: Path) -> Bundle:
    """Make the bundle and let it be served: the same bytes for the same files.

    Args:
        wheels: One wheel of each of `DISTRIBUTIONS`, of one version.
        packages: Folder with the packages of the lock, for sites whose rooms reach no other place; None: rooms get them
            by their own pip's configuration.
        into: Folder of what is served; it is made.

    Raises:
        BundleError: A wheel is missing, of another version or cannot be read, or the bundle cannot be written.
    """
    named = _named(wheels)
    version = {path.name.split("-")[1] for path in named.values()}
    if len(version) != 1:
        raise BundleError("the wheels are of different versions")
    try:
        into.mkdir(mode=0o700, parents=True, exist_ok=True)
        with durable(into / "node.tar", mode=0o600) as file:
            with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
                for name, content, size, mode in _entries(named, packages):
                    entry = tarfile.TarInfo(f"{NAME}/{name}")
                    entry.size, entry.mode = size, mode
                    tar.addfile(entry, content)
            bundle = _described(file, version.pop())
        replace(into / "node.json", bundle.model_dump_json().encode(), mode=0o600)
    except (OSError, zipfile.BadZipFile) as error:
        raise BundleError(f"the bundle cannot be made ({type(error).__name__})") from None
    return bundle


def served(folder: Path) -> tuple[Path, Bundle] | None:
    """Return the file that is served and what it is; None: no bundle was made."""
    try:
        return folder / "node.tar", Bundle.model_validate_json((folder / "node.json").read_bytes())
    except (OSError, ValidationError):
        return None


def line(bundle: Bundle, url: str, words: str = "") -> str:
    """Return what is typed on the new machine, as root.

    Args:
        bundle: What it shall install.
        url: The hub's address.
        words: The claim's; empty: they are asked for.

    The transport is not trusted (``--insecure``: the machine does not know the site's authority yet). The digest says
    what runs, and the words of the claim name the hub's certificate, so that they are told to no other.
    """
    steps = (
        'cd "$(mktemp -d)"',
        f"curl --fail --silent --show-error --insecure --output node.tar {shlex.quote(url + PATH)}",
        f"echo '{bundle.sha256}  node.tar' | sha256sum --check",
        "tar --extract --file node.tar",
        f"{NAME}/jetson/install {shlex.quote(url)} {words}".rstrip(),
    )
    return " && ".join(steps)


def _named(wheels: Sequence[Path]) -> dict[str, Path]:
    named = {path.name.split("-")[0]: path for path in wheels if path.suffix == ".whl"}
    if missing := sorted(set(DISTRIBUTIONS) - set(named)):
        raise BundleError(f"there is no wheel of {missing[0]} among the files; see README, 'A room from the hub'")
    if len(wheels) != len(DISTRIBUTIONS):
        raise BundleError("three wheels make a node: give one of each")
    return named


def _entries(named: dict[str, Path], packages: Path | None) -> Iterator[tuple[str, IO[bytes], int, int]]:
    with zipfile.ZipFile(named["persona_forge_edge"]) as wheel:
        held = {info.filename.removeprefix(_DEVICE): info for info in wheel.infolist() if not info.is_dir()}
        inside = {name: info for name, info in sorted(held.items()) if name.startswith(_PARTS)}
        if "jetson/install" not in inside or "edge.txt" not in inside:
            raise BundleError("the node's wheel holds no installer: build it from the project's folder")
        for name, info in inside.items():
            content = wheel.read(info)
            runs = content.startswith(b"#!")
            yield name, io.BytesIO(content), len(content), _ALL_MAY_RUN if runs else _ALL_MAY_READ
    given = [("wheels", path) for path in named.values()]
    if packages is not None:
        given += [("packages", path) for path in packages.iterdir() if path.name.endswith((".whl", ".tar.gz"))]
    for folder, path in sorted(given, key=lambda one: (one[0], one[1].name)):
        with path.open("rb") as file:
            yield str(PurePosixPath(folder, path.name)), file, path.stat().st_size, _ALL_MAY_READ


def _described(file: IO[bytes], version: str) -> Bundle:
    digest = hashlib.sha256()
    file.flush()
    with open(f"/proc/self/fd/{file.fileno()}", "rb") as written:  # noqa: PTH123 (it has no name yet)
        while chunk := written.read(_CHUNK):
            digest.update(chunk)
        return Bundle(sha256=digest.hexdigest(), bytes=written.tell(), version=version)
