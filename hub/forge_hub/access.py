"""Who may do what: accounts, one-time links that make them, signed-in sessions, and the limit on guessing.

Nothing secret is stored as it is: passwords as Argon2id, tokens as SHA-256 (they are random, so that is enough).
"""

import hashlib
import hmac
import re
import secrets
import threading
from collections import OrderedDict, deque
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Literal, cast, get_args

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session as Transaction

from forge_hub.errors import AccessError
from forge_hub.records.database import Database
from forge_hub.records.schema import Account, Audit, SetupLink, WebSession
from forge_shared.clock import Clock
from forge_shared.ids import new_id

Role = Literal["staff", "clinician", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)

COMMAND_LINE = "command-line"
"""Stands for an account in the audit where the administrator of the machine did something."""

SETUP_LINK_VALID_FOR = timedelta(hours=24)
SESSION_VALID_FOR = timedelta(hours=12)
"""One shift. OWASP ASVS 5.0 section 7.3 asks for an absolute limit; this one is ours."""

PASSWORD_MIN_LENGTH = 12
PASSWORD_MAX_LENGTH = 256
"""Lengths, and a list of refused ones instead of rules on characters: NIST SP 800-63B-4 section 3.1.1.2.

The upper one bounds the work of hashing; the standard asks for at least 64.
"""

ATTEMPTS = 10
ATTEMPTS_WINDOW_SECONDS = 15 * 60.0
ATTEMPT_KEYS = 10_000
"""Names and addresses remembered at once; the longest unused are forgotten first, so that memory stays bounded."""

_TOKEN_BYTES = 32
_USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,39}")
_LOOKALIKES = str.maketrans("0134578@$!", "oieastbasi")
_COMMON = re.compile(
    r"(?:password|passwort|pass|qwertyuiop|qwerty|qwertz|asdfghjkl|asdf|zxcvbnm|abcdefghijkl|abcdef|abcd|abc|welcome|"
    r"letmein|change|default|secret|iloveyou|love|admin|administrator|root|user|login|master|monkey|dragon|"
    r"football|baseball|princess|sunshine|superman|batman|hospital|clinic|clinician|nurse|doctor|staff|patient|ward|"
    r"hub|forge|persona|test|hello|me|my|the|is|i|a)*"
)
"""Words of the passwords that are guessed first; one made of nothing else, digits and signs aside, is refused.

No text can be split into these words in two ways, so that matching takes linear time.
"""


class PasswordRefusedError(AccessError):
    """A username or password cannot be used. The message is for the person who chose it."""

    code = "access.password"


class TooManyAttemptsError(AccessError):
    """The limit on attempts to sign in is reached."""

    code = "access.attempts"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The account behind a request."""

    account_id: str
    username: str
    role: Role
    csrf_token: str


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session that has just begun. ``token`` goes into the cookie and is stored nowhere."""

    token: str
    signed_in: SignedIn


