"""The audit: writing to it, reading it, and proving that nobody has changed it.

Write with `write` as the last thing in a transaction: the row joins the chain at the flush, and every other writer
then waits until the commit.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session as Transaction

from forge_hub.access.limits import REFUSALS, REFUSALS_WINDOW_SECONDS, Window
from forge_hub.records.database import Database
from forge_hub.records.schema import Audit, AuditHead
from forge_hub.records.schema.audit import BEGINNING, HEAD, SEALED, seal
from forge_shared.clock import Clock
from forge_shared.ids import new_id
from forge_shared.logs import get_logger

Outcome = Literal["done", "refused", "failed"]

PAGE_ROWS = 200
"""Rows on one page. Ours."""

BATCH_ROWS = 1000
"""Rows read at once while the chain is checked or exported, so that memory stays bounded. Ours."""

UNKNOWN = "unknown"
"""Stands for an account where nobody is known: what was typed as a username may be a password."""


log = get_logger()


def write(  # noqa: PLR0913 (the columns of an entry)
    transaction: Transaction,
    at: datetime,
    who: str,
    action: str,
    object_id: str,
    *,
    outcome: Outcome = "done",
    reason: str | None = None,
    subject: str | None = None,
    address: str | None = None,
    statement: str | None = None,
) -> None:
    """Add an entry to the audit. It is in the chain once the transaction has committed.

    Args:
        transaction: Where what is written down is done, so that neither exists without the other.
        at: When.
        who: Id of the account; ``command-line`` or `UNKNOWN` where there is none.
        action: A noun and a verb, such as ``person.read``; the verb decides how it is exported.
        object_id: An id of ours. Never a name, and nothing that a person said or typed.
        outcome: Whether it was done.
        reason: A code that says why it was refused.
        subject: Pseudonym of the person concerned.
        address: Where the request came from.
        statement: What a clinician stated when opening a record in an emergency.
    """
    transaction.add(
        Audit(
            id=new_id(),
            at=at,
            account=who,
            action=action,
            object=object_id,
            outcome=outcome,
            reason=reason,
            subject=subject,
            address=address,
            statement=statement,
        )
    )


def note(  # noqa: PLR0913 (as above)
    database: Database,
    at: datetime,
    who: str,
    action: str,
    object_id: str,
    *,
    outcome: Outcome = "done",
    reason: str | None = None,
    subject: str | None = None,
    address: str | None = None,
) -> None:
    """Write an entry in a transaction of its own: before something is shown, or when something was refused."""
    with database.begin() as transaction:
        write(
            transaction,
            at,
            who,
            action,
            object_id,
            outcome=outcome,
            reason=reason,
            subject=subject,
            address=address,
        )


class Refusals:
    """Writes down what was refused, of each address only so much: a flood must not fill the disk."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._window = Window(clock, REFUSALS, REFUSALS_WINDOW_SECONDS)

    def note(self, who: str, action: str, object_id: str, reason: str, address: str) -> None:
        """Write down a refusal; the arguments are those of the function `note`."""
        if self._window.admits(address):
            now = self._clock.now()
            note(self._database, now, who, action, object_id, outcome="refused", reason=reason, address=address)
        else:
            log.warning("audit.refusals-flood", action=action, reason=reason, address=address)


@dataclass(frozen=True, slots=True)
class Break:
    """Where the chain does not hold, and how: ``changed``, ``missing``, ``cut`` or ``anchor``."""

    position: int
    kind: str


@dataclass(frozen=True, slots=True)
class Anchor:
    """The newest hash as it was written outside the store."""

    position: int
    hash: str


def verify(database: Database, anchors: Iterable[Anchor] = ()) -> Break | None:
    """Check the whole chain; return the first place where it breaks, or None.

    Args:
        database: The records.
        anchors: Hashes that were written outside the store; whoever cuts the end off the chain cannot change those.
    """
    expected = {anchor.position: anchor.hash for anchor in anchors}
    previous, count = BEGINNING, 0
    with database.read() as transaction:
        for row in _rows(transaction):
            if row["position"] != count + 1:
                return Break(count + 1, "missing")
            count += 1
            previous = seal(previous, row)
            if row["hash"] != previous:
                return Break(count, "changed")
            if expected.pop(count, previous) != previous:
                return Break(count, "anchor")
        head = transaction.get(AuditHead, HEAD)
    if head is None or (head.position, head.hash) != (count, previous):
        return Break(count + 1, "cut")
    return Break(min(expected), "cut") if expected else None


def entries(database: Database) -> Iterator[Audit]:
    """Yield the whole chain, oldest first."""
    with database.read() as transaction:
        for row in _rows(transaction):
            yield Audit(**row)


@dataclass(frozen=True, slots=True)
class Filter:
    """What a page of the audit shows; an empty field leaves nothing out."""

    account: str = ""
    action: str = ""
    outcome: str = ""
    before: int = 0


def page(database: Database, wanted: Filter) -> Sequence[Audit]:
    """Return at most `PAGE_ROWS` entries, newest first."""
    query = select(Audit).order_by(Audit.position.desc()).limit(PAGE_ROWS)
    if wanted.account:
        query = query.where(Audit.account == wanted.account)
    if wanted.action:
        query = query.where(Audit.action.startswith(wanted.action, autoescape=True))
    if wanted.outcome:
        query = query.where(Audit.outcome == wanted.outcome)
    if wanted.before:
        query = query.where(Audit.position < wanted.before)
    with database.read() as transaction:
        return list(transaction.scalars(query))


def head(database: Database) -> Anchor:
    """Return the newest place of the chain."""
    with database.read() as transaction:
        found = transaction.get_one(AuditHead, HEAD)
        return Anchor(found.position, found.hash)


def _rows(transaction: Transaction) -> Iterator[dict[str, Any]]:
    columns = [Audit.__table__.c[name] for name in (*SEALED, "hash")]
    after = 0
    while True:
        query = select(*columns).where(Audit.position > after).order_by(Audit.position).limit(BATCH_ROWS)
        batch = transaction.execute(query).mappings().all()
        for row in batch:
            yield dict(row)
        if len(batch) < BATCH_ROWS:
            return
        after = batch[-1]["position"]
