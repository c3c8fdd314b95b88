"""Room on the disk that is kept for alarms: a file of no content, given up when the disk is full."""

import contextlib
import os
from pathlib import Path

RESERVE_BYTES = 1_000_000
"""About a thousand alarms with their share of the write-ahead log. Ours."""


class Reserve:
    """The reserve of one outbox. Used under the outbox's lock.

    Args:
        path: The file; its folder exists.
        size_bytes: How much is kept.
    """

    def __init__(self, path: Path, size_bytes: int = RESERVE_BYTES) -> None:
        self._path = path
        self._size_bytes = size_bytes

    def hold(self) -> bool:
        """Take the reserve where it is not held and twice as much is free; tell whether it is held."""
        try:
            if self._path.exists() and self._path.stat().st_size == self._size_bytes:
                return True
            disk = os.statvfs(self._path.parent)
            if disk.f_bavail * disk.f_frsize < 2 * self._size_bytes:
                return False
            with self._path.open("wb") as file:
                file.truncate(0)
                os.posix_fallocate(file.fileno(), 0, self._size_bytes)
        except OSError:
            self.give_up()
            return False
        return True

    def give_up(self) -> None:
        """Free the reserve; where even that fails there is none."""
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)
