"""What one batch changes in the log, worked out in memory between one round of reads and one of writes.

A statement for each event is what makes a hub slow; here a batch costs the same few statements however large it is.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import and_, delete, func, insert, select, update
from sqlalchemy.orm import Session as Transaction

from forge_hub.alerts.projector import raise_alert
from forge_hub.ingest.quarantine import Space, put_into_quarantine
from forge_hub.ingest.reading import Arrived, Place, Placed, Read, Unplaced, Unreadable, place_of, read_at
from forge_hub.records.erasures import ErasedPeople
from forge_hub.records.schema import EventLog, Inbox, LanePosition
from forge_shared.events import Envelope
from forge_shared.logs import get_logger
from forge_shared.topics import EventAddress
from forge_shared.wire import Acknowledgement
from forge_shared.wire import LanePosition as WirePosition

REMEMBERED_EPOCHS = 4
"""Epochs of a node that its acknowledgement still names, newest first."""
MOST_ASIDE = 1000
"""Messages beyond one gap that are kept until it closes. Ours: five times what a node has on its way (its ``WINDOW``);
without an end, a room that only jumps ahead makes every batch slower for all the others.
"""
IDS_AT_ONCE = 500
"""Values in one IN list; SQLite takes 32,766 (sqlite.org/limits.html), and a plan for few is made faster."""

log = get_logger()


@dataclass(slots=True)
class Count:
    """How many of a batch went which way. ``alarms`` are those of the events that came in the alarm lane."""

    events: int = 0
    alarms: int = 0
    duplicates: int = 0
    quarantined: int = 0
    left: int = 0
    rung: int = 0


@dataclass(slots=True)
class Ledger:
    """One batch on its way into the log, in the caller's transaction: `take` each message, then `write` once.

    Args:
        transaction: Nobody else writes the log while it is open.
        site: Name of the site.
        now: When the batch arrived.
        erased: Who was erased, so that nothing of them comes back.
        space: What the quarantine may still hold.
        count: What became of it.
    """

    transaction: Transaction
    site: str
    now: datetime
    erased: ErasedPeople
    space: Space = field(default_factory=Space)
    count: Count = field(default_factory=Count)
    _positions: dict[Place, int] = field(default_factory=dict)
    _stored: dict[Place, int] = field(default_factory=dict)
    _waiting: dict[Place, set[int]] = field(default_factory=dict)
    _aside: dict[tuple[Place, int], Placed] = field(default_factory=dict)
    _drained: list[tuple[Place, int]] = field(default_factory=list)
    _log: list[Envelope] = field(default_factory=list)
    _refused: Counter[tuple[str | None, str | None, str]] = field(default_factory=Counter)

    def load(self, readings: Sequence[Placed | Unplaced]) -> None:
        """Read where the lanes of a batch stand."""
        places = {place_of(reading.address) for reading in readings if not isinstance(reading, Unplaced)}
        nodes, epochs = {node for node, _, _ in places}, {epoch for _, epoch, _ in places}
        if not places:
            return
        at = select(LanePosition.node, LanePosition.epoch, LanePosition.lane, LanePosition.sequence)
        for node, epoch, lane, sequence in self.transaction.execute(
            at.where(LanePosition.node.in_(nodes), LanePosition.epoch.in_(epochs))
        ):
            self._stored[node, epoch, lane] = sequence
        self._positions = {place: self._stored.get(place, 0) for place in places}
        beyond = select(Inbox.node, Inbox.epoch, Inbox.lane, Inbox.sequence)
        for node, epoch, lane, sequence in self.transaction.execute(
            beyond.where(Inbox.node.in_(nodes), Inbox.epoch.in_(epochs))
        ):
            self._waiting.setdefault((node, epoch, lane), set()).add(sequence)

    def take(self, reading: Placed | Unplaced) -> None:
        """Find one message's way: a repeat, beyond a gap, or next in its lane."""
        if isinstance(reading, Unplaced):
            self._refuse(reading)
            return
        place, sequence = place_of(reading.address), reading.address.sequence
        position, waiting = self._positions[place], self._waiting.setdefault(place, set())
        if sequence <= position or sequence in waiting:
            self.count.duplicates += 1
        elif sequence > position + 1 and len(waiting) >= MOST_ASIDE:
            self._leave(reading)
        elif sequence > position + 1:
            self._put_aside(reading)
            waiting.add(sequence)
        else:
            self._enter(reading)
            self._positions[place] = sequence
            if sequence + 1 in waiting:
                self._close_gap(place, waiting)

    def write(self) -> None:
        """Write what was worked out."""
        if self.count.left:
            log.warning("ingest.too-far-ahead", messages=self.count.left, remedy="nodes send again what is left")
        for (node, lane, reason), messages in self._refused.items():
            log.warning("event.quarantined", node=node, lane=lane, reason=reason, messages=messages)
        self._write_log()
        self._write_positions()
        if self._aside:
            rows = [self._inbox_row(place, sequence, reading) for (place, sequence), reading in self._aside.items()]
            self.transaction.execute(insert(Inbox), rows)
        for (node, epoch, lane), sequence in self._drained:
            own = and_(Inbox.node == node, Inbox.epoch == epoch, Inbox.lane == lane, Inbox.sequence == sequence)
            self.transaction.execute(delete(Inbox).where(own))

    def _put_aside(self, reading: Placed) -> None:
        """Keep what lies beyond a gap until the gap closes. Its alarm rings now: the gap may never close."""
        if isinstance(reading, Unreadable):
            self._refuse(reading)
        else:
            reading = self._withheld(reading)
            self._ring(reading)
        self._aside[place_of(reading.address), reading.address.sequence] = reading

    def _leave(self, reading: Placed) -> None:
        """Keep nothing of what lies too far ahead: its node sends it again. An alarm rings all the same."""
        if reading.address.lane == "alarm" and isinstance(reading, Unreadable):
            self._refuse(reading)
            return
        if isinstance(reading, Read):
            self._ring(self._withheld(reading))
        self.count.left += 1

    def _ring(self, reading: Read) -> None:
        is_alarm = reading.address.lane == "alarm"
        envelope, data = reading.envelope, reading.data
        if is_alarm and raise_alert(self.transaction, envelope, data, self.now, received_at=self.now):
            self.count.rung += 1

    def _enter(self, reading: Placed) -> None:
        if isinstance(reading, Unreadable):
            self._refuse(reading)
        else:
            self._log.append(self._withheld(reading).envelope)

    def _withheld(self, reading: Read) -> Read:
        kept = self.erased.withhold(reading.envelope)
        if kept is reading.envelope:
            return reading
        return replace(reading, envelope=kept, message=replace(reading.message, payload=kept.to_json()))

    def _refuse(self, reading: Unreadable | Unplaced) -> None:
        address = reading.address if isinstance(reading, Unreadable) else None
        entry = put_into_quarantine(self.transaction, reading.message, address, reading.error, self.now, self.space)
        self._refused[entry.node, entry.lane, reading.error.code] += 1
        self.count.quarantined += 1

    def _close_gap(self, place: Place, waiting: set[int]) -> None:
        node, epoch, lane = place
        own = (Inbox.node == node, Inbox.epoch == epoch, Inbox.lane == lane)
        stored = {row.sequence: row for row in self.transaction.scalars(select(Inbox).where(*own))}
        while (sequence := self._positions[place] + 1) in waiting:
            waiting.discard(sequence)
            self._positions[place] = sequence
            fresh = self._aside.pop((place, sequence), None)
            if fresh is None:
                row = stored[sequence]
                self._drained.append((place, sequence))
                if not row.logged:
                    self._enter(self._read_again(row))
            elif isinstance(fresh, Read):  # what cannot be read is in quarantine since it came
                self._enter(fresh)

    def _read_again(self, row: Inbox) -> Placed:
        address = EventAddress.model_validate(
            {"site": self.site, "node": row.node, "epoch": row.epoch, "lane": row.lane, "sequence": row.sequence}
        )
        return read_at(address, Arrived(address.topic(), row.payload))

    def _inbox_row(self, place: Place, sequence: int, reading: Placed) -> dict[str, Any]:
        node, epoch, lane = place
        readable = isinstance(reading, Read)
        return {
            "node": node,
            "epoch": epoch,
            "lane": lane,
            "sequence": sequence,
            "received_at": self.now,
            "payload": reading.message.payload if readable else b"",
            "logged": not readable,
        }

    def _write_log(self) -> None:
        seen = known_events(self.transaction, [envelope.id for envelope in self._log])
        rows = []
        for envelope in self._log:
            if envelope.id in seen:
                self.count.duplicates += 1
            else:
                seen.add(envelope.id)
                rows.append(row_of(envelope, self.now))
        if rows:
            self.transaction.execute(insert(EventLog), rows)
        self.count.events += len(rows)
        self.count.alarms += sum(row["lane"] == "alarm" for row in rows)

    def _write_positions(self) -> None:
        moved: list[dict[str, Any]] = []
        new: list[dict[str, Any]] = []
        for place, sequence in self._positions.items():
            row = {"node": place[0], "epoch": place[1], "lane": place[2], "sequence": sequence}
            if place not in self._stored:
                new.append(row)
            elif self._stored[place] != sequence:
                moved.append(row)
        if new:
            self.transaction.execute(insert(LanePosition), new)
        if moved:
            self.transaction.execute(update(LanePosition), moved)


