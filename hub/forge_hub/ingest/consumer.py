"""The hub's connection to the broker: takes events in, acknowledges, keeps the rooms' states, sends commands."""

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import aiomqtt
from aiomqtt import ProtocolVersion
from pydantic import SecretStr, ValidationError
from sqlalchemy.exc import SQLAlchemyError

from forge_hub.errors import BrokerError
from forge_hub.fleet.rooms import Rooms
from forge_hub.ingest.answers import Answers
from forge_hub.ingest.inlet import Inlet, Line, OnHome
from forge_hub.ingest.pressure import Pressure
from forge_hub.ingest.reading import Arrived
from forge_hub.ingest.store import Committed, IngestStore
from forge_hub.records.database import trouble_of
from forge_shared import home, topics
from forge_shared.backoff import Backoff
from forge_shared.clock import Clock
from forge_shared.errors import TopicInvalidError
from forge_shared.logs import get_logger
from forge_shared.mqtt import Version, VersionChoice
from forge_shared.tasks import until_first_failure
from forge_shared.wire import PROTOCOL, WINDOW_SINCE, Acknowledgement, Status

BATCH = 500
"""Messages committed in one transaction at most: one fsync for many, and an alarm never waits behind more."""
KEEPALIVE_SECONDS = 4
"""Room and hub must know within ten seconds that they lost each other: the broker gives up after one and a half of it
(MQTT 5, section 3.1.2.10), a client after twice.
"""
TIMEOUT_SECONDS = 5.0
"""For a connection, and for the broker to take a message."""
LEAVE_SECONDS = 1.0
"""For the broker to take it that the hub is being stopped."""
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
        clock: Measures who sent lately, and tells the rooms the time.
        on_committed: Called after every commit with what it changed, before the acknowledgement is sent; must not
            block.
        on_connected: Called when the broker has been reached and messages can be published.
        on_room: Called with node, path below the node and payload when a node came online or said how it is.
        on_shown: Called when something has changed that pages show and no projection tells of: an alarm that rang ahead
            of the log, a message in quarantine, a room that came or went; must not block.
        on_home: Called with what Home Assistant says to the hub: topic, payload, whether the broker had kept it; must
            not block. None: it is not listened to.

    Attributes:
        trouble: Why nothing could be committed lately: a code of ours; None while all is well.
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
        clock: Clock,
        on_committed: Callable[[Committed], None],
        on_shown: Callable[[], None],
        on_connected: Callable[[], Awaitable[None]] | None = None,
        on_room: Callable[[str, str, bytes], Awaitable[None]] | None = None,
        on_home: OnHome | None = None,
    ) -> None:
        self._site = site
        self._login = login
        self._store = store
        self._rooms = rooms
        self._version = version
        self._on_committed = on_committed
        self._on_shown = on_shown
        self._on_connected = on_connected
        self._on_room = on_room
        self._on_home = on_home
        self._version_choice = VersionChoice(version_file)
        self._client: aiomqtt.Client | None = None
        self._clock = clock
        self._pressure = Pressure()
        self._protocols: dict[str, int] = {}
        self._inlet = Inlet()
        self._answers = Answers()
        self._turn = asyncio.Lock()
        self._refused = 0
        self.trouble: str | None = None

    @property
    def waiting(self) -> Mapping[str, int]:
        """How many messages wait in memory, by kind."""
        return {
            "alarm": len(self._inlet.alarms),
            "record": len(self._inlet.records),
            "state": len(self._inlet.states),
        }

    @property
    def refused(self) -> int:
        """Records that found the memory full since the start; their nodes send them again."""
        return self._refused + self._inlet.refused

    @property
    def protocols(self) -> Mapping[str, int]:
        """What the nodes speak that have come online since the start, by node."""
        return dict(self._protocols)

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
            self._refused, self._inlet, self._answers = self.refused, self._new_inlet(), Answers()
            try:
                async with self._connection(self._inlet) as client:
                    connected = True
                    self._version_choice.succeeded()
                    await self._greet(client)
                    if failures := backoff.succeeded():
                        log.info("broker.recovered", after_failures=failures)
                    self._client = client
                    if self._on_connected is not None:
                        await self._on_connected()
                    try:
                        await self._take_in(client, self._inlet)
                    except asyncio.CancelledError:
                        await self._leave(client)
                        raise
            except (aiomqtt.MqttError, SQLAlchemyError) as error:
                if isinstance(error, SQLAlchemyError):
                    self._have(trouble_of(error))
                if backoff.failures == 0:
                    log.warning("ingest.interrupted", error=type(error).__name__)
                if not connected:
                    self._version_choice.failed(error)
            finally:
                self._client = None
            await asyncio.sleep(backoff.failed())

    async def _leave(self, client: aiomqtt.Client) -> None:
        # A broker throws away the last will of who leaves in order.
        with contextlib.suppress(aiomqtt.MqttError, TimeoutError):
            async with asyncio.timeout(LEAVE_SECONDS):
                status = topics.status(self._site, topics.HUB)
                await client.publish(status, self._status("offline"), qos=1, retain=True)

    def _new_inlet(self) -> Inlet:
        return Inlet(on_state=self._note_protocol, on_home=self._on_home or (lambda *_: None))

    def _connection(self, inlet: Inlet) -> aiomqtt.Client:
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
            # It asks for a class only to make the one queue of this connection.
            queue_type=cast("type[asyncio.Queue[aiomqtt.Message]]", lambda maxsize: inlet),  # noqa: ARG005 (its name for it)
        )

    def _status(self, state: str) -> bytes:
        status = Status.model_validate({"state": state, "version": self._version})
        # The first protocol's nodes refuse a status that names one, and would take the hub for gone.
        return status.model_dump_json(exclude={"protocol"}).encode()

    async def _greet(self, client: aiomqtt.Client) -> None:
        for topic in (
            topics.all_events(self._site),
            topics.all_statuses(self._site),
            topics.all_twins(self._site),
            *((home.all_installs(), home.BIRTH) if self._on_home is not None else ()),
        ):
            await client.subscribe(topic, qos=1)
        await client.publish(topics.status(self._site, topics.HUB), self._status("online"), qos=1, retain=True)
        log.info("broker.connected", mqtt=self._version_choice.version)

    async def _take_in(self, client: aiomqtt.Client, inlet: Inlet) -> None:
        async def connection() -> None:
            async for _ in client.messages:
                pass  # the inlet has taken it in; this ends when the connection does

        async def commit(line: Line) -> None:
            while True:
                await self._commit(await line.take(BATCH))

        async def states() -> None:
            while True:
                for message in await inlet.states.take(1):
                    await self._state(message)

        async def answer() -> None:
            while True:
                await self._answer(client, *await self._answers.take())

        await until_first_failure(connection(), commit(inlet.alarms), commit(inlet.records), states(), answer())

    async def _commit(self, batch: list[Arrived]) -> None:
        # One at a time until the answers are in line: an answer older than the one before it would tell the node that
        # the hub has lost its memory.
        async with self._turn:
            committed = await asyncio.to_thread(self._store.commit, batch)
            self._have(None)
            self._on_committed(committed)
            if committed.rung or committed.quarantined:
                self._on_shown()
            records = committed.events - committed.alarms
            self._pressure.committed(committed.records_of, records, self._clock.monotonic_seconds())
            for node, acknowledgement in committed.acknowledgements.items():
                self._answers.put(node, acknowledgement)

    def _have(self, trouble: str | None) -> None:
        if trouble != self.trouble:
            self.trouble = trouble
            self._on_shown()

    async def _state(self, message: Arrived) -> None:
        try:
            _, node, path = topics.parse_node(message.topic)
        except TopicInvalidError:
            return
        if node in topics.RESERVED:
            return
        came_online = await asyncio.to_thread(self._rooms.note, node, path, message.payload)
        if came_online:
            async with self._turn:
                self._answers.put(node, await asyncio.to_thread(self._store.acknowledgement, node))
        if self._on_room is not None and (came_online or path != "status"):
            await self._on_room(node, path, message.payload)
        if path == "status":
            self._on_shown()

    def _note_protocol(self, message: Arrived) -> None:
        # At once, while the birth itself waits for the store: the room's first records are answered meanwhile, and an
        # answer without a window lets it send as much as it likes.
        try:
            _, node, path = topics.parse_node(message.topic)
            if path == "status" and node not in topics.RESERVED:
                self._protocols[node] = Status.model_validate_json(message.payload).protocol
        except (TopicInvalidError, ValidationError):
            return  # the line of states says so

    def _window(self) -> int:
        return self._pressure.window(len(self._inlet.records), self._clock.monotonic_seconds())

    async def _answer(self, client: aiomqtt.Client, node: str, acknowledgement: Acknowledgement) -> None:
        if self._protocols.get(node, 1) >= WINDOW_SINCE:
            known = {"window": self._window(), "protocol": PROTOCOL, "at": self._clock.now()}
            acknowledgement = acknowledgement.model_copy(update=known)
        elif not acknowledgement.positions:
            return
        # QoS 0: on one live connection nothing is lost, and when it breaks the node sends again and is answered again.
        # Waiting for the broker's receipt of fifty answers would hold up the next batch.
        await client.publish(topics.ack(self._site, node), acknowledgement.model_dump_json(exclude_none=True), qos=0)
