"""What passes between the room and Home Assistant, over a real broker and under its rules."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
import pytest_asyncio
from tests.fakes.keys import NODE, SITE, credentials
from tests.fakes.live_broker import LiveBroker, live_broker

from forge_edge.dialogue.sentences import AMBIENCE
from forge_edge.home import wishes
from forge_edge.home.device import HomeDevice
from forge_edge.home.state import HomeState
from forge_edge.hub_voice import HubVoice
from forge_edge.outbox.home_line import HomeLine
from forge_edge.outbox.outboxes import Outboxes
from forge_edge.outbox.publisher import BrokerAddress, Publisher
from forge_edge.outbox.store import Outbox
from forge_hub.broker import users
from forge_shared import home, topics
from forge_shared.clock import SystemClock
from forge_shared.sealing import Keyring
from forge_shared.wire import Status

HOME = HomeDevice(SITE, NODE, "9.9")


@pytest_asyncio.fixture
async def broker(tmp_path: Path) -> AsyncIterator[LiveBroker]:
    async with live_broker(tmp_path) as running:
        yield running


async def nothing(_: Any) -> None:
    return


def publisher_of(
    broker: LiveBroker, folder: Path, line: HomeLine, on_hub: Callable[[bool], Awaitable[None]]
) -> tuple[Publisher, Outbox]:
    clock = SystemClock()
    keyring = Keyring.open(folder / "device.key")
    outbox = Outbox(folder / "outbox.db", SITE, NODE, clock, limit_bytes=10**8, keyring=keyring)
    own = credentials(broker.keys, broker.port)
    publisher = Publisher(
        Outboxes(lambda: outbox, lambda: outbox),
        BrokerAddress("127.0.0.1", broker.port, lambda: broker.keys.context_as(NODE)),
        site=SITE,
        node=NODE,
        version="9.9",
        version_file=folder / "mqtt-version",
        clock=clock,
        voice=HubVoice(lambda: own, folder / "hub-signs", clock, is_told=lambda: False),
        on_command=nothing,
        on_desired=nothing,
        on_hub=on_hub,
        on_acknowledged=nothing,
        home=line,
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


@asynccontextmanager
async def connected(
    broker: LiveBroker, folder: Path, line: HomeLine, on_hub: Callable[[bool], Awaitable[None]] = nothing
) -> AsyncIterator[None]:
    publisher, outbox = publisher_of(broker, folder, line, on_hub)
    running = asyncio.create_task(publisher.run())
    try:
        yield
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        outbox.close()


@pytest.mark.timeout(60)
async def test_the_room_is_made_known_a_wish_arrives_once_and_wishes_can_be_taken_away(
    broker: LiveBroker, tmp_path: Path
) -> None:
    line = HomeLine(HOME.subscriptions)
    line.pass_on(HOME.wish_topic, b"light-off")  # nobody is connected: it must not come as a surprise later
    line.show(HOME.announced(wishes_wanted=True))
    async with connected(broker, tmp_path, line):
        async with listener(broker) as client:
            await client.subscribe("homeassistant/#", qos=1)
            known = await heard(client, len(AMBIENCE) + 1)
            assert set(known) == set(HOME.announced(wishes_wanted=True))
            assert json.loads(known[home.config(NODE)][0])["dev"]["ids"] == [f"forge-{SITE}-{NODE}"]
            line.pass_on(HOME.wish_topic, wishes.message("light-on"))
            assert await heard(client, 1) == {HOME.wish_topic: (b"light-on", False)}
        async with listener(broker) as late:
            await late.subscribe("homeassistant/#", qos=1)
            assert all(retained for _, retained in (await heard(late, len(AMBIENCE) + 1)).values())
            line.show(HOME.announced(wishes_wanted=False))
            gone = await heard(late, len(AMBIENCE) + 1)
            assert json.loads(gone.pop(home.config(NODE))[0])["cmps"]["wish"] == {"p": "event"}
            assert {payload for payload, _ in gone.values()} == {b""}


@pytest.mark.timeout(60)
async def test_of_what_is_shown_only_what_changed_is_sent_and_after_a_new_connection_all_of_it(
    broker: LiveBroker, tmp_path: Path
) -> None:
    line = HomeLine()
    (topic,) = HOME.state(HomeState())
    line.show(HOME.state(HomeState(safety="OFF")))
    async with listener(broker) as client:
        await client.subscribe("homeassistant/#", qos=1)
        async with connected(broker, tmp_path, line):
            assert json.loads((await heard(client, 1))[topic][0])["safety"] == "OFF"
            line.show(HOME.state(HomeState(safety="OFF")))
            line.show(HOME.state(HomeState(safety="ON")))
            assert json.loads((await heard(client, 1))[topic][0])["safety"] == "ON"
        async with connected(broker, tmp_path, line):
            assert json.loads((await heard(client, 1))[topic][0])["safety"] == "ON"


@pytest.mark.timeout(60)
async def test_what_home_assistant_asks_arrives_with_whether_the_broker_had_kept_it(
    broker: LiveBroker, tmp_path: Path
) -> None:
    asked: asyncio.Queue[tuple[str, bytes, bool]] = asyncio.Queue()

    async def note(topic: str, payload: bytes, retained: bool) -> None:  # noqa: FBT001 (a callback's)
        await asked.put((topic, payload, retained))

    privacy = home.command(NODE, "privacy")
    async with listener(broker) as client, asyncio.timeout(30):
        await client.publish(privacy, b"ON", qos=1, retain=True)
        async with connected(broker, tmp_path, HomeLine(HOME.subscriptions, note)):
            assert await asked.get() == (privacy, b"ON", True)
            await client.publish(privacy, b"OFF", qos=1)
            assert await asked.get() == (privacy, b"OFF", False)
            await client.publish(home.BIRTH, b"online", qos=1)
            assert await asked.get() == (home.BIRTH, b"online", False)


@pytest.mark.timeout(60)
async def test_a_room_that_is_stopped_says_that_it_is_gone(broker: LiveBroker, tmp_path: Path) -> None:
    status = topics.status(SITE, NODE)
    async with listener(broker) as client:
        await client.subscribe(status, qos=1)
        async with connected(broker, tmp_path, HomeLine()):
            assert json.loads((await heard(client, 1))[status][0])["state"] == "online"
            # Python 3.11's `wait_for` may lose a cancellation that comes with the broker's receipt.
            await asyncio.sleep(0.3)
        assert json.loads((await heard(client, 1))[status][0])["state"] == "offline"


def test_the_room_writes_where_the_broker_lets_it_and_home_assistant_looks() -> None:
    assert not users.may(SITE, users.HOME_USER, "write", HOME.wish_topic)
    for topic in (HOME.wish_topic, *HOME.state(HomeState()), *HOME.announced(wishes_wanted=True)):
        assert users.may(SITE, NODE, "write", topic)
        assert users.may(SITE, users.HOME_USER, "read", topic)
        assert not users.may(SITE, "room-2", "write", topic)
    for topic in HOME.subscriptions:
        assert users.may(SITE, NODE, "read", topic)


@pytest.mark.timeout(60)
async def test_what_home_assistant_asks_for_holds_up_nothing_that_the_hub_says(
    broker: LiveBroker, tmp_path: Path
) -> None:
    heard_of_hub = asyncio.Event()

    async def slow(*_: object) -> None:
        await asyncio.sleep(3600)

    async def on_hub(online: bool) -> None:  # noqa: FBT001 (a callback's)
        if online:
            heard_of_hub.set()

    line = HomeLine(HOME.subscriptions, slow)
    async with (
        listener(broker) as client,
        broker.client(users.HUB_USER) as hub,
        asyncio.timeout(30),
        connected(broker, tmp_path, line, on_hub=on_hub),
    ):
        await asyncio.sleep(0.5)
        for _ in range(100):
            await client.publish(home.command(NODE, "identify"), b"PRESS", qos=1)
        status = Status(state="online", version="1").model_dump_json(exclude={"protocol"}).encode()
        await hub.publish(topics.status(SITE, topics.HUB), status, qos=1)
        await heard_of_hub.wait()


@pytest.mark.timeout(60)
async def test_a_link_that_breaks_does_not_stop_half_way_what_home_assistant_asked_for(
    broker: LiveBroker, tmp_path: Path
) -> None:
    begun, connected_anew, done = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def slow(*_: object) -> None:
        begun.set()
        await connected_anew.wait()
        done.set()

    line = HomeLine(HOME.subscriptions, slow)
    publisher, outbox = publisher_of(broker, tmp_path, line, nothing)
    running = asyncio.create_task(publisher.run())
    async with listener(broker) as client, asyncio.timeout(30):
        await client.subscribe(topics.status(SITE, NODE), qos=1)
        await heard(client, 1)
        await asyncio.sleep(0.5)  # until it listens
        await client.publish(home.command(NODE, "privacy"), b"ON", qos=1)
        await begun.wait()
        publisher.reconnect()
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            if not message.retain and json.loads(message.payload)["state"] == "online":
                break
        connected_anew.set()
        await done.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    outbox.close()


async def test_more_wishes_than_can_wait_are_dropped_and_block_nothing() -> None:
    line = HomeLine()
    for _ in range(500):
        line.pass_on(HOME.wish_topic, b"light-on")
