"""A model release as a directory, and packed into the one file that rooms fetch."""

import hashlib
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from forge_hub.errors import ReleaseError
from forge_shared.files import durable
from forge_shared.releases import MANIFEST, Manifest

MOST_MANIFEST_BYTES: Final = 1_000_000
_CHUNK: Final = 1 << 20
_MODE: Final = 0o644


@dataclass(frozen=True, slots=True)
class Release:
    """A release that was read whole and is what its manifest says."""

    folder: Path
    manifest: Manifest


def read_release(folder: Path) -> Release:
    """Read a release and check every file of it.

    Raises:
        ReleaseError: The manifest is missing or invalid, or a file is missing, too many, a link, or another than it
            says; the message names the file.
    """
    manifest = _manifest(folder / MANIFEST)
    listed = {file.path: file for file in manifest.files}
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if not path.is_dir()}
    if links := sorted(name for name, path in found.items() if path.is_symlink()):
        raise ReleaseError(f"{links[0]} is a link: a release holds its files itself")
    if unlisted := sorted(set(found) - set(listed) - {MANIFEST}):
        raise ReleaseError(f"{unlisted[0]} is not in the manifest: add it or take it away")
    if missing := sorted(set(listed) - set(found)):
        raise ReleaseError(f"{missing[0]} is in the manifest and not in the folder")
    for name, file in listed.items():
        if found[name].stat().st_size != file.bytes or digest(found[name]) != file.sha256:
            raise ReleaseError(f"{name} is not what the manifest says: its size or its SHA-256 differs")
    return Release(folder, manifest)


def pack(release: Release, into: Path) -> Path:
    """Write a release as one uncompressed tar, the same bytes for the same files, and return it.

    Models hardly compress, and a plain file can be fetched from any byte on.

    Args:
        release: A release as it was read.
        into: Folder for the file, named by `Manifest.target`.

    Raises:
        OSError: It could not be written.
    """
    packed = into / release.manifest.target
    names = [MANIFEST, *sorted(file.path for file in release.manifest.files)]
    with durable(packed, mode=_MODE) as file, tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name in names:
            path = release.folder / name
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = path.stat().st_size, _MODE
            with path.open("rb") as content:
                tar.addfile(entry, content)
    return packed


def packed_manifest(packed: Path) -> Manifest:
    """Return the manifest of a packed release.

    Raises:
        ReleaseError: It is no packed release.
    """
    try:
        with tarfile.open(packed, mode="r:") as tar:
            first = tar.next()
            content = tar.extractfile(first) if first is not None and first.name == MANIFEST else None
            if content is None:
                raise ReleaseError(f"{packed.name} does not begin with a manifest")
            return Manifest.model_validate_json(content.read(MOST_MANIFEST_BYTES))
    except (OSError, tarfile.TarError, ValidationError):
        raise ReleaseError(f"{packed.name} is no packed release that can be read") from None


def _manifest(path: Path) -> Manifest:
    try:
        if path.stat().st_size > MOST_MANIFEST_BYTES:
            raise ReleaseError(f"{MANIFEST} is too large to be one")
        return Manifest.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise ReleaseError(f"there is no {MANIFEST} in {path.parent.name}") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise ReleaseError(f"{MANIFEST}: {place}: {first['msg']}") from None


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
