"""An encrypted stream: whoever has the secret reads it, and nobody can alter, shorten or reorder it unnoticed.

The first line names the format, the second is JSON: how the key is had, and the archive's own random key, sealed with
it. Then come pieces of 64 KiB, each sealed by AES-256-GCM under a nonce made of its number and whether it is the last.

Source: the STREAM construction of Hoang, Reyhanitabar, Rogaway, Vizár, "Online Authenticated-Encryption and its
Nonce-Reuse Misuse-Resistance" (CRYPTO 2015), as the age format (age-encryption.org/v1) uses it.
"""

import base64
import json
import os
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from forge_hub.backup.errors import BackupError
from forge_shared.errors import SealError
from forge_shared.sealing import KEY_BYTES, Keyring

MAGIC = b"persona-forge backup 1\n"
PIECE_BYTES = 64 * 1024
TAG_BYTES = 16
SCRYPT_LOG_N, SCRYPT_R, SCRYPT_P = 17, 8, 1
"""128 MiB and some 0.4 s for every guess. Source: OWASP Password Storage Cheat Sheet, first choice for scrypt."""
PASSPHRASE_MIN_LENGTH = 12
"""As for accounts; a backup can be guessed at without limit, so four random words or more are better."""
_MOST_LOG_N = 20
_HEADER_BYTES = 4096
_SALT_BYTES = 16
_PASSPHRASE_KEY = b"passwort"
"""Id of the one key of a keyring that was derived from a passphrase: eight bytes."""


class Secret:
    """What opens a backup: a passphrase or a key file, exactly one of them.

    Raises:
        BackupError: None or both are given, or the passphrase is too short.
    """

    def __init__(self, *, passphrase: str | None = None, key_file: Path | None = None) -> None:
        if (passphrase is None) == (key_file is None):
            raise BackupError("a backup is opened by a passphrase or by a key file: give one of them")
        if passphrase is not None and len(passphrase) < PASSPHRASE_MIN_LENGTH:
            raise BackupError(f"a backup's passphrase has at least {PASSPHRASE_MIN_LENGTH} characters")
        self._passphrase = passphrase
        self._key_file = key_file

    def new(self) -> tuple[dict[str, object], Keyring]:
        """Return how a new archive says that its key is had, and the key."""
        if self._passphrase is not None:
            salt = os.urandom(_SALT_BYTES)
            how: dict[str, object] = {"kdf": "scrypt", "log_n": SCRYPT_LOG_N, "salt": base64.b64encode(salt).decode()}
            return how, _derive(self._passphrase, salt, SCRYPT_LOG_N)
        return {"kdf": "key-file"}, self._keys()

    def of(self, how: dict[str, object]) -> Keyring:
        """Return the key of an archive that says how it is had.

        Raises:
            BackupError: It wants the other kind of secret, or asks for more work than any archive of ours.
        """
        if how.get("kdf") == "key-file" and self._key_file is not None:
            return self._keys()
        if how.get("kdf") == "scrypt" and self._passphrase is not None:
            log_n, salt = how.get("log_n"), how.get("salt")
            if isinstance(log_n, int) and SCRYPT_LOG_N <= log_n <= _MOST_LOG_N and isinstance(salt, str):
                return _derive(self._passphrase, base64.b64decode(salt), log_n)
            raise BackupError("the archive's header cannot be read")
        raise BackupError("the archive is opened by the other kind of secret: passphrase or key file")

    def _keys(self) -> Keyring:
        if self._key_file is None or not self._key_file.is_file():
            raise BackupError("there is no such key file; `forge-hub backup-key FILE` makes one")
        return Keyring.open(self._key_file)


class SealedWriter:
    """Encrypts what is written into a file. `finish` makes it whole; without it the archive cannot be opened."""

    def __init__(self, file: BinaryIO, secret: Secret) -> None:
        how, keyring = secret.new()
        key = os.urandom(KEY_BYTES)
        context = MAGIC + json.dumps(how, sort_keys=True).encode()
        header = {**how, "key": base64.b64encode(keyring.seal(key, context)).decode()}
        file.write(MAGIC + json.dumps(header).encode() + b"\n")
        self._file = file
        self._cipher = AESGCM(key)
        self._number = 0
        self._waiting = bytearray()

    def write(self, content: bytes) -> int:
        """Take content in."""
        self._waiting += content
        while len(self._waiting) > PIECE_BYTES:
            self._put(bytes(self._waiting[:PIECE_BYTES]), last=False)
            del self._waiting[:PIECE_BYTES]
        return len(content)

    def finish(self) -> None:
        """Write the last piece."""
        self._put(bytes(self._waiting), last=True)
        self._waiting.clear()

    def _put(self, piece: bytes, *, last: bool) -> None:
        self._file.write(self._cipher.encrypt(_nonce(self._number, last=last), piece, None))
        self._number += 1


class SealedReader:
    """Decrypts an archive. Nothing that was altered is ever returned; a missing end is noticed when it is reached.

    Raises:
        BackupError: No archive of ours, or the wrong secret.
    """

    def __init__(self, file: BinaryIO, secret: Secret) -> None:
        if file.read(len(MAGIC)) != MAGIC:
            raise BackupError("this is no backup of a hub, or of another format")
        self._file = file
        self._cipher = AESGCM(_unwrap(file.readline(_HEADER_BYTES), secret))
        self._number = 0
        self._ready = b""
        self._next = file.read(PIECE_BYTES + TAG_BYTES)
        self._ended = False

    def read(self, size: int) -> bytes:
        """Return up to ``size`` bytes; none at the end.

        Raises:
            BackupError: The archive was altered or ends too early.
        """
        while not self._ready and not self._ended:
            piece, self._next = self._next, self._file.read(PIECE_BYTES + TAG_BYTES)
            self._ended = not self._next
            try:
                self._ready = self._cipher.decrypt(_nonce(self._number, last=self._ended), piece, None)
            except InvalidTag:
                raise BackupError("the archive was altered, or is not whole") from None
            self._number += 1
        taken, self._ready = self._ready[:size], self._ready[size:]
        return taken


def _unwrap(line: bytes, secret: Secret) -> bytes:
    try:
        header = json.loads(line)
        sealed = base64.b64decode(header.pop("key"), validate=True)
    except (ValueError, KeyError, AttributeError, TypeError):
        raise BackupError("the archive's header cannot be read") from None
    try:
        return secret.of(header).unseal(sealed, MAGIC + json.dumps(header, sort_keys=True).encode())
    except SealError:
        raise BackupError("the passphrase or key file does not open this archive") from None


def _derive(passphrase: str, salt: bytes, log_n: int) -> Keyring:
    derived = Scrypt(salt=salt, length=KEY_BYTES, n=2**log_n, r=SCRYPT_R, p=SCRYPT_P).derive(passphrase.encode())
    return Keyring({_PASSPHRASE_KEY: derived})


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\x01" if last else b"\x00")
