"""Signing in, the sessions of signed-in browsers, and what becomes of them.

Every session's token is new: nothing that a browser brought before it signed in is ever taken over. What is refused is
in the audit with its reason.
"""

import contextlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import cast

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session as Transaction

from forge_hub.access import accounts, audit, second_factor
from forge_hub.access.accounts import (
    COMMAND_LINE,
    PASSWORD_MAX_LENGTH,
    PASSWORD_ROLES,
    PasswordRefusedError,
    Role,
    SignedIn,
    digest,
    make_token,
)
from forge_hub.access.assignments import Assignments
from forge_hub.access.limits import ATTEMPTS, ATTEMPTS_WINDOW_SECONDS, TooManyAttemptsError, Window
from forge_hub.access.second_factor import SecretKey
from forge_hub.errors import AccessError
from forge_hub.records.database import Database
from forge_hub.records.schema import Account, DeviceToken, PendingSignIn, SecondFactor, SetupLink, WebSession
from forge_shared.clock import Clock
from forge_shared.ids import new_id

SESSION_VALID_FOR = timedelta(hours=12)
"""One shift. OWASP ASVS 5.0 section 7.3 asks for an absolute limit; this one is ours."""

IDLE_FOR = {"staff": SESSION_VALID_FOR, "clinician": timedelta(minutes=30), "admin": timedelta(minutes=30)}
"""How long a session may go unused, by role (OWASP ASVS 5.0 section 7.3). A board on the wall must not go dark."""

TOUCH_EVERY = timedelta(seconds=60)
"""How exactly a session's last use is known: a write with every request would cost more than it tells."""

CLOCK_MAY_STEP = timedelta(minutes=5)
"""By how much the hub's clock may be set back before everyone signs in again. Ours: NTP corrects seconds."""

CODE_AWAITED_FOR = timedelta(minutes=10)
CODE_ATTEMPTS = 5
"""Codes that may be tried after one right password; with ATTEMPTS passwords in a quarter of an hour that makes at most
50 of a million."""


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session that has just begun. ``token`` goes into the cookie and is stored nowhere.

    Attributes:
        recovery_codes: Made at the enrolment of a second factor and shown this once; else empty.
    """

    token: str
    signed_in: SignedIn
    recovery_codes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class CodeAwaited:
    """The password was right; a one-time code is still needed. ``token`` goes into a cookie of its own."""

    token: str


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What the page of the second step shows.

    Attributes:
        secret: The account's new secret in base32, or None when it is enrolled and only a code is asked for.
        address: The same as an ``otpauth://`` address.
    """

    csrf_token: str
    secret: str | None
    address: str | None


@cache
def _hash_of_nobody(time_cost: int, memory_cost: int, parallelism: int) -> str:
    """Return the hash of a password that nobody has. It costs as much as checking one: a process makes it once."""
    return PasswordHasher(time_cost, memory_cost, parallelism).hash(secrets.token_urlsafe(32))


