"""Reading the event log, and the cursors of those who follow it."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from pydantic import ValidationError
from sqlalchemy import func, select
from sqlalchemy.orm import Session as Transaction

from forge_hub.records.database import Database
from forge_hub.records.schema import EventLog, ProjectionCursor
from forge_shared.errors import EventInvalidError, ForgeError
from forge_shared.events import Envelope, EventData, read_data
from forge_shared.topics import Lane

BATCH = 500
"""Events read at once: few enough that a page read in between does not wait."""


@dataclass(frozen=True, slots=True)
class Logged:
    """One event as the log holds it, its data at the newest version of its type, and when the hub had it."""

    position: int
    envelope: Envelope
    data: EventData
    received_at: datetime


def read_log(database: Database, after: int, limit: int = BATCH, *, lane: Lane | None = None) -> list[Logged]:
    """Return up to ``limit`` events of the log, or of one lane, beyond position ``after``, in order of commit.

    Where an event cannot be read by this version, those before it are returned first.

    Raises:
        EventInvalidError: The next event does not fit its type.
        EventUnknownError: The next event is of a type or version that this program does not read.
    """
    query = select(EventLog.position, EventLog.envelope, EventLog.received_at).where(EventLog.position > after)
    if lane is not None:
        query = query.where(EventLog.lane == lane)
    with database.read() as transaction:
        rows = transaction.execute(query.order_by(EventLog.position).limit(limit)).all()
    logged: list[Logged] = []
    for position, envelope, received_at in rows:
        try:
            logged.append(_read(position, envelope, received_at))
        except ForgeError:
            if not logged:
                raise
            break
    return logged


class TableProjection(ABC):
    """A projection whose tables and cursor live in this database. Implements `forge_hub.projection.Projection`."""

    name: ClassVar[str]
    lane: ClassVar[Lane | None] = None
    most: ClassVar[int] = BATCH

    def __init__(self, database: Database) -> None:
        self._database = database

    def position(self) -> int:
        """Return the position of the last event that was applied."""
        with self._database.read() as transaction:
            return cursor(transaction, self.name)

    def apply(self, events: Sequence[Logged]) -> None:
        """Store what follows from the events, and the cursor, in one transaction."""
        with self._database.begin() as transaction:
            self.apply_all(transaction, events)
            move_cursor(transaction, self.name, events[-1].position)

    def apply_all(self, transaction: Transaction, events: Sequence[Logged]) -> None:
        """Store what follows from a batch of events, in the caller's transaction."""
        for event in events:
            self.apply_one(transaction, event)

    @abstractmethod
    def apply_one(self, transaction: Transaction, event: Logged) -> None:
        """Store what follows from one event, in the caller's transaction."""


def cursor(transaction: Transaction, name: str) -> int:
    """Return the cursor of a projection that lives in this database."""
    row = transaction.get(ProjectionCursor, name)
    return row.position if row else 0


def move_cursor(transaction: Transaction, name: str, position: int) -> None:
    """Set the cursor of a projection that lives in this database, in the caller's transaction."""
    transaction.merge(ProjectionCursor(name=name, position=position))


def end_of_log(database: Database, lane: Lane | None = None) -> int:
    """Return the position of the newest event of the log, or of one lane; 0 when there is none."""
    query = select(func.max(EventLog.position))
    if lane is not None:
        query = query.where(EventLog.lane == lane)
    with database.read() as transaction:
        return transaction.scalar(query) or 0


def received_after(database: Database, position: int, lane: Lane | None = None) -> datetime | None:
    """Return when the first event beyond a position, of the log or of one lane, arrived; None when there is none."""
    query = select(EventLog.received_at).where(EventLog.position > position)
    if lane is not None:
        query = query.where(EventLog.lane == lane)
    with database.read() as transaction:
        return transaction.scalar(query.order_by(EventLog.position).limit(1))


def newest_received(database: Database) -> datetime | None:
    """Return when the newest event of the log arrived; None when there is none."""
    query = select(EventLog.received_at).order_by(EventLog.position.desc()).limit(1)
    with database.read() as transaction:
        return transaction.scalar(query)


def _read(position: int, stored: dict[str, Any], received_at: datetime) -> Logged:
    try:
        envelope = Envelope.model_validate(stored)
    except ValidationError:
        raise EventInvalidError("an event of the log has no valid envelope") from None
    return Logged(position, envelope, read_data(envelope.type, envelope.data), received_at)
