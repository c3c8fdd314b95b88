"""What the room asks of Home Assistant, over a real broker and under its rules."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
import pytest_asyncio
from tests.fakes.keys import NODE, SITE
from tests.fakes.live_broker import LiveBroker, live_broker

from forge_edge import home
from forge_edge.dialogue.sentences import AMBIENCE
from forge_edge.home import Home
from forge_edge.outbox.outboxes import Outboxes
from forge_edge.outbox.publisher import BrokerAddress, Publisher
from forge_edge.outbox.store import Outbox
from forge_hub.broker import users
from forge_shared.clock import SystemClock
from forge_shared.sealing import Keyring

HOME = Home(SITE, NODE)


@pytest_asyncio.fixture
async def broker(tmp_path: Path) -> AsyncIterator[LiveBroker]:
    async with live_broker(tmp_path) as running:
        yield running


async def nothing(_: Any) -> None:
    return


def publisher_of(broker: LiveBroker, folder: Path) -> tuple[Publisher, Outbox]:
    clock = SystemClock()
    keyring = Keyring.open(folder / "device.key")
    outbox = Outbox(folder / "outbox.db", SITE, NODE, clock, limit_bytes=10**8, keyring=keyring)
    publisher = Publisher(
        Outboxes(lambda: outbox, lambda: outbox),
        BrokerAddress("127.0.0.1", broker.port, lambda: broker.keys.context_as(NODE)),
        site=SITE,
        node=NODE,
        version="9.9",
        version_file=folder / "mqtt-version",
        clock=clock,
        on_command=nothing,
        on_desired=nothing,
        on_hub=nothing,
        on_acknowledged=nothing,
    )
    return publisher, outbox


def listener(broker: LiveBroker) -> aiomqtt.Client:
    """Home Assistant, as the broker knows it."""
    return broker.client(users.HOME_USER)


async def heard(client: aiomqtt.Client, count: int) -> dict[str, tuple[bytes, bool]]:
    seen: dict[str, tuple[bytes, bool]] = {}
    async with asyncio.timeout(15):
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            seen[str(message.topic)] = (message.payload, message.retain)
            if len(seen) >= count:
                break
    return seen


@pytest.mark.timeout(60)
async def test_the_device_is_made_known_a_wish_arrives_once_and_the_device_can_be_taken_away(
    broker: LiveBroker, tmp_path: Path
) -> None:
    publisher, outbox = publisher_of(broker, tmp_path)
    publisher.pass_on(HOME.topic, b"light-off")  # nobody is connected: it must not come as a surprise later
    publisher.announce(HOME.triggers("9.9", wanted=True))
    running = asyncio.create_task(publisher.run())
    try:
        async with listener(broker) as client:
            await client.subscribe("homeassistant/#", qos=1)
            known = await heard(client, len(AMBIENCE))
            assert set(known) == set(HOME.triggers("9.9", wanted=True))
            for topic, (payload, _) in known.items():
                trigger = json.loads(payload)
                assert trigger["topic"] == HOME.topic
                assert f"/{trigger['payload']}/" in topic
                assert trigger["device"]["identifiers"] == [f"forge-{SITE}-{NODE}"]
            publisher.pass_on(HOME.topic, HOME.command("light-on"))
            assert await heard(client, 1) == {HOME.topic: (b"light-on", False)}
        async with listener(broker) as late:
            await late.subscribe("homeassistant/#", qos=1)
            assert all(retained for _, retained in (await heard(late, len(AMBIENCE))).values())
            publisher.announce(HOME.triggers("9.9", wanted=False))
            assert {payload for payload, _ in (await heard(late, len(AMBIENCE))).values()} == {b""}
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        outbox.close()


def test_the_room_writes_where_the_broker_lets_it_and_home_assistant_looks() -> None:
    assert home.DISCOVERY_PREFIX == users.DISCOVERY_PREFIX
    assert not users.may(SITE, users.HOME_USER, "write", HOME.topic)
    assert not users.may(SITE, users.HOME_USER, "read", f"forge/v1/{SITE}/{NODE}/status")
    for topic in (HOME.topic, *HOME.triggers("9.9", wanted=True)):
        assert users.may(SITE, NODE, "write", topic)
        assert users.may(SITE, users.HOME_USER, "read", topic)
        assert not users.may(SITE, "room-2", "write", topic)


def test_home_assistant_learns_codes_and_nothing_of_the_person() -> None:
    for code in AMBIENCE:
        assert HOME.command(code) == code.encode()
    for payload in HOME.triggers("9.9", wanted=True).values():
        assert set(json.loads(payload)) == {"automation_type", "type", "subtype", "topic", "payload", "qos", "device"}


async def test_more_wishes_than_can_wait_are_dropped_and_block_nothing(broker: LiveBroker, tmp_path: Path) -> None:
    publisher, outbox = publisher_of(broker, tmp_path)
    for _ in range(500):
        publisher.pass_on(HOME.topic, b"light-on")
    outbox.close()
