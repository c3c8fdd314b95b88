"""The brokers: both let in the same people and hold them to the same topics."""

import asyncio
import contextlib
import os
import signal
import ssl
import struct
import tempfile
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiomqtt
import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fakes.running_broker import KINDS, SITE, Running, prepared

from forge_hub.broker.users import HOME_USER, HUB_USER, Action, may, mosquitto_acl
from forge_hub.fleet.authority import Authority
from forge_shared import home, topics
from forge_shared.clock import SystemClock
from forge_shared.ids import new_id

in_one_loop = pytest.mark.asyncio(loop_scope="module")
"""The brokers and their clients live through the whole module."""

EPOCH = new_id()


def own(node: str) -> list[str]:
    """Every topic that exists below a node."""
    return [
        f"forge/v1/{SITE}/{node}/event/{EPOCH}/alarm/1",
        topics.status(SITE, node),
        topics.twin_reported(SITE, node),
        topics.twin_desired(SITE, node),
        topics.ack(SITE, node),
        topics.command(SITE, node, "start-session"),
    ]


TOPICS = [*own("room-1"), *own("room-2"), topics.status(SITE, HUB_USER), f"forge/v1/{SITE}/room-1/else"]
HOME_TOPICS = [
    home.BIRTH,
    *(
        topic
        for node in ("room-1", "room-2")
        for topic in (
            home.config(node),
            home.state(node),
            home.command(node, "privacy"),
            home.models_config(node),
            home.model_state(node, "voice"),
            home.install(node, "voice"),
            f"homeassistant/device_automation/{node}/wish",
            f"homeassistant/binary_sensor/{node}/made-up/config",
            topics.status(SITE, node),
        )
    ),
]
GREEDY = [
    "#",
    "forge/#",
    f"forge/v1/{SITE}/#",
    f"forge/v1/{SITE}/+/ack",
    f"forge/v1/{SITE}/+/command/+",
    "+/+/+/+/status",
]


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=KINDS)
async def broker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    running = prepared(request.param, tmp_path_factory.mktemp(request.param))
    await running.child.start()
    yield running
    await running.child.stop()


async def heard(client: aiomqtt.Client, seconds: float = 0.5) -> list[tuple[str, bytes]]:
    """Return what arrives until nothing has for a while."""
    messages: list[tuple[str, bytes]] = []
    stream = aiter(client.messages)
    with contextlib.suppress(TimeoutError):
        while True:
            async with asyncio.timeout(seconds):
                message = await anext(stream)
            messages.append((str(message.topic), message.payload))
    return messages


# The table.


@settings(max_examples=200)
@given(
    node=st.from_regex(r"[a-z0-9][a-z0-9-]{0,8}", fullmatch=True).filter(lambda name: name != HUB_USER),
    other=st.from_regex(r"[a-z0-9][a-z0-9-]{0,8}", fullmatch=True),
    rest=st.lists(st.sampled_from(["event", "ack", "command", "status", "twin", "desired", "+", "#", "x"]), max_size=4),
)
def test_a_node_has_nothing_to_do_with_another_nodes_topics(node: str, other: str, rest: list[str]) -> None:
    topic = "/".join([topics.PREFIX, SITE, other, *rest])
    if other == node:
        return
    assert not may(SITE, node, "write", topic)
    assert may(SITE, node, "read", topic) is (topic == topics.status(SITE, HUB_USER))


@pytest.mark.parametrize("greedy", [*GREEDY, f"$share/x/forge/v1/{SITE}/#", "$SYS/#", "forge/v1/elsewhere/room-1/ack"])
def test_a_node_may_not_ask_for_more_than_its_own(greedy: str) -> None:
    assert not may(SITE, "room-1", "read", greedy)


def test_a_node_reads_and_writes_what_it_needs_and_nothing_the_other_way_round() -> None:
    writable = {topic for topic in own("room-1") if may(SITE, "room-1", "write", topic)}
    readable = {topic for topic in own("room-1") if may(SITE, "room-1", "read", topic)}
    assert writable == set(own("room-1")[:3])
    assert readable == set(own("room-1")[3:])


