"""The keys of the identity store, apart from what they open: destroying one makes every copy of a row unreadable.

Each stay has a data key of its own in ``stays.db``, wrapped with the site's key of ``identities.key``. A backup that
holds the identity store but not this folder of keys holds nothing that can be read; one that holds both must hold the
keys as they are now, so that a key that was destroyed does not come back.
"""

import base64
import contextlib
import json
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import Base64Bytes, ValidationError

from forge_hub.errors import IdentityError
from forge_shared.files import replace
from forge_shared.ids import new_id
from forge_shared.model import Frozen

KEY_BITS = 256
NONCE_BYTES = 12
"""96 bits, random: NIST SP 800-38D section 8.2.2 allows 2**32 of them under one key; a site has far fewer stays."""

SITE_KEY_FILE = "identities.key"
STAY_KEYS_FILE = "stays.db"

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS data_key (stay TEXT PRIMARY KEY, id TEXT, site_key TEXT, nonce BLOB, wrapped BLOB)"
)


class SiteKeys(Frozen):
    """The site's keys by id; ``current`` wraps new data keys, the others open what they have wrapped."""

    current: str
    keys: dict[str, Base64Bytes]


class DataKey(Frozen):
    """The key of one stay's row."""

    id: str
    secret: bytes


class StayKeys:
    """The data keys of all stays. Threads may share it.

    Args:
        folder: The folder of keys; made with mode 0700, its files with 0600.

    Raises:
        IdentityError: The keys cannot be read or made.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._site = _site_keys(folder / SITE_KEY_FILE)
            path = folder / STAY_KEYS_FILE
            path.touch(mode=0o600)
            self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
            # A deleted key is overwritten, and no write-ahead log keeps a copy of it.
            for pragma in ("secure_delete=ON", "journal_mode=TRUNCATE", "synchronous=FULL"):
                self._connection.execute(f"PRAGMA {pragma}")
            self._connection.execute(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise IdentityError(f"the keys of the identities cannot be opened ({type(error).__name__})") from None

    def make(self, stay: str) -> DataKey:
        """Return a new key for a stay; an older one is destroyed.

        Raises:
            IdentityError: It cannot be stored.
        """
        key = DataKey(id=new_id(), secret=AESGCM.generate_key(KEY_BITS))
        with self._using():
            self._store(stay, key)
        return key

    def get(self, stay: str) -> DataKey | None:
        """Return the key of a stay; None when there is none, or none any more.

        Raises:
            IdentityError: It cannot be read or opened.
        """
        with self._using():
            row = self._connection.execute(
                "SELECT id, site_key, nonce, wrapped FROM data_key WHERE stay = ?", (stay,)
            ).fetchone()
        return None if row is None else self._unwrap(stay, *row)

    def destroy(self, stay: str) -> bool:
        """Destroy the key of a stay for good; tell whether there was one.

        Raises:
            IdentityError: It cannot be destroyed.
        """
        with self._using():
            return self._connection.execute("DELETE FROM data_key WHERE stay = ?", (stay,)).rowcount > 0

    def rotate(self) -> int:
        """Wrap every data key with a new site key and forget the old site keys; return how many were wrapped.

        Raises:
            IdentityError: A key cannot be opened or stored; what was wrapped before stays readable.
        """
        fresh = new_id()
        with self._using():
            keys = {**self._site.keys, fresh: AESGCM.generate_key(KEY_BITS)}
            # Both keys are on disk before the first data key depends on the new one.
            self._site = _write(self._folder / SITE_KEY_FILE, fresh, keys)
            rows = self._connection.execute("SELECT stay, id, site_key, nonce, wrapped FROM data_key").fetchall()
            for stay, *wrapped in rows:
                self._store(stay, self._unwrap(stay, *wrapped))
            self._site = _write(self._folder / SITE_KEY_FILE, fresh, {fresh: keys[fresh]})
        return len(rows)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def _store(self, stay: str, key: DataKey) -> None:
        nonce = os.urandom(NONCE_BYTES)
        wrapped = AESGCM(self._site.keys[self._site.current]).encrypt(nonce, key.secret, _bound(stay, key.id))
        self._connection.execute(
            "INSERT OR REPLACE INTO data_key VALUES (?, ?, ?, ?, ?)",
            (stay, key.id, self._site.current, nonce, wrapped),
        )

    def _unwrap(self, stay: str, key_id: str, site_key: str, nonce: bytes, wrapped: bytes) -> DataKey:
        secret = self._site.keys.get(site_key)
        if secret is None:
            raise IdentityError("the site's key that a data key was wrapped with is not here")
        try:
            return DataKey(id=key_id, secret=AESGCM(secret).decrypt(nonce, wrapped, _bound(stay, key_id)))
        except InvalidTag:
            raise IdentityError("a data key was altered, or belongs to another site") from None

    @contextmanager
    def _using(self) -> Iterator[None]:
        with self._lock:
            try:
                yield
            except (OSError, sqlite3.Error) as error:
                raise IdentityError(f"the keys of the identities cannot be used ({type(error).__name__})") from None


def _bound(stay: str, key_id: str) -> bytes:
    return f"{stay}|{key_id}".encode()


def _site_keys(path: Path) -> SiteKeys:
    with contextlib.suppress(FileNotFoundError):
        if path.stat().st_mode & 0o077:
            raise IdentityError(f"others can read {path.name}: chmod 600 it")
        try:
            return SiteKeys.model_validate_json(path.read_bytes())
        except ValidationError:
            raise IdentityError(f"{path.name} is no file of keys") from None
    first = new_id()
    return _write(path, first, {first: AESGCM.generate_key(KEY_BITS)})


def _write(path: Path, current: str, keys: dict[str, bytes]) -> SiteKeys:
    encoded = {name: base64.b64encode(secret).decode() for name, secret in keys.items()}
    replace(path, json.dumps({"current": current, "keys": encoded}).encode(), mode=0o600)
    return SiteKeys(current=current, keys=encoded)