def known_events(transaction: Transaction, ids: Sequence[str]) -> set[str]:
    """Return which of these event ids the log already holds."""
    known: set[str] = set()
    for start in range(0, len(ids), IDS_AT_ONCE):
        some = ids[start : start + IDS_AT_ONCE]
        known.update(transaction.scalars(select(EventLog.event_id).where(EventLog.event_id.in_(some))))
    return known


def row_of(envelope: Envelope, received_at: datetime) -> dict[str, Any]:
    """Return an event as a row of the log."""
    return {
        "event_id": envelope.id,
        "node": envelope.node,
        "epoch": envelope.epoch,
        "lane": envelope.lane,
        "sequence": envelope.sequence,
        "type": envelope.type,
        "subject": envelope.subject,
        "time": envelope.time,
        "received_at": received_at,
        "envelope": envelope.model_dump(mode="json"),
    }


def acknowledgements(transaction: Transaction, named: Mapping[str, Collection[str]]) -> dict[str, Acknowledgement]:
    """Return, by node, the positions of its newest epochs and of those that are named.

    An epoch's id holds the time at which it was opened by the node's own clock, which may have been wrong.
    """
    order = func.row_number().over(partition_by=LanePosition.node, order_by=LanePosition.epoch.desc())
    columns = (LanePosition.node, LanePosition.epoch, LanePosition.lane, LanePosition.sequence)
    ranked = select(*columns, order.label("rank")).where(LanePosition.node.in_(named)).subquery()
    epochs = {epoch for of_node in named.values() for epoch in of_node}
    newest = (ranked.c.rank <= 2 * REMEMBERED_EPOCHS) | ranked.c.epoch.in_(epochs)
    positions: dict[str, list[WirePosition]] = {node: [] for node in named}
    for node, epoch, lane, sequence in transaction.execute(
        select(ranked.c.node, ranked.c.epoch, ranked.c.lane, ranked.c.sequence).where(newest)
    ):
        positions[node].append(WirePosition(epoch=epoch, lane=lane, sequence=sequence))
    return {node: Acknowledgement(positions=tuple(of_node)) for node, of_node in positions.items()}
