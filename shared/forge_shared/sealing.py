"""Bytes that only the holder of a key can read, and that nobody can move or alter unnoticed: AES-256-GCM.

A sealed form is: one byte of version, the key's id, a random nonce, then ciphertext with its tag. Version and key id
are authenticated together with the ``context``, which says what the bytes are and where they belong; sealed bytes that
were put in another place do not open.

Source: NIST SP 800-38D. Random nonces of 96 bits allow 2**32 messages under one key (section 8.3); at ten events a
second that is thirteen years.
"""

import base64
import contextlib
import os
from pathlib import Path
from typing import Annotated, Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import Field, ValidationError

from forge_shared.errors import SealError
from forge_shared.files import replace
from forge_shared.ids import new_id
from forge_shared.model import Frozen

KEY_BYTES: Final = 32
_VERSION: Final = b"\x01"
_ID_BYTES: Final = 8
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
OVERHEAD_BYTES: Final = len(_VERSION) + _ID_BYTES + _NONCE_BYTES + _TAG_BYTES
"""How much longer the sealed form is than what it holds."""


class _Key(Frozen):
    id: Annotated[str, Field(pattern=rf"^[0-9a-f]{{{2 * _ID_BYTES}}}$")]
    key: Annotated[str, Field(min_length=1, max_length=64)]


class _KeyFile(Frozen):
    """The newest key is the last: it seals. The others still open what they sealed."""

    keys: Annotated[tuple[_Key, ...], Field(min_length=1)]


class Keyring:
    """Keys that seal and unseal. Threads may share it."""

    def __init__(self, keys: dict[bytes, bytes]) -> None:
        """Take keys of `KEY_BYTES` by their ids of eight bytes; the last one seals."""
        self._keys = {name: AESGCM(key) for name, key in keys.items()}
        self._newest = list(keys)[-1]

    @classmethod
    def open(cls, path: Path) -> Self:
        """Return the keys of a file; where there is none it is made with one new key, mode 0600.

        Raises:
            SealError: The file can be read by others, is no key file, or can neither be read nor made.
        """
        try:
            if not path.exists():
                _make(path)
            return cls(_load(path))
        except OSError as error:
            raise SealError(f"cannot read or make the key file {path.name} ({type(error).__name__})") from None

    def seal(self, plain: bytes, context: bytes) -> bytes:
        """Return the sealed form of ``plain``, bound to ``context``."""
        header = _VERSION + self._newest
        nonce = os.urandom(_NONCE_BYTES)
        return header + nonce + self._keys[self._newest].encrypt(nonce, plain, header + context)

    def unseal(self, sealed: bytes, context: bytes) -> bytes:
        """Return what was sealed with the same context.

        Raises:
            SealError: It is no sealed form, its key is not here, it was altered, or it belongs elsewhere.
        """
        if len(sealed) < OVERHEAD_BYTES or not sealed.startswith(_VERSION):
            raise SealError("this is no sealed form that this version reads")
        header, rest = sealed[: 1 + _ID_BYTES], sealed[1 + _ID_BYTES :]
        key = self._keys.get(header[1:])
        if key is None:
            raise SealError("the key that sealed this is not in the key file")
        try:
            return key.decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], header + context)
        except InvalidTag:
            raise SealError("sealed bytes were altered or do not belong here") from None


def add_key(path: Path) -> None:
    """Add a key to a key file. Whoever opens it from now on seals with the new one and still reads the old.

    Raises:
        SealError: The file is no key file or can be read by others.
        OSError: It cannot be read or written.
    """
    keys = _load(path)
    replace(path, _file_of({**keys, os.urandom(_ID_BYTES): os.urandom(KEY_BYTES)}), mode=0o600)


def is_sealed(content: bytes) -> bool:
    """Tell whether bytes look like a sealed form; JSON never does."""
    return content.startswith(_VERSION) and len(content) >= OVERHEAD_BYTES


def _make(path: Path) -> None:
    """Make a key file, unless another process was faster: two keys of one name would each lose the other's data."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{new_id()}")
    replace(fresh, _file_of({os.urandom(_ID_BYTES): os.urandom(KEY_BYTES)}), mode=0o600)
    try:
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(fresh)
    finally:
        fresh.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _load(path: Path) -> dict[bytes, bytes]:
    if path.stat().st_mode & 0o077 and not _is_credential(path):
        raise SealError(f"others can read {path.name}: chmod 600 it")
    try:
        keys = {
            bytes.fromhex(key.id): base64.b64decode(key.key, validate=True)
            for key in _KeyFile.model_validate_json(path.read_bytes()).keys
        }
    except (ValidationError, ValueError):  # never chained: their messages may quote the key
        raise SealError(f"{path.name} is no key file") from None
    if any(len(key) != KEY_BYTES for key in keys.values()):
        raise SealError(f"{path.name} is no key file")
    return keys


def _is_credential(path: Path) -> bool:
    """Tell whether systemd hands the file to us: we alone may read it, by an access list that looks like a group."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    return folder is not None and path.parent == Path(folder)


def _file_of(keys: dict[bytes, bytes]) -> bytes:
    listed = tuple(_Key(id=name.hex(), key=base64.b64encode(key).decode()) for name, key in keys.items())
    return _KeyFile(keys=listed).model_dump_json(indent=1).encode() + b"\n"
