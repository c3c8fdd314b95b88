"""The durable store of events on their way to the hub.

An event is committed here before anything else happens with it, and only the hub's acknowledgement removes it. Two
lanes, ``alarm`` and ``record``, each numbered from 1 without a gap within an epoch. Every event is sealed with the
device's key and bound to its place, so that rows can be neither read nor swapped on the disk.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from forge_edge.anonymiser import AnonymousEvent
from forge_edge.errors import OutboxError
from forge_shared.clock import Clock
from forge_shared.errors import SealError
from forge_shared.events import Envelope, EventsWithheld, source_of
from forge_shared.ids import new_id
from forge_shared.logs import get_logger
from forge_shared.sealing import Keyring
from forge_shared.topics import LANES, Lane
from forge_shared.wire import LanePosition

BACKFILL_AFTER_SECONDS = 60.0
"""An event that waited longer than this, or since before a restart, is flagged as backfill when it is sent."""

THIN_TO = 0.9
"""When the size limit is passed, records are thinned until the store is below this share of it."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS epoch (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), id TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS position (
    lane TEXT PRIMARY KEY, last_sequence INTEGER NOT NULL, acknowledged INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS event (
    lane TEXT NOT NULL, sequence INTEGER NOT NULL, envelope BLOB NOT NULL,
    boot TEXT NOT NULL, appended_seconds REAL NOT NULL, thinned INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (lane, sequence)
);
CREATE TABLE IF NOT EXISTS unreadable (
    epoch TEXT NOT NULL, lane TEXT NOT NULL, sequence INTEGER NOT NULL, envelope BLOB NOT NULL
);
"""
_SEALED_VERSION = 1
"""The file's ``user_version`` since every event in it is sealed and no unsealed one is left in its free pages."""

log = get_logger()


@dataclass(frozen=True, slots=True)
class OutboxState:
    """How much waits: number of events, and seconds since the oldest of this boot was appended (0 when none)."""

    pending: int
    oldest_seconds: float


