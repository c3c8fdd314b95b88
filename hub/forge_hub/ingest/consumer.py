"""The hub's connection to the broker: takes events in, acknowledges, keeps the rooms' states, sends commands."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import aiomqtt
from aiomqtt import ProtocolVersion
from pydantic import SecretStr
from sqlalchemy.exc import SQLAlchemyError

from forge_hub.errors import BrokerError
from forge_hub.fleet.rooms import Rooms
from forge_hub.ingest.store import Arrived, IngestStore
from forge_shared import topics
from forge_shared.backoff import Backoff
from forge_shared.errors import TopicInvalidError
from forge_shared.logs import get_logger
from forge_shared.mqtt import Version, VersionChoice
from forge_shared.tasks import until_first_failure
from forge_shared.wire import Acknowledgement, Status

BATCH = 200
"""Messages committed in one transaction at most: one fsync for many, and an alarm never waits behind more."""
QUEUE = 2000
"""Messages held in memory. Overflow: the newest is refused; unacknowledged, it is sent again by its node."""
KEEPALIVE_SECONDS = 4
"""Room and hub must know within ten seconds that they lost each other: the broker gives up after one and a half of it
(MQTT 5, section 3.1.2.10), a client after twice.
"""
TIMEOUT_SECONDS = 5.0
"""For a connection, and for the broker to take a message."""
_PROTOCOLS: dict[Version, ProtocolVersion] = {"5": ProtocolVersion.V5, "3.1.1": ProtocolVersion.V311}
RECONNECT_SECONDS = (0.2, 5.0)

log = get_logger()


@dataclass(frozen=True, slots=True)
class BrokerLogin:
    """Where the broker is and who the hub is there: by certificate, by user name and password, or by both."""

    host: str
    port: int
    username: str | None = None
    password: SecretStr | None = None
    tls: ssl.SSLContext | None = None


class Consumer:
    """The hub's one MQTT client. Runs on the event loop.

    Args:
        site: Name of the site.
        login: The broker.
        store: Where events are committed.
        rooms: Where births, last wills and twins are kept.
        version: The hub's version, for its birth.
        version_file: Remembers the MQTT version that worked.
        on_committed: Called after every commit that brought something new, before the acknowledgement is sent; must not
            block.
        on_connected: Called when the broker has been reached and messages can be published.
        on_room: Called with node, path below the node and payload when a node came online or said how it is.
    """

    def __init__(  # noqa: PLR0913 (the composition root's wiring, by keyword)
        self,
        *,
        site: str,
        login: BrokerLogin,
        store: IngestStore,
        rooms: Rooms,
        version: str,
        version_file: Path,
        on_committed: Callable[[], None],
        on_connected: Callable[[], Awaitable[None]] | None = None,
        on_room: Callable[[str, str, bytes], Awaitable[None]] | None = None,
    ) -> None:
        self._site = site
        self._login = login
        self._store = store
        self._rooms = rooms
        self._version = version
        self._on_committed = on_committed
        self._on_connected = on_connected
        self._on_room = on_room
        self._version_choice = VersionChoice(version_file)
        self._client: aiomqtt.Client | None = None

    @property
    def connected(self) -> bool:
        """Whether the broker is connected now."""
        return self._client is not None

    async def publish(self, topic: str, payload: bytes) -> None:
        """Publish a message, QoS 1, not retained.

        Raises:
            BrokerError: The broker is away or did not answer within five seconds.
        """
        await self._publish(topic, payload, retain=False)

    async def publish_retained(self, topic: str, payload: bytes) -> None:
        """Publish a message, QoS 1, that the broker keeps for whoever subscribes later.

        Raises:
            BrokerError: The broker is away or did not answer within five seconds.
        """
        await self._publish(topic, payload, retain=True)

    async def _publish(self, topic: str, payload: bytes, *, retain: bool) -> None:
        if self._client is None:
            raise BrokerError("the broker is not connected")
        try:
            await self._client.publish(topic, payload, qos=1, retain=retain)
        except aiomqtt.MqttError:
            raise BrokerError("the broker did not take the message") from None

    async def run(self) -> None:
        """Connect and take events in until cancelled."""
        backoff = Backoff(*RECONNECT_SECONDS)
        while True:
            connected = False
            try:
                async with self._connection() as client:
                    connected = True
                    self._version_choice.succeeded()
                    await self._greet(client)
                    if failures := backoff.succeeded():
                        log.info("broker.recovered", after_failures=failures)
                    self._client = client
                    if self._on_connected is not None:
                        await self._on_connected()
                    await self._take_in(client)
            except (aiomqtt.MqttError, SQLAlchemyError) as error:
                if backoff.failures == 0:
                    log.warning("ingest.interrupted", error=type(error).__name__)
                if not connected:
                    self._version_choice.failed(error)
            finally:
                self._client = None
            await asyncio.sleep(backoff.failed())

    def _connection(self) -> aiomqtt.Client:
        return aiomqtt.Client(
            self._login.host,
            self._login.port,
            identifier=f"forge-{self._site}-{topics.HUB}",
            username=self._login.username,
            password=self._login.password.get_secret_value() if self._login.password else None,
            tls_context=self._login.tls,
            protocol=_PROTOCOLS[self._version_choice.version],
            keepalive=KEEPALIVE_SECONDS,
            timeout=TIMEOUT_SECONDS,
            will=aiomqtt.Will(topics.status(self._site, topics.HUB), self._status("offline"), qos=1, retain=True),
            max_queued_incoming_messages=QUEUE,
        )

    def _status(self, state: str) -> bytes:
        return Status.model_validate({"state": state, "version": self._version}).model_dump_json().encode()

    async def _greet(self, client: aiomqtt.Client) -> None:
        for topic in (
            topics.all_events(self._site),
            topics.all_statuses(self._site),
            topics.all_twins(self._site),
        ):
            await client.subscribe(topic, qos=1)
        await client.publish(topics.status(self._site, topics.HUB), self._status("online"), qos=1, retain=True)
        log.info("broker.connected", mqtt=self._version_choice.version)

    async def _take_in(self, client: aiomqtt.Client) -> None:
        queue: asyncio.Queue[Arrived] = asyncio.Queue(maxsize=BATCH)

        async def receive() -> None:
            async for message in client.messages:
                payload = message.payload if isinstance(message.payload, bytes) else b""
                await queue.put(Arrived(str(message.topic), payload))

        async def commit() -> None:
            while True:
                batch = [await queue.get()]
                while not queue.empty() and len(batch) < BATCH:
                    batch.append(queue.get_nowait())
                await self._commit(client, batch)

        await until_first_failure(receive(), commit())

    async def _commit(self, client: aiomqtt.Client, batch: list[Arrived]) -> None:
        events = [message for message in batch if "/event/" in message.topic]
        for message in batch:
            if "/event/" not in message.topic:
                await self._state(client, message)
        if not events:
            return
        committed = await asyncio.to_thread(self._store.commit, events)
        if committed.events or committed.quarantined or committed.rung:
            self._on_committed()
        for node, acknowledgement in committed.acknowledgements.items():
            await self._acknowledge(client, node, acknowledgement)

    async def _state(self, client: aiomqtt.Client, message: Arrived) -> None:
        try:
            _, node, path = topics.parse_node(message.topic)
        except TopicInvalidError:
            return
        if node == topics.HUB:
            return
        came_online = await asyncio.to_thread(self._rooms.note, node, path, message.payload)
        if came_online:
            await self._acknowledge(client, node, await asyncio.to_thread(self._store.acknowledgement, node))
        if self._on_room is not None and (came_online or path != "status"):
            await self._on_room(node, path, message.payload)
        self._on_committed()

    async def _acknowledge(self, client: aiomqtt.Client, node: str, acknowledgement: Acknowledgement) -> None:
        if acknowledgement.positions:
            await client.publish(topics.ack(self._site, node), acknowledgement.model_dump_json().encode(), qos=1)
