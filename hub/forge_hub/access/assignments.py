"""Which clinician looks after which person, and what may be opened without that: an emergency, which others review."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.orm import Session as Transaction

from forge_hub.access import audit
from forge_hub.access.accounts import COMMAND_LINE, SignedIn
from forge_hub.errors import AccessError, NotFoundError
from forge_hub.records.database import Database
from forge_hub.records.schema import Account, Assignment, Emergency, Person, Stay
from forge_shared.clock import Clock
from forge_shared.ids import new_id

EMERGENCY_VALID_FOR = timedelta(minutes=60)
STATEMENT_MIN_LENGTH = 10
STATEMENT_MAX_LENGTH = 500

Reason = Literal["emergency-treatment", "covering-for-colleague", "safety-of-others", "other"]
REASONS: tuple[Reason, ...] = get_args(Reason)
Verdict = Literal["justified", "not-justified"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)


class NotAssignedError(AccessError):
    """A clinician is not assigned to the person ``subject``; an emergency could be stated."""

    code = "access.not-assigned"

    def __init__(self, subject: str) -> None:
        super().__init__("not assigned to this person")
        self.subject = subject


class StatementError(AccessError):
    """The statement of an emergency is too short or too long. The message is for whoever wrote it."""

    code = "access.statement"


@dataclass(frozen=True, slots=True)
class Relation:
    """A clinician who looks after a person now."""

    id: str
    username: str
    subject: str
    since: datetime
    until: datetime | None


class Assignments:
    """Assignments and emergencies of one hub. Its methods block on the store: call them from a thread."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def people_of(self, account: str) -> set[str]:
        """Return the pseudonyms that a clinician may open now, emergencies included."""
        with self._database.read() as transaction:
            now = self._clock.now()
            assigned = transaction.scalars(select(Assignment.subject).where(Assignment.account == account, _holds(now)))
            opened = transaction.scalars(
                select(Emergency.subject).where(Emergency.account == account, Emergency.ends_at > now)
            )
            return {*assigned, *opened}

    def check(self, who: SignedIn, subject: str, *, address: str | None = None) -> None:
        """Let a clinician pass to the record of a person.

        Raises:
            NotAssignedError: They are not assigned and have stated no emergency; that is in the audit.
            NotFoundError: There is no such person.
        """
        if subject in self.people_of(who.account_id):
            return
        with self._database.read() as transaction:
            if not _is_known(transaction, subject):
                raise NotFoundError("there is no such person")
        audit.note(
            self._database,
            self._clock.now(),
            who.account_id,
            "person.read",
            subject,
            outcome="refused",
            reason=NotAssignedError.code,
            subject=subject,
            address=address,
        )
        raise NotAssignedError(subject)

    def claim(self, who: SignedIn, subject: str, *, address: str | None = None) -> None:
        """Assign a clinician to a person whom nobody looks after yet, because they begin to treat them.

        Raises:
            NotAssignedError: Others look after this person, and this clinician does not.
        """
        if subject in self.people_of(who.account_id):
            return
        with self._database.begin() as transaction:
            if self._free(transaction, subject):
                self._assign(transaction, who.account_id, who.account_id, subject, None)
                return
        self.check(who, subject, address=address)

    def assign(self, by: SignedIn, username: str, subject: str, *, hours: int | None = None) -> None:
        """Assign a clinician to a person: an admin any, a clinician to people whom they look after themselves.

        Args:
            by: Who assigns.
            username: The clinician.
            subject: The person.
            hours: How long, or until further notice.

        Raises:
            NotAssignedError: A clinician assigns to a person whom they are not assigned to; an emergency is not enough.
            NotFoundError: There is no such clinician or person.
        """
        if by.role != "admin":
            self._check_assigned(by, subject)
        with self._database.begin() as transaction:
            self._assign(transaction, by.account_id, self._clinician(transaction, username), subject, hours)

    def assign_from_command_line(self, username: str, subject: str) -> None:
        """Assign a clinician to a person: for whoever holds the hub's command line.

        Raises:
            NotFoundError: There is no such clinician or person.
        """
        with self._database.begin() as transaction:
            self._assign(transaction, COMMAND_LINE, self._clinician(transaction, username), subject, None)

    def end(self, by: SignedIn, assignment: str) -> None:
        """End an assignment: an admin any, a clinician those of people whom they look after themselves.

        Raises:
            NotAssignedError: As for `assign`.
            NotFoundError: There is no such assignment.
        """
        with self._database.read() as transaction:
            found = transaction.get(Assignment, assignment)
        if found is None:
            raise NotFoundError("there is no such assignment")
        if by.role != "admin":
            self._check_assigned(by, found.subject)
        now = self._clock.now()
        with self._database.begin() as transaction:
            ended = transaction.execute(
                update(Assignment)
                .where(Assignment.id == assignment, _holds(now))
                .values(until=now)
                .returning(Assignment.id)
            )
            if ended.first() is not None:
                audit.write(transaction, now, by.account_id, "assignment.end", assignment, subject=found.subject)

    def relations(self, subjects: set[str] | None = None) -> Sequence[Relation]:
        """Return who looks after whom now, by person: of some people, or of all."""
        query = (
            select(Assignment, Account.username)
            .join(Account, Account.id == Assignment.account)
            .where(_holds(self._clock.now()))
            .order_by(Assignment.subject, Account.username)
        )
        if subjects is not None:
            query = query.where(Assignment.subject.in_(subjects))
        with self._database.read() as transaction:
            return [
                Relation(each.id, username, each.subject, each.since, each.until)
                for each, username in transaction.execute(query)
            ]

    def begin_emergency(
        self, who: SignedIn, subject: str, reason: Reason, statement: str, *, address: str | None = None
    ) -> None:
        """Open a person's record to a clinician for `EMERGENCY_VALID_FOR`, and put it up for review.

        Raises:
            StatementError: The statement has fewer than 10 or more than 500 characters.
            NotFoundError: There is no such person.
        """
        words = " ".join(statement.split())
        if not STATEMENT_MIN_LENGTH <= len(words) <= STATEMENT_MAX_LENGTH:
            raise StatementError(
                f"Say in {STATEMENT_MIN_LENGTH} to {STATEMENT_MAX_LENGTH} characters why you need this record now."
            )
        now = self._clock.now()
        emergency = Emergency(
            id=new_id(),
            account=who.account_id,
            subject=subject,
            reason=reason,
            statement=words,
            begun_at=now,
            ends_at=now + EMERGENCY_VALID_FOR,
            verdict=None,
            reviewed_by=None,
            reviewed_at=None,
        )
        with self._database.begin() as transaction:
            if not _is_known(transaction, subject):
                raise NotFoundError("there is no such person")
            transaction.add(emergency)
            audit.write(
                transaction,
                now,
                who.account_id,
                "emergency.begin",
                emergency.id,
                reason=reason,
                subject=subject,
                address=address,
                statement=words,
            )

    def emergencies_of(self, account: str) -> Sequence[Emergency]:
        """Return the emergencies that open records to a clinician now."""
        query = select(Emergency).where(Emergency.account == account, Emergency.ends_at > self._clock.now())
        with self._database.read() as transaction:
            return list(transaction.scalars(query.order_by(Emergency.begun_at)))

    def to_review(self) -> Sequence[tuple[Emergency, str]]:
        """Return the emergencies that nobody has reviewed, oldest first, with the clinicians' usernames."""
        query = select(Emergency, Account.username).join(Account, Account.id == Emergency.account)
        with self._database.read() as transaction:
            rows = transaction.execute(query.where(Emergency.verdict.is_(None)).order_by(Emergency.begun_at))
            return [(emergency, username) for emergency, username in rows]

    def review(self, by: SignedIn, emergency: str, verdict: Verdict) -> None:
        """Close an emergency with a verdict; one that is not justified ends at once.

        Raises:
            AccessError: It is the reviewer's own.
            NotFoundError: There is no such emergency to review.
        """
        now = self._clock.now()
        with self._database.begin() as transaction:
            found = transaction.get(Emergency, emergency, with_for_update=True)
            if found is None or found.verdict is not None:
                raise NotFoundError("there is no such emergency to review")
            if found.account == by.account_id:
                raise AccessError("nobody reviews their own emergency")
            found.verdict, found.reviewed_by, found.reviewed_at = verdict, by.account_id, now
            if verdict == "not-justified":
                found.ends_at = min(found.ends_at, now)
            audit.write(
                transaction, now, by.account_id, "emergency.review", emergency, reason=verdict, subject=found.subject
            )

    def _check_assigned(self, by: SignedIn, subject: str) -> None:
        query = select(Assignment.id).where(
            Assignment.account == by.account_id, Assignment.subject == subject, _holds(self._clock.now())
        )
        with self._database.read() as transaction:
            if transaction.scalars(query.limit(1)).first() is None:
                raise NotAssignedError(subject)

    def _free(self, transaction: Transaction, subject: str) -> bool:
        # The row of the person or the stay is locked, so that of two clinicians who begin at once one is the first.
        if not _is_known(transaction, subject, lock=True):
            raise NotFoundError("there is no such person")
        query = select(Assignment.id).where(Assignment.subject == subject, _holds(self._clock.now()))
        return transaction.scalars(query.limit(1)).first() is None

    def _clinician(self, transaction: Transaction, username: str) -> str:
        query = select(Account.id).where(Account.username == username, Account.role == "clinician")
        found = transaction.scalars(query).first()
        if found is None:
            raise NotFoundError("there is no such clinician")
        return found

    def _assign(self, transaction: Transaction, by: str, account: str, subject: str, hours: int | None) -> None:
        now = self._clock.now()
        if not _is_known(transaction, subject):
            raise NotFoundError("there is no such person")
        known = select(Assignment.id).where(
            Assignment.account == account, Assignment.subject == subject, Assignment.until.is_(None)
        )
        if transaction.scalars(known.limit(1)).first() is not None:
            return
        made = Assignment(
            id=new_id(),
            account=account,
            subject=subject,
            since=now,
            until=None if hours is None else now + timedelta(hours=hours),
            made_by=by,
        )
        transaction.add(made)
        audit.write(transaction, now, by, "assignment.make", made.id, subject=subject)


def _holds(now: datetime) -> ColumnElement[bool]:
    return or_(Assignment.until.is_(None), Assignment.until > now)


def _is_known(transaction: Transaction, subject: str, *, lock: bool = False) -> bool:
    """Tell whether anything came from a person, or they are admitted and nothing has come yet."""
    if transaction.get(Person, subject, with_for_update=lock) is not None:
        return True
    stay = select(Stay.id).where(Stay.pseudonym == subject)
    return transaction.scalar(stay.with_for_update() if lock else stay) is not None
