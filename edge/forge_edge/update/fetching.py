"""Fetching a packed release: from where it stopped, within the disk's budget, never slower than a limit, and whole.

What is fetched grows in a ``.part`` file; a cut, a kill or a power cut costs what was not yet on the disk. Its size is
known from signed metadata, so that nobody fills the disk with endless data, and its digest is checked over all of it
before it gets its name.
"""

import hashlib
import os
import shutil
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from forge_edge.errors import UpdateRefusedError, UpdateUnreachableError
from forge_shared.clock import Clock

CHUNK_BYTES: Final = 256 * 1024
SYNC_BYTES: Final = 8 * 1024 * 1024
"""How much a power cut may cost: so often the disk is asked to keep what it has. Ours: a minute of a slow line."""
LEAST_BYTES_PER_SECOND: Final = 2_000.0
"""Slower is refused for now. Ours: 80 MB then take 11 hours, a night; a hub that drips holds nothing up."""
RATE_SECONDS: Final = 30.0
"""Over how long the rate is judged."""
RESERVE_BYTES: Final = 512 * 1024 * 1024
"""What stays free on the disk: the outbox comes first. Ours: its own reserve many times over."""


class Source(Protocol):
    """Gives out a file from a byte on."""

    def read(self, path: str, offset: int) -> Iterator[bytes]:
        """Yield the rest of a file in pieces of at most `CHUNK_BYTES`.

        Raises:
            UpdateUnreachableError: It cannot be had, or the line broke; what was yielded before stands.
        """


@dataclass(frozen=True, slots=True)
class Parcel:
    """What is to be fetched. ``path`` is its address at the source, ``length`` in bytes."""

    path: str
    length: int
    sha256: str


class Fetching:
    """Fetches parcels into a folder. Blocks; ask it from a thread.

    Args:
        folder: Where they grow and end.
        source: Where they come from.
        clock: Measures the rate.
        on_progress: Told how many bytes of how many are there, at every sync and at the end.
        is_cancelled: Asked between pieces; what is there stays for the next time.
    """

    def __init__(
        self,
        folder: Path,
        source: Source,
        clock: Clock,
        on_progress: Callable[[int, int], None],
        is_cancelled: Callable[[], bool],
    ) -> None:
        self._folder = folder
        self._source = source
        self._clock = clock
        self._on_progress = on_progress
        self._is_cancelled = is_cancelled

    def fetch(self, parcel: Parcel) -> Path:
        """Return the parcel's file, whole and verified.

        Raises:
            UpdateUnreachableError: The line broke, is too slow, or it was cancelled; the next call goes on from there.
            UpdateRefusedError: Its bytes are not those that were signed, or the disk has no room.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        whole = self._folder / parcel.sha256
        if whole.exists():
            return whole
        part = whole.with_suffix(".part")
        there = part.stat().st_size if part.exists() else 0
        if there > parcel.length:
            part.unlink()
            there = 0
        # It is unpacked beside itself.
        if shutil.disk_usage(self._folder).free < 2 * parcel.length - there + RESERVE_BYTES:
            raise UpdateRefusedError("disk-full")
        if there < parcel.length:
            try:
                self._grow(part, parcel, there)
            except UpdateRefusedError:
                part.unlink()
                raise
        if _digest(part) != parcel.sha256:
            part.unlink()
            raise UpdateRefusedError("wrong-bytes")
        part.rename(whole)
        _sync(self._folder)
        self._on_progress(parcel.length, parcel.length)
        return whole

    def forget(self, wanted: Collection[str]) -> None:
        """Delete what was fetched, whole or in part, of anything but these digests."""
        if self._folder.exists():
            for path in self._folder.iterdir():
                if path.stem not in wanted:
                    path.unlink()

    def _grow(self, part: Path, parcel: Parcel, there: int) -> None:
        began, counted, synced = self._clock.monotonic_seconds(), 0, there
        with part.open("ab") as file:
            try:
                for piece in self._source.read(parcel.path, there):
                    if there + len(piece) > parcel.length:
                        raise UpdateRefusedError("endless-data")
                    file.write(piece)
                    there += len(piece)
                    counted += len(piece)
                    if there - synced >= SYNC_BYTES:
                        _flush(file.fileno(), file.flush)
                        synced = there
                        self._on_progress(there, parcel.length)
                    if self._is_cancelled():
                        raise UpdateUnreachableError("cancelled")
                    elapsed = self._clock.monotonic_seconds() - began
                    if elapsed >= RATE_SECONDS:
                        if counted / elapsed < LEAST_BYTES_PER_SECOND:
                            raise UpdateUnreachableError("too slow")
                        began, counted = self._clock.monotonic_seconds(), 0
            finally:
                _flush(file.fileno(), file.flush)
        if there < parcel.length:
            raise UpdateUnreachableError("the line broke")


def _flush(descriptor: int, flush: Callable[[], None]) -> None:
    flush()
    os.fsync(descriptor)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
