"""The brokers: both let in the same people and hold them to the same topics."""

import asyncio
import contextlib
import fcntl
import os
import shutil
import signal
import socket
import struct
import subprocess
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import cast

import aiomqtt
import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from forge_hub.broker import child as child_module
from forge_hub.broker import users as users_module
from forge_hub.broker.child import BrokerChild, Kind, choose, mosquitto_program, reload_users
from forge_hub.broker.users import HUB_USER, BrokerUsers, may, mosquitto_acl
from forge_hub.errors import BrokerError
from forge_shared import topics
from forge_shared.ids import new_id

in_one_loop = pytest.mark.asyncio(loop_scope="module")
"""The brokers and their clients live through the whole module."""

SITE = "site"
KINDS: tuple[Kind, ...] = ("mosquitto", "amqtt")
INSTALL = "Mosquitto is not installed: `apt install mosquitto`"
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
GREEDY = [
    "#",
    "forge/#",
    f"forge/v1/{SITE}/#",
    f"forge/v1/{SITE}/+/ack",
    f"forge/v1/{SITE}/+/command/+",
    "+/+/+/+/status",
]


@dataclass
class Running:
    """A broker that runs, with its users' passwords."""

    kind: Kind
    port: int
    folder: Path
    users: BrokerUsers
    child: BrokerChild
    passwords: dict[str, str]

    def client(self, user: str, password: str | None = None, identifier: str | None = None) -> aiomqtt.Client:
        return aiomqtt.Client(
            "127.0.0.1",
            self.port,
            username=user,
            password=self.passwords[user] if password is None else password,
            identifier=identifier or f"test-{new_id()}",
            protocol=aiomqtt.ProtocolVersion.V311,
            timeout=5,
        )


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return cast("int", server.getsockname()[1])


def prepared(kind: Kind, folder: Path) -> Running:
    if kind == "mosquitto" and mosquitto_program() is None:
        if os.environ.get("CI") == "true":
            pytest.fail(INSTALL)
        pytest.skip(INSTALL)
    users = BrokerUsers(folder / "users")
    passwords = {name: users.issue(name) for name in (HUB_USER, "room-1", "room-2")}
    port = free_port()
    child = BrokerChild(kind, folder=folder, users=folder / "users", site=SITE, host="127.0.0.1", port=port)
    return Running(kind, port, folder, users, child, passwords)


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=KINDS)
async def broker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    running = prepared(request.param, tmp_path_factory.mktemp(request.param))
    await running.child.start()
    yield running
    await running.child.stop()


async def until(condition: Callable[[], bool], seconds: float = 15) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


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


def test_the_hub_has_its_site_and_no_other() -> None:
    for action in ("read", "write"):
        assert may(SITE, HUB_USER, action, f"forge/v1/{SITE}/#")
        assert not may(SITE, HUB_USER, action, "forge/v1/elsewhere/room-1/ack")
        assert not may(SITE, HUB_USER, action, "#")


# The user file.


def test_a_password_is_verified_and_not_stored(tmp_path: Path) -> None:
    users = BrokerUsers(tmp_path / "users")
    password = users.issue("room-1")
    assert users.verify("room-1", password)
    assert not users.verify("room-1", password + "x")
    assert not users.verify("room-2", password)
    assert password not in (tmp_path / "users").read_text()
    assert (tmp_path / "users").stat().st_mode & 0o077 == 0


def test_a_new_password_makes_the_old_one_void_and_leaves_the_others(tmp_path: Path) -> None:
    users = BrokerUsers(tmp_path / "users")
    old, other = users.issue("room-1"), users.issue("room-2")
    new = users.issue("room-1")
    assert not users.verify("room-1", old)
    assert users.verify("room-1", new)
    assert users.verify("room-2", other)
    assert users.names() == {"room-1", "room-2"}


@pytest.mark.parametrize("name", ["", "Room", "a b", "a:b", "a/b", "+", "#", "a\nb", "x" * 64])
def test_a_name_that_could_be_more_than_a_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BrokerError):
        BrokerUsers(tmp_path / "users").issue(name)
    assert not (tmp_path / "users").exists()


def test_mosquittos_own_hashes_are_verified(tmp_path: Path) -> None:
    program = shutil.which("mosquitto_passwd")
    if program is None:
        pytest.skip(INSTALL)
    path = tmp_path / "users"
    subprocess.run([program, "-c", "-b", path, "room-1", "secret"], check=True, capture_output=True, timeout=10)
    assert BrokerUsers(path).verify("room-1", "secret")
    assert not BrokerUsers(path).verify("room-1", "other")


