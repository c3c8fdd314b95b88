"""The roll-outs of one hub: what people ask of them, what brings them forward, and telling the rooms."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import tzinfo
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from forge_hub.errors import ReleaseError
from forge_hub.records.database import Database, trouble_of
from forge_hub.releases.catalogue import Catalogue
from forge_hub.releases.commands import RolloutCommands
from forge_hub.releases.engine import RolloutEngine
from forge_hub.releases.rollouts import Rollouts
from forge_shared.backoff import Backoff
from forge_shared.clock import Clock
from forge_shared.logs import get_logger

LOOK_SECONDS = 5.0
"""The roll-outs are looked at this often, whether or not anyone woke them. Ours: rooms take minutes."""
RETRY_SECONDS = (1.0, 60.0)

COMMAND = "rollout"
"""Name under which the control socket offers what people ask of roll-outs."""
FOLDER = "releases"
"""Name of the folder of releases in the hub's state folder."""

log = get_logger()


class RolloutService:
    """Brings roll-outs forward while the hub serves. Made and run on the event loop.

    Args:
        database: The records.
        folder: The hub's state folder.
        clock: The wall clock.
        zone: The site's time zone.
        tell: Tells the rooms whose releases have changed to look; called on the event loop.

    Attributes:
        catalogue: What is published.
        rollouts: What pages and commands use.
        state: ``ok``, or why the roll-outs stand still.
    """

    def __init__(
        self, database: Database, folder: Path, clock: Clock, *, zone: tzinfo, tell: Callable[[], Awaitable[None]]
    ) -> None:
        catalogue = Catalogue(folder / FOLDER, clock)
        self._engine = RolloutEngine(database, catalogue, clock, zone=zone)
        self._tell = tell
        self._wake = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self.catalogue = catalogue
        self.rollouts = Rollouts(database, catalogue, clock, on_changed=self.wake)
        self.state = "ok"
        self._commands = RolloutCommands(self.rollouts, clock, zone)

    @property
    def commands(self) -> Mapping[str, Callable[..., Awaitable[Mapping[str, Any]]]]:
        """What the control socket offers."""
        return {COMMAND: self._carry_out}

    def wake(self) -> None:
        """Say that there is something to look at. Any thread may."""
        self._loop.call_soon_threadsafe(self._wake.set)

    async def _carry_out(self, asked: str, **given: str | None) -> Mapping[str, Any]:
        return {"lines": await asyncio.to_thread(self._commands.run, asked, given)}

    async def run(self) -> None:
        """Bring roll-outs forward until cancelled. Trouble is logged once, shown as ``state``, and tried again."""
        backoff = Backoff(*RETRY_SECONDS)
        while True:
            self._wake.clear()
            try:
                ticked = await asyncio.to_thread(self._engine.tick)
            except Exception as error:
                # Roll-outs that stand still harm nobody; a hub that ends for them would.
                if backoff.failures == 0:
                    log.exception("rollouts.failing")
                self.state = trouble_of(error) if isinstance(error, SQLAlchemyError) else ReleaseError.code
                await asyncio.sleep(backoff.failed())
                continue
            if failures := backoff.succeeded():
                log.info("rollouts.recovered", after_failures=failures)
            self.state = self._engine.trouble or "ok"
            if ticked.signed:
                await self._tell()
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                continue