class AttemptLimiter:
    """Counts failed attempts to sign in per username and address, in memory. Threads may share it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._attempts: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()

    def admit(self, username: str, address: str) -> None:
        """Count an attempt before it is judged, so that parallel ones cannot slip past the limit.

        Raises:
            TooManyAttemptsError: This is one more than `ATTEMPTS` within `ATTEMPTS_WINDOW_SECONDS`.
        """
        now = self._clock.monotonic_seconds()
        with self._lock:
            times = self._attempts.setdefault((username, address), deque(maxlen=ATTEMPTS))
            self._attempts.move_to_end((username, address))
            while len(self._attempts) > ATTEMPT_KEYS:
                self._attempts.popitem(last=False)
            while times and now - times[0] > ATTEMPTS_WINDOW_SECONDS:
                times.popleft()
            if len(times) >= ATTEMPTS:
                raise TooManyAttemptsError("too many attempts to sign in")
            times.append(now)

    def forget(self, username: str, address: str) -> None:
        """Forget the attempts of someone who has signed in."""
        with self._lock:
            self._attempts.pop((username, address), None)


class Access:
    """Accounts and sessions. Its methods block on the store or on hashing: call them from a thread."""

    def __init__(self, database: Database, clock: Clock, hasher: PasswordHasher | None = None) -> None:
        self._database = database
        self._clock = clock
        self._hasher = hasher or PasswordHasher()  # its defaults are RFC 9106's second recommendation
        self._limiter = AttemptLimiter(clock)
        # Verified against when the username is unknown, so that the answer takes as long.
        self._nobody = self._hasher.hash(secrets.token_urlsafe(_TOKEN_BYTES))

    def sign_in(self, username: str, password: str, address: str) -> NewSession:
        """Begin a session.

        Args:
            username: As entered; case and surrounding space do not matter.
            password: As entered.
            address: Where the request came from, for the limit on attempts.

        Raises:
            AccessError: No such account or a wrong password; the two cannot be told apart.
            TooManyAttemptsError: The limit is reached; the password was not looked at.
        """
        name = normalise_username(username)
        self._limiter.admit(name, address)
        with self._database.read() as transaction:
            account = transaction.scalars(select(Account).where(Account.username == name)).first()
        known = account.password_hash if account else self._nobody
        if not self._matches(known, password[: PASSWORD_MAX_LENGTH + 1]) or account is None:
            raise AccessError("unknown username or wrong password")
        self._limiter.forget(name, address)
        token, csrf_token = secrets.token_urlsafe(_TOKEN_BYTES), secrets.token_urlsafe(_TOKEN_BYTES)
        now = self._clock.now()
        with self._database.begin() as transaction:
            transaction.execute(delete(WebSession).where(WebSession.expires_at <= now))
            if self._hasher.check_needs_rehash(account.password_hash):
                transaction.execute(
                    update(Account).where(Account.id == account.id).values(password_hash=self._hasher.hash(password))
                )
            transaction.add(
                WebSession(
                    token_hash=_digest(token),
                    account=account.id,
                    csrf_token=csrf_token,
                    expires_at=now + SESSION_VALID_FOR,
                )
            )
            transaction.add(Audit(id=new_id(), at=now, account=account.id, action="session.begin", object=account.id))
        return NewSession(token, SignedIn(account.id, account.username, cast("Role", account.role), csrf_token))

    def signed_in(self, token: str | None) -> SignedIn | None:
        """Return the account whose session ``token`` belongs to, or None when there is none or it has ended."""
        if not token:
            return None
        query = (
            select(Account.id, Account.username, Account.role, WebSession.csrf_token)
            .join(WebSession, WebSession.account == Account.id)
            .where(WebSession.token_hash == _digest(token), WebSession.expires_at > self._clock.now())
        )
        with self._database.read() as transaction:
            row = transaction.execute(query).first()
        return None if row is None else SignedIn(row[0], row[1], cast("Role", row[2]), row[3])

    def sign_out(self, token: str | None) -> None:
        """End a session. Ending one that does not exist changes nothing."""
        if token:
            with self._database.begin() as transaction:
                transaction.execute(delete(WebSession).where(WebSession.token_hash == _digest(token)))

    def setup_role(self, token: str) -> Role:
        """Return the role that a one-time link gives.

        Raises:
            AccessError: The link is unknown, used up or has expired; the three cannot be told apart.
        """
        with self._database.read() as transaction:
            return cast("Role", _open_link(transaction, token, self._clock).role)

    def set_up(self, token: str, username: str, password: str) -> None:
        """Use up a one-time link to make an account.

        Raises:
            AccessError: As for `setup_role`.
            PasswordRefusedError: The username or the password cannot be used; the link remains open.
        """
        name = normalise_username(username)
        check_username(name)
        check_password(password, name)
        self.setup_role(token)  # hash nothing for someone without a link
        password_hash = self._hasher.hash(password)
        now = self._clock.now()
        try:
            with self._database.begin() as transaction:
                role = _open_link(transaction, token, self._clock).role
                # On PostgreSQL two requests may both have seen the link open; only one of them updates it.
                used = transaction.execute(
                    update(SetupLink)
                    .where(SetupLink.token_hash == _digest(token), SetupLink.used_at.is_(None))
                    .values(used_at=now)
                    .returning(SetupLink.token_hash)
                )
                if used.first() is None:
                    raise AccessError("the link is used up")
                account = Account(id=new_id(), username=name, role=role, password_hash=password_hash, created_at=now)
                transaction.add(account)
                transaction.add(
                    Audit(id=new_id(), at=now, account=account.id, action="account.make", object=account.id)
                )
        except IntegrityError:
            raise PasswordRefusedError("This username is taken. Choose another.") from None

    def invite(self, role: Role, base_url: str, by: str) -> str:
        """Return a one-time link to an account of ``role``, made by the account ``by``."""
        link, token_hash = _new_link(base_url)
        now = self._clock.now()
        with self._database.begin() as transaction:
            transaction.add(SetupLink(token_hash=token_hash, role=role, expires_at=now + SETUP_LINK_VALID_FOR))
            transaction.add(
                Audit(id=new_id(), at=now, account=by, action=f"account.invite.{role}", object=token_hash[:16])
            )
        return link

    def _matches(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerifyMismatchError, InvalidHashError):
            return False


def first_run_link(database: Database, clock: Clock, base_url: str) -> str | None:
    """Return the link that makes the first admin account, or None once there is any account.

    Called at every start: each call replaces the links of earlier ones, so that only the last one printed works.

    Args:
        database: The records.
        clock: For the link's end, 24 hours from now.
        base_url: Where browsers reach the hub, without a slash at the end.
    """
    link, token_hash = _new_link(base_url)
    with database.begin() as transaction:
        if transaction.scalar(select(exists().where(Account.id.is_not(None)))):
            return None
        transaction.execute(delete(SetupLink))
        transaction.add(SetupLink(token_hash=token_hash, role="admin", expires_at=clock.now() + SETUP_LINK_VALID_FOR))
    return link


def create_setup_link(database: Database, clock: Clock, base_url: str, role: Role) -> str:
    """Return a one-time link to an account of ``role``: for whoever holds the hub's command line."""
    link, token_hash = _new_link(base_url)
    now = clock.now()
    with database.begin() as transaction:
        transaction.add(SetupLink(token_hash=token_hash, role=role, expires_at=now + SETUP_LINK_VALID_FOR))
        transaction.add(
            Audit(id=new_id(), at=now, account="command-line", action=f"account.invite.{role}", object=token_hash[:16])
        )
    return link


