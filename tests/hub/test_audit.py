"""The audit: every entry seals the one before it, and whoever changes one is found out."""

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, delete, select, text, update
from sqlalchemy.orm import Session as Transaction
from tests.fakes import postgresql
from tests.fakes.clock import FakeClock
from tests.fakes.records import sqlite_records

from forge_hub import records
from forge_hub.__main__ import main
from forge_hub.access import audit
from forge_hub.access.anchors import Anchors
from forge_hub.access.audit import Break
from forge_hub.access.audit_events import audit_event
from forge_hub.errors import RecordsError
from forge_hub.records.database import Database, open_database
from forge_hub.records.schema import Audit, AuditHead
from forge_hub.records.schema.audit import SEALED, seal
from forge_shared.ids import new_id


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgresql.server() as url:
        yield url


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = sqlite_records(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def filled(database: Database, clock: FakeClock) -> Database:
    for number in range(6):
        clock.advance(60)
        audit.note(database, clock.now(), "ann", "person.read", f"stay-{number}", subject=f"stay-{number}")
    return database


def test_a_chain_that_nobody_touched_holds(filled: Database) -> None:
    assert audit.verify(filled) is None
    assert [entry.position for entry in audit.entries(filled)] == [1, 2, 3, 4, 5, 6]


def test_an_empty_chain_holds(database: Database) -> None:
    assert audit.verify(database) is None
    assert audit.head(database).position == 0


def test_a_changed_entry_is_found_whatever_was_changed(filled: Database, clock: FakeClock) -> None:
    for column in SEALED:
        value = {"at": clock.now(), "position": 99}.get(column, "x")
        with filled.begin() as transaction:
            before = transaction.execute(select(Audit.__table__.c[column]).where(Audit.object == "stay-2")).scalar()
            changed = update(Audit).where(Audit.hash == _hash(transaction, 3))
            transaction.execute(changed.values({column: value}))
        expected = Break(3, "missing" if column == "position" else "changed")
        assert audit.verify(filled) == expected, column
        with filled.begin() as transaction:
            transaction.execute(changed.values({column: before}))
        assert audit.verify(filled) is None


def _hash(transaction: Transaction, position: int) -> str:
    return transaction.scalars(select(Audit.hash).where(Audit.position == position)).one()


def test_a_missing_entry_is_found(filled: Database) -> None:
    with filled.begin() as transaction:
        transaction.execute(delete(Audit).where(Audit.position == 4))
    assert audit.verify(filled) == Break(4, "missing")


def test_two_entries_that_changed_places_are_found(filled: Database) -> None:
    with filled.begin() as transaction:
        for position, other in ((2, 99), (3, 2), (99, 3)):
            transaction.execute(update(Audit).where(Audit.position == position).values(position=other))
    assert audit.verify(filled) == Break(2, "changed")


def test_an_entry_that_was_put_in_is_found(filled: Database) -> None:
    with filled.begin() as transaction:
        transaction.execute(
            text(
                "INSERT INTO audit (id, position, at, account, action, object, outcome, hash) "
                "VALUES ('x', 7, '2026-03-01 00:00:00.000000', 'eve', 'person.read', 'stay-1', 'done', 'y')"
            )
        )
    assert audit.verify(filled) == Break(7, "changed")


def test_an_end_that_was_cut_off_is_found(filled: Database) -> None:
    with filled.begin() as transaction:
        transaction.execute(delete(Audit).where(Audit.position > 4))
    assert audit.verify(filled) == Break(5, "cut")


def test_an_end_that_was_cut_off_with_care_is_found_by_the_anchor(
    filled: Database, clock: FakeClock, tmp_path: Path
) -> None:
    anchors = Anchors(tmp_path / "anchors")
    assert anchors.drop(filled, clock)
    assert not anchors.drop(filled, clock), "nothing was written since"
    fourth = next(entry for entry in audit.entries(filled) if entry.position == 4)
    with filled.begin() as transaction:
        transaction.execute(delete(Audit).where(Audit.position > 4))
        transaction.execute(update(AuditHead).values(position=4, hash=fourth.hash))
    assert audit.verify(filled) is None, "the store alone cannot tell"
    assert audit.verify(filled, anchors.read()) == Break(6, "cut")


def test_a_chain_that_was_written_anew_is_found_by_the_anchor(
    filled: Database, clock: FakeClock, tmp_path: Path
) -> None:
    anchors = Anchors(tmp_path / "anchors")
    anchors.drop(filled, clock)
    assert (tmp_path / "anchors").stat().st_mode & 0o777 == 0o600
    with filled.begin() as transaction:
        transaction.execute(update(Audit).where(Audit.position == 2).values(account="eve"))
        previous = "0" * 64
        for entry in transaction.query(Audit).order_by(Audit.position):
            previous = seal(previous, {name: getattr(entry, name) for name in SEALED})
            transaction.execute(update(Audit).where(Audit.id == entry.id).values(hash=previous))
        transaction.execute(update(AuditHead).values(hash=previous))
    assert audit.verify(filled) is None, "the store alone cannot tell"
    assert audit.verify(filled, anchors.read()) == Break(6, "anchor")


def test_a_file_of_anchors_that_was_changed_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "anchors").write_text("six abc\n")
    with pytest.raises(RecordsError):
        Anchors(tmp_path / "anchors").read()


def test_no_entry_can_be_written_outside_the_chain(database: Database, clock: FakeClock) -> None:
    with database.begin() as transaction:
        transaction.add_all(
            Audit(id=new_id(), at=clock.now(), account="ann", action="alert.accept", object="x") for _ in range(3)
        )
    audit.note(database, clock.now(), "ben", "person.read", "stay-1")
    assert audit.verify(database) is None
    assert [entry.outcome for entry in audit.entries(database)] == ["done"] * 4


