"""Which MQTT version to speak to a broker: 5 where it understands it, 3.1.1 otherwise."""

import contextlib
import time
from pathlib import Path
from typing import Literal

from forge_shared.files import replace

Version = Literal["5", "3.1.1"]

REMEMBERED_SECONDS = 24 * 3600.0
"""After a day 5 is tried again: the broker may have been replaced. Ours."""


class VersionChoice:
    """Remembers across restarts that a broker only speaks 3.1.1, because finding out takes a time-out.

    Args:
        path: A file of one line; its folder exists.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.version: Version = "3.1.1" if self._is_remembered() else "5"

    def failed(self, error: BaseException) -> None:
        """Take in why a connection was not made: when someone answered, but not in this version, try the other.

        Args:
            error: The client's error; its context says whether the machine was reached at all.
        """
        unreached = isinstance(error.__context__, OSError) and not isinstance(error.__context__, TimeoutError)
        if not unreached:
            self.version = "3.1.1" if self.version == "5" else "5"

    def succeeded(self) -> None:
        """Remember the version that worked. Where that cannot be written it is found out again."""
        with contextlib.suppress(OSError):
            if self.version == "5":
                self._path.unlink(missing_ok=True)
            elif not self._is_remembered():
                replace(self._path, b"3.1.1\n")

    def _is_remembered(self) -> bool:
        try:
            return time.time() - self._path.stat().st_mtime < REMEMBERED_SECONDS
        except OSError:
            return False
