"""What goes to Home Assistant and comes from it, over the publisher's connection to the broker."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

import aiomqtt

from forge_shared import home
from forge_shared.errors import TopicInvalidError
from forge_shared.logs import get_logger
from forge_shared.tasks import until_first_failure

MOST_WAITING: Final = 50
"""Messages that may wait which are not retained: more than anybody can say while a broker takes one."""
MOST_HEARD: Final = 20
"""Messages that may wait to be heard: more than anybody presses while one takes effect."""

log = get_logger()


class HomeLine:
    """Keeps what is shown to Home Assistant at the broker. Runs on the event loop.

    Args:
        listens_to: Filters of what is heard; below `home.PREFIX`.
        on_message: Called with topic, payload and whether the broker had kept it.
    """

    def __init__(
        self,
        listens_to: Sequence[str] = (),
        on_message: Callable[[str, bytes, bool], Awaitable[None]] | None = None,
    ) -> None:
        self._listens_to, self._on_message = listens_to, on_message
        self._shown: dict[str, bytes] = {}
        self._due: dict[str, bytes] = {}
        self._wake = asyncio.Event()
        self._passing: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue(MOST_WAITING)
        self._heard: asyncio.Queue[tuple[str, bytes, bool]] = asyncio.Queue(MOST_HEARD)

    def show(self, messages: Mapping[str, bytes]) -> None:
        """Publish these retained, now and at every connection, by topic; the newest of a topic counts. Empty: remove.

        What is shown already is not published again before `again`.
        """
        changed = {topic: payload for topic, payload in messages.items() if self._shown.get(topic) != payload}
        self._shown |= changed
        self._due |= changed
        self._wake.set()

    def again(self) -> None:
        """Publish everything that is shown once more."""
        self._due = dict(self._shown)
        self._wake.set()

    def pass_on(self, topic: str, payload: bytes) -> None:
        """Publish a message that nobody has to acknowledge, if the broker is there now; later it would be a surprise.

        Overflow: what comes while `MOST_WAITING` wait is dropped.
        """
        try:
            self._passing.put_nowait((topic, payload))
        except asyncio.QueueFull:
            log.warning("home.dropped")

    async def begin(self, client: aiomqtt.Client) -> None:
        """Start on a new connection: what waited to be passed on is of the past, what is shown is shown again.

        Raises:
            aiomqtt.MqttError: The connection broke.
        """
        for topic in self._listens_to:
            await client.subscribe(topic, qos=1)
        for queue in (self._passing, self._heard):
            while not queue.empty():
                queue.get_nowait()
        self.again()

    async def serve(self, client: aiomqtt.Client) -> None:
        """Publish until cancelled.

        Raises:
            aiomqtt.MqttError: The connection broke.
        """
        await until_first_failure(self._send_shown(client), self._send_passing(client))

    async def hear(self) -> None:
        """Hand on what was received until cancelled.

        It outlives every connection: what was asked for is not left half done since a link breaks.
        """
        while True:
            heard = await self._heard.get()
            if self._on_message is None:
                continue
            try:
                await self._on_message(*heard)
            except TopicInvalidError:
                log.warning("message.unreadable", topic_kind="home")

    def receive(self, message: aiomqtt.Message) -> bool:
        """Take a message if it is one for this line; return whether it was.

        It is handed on by `hear`, so that no acknowledgement of an alarm waits for what Home Assistant asked for.
        Overflow: what comes while `MOST_HEARD` wait is dropped.
        """
        topic = str(message.topic)
        if not topic.startswith(f"{home.PREFIX}/"):
            return False
        payload = message.payload if isinstance(message.payload, bytes) else b""
        try:
            self._heard.put_nowait((topic, payload, bool(message.retain)))
        except asyncio.QueueFull:
            log.warning("home.dropped")
        return True

    async def _send_shown(self, client: aiomqtt.Client) -> None:
        while True:
            self._wake.clear()
            due, self._due = self._due, {}
            for topic, payload in due.items():
                await client.publish(topic, payload, qos=1, retain=True)
            if not self._due:
                await self._wake.wait()

    async def _send_passing(self, client: aiomqtt.Client) -> None:
        while True:
            topic, payload = await self._passing.get()
            await client.publish(topic, payload, qos=1)
