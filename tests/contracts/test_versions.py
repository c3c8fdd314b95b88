"""A node and a hub of different versions work together, over a real broker, and say what does not."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
from structlog.testing import capture_logs
from tests.fakes.keys import SITE, credentials
from tests.fakes.live_broker import LiveBroker, live_broker
from tests.fakes.protocol_1 import Acknowledgement1, Status1
from tests.fakes.sent import WATER, FakeNode
from tests.fakes.traffic import LiveClock

from forge_edge.anonymiser import Anonymiser
from forge_edge.counterpart import Counterpart, last_heard
from forge_edge.hub_voice import HubVoice
from forge_edge.observations import FormObserved
from forge_edge.outbox.outboxes import Outboxes
from forge_edge.outbox.publisher import BrokerAddress, Publisher
from forge_edge.outbox.store import Outbox
from forge_edge.outbox.transit import FIRST_WINDOW, WINDOW
from forge_hub.fleet.rooms import Rooms
from forge_hub.ingest.consumer import BrokerLogin, Consumer
from forge_hub.ingest.store import IngestStore
from forge_hub.records import reading
from forge_hub.records.database import Database, open_database
from forge_shared import topics
from forge_shared.clock import SystemClock
from forge_shared.ids import new_id
from forge_shared.sealing import Keyring
from forge_shared.topics import parse_event
from forge_shared.wire import PROTOCOL, Acknowledgement

GOLDEN = Path(__file__).parents[1] / "golden" / "wire"
ROOM = "room-1"


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[LiveBroker]:
    async with live_broker(tmp_path) as running:
        yield running


async def until(condition: Callable[[], bool], seconds: float = 15) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


async def nothing(*_: object) -> None:
    pass


@asynccontextmanager
async def hub(broker: LiveBroker, folder: Path) -> AsyncIterator[tuple[Consumer, Database]]:
    """This version's hub."""
    database = open_database(f"sqlite:///{folder / 'records.db'}")
    clock = SystemClock()
    consumer = Consumer(
        site=SITE,
        login=BrokerLogin("127.0.0.1", broker.port, tls=broker.keys.hub_context()),
        store=IngestStore(SITE, database, clock),
        rooms=Rooms(database, clock),
        version="9.9",
        version_file=folder / "hub-mqtt-version",
        clock=clock,
        on_committed=lambda _: None,
        on_shown=lambda: None,
    )
    running = asyncio.create_task(consumer.run())
    try:
        await until(lambda: consumer.connected)
        yield consumer, database
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        database.close()


async def heard(client: aiomqtt.Client, topic: str) -> bytes:
    async with asyncio.timeout(10):
        async for message in client.messages:
            if str(message.topic) == topic:
                return bytes(message.payload)
    raise AssertionError("unreachable")


async def talk(broker: LiveBroker, birth: dict[str, Any], twin: dict[str, Any]) -> tuple[bytes, bytes]:
    """Let a node be born, say how it is and send an alarm; return the hub's status and its answer to the alarm."""
    node = FakeNode(LiveClock(), ROOM)
    event = node.send(WATER)
    async with broker.client(ROOM) as room:
        await room.subscribe(topics.status(SITE, topics.HUB), qos=1)
        status = await heard(room, topics.status(SITE, topics.HUB))
        await room.subscribe(topics.ack(SITE, ROOM), qos=1)
        for topic, said in ((topics.status(SITE, ROOM), birth), (topics.twin_reported(SITE, ROOM), twin)):
            await room.publish(topic, json.dumps(said), qos=1, retain=True)
        await room.publish(event.topic, event.payload, qos=1)
        answer = b'{"positions": []}'
        while not json.loads(answer)["positions"]:
            answer = await heard(room, topics.ack(SITE, ROOM))
    return status, answer


async def test_a_node_of_the_first_protocol_is_still_served_and_reads_all_it_is_sent(
    broker: LiveBroker, tmp_path: Path
) -> None:
    old = json.loads((GOLDEN / "protocol-1.json").read_text())
    async with hub(broker, tmp_path) as (consumer, database):
        status, answer = await talk(broker, old["Status"], old["TwinReported"])
        assert Status1.model_validate_json(status) == Status1(state="online", version="9.9")
        assert Acknowledgement1.model_validate_json(answer).positions[0].sequence == 1
        await until(lambda: [each.room.hearing for each in reading.rooms(database)] == ["ok"])
        assert consumer.protocols == {ROOM: 1}


