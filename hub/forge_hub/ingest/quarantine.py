"""Messages that could not be read: kept with their reason, counted as received, never dropped in silence."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session as Transaction

from forge_hub.alerts.raising import Origin, store_alert
from forge_hub.alerts.rules import AlertDraft
from forge_hub.ingest.reading import LARGEST_PAYLOAD_BYTES, Arrived
from forge_hub.records.schema import Quarantine
from forge_shared import topics
from forge_shared.errors import EventMisplacedError, ForgeError, TopicInvalidError
from forge_shared.ids import new_id
from forge_shared.logs import get_logger
from forge_shared.topics import EventAddress

KEPT_BYTES = 16 * 1024 * 1024
"""What is kept, word for word, of the unreadable messages of one room and lane.

Ours: some 28,000 events of a room that is newer than its hub, or a day and a half of talk without a pause in a recorded
session (one utterance of 600 bytes every five seconds); and a room that means harm fills no disk with it.
"""
NOT_KEPT = "; its content was not kept"
"""Ends the reason of an entry that came when the room had no space left."""

log = get_logger()


@dataclass(slots=True)
class Space:
    """How much each room and lane has in quarantine. What is there stays: a flood pushes nothing out.

    One writer holds it; after a transaction that failed, and after entries have left, `forget` lets it count anew.
    """

    limit_bytes: int = KEPT_BYTES
    _used: Counter[tuple[str | None, str | None]] = field(default_factory=Counter)
    _full: set[tuple[str | None, str | None]] = field(default_factory=set)

    def take(self, transaction: Transaction, node: str | None, lane: str | None, size_bytes: int) -> bool:
        """Take space for a payload; tell whether there was enough. That there is none is logged once."""
        place = (node, lane)
        if place not in self._used:
            own = (Quarantine.node.is_not_distinct_from(node), Quarantine.lane.is_not_distinct_from(lane))
            self._used[place] = transaction.scalar(select(func.sum(func.length(Quarantine.payload))).where(*own)) or 0
        if self._used[place] + size_bytes <= self.limit_bytes:
            self._used[place] += size_bytes
            return True
        if place not in self._full:
            self._full.add(place)
            log.error("quarantine.full", node=node, lane=lane, remedy="replay what can be read, or revoke the node")
        return False

    def forget(self) -> None:
        """Count anew at the next message."""
        self._used.clear()
        self._full.clear()


def put_into_quarantine(  # noqa: PLR0913 (the facts of one entry)
    transaction: Transaction,
    message: Arrived,
    address: EventAddress | None,
    error: ForgeError,
    now: datetime,
    space: Space,
) -> Quarantine:
    """Keep a message that cannot be read. In the alarm lane, or of a type that belongs there, it raises an alert."""
    node, lane = (address.node, address.lane) if address else (_sender(message.topic), None)
    payload = message.payload[:LARGEST_PAYLOAD_BYTES]
    kept = space.take(transaction, node, lane, len(payload))
    entry = Quarantine(
        id=new_id(),
        received_at=now,
        topic=_storable(message.topic)[:300],
        reason=_storable(f"{error.code}: {error}")[:450] + ("" if kept else NOT_KEPT),
        payload=payload if kept else b"",
        node=node,
        lane=lane,
    )
    transaction.add(entry)
    if address is not None and (address.lane == "alarm" or isinstance(error, EventMisplacedError)):
        # An alarm that cannot be read is still an alarm.
        draft = AlertDraft("unreadable-alarm", "high", {"reason": error.code})
        store_alert(transaction, draft, Origin(entry.id, address.node, None, now), now)
    return entry


def _sender(topic: str) -> str | None:
    """Return the node below whose topics a message came, as far as that can be told."""
    try:
        return topics.parse_node(topic)[1]
    except TopicInvalidError:
        return None


def _storable(text: str) -> str:
    """Return text that PostgreSQL stores: no zero characters, no halves of surrogate pairs."""
    return text.encode(errors="replace").decode().replace("\x00", "\N{REPLACEMENT CHARACTER}")
