"""What is set at the hub is in the room within five seconds, after three days away too, and by nobody else's word."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, time, timedelta
from pathlib import Path

import pytest
from tests.fakes.keys import SITE, credentials
from tests.fakes.live_broker import LiveBroker, live_broker

from forge_edge import desired
from forge_edge.enrolment import client_context
from forge_edge.hub_voice import HubVoice
from forge_edge.outbox.outboxes import Outboxes
from forge_edge.outbox.publisher import BrokerAddress, Publisher
from forge_edge.outbox.store import Outbox
from forge_hub.fleet.revisions import drifts
from forge_hub.fleet.rooms import Rooms
from forge_hub.fleet.twins import Twins
from forge_hub.ingest.consumer import BrokerLogin, Consumer
from forge_hub.ingest.store import IngestStore
from forge_hub.records.database import Database, open_database
from forge_hub.stays.register import Register
from forge_shared import topics
from forge_shared.clock import SystemClock
from forge_shared.plan import QuietHours, RoomPlan
from forge_shared.sealing import Keyring
from forge_shared.tasks import cancelled
from forge_shared.wire import TwinDesired, TwinReported

NODE = "room-1"
WITHIN_SECONDS = 5.0
DAYS_AWAY = 3


class MovedClock(SystemClock):
    """The machine's clock, moved on."""

    days = 0.0

    def now(self) -> datetime:
        return super().now() + timedelta(days=self.days)


class Room:
    """A room's publisher and what it was told, on its disk."""

    def __init__(self, folder: Path, broker: LiveBroker, clock: MovedClock) -> None:
        folder.mkdir(exist_ok=True)
        self.path, self.clock = folder / "desired.json", clock
        self.told = desired.load(self.path)
        self.applied: list[int] = []
        own = credentials(broker.keys, broker.port)
        self.voice = HubVoice(lambda: own, folder / "hub-signs", clock, is_told=lambda: self.told is not None)
        self.outbox = Outbox(
            folder / "outbox.db", SITE, NODE, clock, limit_bytes=10**8, keyring=Keyring.open(folder / "device.key")
        )
        self.publisher = Publisher(
            Outboxes(lambda: self.outbox, lambda: self.outbox),
            BrokerAddress("127.0.0.1", broker.port, lambda: client_context(own)),
            site=SITE,
            node=NODE,
            version="9.9",
            version_file=folder / "mqtt-version",
            clock=clock,
            voice=self.voice,
            on_command=nothing,
            on_desired=self._on_desired,
            on_hub=nothing,
            on_acknowledged=nothing,
        )

    async def _on_desired(self, told: TwinDesired) -> None:
        if desired.is_news(self.told, told):
            self.told = told
            self.applied.append(told.revision)
            desired.save(self.path, told)
        self.report()

    def report(self) -> None:
        self.publisher.report(report_of(self.told, self.clock.now()))

    @asynccontextmanager
    async def online(self) -> AsyncIterator["Room"]:
        self.report()
        running = asyncio.create_task(self.publisher.run())
        try:
            yield self
        finally:
            await cancelled([running], again_seconds=1)
            self.outbox.close()


def report_of(told: TwinDesired | None, at: datetime) -> TwinReported:
    return TwinReported(
        hearing="ok",
        sight="closed",
        activity="idle",
        session_on=False,
        pending_events=0,
        version="9.9",
        at=at,
        revision=None if told is None else told.revision,
        word=None if told is None else told.word,
    )


async def nothing(*_: object) -> None:
    pass


async def until(condition: Callable[[], bool], seconds: float = WITHIN_SECONDS) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


class Hub:
    """The hub's side: its records, its twins and its connection."""

    def __init__(self, folder: Path, broker: LiveBroker, clock: MovedClock) -> None:
        self.plans = folder / "room-plans"
        self.plans.mkdir(exist_ok=True)
        self.database: Database = open_database(f"sqlite:///{folder / 'records.db'}")
        self.register = Register(self.database, clock)

        async def publish(topic: str, payload: bytes) -> None:
            await self.consumer.publish_retained(topic, payload)

        self.twins = Twins(SITE, self.database, publish, sign=broker.keys.hub_signature, clock=clock, plans=self.plans)
        self.consumer = Consumer(
            site=SITE,
            login=BrokerLogin("127.0.0.1", broker.port, tls=broker.keys.hub_context()),
            store=IngestStore(SITE, self.database, clock),
            rooms=Rooms(self.database, clock),
            version="9.9",
            version_file=folder / "hub-mqtt-version",
            clock=clock,
            on_committed=lambda _: None,
            on_shown=lambda: None,
            on_connected=self.twins.tell_all,
            on_room=self.twins.heard,
        )

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["Hub"]:
        running = [asyncio.create_task(task) for task in (self.consumer.run(), self.twins.run())]
        try:
            await until(lambda: self.consumer.connected, 15)
            yield self
        finally:
            await cancelled(running, again_seconds=1)
            self.database.close()

    def has_converged(self) -> bool:
        return [drift.is_there for drift in drifts(self.database)] == [True]

    def edits(self, plan: RoomPlan) -> None:
        (self.plans / f"{NODE}.json").write_text(plan.model_dump_json())


