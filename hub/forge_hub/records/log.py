"""Reading the event log, and the cursors of those who follow it."""

from dataclasses import dataclass

from pydantic import ValidationError
from sqlalchemy import func, select
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


def end_of_log(database: Database) -> int:
    """Return the position of the newest event, 0 when the log is empty."""
    with database.read() as transaction:
        return transaction.scalar(select(func.max(EventLog.position))) or 0


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