def test_an_entry_that_is_taken_back_leaves_no_gap(database: Database, clock: FakeClock) -> None:
    with Transaction(database.engine) as transaction:
        audit.write(transaction, clock.now(), "ann", "person.read", "x")
        transaction.flush()
        transaction.rollback()
    audit.note(database, clock.now(), "ann", "person.read", "x")
    assert audit.verify(database) is None
    assert audit.head(database).position == 1


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_writers_at_the_same_time_make_one_chain(
    kind: str, tmp_path: Path, clock: FakeClock, request: pytest.FixtureRequest
) -> None:
    def write(database: Database) -> None:
        for number in range(10):
            audit.note(database, clock.now(), threading.current_thread().name, "person.read", str(number))

    def check(url: str) -> None:
        database = open_database(url)
        threads = [threading.Thread(target=write, args=(database,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=20)
        assert audit.verify(database) is None
        assert audit.head(database).position == 40
        database.close()

    if kind == "sqlite":
        check(f"sqlite:///{tmp_path / 'records.db'}")
    else:
        with postgresql.database(request.getfixturevalue("server")) as url:
            check(url)


def test_what_was_in_the_audit_before_there_was_a_chain_is_chained(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'records.db'}"
    engine = create_engine(url)
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(Path(str(records.__file__)).parent / "migrations"))
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
        for number in (2, 1, 3):
            connection.execute(
                text(
                    "INSERT INTO audit (id, at, account, action, object) VALUES (:id, :at, 'ann', 'person.read', 'x')"
                ),
                {"id": f"old-{number}", "at": f"2026-03-01 00:00:0{number}.000000"},
            )
    engine.dispose()
    database = open_database(url)
    assert audit.verify(database) is None
    assert [entry.id for entry in audit.entries(database)] == ["old-1", "old-2", "old-3"]
    database.close()


@pytest.mark.parametrize(
    ("action", "interaction", "code", "client"),
    [
        ("person.read", "read", "R", "110152"),
        ("people.list", "search-type", "E", "110152"),
        ("consent.state", "create", "C", "110153"),
        ("alert.accept", "update", "U", "110153"),
        ("person.erase", "delete", "D", "110150"),
    ],
)
def test_an_entry_is_exported_in_the_shape_of_the_basic_audit_log_patterns(  # noqa: PLR0913 (a case's columns)
    database: Database, clock: FakeClock, action: str, interaction: str, code: str, client: str
) -> None:
    audit.note(database, clock.now(), "ann", action, "id-1", subject="stay-1", address="10.0.0.1")
    (entry,) = audit.entries(database)
    event = audit_event(entry, "ward-7")
    assert (event["resourceType"], event["action"], event["outcome"]) == ("AuditEvent", code, "0")
    assert event["type"]["code"] == "rest"
    claimed = {"read": "PatientRead", "create": "PatientCreate", "update": "PatientUpdate", "delete": "PatientDelete"}
    profile = [name.rsplit(".", 1)[-1] for name in event.get("meta", {}).get("profile", [])]
    assert profile == ([claimed[interaction]] if interaction in claimed else [])
    assert event["subtype"][0]["code"] == interaction
    assert event["agent"][0]["type"]["coding"][0]["code"] == client
    assert event["agent"][0]["network"] == {"address": "10.0.0.1", "type": "2"}
    assert [agent["requestor"] for agent in event["agent"]] == [False, False, True]
    assert {entity["type"]["code"] for entity in event["entity"]} == {"1", "2"}
    assert event["entity"][1]["what"]["reference"] == "Patient/stay-1"


def test_a_refused_sign_in_is_exported_as_a_login_that_failed(database: Database, clock: FakeClock) -> None:
    audit.note(database, clock.now(), "ann", "session.begin", "ann", outcome="refused", reason="password")
    (entry,) = audit.entries(database)
    event = audit_event(entry, "ward-7")
    assert (event["type"]["code"], event["subtype"][0]["code"]) == ("110114", "110122")
    assert (event["outcome"], event["outcomeDesc"]) == ("4", "password")


def test_the_command_line_exports_the_chain_and_says_where_it_breaks(
    filled: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORGE_HUB_STATE_DIR", str(tmp_path))
    assert main(["audit", "export"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["entity"][0]["what"]["identifier"]["value"] for line in lines[:2]] == ["stay-0", "stay-1"]
    assert len(lines) == 7, "the export is in the audit too"
    assert main(["audit", "verify"]) == 0
    with filled.begin() as transaction:
        transaction.execute(update(Audit).where(Audit.position == 5).values(account="eve"))
    assert main(["audit", "verify"]) == 1
    assert "changed at position 5" in capsys.readouterr().err


def test_a_page_of_the_audit_shows_what_was_asked_for(filled: Database, clock: FakeClock) -> None:
    audit.note(filled, clock.now(), "ben", "session.begin", "ben", outcome="refused", reason="password")
    found: Callable[[audit.Filter], list[int]] = lambda wanted: [each.position for each in audit.page(filled, wanted)]  # noqa: E731 (one line says it)
    assert found(audit.Filter()) == [7, 6, 5, 4, 3, 2, 1]
    assert found(audit.Filter(account="ben")) == found(audit.Filter(outcome="refused")) == [7]
    assert found(audit.Filter(action="person.", before=3)) == [2, 1]
    assert found(audit.Filter(action="%")) == []