def test_a_node_announces_itself_to_home_assistant_and_hears_it_and_no_other() -> None:
    base = "homeassistant/device/room-1"
    rules: list[tuple[Action, Action, str]] = [
        ("write", "read", f"{base}/config"),
        ("write", "read", f"{base}/state"),
        ("write", "read", "homeassistant/device_automation/room-1/wish"),
        ("read", "write", f"{base}/command/privacy"),
        ("read", "write", "homeassistant/status"),
    ]
    for action, other, topic in rules:
        assert may(SITE, "room-1", action, topic)
        assert not may(SITE, "room-1", other, topic)
        if "room-1" in topic:
            assert not may(SITE, "room-1", action, topic.replace("room-1", "room-2"))


def test_what_home_assistant_asks_of_the_models_the_hub_hears_and_no_room() -> None:
    asked = home.install("room-1", "voice")
    assert may(SITE, HOME_USER, "write", asked)
    assert may(SITE, HUB_USER, "read", asked)
    assert may(SITE, HUB_USER, "write", home.models_config("room-1"))
    assert not may(SITE, HUB_USER, "write", home.config("room-1"))
    assert not may(SITE, HUB_USER, "write", home.command("room-1", "privacy"))
    for node in ("room-1", "room-2", "models"):
        for action in ("read", "write"):
            assert not may(SITE, node, action, asked)
            assert not may(SITE, node, action, home.models_config("room-1"))


def test_home_assistant_sees_who_is_there_and_nothing_else_of_the_site() -> None:
    for node in ("room-1", HUB_USER):
        assert may(SITE, HOME_USER, "read", topics.status(SITE, node))
        assert not may(SITE, HOME_USER, "write", topics.status(SITE, node))
    for topic in own("room-1")[:1] + own("room-1")[2:]:
        for action in ("read", "write"):
            assert not may(SITE, HOME_USER, action, topic)
    for topic in (home.config("room-1"), home.state("room-1"), home.models_config("room-1")):
        assert may(SITE, HOME_USER, "read", topic)
        assert not may(SITE, HOME_USER, "write", topic)


def test_the_hub_has_its_site_and_no_other() -> None:
    for action in ("read", "write"):
        assert may(SITE, HUB_USER, action, f"forge/v1/{SITE}/#")
        assert not may(SITE, HUB_USER, action, "forge/v1/elsewhere/room-1/ack")
        assert not may(SITE, HUB_USER, action, "#")


def test_the_acl_of_mosquitto_is_written_from_the_same_table() -> None:
    lines = mosquitto_acl(SITE).splitlines()
    assert f"pattern write forge/v1/{SITE}/%u/event/#" in lines
    of_hub = lines[lines.index(f"user {HUB_USER}") :]
    assert {f"topic read forge/v1/{SITE}/#", f"topic write forge/v1/{SITE}/#"} <= set(of_hub)
    assert "topic write homeassistant/device/+/command/+" not in of_hub


# Both brokers, as they run.


@in_one_loop
async def test_who_has_a_certificate_of_the_site_is_let_in(broker: Running) -> None:
    for user in broker.contexts:
        async with broker.client(user):
            pass


def stranger(broker: Running, folder: Path, who: str) -> ssl.SSLContext:
    """Return TLS settings that trust the broker and show what it must not accept."""
    context = ssl.create_default_context(cafile=str(broker.authority.certificate_file))
    if who == "nobody":
        return context
    if who == "of another site":
        other = Authority(folder / "other", SystemClock())
        other.prepare("elsewhere", ())
        shown = other.issue("room-1", timedelta(days=1))
    elif who == "over":
        shown = broker.authority.issue("room-1", timedelta(seconds=-1))
    elif who == "the hub's server certificate":
        context.load_cert_chain(broker.authority.server_certificate_file, broker.authority.server_key_file)
        return context
    else:
        shown = broker.authority.issue("room-1", timedelta(days=1))
        broker.authority.revoke({shown.parsed.serial_number: datetime.now(UTC)})
        os.kill(int(broker.child.pid_file.read_text()), signal.SIGHUP)
        time.sleep(0.5)
    (folder / "shown.pem").write_bytes(shown.certificate + shown.key)
    context.load_cert_chain(folder / "shown.pem")
    return context