class Access:
    """Signing in and sessions. Its methods block on the store or on hashing: call them from a thread."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        hasher: PasswordHasher | None = None,
        *,
        key: SecretKey,
        staff_second_factor: bool = False,
    ) -> None:
        self.assignments = Assignments(database, clock)
        self.refusals = audit.Refusals(database, clock)
        self._database = database
        self._clock = clock
        self._hasher = hasher or PasswordHasher()  # its defaults are RFC 9106's second recommendation
        self._key = key
        self._needing_code = {"clinician", "admin"} | ({"staff"} if staff_second_factor else set())
        self._passwords = Window(clock, ATTEMPTS, ATTEMPTS_WINDOW_SECONDS)
        self._codes = Window(clock, ATTEMPTS, ATTEMPTS_WINDOW_SECONDS)
        # Verified against when the username is unknown, so that the answer takes as long.
        self._nobody = _hash_of_nobody(self._hasher.time_cost, self._hasher.memory_cost, self._hasher.parallelism)

    # Signing in

    def sign_in(self, username: str, password: str, address: str) -> NewSession | CodeAwaited:
        """Check a password, then begin a session or wait for a one-time code.

        Args:
            username: As entered; case and surrounding space do not matter.
            password: As entered.
            address: Where the request came from, for the limit on attempts.

        Raises:
            AccessError: No such account or a wrong password; the two cannot be told apart.
            TooManyAttemptsError: The limit is reached; the password was not looked at.
        """
        name = accounts.normalise_username(username)
        try:
            self._passwords.admit(name, address)
        except TooManyAttemptsError as error:
            self._refused("session.begin", audit.UNKNOWN, error.code, address)
            raise
        with self._database.read() as transaction:
            account = transaction.scalars(select(Account).where(Account.username == name)).first()
        known = account.password_hash if account else self._nobody
        if not self._matches(known, password) or account is None or account.role not in PASSWORD_ROLES:
            self._refused("session.begin", account.id if account else audit.UNKNOWN, "password", address)
            raise AccessError("unknown username or wrong password")
        admitted = self._admitted(account, password, address)
        if admitted is None:
            self._refused("session.begin", account.id, "changed-meanwhile", address)
            raise AccessError("unknown username or wrong password")
        self._passwords.forget(name, address)
        return admitted

    def pending(self, token: str | None) -> Enrolment | None:
        """Return what the page of the second step needs, or None when no password was shown before."""
        with self._database.read() as transaction:
            waiting = self._waiting(transaction, token)
            if waiting is None:
                return None
            secret = second_factor.secret_of(transaction, self._key, waiting.account)
            name = transaction.get_one(Account, waiting.account).username
        shown = None if secret is None else second_factor.address_of(secret, name)
        return Enrolment(waiting.csrf_token, secret, shown)

    def give_code(self, token: str | None, csrf_token: str, code: str, address: str) -> NewSession:
        """Begin the session of a browser whose password was right, by a one-time code or a recovery code.

        Raises:
            AccessError: The code is wrong or was used before, or no password was shown in the last ten minutes.
            TooManyAttemptsError: Too many codes were tried for this account.
        """
        with self._database.read() as transaction:
            waiting = self._waiting(transaction, token)
        if waiting is None or not accounts.tokens_match(waiting.csrf_token, csrf_token):
            self._refused("session.begin", audit.UNKNOWN, "no-password-before-code", address)
            raise AccessError("no password was shown before the code")
        try:
            self._codes.admit(waiting.account)
        except TooManyAttemptsError as error:
            self._refused("session.begin", waiting.account, error.code, address)
            raise
        with self._database.begin() as transaction:
            attempted = transaction.execute(
                update(PendingSignIn)
                .where(PendingSignIn.token_hash == waiting.token_hash, PendingSignIn.attempts < CODE_ATTEMPTS)
                .values(attempts=PendingSignIn.attempts + 1)
                .returning(PendingSignIn.token_hash)
            )
            session = None if attempted.first() is None else self._session_by_code(transaction, waiting, code, address)
        if session is None:
            self._refused("session.begin", waiting.account, "code", address)
            raise AccessError("wrong code")
        self._codes.forget(waiting.account)
        return session

    # Sessions

    def begin(self, account_id: str, address: str) -> NewSession:
        """Begin a session of an account whose owner has shown everything that is needed."""
        with self._database.begin() as transaction:
            return self._begin(transaction, transaction.get_one(Account, account_id), address)

    def signed_in(self, token: str | None, *, touch: bool = False) -> SignedIn | None:
        """Return the account whose session ``token`` belongs to, or None when there is none or it has ended.

        Args:
            token: From the cookie.
            touch: Whether this is a use by a person, so that the session stays open; a page's own polling is none.
        """
        if not token:
            return None
        now = self._clock.now()
        query = (
            select(Account, WebSession)
            .join(WebSession, WebSession.account == Account.id)
            .where(WebSession.token_hash == digest(token), WebSession.expires_at > now)
        )
        with self._database.read() as transaction:
            row = transaction.execute(query).first()
        if row is None:
            return None
        account, session = row
        # Begun after now: the hub's clock was set back since, and the session must not last longer for it.
        is_of_the_future = session.expires_at - now > SESSION_VALID_FOR + CLOCK_MAY_STEP
        if is_of_the_future or now - session.seen_at >= IDLE_FOR[account.role]:
            return None
        if touch and now - session.seen_at >= TOUCH_EVERY:
            # A board that stays readable on a full disk is worth more than when exactly it was last used.
            with contextlib.suppress(OperationalError), self._database.begin() as transaction:
                transaction.execute(update(WebSession).where(WebSession.id == session.id).values(seen_at=now))
        return SignedIn(
            account.id, account.username, cast("Role", account.role), session.csrf_token, session.id, account.node
        )

    def device(self, token: str) -> SignedIn | None:
        """Return the account of the patient's device that shows ``token``."""
        query = select(Account).join(DeviceToken, DeviceToken.account == Account.id)
        with self._database.read() as transaction:
            account = transaction.scalars(query.where(DeviceToken.token_hash == digest(token))).first()
        return None if account is None else SignedIn(account.id, account.username, "patient", "", "", account.node)

    def sign_out(self, token: str | None) -> None:
        """End a session. Ending one that does not exist changes nothing."""
        if not token:
            return
        with self._database.begin() as transaction:
            ended = transaction.execute(
                delete(WebSession).where(WebSession.token_hash == digest(token)).returning(WebSession.account)
            ).first()
            if ended is not None:
                audit.write(transaction, self._clock.now(), ended[0], "session.end", ended[0])

    def sessions_of(self, account_id: str) -> Sequence[WebSession]:
        """Return the open sessions of an account, the newest first."""
        query = select(WebSession).where(WebSession.account == account_id, WebSession.expires_at > self._clock.now())
        with self._database.read() as transaction:
            return list(transaction.scalars(query.order_by(WebSession.begun_at.desc())))

    def sign_out_everywhere(self, who: SignedIn) -> None:
        """End every session of an account, this one too."""
        with self._database.begin() as transaction:
            transaction.execute(delete(WebSession).where(WebSession.account == who.account_id))
            transaction.execute(delete(PendingSignIn).where(PendingSignIn.account == who.account_id))
            audit.write(transaction, self._clock.now(), who.account_id, "session.end", "all")

    def change_password(self, who: SignedIn, old: str, new: str, address: str) -> None:
        """Change an account's password and end its other sessions.

        Raises:
            PasswordRefusedError: The old one is wrong, or the new one cannot be used.
            TooManyAttemptsError: The limit on wrong passwords is reached.
        """
        self._passwords.admit(who.username, address)
        with self._database.read() as transaction:
            known = transaction.get_one(Account, who.account_id).password_hash
        if not self._matches(known, old):
            self._refused("password.change", who.account_id, "password", address)
            raise PasswordRefusedError("The password that you have now is not right.")
        self._passwords.forget(who.username, address)
        accounts.check_password(new, who.username)
        password_hash = self._hasher.hash(new)
        with self._database.begin() as transaction:
            own = (Account.id == who.account_id, Account.password_hash == known)
            transaction.execute(update(Account).where(*own).values(password_hash=password_hash))
            transaction.execute(
                delete(WebSession).where(WebSession.account == who.account_id, WebSession.id != who.session_id)
            )
            transaction.execute(delete(PendingSignIn).where(PendingSignIn.account == who.account_id))
            audit.write(transaction, self._clock.now(), who.account_id, "password.change", who.account_id)

    def want_second_factor(self, who: SignedIn) -> None:
        """Let an account that needs no second factor enrol one at its next sign-in."""
        with self._database.begin() as transaction:
            second_factor.begin_enrolment(transaction, self._key, who.account_id)
            audit.write(transaction, self._clock.now(), who.account_id, "second-factor.want", who.account_id)

    # Accounts

    def setup_role(self, token: str) -> Role:
        """Return the role that a one-time link gives.

        Raises:
            AccessError: The link is unknown, used up or has expired; the three cannot be told apart.
        """
        with self._database.read() as transaction:
            return cast("Role", accounts.open_link(transaction, token, self._clock).role)

    def set_up(self, token: str, username: str, password: str) -> None:
        """Use up a one-time link to make an account.

        Raises:
            AccessError: As for `setup_role`.
            PasswordRefusedError: The username or the password cannot be used; the link remains open.
        """
        name = accounts.normalise_username(username)
        accounts.check_username(name)
        accounts.check_password(password, name)
        self.setup_role(token)  # hash nothing for someone without a link
        password_hash = self._hasher.hash(password)
        now = self._clock.now()
        try:
            with self._database.begin() as transaction:
                role = accounts.open_link(transaction, token, self._clock).role
                # On PostgreSQL two requests may both have seen the link open; only one of them updates it.
                used = transaction.execute(
                    update(SetupLink)
                    .where(SetupLink.token_hash == digest(token), SetupLink.used_at.is_(None))
                    .values(used_at=now)
                    .returning(SetupLink.token_hash)
                )
                if used.first() is None:
                    raise AccessError("the link is used up")
                account = Account(id=new_id(), username=name, role=role, password_hash=password_hash, created_at=now)
                transaction.add(account)
                audit.write(transaction, now, account.id, "account.make", account.id)
        except IntegrityError:
            raise PasswordRefusedError("This username is taken. Choose another.") from None

    def invite(self, role: Role, base_url: str, by: str) -> str:
        """Return a one-time link to an account of ``role``, made by the account ``by``."""
        link, token_hash = accounts.new_link(base_url)
        now = self._clock.now()
        with self._database.begin() as transaction:
            transaction.add(SetupLink(token_hash=token_hash, role=role, expires_at=now + accounts.SETUP_LINK_VALID_FOR))
            audit.write(transaction, now, by, f"account.invite.{role}", token_hash[:16])
        return link

    def _admitted(self, account: Account, password: str, address: str) -> NewSession | CodeAwaited | None:
        """Let in whoever has shown the right password, unless the account was closed or changed while it was hashed."""
        with self._database.begin() as transaction:
            same = (Account.id == account.id, Account.password_hash == account.password_hash)
            if transaction.scalars(select(Account.id).where(*same).with_for_update()).first() is None:
                return None
            if self._hasher.check_needs_rehash(account.password_hash):
                transaction.execute(
                    update(Account).where(Account.id == account.id).values(password_hash=self._hasher.hash(password))
                )
            # Whoever has begun to enrol goes on, also where their role does not need it.
            if account.role in self._needing_code or transaction.get(SecondFactor, account.id) is not None:
                second_factor.begin_enrolment(transaction, self._key, account.id)
                return self._await_code(transaction, account.id)
            return self._begin(transaction, account, address)

    def _session_by_code(
        self, transaction: Transaction, waiting: PendingSignIn, code: str, address: str
    ) -> NewSession | None:
        account = transaction.get_one(Account, waiting.account)
        is_first = not second_factor.is_enrolled(transaction, account.id)
        right = second_factor.use_code(transaction, self._key, account.id, code, self._clock.now())
        if not right and (is_first or not second_factor.use_recovery_code(transaction, account.id, code)):
            return None
        transaction.execute(delete(PendingSignIn).where(PendingSignIn.account == account.id))
        codes = second_factor.make_recovery_codes(transaction, account.id) if is_first else []
        begun = self._begin(transaction, account, address)
        if is_first:
            audit.write(transaction, self._clock.now(), account.id, "second-factor.enrol", account.id)
        elif not right:
            audit.write(transaction, self._clock.now(), account.id, "recovery-code.use", account.id)
        return NewSession(begun.token, begun.signed_in, codes)

    def _await_code(self, transaction: Transaction, account: str) -> CodeAwaited:
        token, now = make_token(), self._clock.now()
        transaction.execute(delete(PendingSignIn).where(PendingSignIn.expires_at <= now))
        transaction.add(
            PendingSignIn(
                token_hash=digest(token),
                account=account,
                csrf_token=make_token(),
                expires_at=now + CODE_AWAITED_FOR,
                attempts=0,
            )
        )
        return CodeAwaited(token)

    def _waiting(self, transaction: Transaction, token: str | None) -> PendingSignIn | None:
        found = transaction.get(PendingSignIn, digest(token)) if token else None
        return found if found is not None and found.expires_at > self._clock.now() else None

    def _begin(self, transaction: Transaction, account: Account, address: str) -> NewSession:
        token, csrf_token, now = make_token(), make_token(), self._clock.now()
        session = WebSession(
            token_hash=digest(token),
            id=new_id(),
            account=account.id,
            csrf_token=csrf_token,
            begun_at=now,
            seen_at=now,
            expires_at=now + SESSION_VALID_FOR,
            address=address,
        )
        transaction.execute(delete(WebSession).where(WebSession.expires_at <= now))
        transaction.add(session)
        audit.write(transaction, now, account.id, "session.begin", account.id, address=address)
        signed_in = SignedIn(account.id, account.username, cast("Role", account.role), csrf_token, session.id)
        return NewSession(token, signed_in)

    def _refused(self, action: str, account: str, reason: str, address: str) -> None:
        self.refusals.note(account, action, account, reason, address)

    def _matches(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password[: PASSWORD_MAX_LENGTH + 1])
        except (VerifyMismatchError, InvalidHashError):
            return False


def reset_second_factor(database: Database, clock: Clock, username: str) -> None:
    """Let an account enrol anew, for whoever holds the hub's command line; its sessions end.

    Raises:
        NotFoundError: There is no such account.
    """
    with database.begin() as transaction:
        account = accounts.account_of(transaction, username).id
        second_factor.remove(transaction, account)
        transaction.execute(delete(WebSession).where(WebSession.account == account))
        audit.write(transaction, clock.now(), COMMAND_LINE, "second-factor.reset", account)
