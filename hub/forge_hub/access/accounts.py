"""Accounts, the one-time links that make them, and what a password must be.

Nothing secret is stored as it is: passwords as Argon2id, tokens as SHA-256 (they are random, so that is enough).
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Literal, get_args

from sqlalchemy import delete, exists, func, select
from sqlalchemy.orm import Session as Transaction

from forge_hub.access import audit
from forge_hub.errors import AccessError, NotFoundError
from forge_hub.records.database import Database
from forge_hub.records.schema import Account, DeviceToken, SetupLink
from forge_shared.clock import Clock
from forge_shared.ids import new_id

Role = Literal["patient", "staff", "clinician", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)
PASSWORD_ROLES: tuple[Role, ...] = ("staff", "clinician", "admin")
"""Roles of people who sign in. A patient's device shows a token instead."""

COMMAND_LINE = "command-line"
"""Stands for an account in the audit where the administrator of the machine did something."""

SETUP_LINK_VALID_FOR = timedelta(hours=24)
PASSWORD_MIN_LENGTH = 12
PASSWORD_MAX_LENGTH = 256
"""Lengths, and a list of refused ones instead of rules on characters: NIST SP 800-63B-4 section 3.1.1.2.

The upper one bounds the work of hashing; the standard asks for at least 64.
"""

NO_PASSWORD = "-"  # noqa: S105 (no password is the point)
"""Stands where a password's hash would. It is no Argon2 hash, so that no password opens the account."""

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


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The account behind a request.

    Attributes:
        session_id: Names the session in the account's own list; empty for a device.
        node: The room that a patient's device is bound to.
    """

    account_id: str
    username: str
    role: Role
    csrf_token: str
    session_id: str = ""
    node: str | None = None


def make_token() -> str:
    """Return a new secret of 256 random bits for a cookie, a link or a device."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def digest(token: str) -> str:
    """Return what is stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def first_run_link(database: Database, clock: Clock, base_url: str) -> str | None:
    """Return the link that makes the first admin account, or None once there is any account.

    Called at every start: each call replaces the links of earlier ones, so that only the last one printed works.

    Args:
        database: The records.
        clock: For the link's end, 24 hours from now.
        base_url: Where browsers reach the hub, without a slash at the end.
    """
    link, token_hash = new_link(base_url)
    with database.begin() as transaction:
        if transaction.scalar(select(exists().where(Account.id.is_not(None)))):
            return None
        transaction.execute(delete(SetupLink))
        transaction.add(SetupLink(token_hash=token_hash, role="admin", expires_at=clock.now() + SETUP_LINK_VALID_FOR))
    return link


def create_setup_link(database: Database, clock: Clock, base_url: str, role: Role) -> str:
    """Return a one-time link to an account of ``role``: for whoever holds the hub's command line."""
    link, token_hash = new_link(base_url)
    now = clock.now()
    with database.begin() as transaction:
        transaction.add(SetupLink(token_hash=token_hash, role=role, expires_at=now + SETUP_LINK_VALID_FOR))
        audit.write(transaction, now, COMMAND_LINE, f"account.invite.{role}", token_hash[:16])
    return link


def make_device(database: Database, clock: Clock, node: str) -> str:
    """Return a token for a patient's device in a room; an earlier one of the same room no longer works.

    Args:
        database: The records.
        clock: For the moment at which it is made.
        node: The room's node.
    """
    token, now = make_token(), clock.now()
    username = f"device:{node}"  # no person can choose this name
    with database.begin() as transaction:
        account = transaction.scalars(select(Account).where(Account.username == username)).first()
        if account is None:
            account = Account(
                id=new_id(), username=username, role="patient", password_hash=NO_PASSWORD, created_at=now, node=node
            )
            transaction.add(account)
            transaction.flush()
        transaction.execute(delete(DeviceToken).where(DeviceToken.account == account.id))
        transaction.add(DeviceToken(token_hash=digest(token), account=account.id, made_at=now))
        audit.write(transaction, now, COMMAND_LINE, "device.make", account.id)
    return token


def account_of(transaction: Transaction, username: str) -> Account:
    """Return an account.

    Raises:
        NotFoundError: There is no such account.
    """
    found = transaction.scalars(select(Account).where(Account.username == normalise_username(username))).first()
    if found is None:
        raise NotFoundError("there is no such account")
    return found


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


def open_link(transaction: Transaction, token: str, clock: Clock) -> SetupLink:
    """Return a one-time link that can still be used.

    Raises:
        AccessError: The link is unknown, used up or has expired; the three cannot be told apart.
    """
    link = transaction.get(SetupLink, digest(token))
    if link is None or link.used_at is not None or link.expires_at <= clock.now():
        raise AccessError("the link is unknown, used up or has expired")
    return link


def new_link(base_url: str) -> tuple[str, str]:
    """Return a new one-time link and what is stored of it."""
    token = make_token()
    return f"{base_url.rstrip('/')}/setup/{token}", digest(token)
