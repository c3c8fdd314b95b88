"""One-time codes of an authenticator app (TOTP, RFC 6238), and recovery codes for whoever has lost it.

Secrets are sealed with a key file beside the records: a copy of the records alone makes no code. A code works once.
"""

import base64
import hashlib
import hmac
import os
import secrets
import stat
from datetime import datetime
from pathlib import Path

import pyotp
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import delete, update
from sqlalchemy.orm import Session as Transaction

from forge_hub.errors import HubConfigError
from forge_hub.records.schema import RecoveryCode, SecondFactor

STEP_SECONDS = 30
"""RFC 6238 section 5.2 recommends it, and authenticator apps know no other."""

STEPS_ASIDE = 1
"""Steps before and after now whose codes are taken: clocks differ and people type slowly (RFC 6238 section 5.2)."""

RECOVERY_CODES = 10
_RECOVERY_BYTES = 10
_NONCE_BYTES = 12
_KEY_BYTES = 32
ISSUER = "Persona-Forge"


class SecretKey:
    """The key that seals what the records hold but must not show (AES-256-GCM)."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    @classmethod
    def open(cls, path: Path) -> "SecretKey":
        """Return the key in a file; the file is made, mode 0600, when there is none.

        Raises:
            HubConfigError: The file holds no key, or others may read it.
        """
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            pass
        else:
            with os.fdopen(descriptor, "wb") as file:
                file.write(secrets.token_bytes(_KEY_BYTES))
                file.flush()
                os.fsync(file.fileno())
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise HubConfigError(f"{path} may be read by others: chmod 600")
        key = path.read_bytes()
        if len(key) != _KEY_BYTES:
            raise HubConfigError(f"{path} holds no key: put back the one of a backup")
        return cls(key)

    def seal(self, text: str, owner: str) -> str:
        """Return a text sealed for an owner; it cannot be opened for another."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return base64.b64encode(nonce + self._cipher.encrypt(nonce, text.encode(), owner.encode())).decode()

    def unseal(self, sealed: str, owner: str) -> str:
        """Return what `seal` has sealed.

        Raises:
            HubConfigError: It was sealed with another key or for another owner, or was changed.
        """
        raw = base64.b64decode(sealed)
        try:
            return self._cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], owner.encode()).decode()
        except InvalidTag:
            raise HubConfigError("a sealed secret does not belong to this hub's key file") from None


def step_of(at: datetime) -> int:
    """Return the number of the time step that a moment lies in."""
    return int(at.timestamp()) // STEP_SECONDS


def begin_enrolment(transaction: Transaction, key: SecretKey, account: str) -> None:
    """Give an account a secret that is not confirmed yet; one that it has is kept, so that pages can be reloaded."""
    known = transaction.get(SecondFactor, account)
    if known is None:
        sealed = key.seal(pyotp.random_base32(), account)
        transaction.add(SecondFactor(account=account, sealed_secret=sealed, confirmed=False, last_step=0))


def is_enrolled(transaction: Transaction, account: str) -> bool:
    """Tell whether an account has confirmed its secret."""
    known = transaction.get(SecondFactor, account)
    return known is not None and known.confirmed


def secret_of(transaction: Transaction, key: SecretKey, account: str) -> str | None:
    """Return the secret of an account that has not confirmed it yet, in base32; afterwards it is never shown again."""
    known = transaction.get(SecondFactor, account)
    return None if known is None or known.confirmed else key.unseal(known.sealed_secret, account)


def address_of(secret: str, username: str) -> str:
    """Return the ``otpauth://`` address that authenticator apps read from a QR code."""
    return pyotp.TOTP(secret, name=username, issuer=ISSUER).provisioning_uri()


def use_code(transaction: Transaction, key: SecretKey, account: str, code: str, at: datetime) -> bool:
    """Use up a one-time code; tell whether it was right and had not been used."""
    known = transaction.get(SecondFactor, account)
    if known is None:
        return False
    totp = pyotp.TOTP(key.unseal(known.sealed_secret, account), interval=STEP_SECONDS)
    given = "".join(code.split())
    now = step_of(at)
    for step in range(now - STEPS_ASIDE, now + STEPS_ASIDE + 1):
        if hmac.compare_digest(totp.at(step * STEP_SECONDS).encode(), given.encode()):
            # The condition is checked by the store: of two browsers with one code, one is let in.
            used = transaction.execute(
                update(SecondFactor)
                .where(SecondFactor.account == account, SecondFactor.last_step < step)
                .values(last_step=step, confirmed=True)
                .returning(SecondFactor.account)
            )
            return used.first() is not None
    return False


def make_recovery_codes(transaction: Transaction, account: str) -> list[str]:
    """Return `RECOVERY_CODES` new codes of an account; older ones no longer work."""
    transaction.execute(delete(RecoveryCode).where(RecoveryCode.account == account))
    codes = [base64.b32encode(secrets.token_bytes(_RECOVERY_BYTES)).decode().lower() for _ in range(RECOVERY_CODES)]
    transaction.add_all(RecoveryCode(code_hash=_recovery_hash(account, code), account=account) for code in codes)
    return ["-".join(code[place : place + 4] for place in range(0, len(code), 4)) for code in codes]


def use_recovery_code(transaction: Transaction, account: str, code: str) -> bool:
    """Use up a recovery code; tell whether it was one of the account's."""
    plain = "".join(code.replace("-", "").split()).lower()
    used = transaction.execute(
        delete(RecoveryCode)
        .where(RecoveryCode.code_hash == _recovery_hash(account, plain), RecoveryCode.account == account)
        .returning(RecoveryCode.account)
    )
    return used.first() is not None


def remove(transaction: Transaction, account: str) -> None:
    """Take an account's secret and recovery codes away; the next sign-in enrols anew."""
    transaction.execute(delete(RecoveryCode).where(RecoveryCode.account == account))
    transaction.execute(delete(SecondFactor).where(SecondFactor.account == account))


def _recovery_hash(account: str, code: str) -> str:
    # 80 random bits: a fast hash is enough.
    return hashlib.sha256(f"{account}:{code}".encode()).hexdigest()
