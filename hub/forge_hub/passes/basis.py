"""On what an import rests: a person who is on file, and a consent that is. Blocks on the database."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select

from forge_hub.errors import ConsentMissingError, NotFoundError
from forge_hub.passes.errors import PassError
from forge_hub.records.database import Database
from forge_hub.records.erasures import person_hash
from forge_hub.records.schema import Account, Erasure, Person, Stay
from forge_hub.stays.consents import INFERENCE, SESSION, Consents

REASONS: Final = ("signed-form", "spoken", "representative", "court-order")
"""On what the statement of a consent rests: a form that the person signed, their word, that of who acts for them, or an
order that stands in its place."""
_MAY_STATE: Final = frozenset({"staff", "clinician"})
"""Roles that may state a person's consent, as on the pages of stays."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What is stated at the command line.

    Attributes:
        consent: Id of a consent on file; None where one is stated now.
        stated_by: Username of the account that states it.
        reason: On what it rests, one of `REASONS`.
        infer: Whether consent to inferences is stated with it.
    """

    consent: str | None
    stated_by: str | None = None
    reason: str | None = None
    infer: bool = False


def check_person(database: Database, person: str, *, new: bool) -> None:
    """Check that a transcript may be filed under a person.

    Raises:
        NotFoundError: Nobody of that pseudonym is on file, and no new one was asked for.
        PassError: The person was erased, or is on file and a new one was asked for.
    """
    with database.read() as transaction:
        if transaction.get(Erasure, person_hash(person)) is not None:
            raise PassError("this person was erased: nothing of them is taken in again")
        on_file = transaction.get(Person, person) is not None or (
            transaction.scalar(select(Stay.id).where(Stay.pseudonym == person)) is not None
        )
    if not on_file and not new:
        raise NotFoundError("nobody of that pseudonym is on file: look for a slip, or say --new-person")
    if on_file and new:
        raise PassError("a person of that pseudonym is on file already: leave --new-person out, or take another one")


def consent_of(database: Database, consents: Consents, person: str, started_at: datetime, given: Statement) -> str:
    """Return the id of the consent that an import rests on, filed where it is stated now.

    Raises:
        ConsentMissingError: There is none, it is another person's or for something else, or it was withdrawn.
        NotFoundError: There is no such account.
    """
    if given.consent is not None:
        consent = consents.find(given.consent)
        if consent is None or consent.subject != person or consent.purpose != SESSION:
            raise ConsentMissingError(f"no consent to a {SESSION} of this person has that id")
        if consent.withdrawn_at is not None:
            raise ConsentMissingError("this consent was withdrawn")
        return consent.id
    if given.stated_by is None or given.reason not in REASONS:
        raise ConsentMissingError(
            f"an import rests on a consent: name one by --consent, or state it by --consent-stated-by ACCOUNT and"
            f" --consent-reason {'|'.join(REASONS)}"
        )
    account = _account(database, given.stated_by)
    if given.infer:
        consents.state_since(person, INFERENCE, account, started_at, given.reason)
    return consents.state_since(person, SESSION, account, started_at, given.reason).id


def _account(database: Database, username: str) -> str:
    with database.read() as transaction:
        found = transaction.scalars(select(Account).where(Account.username == username.strip().casefold())).first()
    if found is None or found.role not in _MAY_STATE:
        raise NotFoundError("no member of staff and no clinician has an account of that name")
    return found.id
