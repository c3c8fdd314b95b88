"""Opening the relational store: SQLite by default, PostgreSQL in production, the same code on both."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib import resources
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session as Transaction
from sqlalchemy.orm import sessionmaker

from forge_hub.errors import RecordsError
from forge_hub.records.schema.base import Base

BUSY_TIMEOUT_SECONDS = 10

Written = Callable[[Sequence[Base]], None]
"""Is given the rows that a transaction added or changed one by one, once they are committed. Called in the thread of
the transaction; must neither block nor raise. Rows of bulk statements are not among them.
"""


class Database:
    """The engine and its transactions. Threads may share it; a `Transaction` belongs to one thread."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._writer: AbstractContextManager[Any] = (
            _Turn(BUSY_TIMEOUT_SECONDS) if engine.dialect.name == "sqlite" else nullcontext()
        )
        options: dict[str, Any] = {"read_only": True}
        if engine.dialect.name == "postgresql":
            # Its default shows every statement another moment; SQLite's WAL keeps the moment of the first one.
            options["isolation_level"] = "REPEATABLE READ"
        self._reading = engine.execution_options(**options)
        self._writing = sessionmaker(engine, expire_on_commit=False)

    def on_written(self, listener: Written) -> None:
        """Let someone follow what is committed, for as long as this database is open."""
        followed = object()

        def flushed(transaction: Transaction, _: object) -> None:
            transaction.info.setdefault(followed, []).extend((*transaction.new, *transaction.dirty))

        def committed(transaction: Transaction) -> None:
            listener(transaction.info.pop(followed, ()))

        event.listen(self._writing, "after_flush", flushed)
        event.listen(self._writing, "after_commit", committed)

    @contextmanager
    def begin(self) -> Iterator[Transaction]:
        """Yield a transaction that commits at the end of the block and rolls back when it raises."""
        with (
            self._writer,
            self._writing() as transaction,
            transaction.begin(),
        ):
            yield transaction

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """Yield a transaction that sees one moment, that of its first statement, and is rolled back at the end."""
        with Transaction(self._reading, expire_on_commit=False) as transaction:
            yield transaction

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


class _Turn:
    """Lets the threads of this process write one after the other.

    SQLite has one writer too, but lets the others look again at growing intervals of up to 100 ms (its
    ``sqliteDefaultBusyCallback``): an alarm would wait for that long while nobody writes. Whoever has waited for the
    limit goes on to SQLite's own lock, which then says that the store is busy.
    """

    def __init__(self, limit_seconds: float) -> None:
        self._limit_seconds = limit_seconds
        self._lock = threading.Lock()
        self._local = threading.local()

    def __enter__(self) -> None:
        self._local.taken = self._lock.acquire(timeout=self._limit_seconds)

    def __exit__(self, *_: object) -> None:
        if self._local.taken:
            self._lock.release()


def open_database(url: str) -> Database:
    """Open the store and bring its schema up to date.

    Args:
        url: SQLAlchemy URL, such as ``sqlite:////var/lib/forge-hub/records.db`` or
            ``postgresql+psycopg://user:password@host/database``.

    Raises:
        RecordsError: It cannot be opened or migrated. The message names the place without its password.
    """
    engine = engine_of(url)
    place = engine.url.render_as_string(hide_password=True)
    try:
        with engine.begin() as connection:
            migrate(connection)
    except (SQLAlchemyError, CommandError) as error:
        engine.dispose()
        raise RecordsError(f"cannot open the records at {place} ({type(error).__name__})") from None
    return Database(engine)


def trouble_of(error: SQLAlchemyError) -> str:
    """Return the code of what keeps the store from writing: ``disk.full`` or ``records.failed``."""
    # SQLITE_FULL says "database or disk is full"; PostgreSQL answers with class 53100, disk_full.
    cause = getattr(error, "orig", None)
    full = "full" in str(cause).lower() or getattr(cause, "sqlstate", None) == "53100"
    return "disk.full" if full else "records.failed"


def engine_of(url: str) -> Engine:
    """Return the engine of a store, hardened, without looking at what is in it.

    Raises:
        RecordsError: It is no address of a store. The message does not repeat it.
    """
    try:
        # A file does not hang up; a server does.
        engine = create_engine(url, pool_pre_ping=make_url(url).get_backend_name() != "sqlite")
    except (SQLAlchemyError, ValueError):
        raise RecordsError("the records' address is no SQLAlchemy URL of a store that this hub knows") from None
    except ImportError as error:
        raise RecordsError(f"the records' address needs a driver that is not installed ({error.name})") from None
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _harden_sqlite)
        event.listen(engine, "begin", _begin_immediate)
    return engine


def migrate(connection: Connection, revision: str = "head") -> None:
    """Bring the schema up to date, or up to a revision. Running it twice changes nothing."""
    config = Config()
    with resources.as_file(resources.files("forge_hub.records").joinpath("migrations")) as folder:
        config.set_main_option("script_location", str(folder))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def _harden_sqlite(connection: Any, _: Any) -> None:  # noqa: ANN401 (the driver's own types)
    # The driver must not open transactions by itself: SQLAlchemy's "begin" event does, below.
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"busy_timeout={BUSY_TIMEOUT_SECONDS * 1000}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_immediate(connection: Connection) -> None:
    # Taking the write lock first lets concurrent writers wait instead of failing half-way (SQLITE_BUSY_SNAPSHOT).
    read_only = connection.get_execution_options().get("read_only", False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")
