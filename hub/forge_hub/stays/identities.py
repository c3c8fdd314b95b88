"""Who the person behind a pseudonym is: a store of its own, sealed row by row, opened only here.

It is another database than the records, under another key, and every look into it is written down first.
"""

import os
import sqlite3
from pathlib import Path
from typing import Annotated, Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import AfterValidator, Field
from sqlalchemy import (
    Column,
    Engine,
    LargeBinary,
    MetaData,
    String,
    Table,
    create_engine,
    delete,
    event,
    insert,
    select,
)
from sqlalchemy.exc import SQLAlchemyError

from forge_hub.access import Role, SignedIn, audit
from forge_hub.errors import AccessError, IdentityError, StayError
from forge_hub.records.database import Database
from forge_hub.records.schema import Stay
from forge_hub.stays.keys import NONCE_BYTES, StayKeys
from forge_shared.clock import Clock
from forge_shared.model import Frozen

MAY_OPEN: frozenset[Role] = frozenset({"staff", "clinician"})
"""Who cares for people may know their names. An admin, who holds keys and backups, may not."""

_METADATA = MetaData()
_SEALED = Table(
    "identity",
    _METADATA,
    Column("stay", String, primary_key=True),
    Column("key_id", String, nullable=False),
    Column("nonce", LargeBinary, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)


def _printable(value: str) -> str:
    if not value.isprintable():
        raise ValueError("control characters")
    return value.strip()


Line = Annotated[str, AfterValidator(_printable), Field(max_length=120, repr=False)]


class Identity(Frozen):
    """Who a person is. Its own words never show what it holds: they reach logs and tracebacks."""

    name: Annotated[Line, Field(min_length=1, repr=False)]
    record_number: Line = ""
    date_of_birth: Annotated[str, Field(pattern=r"^(\d{4}-\d{2}-\d{2})?$", repr=False)] = ""


class Identities:
    """The link between stay and person. Its methods block: call them from a thread.

    Args:
        url: SQLAlchemy URL of the identity store.
        keys: The folder of its keys.
        database: The records, whose audit every look is written to.
        clock: Stamps the audit.

    Raises:
        IdentityError: The store or its keys cannot be opened.
    """

    def __init__(self, url: str, keys: Path, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._keys = StayKeys(keys)
        try:
            self._engine = _open(url)
        except (SQLAlchemyError, ImportError, ValueError) as error:
            self._keys.close()
            raise IdentityError(f"the identity store cannot be opened ({type(error).__name__})") from None

    def file(self, stay: str, identity: Identity, who: SignedIn) -> None:
        """Seal who the person of a stay is, in place of what was on file.

        Raises:
            AccessError: This role may not.
            IdentityError: It cannot be stored.
        """
        self._admit(who, "identity.file", stay)
        key, nonce = self._keys.make(stay), os.urandom(NONCE_BYTES)
        sealed = AESGCM(key.secret).encrypt(nonce, identity.model_dump_json().encode(), stay.encode())
        try:
            with self._engine.begin() as connection:
                connection.execute(delete(_SEALED).where(_SEALED.c.stay == stay))
                connection.execute(insert(_SEALED).values(stay=stay, key_id=key.id, nonce=nonce, sealed=sealed))
        except SQLAlchemyError as error:
            raise IdentityError(f"the identity could not be stored ({type(error).__name__})") from None

    def show(self, stay: str, who: SignedIn) -> Identity | None:
        """Open who the person of a stay is; None when nothing is on file. The look is written down first.

        Raises:
            AccessError: This role may not.
            IdentityError: It cannot be read, or was altered.
        """
        self._admit(who, "identity.show", stay)
        row, key = self._row(stay), self._keys.get(stay)
        if row is None or key is None or row.key_id != key.id:
            return None
        try:
            return Identity.model_validate_json(AESGCM(key.secret).decrypt(row.nonce, row.sealed, stay.encode()))
        except InvalidTag:
            raise IdentityError("an identity was altered, or belongs to another stay") from None

    def known(self, stay: str) -> bool:
        """Tell whether it is on file who the person of a stay is, without opening it."""
        row, key = self._row(stay), self._keys.get(stay)
        return row is not None and key is not None and row.key_id == key.id

    def forget(self, stay: str) -> bool:
        """Destroy the link between stay and person: the key first, so that every backup of the row is unreadable too.

        Returns:
            Whether there was one.

        Raises:
            IdentityError: It could not be destroyed.
        """
        had_key = self._keys.destroy(stay)
        try:
            with self._engine.begin() as connection:
                return connection.execute(delete(_SEALED).where(_SEALED.c.stay == stay)).rowcount > 0 or had_key
        except SQLAlchemyError as error:
            raise IdentityError(f"the identity could not be removed ({type(error).__name__})") from None

    def forget_person(self, pseudonym: str) -> int:
        """Destroy the link between a pseudonym and the person, as `forget` does.

        Returns:
            How many links there were.

        Raises:
            StayError: The stay is not over: the room would go on speaking for the person.
            IdentityError: It could not be destroyed.
        """
        with self._database.read() as transaction:
            stay = transaction.scalar(select(Stay).where(Stay.pseudonym == pseudonym))
        if stay is None:
            return 0
        if stay.discharged_at is None:
            raise StayError("the person is still admitted: discharge them first")
        return int(self.forget(stay.id))

    def rotate(self) -> int:
        """Wrap the keys of all stays with a new key of the site; return how many there are."""
        return self._keys.rotate()

    def close(self) -> None:
        """Close the store and its keys."""
        self._engine.dispose()
        self._keys.close()

    def _admit(self, who: SignedIn, action: str, stay: str) -> None:
        allowed = who.role in MAY_OPEN
        audit.note(
            self._database,
            self._clock.now(),
            who.account_id,
            action,
            stay,
            outcome="done" if allowed else "refused",
            reason=None if allowed else "role",
        )
        if not allowed:
            raise AccessError("this role may not know who a person is")

    def _row(self, stay: str) -> Any:  # noqa: ANN401 (a row of columns that the table above names)
        try:
            with self._engine.connect() as connection:
                return connection.execute(select(_SEALED).where(_SEALED.c.stay == stay)).first()
        except SQLAlchemyError as error:
            raise IdentityError(f"the identity store cannot be read ({type(error).__name__})") from None


def _open(url: str) -> Engine:
    engine = create_engine(url, pool_pre_ping=True)
    if engine.dialect.name == "sqlite":
        if engine.url.database:
            Path(engine.url.database).touch(mode=0o600)
        event.listen(engine, "connect", _harden)
    try:
        _METADATA.create_all(engine)
    except SQLAlchemyError:
        engine.dispose()
        raise
    return engine


def _harden(connection: sqlite3.Connection, _: object) -> None:
    for pragma in ("journal_mode=TRUNCATE", "synchronous=FULL", "secure_delete=ON", "busy_timeout=10000"):
        connection.execute(f"PRAGMA {pragma}")