def quiet(hour: int) -> RoomPlan:
    return RoomPlan(quiet=QuietHours(begins=time(hour), ends=time(7)))


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[LiveBroker]:
    async with live_broker(tmp_path) as running:
        yield running


@pytest.mark.timeout(90)
async def test_what_changes_at_the_hub_is_in_the_room_within_five_seconds_and_the_hub_knows(
    broker: LiveBroker, tmp_path: Path
) -> None:
    clock = MovedClock()
    hub, room = Hub(tmp_path, broker, clock), Room(tmp_path / "room", broker, clock)
    hub.register.set_presence(NODE, shared=False, visitors=False, account="ann")
    async with hub.serving(), room.online():
        await until(hub.has_converged, 15)
        hub.register.set_presence(NODE, shared=False, visitors=True, account="ann")
        await hub.twins.refresh("ann")
        await until(lambda: room.told is not None and room.told.visitors and hub.has_converged())
        hub.edits(quiet(21))
        await until(lambda: room.told is not None and room.told.plan == quiet(21) and hub.has_converged())
        await hub.twins.set_plan(NODE, quiet(22), "ann")
        await until(lambda: room.told is not None and room.told.plan == quiet(22) and hub.has_converged())
        await hub.twins.back(NODE, None, "ann")
        await until(lambda: room.told is not None and room.told.plan == quiet(21) and hub.has_converged())
        assert room.told is not None
        assert room.told.visitors, "who is there is of today, whatever is gone back to"
        assert room.applied == sorted(set(room.applied))


@pytest.mark.timeout(90)
async def test_a_room_that_was_away_for_three_days_is_as_it_shall_be_five_seconds_after_it_is_back(
    broker: LiveBroker, tmp_path: Path
) -> None:
    clock = MovedClock()
    room = Room(tmp_path / "room", broker, clock)
    first = Hub(tmp_path, broker, clock)
    first.register.set_presence(NODE, shared=False, visitors=False, account="ann")
    async with first.serving(), room.online():
        await until(first.has_converged, 15)
    clock.days = 1
    async with Hub(tmp_path, broker, clock).serving() as hub:
        for hour in range(12, 22):
            await hub.twins.set_plan(NODE, quiet(hour), "ann")
        (drift,) = drifts(hub.database)
        assert (drift.is_there, drift.wanted - (drift.has or 0)) == (False, 10)
    clock.days = DAYS_AWAY
    # The hub is away now: what the broker has kept is enough.
    async with Room(tmp_path / "room", broker, clock).online() as back:
        await until(lambda: back.told is not None and back.told.plan == quiet(21))
        assert len(back.applied) == 1, "only the newest is applied"
        async with Hub(tmp_path, broker, clock).serving() as hub:
            await until(hub.has_converged, 15)


@pytest.mark.timeout(90)
async def test_whoever_has_taken_the_broker_over_changes_nothing_in_a_room(broker: LiveBroker, tmp_path: Path) -> None:
    clock = MovedClock()
    room, topic = Room(tmp_path / "room", broker, clock), topics.twin_desired(SITE, NODE)
    async with room.online():
        async with Hub(tmp_path, broker, clock).serving() as hub:
            hub.register.set_presence(NODE, shared=False, visitors=True, account="ann")
            await hub.twins.refresh("ann")
            await until(hub.has_converged, 15)
        async with broker.client(topics.HUB) as thief:
            await thief.subscribe(topic)
            async with asyncio.timeout(WITHIN_SECONDS):
                older = (await anext(aiter(thief.messages))).payload
        assert isinstance(older, bytes)
        async with Hub(tmp_path, broker, clock).serving() as hub:
            await hub.twins.set_plan(NODE, quiet(22), "ann")
            await until(hub.has_converged, 15)
        held = room.told
        evil = json.loads(older) | {"revision": 99, "visitors": False, "consents": ["voice", "camera"]}
        del evil["signed"]
        async with broker.client(topics.HUB) as thief:
            for message in (json.dumps(evil).encode(), older, older.replace(b'"visitors":true', b'"visitors":false')):
                await thief.publish(topic, message, qos=1, retain=True)
            await until(lambda: room.voice.refuses)
        async with Hub(tmp_path, broker, clock).serving() as hub:
            hub.register.set_presence(NODE, shared=True, visitors=True, account="ann")
            await hub.twins.refresh("ann")
            await until(lambda: room.told is not None and room.told.shared)
    assert held is not None
    assert room.told is not None
    assert room.told.revision == held.revision + 1, "nothing came between"
    assert room.told.plan == held.plan
