"""The newest hash of the audit, written outside the store: whoever cuts the end off the chain is found out by it.

Each line of the file is ``position hash time``. The same goes into the log, which a site keeps elsewhere.
"""

import asyncio
import os
from pathlib import Path

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
        """Append the newest hash if the chain has grown since the last one; tell whether it had."""
        newest, written = head(database), self.read()
        if newest.position <= (written[-1].position if written else 0):
            return False
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "a", encoding="ascii") as file:
            file.write(f"{newest.position} {newest.hash} {clock.now().isoformat(timespec='seconds')}\n")
            file.flush()
            os.fsync(file.fileno())
        log.info("audit.anchored", position=newest.position, hash=newest.hash)
        return True

    async def run(self, database: Database, clock: Clock) -> None:
        """Drop an anchor every `EVERY_SECONDS` until cancelled."""
        while True:
            await asyncio.to_thread(self.drop, database, clock)
            await asyncio.sleep(EVERY_SECONDS)
