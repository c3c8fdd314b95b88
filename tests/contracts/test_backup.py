"""A backup gives back the same hub, on either store and from one to the other, or changes nothing."""

import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from tests.fakes import postgresql
from tests.fakes.clock import FakeClock
from tests.fakes.sent import WATER, FakeNode, phq_9, risk, session, utterance

from forge_hub.alerts.projector import AlertProjection
from forge_hub.backup import archive
from forge_hub.backup.cipher import Secret
from forge_hub.backup.dump import digest
from forge_hub.backup.errors import BackupError
from forge_hub.backup.restoring import Known, known_erasures, restore
from forge_hub.ingest.store import IngestStore
from forge_hub.projection import catch_up
from forge_hub.records.database import Database, open_database
from forge_hub.records.erasures import erase_person, mentions, person_hash
from forge_hub.records.projector import RecordsProjection
from forge_hub.records.schema import Account, Base, Erasure, EventLog
from forge_shared.forms.questionnaire import installed
from forge_shared.ids import new_id
from forge_shared.sealing import Keyring

GONE = "p-planted"
NewStore = Callable[[str], str]


@pytest.fixture
def new_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[NewStore]:
    databases: list[Any] = []

    def make(kind: str) -> str:
        if kind == "sqlite":
            folder = tmp_path / f"state-{new_id()}"
            folder.mkdir()
            return f"sqlite:///{folder / 'records.db'}"
        context = postgresql.database(request.getfixturevalue("postgresql_server"))
        databases.append(context)
        return context.__enter__()

    yield make
    for context in databases:
        context.__exit__(None, None, None)


@pytest.fixture
def secret(tmp_path: Path) -> Secret:
    Keyring.open(tmp_path / "backup.key")
    return Secret(key_file=tmp_path / "backup.key")


def silent(_: str) -> None:
    """Say nothing."""


def filled(url: str, clock: FakeClock) -> Database:
    """Return records with everything in them, and something from a second person."""
    database = open_database(url)
    ingest = IngestStore("site", database, clock)
    for node in (FakeNode(clock, "room-1", subject=GONE), FakeNode(clock, "room-2", subject="p-other")):
        one = new_id()
        node.event(WATER)
        ingest.commit([node.send(WATER), node.garbage(b"\x00\xff", "record"), node.send(phq_9(clock, [2] * 9))])
        ingest.commit([node.send(session(one)), node.send(utterance(one, "snow \N{SNOWMAN} and \U0001f9d3"))])
        fresh = FakeNode(clock, node.name, subject=node.subject)
        ingest.commit([fresh.send(risk())])
    with database.begin() as transaction:
        transaction.add(Account(id="a", username="ann", role="admin", password_hash="-", created_at=clock.now()))
    for projection in (AlertProjection(database, clock), RecordsProjection(database, installed())):
        catch_up(database, projection)
    return database


def digests(database: Database) -> dict[str, str]:
    return {
        name: digest(database, name) for name in Base.metadata.tables if name not in {"audit", "audit_head", "erasure"}
    }


def folder_of(tmp_path: Path, name: str) -> Path:
    folder = tmp_path / name
    folder.mkdir(exist_ok=True)
    return folder


def back_up(database: Database, tmp_path: Path, secret: Secret, clock: FakeClock) -> Path:
    target = tmp_path / "hub.backup"
    folder = folder_of(tmp_path, "old")
    archive.make(target, secret, database, folder, site="ward-7", at=clock.now(), progress=silent)
    return target


def come_back(source: Path, secret: Secret, url: str, folder: Path, clock: FakeClock, **changes: Any) -> Any:
    options = {"site": "ward-7", "erasures": (), "force": False, "at": clock.now(), "progress": silent, **changes}
    return restore(source, secret, url, folder, **options)


@pytest.mark.parametrize(("old", "new"), [("sqlite", "sqlite"), ("postgresql", "postgresql"), ("sqlite", "postgresql")])
def test_a_restored_hub_has_the_same_rows_to_the_byte_and_goes_on_counting(
    new_store: NewStore, tmp_path: Path, secret: Secret, old: str, new: str
) -> None:
    clock = FakeClock()
    with closing(filled(new_store(old), clock)) as database:
        source = back_up(database, tmp_path, secret, clock)
        before = digests(database)
    url = new_store(new)
    done = come_back(source, secret, url, folder_of(tmp_path, "new"), clock)
    with closing(open_database(url)) as database:
        assert digests(database) == before
        assert done.events == 8
        IngestStore("site", database, clock).commit([FakeNode(clock, "room-9").send(WATER)])
        with database.read() as transaction:
            assert transaction.scalar(select(func.max(EventLog.position))) == 9


def test_the_archive_is_one_private_file_in_which_nothing_can_be_read(
    new_store: NewStore, tmp_path: Path, secret: Secret
) -> None:
    clock = FakeClock()
    with closing(filled(new_store("sqlite"), clock)) as database:
        source = back_up(database, tmp_path, secret, clock)
    assert stat.S_IMODE(source.stat().st_mode) == 0o600
    assert GONE.encode() not in source.read_bytes()
    assert b"snow" not in source.read_bytes()
    assert list(folder_of(tmp_path, "old").iterdir()) == [], "nothing is left in the clear"


