"""Committing what arrived: event log, inbox and quarantine in one transaction.

Identity is (node, epoch, lane, sequence), carried by the topic. An event id that is already logged (a node that opened
a new epoch sends it under a new number) counts as received and is not logged again. A message that cannot be read
counts as received too, and is kept with its reason. The log keeps the order of each lane; an alarm that arrives beyond
a gap rings at once all the same.
"""

import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session as Transaction

from forge_hub.alerts.projector import raise_alert
from forge_hub.alerts.raising import Origin, store_alert
from forge_hub.alerts.rules import AlertDraft
from forge_hub.records.database import Database
from forge_hub.records.erasures import ErasedPeople
from forge_hub.records.schema import EventLog, Inbox, LanePosition, Quarantine
from forge_shared.clock import Clock
from forge_shared.errors import ForgeError, TopicInvalidError
from forge_shared.events import Envelope, EventData, read_envelope
from forge_shared.ids import new_id
from forge_shared.logs import get_logger
from forge_shared.topics import EventAddress, parse_event
from forge_shared.wire import Acknowledgement
from forge_shared.wire import LanePosition as WirePosition

LARGEST_PAYLOAD_BYTES = 64 * 1024
"""Ours: an event is a few hundred bytes; a completed form about two thousand."""
REMEMBERED_EPOCHS = 4
"""Epochs of a node that its acknowledgement still names, newest first."""

log = get_logger()


@dataclass(frozen=True, slots=True)
class Arrived:
    """One message as the broker delivered it."""

    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Committed:
    """What a commit changed.

    Attributes:
        events: New events in the log.
        duplicates: Events that had been received before.
        quarantined: Messages that could not be read.
        rung: Alarms beyond a gap whose alert was raised ahead of the log.
        acknowledgements: What to answer, by node.
    """

    events: int
    duplicates: int
    quarantined: int
    rung: int
    acknowledgements: dict[str, Acknowledgement]


class IngestStore:
    """Writes the event log. Threads may share it, one writes at a time; blocks on the database: call it from a thread.

    Two writers would let a projection read past an event whose transaction is still open, and never come back to it.
    """

    def __init__(self, site: str, database: Database, clock: Clock) -> None:
        self._site = site
        self._database = database
        self._clock = clock
        self._writing = threading.Lock()

    def commit(self, batch: Sequence[Arrived]) -> Committed:
        """Commit a batch of messages in one transaction.

        Within a lane events are logged in the order of their sequence; what lies beyond a gap waits in the inbox.

        Returns:
            What is now acknowledged per node: its newest epochs, and those of the batch however old they look. It may
            be published as soon as this returns, not before.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: Nothing of the batch was committed.
        """
        count = _Count()
        epochs: dict[str, set[str]] = {}
        with self._writing, self._database.begin() as transaction:
            count.erased = ErasedPeople.load(transaction)
            for message in batch:
                try:
                    address = self._address(message.topic)
                except TopicInvalidError as error:
                    self._quarantine(transaction, message, None, error)
                    count.quarantined += 1
                    continue
                epochs.setdefault(address.node, set()).add(address.epoch)
                self._take(transaction, message, address, count)
            acknowledgements = {node: _positions(transaction, node, named) for node, named in epochs.items()}
        return Committed(count.events, count.duplicates, count.quarantined, count.rung, acknowledgements)

    def acknowledgement(self, node: str) -> Acknowledgement:
        """Return what is committed of a node's newest epochs."""
        with self._database.read() as transaction:
            return _positions(transaction, node)

    def _address(self, topic: str) -> EventAddress:
        address = parse_event(topic)
        if address.site != self._site:
            raise TopicInvalidError("an event of another site")
        return address

    def _take(self, transaction: Transaction, message: Arrived, address: EventAddress, count: "_Count") -> None:
        place = (address.node, address.epoch, address.lane)
        position = transaction.get(LanePosition, place)
        if position is None:
            position = LanePosition(node=address.node, epoch=address.epoch, lane=address.lane, sequence=0)
            transaction.add(position)
        if address.sequence <= position.sequence or transaction.get(Inbox, (*place, address.sequence)) is not None:
            count.duplicates += 1
        elif address.sequence > position.sequence + 1:
            self._put_aside(transaction, message, address, count)
        else:
            self._log(transaction, message, address, count)
            position.sequence = address.sequence
            while (row := transaction.get(Inbox, (*place, position.sequence + 1))) is not None:
                if not row.logged:
                    self._log_inbox(transaction, row, count)
                position.sequence = row.sequence
                transaction.delete(row)
                transaction.flush()

    def _put_aside(self, transaction: Transaction, message: Arrived, address: EventAddress, count: "_Count") -> None:
        """Keep what lies beyond a gap until the gap closes. Its alarm rings now: the gap may never close."""
        readable, payload = True, message.payload
        try:
            envelope, data = _read(message, address)
        except ForgeError as error:
            self._quarantine(transaction, message, address, error)
            count.quarantined += 1
            readable, payload = False, b""
        else:
            kept = count.erased.withhold(envelope)
            if kept is not envelope:
                envelope, payload = kept, kept.to_json()
            if address.lane == "alarm" and raise_alert(transaction, envelope, data, self._clock.now()):
                count.rung += 1
        transaction.add(
            Inbox(
                node=address.node,
                epoch=address.epoch,
                lane=address.lane,
                sequence=address.sequence,
                received_at=self._clock.now(),
                payload=payload,
                logged=not readable,
            )
        )
        transaction.flush()

    def _log_inbox(self, transaction: Transaction, row: Inbox, count: "_Count") -> None:
        address = EventAddress.model_validate(
            {"site": self._site, "node": row.node, "epoch": row.epoch, "lane": row.lane, "sequence": row.sequence}
        )
        self._log(transaction, Arrived(address.topic(), row.payload), address, count)
        row.logged = True

    def _log(self, transaction: Transaction, message: Arrived, address: EventAddress, count: "_Count") -> None:
        try:
            envelope, _ = _read(message, address)
        except ForgeError as error:
            self._quarantine(transaction, message, address, error)
            count.quarantined += 1
            return
        known = transaction.scalar(select(EventLog.position).where(EventLog.event_id == envelope.id))
        if known is not None:
            count.duplicates += 1
            return
        transaction.add(_row_of(count.erased.withhold(envelope), self._clock.now()))
        transaction.flush()
        count.events += 1

    def _quarantine(
        self, transaction: Transaction, message: Arrived, address: EventAddress | None, error: ForgeError
    ) -> None:
        now = self._clock.now()
        entry = Quarantine(
            id=new_id(),
            received_at=now,
            topic=_storable(message.topic)[:300],
            reason=_storable(f"{error.code}: {error}")[:500],
            payload=message.payload[:LARGEST_PAYLOAD_BYTES],
            node=address.node if address else None,
            lane=address.lane if address else None,
        )
        transaction.add(entry)
        log.warning("event.quarantined", node=entry.node, lane=entry.lane, reason=error.code)
        if address is not None and address.lane == "alarm":
            # An alarm that cannot be read is still an alarm.
            draft = AlertDraft("unreadable-alarm", "high", {"reason": error.code})
            store_alert(transaction, draft, Origin(entry.id, address.node, None, now), now)


