"""The relational store: the same claims on SQLite and on a real PostgreSQL."""

import asyncio
import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import delete, func, inspect, select, text
from sqlalchemy.exc import IntegrityError
from tests.fakes.clock import FakeClock
from tests.fakes.sent import WATER, FakeNode, arrived, phq_9, risk, session, utterance

from forge_hub.alerts.board import Accepted, AlertBoard
from forge_hub.alerts.projector import AlertProjection
from forge_hub.errors import RecordsError
from forge_hub.ingest.reading import Arrived
from forge_hub.ingest.replay import listing
from forge_hub.ingest.store import IngestStore
from forge_hub.projection import Runner, catch_up
from forge_hub.records.database import Database, open_database
from forge_hub.records.projector import RecordsProjection
from forge_hub.records.schema import (
    Account,
    Alert,
    Audit,
    Base,
    EventLog,
    FormAnswer,
    FormResponse,
    Person,
    ProjectionCursor,
    Quarantine,
    Utterance,
)
from forge_hub.telemetry.health import Health
from forge_hub.telemetry.metrics import Metrics
from forge_hub.telemetry.readings import Intake, Readings
from forge_shared.forms.questionnaire import installed
from forge_shared.ids import new_id


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def count(database: Database, table: type[Base]) -> int:
    with database.read() as transaction:
        return transaction.scalar(select(func.count()).select_from(table)) or 0


def account(name: str, at: datetime) -> Account:
    return Account(id=name, username=name, role="staff", password_hash="-", created_at=at)


class _InterruptedError(Exception):
    pass


def test_the_schema_that_is_made_is_the_schema_that_is_meant(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, Base.metadata) == []


def test_opening_a_store_again_changes_nothing(url: str, database: Database, clock: FakeClock) -> None:
    with database.begin() as transaction:
        transaction.add(account("ann", clock.now()))
    again = open_database(url)
    assert count(again, Account) == 1
    assert set(inspect(again.engine).get_table_names()) >= set(Base.metadata.tables)
    again.close()


def test_a_block_that_raises_leaves_nothing(database: Database, clock: FakeClock) -> None:
    def interrupted() -> None:
        with database.begin() as transaction:
            transaction.add(account("ann", clock.now()))
            transaction.flush()
            raise _InterruptedError

    with pytest.raises(_InterruptedError):
        interrupted()
    assert count(database, Account) == 0


def test_what_is_written_in_a_read_is_not_kept(database: Database, clock: FakeClock) -> None:
    with database.read() as transaction:
        transaction.add(account("ann", clock.now()))
        transaction.flush()
    assert count(database, Account) == 0


def test_what_was_read_stays_readable_after_the_block(database: Database, clock: FakeClock) -> None:
    with database.begin() as transaction:
        transaction.add(account("ann", clock.now()))
    with database.read() as transaction:
        (kept,) = transaction.scalars(select(Account)).all()
    assert (kept.username, kept.created_at) == ("ann", clock.now())


def test_times_come_back_aware_in_utc_to_the_microsecond(database: Database) -> None:
    at = datetime(2026, 3, 29, 3, 30, 0, 123456, tzinfo=timezone(timedelta(hours=2)))
    with database.begin() as transaction:
        transaction.add(account("ann", at))
    with database.read() as transaction:
        kept = transaction.get_one(Account, "ann").created_at
    assert kept == at
    assert kept.tzinfo is UTC


def test_a_time_without_a_zone_is_refused(database: Database) -> None:
    with pytest.raises(Exception, match="without a zone"), database.begin() as transaction:
        transaction.add(account("ann", datetime(2026, 1, 1)))  # noqa: DTZ001 (that it is refused is the claim)


def test_a_reference_to_nobody_is_refused(database: Database) -> None:
    with pytest.raises(IntegrityError), database.begin() as transaction:
        transaction.add(
            FormAnswer(
                response=new_id(), link_id="a", ordinal=0, code="b", mode="voice", times_asked=1, corrected=False
            )
        )


