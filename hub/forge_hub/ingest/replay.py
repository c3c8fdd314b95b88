"""Out of quarantine: what a later version of the hub can read enters the log after all, exactly once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, func, insert, select
from sqlalchemy.orm import Session as Transaction

from forge_hub.errors import NotFoundError
from forge_hub.ingest.ledger import known_events, row_of
from forge_hub.ingest.reading import Arrived, Read, read
from forge_hub.records.database import Database
from forge_hub.records.erasures import ErasedPeople
from forge_hub.records.schema import EventLog, LanePosition, Quarantine
from forge_shared.events import MOST_AGE_SECONDS, Envelope
from forge_shared.logs import get_logger

LISTED = 200
"""Entries on one page. Ours; the command line lists them all."""

log = get_logger()


@dataclass(frozen=True, slots=True)
class Listed:
    """An entry without what was sent. ``code`` is that of its reason; node and lane are None where they are unknown."""

    id: str
    received_at: datetime
    node: str | None
    lane: str | None
    code: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of the entries that were tried.

    Attributes:
        entered: Now in the log, and no longer in quarantine.
        known: The log held them already; no longer in quarantine.
        kept: Still unreadable, or before them something is missing; still in quarantine.
    """

    entered: int
    known: int
    kept: int


def entries(database: Database) -> list[Quarantine]:
    """Return what is in quarantine, oldest first. Blocks on the store."""
    with database.read() as transaction:
        return list(transaction.scalars(select(Quarantine).order_by(Quarantine.received_at, Quarantine.id)))


def entry(database: Database, entry_id: str) -> Quarantine:
    """Return one entry.

    Raises:
        NotFoundError: There is no such entry.
    """
    with database.read() as transaction:
        found = transaction.get(Quarantine, entry_id)
    if found is None:
        raise NotFoundError("there is no such message in quarantine")
    return found


def listing(database: Database) -> tuple[list[Listed], int]:
    """Return the newest entries, at most `LISTED`, and how many there are in all. What was sent is not read."""
    query = _listing().order_by(Quarantine.received_at.desc(), Quarantine.id.desc()).limit(LISTED)
    with database.read() as transaction:
        rows = transaction.execute(query).all()
        total = transaction.scalar(select(func.count()).select_from(Quarantine)) or 0
    return [_listed(row) for row in rows], total


def listed(database: Database, entry_id: str) -> Listed:
    """Return one entry without what was sent.

    Raises:
        NotFoundError: There is no such entry.
    """
    with database.read() as transaction:
        row = transaction.execute(_listing().where(Quarantine.id == entry_id)).first()
    if row is None:
        raise NotFoundError("there is no such message in quarantine")
    return _listed(row)


def counts(database: Database) -> dict[str, int]:
    """Return how many messages are in quarantine, by the code of their reason."""
    with database.read() as transaction:
        reasons = transaction.execute(select(Quarantine.reason, func.count()).group_by(Quarantine.reason)).all()
    found: dict[str, int] = {}
    for reason, number in reasons:
        code = code_of(reason)
        found[code] = found.get(code, 0) + number
    return found


def code_of(reason: str) -> str:
    """Return the code at the beginning of a reason."""
    return reason.partition(":")[0]


def replay(transaction: Transaction, site: str, now: datetime, entry_id: str | None) -> Replayed:
    """Try entries again, in the caller's transaction; nobody else writes the log meanwhile.

    An entry counts as received since it came, so nobody sends it again; it enters at the end of the log, flagged as
    backfill, so that an old alarm does not ring as new.

    Raises:
        NotFoundError: There is no such entry.
    """
    query = select(Quarantine).order_by(Quarantine.received_at, Quarantine.id)
    if entry_id is not None:
        query = query.where(Quarantine.id == entry_id)
    rows = list(transaction.scalars(query))
    if entry_id is not None and not rows:
        raise NotFoundError("there is no such message in quarantine")
    erased = ErasedPeople.load(transaction)
    entered = known = 0
    for row in rows:
        reading = read(site, Arrived(row.topic, row.payload))
        if not isinstance(reading, Read) or not _is_reached(transaction, reading):
            continue
        envelope = erased.withhold(_as_old_as_it_is(reading.envelope, now - row.received_at))
        if known_events(transaction, [envelope.id]):
            known += 1
        else:
            transaction.execute(insert(EventLog), [row_of(envelope, now)])
            entered += 1
        transaction.delete(row)
    replayed = Replayed(entered, known, len(rows) - entered - known)
    log.info("quarantine.replayed", entered=replayed.entered, known=replayed.known, kept=replayed.kept)
    return replayed


def _as_old_as_it_is(envelope: Envelope, waited: timedelta) -> Envelope:
    """Return an event as the backfill that it has become in quarantine."""
    age = envelope.ageseconds if envelope.ageseconds is not None or envelope.backfill else 0
    if age is not None:
        age = min(MOST_AGE_SECONDS, age + max(0, int(waited.total_seconds())))
    return envelope.model_copy(update={"backfill": True, "ageseconds": age})


_Row = tuple[str, datetime, str | None, str | None, str, int]


def _listing() -> Select[_Row]:
    size = func.length(Quarantine.payload)
    return select(Quarantine.id, Quarantine.received_at, Quarantine.node, Quarantine.lane, Quarantine.reason, size)


def _listed(row: Sequence[Any]) -> Listed:
    return Listed(row[0], row[1], row[2], row[3], code_of(row[4]), row[5])


def _is_reached(transaction: Transaction, reading: Read) -> bool:
    """Tell whether everything before this place of the lane is in the log, so that the lane keeps its order."""
    address = reading.address
    position = transaction.get(LanePosition, (address.node, address.epoch, address.lane))
    return position is not None and address.sequence <= position.sequence
