"""Where messages wait between the broker's socket and the store: three lines, so that an alarm overtakes a backlog."""

import asyncio
from collections import deque
from collections.abc import Callable

import aiomqtt

from forge_hub.ingest.reading import Arrived
from forge_shared import home
from forge_shared.logs import get_logger
from forge_shared.topics import event_lane

WAITING_RECORDS = 20_000
"""Records held in memory, some 20 MB of them. Nodes that keep to their windows never fill this.

Overflow: the newest record is refused, counted and logged; unacknowledged, its node sends it again. Ours.
"""

OnHome = Callable[[str, bytes, bool], None]
"""Takes topic, payload and whether the broker had kept it."""

log = get_logger()


class Inlet(asyncio.Queue[aiomqtt.Message]):
    """The incoming queue of one connection, sorted as it fills. Used on the event loop.

    It takes the place of aiomqtt's own queue, which is left empty: reading from that costs a task for each message.
    Alarms and states are never refused.

    Args:
        records: How many records may wait.
        on_state: Called with every message that is no event, before it waits; must not block.
        on_home: Called with topic, payload and whether the broker had kept it, for what Home Assistant says; must not
            block.
    """

    def __init__(
        self,
        records: int = WAITING_RECORDS,
        *,
        on_state: Callable[[Arrived], None] | None = None,
        on_home: OnHome = lambda *_: None,
    ) -> None:
        super().__init__()
        self._on_home = on_home
        self._limit = records
        self._on_state = on_state
        self.alarms = Line()
        self.records = Line()
        self.states = Line()
        self.refused = 0

    def put_nowait(self, item: aiomqtt.Message) -> None:
        """Take a message in, or refuse a record when too many wait."""
        topic = str(item.topic)
        message = Arrived(topic, item.payload if isinstance(item.payload, bytes) else b"")
        if topic.startswith(f"{home.PREFIX}/"):
            self._on_home(topic, message.payload, bool(item.retain))
            return
        lane = event_lane(topic)
        if lane is None:
            if self._on_state is not None:
                self._on_state(message)
            self.states.put(message)
        elif lane == "record":
            self._put_record(message)
        else:
            self.alarms.put(message)

    def _put_record(self, message: Arrived) -> None:
        if len(self.records) < self._limit:
            self.records.put(message)
            return
        if self.refused == 0:
            log.warning("ingest.refusing", waiting=len(self.records), remedy="nodes send again what is refused")
        self.refused += 1


class Line:
    """Messages in the order in which they came. One reader."""

    def __init__(self) -> None:
        self._waiting: deque[Arrived] = deque()
        self._came = asyncio.Event()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, message: Arrived) -> None:
        """Add a message to the end."""
        self._waiting.append(message)
        self._came.set()

    async def take(self, most: int) -> list[Arrived]:
        """Wait for at least one message and return up to ``most`` of them."""
        while not self._waiting:
            self._came.clear()
            await self._came.wait()
        return [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]
