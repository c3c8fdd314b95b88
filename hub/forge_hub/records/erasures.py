"""Erasing a person from the records, and finding what mentions one. Works in the caller's transaction.

Rows that name the person are deleted, and with them what refers to those rows. Four kinds of rows must stay and are
emptied instead: events of the log and of the inbox keep their place, since acknowledgements, duplicates and projections
count on it; alerts keep that staff were called and answered; rooms are still told something. The audit is left alone:
it says who did what, and its pseudonyms lead nowhere any more.
"""

import hashlib
import json
import secrets
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Table, Text, cast, delete, func, select, update
from sqlalchemy.orm import Session as Transaction

from forge_hub.errors import NotFoundError
from forge_hub.records.log import cursor
from forge_hub.records.schema import Alert, Audit, Base, DesiredTwin, Erasure, EventLog, Inbox, Quarantine
from forge_shared.events import Envelope, EventErased
from forge_shared.ids import new_id

PERSON_COLUMNS = frozenset({"subject", "pseudonym"})
"""What a column is called that holds a pseudonym. A row that has one is the person's own."""

KEPT = frozenset({Audit.__tablename__, "audit_head", Erasure.__tablename__})
"""Tables that an erasure leaves alone. They hold no clinical data."""

_EMPTIED = frozenset({EventLog.__tablename__, Alert.__tablename__})
"""Tables whose rows stay and are emptied."""

_ALERTS_CURSOR = "alerts"
BATCH = 500


def person_hash(pseudonym: str) -> str:
    """Return the form in which an erased person is remembered, to be erased again when they come back.

    A pseudonym is random (48 bits) and derived from nothing, so all that guessing it from here gives is a pseudonym
    that nothing refers to any more.
    """
    return hashlib.sha256(b"persona-forge erasure\x00" + pseudonym.encode()).hexdigest()


def new_replacement() -> str:
    """Return a random one-off id that stands for an erased person."""
    return f"erased-{secrets.token_hex(8)}"


class ErasedPeople:
    """Who was erased, as a batch of arriving events is compared with. Immutable."""

    def __init__(self, replacements: Mapping[str, str]) -> None:
        """Take the one-off ids by the hashes of the pseudonyms."""
        self._replacements = replacements

    @classmethod
    def load(cls, transaction: Transaction) -> "ErasedPeople":
        """Read them all: one short query; erasures are counted in hundreds."""
        rows = transaction.execute(select(Erasure.person_hash, Erasure.replacement)).all()
        return cls({row.person_hash: row.replacement for row in rows})

    def withhold(self, envelope: Envelope) -> Envelope:
        """Return what may be kept of an event: all of it, unless its person was erased.

        Of a record of an erased person only the place in the sequence is kept. An alarm rings whoever calls: it keeps
        what it says, under the one-off id.
        """
        if not self._replacements:
            return envelope
        replacement = self._replacements.get(person_hash(envelope.subject))
        if replacement is None:
            return envelope
        if envelope.lane == "alarm":
            return envelope.model_copy(update={"subject": replacement})
        return emptied(envelope, replacement)