async def test_a_node_of_a_protocol_to_come_is_served_and_what_it_adds_is_ignored(
    broker: LiveBroker, tmp_path: Path
) -> None:
    old = json.loads((GOLDEN / "protocol-1.json").read_text())
    birth = {**old["Status"], "protocol": 99, "something": ["new"]}
    async with hub(broker, tmp_path) as (consumer, database):
        _, answer = await talk(broker, birth, {**old["TwinReported"], "something": {"new": 1}})
        said = Acknowledgement.model_validate_json(answer)
        assert (said.protocol, said.positions[0].sequence) == (PROTOCOL, 1)
        assert said.window is not None
        await until(lambda: [each.room.hearing for each in reading.rooms(database)] == ["ok"])
        assert consumer.protocols == {ROOM: 99}


@dataclass
class OtherVersion:
    """What another version says at its birth and adds to its answers, and what the node makes of it."""

    birth: dict[str, Any]
    answers: dict[str, Any]
    protocol: int
    window: int


class OtherHub:
    """A hub of another version."""

    def __init__(self, broker: LiveBroker, version: OtherVersion) -> None:
        self._broker, self._birth, self._answers = broker, version.birth, version.answers

    async def run(self) -> None:
        async with self._broker.client(topics.HUB) as client:
            await client.subscribe(topics.all_events(SITE), qos=1)
            await client.publish(topics.status(SITE, topics.HUB), json.dumps(self._birth), qos=1, retain=True)
            async for message in client.messages:
                at = parse_event(str(message.topic))
                position = {"epoch": at.epoch, "lane": at.lane, "sequence": at.sequence}
                answer = json.dumps({"positions": [{**position, **self._answers}], **self._answers})
                await client.publish(topics.ack(SITE, at.node), answer)


@asynccontextmanager
async def node(broker: LiveBroker, folder: Path) -> AsyncIterator[tuple[Outbox, Publisher]]:
    """This version's node, with more records than it sends unasked."""
    clock = SystemClock()
    outbox = Outbox(
        folder / "outbox.db", SITE, ROOM, clock, limit_bytes=10**8, keyring=Keyring.open(folder / "device.key")
    )
    anonymiser = Anonymiser("p-1", clock)
    for _ in range(2 * FIRST_WINDOW):
        event = anonymiser.event_of(
            FormObserved(new_id(), "https://x.org/f|1", "stopped", (), (), None, 0, clock.now())
        )
        assert event is not None
        outbox.append(event)
    own = credentials(broker.keys, broker.port)
    publisher = Publisher(
        Outboxes(lambda: outbox, lambda: outbox),
        BrokerAddress("127.0.0.1", broker.port, lambda: broker.keys.context_as(ROOM)),
        site=SITE,
        node=ROOM,
        version="9.9",
        version_file=folder / "mqtt-version",
        clock=clock,
        voice=HubVoice(lambda: own, folder / "hub-signs", clock, is_told=lambda: False),
        on_command=nothing,
        on_desired=nothing,
        on_hub=nothing,
        on_acknowledged=nothing,
        on_protocol=Counterpart(folder / "hub-protocol").heard,
    )
    running = asyncio.create_task(publisher.run())
    try:
        yield outbox, publisher
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        outbox.close()


OLDER = OtherVersion({"state": "online", "version": "0.1.0"}, {}, 1, WINDOW)
NEWER = OtherVersion(
    {"state": "online", "version": "8", "something": "new"}, {"window": 50, "protocol": 99, "something": [1]}, 99, 50
)


@pytest.mark.parametrize("version", [OLDER, NEWER])
async def test_a_node_delivers_to_a_hub_of_another_version_and_says_so_once(
    broker: LiveBroker, tmp_path: Path, version: OtherVersion
) -> None:
    other = asyncio.create_task(OtherHub(broker, version).run())
    with capture_logs() as logged:
        async with node(broker, tmp_path) as (outbox, publisher):
            await until(lambda: outbox.state().pending == 0)
            assert publisher._transit.record_window == version.window  # noqa: SLF001 (the wire shows it only under load)
    other.cancel()
    await asyncio.gather(other, return_exceptions=True)
    assert last_heard(tmp_path / "hub-protocol") == version.protocol
    named: Sequence[Any] = [line for line in logged if line["event"] == "hub.other-protocol"]
    assert [(line["hub"], line["node"]) for line in named] == [(version.protocol, PROTOCOL)]
    assert not [line for line in logged if line["event"] == "message.unreadable"]
