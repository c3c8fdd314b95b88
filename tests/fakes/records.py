"""A hub's records in SQLite, opened as the hub opens them."""

import tempfile
from functools import cache
from pathlib import Path

from forge_hub.records.database import Database, open_database


def sqlite_records(folder: Path, name: str = "records.db") -> Database:
    """Open the records in a folder; new ones are a copy of ones that were migrated once, which is ten times as fast.

    That the migrations make what the hub needs is shown by `tests/contracts/test_records_database.py`.
    """
    file = folder / name
    if not file.exists():
        file.write_bytes(_migrated())
    return open_database(f"sqlite:///{file}")


@cache
def _migrated() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "records.db"
        open_database(f"sqlite:///{file}").close()
        return file.read_bytes()
