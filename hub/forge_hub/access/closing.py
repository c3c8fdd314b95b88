"""What an admin does to somebody else's account: closing it, and letting its owner enrol a second factor anew."""

from datetime import datetime

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session as Transaction

from forge_hub.access import audit, second_factor
from forge_hub.access.accounts import NO_PASSWORD, PASSWORD_ROLES, SignedIn
from forge_hub.errors import AccessError, NotFoundError
from forge_hub.records.database import Database
from forge_hub.records.schema import Account, Assignment, Duty, PendingSignIn, WebSession
from forge_shared.clock import Clock


class OwnAccountError(AccessError):
    """An admin asked for their own account: a stolen session must not lock its owner out or take the account over."""

    code = "access.own-account"


def is_closed(account: Account) -> bool:
    """Tell whether an account was closed. Its name stays taken, since the audit and the alerts name it."""
    return account.role in PASSWORD_ROLES and account.password_hash == NO_PASSWORD


def close_account(database: Database, clock: Clock, account_id: str, by: SignedIn) -> None:
    """Close an account for good: no password opens it; its sessions, duties and assignments end at once.

    Raises:
        NotFoundError: There is no such account of a person.
        OwnAccountError: It is the admin's own.
    """
    now = clock.now()
    with database.begin() as transaction:
        account = _somebody_elses(transaction, account_id, by)
        account.password_hash = NO_PASSWORD
        _end_sessions(transaction, account_id)
        second_factor.remove(transaction, account_id)
        _end_duties(transaction, account_id, now, by)
        _end_assignments(transaction, account_id, now, by)
        audit.write(transaction, now, by.account_id, "account.close", account_id)


def reset_second_factor_of(database: Database, clock: Clock, account_id: str, by: SignedIn) -> None:
    """Let somebody who has lost their authenticator enrol anew at the next sign-in; their sessions end.

    Raises:
        NotFoundError: There is no such account of a person.
        OwnAccountError: It is the admin's own: for that there are recovery codes, and the hub's command line.
    """
    with database.begin() as transaction:
        _somebody_elses(transaction, account_id, by)
        second_factor.remove(transaction, account_id)
        _end_sessions(transaction, account_id)
        audit.write(transaction, clock.now(), by.account_id, "second-factor.reset", account_id)


def _somebody_elses(transaction: Transaction, account_id: str, by: SignedIn) -> Account:
    if account_id == by.account_id:
        raise OwnAccountError("an admin does not do this to their own account")
    # Held until the commit: whoever is signing in at this moment waits, and then finds it closed.
    account = transaction.get(Account, account_id, with_for_update=True)
    if account is None or account.role not in PASSWORD_ROLES:
        raise NotFoundError("there is no such account of a person")
    return account


def _end_sessions(transaction: Transaction, account_id: str) -> None:
    transaction.execute(delete(WebSession).where(WebSession.account == account_id))
    transaction.execute(delete(PendingSignIn).where(PendingSignIn.account == account_id))


def _end_duties(transaction: Transaction, account_id: str, now: datetime, by: SignedIn) -> None:
    for duty in transaction.scalars(select(Duty).where(Duty.account == account_id, Duty.ends_at > now)).all():
        duty.ends_at = now
        audit.write(transaction, now, by.account_id, "duty.end", duty.id)


def _end_assignments(transaction: Transaction, account_id: str, now: datetime, by: SignedIn) -> None:
    # Whom nobody looks after may be looked after by the next who begins to treat them.
    running = or_(Assignment.until.is_(None), Assignment.until > now)
    for assignment in transaction.scalars(select(Assignment).where(Assignment.account == account_id, running)).all():
        assignment.until = now
        audit.write(transaction, now, by.account_id, "assignment.end", assignment.id, subject=assignment.subject)
