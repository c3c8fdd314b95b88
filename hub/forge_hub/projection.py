"""Projections of the event log: each keeps its own cursor, so any of them can be dropped and rebuilt."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from typing import Protocol

from sqlalchemy.exc import SQLAlchemyError

from forge_hub.records.database import Database
from forge_hub.records.log import BATCH, Logged, end_of_log, read_log, received_after
from forge_shared.backoff import Backoff
from forge_shared.errors import ForgeError
from forge_shared.logs import get_logger
from forge_shared.topics import Lane

POLL_SECONDS = 1.0
"""A projection looks for new events this often even when nobody woke it."""
RETRY_SECONDS = (0.2, 30.0)
PROGRESS_EVENTS = 1000
"""A projection that has further to go says after so many events how far it is. Ours."""
GIVING_WAY = 100
"""Events that a projection of the whole log applies at once while the log grows: an alarm waits for the writer's turn
for as long as that takes, some 30 ms of a processor. Ours.
"""
RESTS = 2
"""After that it rests for so many times as long as it worked: threads of one Python process share one interpreter, and
while it computes the event loop takes nothing in. What waits is applied when the log has stopped growing. Ours.
"""
GROWING_SECONDS = 0.5
"""The log counts as growing for this long after its last event."""

log = get_logger()


class Projection(Protocol):
    """Something derived from the event log. Called from one thread at a time; blocks on its store."""

    @property
    def name(self) -> str:
        """A stable name."""

    @property
    def lane(self) -> Lane | None:
        """The one lane that it follows, so that alarms need not wait behind records; None: the whole log."""

    @property
    def most(self) -> int:
        """How many events it takes at once; between two steps it can be stopped."""

    def position(self) -> int:
        """Return the position of the last event that was applied; 0 before the first."""

    def apply(self, events: Sequence[Logged]) -> None:
        """Apply events in order and remember the last position with them: both or neither, or safely repeatable."""


def catch_up(database: Database, projection: Projection, after: Sequence[Projection] = ()) -> int:
    """Apply everything that a projection has not seen yet and return how many events that were."""
    applied = 0
    progress = Progress(database, projection)
    while now := advance(database, projection, after=after):
        applied += now
        progress.count(now)
        progress.say()
    return applied


def advance(database: Database, projection: Projection, limit: int = BATCH, *, after: Sequence[Projection] = ()) -> int:
    """Apply the next events that a projection has not seen; return how many there were.

    Args:
        database: Holds the log.
        projection: What is brought forward.
        limit: Events at most.
        after: What must have applied an event first.
    """
    events = read_log(database, projection.position(), min(limit, projection.most), lane=projection.lane)
    if after and events:
        reached = min(each.position() for each in after)
        events = [event for event in events if event.position <= reached]
    if events:
        projection.apply(events)
    return len(events)


class Progress:
    """Says in the log how far a projection is that has a long way to go. Blocks on the stores."""

    def __init__(self, database: Database, projection: Projection) -> None:
        self._database = database
        self._projection = projection
        self._unsaid = 0

    def count(self, applied: int) -> None:
        """Count events that were applied."""
        self._unsaid += applied

    def say(self) -> None:
        """Say how far it is, every `PROGRESS_EVENTS` and while there is more to come."""
        if self._unsaid < PROGRESS_EVENTS:
            return
        self._unsaid = 0
        position, end = self._projection.position(), end_of_log(self._database, self._projection.lane)
        if position < end:
            log.info("projection.progress", projection=self._projection.name, position=position, of=end)


@asynccontextmanager
async def paused(runners: "Iterable[Runner]") -> AsyncIterator[None]:
    """Keep projections where they are for the length of a block; what they are in the middle of is finished first."""
    async with AsyncExitStack() as stack:
        for runner in runners:
            await stack.enter_async_context(runner.paused)
        yield


class Runner:
    """Keeps one projection up to date. Runs on the event loop; the projection itself works in a thread.

    Args:
        database: Holds the log.
        projection: What to keep up to date.
        on_applied: Called on the event loop after every step that applied something; must not block.
        after: What must have applied an event first.
    """

    def __init__(
        self,
        database: Database,
        projection: Projection,
        *,
        on_applied: Callable[[], None] | None = None,
        after: Sequence[Projection] = (),
    ) -> None:
        self._database = database
        self._projection = projection
        self._on_applied = on_applied
        self._after = after
        self._wake = asyncio.Event()
        self._woken_at = -GROWING_SECONDS
        self._pause = asyncio.Lock()
        self.state = "ok"

    @property
    def name(self) -> str:
        """The projection's name."""
        return self._projection.name

    def lag(self) -> int:
        """Return how many positions of the log it has yet to pass. Blocks on the stores: call it from a thread."""
        return max(0, end_of_log(self._database, self._projection.lane) - self._projection.position())

    def waits_since(self) -> datetime | None:
        """Return when the oldest event that it has yet to apply arrived; None: it has applied all. Blocks likewise."""
        return received_after(self._database, self._projection.position(), self._projection.lane)

    def wake(self) -> None:
        """Say that the log has grown. Called on the event loop."""
        self._woken_at = time.monotonic()
        self._wake.set()

    @property
    def paused(self) -> asyncio.Lock:
        """While held, the projection is not advanced, so that it may be rebuilt."""
        return self._pause

    async def run(self) -> None:
        """Advance until cancelled. Trouble is logged once, shown as ``state``, and tried again.

        An event that this version cannot read is such trouble: this projection waits before it, the others go on.
        """
        backoff = Backoff(*RETRY_SECONDS)
        progress = Progress(self._database, self._projection)
        while True:
            self._wake.clear()
            begun = time.monotonic()
            gives_way = self._projection.lane is None and begun - self._woken_at < GROWING_SECONDS
            limit = GIVING_WAY if gives_way else BATCH
            try:
                async with self._pause:
                    await asyncio.to_thread(progress.say)
                    applied = await asyncio.to_thread(
                        advance, self._database, self._projection, limit, after=self._after
                    )
            except (ForgeError, SQLAlchemyError) as error:
                if backoff.failures == 0:
                    log.exception("projection.failing", projection=self.name)
                self.state = error.code if isinstance(error, ForgeError) else "records.failed"
                await asyncio.sleep(backoff.failed())
                continue
            if failures := backoff.succeeded():
                log.info("projection.recovered", projection=self.name, after_failures=failures)
            self.state = "ok"
            if applied:
                if self._on_applied is not None:
                    self._on_applied()
                progress.count(applied)
                await asyncio.sleep(RESTS * (time.monotonic() - begun) if gives_way else 0)
                continue
            try:
                async with asyncio.timeout(POLL_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                continue
