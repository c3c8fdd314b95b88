"""The newest hash of the audit, written outside the store: whoever cuts the end off the chain is found out by it.

Each line of the file is ``position hash time``. The same goes into the log, which a site keeps elsewhere.
"""

import asyncio
import errno
import os
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from forge_hub.access.audit import Anchor, head
from forge_hub.errors import RecordsError
from forge_hub.records.database import Database
from forge_shared.clock import Clock
from forge_shared.logs import get_logger

EVERY_SECONDS = 60.0
"""How often the newest hash is looked at. Ours: what is cut off within a minute of being written goes unseen."""

log = get_logger()


class Anchors:
    """The file of anchors of one hub."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> list[Anchor]:
        """Return every anchor. A hub that has never written one has none.

        Raises:
            RecordsError: A line is not one that a hub writes.
        """
        if not self._path.exists():
            return []
        try:
            fields = [line.split() for line in self._path.read_text(encoding="ascii").splitlines()]
            return [Anchor(int(position), digest) for position, digest, _ in fields]
        except ValueError:
            raise RecordsError("the file of the audit's anchors has been changed") from None

    def drop(self, database: Database, clock: Clock) -> bool:
        """Append the newest hash if the chain has grown since the last one; tell whether it had.

        Raises:
            OSError: It cannot be written; the file is as it was.
            RecordsError: A line is not one that a hub writes.
        """
        newest, written = head(database), self.read()
        if newest.position <= (written[-1].position if written else 0):
            return False
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            size = os.fstat(descriptor).st_size
            line = f"{newest.position} {newest.hash} {clock.now().isoformat(timespec='seconds')}\n".encode()
            try:
                _write_whole(descriptor, line)
            except OSError:
                os.ftruncate(descriptor, size)  # half a line would look like a changed one
                raise
        finally:
            os.close(descriptor)
        log.info("audit.anchored", position=newest.position, hash=newest.hash)
        return True

    async def run(self, database: Database, clock: Clock) -> None:
        """Drop an anchor every `EVERY_SECONDS` until cancelled. Trouble is logged once: alarms go on meanwhile."""
        failing = False
        while True:
            try:
                await asyncio.to_thread(self.drop, database, clock)
                failing = False
            except (OSError, SQLAlchemyError, RecordsError):
                if not failing:
                    log.exception("audit.not-anchored")
                failing = True
            await asyncio.sleep(EVERY_SECONDS)


def _write_whole(descriptor: int, line: bytes) -> None:
    if os.write(descriptor, line) < len(line):
        raise OSError(errno.ENOSPC, "a part of the line did not fit")
    os.fsync(descriptor)
