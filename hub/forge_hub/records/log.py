"""Reading the event log, and the cursors of those who follow it."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session as Transaction

from forge_hub.records.database import Database
from forge_hub.records.schema import EventLog, ProjectionCursor
from forge_shared.errors import EventInvalidError, ForgeError
from forge_shared.events import Envelope, EventData, read_data

BATCH = 200
"""Events read at once: few enough that a page read in between does not wait."""


@dataclass(frozen=True, slots=True)
class Logged:
    """One event as the log holds it, its data at the newest version of its type."""

    position: int
    envelope: Envelope
    data: EventData


def read_log(database: Database, after: int, limit: int = BATCH) -> list[Logged]:
    """Return up to ``limit`` events of the log beyond position ``after``, in order of commit.

    Where an event cannot be read by this version, those before it are returned first.

    Raises:
        EventInvalidError: The next event does not fit its type.
        EventUnknownError: The next event is of a type or version that this program does not read.
    """
    query = select(EventLog).where(EventLog.position > after).order_by(EventLog.position).limit(limit)
    with database.read() as transaction:
        rows = list(transaction.scalars(query))
    logged: list[Logged] = []
    for row in rows:
        try:
            logged.append(_read(row))
        except ForgeError:
            if not logged:
                raise
            break
    return logged


class TableProjection(ABC):
    """A projection whose tables and cursor live in this database. Implements `forge_hub.projection.Projection`."""

    name: ClassVar[str]

    def __init__(self, database: Database) -> None:
        self._database = database

    def position(self) -> int:
        """Return the position of the last event that was applied."""
        with self._database.read() as transaction:
            return cursor(transaction, self.name)

    def apply(self, events: Sequence[Logged]) -> None:
        """Store what follows from the events, and the cursor, in one transaction."""
        with self._database.begin() as transaction:
            for event in events:
                self.apply_one(transaction, event)
            move_cursor(transaction, self.name, events[-1].position)

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


def _read(row: EventLog) -> Logged:
    try:
        envelope = Envelope.model_validate(row.envelope)
    except ValidationError:
        raise EventInvalidError("an event of the log has no valid envelope") from None
    return Logged(row.position, envelope, read_data(envelope.type, envelope.data))