@pytest.mark.parametrize("who", ["nobody", "of another site", "over", "revoked", "the hub's server certificate"])
@in_one_loop
async def test_nobody_else_is_let_in(broker: Running, tmp_path: Path, who: str) -> None:
    context = stranger(broker, tmp_path, who)
    with pytest.raises(aiomqtt.MqttError):
        async with broker.client("room-1", context=context, username=HUB_USER, password="x"):
            pytest.fail("it was let in")


@in_one_loop
async def test_a_name_in_the_packet_does_not_change_who_one_is(broker: Running) -> None:
    async with broker.client(HUB_USER) as hub:
        await hub.subscribe(f"forge/v1/{SITE}/#", qos=1)
        with contextlib.suppress(aiomqtt.MqttError):
            async with broker.client("room-1", identifier="room-2", username="room-2", password="x") as writer:
                await writer.publish(topics.status(SITE, "room-2"), b"forged", qos=1)
        assert (topics.status(SITE, "room-2"), b"forged") not in await heard(hub)


@in_one_loop
async def test_a_session_that_one_left_is_not_anothers_to_continue(broker: Running) -> None:
    async with broker.client("room-2", identifier="room-2", clean_session=False) as victim:
        await victim.subscribe(topics.ack(SITE, "room-2"), qos=1)
    async with (
        broker.client("room-1", identifier="room-2", clean_session=False) as thief,
        broker.client(HUB_USER) as hub,
    ):
        await hub.publish(topics.ack(SITE, "room-2"), b"not yours", qos=1)
        assert await heard(thief) == []


@in_one_loop
async def test_a_revoked_node_is_cut_and_kept_out_within_five_seconds_and_nobody_else_is(broker: Running) -> None:
    issued = broker.authority.issue("room-8", timedelta(days=1))
    with tempfile.NamedTemporaryFile() as file:
        file.write(issued.certificate + issued.key)
        file.flush()
        context = ssl.create_default_context(cafile=str(broker.authority.certificate_file))
        context.load_cert_chain(file.name)
    status = topics.status(SITE, "room-8")
    will = aiomqtt.Will(status, b"gone", qos=1)
    async with broker.client("room-1") as other, broker.client(HUB_USER) as hub:
        await hub.subscribe(status, qos=1)
        assert await _seconds_until_cut(broker, context, will, issued.parsed.serial_number) < 5
        with pytest.raises(aiomqtt.MqttError):
            async with broker.client("room-8", context=context):
                pytest.fail("it was let in")
        assert [payload for _, payload in await heard(hub)] == [b"here", b"gone"]
        await other.publish(topics.status(SITE, "room-1"), b"", qos=1)


@pytest.mark.parametrize("user", ["room-1", HUB_USER])
@in_one_loop
async def test_what_is_written_arrives_exactly_where_the_table_allows_it(broker: Running, user: str) -> None:
    async with broker.client(HUB_USER) as hub:
        await hub.subscribe(f"forge/v1/{SITE}/#", qos=1)
        for topic in TOPICS:
            # A broker may end the connection of who writes where it may not.
            # Mosquitto knows a client by its user, so that a second one of the hub would push off the first.
            with contextlib.suppress(aiomqtt.MqttError):
                async with contextlib.nullcontext(hub) if user == HUB_USER else broker.client(user) as writer:
                    await writer.publish(topic, user.encode(), qos=1)
        arrived = {topic for topic, payload in await heard(hub) if payload == user.encode()}
    assert arrived == {topic for topic in TOPICS if may(SITE, user, "write", topic)}


@pytest.mark.parametrize("user", ["room-1", HUB_USER])
@in_one_loop
async def test_what_is_read_is_exactly_what_the_table_allows(broker: Running, user: str) -> None:
    allowed = {topic for topic in TOPICS if may(SITE, user, "read", topic)}
    for retain in (False, True):
        async with (
            broker.client(HUB_USER) as hub,
            contextlib.nullcontext(hub) if user == HUB_USER else broker.client(user) as reader,
        ):
            if retain:
                await _publish(hub, retain=True)
            for topic in TOPICS:
                with contextlib.suppress(aiomqtt.MqttError):
                    await reader.subscribe(topic, qos=1)
            if not retain:
                await _publish(hub, retain=False)
            assert {topic for topic, _ in await heard(reader)} == allowed, f"retained: {retain}"
            await _forget(hub)