@pytest.mark.parametrize(
    "line",
    [
        b"room-1:plain",
        b"room-1",
        b"room-1:$6$c2FsdHNhbHRzYWx0$" + b"A" * 86 + b"==",
        b"room-1:$7$0$c2FsdHNhbHRzYWx0$" + b"A" * 86 + b"==",
        b"room-1:$7$1000$c2FsdHNhbHRzYWx$" + b"A" * 86 + b"==",
        b"room-1:$7$1000$$",
        b"\xff\xfe:$7$",
    ],
)
def test_a_line_that_is_foreign_or_damaged_is_no_user_and_stops_nobody(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "users"
    password = BrokerUsers(path).issue("room-2")
    path.write_bytes(line + b"\n" + path.read_bytes())
    assert not BrokerUsers(path).verify("room-1", "plain")
    assert BrokerUsers(path).verify("room-2", password)
    assert BrokerUsers(path).names() == {"room-2"}


def test_of_two_who_write_the_user_file_at_once_neither_is_lost(tmp_path: Path) -> None:
    path, names = tmp_path / "users", [f"room-{number}" for number in range(16)]
    with ThreadPoolExecutor(8) as pool:
        passwords = dict(zip(names, pool.map(lambda name: BrokerUsers(path).issue(name), names), strict=True))
    assert all(BrokerUsers(path).verify(name, password) for name, password in passwords.items())


def test_a_writer_that_never_ends_is_an_error_and_no_wait_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(users_module, "LOCK_SECONDS", 0.1)
    with (tmp_path / "users.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(BrokerError, match="another program"):
            BrokerUsers(tmp_path / "users").issue("room-1")


def test_the_acl_of_mosquitto_is_written_from_the_same_table() -> None:
    lines = mosquitto_acl(SITE).splitlines()
    assert f"pattern write forge/v1/{SITE}/%u/event/#" in lines
    assert lines[-2:] == [f"user {HUB_USER}", f"topic readwrite forge/v1/{SITE}/#"]


# Both brokers, as they run.


@in_one_loop
async def test_who_has_a_password_is_let_in(broker: Running) -> None:
    for user in broker.passwords:
        async with broker.client(user):
            pass


@pytest.mark.parametrize(
    ("user", "password"),
    [("room-1", "wrong"), ("room-1", ""), ("nobody", "wrong"), ("", ""), ("room-1", "the other's"), (None, None)],
)
@in_one_loop
async def test_nobody_else_is_let_in(broker: Running, user: str | None, password: str | None) -> None:
    client = aiomqtt.Client(
        "127.0.0.1",
        broker.port,
        username=user,
        password=broker.passwords["room-2"] if password == "the other's" else password,
        protocol=aiomqtt.ProtocolVersion.V311,
        timeout=5,
    )
    with pytest.raises(aiomqtt.MqttError):
        async with client:
            pytest.fail("it was let in")


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
            await _publish(hub, retain=True, payload=b"")


@in_one_loop
async def test_asking_for_everything_brings_nothing_of_another_node(broker: Running) -> None:
    async with broker.client("room-1") as reader, broker.client(HUB_USER) as hub:
        await _publish(hub, retain=True)
        for greedy in GREEDY:
            with contextlib.suppress(aiomqtt.MqttError):
                await reader.subscribe(greedy, qos=1)
        await _publish(hub, retain=False)
        seen = {topic for topic, _ in await heard(reader)}
        await _publish(hub, retain=True, payload=b"")
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
async def test_a_node_cannot_push_another_off_by_its_client_id(broker: Running) -> None:
    async with broker.client("room-1", identifier="forge-site-room-1") as victim:
        with contextlib.suppress(aiomqtt.MqttError):
            async with broker.client("room-2", identifier="forge-site-room-1"):
                await asyncio.sleep(0.3)
        await victim.publish(topics.status(SITE, "room-1"), b"", qos=1)


async def _publish(client: aiomqtt.Client, *, retain: bool, payload: bytes = b"x") -> None:
    for topic in TOPICS:
        await client.publish(topic, payload, qos=1, retain=retain)


async def _die_with_will(broker: Running, user: str, topic: str) -> None:
    """Connect by hand (MQTT 3.1.1, section 3.1) and vanish without a word, so that the last will is published."""

    def text(value: str) -> bytes:
        return struct.pack("!H", len(value)) + value.encode()

    flags = 0b11000100  # user name, password, will at QoS 0
    body = text("MQTT") + bytes([4, flags]) + struct.pack("!H", 60)
    body += text(f"test-{new_id()}") + text(topic) + text("will") + text(user) + text(broker.passwords[user])
    length = bytes([len(body) % 128 | 0x80, len(body) // 128]) if len(body) > 127 else bytes([len(body)])
    reader, writer = await asyncio.open_connection("127.0.0.1", broker.port)
    writer.write(b"\x10" + length + body)
    with contextlib.suppress(asyncio.IncompleteReadError, OSError):
        await asyncio.wait_for(reader.readexactly(4), 5)
    writer.transport.abort()
    await asyncio.sleep(0.1)


# The child.


@in_one_loop
async def test_a_user_who_is_enrolled_later_is_let_in_and_an_old_password_is_not(broker: Running) -> None:
    old = broker.users.issue("room-7")
    new = broker.users.issue("room-7")
    reload_users(broker.child.pid_file)
    await asyncio.sleep(0.3)
    async with broker.client("room-7", new):
        pass
    with pytest.raises(aiomqtt.MqttError):
        async with broker.client("room-7", old):
            pytest.fail("it was let in")


@pytest.mark.parametrize("kind", KINDS)
@in_one_loop
async def test_a_broker_that_is_killed_is_started_again(
    kind: Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child_module, "RESTART_SECONDS", (0.01, 0.1))
    running = prepared(kind, tmp_path)
    await running.child.start()
    watching = asyncio.create_task(running.child.watch())
    try:
        first = int(running.child.pid_file.read_text())
        os.kill(first, signal.SIGKILL)
        await until(lambda: int(running.child.pid_file.read_text()) != first and running.child.state == "ok")
        async with running.client("room-1"):
            pass
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await running.child.stop()
    assert not running.child.pid_file.exists()


@in_one_loop
async def test_a_broker_that_a_killed_hub_left_behind_is_replaced(tmp_path: Path) -> None:
    left_behind = prepared("mosquitto", tmp_path)
    await left_behind.child.start()
    orphan = int(left_behind.child.pid_file.read_text())
    again = BrokerChild(
        "mosquitto", folder=tmp_path, users=tmp_path / "users", site=SITE, host="127.0.0.1", port=left_behind.port
    )
    try:
        await again.start()
        assert int(again.pid_file.read_text()) != orphan
        async with left_behind.client("room-1"):
            pass
    finally:
        await again.stop()
        await left_behind.child.stop()


@in_one_loop
async def test_a_process_id_that_is_somebody_elses_now_is_left_alone(tmp_path: Path) -> None:
    running = prepared("mosquitto", tmp_path)
    bystander = await asyncio.create_subprocess_exec("sleep", "30")
    running.child.pid_file.write_text(str(bystander.pid))
    try:
        await running.child.start()
        assert bystander.returncode is None
    finally:
        await running.child.stop()
        bystander.kill()
        await bystander.wait()


@pytest.mark.parametrize("kind", KINDS)
@in_one_loop
async def test_a_port_that_is_taken_is_found(kind: Kind, tmp_path: Path) -> None:
    running = prepared(kind, tmp_path)
    with socket.create_server(("127.0.0.1", running.port)):
        try:
            with pytest.raises(BrokerError, match="taken"):
                await running.child.start()
        finally:
            await running.child.stop()


@in_one_loop
async def test_a_stranger_who_takes_the_port_in_the_last_moment_is_not_our_broker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unseen(_: BrokerChild) -> None:
        return

    monkeypatch.setattr(BrokerChild, "_check_port", unseen)
    running = prepared("mosquitto", tmp_path)
    with socket.create_server(("127.0.0.1", running.port)):
        try:
            with pytest.raises(BrokerError, match="taken"):
                await running.child.start()
        finally:
            await running.child.stop()


@in_one_loop
async def test_a_death_is_logged_once_and_so_is_the_recovery(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_module, "RESTART_SECONDS", (0.01, 0.05))
    monkeypatch.setattr(child_module, "STEADY_SECONDS", 0.5)
    running = prepared("mosquitto", tmp_path)

    def started_again(before: str) -> bool:
        return running.child.pid_file.read_text() != before and running.child.state == "ok"

    with capture_logs() as logs:
        await running.child.start()
        watching = asyncio.create_task(running.child.watch())
        try:
            for _ in range(3):
                first = running.child.pid_file.read_text()
                os.kill(int(first), signal.SIGKILL)
                await until(partial(started_again, first))
            await until(lambda: any(line["event"] == "broker.restarted" for line in logs))
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            await running.child.stop()
    assert [line["event"] for line in logs] == ["broker.started", "broker.died", "broker.restarted"]


@in_one_loop
async def test_asking_for_mosquitto_where_there_is_none_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_module, "mosquitto_program", lambda: None)
    assert choose("auto") == choose("amqtt") == "amqtt"
    with pytest.raises(BrokerError, match="apt install mosquitto"):
        choose("mosquitto")