@dataclass(slots=True)
class _Count:
    events: int = 0
    duplicates: int = 0
    quarantined: int = 0
    rung: int = 0
    erased: ErasedPeople = field(default_factory=lambda: ErasedPeople({}))


class _TooLargeError(ForgeError):
    code = "event.too-large"


def _read(message: Arrived, address: EventAddress) -> tuple[Envelope, EventData]:
    if len(message.payload) > LARGEST_PAYLOAD_BYTES:
        raise _TooLargeError("larger than an event may be")
    return read_envelope(message.payload, address)


def _row_of(envelope: Envelope, received_at: datetime) -> EventLog:
    return EventLog(
        event_id=envelope.id,
        node=envelope.node,
        epoch=envelope.epoch,
        lane=envelope.lane,
        sequence=envelope.sequence,
        type=envelope.type,
        subject=envelope.subject,
        time=envelope.time,
        received_at=received_at,
        envelope=envelope.model_dump(mode="json"),
    )


def _positions(transaction: Transaction, node: str, named: Collection[str] = ()) -> Acknowledgement:
    """Return the positions of a node's newest epochs and of those that are named.

    An epoch's id holds the time at which it was opened by the node's own clock, which may have been wrong.
    """
    own = select(LanePosition).where(LanePosition.node == node)
    newest = transaction.scalars(own.order_by(LanePosition.epoch.desc()).limit(2 * REMEMBERED_EPOCHS))
    of_batch = transaction.scalars(own.where(LanePosition.epoch.in_(named)))
    positions = {(row.epoch, row.lane): row.sequence for row in (*newest, *of_batch)}
    return Acknowledgement(
        positions=tuple(
            WirePosition.model_validate({"epoch": epoch, "lane": lane, "sequence": sequence})
            for (epoch, lane), sequence in positions.items()
        )
    )


def _storable(text: str) -> str:
    """Return text that PostgreSQL stores: no zero characters, no halves of surrogate pairs."""
    return text.encode(errors="replace").decode().replace("\x00", "\N{REPLACEMENT CHARACTER}")