@pytest.mark.parametrize("writes", ["room-1", HOME_USER, HUB_USER])
@in_one_loop
async def test_what_passes_between_rooms_hub_and_home_assistant_is_what_the_table_allows(
    broker: Running, writes: str
) -> None:
    others = {"room-1", "room-2", HOME_USER, HUB_USER} - {writes}
    async with contextlib.AsyncExitStack() as stack:
        readers = {user: await stack.enter_async_context(broker.client(user)) for user in others}
        for reader in readers.values():
            for topic in HOME_TOPICS:
                with contextlib.suppress(aiomqtt.MqttError):
                    await reader.subscribe(topic, qos=1)
        for topic in HOME_TOPICS:
            with contextlib.suppress(aiomqtt.MqttError):
                async with broker.client(writes) as writer:
                    await writer.publish(topic, writes.encode(), qos=1)
        for user, reader in readers.items():
            arrived = {topic for topic, payload in await heard(reader) if payload == writes.encode()}
            assert arrived == {
                topic for topic in HOME_TOPICS if may(SITE, writes, "write", topic) and may(SITE, user, "read", topic)
            }, user


@in_one_loop
async def test_asking_for_everything_brings_nothing_of_another_node(broker: Running) -> None:
    async with broker.client("room-1") as reader, broker.client(HUB_USER) as hub:
        await _publish(hub, retain=True)
        for greedy in GREEDY:
            with contextlib.suppress(aiomqtt.MqttError):
                await reader.subscribe(greedy, qos=1)
        await _publish(hub, retain=False)
        seen = {topic for topic, _ in await heard(reader)}
        await _forget(hub)
    assert {topic for topic in seen if not may(SITE, "room-1", "read", topic)} == set()


@in_one_loop
async def test_a_last_will_is_held_to_the_table_too(broker: Running) -> None:
    async with broker.client(HUB_USER) as hub:
        await hub.subscribe(f"forge/v1/{SITE}/#", qos=1)
        for topic in (topics.status(SITE, "room-1"), own("room-2")[0], topics.status(SITE, "room-2")):
            await _die_with_will(broker, "room-1", topic)
        arrived = {topic for topic, payload in await heard(hub, 1.5) if payload == b"will"}
    assert arrived == {topics.status(SITE, "room-1")}


@in_one_loop
async def test_nobody_but_the_hub_says_what_is_committed(broker: Running, tmp_path: Path) -> None:
    forged = b'{"positions": []}'
    for retain in (False, True):
        async with broker.client("room-2") as victim, broker.client(HUB_USER) as hub:
            await victim.subscribe(topics.ack(SITE, "room-2"), qos=1)
            await hub.subscribe(f"forge/v1/{SITE}/+/ack", qos=1)
            for target in ("room-1", "room-2"):
                with contextlib.suppress(aiomqtt.MqttError):
                    async with broker.client("room-1") as forger:
                        await forger.publish(topics.ack(SITE, target), forged, qos=1, retain=retain)
            assert await heard(hub) == [], "neither to another room nor to itself"
            await hub.publish(topics.ack(SITE, "room-2"), b"true", qos=1)
            assert [payload for _, payload in await heard(victim)] == [b"true"]
    with pytest.raises(aiomqtt.MqttError):
        async with broker.client("hub", context=stranger(broker, tmp_path, "nobody"), username=HUB_USER) as nobody:
            await nobody.publish(topics.ack(SITE, "room-2"), forged, qos=1)


@in_one_loop
async def test_no_topic_that_a_room_can_write_stops_who_reads_it(broker: Running) -> None:
    own_events = f"forge/v1/{SITE}/room-1/event/".encode()
    wrong = (b"\xff\xfe", b"\xed\xa0\x80", b"\xc0\x80", b"\x00", b"+", b"#", b"\xef\xbf\xbf", b"\r\n", b"x" * 60_000)
    async with broker.client(HUB_USER) as hub:
        await hub.subscribe(topics.all_events(SITE), qos=1)
        for ending in wrong:
            await _write_by_hand(broker, "room-1", own_events + ending)
        async with broker.client("room-1") as writer:
            await writer.publish(own("room-1")[0], b"an alarm", qos=1)
        arrived = await heard(hub, 1)
    assert arrived[-1] == (own("room-1")[0], b"an alarm")


