"""The alert board: what is open, who took it, and who is told.

An alert is stored before anyone is told of it. Telling means waking the open pages, which then read the store; a lost
wake-up therefore delays nothing that is stored, because pages also read on their own.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy import case, select

from forge_hub.access import audit
from forge_hub.errors import NotFoundError
from forge_hub.records.database import Database
from forge_hub.records.schema import Alert
from forge_shared.clock import Clock

BOARD_LIMIT = 200
"""Accepted alerts on the board. Ours: about a week of a busy ward."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """An alert was taken by a person; the room may now say so."""

    node: str
    event_id: str


class AlertBoard:
    """Open alerts and their answers. Its methods are called from the event loop."""

    def __init__(self, database: Database, clock: Clock, *, on_accepted: Callable[[Accepted], Awaitable[None]]) -> None:
        self._database = database
        self._clock = clock
        self._on_accepted = on_accepted
        self._watchers: set[asyncio.Event] = set()

    def current(self) -> list[Alert]:
        """Return the board: every open alert, urgent before normal, newest first; then the accepted ones, newest first.

        Open alerts are never cut off; of the accepted ones the newest 200 are shown. Blocks on the store: call it from
        a thread.
        """
        urgency = case({"critical": 0, "high": 1}, value=Alert.severity, else_=2)
        newest = (Alert.raised_at.desc(), Alert.id.desc())
        waiting = select(Alert).where(Alert.state == "open").order_by(urgency, *newest)
        taken = select(Alert).where(Alert.state != "open").order_by(*newest).limit(BOARD_LIMIT)
        with self._database.read() as transaction:
            return [*transaction.scalars(waiting), *transaction.scalars(taken)]

    async def accept(self, alert_id: str, account_id: str) -> None:
        """Record that a person has taken an alert, then tell the pages and the room.

        Accepting twice changes nothing: the first person keeps it.

        Raises:
            NotFoundError: There is no such alert.
        """
        accepted = await asyncio.to_thread(self._accept, alert_id, account_id)
        if accepted is not None:
            self.changed()
            await self._on_accepted(accepted)

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[asyncio.Event]:
        """Yield an event that is set whenever the board has changed; the watcher clears it."""
        watcher = asyncio.Event()
        self._watchers.add(watcher)
        try:
            yield watcher
        finally:
            self._watchers.discard(watcher)

    def changed(self) -> None:
        """Wake every open page. Called on the event loop, after the store has committed."""
        for watcher in self._watchers:
            watcher.set()

    def _accept(self, alert_id: str, account_id: str) -> Accepted | None:
        with self._database.begin() as transaction:
            # The row is locked until the commit: on PostgreSQL two people would otherwise both find it open.
            alert = transaction.get(Alert, alert_id, with_for_update=True)
            if alert is None:
                raise NotFoundError("there is no such alert")
            if alert.state != "open":
                return None
            now = self._clock.now()
            alert.state, alert.accepted_by, alert.accepted_at = "accepted", account_id, now
            audit.write(transaction, now, account_id, "alert.accept", alert_id, subject=alert.subject)
            return Accepted(node=alert.node, event_id=alert.event_id)
