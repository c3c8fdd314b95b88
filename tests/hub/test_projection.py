"""Projections: in order, once, woken in time, and never silent about trouble."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import update
from structlog.testing import capture_logs
from tests.fakes.clock import FakeClock
from tests.fakes.records import sqlite_records
from tests.fakes.sent import WATER, FakeNode

from forge_hub import projection as projections
from forge_hub.errors import RecordsError
from forge_hub.ingest.store import IngestStore
from forge_hub.projection import GIVING_WAY, Runner, catch_up
from forge_hub.records.database import Database
from forge_hub.records.log import BATCH, Logged, cursor, move_cursor, read_log
from forge_hub.records.schema import EventLog
from forge_shared.errors import EventInvalidError
from forge_shared.events import RequestMade
from forge_shared.topics import Lane


class Notebook:
    """A projection that writes down what it is given, and may be told to fail."""

    name = "notebook"
    lane: Lane | None = None
    most = BATCH

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.trouble: Exception | None = None

    @property
    def seen(self) -> list[int]:
        return [position for batch in self.batches for position in batch]

    def position(self) -> int:
        return self.seen[-1] if self.batches else 0

    def apply(self, events: Sequence[Logged]) -> None:
        if self.trouble is not None:
            raise self.trouble
        self.batches.append([event.position for event in events])


class Log:
    def __init__(self, database: Database) -> None:
        self.database = database
        self.node = FakeNode(FakeClock())
        self.ingest = IngestStore("site", database, self.node.clock)

    def grows(self, events: int = 1) -> None:
        self.ingest.commit([self.node.send(WATER) for _ in range(events)])


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    database = sqlite_records(tmp_path)
    yield Log(database)
    database.close()


@asynccontextmanager
async def running(runner: Runner) -> AsyncIterator[None]:
    task = asyncio.create_task(runner.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(condition: Callable[[], bool], seconds: float = 5) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


def test_an_empty_log_ends_at_zero(log: Log) -> None:
    assert (read_log(log.database, 0), catch_up(log.database, Notebook())) == ([], 0)


def test_a_projection_sees_every_event_once_in_the_order_of_the_log(log: Log) -> None:
    notebook = Notebook()
    log.grows(BATCH + 7)
    assert catch_up(log.database, notebook) == BATCH + 7
    assert notebook.seen == list(range(1, BATCH + 8))
    assert max(len(batch) for batch in notebook.batches) == BATCH
    assert catch_up(log.database, notebook) == 0
    log.grows(1)
    assert catch_up(log.database, notebook) == 1
    assert read_log(log.database, notebook.position()) == []


def test_a_projection_takes_no_more_at_once_than_it_says(log: Log) -> None:
    log.grows(7)
    notebook = Notebook()
    notebook.most = 3
    assert catch_up(log.database, notebook) == 7
    assert [len(batch) for batch in notebook.batches] == [3, 3, 1]


def test_a_long_way_to_go_is_told_on_the_way_and_a_short_one_is_not(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    log.grows(12)
    notebook = Notebook()
    notebook.most = 3
    monkeypatch.setattr(projections, "PROGRESS_EVENTS", 5)
    with capture_logs() as logs:
        catch_up(log.database, notebook)
    told = [(entry["event"], entry["position"], entry["of"]) for entry in logs]
    assert told == [("projection.progress", 6, 12)], "the end is no progress to be told"
    with capture_logs() as logs:
        log.grows(2)
        catch_up(log.database, notebook)
    assert logs == []


def test_an_event_is_read_at_the_newest_version_of_its_type(log: Log) -> None:
    log.ingest.commit([log.node.send(WATER, type="org.personaforge.request.made.v1", data={"request": "pain"})])
    (event,) = read_log(log.database, 0)
    assert event.data == RequestMade(request="pain", mode="unknown")
    assert event.envelope.type.endswith(".v1"), "the log keeps what was sent"


def test_a_cursor_is_kept_with_what_it_stands_for(log: Log) -> None:
    class _FullDiskError(Exception):
        pass

    def interrupted() -> None:
        with log.database.begin() as transaction:
            move_cursor(transaction, "a", 7)
            raise _FullDiskError

    with pytest.raises(_FullDiskError):
        interrupted()
    with log.database.read() as transaction:
        assert cursor(transaction, "a") == 0
    with log.database.begin() as transaction:
        move_cursor(transaction, "a", 7)
        move_cursor(transaction, "b", 9)
    with log.database.read() as transaction:
        assert (cursor(transaction, "a"), cursor(transaction, "b"), cursor(transaction, "c")) == (7, 9, 0)


async def test_a_runner_catches_up_at_once_when_it_is_woken(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projections, "POLL_SECONDS", 60.0)
    notebook, applied = Notebook(), asyncio.Event()
    runner = Runner(log.database, notebook, on_applied=applied.set)
    async with running(runner):
        await asyncio.sleep(0.1)
        log.grows(3)
        runner.wake()
        await asyncio.wait_for(applied.wait(), 5)
    assert notebook.seen == [1, 2, 3]


@pytest.mark.parametrize(("lane", "at_once"), [(None, GIVING_WAY), ("alarm", BATCH)])
async def test_while_the_log_grows_only_what_follows_alarms_takes_much_at_once(
    log: Log, lane: Lane | None, at_once: int
) -> None:
    notebook = Notebook()
    notebook.lane = lane
    runner = Runner(log.database, notebook)
    log.grows(BATCH + 7)
    runner.wake()
    async with running(runner):
        await until(lambda: len(notebook.batches) > 0)
        assert len(notebook.batches[0]) == at_once
        await until(lambda: len(notebook.seen) == BATCH + 7)
    assert notebook.seen == list(range(1, BATCH + 8))


async def test_a_runner_that_nobody_wakes_looks_for_itself(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projections, "POLL_SECONDS", 0.05)
    notebook = Notebook()
    async with running(Runner(log.database, notebook)):
        await asyncio.sleep(0.1)
        log.grows(1)
        await until(lambda: notebook.seen == [1])


async def test_trouble_is_shown_logged_once_and_gone_when_it_is_over(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projections, "RETRY_SECONDS", (0.01, 0.01))
    notebook = Notebook()
    notebook.trouble = RecordsError("planted words")
    runner = Runner(log.database, notebook)
    log.grows(2)
    with capture_logs() as logs:
        async with running(runner):
            await until(lambda: runner.state == "records.failed")
            await asyncio.sleep(0.2)
            notebook.trouble = None
            await until(lambda: notebook.seen == [1, 2] and runner.state == "ok")
    assert [line["event"] for line in logs] == ["projection.failing", "projection.recovered"]


async def test_a_paused_runner_stands_still(log: Log) -> None:
    notebook = Notebook()
    runner = Runner(log.database, notebook)
    async with runner.paused, running(runner):
        log.grows(1)
        runner.wake()
        await asyncio.sleep(0.2)
        assert notebook.seen == []


async def test_an_event_of_the_log_that_this_hub_cannot_read_does_not_end_the_hub(log: Log) -> None:
    log.grows(1)
    with log.database.begin() as transaction:
        (row,) = transaction.query(EventLog).all()
        transaction.execute(
            update(EventLog).values(envelope={**row.envelope, "type": "org.personaforge.later.made.v9"})
        )
    runner = Runner(log.database, Notebook())
    task = asyncio.create_task(runner.run())
    await asyncio.wait([task], timeout=0.5)
    ended = task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert not ended
    assert runner.state != "ok"


def test_what_lies_before_an_event_that_cannot_be_read_is_still_applied(log: Log) -> None:
    log.grows(3)
    with log.database.begin() as transaction:
        row = transaction.get_one(EventLog, 3)
        row.envelope = {**row.envelope, "time": "never"}
    notebook = Notebook()
    with pytest.raises(EventInvalidError):
        catch_up(log.database, notebook)
    assert notebook.seen == [1, 2]