@in_one_loop
async def test_a_node_cannot_push_another_off_by_its_client_id(broker: Running) -> None:
    async with broker.client("room-1", identifier="forge-site-room-1") as victim:
        with contextlib.suppress(aiomqtt.MqttError):
            async with broker.client("room-2", identifier="forge-site-room-1"):
                await asyncio.sleep(0.3)
        await victim.publish(topics.status(SITE, "room-1"), b"", qos=1)


async def _seconds_until_cut(broker: Running, context: ssl.SSLContext, will: aiomqtt.Will, serial: int) -> float:
    started = 0.0
    try:
        async with broker.client("room-8", context=context, will=will) as revoked:
            await revoked.publish(will.topic, b"here", qos=1)
            started = time.monotonic()
            broker.authority.revoke({serial: datetime.now(UTC)})
            applying = asyncio.create_task(broker.child.apply_revocations(["room-8"]))
            await anext(aiter(revoked.messages))
    except aiomqtt.MqttError:
        cut = time.monotonic() - started
        await applying
        return cut
    return float("inf")


async def _publish(client: aiomqtt.Client, *, retain: bool, payload: bytes = b"x") -> None:
    for topic in TOPICS:
        await client.publish(topic, payload, qos=1, retain=retain)


async def _forget(hub: aiomqtt.Client) -> None:
    """Clear what is retained, and wait for it: amqtt acknowledges first and drops what waits when its sender leaves."""
    last = topics.status(SITE, "last-word")
    await hub.subscribe(last, qos=1)
    await _publish(hub, retain=True, payload=b"")
    await hub.publish(last, b"done", qos=1)
    async with asyncio.timeout(10):
        async for message in hub.messages:
            if str(message.topic) == last:
                return


async def _write_by_hand(broker: Running, user: str, topic: bytes) -> None:
    """Publish with QoS 0 on a topic that no client library would let through (MQTT 3.1.1, sections 3.1 and 3.3)."""

    def packet(kind: int, body: bytes) -> bytes:
        length, rest = bytearray(), len(body)
        while rest or not length:
            length.append(rest % 128 | (0x80 if rest >= 128 else 0))
            rest //= 128
        return bytes([kind]) + bytes(length) + body

    def text(value: bytes) -> bytes:
        return struct.pack("!H", len(value)) + value

    reader, writer = await asyncio.open_connection("127.0.0.1", broker.port, ssl=broker.contexts[user])
    greeting = text(b"MQTT") + bytes([4, 2]) + struct.pack("!H", 60) + text(f"test-{new_id()}".encode())
    writer.write(packet(0x10, greeting))
    await asyncio.wait_for(reader.readexactly(4), 5)
    writer.write(packet(0x30, text(topic) + b"x"))
    writer.write(packet(0xE0, b""))
    with contextlib.suppress(OSError, TimeoutError):  # a broker may end the connection of who writes that
        await writer.drain()
        await asyncio.wait_for(reader.read(), 0.3)
    writer.transport.abort()


async def _die_with_will(broker: Running, user: str, topic: str) -> None:
    """Connect by hand (MQTT 3.1.1, section 3.1) and vanish without a word, so that the last will is published."""

    def text(value: str) -> bytes:
        return struct.pack("!H", len(value)) + value.encode()

    flags = 0b00000110  # clean session, will at QoS 0
    body = text("MQTT") + bytes([4, flags]) + struct.pack("!H", 60)
    body += text(f"test-{new_id()}") + text(topic) + text("will")
    length = bytes([len(body) % 128 | 0x80, len(body) // 128]) if len(body) > 127 else bytes([len(body)])
    reader, writer = await asyncio.open_connection("127.0.0.1", broker.port, ssl=broker.contexts[user])
    writer.write(b"\x10" + length + body)
    with contextlib.suppress(asyncio.IncompleteReadError, OSError):
        await asyncio.wait_for(reader.readexactly(4), 5)
    writer.transport.abort()
    await asyncio.sleep(0.1)
