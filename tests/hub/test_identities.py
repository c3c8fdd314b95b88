"""Who a person is: sealed, apart, opened only by those who care for them, and gone for good when forgotten."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.fakes.clock import FakeClock
from tests.fakes.records import sqlite_records

from forge_hub.access import Role, SignedIn
from forge_hub.errors import AccessError, IdentityError
from forge_hub.records.database import Database
from forge_hub.records.schema import Audit
from forge_hub.stays.identities import Identities, Identity

ROSALIND = Identity(name="Rosalind Hollister", record_number="4711-0815", date_of_birth="1951-02-03")
PLANTS = (b"Rosalind", b"Hollister", b"4711-0815", b"1951-02-03")


def as_role(role: Role) -> SignedIn:
    return SignedIn(account_id=role, username=role, role=role, csrf_token="-")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = sqlite_records(tmp_path)
    yield database
    database.close()


def opened(folder: Path, database: Database) -> Identities:
    return Identities(f"sqlite:///{folder / 'identities.db'}", folder / "keys", database, FakeClock())


@pytest.fixture
def identities(tmp_path: Path, database: Database) -> Iterator[Identities]:
    opened_store = opened(tmp_path, database)
    yield opened_store
    opened_store.close()


def everything(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_what_is_filed_is_shown_to_those_who_care_and_stands_nowhere_in_clear(
    tmp_path: Path, identities: Identities
) -> None:
    identities.file("stay-1", ROSALIND, as_role("staff"))
    assert identities.show("stay-1", as_role("clinician")) == ROSALIND
    assert identities.known("stay-1")
    assert not any(plant in everything(tmp_path) for plant in PLANTS)
    assert not any(plant.decode() in f"{ROSALIND!r} {ROSALIND}" for plant in PLANTS)


def test_an_admin_never_sees_a_name_and_the_attempt_is_written_down(identities: Identities, database: Database) -> None:
    identities.file("stay-1", ROSALIND, as_role("staff"))
    with pytest.raises(AccessError):
        identities.show("stay-1", as_role("admin"))
    identities.show("stay-1", as_role("staff"))
    with database.read() as transaction:
        traces = [
            (row.account, row.action, row.object) for row in transaction.scalars(select(Audit).order_by(Audit.id))
        ]
    assert traces == [
        ("staff", "identity.file", "stay-1"),
        ("admin", "identity.show", "stay-1"),
        ("staff", "identity.show", "stay-1"),
    ]


def test_keys_are_for_the_hub_alone_and_survive_a_restart(
    tmp_path: Path, identities: Identities, database: Database
) -> None:
    identities.file("stay-1", ROSALIND, as_role("staff"))
    files = [*(tmp_path / "keys").iterdir(), tmp_path / "identities.db"]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700
    again = opened(tmp_path, database)
    assert again.show("stay-1", as_role("staff")) == ROSALIND
    again.close()


def test_a_key_that_others_can_read_is_refused(tmp_path: Path, identities: Identities, database: Database) -> None:
    identities.close()
    (tmp_path / "keys" / "identities.key").chmod(0o644)
    with pytest.raises(IdentityError):
        opened(tmp_path, database)


def test_whoever_is_forgotten_cannot_be_read_from_a_backup_either(
    tmp_path: Path, identities: Identities, database: Database
) -> None:
    identities.file("stay-1", ROSALIND, as_role("staff"))
    identities.file("stay-2", Identity(name="Ada Moss"), as_role("staff"))
    shutil.copy(tmp_path / "identities.db", tmp_path / "backup.db")
    assert identities.forget("stay-1")
    assert not identities.forget("stay-1")
    assert identities.show("stay-1", as_role("staff")) is None
    identities.close()
    shutil.copy(tmp_path / "backup.db", tmp_path / "identities.db")
    restored = opened(tmp_path, database)
    assert not restored.known("stay-1")
    assert restored.show("stay-1", as_role("staff")) is None
    assert restored.show("stay-2", as_role("staff")) == Identity(name="Ada Moss")
    restored.close()


def test_a_new_key_of_the_site_opens_what_is_on_file_and_the_old_one_is_gone(
    tmp_path: Path, identities: Identities
) -> None:
    identities.file("stay-1", ROSALIND, as_role("staff"))
    before = (tmp_path / "keys" / "identities.key").read_bytes()
    assert identities.rotate() == 1
    after = (tmp_path / "keys" / "identities.key").read_bytes()
    assert before != after
    assert len(after) == len(before)
    assert identities.show("stay-1", as_role("staff")) == ROSALIND


def test_a_row_moved_to_another_stay_does_not_open(tmp_path: Path, identities: Identities) -> None:
    import sqlite3  # noqa: PLC0415 (only here is the store opened from outside)

    identities.file("stay-1", ROSALIND, as_role("staff"))
    for name, table in (("identities.db", "identity"), ("keys/stays.db", "data_key")):
        connection = sqlite3.connect(tmp_path / name)
        connection.execute(f"UPDATE {table} SET stay = 'stay-2'")  # noqa: S608 (two names from the line above)
        connection.commit()
        connection.close()
    with pytest.raises(IdentityError):
        identities.show("stay-2", as_role("staff"))
