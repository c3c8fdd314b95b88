"""Sends the outbox to the hub and forgets what the hub has committed.

A broker's PUBACK is no arrival: rows leave the outbox on the hub's own acknowledgement only. Whatever is not
acknowledged in time is sent again; a repeat is harmless. Alarms overtake records.
"""

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Protocol

import aiomqtt
from aiomqtt import ProtocolVersion
from pydantic import ValidationError

from forge_edge.outbox.home_line import HomeLine
from forge_edge.outbox.outboxes import Outboxes
from forge_edge.outbox.transit import WINDOW, Transit
from forge_shared import topics
from forge_shared.backoff import Backoff
from forge_shared.clock import Clock
from forge_shared.errors import SignatureError, TopicInvalidError
from forge_shared.logs import get_logger
from forge_shared.mqtt import Version, VersionChoice
from forge_shared.tasks import until_first_failure
from forge_shared.wire import (
    COMMANDS,
    PROTOCOL,
    Acknowledgement,
    Command,
    LanePosition,
    Status,
    TwinDesired,
    TwinReported,
)

BURST = 20
"""Records sent before alarms are looked for again."""
RECONNECT_SECONDS = (0.2, 20.0)
"""First and longest wait before connecting again, with full jitter."""
KEEPALIVE_SECONDS = 4
"""Room and hub must know within ten seconds that they lost each other: the broker gives up after one and a half of it
(MQTT 5, section 3.1.2.10), a client after twice.
"""
TIMEOUT_SECONDS = 5.0
"""For a connection, and for the broker to take a message."""
LEAVE_SECONDS = 1.0  # for the broker to take it that the node is being stopped
_PROTOCOLS: dict[Version, ProtocolVersion] = {"5": ProtocolVersion.V5, "3.1.1": ProtocolVersion.V311}

