"""The rows of an outbox: epoch, numbers and sealed events of one SQLite connection.

Every method works in the transaction of its caller, and lets SQLite's own errors through.
"""

import json
import sqlite3
from datetime import datetime

from forge_edge.errors import OutboxError
from forge_shared.errors import SealError
from forge_shared.events import Envelope, EventsWithheld
from forge_shared.ids import new_id
from forge_shared.sealing import Keyring
from forge_shared.topics import LANES, Lane

THINNED_AT_ONCE = 50

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

Row = tuple[Lane, int, bytes, str, float, int]
"""Lane, sequence, sealed envelope, start of machine and program, monotonic second of the append, whether thinned."""


class Rows:
    """The rows of one outbox. Used under the outbox's lock.

    Args:
        connection: Where they are; makes the tables that are not there.
        keyring: Seals the events.
        source: The node, as its events name it.
    """

    def __init__(self, connection: sqlite3.Connection, keyring: Keyring, source: str) -> None:
        self._source = source
        self._connection = connection
        self._keyring = keyring
        connection.executescript(_SCHEMA)

    def begin(self) -> None:
        """Write the first epoch and the first numbers, where there are none."""
        self._connection.execute("INSERT OR IGNORE INTO epoch VALUES (1, ?)", (new_id(),))
        for lane in LANES:
            self._connection.execute("INSERT OR IGNORE INTO position VALUES (?, 0, 0)", (lane,))

    def epoch(self) -> str:
        """Return the epoch that new events belong to."""
        row: tuple[str] = self._connection.execute("SELECT id FROM epoch").fetchone()
        return row[0]

    def position(self, lane: Lane) -> tuple[int, int]:
        """Return the last sequence of a lane, and the highest that is acknowledged."""
        row: tuple[int, int] = self._connection.execute(
            "SELECT last_sequence, acknowledged FROM position WHERE lane = ?", (lane,)
        ).fetchone()
        return row

    def next_sequence(self, lane: Lane) -> int:
        """Take the next number of a lane."""
        row: tuple[int] = self._connection.execute(
            "UPDATE position SET last_sequence = last_sequence + 1 WHERE lane = ? RETURNING last_sequence", (lane,)
        ).fetchone()
        return row[0]

    def insert(self, envelope: Envelope, boot: str, appended_seconds: float, *, thinned: bool) -> None:
        """Insert an event at its place."""
        self._connection.execute(
            "INSERT INTO event VALUES (?, ?, ?, ?, ?, ?)",
            (envelope.lane, envelope.sequence, self.seal(envelope), boot, appended_seconds, thinned),
        )

    def waiting(self) -> list[Row]:
        """Return every event, in order."""
        return self._connection.execute(
            "SELECT lane, sequence, envelope, boot, appended_seconds, thinned FROM event ORDER BY lane, sequence"
        ).fetchall()

    def forget(self, lane: Lane, reached: int) -> int:
        """Forget the events of a lane up to a sequence, which is acknowledged; return how many."""
        self._connection.execute("UPDATE position SET acknowledged = ? WHERE lane = ?", (reached, lane))
        return self._connection.execute("DELETE FROM event WHERE lane = ? AND sequence <= ?", (lane, reached)).rowcount

    def forget_all(self) -> str:
        """Forget every event and begin a new epoch; return it."""
        epoch = new_id()
        self._connection.execute("DELETE FROM event")
        self._connection.execute("UPDATE epoch SET id = ?", (epoch,))
        self._connection.execute("UPDATE position SET last_sequence = 0, acknowledged = 0")
        return epoch

    def open_epoch(self) -> int:
        """Number everything anew in a new epoch; return how many events there are. Event ids stay."""
        before, rows = self.epoch(), self.waiting()
        epoch = self.forget_all()
        for lane, old_sequence, sealed, boot, appended, thinned in rows:
            envelope = self.unseal(sealed, before, lane, old_sequence)
            moved = envelope.model_copy(update={"epoch": epoch, "sequence": self.next_sequence(lane)})
            self.insert(moved, boot, appended, thinned=bool(thinned))
        return len(rows)

    def seal_unsealed(self) -> int:
        """Seal the events that are in clear text, from before there was a key; return how many."""
        rows = self._connection.execute(
            "SELECT lane, sequence, envelope FROM event WHERE typeof(envelope) = 'text'"
        ).fetchall()
        for lane, sequence, text in rows:
            self._connection.execute(
                "UPDATE event SET envelope = ? WHERE lane = ? AND sequence = ?",
                (self.seal(Envelope.model_validate_json(text)), lane, sequence),
            )
        return len(rows)

    def set_unreadable_aside(self) -> int:
        """Move the events that this device's key does not open out of the way; return how many."""
        epoch = self.epoch()
        rows = self._connection.execute("SELECT lane, sequence, envelope FROM event").fetchall()
        lost = [(lane, sequence) for lane, sequence, sealed in rows if not self._opens(sealed, epoch, lane, sequence)]
        for place in lost:
            self._connection.execute(
                "INSERT INTO unreadable SELECT ?, lane, sequence, envelope FROM event WHERE lane = ? AND sequence = ?",
                (epoch, *place),
            )
            self._connection.execute("DELETE FROM event WHERE lane = ? AND sequence = ?", place)
        return len(lost)

    def thin_oldest(self) -> int:
        """Make tombstones of the oldest records; return of how many, 0 when none is left."""
        rows = self._connection.execute(
            "SELECT sequence, envelope, boot, appended_seconds FROM event"
            " WHERE lane = 'record' AND thinned = 0 ORDER BY sequence LIMIT ?",
            (THINNED_AT_ONCE,),
        ).fetchall()
        epoch = self.epoch()
        # Taken out and put in anew: SQLite frees a page once all that was on it is gone, and packs new rows.
        for sequence, *_ in rows:
            self._connection.execute("DELETE FROM event WHERE lane = 'record' AND sequence = ?", (sequence,))
        for sequence, sealed, boot, appended in rows:
            self.insert(tombstone(self.unseal(sealed, epoch, "record", sequence)), boot, appended, thinned=True)
        return len(rows)

    def free_bytes(self) -> int:
        """Return how much is free inside the file."""
        return self._pragma("page_size") * self._pragma("freelist_count")

    def used_bytes(self) -> int:
        """Return how much of the file is used."""
        return self._pragma("page_size") * (self._pragma("page_count") - self._pragma("freelist_count"))

    def seal(self, envelope: Envelope) -> bytes:
        """Return an envelope sealed for its place."""
        context = _context(envelope.epoch, envelope.lane, envelope.sequence)
        is_tombstone = envelope.type == EventsWithheld.type_name()
        return self._keyring.seal(_short(envelope) if is_tombstone else envelope.to_json(), context)

    def unseal(self, sealed: bytes, epoch: str, lane: Lane, sequence: int) -> Envelope:
        """Return what was sealed for a place.

        Raises:
            OutboxError: It does not open.
        """
        try:
            content = self._keyring.unseal(sealed, _context(epoch, lane, sequence))
        except SealError:
            raise OutboxError("an event of the outbox cannot be unsealed") from None
        if not content.startswith(b"["):
            return Envelope.model_validate_json(content)
        event_id, withheld_type, time, subject = json.loads(content)
        data = EventsWithheld(reason="disk-full", withheld_type=withheld_type)
        return Envelope(
            id=event_id,
            source=self._source,
            type=data.type_name(),
            time=datetime.fromisoformat(time),
            subject=subject,
            epoch=epoch,
            lane=lane,
            sequence=sequence,
            data=data.model_dump(mode="json"),
        )

    def _opens(self, sealed: bytes, epoch: str, lane: Lane, sequence: int) -> bool:
        try:
            self._keyring.unseal(sealed, _context(epoch, lane, sequence))
        except SealError:
            return False
        return True

    def _pragma(self, name: str) -> int:
        row: tuple[int] = self._connection.execute(f"PRAGMA {name}").fetchone()
        return row[0]


def tombstone(envelope: Envelope) -> Envelope:
    """Return what stands in the place of a record that was thinned."""
    data = EventsWithheld(reason="disk-full", withheld_type=envelope.type)
    return envelope.model_copy(update={"type": data.type_name(), "data": data.model_dump(mode="json")})


def _short(envelope: Envelope) -> bytes:
    """Return all that a tombstone has of its own: it stands where there is no room."""
    content = [envelope.id, envelope.data["withheld_type"], envelope.time.isoformat(), envelope.subject]
    return json.dumps(content, separators=(",", ":")).encode()


def _context(epoch: str, lane: Lane, sequence: int) -> bytes:
    return f"outbox/{epoch}/{lane}/{sequence}".encode()