def emptied(envelope: Envelope, subject: str) -> Envelope:
    """Return a marker with the identity and the place of an event, and nothing else of it."""
    data = EventErased()
    return envelope.model_copy(
        update={"type": data.type_name(), "subject": subject, "data": data.model_dump(mode="json")}
    )


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure did.

    Attributes:
        entry: What is remembered of it.
        rows: Rows deleted or emptied by table, of this run.
        traces: The pseudonym and the ids that were the person's alone: what a search must not find any more.
    """

    entry: Erasure
    rows: Mapping[str, int]
    traces: frozenset[str]


def erase_person(transaction: Transaction, pseudonym: str, *, at: datetime, by: str, reason: str) -> Erased:
    """Erase a person; doing it again erases what has come since.

    Args:
        transaction: What it happens in.
        pseudonym: The person.
        at: When.
        by: Id of the account, or ``command-line``.
        reason: A code.

    Raises:
        NotFoundError: Nothing mentions the person, and nobody of that pseudonym was erased before.
    """
    hashed = person_hash(pseudonym)
    entry = transaction.get(Erasure, hashed)
    before = entry is not None
    if entry is None:
        entry = Erasure(
            person_hash=hashed,
            replacement=new_replacement(),
            erased_at=at,
            erased_by=by,
            reason=reason,
            counts={},
        )
    rows: Counter[str] = Counter()
    traces = {pseudonym}
    _empty_log(transaction, pseudonym, entry.replacement, rows, traces)
    _empty_inbox(transaction, pseudonym, entry.replacement, rows, traces)
    _empty_quarantine(transaction, pseudonym, rows)
    _empty_twins(transaction, pseudonym, rows)
    mine = Alert.subject == pseudonym
    rows["alert"] += _changed(transaction, update(Alert).where(mine).values(subject=None, detail={}, incident=Alert.id))
    for column in person_columns():
        if column.table.name not in _EMPTIED:
            traces.update(_delete(transaction, column.table, column == pseudonym, rows))
    if not before and not sum(rows.values()):
        raise NotFoundError("there is no such person, and nobody of that pseudonym was erased before")
    entry.counts = {
        **entry.counts,
        **{name: entry.counts.get(name, 0) + count for name, count in rows.items() if count},
    }
    transaction.add(entry)
    transaction.add(Audit(id=new_id(), at=at, account=by, action="person.erase", object=hashed))
    transaction.flush()
    return Erased(entry, {name: count for name, count in sorted(rows.items()) if count}, frozenset(traces))


def erase_again(transaction: Transaction, *, at: datetime) -> Mapping[str, frozenset[str]]:
    """Erase whoever was erased before and is here again, from a backup; return their traces by pseudonym."""
    entries = {entry.person_hash: entry for entry in transaction.scalars(select(Erasure))}
    if not entries:
        return {}
    found: set[str] = set()
    for column in person_columns():
        query = select(column).distinct().where(column.is_not(None))
        found.update(value for value in transaction.scalars(query) if person_hash(value) in entries)
    traces: dict[str, frozenset[str]] = {}
    for pseudonym in sorted(found):
        entry = entries[person_hash(pseudonym)]
        done = erase_person(transaction, pseudonym, at=at, by=entry.erased_by, reason=entry.reason)
        traces[pseudonym] = done.traces
    return traces


def person_columns() -> list[Column[Any]]:
    """Return every column that holds a pseudonym and belongs to a person, of every table there is."""
    return [
        column
        for table in Base.metadata.sorted_tables
        if table.name not in KEPT
        for column in table.columns
        if column.name in PERSON_COLUMNS
    ]


def mentions(transaction: Transaction, traces: Iterable[str]) -> dict[str, dict[str, int]]:
    """Search every column of every table; return the rows that mention a trace, by trace and table.

    Args:
        transaction: A read is enough.
        traces: ASCII, such as pseudonyms and ids.
    """
    dialect = transaction.get_bind().dialect.name
    found: dict[str, dict[str, int]] = {}
    for trace in sorted(traces):
        for table in Base.metadata.sorted_tables:
            here = [place for column in table.columns if (place := _holds(column, trace, dialect)) is not None]
            for condition in here:
                count = transaction.scalar(select(func.count()).select_from(table).where(condition)) or 0
                if count:
                    tables = found.setdefault(trace, {})
                    tables[table.name] = tables.get(table.name, 0) + count
    return found


def _holds(column: Column[Any], trace: str, dialect: str) -> ColumnElement[bool] | None:
    kind = column.type.python_type
    if kind is str:
        return column.contains(trace, autoescape=True)
    if kind is dict:
        return cast(column, Text).contains(trace, autoescape=True)
    if kind is bytes:
        if dialect == "postgresql":
            return func.strpos(func.encode(column, "escape"), trace) > 0
        return func.instr(column, trace.encode()) > 0
    return None


def _empty_log(
    transaction: Transaction, pseudonym: str, replacement: str, rows: Counter[str], traces: set[str]
) -> None:
    rung = cursor(transaction, _ALERTS_CURSOR)
    query = select(EventLog).where(EventLog.subject == pseudonym).order_by(EventLog.position)
    for row in transaction.scalars(query.execution_options(yield_per=BATCH)):
        envelope = Envelope.model_validate(row.envelope)
        if row.lane == "alarm" and row.position > rung:
            # Nobody has been called yet: it must ring first.
            kept = envelope.model_copy(update={"subject": replacement})
        else:
            traces.update(_ids_of(envelope.data))
            # The time of what was said is the person's; when it was received is the hub's.
            kept = emptied(envelope, replacement).model_copy(update={"time": row.received_at})
            row.time = row.received_at
        row.subject, row.type, row.envelope = kept.subject, kept.type, kept.model_dump(mode="json")
        rows["event_log"] += 1
    transaction.flush()


def _empty_inbox(
    transaction: Transaction, pseudonym: str, replacement: str, rows: Counter[str], traces: set[str]
) -> None:
    for row in transaction.scalars(select(Inbox).where(Inbox.logged.is_(False))):
        envelope = Envelope.model_validate(json.loads(row.payload))
        if envelope.subject == pseudonym:
            # Its alarm rang when it arrived.
            traces.update(_ids_of(envelope.data))
            row.payload = emptied(envelope, replacement).to_json()
            rows["inbox"] += 1
    transaction.flush()


def _empty_quarantine(transaction: Transaction, pseudonym: str, rows: Counter[str]) -> None:
    dialect = transaction.get_bind().dialect.name
    table = Base.metadata.tables[Quarantine.__tablename__]
    for column in (table.columns["payload"], table.columns["topic"]):
        found = _holds(column, pseudonym, dialect)
        if found is not None:
            change = update(Quarantine).where(found).values(payload=b"", topic="erased")
            rows["quarantine"] += _changed(transaction, change)


def _empty_twins(transaction: Transaction, pseudonym: str, rows: Counter[str]) -> None:
    """Take the person out of what rooms are told. Without an id, it is worked out and told anew at the next look."""
    for row in transaction.scalars(select(DesiredTwin)):
        if pseudonym in json.dumps(row.wanted):
            row.wanted, row.word = {"subject": None}, None
            rows["desired_twin"] += 1
    transaction.flush()


def _delete(transaction: Transaction, table: Table, mine: ColumnElement[bool], rows: Counter[str]) -> Collection[str]:
    """Delete rows and, before them, what refers to them; return the ids of those that have one of their own."""
    keys = list(table.primary_key.columns)
    ids: set[str] = set()
    if len(keys) == 1:
        own = list(transaction.scalars(select(keys[0]).where(mine)))
        for other in Base.metadata.sorted_tables:
            for reference in other.foreign_keys:
                if reference.column is keys[0] and own:
                    ids.update(_delete(transaction, other, reference.parent.in_(own), rows))
        logged = select(EventLog.event_id).where(EventLog.event_id.in_(own))
        # An id that is also an event's stays in the log.
        ids.update({str(key) for key in own} - set(transaction.scalars(logged)))
    rows[table.name] += _changed(transaction, delete(table).where(mine))
    return ids


def _changed(transaction: Transaction, statement: Any) -> int:  # noqa: ANN401 (an update or a delete)
    count: int = transaction.execute(statement.execution_options(synchronize_session="fetch")).rowcount  # type: ignore[attr-defined] # a result of DML has it
    return count


def _ids_of(data: Mapping[str, Any]) -> set[str]:
    """Return the ids in an event's data that are the person's alone."""
    return {str(data[name]) for name in ("response", "session", "consent") if data.get(name)}
