"""What a room does with messages that no hub sends: it keeps every event that is not committed, and goes on."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
from structlog.testing import capture_logs
from tests.fakes.clock import FakeClock
from tests.fakes.hostile import Hostile
from tests.fakes.keys import authority, credentials
from tests.fakes.ports import free_port

from forge_edge.anonymiser import Anonymiser
from forge_edge.enrolment import client_context
from forge_edge.hub_voice import HubVoice
from forge_edge.observations import RequestObserved
from forge_edge.outbox.outboxes import Outboxes
from forge_edge.outbox.publisher import BrokerAddress, Publisher
from forge_edge.outbox.store import Outbox
from forge_hub.broker.child import BrokerChild, choose
from forge_hub.broker.users import HUB_USER
from forge_hub.fleet.authority import Authority
from forge_shared import hub_word, topics
from forge_shared.clock import SystemClock
from forge_shared.enrolment import Credentials
from forge_shared.events import Envelope
from forge_shared.ids import new_id
from forge_shared.sealing import Keyring
from forge_shared.wire import (
    Acknowledgement,
    AlertAccepted,
    Command,
    EndSession,
    LanePosition,
    StartSession,
    Status,
    TwinDesired,
)

SITE, NODE = "site", "room-1"
PATIENCE_SECONDS = 8


class Room:
    """The shipped outbox and publisher of a room."""

    def __init__(self, folder: Path, given: Credentials) -> None:
        self.clock = SystemClock()
        keyring = Keyring.open(folder / "device.key")
        self.outbox = Outbox(folder / "outbox.db", SITE, NODE, self.clock, limit_bytes=10**8, keyring=keyring)
        self.anonymiser = Anonymiser("p-1", self.clock)
        self.commands: list[Command] = []
        self.told: list[TwinDesired] = []
        self.publisher = Publisher(
            Outboxes(lambda: self.outbox, lambda: self.outbox),
            BrokerAddress(given.host, given.port, lambda: client_context(given)),
            site=SITE,
            node=NODE,
            version="1",
            version_file=folder / "mqtt-version",
            clock=self.clock,
            voice=HubVoice(lambda: given, folder / "hub-signs", self.clock, is_told=lambda: bool(self.told)),
            on_command=self._on_command,
            on_desired=self._on_desired,
            on_hub=self._on_hub,
            on_acknowledged=self._on_acknowledged,
        )

    def calls(self, *, unsent: bool = False) -> str:
        """Raise an alarm; return its id."""
        event = self.anonymiser.event_of(RequestObserved("nurse", "voice"))
        assert event is not None
        made = self.outbox.append(event).id
        if not unsent:
            self.publisher.wake()
        return made

    @property
    def waiting(self) -> list[str]:
        return [event.id for event in self.outbox.pending("alarm", 0, 1000)]

    async def _on_command(self, command: Command) -> None:
        self.commands.append(command)

    async def _on_desired(self, desired: TwinDesired) -> None:
        self.told.append(desired)

    async def _on_hub(self, online: bool) -> None:  # noqa: FBT001 (the publisher's callback)
        pass

    async def _on_acknowledged(self, position: LanePosition) -> None:
        assert position.sequence <= self.outbox.last_sequence(position.lane)


class World:
    """A room, a broker, and whoever holds the hub's name."""

    def __init__(self, room: Room, hub: aiomqtt.Client, keys: Authority) -> None:
        self.room, self.hub, self.keys = room, hub, keys
        self.arrived: list[Envelope] = []

    async def listen(self) -> None:
        async for message in self.hub.messages:
            if "/event/" in str(message.topic) and isinstance(message.payload, bytes):
                self.arrived.append(Envelope.model_validate_json(message.payload))

    async def arrives(self, event_id: str) -> Envelope:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                for event in self.arrived:
                    if event.id == event_id:
                        return event
                await asyncio.sleep(0.02)

    def signed(self, topic: str, message: dict[str, Any]) -> bytes:
        return hub_word.payload(topic, message, self.room.clock.now(), self.keys.hub_signature)

    async def acknowledges(self, sequence: int, epoch: str | None = None) -> None:
        position = LanePosition(epoch=epoch or self.room.outbox.epoch, lane="alarm", sequence=sequence)
        told = Acknowledgement(positions=(position,)).model_dump_json()
        await self.hub.publish(topics.ack(SITE, NODE), told.encode(), qos=1)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    keys = authority(tmp_path)
    # As everywhere: Mosquitto where there is one.
    port = free_port()
    child = BrokerChild(choose("auto"), folder=tmp_path, authority=keys, site=SITE, host="127.0.0.1", port=port)
    await child.start()
    given = credentials(keys, port)
    room = Room(tmp_path, given)
    hub = aiomqtt.Client(
        "127.0.0.1", port, tls_context=keys.context_as(HUB_USER), identifier=HUB_USER, timeout=PATIENCE_SECONDS
    )
    try:
        async with hub:
            await hub.subscribe(topics.all_events(SITE), qos=1)
            made = World(room, hub, keys)
            tasks = [asyncio.create_task(made.listen()), asyncio.create_task(room.publisher.run())]
            yield made
            failed = [task.exception() for task in tasks if task.done()]
            for task in tasks:
                task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.gather(*tasks, return_exceptions=True)
            assert failed == []
    finally:
        room.outbox.close()
        await child.stop()


