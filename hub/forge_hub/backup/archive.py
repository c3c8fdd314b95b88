"""What a backup holds, and how it is read back and checked before anything is changed.

It is a tar stream: ``records.jsonl``, the state folder's files below ``files/``, and at the end ``manifest.json`` with
the digest of each. The graph is not in it: the hub derives it from the event log.
"""

import hashlib
import io
import os
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import IO, Annotated, BinaryIO, Literal, cast

from pydantic import Field, ValidationError

from forge_hub.backup.cipher import MAGIC, SealedReader, SealedWriter, Secret
from forge_hub.backup.dump import Progress, dump
from forge_hub.backup.errors import BackupError
from forge_hub.records.database import Database
from forge_shared.events import UtcDatetime
from forge_shared.files import durable
from forge_shared.model import Frozen

RECORDS = "records.jsonl"
FILES = "files"
MANIFEST = "manifest.json"
_MANIFEST_BYTES = 4 << 20
_COPY_BYTES = 1 << 20
_SQLITE = b"SQLite format 3\x00"
_NOT_KEPT = frozenset({"control.sock", "lock", "mqtt-version", "pid"})
"""Files that belong to a running process."""
_DERIVED = ("graph.lbdb", "records.db")
"""Beginnings of names: the graph is derived anew, and the records are in the backup in another form."""
_INSTALL = PurePosixPath("install")
"""What fresh machines become nodes from: large, and made again from the project's wheels."""
_BROKER = PurePosixPath("broker")
"""Of the broker only who may enter: its queue and its retained messages are old by the time of a restore."""


class Manifest(Frozen):
    """What an archive holds. ``digests`` are SHA-256 by name within the archive."""

    format: Literal[1] = 1
    hub_version: Annotated[str, Field(max_length=40)]
    schema_revision: Annotated[str, Field(max_length=80)]
    site: Annotated[str, Field(max_length=63)]
    made_at: UtcDatetime
    digests: Mapping[str, str]


def make(  # noqa: PLR0913 (what a backup is made of)
    target: Path, secret: Secret, database: Database, folder: Path, *, site: str, at: datetime, progress: Progress
) -> Manifest:
    """Make a backup; the hub may serve meanwhile.

    Args:
        target: The file; it appears whole, mode 0600, or not at all.
        secret: What will open it.
        database: The records; they are written as of one moment.
        folder: The state folder.
        site: Name of the site.
        at: The time.
        progress: Called with short lines for whoever waits.

    Raises:
        BackupError: A file cannot be read or written.
    """
    try:
        # The records wait in the clear beside their database, in a file without a name that ends with the process.
        with tempfile.TemporaryFile(dir=folder) as records, durable(target, mode=0o600) as file:
            revision = dump(database, records, progress)
            sealed = SealedWriter(file, secret)
            digests: dict[str, str] = {}
            with tarfile.open(fileobj=cast("BinaryIO", sealed), mode="w|") as tar:
                _add(tar, RECORDS, records, digests)
                for path in _kept(folder):
                    name = f"{FILES}/{path.relative_to(folder).as_posix()}"
                    with _still(path) as still:
                        _add(tar, name, still, digests)
                    progress(f"file {path.relative_to(folder)}")
                manifest = Manifest(
                    hub_version=version("persona-forge-hub"),
                    schema_revision=revision,
                    site=site,
                    made_at=at,
                    digests=digests,
                )
                _add(tar, MANIFEST, io.BytesIO(manifest.model_dump_json().encode()), {})
            sealed.finish()
    except (OSError, tarfile.TarError, sqlite3.Error) as error:
        raise BackupError(f"the backup cannot be written ({type(error).__name__})") from None
    return manifest


def unpack(source: Path, secret: Secret, into: Path, progress: Progress) -> Manifest:
    """Decrypt an archive into an empty folder and check it: every file is there, unaltered, and nothing else.

    Raises:
        BackupError: It is not what `make` writes, the secret does not open it, or it was altered.
    """
    found: dict[str, str] = {}
    manifest: Manifest | None = None
    try:
        with source.open("rb") as file:
            sealed = SealedReader(file, secret)
            with tarfile.open(fileobj=cast("BinaryIO", sealed), mode="r|") as tar:
                for member in tar:
                    content = tar.extractfile(member) if member.isreg() else None
                    if content is None or manifest is not None:
                        raise BackupError("the archive holds something that no backup does")
                    if member.name == MANIFEST:
                        manifest = Manifest.model_validate_json(content.read(_MANIFEST_BYTES))
                        continue
                    found[member.name] = _write(content, into / _safe(member.name))
                    progress(f"checked {member.name}")
            while sealed.read(_COPY_BYTES):  # the padding after the last file, and with it the end of the stream
                pass
    except (OSError, tarfile.TarError) as error:
        raise BackupError(f"the archive cannot be read ({type(error).__name__})") from None
    except ValidationError:
        raise BackupError("the archive's manifest is of another format") from None
    if manifest is None or dict(manifest.digests) != found or RECORDS not in found:
        raise BackupError("the archive does not hold what its manifest says")
    return manifest


def _kept(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        place = PurePosixPath(path.relative_to(folder).as_posix())
        derived = len(place.parts) == 1 and place.name.startswith(_DERIVED)
        hidden = any(part.startswith(".") for part in place.parts)
        of_broker = place.is_relative_to(_BROKER)
        beside = place.name.endswith(("-wal", "-shm", "-journal", ".lock"))
        again = place.is_relative_to(_INSTALL)
        skipped = derived or hidden or again or of_broker or beside or place.name in _NOT_KEPT
        if not skipped and path.is_file() and not _begins(path, MAGIC):
            yield path


def _begins(path: Path, content: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(content)) == content


@contextmanager
def _still(path: Path) -> Iterator[IO[bytes]]:
    """Yield the content of a file that is only ever replaced whole; of a SQLite database that of one moment.

    Such a database is small (who people are); it passes through memory so that no copy is left on the disk.
    """
    if _begins(path, _SQLITE):
        with (
            closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as old,
            closing(sqlite3.connect(":memory:")) as copy,
        ):
            old.backup(copy)
            content = copy.serialize()
        yield io.BytesIO(content)
    else:
        with path.open("rb") as file:
            yield file


def _add(tar: tarfile.TarFile, name: str, file: IO[bytes], digests: dict[str, str]) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = file.seek(0, os.SEEK_END), 0o600
    file.seek(0)
    hashed = _Hashing(file)
    tar.addfile(member, cast("BinaryIO", hashed))
    digests[name] = hashed.sha256.hexdigest()


class _Hashing:
    """Hashes what is read through it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.sha256 = hashlib.sha256()

    def read(self, size: int) -> bytes:
        content = self._file.read(size)
        self.sha256.update(content)
        return content


def _write(content: IO[bytes], path: Path) -> str:
    """Write a member out and return its digest."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    hashed = _Hashing(content)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        while piece := hashed.read(_COPY_BYTES):
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    return hashed.sha256.hexdigest()


def _safe(name: str) -> PurePosixPath:
    """Return a member's name as a path that stays within the folder it is put into."""
    path = PurePosixPath(name)
    inside = name == RECORDS or (path.parts[:1] == (FILES,) and len(path.parts) > 1)
    if not inside or path.is_absolute() or ".." in path.parts:
        raise BackupError("the archive names a place outside its own folder")
    return path
