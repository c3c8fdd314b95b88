"""Making a hub from a backup again. Whoever was erased since does not come back.

Everything is read, checked and prepared beside the state before any of it is replaced.
"""

import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from alembic.util.exc import CommandError
from sqlalchemy import Connection, Engine, MetaData, func, inspect, make_url, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session as Transaction

from forge_hub.backup.archive import FILES, RECORDS, Manifest, unpack
from forge_hub.backup.cipher import Secret
from forge_hub.backup.dump import Progress, load
from forge_hub.backup.errors import BackupError
from forge_hub.records.compaction import compact
from forge_hub.records.database import Database, engine_of, migrate, open_database
from forge_hub.records.erasures import erase_again, new_replacement
from forge_hub.records.schema import Account, Audit, Erasure, EventLog
from forge_shared.ids import new_id


@dataclass(frozen=True, slots=True)
class Known:
    """An erasure as it is remembered outside a backup: what `forge-hub erase` printed, or the records as they are."""

    person_hash: str
    at: datetime
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Restored:
    """What came back.

    Attributes:
        manifest: Of the archive.
        events: Events in the log.
        erased_again: The traces of people who had been erased since and were erased again, by pseudonym. Among them
            are the ids of rows that were theirs: what is kept elsewhere under such an id must be forgotten too.
    """

    manifest: Manifest
    events: int
    erased_again: Mapping[str, frozenset[str]]


def known_erasures(proofs: str) -> list[Known]:
    """Read erasures from the lines that `forge-hub erase` printed; empty ones do not count.

    Raises:
        BackupError: A line is none of those.
    """
    known: list[Known] = []
    for line in filter(str.strip, proofs.splitlines()):
        try:
            proof = json.loads(line)
            at = datetime.fromisoformat(proof["at"])
            known.append(Known(str(proof["person_hash"]), at, str(proof["by"]), str(proof["reason"])))
        except (ValueError, KeyError, TypeError):
            raise BackupError("a list of erasures holds, line by line, what `forge-hub erase` printed") from None
    return known


def restore(  # noqa: PLR0913 (what a restore is made of)
    source: Path,
    secret: Secret,
    records_url: str,
    folder: Path,
    *,
    site: str,
    erasures: Sequence[Known],
    force: bool,
    at: datetime,
    progress: Progress,
) -> Restored:
    """Restore a hub that does not serve.

    Args:
        source: The archive.
        secret: What opens it.
        records_url: SQLAlchemy URL of the records.
        folder: The state folder, held by the caller.
        site: Name of the site; a backup of another is refused.
        erasures: People who were erased since; those that the present records know are added.
        force: Replace a hub that has accounts or events.
        at: The time.
        progress: Called with short lines for whoever waits.

    Raises:
        BackupError: The archive cannot be opened, is not whole or not of this site, was made by a newer hub, or there
            is a hub already. Nothing was changed.
    """
    present = _present(records_url)
    if present.in_use and not force:
        raise BackupError("there is a hub already: --force replaces it with the backup")
    for left in folder.glob(".restore-*"):  # by a restore that was killed
        shutil.rmtree(left)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".restore-") as work:
        staged = Path(work)
        manifest = unpack(source, secret, staged, progress)
        if manifest.site != site:
            raise BackupError("the backup is of another site")
        known = [*erasures, *present.erasures]
        filling = _Filling(manifest.schema_revision, staged / RECORDS, known, at, progress)
        url = make_url(records_url)
        try:
            if url.get_backend_name() == "sqlite" and url.database:
                events, erased = _fill_file(staged / "records.db", Path(url.database), filling)
            else:
                events, erased = _fill_server(records_url, filling)
        except CommandError:
            raise BackupError("the backup was made by a newer version of the hub") from None
        except (SQLAlchemyError, ValueError, KeyError, TypeError) as error:
            raise BackupError(f"the backup's records do not fit ({type(error).__name__})") from None
        for path in sorted((staged / FILES).rglob("*")):
            if path.is_file():
                place = folder / path.relative_to(staged / FILES)
                place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                path.replace(place)
    return Restored(manifest, events, erased)


@dataclass(frozen=True, slots=True)
class _Present:
    in_use: bool
    erasures: tuple[Known, ...]


def _present(records_url: str) -> _Present:
    """Look at the records as they are: is this a hub, and whom has it erased?"""
    url = make_url(records_url)
    if url.get_backend_name() == "sqlite" and not (url.database and Path(url.database).exists()):
        return _Present(in_use=False, erasures=())
    database = open_database(records_url)
    try:
        with database.read() as transaction:
            rows = [transaction.scalar(select(func.count()).select_from(table)) for table in (Account, EventLog)]
            known = tuple(
                Known(row.person_hash, row.erased_at, row.erased_by, row.reason)
                for row in transaction.scalars(select(Erasure))
            )
    finally:
        database.close()
    return _Present(in_use=any(rows), erasures=known)


@dataclass(frozen=True, slots=True)
class _Filling:
    """Fills an empty database with a dump, at the dump's own revision first."""

    revision: str
    dump: Path
    erasures: Sequence[Known]
    at: datetime
    progress: Progress

    def fill(self, connection: Connection) -> tuple[int, Mapping[str, frozenset[str]]]:
        """Fill it in the caller's transaction; return the number of events and who was erased again."""
        migrate(connection, self.revision)
        with self.dump.open("rb") as lines:
            load(connection, lines, self.progress)
        migrate(connection)
        with Transaction(connection, join_transaction_mode="create_savepoint") as transaction:
            for known in self.erasures:
                if transaction.get(Erasure, known.person_hash) is None:
                    transaction.add(
                        Erasure(
                            person_hash=known.person_hash,
                            replacement=new_replacement(),
                            erased_at=known.at,
                            erased_by=known.by,
                            reason=known.reason,
                            counts={},
                        )
                    )
            transaction.flush()
            erased = erase_again(transaction, at=self.at)
            transaction.add(
                Audit(id=new_id(), at=self.at, account="command-line", action="hub.restore", object=self.revision)
            )
            events = transaction.scalar(select(func.count()).select_from(EventLog)) or 0
            transaction.commit()
        return events, erased


def _fill_file(staged: Path, target: Path, filling: _Filling) -> tuple[int, Mapping[str, frozenset[str]]]:
    engine = engine_of(f"sqlite:///{staged}")
    try:
        with engine.begin() as connection:
            done = filling.fill(connection)
        compact(Database(engine))
    finally:
        engine.dispose()
    for ending in ("-wal", "-shm"):
        target.with_name(target.name + ending).unlink(missing_ok=True)
    staged.chmod(0o600)
    # The state may lie on another file system than a records file of its own place.
    shutil.move(staged, target)
    return done


def _fill_server(records_url: str, filling: _Filling) -> tuple[int, Mapping[str, frozenset[str]]]:
    engine: Engine = engine_of(records_url)
    try:
        # PostgreSQL undoes dropped tables too: one transaction, all or nothing.
        with engine.begin() as connection:
            if inspect(connection).get_table_names():
                old = MetaData()
                old.reflect(connection)
                old.drop_all(connection)
            return filling.fill(connection)
    finally:
        engine.dispose()
