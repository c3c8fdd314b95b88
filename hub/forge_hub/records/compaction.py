"""Making what was deleted vanish from the files too. A database keeps deleted rows in free pages until then."""

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from forge_hub.errors import RecordsError
from forge_hub.records.database import Database
from forge_hub.records.schema import Base


def compact(database: Database) -> None:
    """Rewrite the records without what was deleted. Writers wait meanwhile; a gigabyte takes some ten seconds.

    Of PostgreSQL the tables are rewritten; its write-ahead log and its own base backups are its operator's.

    Raises:
        RecordsError: A reader held the old pages all the while, or the store failed. Doing it again is harmless.
    """
    try:
        if database.engine.dialect.name == "sqlite":
            _compact_sqlite(database.engine)
        else:
            _compact_postgresql(database.engine)
    except SQLAlchemyError as error:
        raise RecordsError(f"the records cannot be compacted ({type(error).__name__}); try again") from None


def _compact_sqlite(engine: Engine) -> None:
    # The driver's own connection: VACUUM must stand outside the transactions that SQLAlchemy opens.
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute("VACUUM")
        busy, _, _ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        cursor.close()
    finally:
        connection.close()
    if busy:
        raise RecordsError("a reader held the records while they were compacted; try again")


def _compact_postgresql(engine: Engine) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for table in Base.metadata.sorted_tables:
            connection.exec_driver_sql(f'VACUUM FULL "{table.name}"')