async def test_an_acknowledgement_of_more_than_was_sent_removes_nothing_that_was_not(world: World) -> None:
    first = world.room.calls()
    await world.arrives(first)
    unsent = world.room.calls(unsent=True)
    before = world.room.outbox.epoch
    await world.acknowledges(2)
    assert (await world.arrives(unsent)).epoch == before
    await asyncio.sleep(0.2)
    assert world.room.waiting == [unsent], "what was sent is the hub's; of the rest it cannot know"
    await world.acknowledges(2)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while world.room.waiting:
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("claimed", [2, 99, 2**63, 10**400], ids=["one", "many", "too-large", "absurd"])
async def test_an_acknowledgement_of_what_was_never_made_neither_removes_nor_silences(
    world: World, claimed: int
) -> None:
    first = world.room.calls()
    sent = await world.arrives(first)
    await world.acknowledges(claimed)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while world.room.outbox.epoch == sent.epoch:
            await asyncio.sleep(0.02)
    second = world.room.calls()
    assert (await world.arrives(second)).sequence == 2
    assert world.room.waiting == [first, second]


async def test_of_2000_messages_that_no_hub_sends_none_stops_a_room_or_makes_it_forget(world: World) -> None:
    room, hostile = world.room, Hostile(11, FakeClock(), NODE)
    first = room.calls()
    epoch = (await world.arrives(first)).epoch
    later = room.clock.now().replace(year=2090)
    models = {
        topics.ack(SITE, NODE): Acknowledgement(
            positions=(LanePosition(epoch=new_id(), lane="alarm", sequence=1),), window=5
        ),
        topics.twin_desired(SITE, NODE): TwinDesired(revision=1, subject="p-1", consents=("voice",)),
        topics.command(SITE, NODE, "start-session"): StartSession(session=new_id(), consent=new_id(), expires_at=later),
        topics.command(SITE, NODE, "end-session"): EndSession(session=new_id(), expires_at=later),
        topics.command(SITE, NODE, "alert-accepted"): AlertAccepted(event=new_id(), expires_at=later),
        topics.status(SITE, topics.HUB): Status(state="online", version="1"),
        f"{topics.command(SITE, NODE, 'end-session')}s": Status(state="online", version="1"),
    }
    with capture_logs() as logged:
        for number in range(2_000):
            topic = list(models)[number % len(models)]
            said = models[topic].model_dump(mode="json")
            match number % 3:
                case 0:  # as the hub signed it, and broken on its way
                    payload = hostile.broken(json.loads(world.signed(topic, said)))
                case 1:  # broken, and signed by the hub all the same
                    payload = hostile.broken(said)
                    with contextlib.suppress(ValueError, TypeError, RecursionError):
                        payload = world.signed(topic, json.loads(payload))
                case _:
                    payload = hostile.broken(said)
            await world.hub.publish(topic, payload[:200_000], qos=1)
        for _ in range(3):
            await world.acknowledges(1, epoch=new_id())
        last = room.calls()
        await world.arrives(last)
    assert "Planted" not in str(logged)
    assert room.outbox.epoch == epoch
    assert room.waiting == [first, last]
