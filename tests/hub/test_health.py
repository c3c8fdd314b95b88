"""What the hub says of itself is true: each failure here is made to happen."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from sqlalchemy import event
from tests.fakes.keys import authority
from tests.fakes.live_broker import LiveBroker, live_broker
from tests.fakes.pages import HubPages, client, open_pages
from tests.fakes.sent import WATER, phq_9
from tests.fakes.ward import FakeWard, open_ward

from forge_hub.alerts.board import AlertBoard
from forge_hub.alerts.projector import AlertProjection
from forge_hub.alerts.service import Alarms
from forge_hub.errors import BrokerError
from forge_hub.fleet.rooms import Rooms
from forge_hub.ingest.consumer import BrokerLogin, Consumer
from forge_hub.ingest.store import IngestStore
from forge_hub.projection import Runner, catch_up
from forge_hub.records.projector import RecordsProjection
from forge_hub.settings import HubSettings
from forge_hub.telemetry.health import CERTIFICATE_ENDS, Health, status_of
from forge_hub.telemetry.service import Telemetry
from forge_hub.web import monitoring
from forge_shared.clock import SystemClock
from forge_shared.tasks import until_first_failure

CODES = st.sampled_from(["ok", "disk.low", "delivery.failing"])
WELL = {"alerts": "ok", "ingest": "ok", "monitoring": "ok"}


class Watched:
    """A ward and its health, without anything that runs by itself."""

    def __init__(self, folder: Path) -> None:
        self.ward: FakeWard = open_ward(folder)
        self.clock, self.database = self.ward.clock, self.ward.database
        self.keys = authority(folder, self.clock)
        self.ingest = IngestStore("site", self.database, self.clock)
        self.runners = [
            Runner(self.database, AlertProjection(self.database, self.clock)),
            Runner(self.database, RecordsProjection(self.database, {})),
        ]
        self.folder = folder
        self.restart()

    def restart(self, **changes: Any) -> None:
        self.health = Health(
            self.database,
            self.clock,
            folder=self.folder,
            runners=self.runners,
            certificates=self.keys.ends(),
            parts=lambda: WELL,
            **changes,
        )

    def ill(self) -> dict[str, str]:
        return {part: code for part, code in self.health.states().items() if code != "ok"}

    def status(self) -> str:
        return status_of(self.health.states())

    async def projected(self) -> None:
        """Let the projections run until they have applied everything."""
        tasks = [asyncio.create_task(runner.run()) for runner in self.runners]
        await until(lambda: all(runner.lag() == 0 for runner in self.runners))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    opened = Watched(tmp_path)
    yield opened
    opened.database.close()


async def until(condition: Callable[[], bool], seconds: float = 15) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


def test_a_hub_that_does_its_work_says_so(watched: Watched) -> None:
    assert (watched.ill(), watched.status()) == ({}, "ok")


async def test_alarms_that_are_not_made_alerts_of_are_a_failure_after_ten_seconds(watched: Watched) -> None:
    watched.ingest.commit([watched.ward.nodes["room-1"].send(WATER)])
    watched.clock.advance(10)
    assert watched.ill() == {}
    watched.clock.advance(1)
    assert (watched.ill(), watched.status()) == ({"projection.alerts": "projection.lagging"}, "failed")
    await watched.projected()
    assert "projection.alerts" not in watched.ill()


async def test_records_may_wait_for_minutes_and_then_it_is_said(watched: Watched) -> None:
    watched.ingest.commit([watched.ward.nodes["room-1"].send(phq_9(watched.clock, [0] * 9))])
    watched.clock.advance(15 * 60)
    assert watched.ill() == {}
    watched.clock.advance(1)
    assert (watched.ill(), watched.status()) == ({"projection.records": "projection.lagging"}, "degraded")


async def test_a_projection_that_fails_says_why(watched: Watched) -> None:
    watched.ingest.commit([watched.ward.nodes["room-1"].send(WATER)])
    with watched.database.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE alert_step RENAME TO elsewhere")
    run = asyncio.create_task(watched.runners[0].run())
    await until(lambda: watched.runners[0].state != "ok")
    run.cancel()
    assert watched.ill()["projection.alerts"] == "records.failed"
    assert watched.status() == "failed"


async def test_an_alert_that_does_not_ring_when_it_should_is_a_failure(watched: Watched) -> None:
    watched.ingest.commit([watched.ward.nodes["room-1"].send(WATER)])
    await watched.projected()
    watched.clock.advance(11)
    assert (watched.ill(), watched.status()) == ({"alerts": "alerts.overdue"}, "failed")
    watched.ward.engine.ring_due()
    assert watched.ill() == {}
    watched.clock.advance(480 + 11)
    assert watched.ill() == {"alerts": "alerts.overdue"}, "nor when it should ring again"


def test_a_clock_that_was_set_back_is_said_however_much_comes_in_by_it(watched: Watched) -> None:
    watched.ingest.commit([watched.ward.nodes["room-1"].send(WATER)])
    assert watched.ill() == {}
    watched.clock.at -= timedelta(hours=1)
    for _ in range(2):
        assert watched.ill()["clock"] == "clock.before-log"
        watched.ingest.commit([watched.ward.nodes["room-1"].send(WATER)])
    assert watched.status() == "degraded"
    watched.clock.at += timedelta(hours=1)
    assert "clock" not in watched.ill()


def test_a_clock_that_nobody_has_set_is_said(watched: Watched) -> None:
    watched.clock.at = watched.clock.at.replace(year=1970)
    assert watched.ill()["clock"] == "clock.before-release"


def test_a_certificate_that_ends_is_said_thirty_days_before(watched: Watched) -> None:
    first = min(watched.keys.ends().values())
    watched.clock.at = first - CERTIFICATE_ENDS
    assert watched.ill() == {}
    watched.clock.at += timedelta(seconds=1)
    assert (watched.ill(), watched.status()) == ({"certificate": "certificate.ending"}, "degraded")
    watched.clock.at = first
    assert (watched.ill(), watched.status()) == ({"certificate": "certificate.ended"}, "failed")
    watched.keys.prepare("site", ())
    watched.restart()
    assert watched.ill() == {}


def test_a_disk_that_is_nearly_full_is_said(watched: Watched) -> None:
    watched.restart(disk_low_bytes=10**18)
    assert (watched.ill(), watched.status()) == ({"disk": "disk.low"}, "degraded")


def test_records_that_cannot_be_read_are_a_failure(watched: Watched) -> None:
    with watched.database.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE event_log RENAME TO elsewhere")
    assert watched.ill()["records"] == "records.failed"
    assert watched.status() == "failed"


@given(states=st.dictionaries(st.sampled_from(["disk", "clock", "delivery.webhook", "projection.graph"]), CODES))
def test_what_does_not_hold_up_an_alarm_degrades_and_never_fails(states: dict[str, str]) -> None:
    word = status_of(states)
    assert word == ("ok" if set(states.values()) <= {"ok"} else "degraded")
    assert status_of({**states, "ingest": "disk.full"}) == "failed"


class LiveHub:
    """Broker, consumer and alarms that run, as in the composition root, and their health."""

    def __init__(self, folder: Path, broker: LiveBroker) -> None:
        self.ward = open_ward(folder)
        clock, database = SystemClock(), self.ward.database
        self.ward.clock.at = clock.now()
        self.broker = broker
        settings = HubSettings(
            site="site", webhook_url="http://127.0.0.1:9/", webhook_secret=SecretStr("a secret of sixteen")
        )
        board = AlertBoard(database, clock, on_accepted=_nothing)
        self.consumer = Consumer(
            site="site",
            login=BrokerLogin("127.0.0.1", broker.port, tls=broker.keys.hub_context()),
            store=IngestStore("site", database, clock),
            rooms=Rooms(database, clock),
            version="1",
            version_file=folder / "mqtt-version",
            clock=clock,
            on_committed=lambda _: None,
            on_shown=lambda: None,
        )
        alarms = Alarms(settings, database, clock, board, self.consumer.publish)
        self.telemetry = Telemetry(
            database,
            clock,
            folder=folder,
            version="1",
            runners=[],
            consumer=self.consumer,
            alarms=alarms,
            rollouts=lambda: "ok",
            broker=broker.child,
            certificates=broker.keys.ends(),
        )
        self.run = (self.consumer.run(), alarms.run(), broker.child.watch())

    def state(self, part: str) -> str:
        return self.telemetry.health.states()[part]

    def status(self) -> str:
        return status_of(self.telemetry.health.states())

    async def sends(self, count: int) -> None:
        """Let room-1 send events once, as a node does that gets no answer and tries again."""
        node = self.ward.nodes["room-1"]
        async with self.broker.client("room-1") as room:
            for _ in range(count):
                message = node.send(WATER)
                await room.publish(message.topic, message.payload, qos=1)


async def _nothing(_: object) -> None:
    pass


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[LiveHub]:
    async with live_broker(tmp_path) as broker:
        hub = LiveHub(tmp_path, broker)
        running = asyncio.create_task(until_first_failure(*hub.run))
        try:
            await until(lambda: hub.status() == "ok")
            yield hub
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            hub.ward.database.close()


async def test_a_broker_that_dies_is_a_failure_until_it_is_back(live: LiveHub, monkeypatch: pytest.MonkeyPatch) -> None:
    async def does_not_start() -> None:
        raise BrokerError("kept from starting again, so that there is time to look")

    process = live.broker.child._process  # noqa: SLF001 (what a test kills, the product never hands out)
    assert process is not None
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(live.broker.child, "start", does_not_start)
        process.kill()
        await until(lambda: live.state("broker") == "broker.failed" and live.state("ingest") == "broker.disconnected")
        assert live.status() == "failed"
    await until(lambda: live.status() == "ok")


async def test_a_full_disk_is_a_failure_until_there_is_room(live: LiveHub) -> None:
    pages: list[int] = []

    def limit(connection: Any, *_: object) -> None:
        if pages:
            connection.execute(f"PRAGMA max_page_count={pages[0]}")

    event.listen(live.ward.database.engine, "checkout", limit)
    with live.ward.database.engine.begin() as connection:
        pages.append(connection.exec_driver_sql("PRAGMA page_count").scalar_one())
    async with asyncio.timeout(60):
        # The pages that there are hold some more rows before the file must grow.
        while live.state("ingest") != "disk.full":
            await live.sends(40)
            await asyncio.sleep(0.1)
    assert live.status() == "failed"
    pages[0] = 10**6
    await until(lambda: live.consumer.connected)
    await live.sends(1)
    await until(lambda: live.state("ingest") == "ok")


async def test_a_channel_that_cannot_be_reached_degrades(live: LiveHub) -> None:
    database = live.ward.database
    IngestStore("site", database, live.ward.clock).commit([live.ward.nodes["room-1"].send(WATER)])
    catch_up(database, AlertProjection(database, live.ward.clock))
    await until(lambda: live.state("delivery.webhook") == "delivery.failing")
    assert live.status() == "degraded"


@asynccontextmanager
async def asked(folder: Path, states: Callable[[], dict[str, str]]) -> AsyncIterator[tuple[HubPages, Any]]:
    with open_pages(folder, health=states) as pages:
        async with client(pages) as http:
            yield pages, http


@pytest.mark.parametrize(
    ("states", "status", "number"),
    [
        ({"ingest": "ok", "disk": "ok"}, "ok", 200),
        ({"ingest": "ok", "disk": "disk.low"}, "degraded", 200),
        ({"ingest": "disk.full", "disk": "ok"}, "failed", 503),
    ],
)
async def test_whoever_asks_is_told_codes_and_one_word(
    tmp_path: Path, states: dict[str, str], status: str, number: int
) -> None:
    async with asked(tmp_path, lambda: states) as (_, http):
        answer = await http.get("/healthz")
    assert (answer.status_code, answer.json()) == (number, {"status": status, "parts": states})


async def test_a_store_that_hangs_is_a_failure_and_takes_one_thread_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitoring, "ANSWER_SECONDS", 0.1)
    answers, questions = threading.Event(), 0

    def hangs() -> dict[str, str]:
        nonlocal questions
        questions += 1
        answers.wait(10)
        return WELL

    async with asked(tmp_path, hangs) as (_, http):
        said: Sequence[Any] = await asyncio.gather(*(http.get("/healthz") for _ in range(20)))
        assert {answer.status_code for answer in said} == {503}
        assert said[0].json()["parts"] == {"stores": "stores.slow"}
        assert questions == 1
        answers.set()
        await until_ok(http)


async def until_ok(http: Any) -> None:
    async with asyncio.timeout(5):
        while (await http.get("/healthz")).status_code != 200:
            await asyncio.sleep(0.02)