def test_concurrent_writers_wait_for_each_other_and_all_succeed(database: Database, clock: FakeClock) -> None:
    failures: list[Exception] = []

    def write(name: str) -> None:
        try:
            for number in range(5):
                with database.begin() as transaction:
                    transaction.execute(select(func.count()).select_from(Account))
                    transaction.add(account(f"{name}-{number}", clock.now()))
        except Exception as error:  # noqa: BLE001 (a thread's error would be lost)
            failures.append(error)

    threads = [threading.Thread(target=write, args=(str(number),)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert failures == []
    assert count(database, Account) == 30


def test_a_reader_is_not_held_up_by_a_writer(database: Database, clock: FakeClock) -> None:
    with database.begin() as transaction:
        transaction.add(account("ann", clock.now()))
        transaction.flush()
        seen: list[int] = []
        reader = threading.Thread(target=lambda: seen.append(count(database, Account)))
        reader.start()
        reader.join(timeout=5)
        assert seen == [0]


def test_a_read_sees_one_moment(database: Database, clock: FakeClock) -> None:
    with database.read() as transaction:
        count_now = select(func.count()).select_from(Account)
        assert transaction.scalar(count_now) == 0
        with database.begin() as writer:
            writer.add(account("ann", clock.now()))
        assert transaction.scalar(count_now) == 0
    assert count(database, Account) == 1


def test_events_are_ingested_projected_and_rebuilt_alike(database: Database, clock: FakeClock) -> None:
    node, one = FakeNode(clock), new_id()
    ingest = IngestStore("site", database, clock)
    messages = [
        node.send(WATER),
        node.send(risk()),
        node.garbage(b"\xff\x00", "alarm"),
        node.send(phq_9(clock, [2] * 9)),
        node.send(session(one)),
        node.send(utterance(one, "snowman \N{SNOWMAN} and family")),
    ]
    assert ingest.commit(messages).events == 5
    assert ingest.commit(messages).duplicates == 6
    assert catch_up(database, AlertProjection(database, clock)) == 2, "it follows the alarms only"
    assert catch_up(database, RecordsProjection(database, installed())) == 5
    assert (count(database, Alert), count(database, Quarantine)) == (3, 1)
    assert (count(database, FormAnswer), count(database, Person)) == (9, 1)
    before = _records(database)
    with database.begin() as transaction:
        for table in (FormAnswer, FormResponse, Utterance, Person):
            transaction.execute(delete(table))
        transaction.execute(delete(ProjectionCursor).where(ProjectionCursor.name == "records"))
    catch_up(database, RecordsProjection(database, installed()))
    assert _records(database) == before


def _records(database: Database) -> list[Any]:
    with database.read() as transaction:
        return [
            sorted(map(tuple, transaction.execute(select(*table.__table__.columns))), key=repr)
            for table in (FormAnswer, FormResponse, Utterance, Person)
        ]


def test_positions_of_the_log_grow_in_the_order_of_commit(database: Database, clock: FakeClock) -> None:
    node, ingest = FakeNode(clock), IngestStore("site", database, clock)
    for _ in range(3):
        ingest.commit([node.send(WATER) for _ in range(4)])
    with database.read() as transaction:
        rows = transaction.execute(select(EventLog.position, EventLog.sequence).order_by(EventLog.position)).all()
    assert [sequence for _, sequence in rows] == list(range(1, 13))


def test_commits_and_projections_at_the_same_time_lose_nothing_and_raise_nothing_twice(
    database: Database, clock: FakeClock
) -> None:
    """Alarms beyond a gap ring out of the commit while the projection of the alerts reads the log."""
    node, ingest = FakeNode(clock), IngestStore("site", database, clock)
    alerts = AlertProjection(database, clock)
    messages = [node.send(WATER) for _ in range(120)]
    failures: list[Exception] = []
    over = threading.Event()

    def commit() -> None:
        for start in range(0, len(messages), 6):
            first, *others = messages[start : start + 6]
            ingest.commit(others)
            clock.advance(10)
            ingest.commit([first])

    def until_over(work: Callable[[], object]) -> None:
        while not over.is_set():
            work()

    def noting(work: Callable[[], object]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 (a thread's error would be lost)
            failures.append(error)

    beside = [
        threading.Thread(target=noting, args=(lambda work=work: until_over(work),))
        for work in (lambda: catch_up(database, alerts),)
    ]
    for thread in beside:
        thread.start()
    noting(commit)
    over.set()
    for thread in beside:
        thread.join(timeout=20)
    assert failures == []
    catch_up(database, alerts)
    with database.read() as transaction:
        alerts_raised = transaction.scalar(select(func.sum(Alert.count)))
    assert count(database, EventLog) == alerts_raised == len(messages)


async def test_of_two_who_accept_at_once_the_first_keeps_it(database: Database, clock: FakeClock) -> None:
    told: list[Accepted] = []

    async def tell(accepted: Accepted) -> None:
        told.append(accepted)

    with database.begin() as transaction:
        transaction.add_all([account(name, clock.now()) for name in ("ann", "ben")])
    board = AlertBoard(database, clock, on_accepted=tell)
    node, ingest = FakeNode(clock), IngestStore("site", database, clock)
    for _ in range(10):
        ingest.commit([node.send(WATER)])
        catch_up(database, AlertProjection(database, clock))
        alert = board.current()[0]
        await asyncio.gather(*(board.accept(alert.id, name) for name in ("ann", "ben") * 3))
    assert len(told) == count(database, Audit) == 10


@pytest.mark.parametrize(
    "poison",
    [
        pytest.param({"text": "a\x00b"}, id="a zero character"),
        pytest.param({"text": "\U0001f9d3" * 2000}, id="two thousand characters outside the basic plane"),
        pytest.param({"redactions": {"\x00": 1}}, id="a zero character in a count's name"),
        pytest.param({"redactions": {"NAME": 10**30}}, id="a huge count"),
    ],
)
def test_an_utterance_that_is_valid_or_quarantined_never_stops_a_projection(
    database: Database, clock: FakeClock, poison: dict[str, Any]
) -> None:
    one = new_id()
    node, ingest = FakeNode(clock), IngestStore("site", database, clock)
    data = {**utterance(one).model_dump(mode="json"), **poison}
    ingest.commit([node.send(session(one)), node.send(utterance(one), data=data), node.send(utterance(one))])
    catch_up(database, RecordsProjection(database, installed()))
    assert count(database, Utterance) >= 1


def test_a_number_beyond_32_bits_does_not_stop_the_stream(database: Database, clock: FakeClock) -> None:
    node, ingest = FakeNode(clock), IngestStore("site", database, clock)
    far = node.event(WATER, sequence=10**17)
    node.flash()
    ingest.commit([arrived(far), node.send(WATER)])
    assert count(database, EventLog) == 1


def test_a_topic_with_a_zero_character_does_not_stop_the_stream(database: Database, clock: FakeClock) -> None:
    node, ingest = FakeNode(clock), IngestStore("site", database, clock)
    ingest.commit([Arrived("forge/v1/site/a\x00b/event/x", b""), node.send(WATER)])
    assert count(database, EventLog) == 1


def test_a_store_whose_place_is_wrong_is_refused_without_its_password(tmp_path: Path) -> None:
    for url in (
        "postgresql+psycopg://forge:planted-secret@127.0.0.1:1/records?connect_timeout=2",
        f"sqlite:///{tmp_path / 'absent' / 'records.db'}",
    ):
        with pytest.raises(RecordsError) as refused:
            open_database(url)
        assert "planted-secret" not in str(refused.value)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "planted-secret",
        "mysql+pymysql://forge:planted-secret@h/d",
        "postgresql+psycopg://forge:planted-secret@h:port/d",
        "nosql://forge:planted-secret@h/d",
    ],
)
def test_an_address_of_no_store_is_refused_without_repeating_it(address: str) -> None:
    with pytest.raises(RecordsError) as refused:
        open_database(address)
    assert "planted-secret" not in str(refused.value)


def test_sqlite_survives_a_power_cut_and_checks_references(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'records.db'}")
    with database.read() as transaction:
        found = {
            name: transaction.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    database.close()
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_everything_that_is_committed_is_there_for_another_connection(url: str, clock: FakeClock) -> None:
    first, second = open_database(url), open_database(url)
    with first.begin() as transaction:
        transaction.add(account("ann", clock.now()))
    assert count(second, Account) == 1
    first.close()
    second.close()


def test_how_the_hub_is_and_what_it_counts_is_read(database: Database, tmp_path: Path) -> None:
    clock = FakeClock()
    node = FakeNode(clock)
    runner = Runner(database, AlertProjection(database, clock))
    health = Health(database, clock, folder=tmp_path, runners=[runner], certificates={}, parts=lambda: {"alerts": "ok"})
    metrics = Metrics("1")
    database.on_written(metrics.written)
    wiring: dict[str, Any] = {"folder": tmp_path, "runners": [runner], "health": health.states}
    metrics.add(Readings(database, clock, intake=lambda: Intake({}, 0, connected=True), **wiring))
    IngestStore("site", database, clock).commit([node.send(WATER), node.garbage(b"12345")])
    catch_up(database, AlertProjection(database, clock))
    clock.advance(11)
    assert {part: code for part, code in health.states().items() if code != "ok"} == {"alerts": "alerts.overdue"}
    text = metrics.text().decode()
    assert 'forge_hub_alerts_raised_total{priority="low"} 1.0' in text
    assert 'forge_hub_quarantine_messages{reason="event.invalid"} 1.0' in text
    assert "forge_hub_alerts_oldest_open_seconds 11.0" in text
    assert re.search(r"^forge_hub_records_bytes [1-9]", text, re.MULTILINE)
    ((kept,), total) = listing(database)
    assert (kept.code, kept.size_bytes, total) == ("event.invalid", 5, 1)