class Outbox:
    """The outbox of one node. Threads may share it: every call is one transaction under a lock.

    Args:
        path: SQLite file; its folder exists.
        site: Name of the site.
        node: Name of the node.
        clock: Ages events; their own times were stamped by the anonymiser.
        limit_bytes: Above this size the oldest records become tombstones. Alarms are never thinned.
        keyring: Seals the events.

    Raises:
        OutboxError: The file cannot be opened.
    """

    def __init__(  # noqa: PLR0913 (the composition root's wiring)
        self, path: Path, site: str, node: str, clock: Clock, *, limit_bytes: int, keyring: Keyring
    ) -> None:
        self._source = source_of(site, node)
        self._clock = clock
        self._limit_bytes = limit_bytes
        self._keyring = keyring
        self._boot = new_id()
        self._lock = threading.Lock()
        try:
            self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
            self._connection.execute("PRAGMA journal_mode=WAL")
            # A committed event must survive a power cut: WAL alone syncs only at checkpoints.
            self._connection.execute("PRAGMA synchronous=FULL")
            # What was delivered is overwritten, not only unlinked: it belongs to a person who may have left.
            self._connection.execute("PRAGMA secure_delete=ON")
            self._connection.executescript(_SCHEMA)
            with self._transaction():
                self._connection.execute("INSERT OR IGNORE INTO epoch VALUES (1, ?)", (new_id(),))
                for lane in LANES:
                    self._connection.execute("INSERT OR IGNORE INTO position VALUES (?, 0, 0)", (lane,))
            self._seal_what_is_not()
            self._set_unreadable_aside()
        except sqlite3.Error as error:
            raise OutboxError(f"cannot open the outbox ({type(error).__name__})") from None

    @property
    def epoch(self) -> str:
        """The epoch that new events belong to."""
        with self._lock:
            return self._epoch()

    def append(self, event: AnonymousEvent) -> Envelope:
        """Commit an event and return it with its place in the sequence.

        Raises:
            OutboxError: It could not be stored, for example because the disk is full.
        """
        lane = event.data.lane
        with self._transaction():
            sequence = self._next_sequence(lane)
            envelope = Envelope(
                id=event.id,
                source=self._source,
                type=event.data.type_name(),
                time=event.time,
                subject=event.subject,
                epoch=self._epoch(),
                lane=lane,
                sequence=sequence,
                data=event.data.model_dump(mode="json"),
            )
            self._connection.execute(
                "INSERT INTO event VALUES (?, ?, ?, ?, ?, 0)",
                (lane, sequence, self._seal(envelope), self._boot, self._clock.monotonic_seconds()),
            )
            if self._size_bytes() > self._limit_bytes:
                self._thin()
        return envelope

    def pending(self, lane: Lane, after_sequence: int, limit: int) -> list[Envelope]:
        """Return up to ``limit`` waiting events of a lane beyond ``after_sequence``, in order, flagged when late.

        Raises:
            OutboxError: One cannot be unsealed; opening the outbox again sets it aside.
        """
        with self._lock:
            epoch = self._epoch()
            rows = self._connection.execute(
                "SELECT sequence, envelope, boot, appended_seconds FROM event"
                " WHERE lane = ? AND sequence > ? ORDER BY sequence LIMIT ?",
                (lane, after_sequence, limit),
            ).fetchall()
        now = self._clock.monotonic_seconds()
        return [
            self._unseal(sealed, epoch, lane, sequence).model_copy(
                update={"backfill": boot != self._boot or now - appended > BACKFILL_AFTER_SECONDS}
            )
            for sequence, sealed, boot, appended in rows
        ]

    def acknowledged(self, lane: Lane) -> int:
        """Return the highest sequence of a lane that the hub has acknowledged in this epoch."""
        with self._lock:
            return self._position(lane)[1]

    def last_sequence(self, lane: Lane) -> int:
        """Return the sequence of the newest event of a lane in this epoch; 0 before the first."""
        with self._lock:
            return self._position(lane)[0]

    def acknowledge(self, position: LanePosition, *, sent: int | None = None) -> int:
        """Forget what the hub has committed.

        A position below what was acknowledged before means that the hub lost its memory (it was restored from a
        backup), one beyond the newest event that this node lost its own, or that somebody lies: what comes next would
        be taken for a repeat. The sequence can never be whole again, so a new epoch is opened and everything still here
        is numbered anew. Event ids stay, so nothing is counted twice.

        Args:
            position: What the hub says.
            sent: The highest sequence that was ever sent; what was not cannot be committed and is kept. None: all was.

        Returns:
            The number of events forgotten.
        """
        with self._transaction():
            if position.epoch != self._epoch():
                return 0
            last, acknowledged = self._position(position.lane)
            if not acknowledged <= position.sequence <= last:
                self._open_epoch("hub-restored" if position.sequence < acknowledged else "hub-ahead")
                return 0
            reached = position.sequence if sent is None else max(acknowledged, min(position.sequence, sent))
            self._connection.execute("UPDATE position SET acknowledged = ? WHERE lane = ?", (reached, position.lane))
            return self._connection.execute(
                "DELETE FROM event WHERE lane = ? AND sequence <= ?", (position.lane, reached)
            ).rowcount

    def state(self) -> OutboxState:
        """Return how much waits."""
        with self._lock:
            pending = self._connection.execute("SELECT count(*) FROM event").fetchone()[0]
            oldest = self._connection.execute(
                "SELECT min(appended_seconds) FROM event WHERE boot = ?", (self._boot,)
            ).fetchone()[0]
        age = 0.0 if oldest is None else max(0.0, self._clock.monotonic_seconds() - oldest)
        return OutboxState(pending=pending, oldest_seconds=age)

    def scrub(self) -> None:
        """Leave nothing on disk of events that were forgotten, as far as the file system overwrites in place.

        Raises:
            OutboxError: The file cannot be written.
        """
        with self._lock:
            try:
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            except sqlite3.Error as error:
                raise OutboxError(f"the outbox cannot be scrubbed ({type(error).__name__})") from None

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                try:
                    yield
                    self._connection.execute("COMMIT")
                except BaseException:
                    if self._connection.in_transaction:
                        self._connection.execute("ROLLBACK")
                    raise
            except sqlite3.Error as error:
                raise OutboxError(f"the outbox cannot write ({type(error).__name__})") from None

    def _epoch(self) -> str:
        row: tuple[str] = self._connection.execute("SELECT id FROM epoch").fetchone()
        return row[0]

    def _position(self, lane: Lane) -> tuple[int, int]:
        row: tuple[int, int] = self._connection.execute(
            "SELECT last_sequence, acknowledged FROM position WHERE lane = ?", (lane,)
        ).fetchone()
        return row

    def _next_sequence(self, lane: Lane) -> int:
        row: tuple[int] = self._connection.execute(
            "UPDATE position SET last_sequence = last_sequence + 1 WHERE lane = ? RETURNING last_sequence", (lane,)
        ).fetchone()
        return row[0]

    def _open_epoch(self, reason: str) -> None:
        before, epoch = self._epoch(), new_id()
        rows = self._connection.execute(
            "SELECT lane, sequence, envelope, boot, appended_seconds, thinned FROM event ORDER BY lane, sequence"
        ).fetchall()
        self._connection.execute("DELETE FROM event")
        self._connection.execute("UPDATE epoch SET id = ?", (epoch,))
        self._connection.execute("UPDATE position SET last_sequence = 0, acknowledged = 0")
        for lane, old_sequence, sealed, boot, appended, thinned in rows:
            sequence = self._next_sequence(lane)
            envelope = self._unseal(sealed, before, lane, old_sequence)
            moved = envelope.model_copy(update={"epoch": epoch, "sequence": sequence})
            self._connection.execute(
                "INSERT INTO event VALUES (?, ?, ?, ?, ?, ?)",
                (lane, sequence, self._seal(moved), boot, appended, thinned),
            )
        log.warning("outbox.epoch-opened", reason=reason, pending=len(rows))

    def _seal(self, envelope: Envelope) -> bytes:
        context = _context(envelope.epoch, envelope.lane, envelope.sequence)
        return self._keyring.seal(envelope.to_json(), context)

    def _unseal(self, sealed: bytes, epoch: str, lane: Lane, sequence: int) -> Envelope:
        try:
            return Envelope.model_validate_json(self._keyring.unseal(sealed, _context(epoch, lane, sequence)))
        except SealError:
            raise OutboxError("an event of the outbox cannot be unsealed") from None

    def _seal_what_is_not(self) -> None:
        """Seal the events of an outbox from before there was a key, and remove what they left in the file."""
        if self._connection.execute("PRAGMA user_version").fetchone()[0] >= _SEALED_VERSION:
            return
        with self._transaction():
            rows = self._connection.execute(
                "SELECT lane, sequence, envelope FROM event WHERE typeof(envelope) = 'text'"
            ).fetchall()
            for lane, sequence, text in rows:
                self._connection.execute(
                    "UPDATE event SET envelope = ? WHERE lane = ? AND sequence = ?",
                    (self._seal(Envelope.model_validate_json(text)), lane, sequence),
                )
        # Free pages and the write-ahead log still hold what was there before.
        self._connection.execute("VACUUM")
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._connection.execute(f"PRAGMA user_version = {_SEALED_VERSION}")
        if rows:
            log.info("outbox.sealed", events=len(rows))

    def _set_unreadable_aside(self) -> None:
        """Keep events that this device's key does not open, but out of the way: a room must be able to raise alarms.

        What is left is numbered anew in a new epoch, since the hub would wait for the missing numbers for ever.
        """
        with self._transaction():
            epoch = self._epoch()
            rows = self._connection.execute("SELECT lane, sequence, envelope FROM event").fetchall()
            lost = [
                (lane, sequence) for lane, sequence, sealed in rows if not self._opens(sealed, epoch, lane, sequence)
            ]
            if not lost:
                return
            for place in lost:
                self._connection.execute(
                    "INSERT INTO unreadable SELECT ?, lane, sequence, envelope FROM event"
                    " WHERE lane = ? AND sequence = ?",
                    (epoch, *place),
                )
                self._connection.execute("DELETE FROM event WHERE lane = ? AND sequence = ?", place)
            log.error("outbox.unreadable", events=len(lost))
            self._open_epoch("unreadable-events")

    def _opens(self, sealed: bytes, epoch: str, lane: Lane, sequence: int) -> bool:
        try:
            self._keyring.unseal(sealed, _context(epoch, lane, sequence))
        except SealError:
            return False
        return True

    def _size_bytes(self) -> int:
        pages = [self._connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count")]
        size: int = self._connection.execute("PRAGMA page_size").fetchone()[0]
        return int(size * (pages[0] - pages[1]))

    def _thin(self) -> None:
        thinned = 0
        while self._size_bytes() > THIN_TO * self._limit_bytes:
            rows = self._connection.execute(
                "SELECT sequence, envelope FROM event WHERE lane = 'record' AND thinned = 0 ORDER BY sequence LIMIT 50"
            ).fetchall()
            if not rows:
                break
            epoch = self._epoch()
            for sequence, sealed in rows:
                self._connection.execute(
                    "UPDATE event SET envelope = ?, thinned = 1 WHERE lane = 'record' AND sequence = ?",
                    (self._seal(_tombstone(self._unseal(sealed, epoch, "record", sequence))), sequence),
                )
            thinned += len(rows)
        log.warning("outbox.thinned", reason="disk-full", records=thinned)


def _context(epoch: str, lane: Lane, sequence: int) -> bytes:
    return f"outbox/{epoch}/{lane}/{sequence}".encode()


def _tombstone(envelope: Envelope) -> Envelope:
    data = EventsWithheld(reason="disk-full", withheld_type=envelope.type)
    return envelope.model_copy(update={"type": data.type_name(), "data": data.model_dump(mode="json")})
