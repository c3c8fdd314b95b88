"""All tables of the records as lines of JSON, the same for SQLite and PostgreSQL, and back.

The form is canonical: the same rows give the same bytes. Deleted rows that a database file still holds in its free
pages do not come along.
"""

import base64
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, BinaryIO

from sqlalchemy import Connection, MetaData, Table, func, select, text

from forge_hub.backup.errors import BackupError
from forge_hub.records.database import Database

BATCH = 500
_VERSION_TABLE = "alembic_version"

Progress = Callable[[str], None]


def dump(database: Database, file: BinaryIO, progress: Progress) -> str:
    """Write every table as of one moment; the hub may serve meanwhile.

    Returns:
        The schema's revision.
    """
    with database.read() as transaction:
        connection = transaction.connection()
        revision: str = connection.execute(text(f"SELECT version_num FROM {_VERSION_TABLE}")).scalar_one()  # noqa: S608 (our constant)
        for table in _tables(connection):
            count = 0
            _write(file, {"table": table.name, "columns": [column.name for column in table.columns]})
            for row in _rows(connection, table):
                _write(file, [_encoded(value) for value in row])
                count += 1
            progress(f"table {table.name}: {count} rows")
    return revision


def load(connection: Connection, lines: Iterable[bytes], progress: Progress) -> None:
    """Fill the tables of a fresh schema of the dump's own revision, in the caller's transaction.

    Raises:
        BackupError: The dump does not fit the schema.
    """
    tables = {table.name: table for table in _tables(connection)}
    for filled in reversed(tables.values()):  # a migration may have put a first row into one
        connection.execute(filled.delete())
    table: Table | None = None
    names: list[str] = []
    waiting: list[dict[str, Any]] = []
    for line in lines:
        item = json.loads(line)
        if isinstance(item, list):
            waiting.append(dict(zip(names, map(_decoded, item), strict=True)))
        if waiting and table is not None and (isinstance(item, dict) or len(waiting) >= BATCH):
            connection.execute(table.insert(), waiting)
            waiting = []
        if isinstance(item, dict):
            table, names = tables.pop(item["table"], None), item["columns"]
            if table is None or set(names) != set(table.columns.keys()):
                raise BackupError(f"the backup's table {item['table']} is not in its own schema")
            progress(f"table {table.name}")
    if waiting and table is not None:
        connection.execute(table.insert(), waiting)
    if tables:
        raise BackupError(f"the backup lacks the tables {', '.join(sorted(tables))}")
    _advance_sequences(connection)


def digest(database: Database, table_name: str) -> str:
    """Return the SHA-256 of one table in the canonical form."""
    hashed = hashlib.sha256()
    with database.read() as transaction:
        connection = transaction.connection()
        (table,) = (table for table in _tables(connection) if table.name == table_name)
        for row in _rows(connection, table):
            hashed.update(_line([_encoded(value) for value in row]))
    return hashed.hexdigest()


def _tables(connection: Connection) -> list[Table]:
    """Return the tables as the database has them: a backup may be older than this version of the hub."""
    metadata = MetaData()
    metadata.reflect(connection)
    return [table for table in metadata.sorted_tables if table.name != _VERSION_TABLE]


def _rows(connection: Connection, table: Table) -> Iterator[Any]:
    query = select(table).order_by(*table.primary_key.columns)
    yield from connection.execution_options(yield_per=BATCH).execute(query)


def _write(file: BinaryIO, item: object) -> None:
    file.write(_line(item))


def _line(item: object) -> bytes:
    return json.dumps(item, separators=(",", ":"), ensure_ascii=True).encode() + b"\n"


def _encoded(value: Any) -> Any:  # noqa: ANN401 (a column's value)
    match value:
        case datetime():
            aware = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
            return {"time": aware.isoformat(timespec="microseconds")}
        case bytes():
            return {"bytes": base64.b64encode(value).decode()}
        case dict() | list():
            return {"json": value}
        case _:
            return value


def _decoded(value: Any) -> Any:  # noqa: ANN401 (a column's value)
    match value:
        case {"time": str(at)}:
            return datetime.fromisoformat(at)
        case {"bytes": str(content)}:
            return base64.b64decode(content)
        case {"json": content}:
            return content
        case _:
            return value


def _advance_sequences(connection: Connection) -> None:
    """Let PostgreSQL go on counting beyond the rows that were filled in; SQLite does so by itself."""
    if connection.dialect.name != "postgresql":
        return
    for table in _tables(connection):
        for column in table.primary_key.columns:
            sequence = connection.execute(
                select(func.pg_get_serial_sequence(f'"{table.name}"', column.name))
            ).scalar_one()
            highest = connection.execute(select(func.max(column))).scalar_one() if sequence else None
            if highest is not None:
                connection.execute(select(func.setval(sequence, highest)))
