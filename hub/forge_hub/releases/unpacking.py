"""Archives that people upload, unpacked into a folder: nothing outside it, nothing but plain files, and no bomb."""

import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

from pydantic import TypeAdapter, ValidationError

from forge_hub.errors import ReleaseError
from forge_shared.releases import MANIFEST, MOST_FILES, ReleasePath

_PATH: Final[TypeAdapter[str]] = TypeAdapter(ReleasePath)
_CHUNK: Final = 1 << 20


def unpack(archive: Path, into: Path, most_bytes: int) -> Path:
    """Unpack a tar (plain or gzip) or a zip, and return the folder in it that has the manifest.

    Args:
        archive: The uploaded file.
        into: An empty folder.
        most_bytes: Most bytes of all files together.

    Raises:
        ReleaseError: It is no such archive, is damaged, holds links, devices or paths that no release has, too many
            files or too many bytes.
        OSError: It could not be written.
    """
    try:
        entries = _zipped(archive) if zipfile.is_zipfile(archive) else _tarred(archive)
        left = most_bytes
        for count, (name, content) in enumerate(entries):
            if count > MOST_FILES:
                raise ReleaseError(f"more than {MOST_FILES} files: this is no release")
            left = _write(content, _inside(into, name), left)
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, zlib.error, RuntimeError, NotImplementedError):
        raise ReleaseError("this is neither a tar nor a zip that can be read; was it uploaded whole?") from None
    return _root(into)


def _tarred(archive: Path) -> Iterator[tuple[str, IO[bytes]]]:
    # One pass: a compressed archive is not unpacked merely to be listed.
    with archive.open("rb") as file:
        is_gzip = file.read(2) == b"\x1f\x8b"
    with tarfile.open(archive, mode="r|gz" if is_gzip else "r|") as tar:
        for member in tar:
            if member.isdir():
                continue
            content = tar.extractfile(member) if member.isreg() else None
            if content is None:
                raise ReleaseError("a release holds plain files: no links and no devices")
            yield member.name, content


def _zipped(archive: Path) -> Iterator[tuple[str, IO[bytes]]]:
    with zipfile.ZipFile(archive) as packed:
        for entry in packed.infolist():
            if entry.is_dir():
                continue
            with packed.open(entry) as content:
                yield entry.filename, content


def _inside(into: Path, name: str) -> Path:
    plain = name.removeprefix("./")
    return into / (plain if plain == MANIFEST else _checked(plain))


def _checked(name: str) -> str:
    try:
        return _PATH.validate_python(name)
    except ValidationError:
        raise ReleaseError(
            "the archive holds a name that no release has: letters, digits, '.', '-' and '_', not beginning with a dot"
        ) from None


def _write(content: IO[bytes], path: Path, left: int) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("xb")
    except (FileExistsError, NotADirectoryError):
        raise ReleaseError("the archive holds a name twice") from None
    with file:
        while chunk := content.read(_CHUNK):
            left -= len(chunk)
            if left < 0:
                raise ReleaseError("unpacked it is larger than releases may be here")
            file.write(chunk)
    return left


def _root(into: Path) -> Path:
    """Return the folder with the manifest: the archive's own top, or the one folder in it."""
    if (into / MANIFEST).is_file():
        return into
    found = list(into.iterdir())
    if len(found) == 1 and (found[0] / MANIFEST).is_file():
        return found[0]
    raise ReleaseError(f"there is no {MANIFEST} at the top of the archive")