def test_keys_identities_and_the_authority_come_back_and_a_running_process_files_do_not(
    new_store: NewStore, tmp_path: Path, secret: Secret
) -> None:
    clock, folder = FakeClock(), folder_of(tmp_path, "old")
    files = {"keys/site.key": b"key", "authority/authority.pem": b"pem"}
    others = ["lock", "control.sock", "broker/pid", "broker/mosquitto.db", "graph.lbdb", "graph.lbdb.wal", ".x/y"]
    for name in (*files, *others):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(files.get(name, b"-"))
    with closing(sqlite3.connect(folder / "identities.db")) as identities:
        identities.execute("PRAGMA journal_mode=WAL")
        identities.execute("CREATE TABLE t (x)")
        identities.execute("INSERT INTO t VALUES (7)")
        identities.commit()
        with closing(filled(new_store("sqlite"), clock)) as database:
            source = back_up(database, tmp_path, secret, clock)
    new = folder_of(tmp_path, "new")
    come_back(source, secret, new_store("sqlite"), new, clock)
    found = {str(path.relative_to(new)) for path in new.rglob("*") if path.is_file()}
    assert found == {*files, "identities.db"}
    assert {name: (new / name).read_bytes() for name in files} == files
    assert {stat.S_IMODE((new / name).stat().st_mode) for name in found} == {0o600}
    with closing(sqlite3.connect(new / "identities.db")) as identities:
        assert identities.execute("SELECT x FROM t").fetchall() == [(7,)]


def test_a_hub_in_use_is_not_replaced_unless_that_is_asked_for(
    new_store: NewStore, tmp_path: Path, secret: Secret
) -> None:
    clock, url = FakeClock(), new_store("sqlite")
    with closing(filled(url, clock)) as database:
        source = back_up(database, tmp_path, secret, clock)
        IngestStore("site", database, clock).commit([FakeNode(clock, "room-9").send(WATER)])
    with pytest.raises(BackupError, match="--force"):
        come_back(source, secret, url, folder_of(tmp_path, "new"), clock)
    assert come_back(source, secret, url, folder_of(tmp_path, "new"), clock, force=True).events == 8


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_what_cannot_be_restored_changes_nothing(
    new_store: NewStore, tmp_path: Path, secret: Secret, kind: str
) -> None:
    clock, url = FakeClock(), new_store(kind)
    folder = folder_of(tmp_path, "new")
    (folder / "kept").write_text("kept")
    with closing(filled(url, clock)) as database:
        source = back_up(database, tmp_path, secret, clock)
        before = digests(database)
    content = source.read_bytes()
    for wrong in (content[:-1], content[: len(content) // 2], content[:-20] + bytes(20), b"", b"x" * 100):
        source.write_bytes(wrong)
        with pytest.raises(BackupError):
            come_back(source, secret, url, folder, clock, force=True)
    source.write_bytes(content)
    with pytest.raises(BackupError, match="another site"):
        come_back(source, secret, url, folder, clock, force=True, site="ward-8")
    with closing(open_database(url)) as database:
        assert digests(database) == before
    assert [path.name for path in folder.iterdir()] == ["kept"]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_who_was_erased_since_the_backup_does_not_come_back(
    new_store: NewStore, tmp_path: Path, secret: Secret, kind: str
) -> None:
    clock, url = FakeClock(), new_store(kind)
    with closing(filled(url, clock)) as database:
        source = back_up(database, tmp_path, secret, clock)
        with database.begin() as transaction:
            erase_person(transaction, GONE, at=clock.now(), by="command-line", reason="asked")
    done = come_back(source, secret, url, folder_of(tmp_path, "new"), clock, force=True)
    assert set(done.erased_again) == {GONE}
    assert len(done.erased_again[GONE]) > 1, "with the ids that were theirs"
    with closing(open_database(url)) as database, database.read() as transaction:
        assert mentions(transaction, {GONE}) == {}
        assert transaction.scalar(select(func.count()).select_from(Erasure)) == 1


def test_on_a_new_machine_the_printed_proof_keeps_an_erased_person_away(
    new_store: NewStore, tmp_path: Path, secret: Secret
) -> None:
    clock = FakeClock()
    with closing(filled(new_store("sqlite"), clock)) as database:
        source = back_up(database, tmp_path, secret, clock)
    known = known_erasures(
        f'{{"person_hash": "{person_hash(GONE)}", "at": "2026-03-02T00:00:00+00:00", "by": "a", "reason": "asked"}}\n\n'
    )
    assert known == [Known(person_hash(GONE), known[0].at, "a", "asked")]
    url = new_store("sqlite")
    come_back(source, secret, url, folder_of(tmp_path, "new"), clock, erasures=known)
    with closing(open_database(url)) as database, database.read() as transaction:
        assert mentions(transaction, {GONE}) == {}
    path = Path(url.removeprefix("sqlite:///"))
    assert not [file for file in path.parent.iterdir() if GONE.encode() in file.read_bytes()]
    with pytest.raises(BackupError):
        known_erasures("[]")
