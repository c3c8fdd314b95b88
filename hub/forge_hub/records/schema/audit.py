"""Who did or read what: rows that each seal the one before them.

The hash of a row is SHA-256 over the hash of the row before it and the row itself as canonical JSON. It is made by the
store's mapper whenever a row is inserted, so that no part of the hub can write one outside the chain.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, event, select, update
from sqlalchemy.orm import Mapped, Mapper, mapped_column

from forge_hub.records.schema.base import Base

BEGINNING = "0" * 64
"""What the first row seals: there is nothing before it."""

HEAD = 1
"""The only row of `AuditHead`."""


class Audit(Base):
    """Who did or read what, when, and with what outcome.

    Attributes:
        position: Place in the chain, from 1, without gaps. Given at the insert, as is ``hash``.
        account: Id of an account; ``command-line``, ``unknown`` or the name of a part of the hub where there is none.
        action: A noun and a verb, such as ``person.read``.
        object: An id of ours, or the method and path of a route as the routes' table writes them.
        outcome: ``done``, ``refused`` or ``failed``.
        reason: A code that says why something was refused or why a record was opened in an emergency.
        subject: Pseudonym of the person whom the object is about, if there is one.
        address: Where the request came from.
        statement: What a clinician stated when opening a record in an emergency; shown to reviewers only.
    """

    __tablename__ = "audit"

    id: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(unique=True)
    at: Mapped[datetime]
    account: Mapped[str]
    action: Mapped[str]
    object: Mapped[str]
    outcome: Mapped[str]
    reason: Mapped[str | None]
    subject: Mapped[str | None] = mapped_column(index=True)
    address: Mapped[str | None]
    statement: Mapped[str | None]
    hash: Mapped[str]


class AuditHead(Base):
    """The newest row of the chain. Locking it makes all writers of the audit wait for each other."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    position: Mapped[int]
    hash: Mapped[str]


SEALED = tuple(column.name for column in Audit.__table__.columns if column.name != "hash")
"""The columns that the hash of a row covers: all others."""


def seal(previous: str, row: Mapping[str, Any]) -> str:
    """Return the hash of a row of the chain.

    Args:
        previous: Hash of the row before it, or `BEGINNING`.
        row: The values of the columns in `SEALED`.
    """
    values = {name: _plain(row[name]) for name in SEALED}
    canonical = json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(f"{previous}{canonical}".encode()).hexdigest()


def _plain(value: Any) -> Any:  # noqa: ANN401 (a column's value)
    return value.astimezone(UTC).isoformat(timespec="microseconds") if isinstance(value, datetime) else value


def _join_chain(_: Mapper[Audit], connection: Connection, row: Audit) -> None:
    # The update comes first: it takes the lock under which the hash is then read (PostgreSQL; SQLite has one writer).
    place = AuditHead.id == HEAD
    connection.execute(update(AuditHead).where(place).values(position=AuditHead.position + 1))
    position, previous = connection.execute(select(AuditHead.position, AuditHead.hash).where(place)).one()
    row.position = position
    row.outcome = row.outcome or "done"
    row.hash = seal(previous, {name: getattr(row, name) for name in SEALED})
    connection.execute(update(AuditHead).where(place).values(hash=row.hash))


event.listen(Audit, "before_insert", _join_chain)  # part of the mapping, as a column's default is