def count_accounts(database: Database) -> int:
    """Return how many accounts there are."""
    with database.read() as transaction:
        return transaction.scalar(select(func.count()).select_from(Account)) or 0


def normalise_username(username: str) -> str:
    """Return a username as it is stored: lower case, without surrounding space, at most 64 characters."""
    return username.strip().lower()[:64]


def check_username(name: str) -> None:
    """Check a normalised username.

    Raises:
        PasswordRefusedError: It has other than 2 to 40 letters, digits, dots, hyphens and underscores.
    """
    if _USERNAME.fullmatch(name) is None:
        raise PasswordRefusedError(
            "A username has 2 to 40 lower-case letters, digits, dots, hyphens or underscores, and begins with a letter "
            "or a digit."
        )


def check_password(password: str, username: str) -> None:
    """Check that a password is neither too short nor one that is guessed first.

    Raises:
        PasswordRefusedError: It is; the message says why and never repeats it.
    """
    if len(password) < PASSWORD_MIN_LENGTH:
        raise PasswordRefusedError(
            f"The password needs at least {PASSWORD_MIN_LENGTH} characters. A sentence works well."
        )
    if len(password) > PASSWORD_MAX_LENGTH:
        raise PasswordRefusedError(f"The password can have at most {PASSWORD_MAX_LENGTH} characters.")
    lowered = password.lower()
    # 5: a password of one or two repeated keys is found at once. Ours.
    if len(set(lowered)) < 5 or _is_common(lowered, username):  # noqa: PLR2004 (said above)
        raise PasswordRefusedError("This password is one of those guessed first. Choose another.")


def tokens_match(expected: str, given: str | None) -> bool:
    """Compare two tokens in a time that does not tell where they differ."""
    return given is not None and hmac.compare_digest(expected.encode(), given.encode())


def _is_common(lowered: str, username: str) -> bool:
    if all(abs(ord(b) - ord(a)) <= 1 for a, b in pairwise(lowered)):
        return True  # 123456789012, abcdefghijkl, aaaaaaaaaaaa
    without_ends = lowered.strip("0123456789!?.,-_#*+ ")
    spellings = (lowered, without_ends.translate(_LOOKALIKES))
    return any(_COMMON.fullmatch(re.sub(r"[\W\d_]", "", text.replace(username, ""))) for text in spellings)


def _open_link(transaction: Transaction, token: str, clock: Clock) -> SetupLink:
    link = transaction.get(SetupLink, _digest(token))
    if link is None or link.used_at is not None or link.expires_at <= clock.now():
        raise AccessError("the link is unknown, used up or has expired")
    return link


def _new_link(base_url: str) -> tuple[str, str]:
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    return f"{base_url.rstrip('/')}/setup/{token}", _digest(token)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