log = get_logger()


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Where the broker is, and who the node is there: its certificate, as it is at the moment of a connection."""

    host: str
    port: int
    tls: Callable[[], ssl.SSLContext]


class Voice(Protocol):
    """Tells what the hub has said from what merely came in its name."""

    def read(self, topic: str, message: bytes) -> bytes:
        """Return what a message says, JSON.

        Raises:
            SignatureError: It is not the hub's; it has no effect.
        """

    def is_repeated(self, topic: str, content: bytes) -> bool:
        """Tell whether what was read came before; it counts as having come from then on."""


class Publisher:
    """Keeps one connection to the broker and the outbox moving over it. Runs on the event loop.

    Args:
        outboxes: Where events wait.
        address: The broker.
        site: Name of the site.
        node: Name of the node.
        version: The node's version, for birth and twin.
        version_file: Remembers the MQTT version that worked.
        clock: Measures waits.
        voice: Reads twins and commands.
        on_command: Called with every valid command that has not expired, once.
        on_desired: Called with how the hub wants the node to be, on every connection and at every change.
        on_hub: Called with whether the hub is known to be listening, on every change.
        on_acknowledged: Called with every position up to which the hub has newly committed.
        on_protocol: Called with what the hub speaks whenever it says so; must not block.
        on_hub_time: Called with the hub's time when it says it; must not block.
        home: What the room tells Home Assistant and hears from it.
    """

    def __init__(  # noqa: PLR0913 (the composition root's wiring, by keyword)
        self,
        outboxes: Outboxes,
        address: BrokerAddress,
        *,
        site: str,
        node: str,
        version: str,
        version_file: Path,
        clock: Clock,
        voice: Voice,
        on_command: Callable[[Command], Awaitable[None]],
        on_desired: Callable[[TwinDesired], Awaitable[None]],
        on_hub: Callable[[bool], Awaitable[None]],
        on_acknowledged: Callable[[LanePosition], Awaitable[None]],
        on_protocol: Callable[[int], None] = lambda _: None,
        on_hub_time: Callable[[datetime], None] = lambda _: None,
        home: HomeLine | None = None,
    ) -> None:
        self._address = address
        self._site = site
        self._node = node
        self._version = version
        self._clock = clock
        self._voice = voice
        self._on_command = on_command
        self._on_desired = on_desired
        self._on_hub = on_hub
        self._on_acknowledged = on_acknowledged
        self._on_protocol = on_protocol
        self._on_hub_time = on_hub_time
        self._wake = asyncio.Event()
        self._reconnect = asyncio.Event()
        self._transit = Transit(outboxes, clock)
        self._hub_online = False
        self._version_choice = VersionChoice(version_file)
        self.home = home or HomeLine()
        self._twin: TwinReported | None = None
        self._twin_dirty = False

    def wake(self) -> None:
        """Say that the outbox has something new."""
        self._wake.set()

    def report(self, twin: TwinReported) -> None:
        """Say how the node is; only the newest report is sent."""
        self._twin, self._twin_dirty = twin, True
        self._wake.set()

    def reconnect(self) -> None:
        """Say that the node's certificate is a new one: the connection is made again with it. No event is lost."""
        self._reconnect.set()

    async def run(self) -> None:
        """Connect and send until cancelled. Trouble is logged once, recovery once."""
        await until_first_failure(self._stay_connected(), self.home.hear())

    async def _stay_connected(self) -> None:
        backoff = Backoff(*RECONNECT_SECONDS)
        while True:
            connected = False
            try:
                async with self._client() as client:
                    connected = True
                    self._version_choice.succeeded()
                    if failures := backoff.succeeded():
                        log.info("broker.recovered", after_failures=failures)
                    try:
                        await self._serve(client)
                    except asyncio.CancelledError:
                        await self._leave(client)
                        raise
            except aiomqtt.MqttError as error:
                await self._set_hub(online=False)
                if backoff.failures == 0:
                    log.warning("broker.lost", error=type(error).__name__)
                if not connected:
                    self._version_choice.failed(error)
            await asyncio.sleep(backoff.failed())

    async def _leave(self, client: aiomqtt.Client) -> None:
        # A broker throws away the last will of who leaves in order.
        with contextlib.suppress(aiomqtt.MqttError, TimeoutError):
            async with asyncio.timeout(LEAVE_SECONDS):
                await client.publish(topics.status(self._site, self._node), self._offline, qos=1, retain=True)

    @property
    def _offline(self) -> bytes:
        return Status(state="offline", version=self._version, protocol=PROTOCOL).model_dump_json().encode()

    def _client(self) -> aiomqtt.Client:
        return aiomqtt.Client(
            self._address.host,
            self._address.port,
            identifier=f"forge-{self._site}-{self._node}",
            tls_context=self._address.tls(),
            protocol=_PROTOCOLS[self._version_choice.version],
            keepalive=KEEPALIVE_SECONDS,
            timeout=TIMEOUT_SECONDS,
            will=aiomqtt.Will(topics.status(self._site, self._node), self._offline, qos=1, retain=True),
            # Overflow: the newest message is refused. Acknowledgements repeat and commands expire.
            max_queued_incoming_messages=1000,
        )

    async def _serve(self, client: aiomqtt.Client) -> None:
        self._reconnect.clear()
        self._transit.rewind()
        for topic in (
            topics.ack(self._site, self._node),
            # Before the commands: what is consented to must be known when one asks for a session.
            topics.twin_desired(self._site, self._node),
            topics.commands_of(self._site, self._node),
            topics.status(self._site, topics.HUB),
        ):
            await client.subscribe(topic, qos=1)
        birth = Status(state="online", version=self._version, protocol=PROTOCOL)
        await client.publish(
            topics.status(self._site, self._node), birth.model_dump_json().encode(), qos=1, retain=True
        )
        await self.home.begin(client)
        self._twin_dirty = self._twin is not None
        log.info("broker.connected", mqtt=self._version_choice.version)
        await until_first_failure(
            self._receive(client), self._send(client), self.home.serve(client), self._until_told_to_reconnect()
        )

    async def _until_told_to_reconnect(self) -> None:
        await self._reconnect.wait()

    async def _receive(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            payload = message.payload if isinstance(message.payload, bytes) else b""
            topic = str(message.topic)
            try:
                if self.home.receive(message):
                    continue
                _, sender, path = topics.parse_node(topic)
                if sender == topics.HUB:
                    await self._set_hub(online=Status.model_validate_json(payload).state == "online")
                elif path == "ack":
                    await self._acknowledge(Acknowledgement.model_validate_json(payload))
                elif path == "twin/desired":
                    await self._on_desired(TwinDesired.model_validate_json(self._voice.read(topic, payload)))
                elif path.startswith("command/"):
                    await self._command(topic, path.removeprefix("command/"), payload)
            except (ValidationError, TopicInvalidError):
                log.warning("message.unreadable", topic_kind=topic.rsplit("/", 1)[-1][:40])
            except SignatureError:
                continue  # the voice has said so

    async def _command(self, topic: str, name: str, payload: bytes) -> None:
        kind = next((kind for known, kind in COMMANDS.items() if known == name), None)
        if kind is None:
            log.warning("command.unknown")
            return
        content = self._voice.read(topic, payload)
        command = kind.model_validate_json(content)
        if command.expires_at < self._clock.now():
            log.warning("command.expired", command=command.name)
            return
        if self._voice.is_repeated(topic, content):
            log.info("command.repeated", command=command.name)
            return
        await self._on_command(command)

    async def _acknowledge(self, message: Acknowledgement) -> None:
        if message.at is not None:
            self._on_hub_time(message.at)
        self._transit.record_window = WINDOW if message.window is None else message.window
        # A hub that does not say what it speaks is of the first protocol.
        self._on_protocol(message.protocol or 1)
        for position in message.positions:
            reached = await self._transit.acknowledge(position)
            if reached is not None:
                await self._on_acknowledged(reached)
        self._wake.set()

    async def _set_hub(self, *, online: bool) -> None:
        if online and not self._hub_online:
            self._transit.rewind()
        if online != self._hub_online:
            self._hub_online = online
            await self._on_hub(online)
        self._wake.set()

    async def _send(self, client: aiomqtt.Client) -> None:
        while True:
            self._wake.clear()
            if self._twin_dirty and self._twin is not None:
                self._twin_dirty = False
                payload = self._twin.model_dump_json().encode()
                await client.publish(topics.twin_reported(self._site, self._node), payload, qos=1, retain=True)
            self._transit.follow()
            send = partial(_send, client)
            if await self._transit.send(send, "alarm", WINDOW) or await self._transit.send(send, "record", BURST):
                continue
            if self._transit.resend_overdue():
                continue
            try:
                async with asyncio.timeout(self._transit.seconds_to_next_resend()):
                    await self._wake.wait()
            except TimeoutError:
                continue


async def _send(client: aiomqtt.Client, topic: str, message: bytes) -> None:
    await client.publish(topic, message, qos=1)
