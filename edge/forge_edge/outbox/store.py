"""The durable store of events on their way to the hub.

An event is committed here before anything else happens with it, and only the hub's acknowledgement removes it. Two
lanes, ``alarm`` and ``record``, each numbered from 1 without a gap within an epoch. Every event is sealed with the
device's key and bound to its place, so that rows can be neither read nor swapped on the disk.
"""

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from forge_edge.anonymiser import AnonymousEvent
from forge_edge.errors import DiskFullError, OutboxError
from forge_edge.outbox.reserve import Reserve
from forge_edge.outbox.rows import Rows, tombstone
from forge_shared.clock import Clock
from forge_shared.events import MOST_AGE_SECONDS, Envelope, source_of
from forge_shared.ids import new_id
from forge_shared.logs import get_logger
from forge_shared.sealing import Keyring
from forge_shared.topics import Lane
from forge_shared.wire import LanePosition

BACKFILL_AFTER_SECONDS = 60.0
"""An event that waited longer than this, or since before a restart, is flagged as backfill when it is sent."""

THIN_TO = 0.9
"""When the size limit is passed, records are thinned until the store is below this share of it."""

LOG_PAGES = 100
"""Pages of the write-ahead log before they go into the file: on a full disk its growth must fit into the reserve."""
KEPT_FREE_BYTES = 256 * 1024
"""On a full disk records are thinned until so much is free inside the file: some hundred alarms. Ours."""

_SEALED_VERSION = 1
"""The file's ``user_version`` since every event in it is sealed and no unsealed one is left in its free pages."""

_FULL = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE})
"""How SQLite says that the disk takes no more; the last when the file of its shared memory cannot grow."""

T = TypeVar("T")

log = get_logger()


@dataclass(frozen=True, slots=True)
class OutboxState:
    """How much waits: number of events, and seconds since the oldest of this boot was appended (0 when none)."""

    pending: int
    oldest_seconds: float


class Outbox:
    """The outbox of one node. Threads may share it: every call is one transaction under a lock.

    When the disk is full, the reserve beside the file is given up, the oldest records are thinned and new ones become
    tombstones, so that alarms still find room. `tend` notices when there is room again.

    Args:
        path: SQLite file; its folder exists. ``:memory:`` for one that lives as long as the process.
        site: Name of the site.
        node: Name of the node.
        clock: Ages events; their own times were stamped by the anonymiser.
        limit_bytes: Above this size the oldest records become tombstones. Alarms are never thinned.
        keyring: Seals the events.
        machine_boot: Names this start of the machine: within one, ages are measured over a restart of the program too.

    Raises:
        OutboxError: The file cannot be opened.
    """

    def __init__(  # noqa: PLR0913 (the composition root's wiring)
        self,
        path: Path,
        site: str,
        node: str,
        clock: Clock,
        *,
        limit_bytes: int,
        keyring: Keyring,
        machine_boot: str | None = None,
    ) -> None:
        self._source = source_of(site, node)
        self._clock = clock
        self._limit_bytes = limit_bytes
        self._keyring = keyring
        self._machine_boot = machine_boot or new_id()
        self._boot = f"{self._machine_boot}/{new_id()}"
        self._lock = threading.Lock()
        self._reserve = None if str(path) == ":memory:" else Reserve(path.with_suffix(".reserve"))
        self._full = False
        try:
            try:
                self._connection, self._rows = self._open(path)
            except sqlite3.Error as error:
                if not _is_full(error) or self._reserve is None:
                    raise
                self._reserve.give_up()
                self._connection, self._rows = self._open(path)
            self._seal_what_is_not()
            self._set_unreadable_aside()
        except sqlite3.Error as error:
            raise OutboxError(f"cannot open the outbox ({type(error).__name__})") from None
        self._full = self._reserve is not None and not self._reserve.hold()
        if self._full:
            log.warning("disk.full")

    @property
    def is_full(self) -> bool:
        """Whether the disk is so full that records are thinned."""
        return self._full

    def tend(self) -> None:
        """Take the reserve again when there is room on the disk. Blocks; called every few seconds."""
        with self._lock:
            if self._full and self._reserve is not None and self._reserve.hold():
                self._full = False
                self._connection.execute(f"PRAGMA wal_autocheckpoint={LOG_PAGES}")
                log.info("disk.recovered")

    @property
    def epoch(self) -> str:
        """The epoch that new events belong to."""
        with self._reading():
            return self._rows.epoch()

    def append(self, event: AnonymousEvent) -> Envelope:
        """Commit an event and return it with its place in the sequence.

        Raises:
            DiskFullError: It could not be stored although everything was thinned.
            OutboxError: It could not be stored.
        """
        return self._write(lambda: self._append(event))

    def _append(self, event: AnonymousEvent) -> Envelope:
        lane = event.data.lane
        envelope = Envelope(
            id=event.id,
            source=self._source,
            type=event.data.type_name(),
            time=event.time,
            subject=event.subject,
            epoch=self._rows.epoch(),
            lane=lane,
            sequence=self._rows.next_sequence(lane),
            data=event.data.model_dump(mode="json"),
        )
        thinned = self._full and lane == "record"
        if thinned:
            envelope = tombstone(envelope)
        self._rows.insert(envelope, self._boot, self._clock.monotonic_seconds(), thinned=thinned)
        if self._rows.used_bytes() > self._limit_bytes:
            self._thin()
        return envelope

    def pending(self, lane: Lane, after_sequence: int, limit: int) -> list[Envelope]:
        """Return up to ``limit`` waiting events of a lane beyond ``after_sequence``, in order, with their age.

        Raises:
            OutboxError: The file cannot be read, or one cannot be unsealed; opening the outbox again sets it aside.
        """
        with self._reading():
            epoch = self._rows.epoch()
            rows = self._connection.execute(
                "SELECT sequence, envelope, boot, appended_seconds FROM event"
                " WHERE lane = ? AND sequence > ? ORDER BY sequence LIMIT ?",
                (lane, after_sequence, limit),
            ).fetchall()
        now = self._clock.monotonic_seconds()
        return [
            self._rows.unseal(sealed, epoch, lane, sequence).model_copy(
                update={
                    "backfill": boot != self._boot or now - appended > BACKFILL_AFTER_SECONDS,
                    "ageseconds": self._age_seconds(boot, appended, now),
                }
            )
            for sequence, sealed, boot, appended in rows
        ]

    def acknowledged(self, lane: Lane) -> int:
        """Return the highest sequence of a lane that the hub has acknowledged in this epoch."""
        with self._reading():
            return self._rows.position(lane)[1]

    def last_sequence(self, lane: Lane) -> int:
        """Return the sequence of the newest event of a lane in this epoch; 0 before the first."""
        with self._reading():
            return self._rows.position(lane)[0]

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

        Raises:
            OutboxError: The file cannot be written; nothing was forgotten.
        """

        def forget() -> int:
            if position.epoch != self._rows.epoch():
                return 0
            last, acknowledged = self._rows.position(position.lane)
            if not acknowledged <= position.sequence <= last:
                self._open_epoch("hub-restored" if position.sequence < acknowledged else "hub-ahead")
                return 0
            reached = position.sequence if sent is None else max(acknowledged, min(position.sequence, sent))
            return self._rows.forget(position.lane, reached)

        return self._write(forget)

    def take_over(self, other: "Outbox") -> int:
        """Take what waits in another outbox, under new numbers; the other one is empty afterwards. Event ids stay.

        Returns:
            The number of events taken.

        Raises:
            OutboxError: It could not be stored; the other one has it still.
        """
        with other._reading():  # noqa: SLF001 (another of the same class)
            theirs, epoch, waiting = other._rows, other._rows.epoch(), other._rows.waiting()  # noqa: SLF001 (the same)

        def take() -> int:
            for lane, sequence, sealed, _, appended, thinned in waiting:
                envelope = theirs.unseal(sealed, epoch, lane, sequence)
                update = {"epoch": self._rows.epoch(), "sequence": self._rows.next_sequence(lane)}
                self._rows.insert(envelope.model_copy(update=update), self._boot, appended, thinned=bool(thinned))
            return len(waiting)

        taken = self._write(take)
        if taken:
            other._write(theirs.forget_all)  # noqa: SLF001 (the same)
        return taken

    def state(self) -> OutboxState:
        """Return how much waits."""
        with self._reading():
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

    def _open(self, path: Path) -> tuple[sqlite3.Connection, Rows]:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            # A committed event must survive a power cut: WAL alone syncs only at checkpoints.
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute(f"PRAGMA wal_autocheckpoint={LOG_PAGES}")
            # What was delivered is overwritten, not only unlinked: it belongs to a person who may have left.
            connection.execute("PRAGMA secure_delete=ON")
            rows = Rows(connection, self._keyring, self._source)
            with _transaction(connection):
                rows.begin()
        except BaseException:
            connection.close()
            raise
        return connection, rows

    @contextmanager
    def _reading(self) -> Iterator[None]:
        with self._lock:
            try:
                yield
            except sqlite3.Error as error:
                raise OutboxError(f"the outbox cannot be read ({type(error).__name__})") from None

    def _write(self, change: Callable[[], T]) -> T:
        """Run a change in a transaction; where the disk is full, make room and run it once more."""
        with self._lock:
            try:
                try:
                    with _transaction(self._connection):
                        return change()
                except sqlite3.Error as error:
                    if not _is_full(error):
                        raise
                self._make_room()
                with _transaction(self._connection):
                    return change()
            except sqlite3.Error as error:
                kind = DiskFullError if _is_full(error) else OutboxError
                raise kind(f"the outbox cannot write ({type(error).__name__})") from None

    def _make_room(self) -> None:
        """Give up the reserve and use it at once: thin the oldest records, so that alarms find room inside the file."""
        if not self._full:
            self._full = True
            log.warning("disk.full")
            # From now on what a change writes goes into the file at once: the log must not eat the reserve.
            self._connection.execute("PRAGMA wal_autocheckpoint=1")
        if self._reserve is not None:
            self._reserve.give_up()
        with contextlib.suppress(sqlite3.Error):  # the change that follows says whether there is room
            # Not truncated: the log goes on in the blocks that it has.
            self._connection.execute("PRAGMA wal_checkpoint(RESTART)")
            thinned, more = 0, 1
            while more and self._rows.free_bytes() < KEPT_FREE_BYTES:
                with _transaction(self._connection):
                    more = self._rows.thin_oldest()
                thinned += more
                self._connection.execute("PRAGMA wal_checkpoint(RESTART)")
            if thinned:
                log.warning("outbox.thinned", reason="disk-full", records=thinned)

    def _age_seconds(self, boot: str, appended: float, now: float) -> int | None:
        # Another start of the machine began to count anew.
        if boot.partition("/")[0] != self._machine_boot:
            return None
        return min(MOST_AGE_SECONDS, max(0, int(now - appended)))

    def _seal_what_is_not(self) -> None:
        """Seal the events of an outbox from before there was a key, and remove what they left in the file."""
        if self._connection.execute("PRAGMA user_version").fetchone()[0] >= _SEALED_VERSION:
            return
        with _transaction(self._connection):
            sealed = self._rows.seal_unsealed()
        # Free pages and the write-ahead log still hold what was there before.
        self._connection.execute("VACUUM")
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._connection.execute(f"PRAGMA user_version = {_SEALED_VERSION}")
        if sealed:
            log.info("outbox.sealed", events=sealed)

    def _set_unreadable_aside(self) -> None:
        """Keep events that this device's key does not open, but out of the way: a room must be able to raise alarms.

        What is left is numbered anew in a new epoch, since the hub would wait for the missing numbers for ever.
        """
        with _transaction(self._connection):
            lost = self._rows.set_unreadable_aside()
            if lost:
                log.error("outbox.unreadable", events=lost)
                self._open_epoch("unreadable-events")

    def _open_epoch(self, reason: str) -> None:
        log.warning("outbox.epoch-opened", reason=reason, pending=self._rows.open_epoch())

    def _thin(self) -> None:
        thinned, more = 0, 1
        while more and self._rows.used_bytes() > THIN_TO * self._limit_bytes:
            more = self._rows.thin_oldest()
            thinned += more
        log.warning("outbox.thinned", reason="limit", records=thinned)


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            with contextlib.suppress(sqlite3.Error):  # the first trouble is the one that is reported
                connection.execute("ROLLBACK")
        raise


def _is_full(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorcode", None) in _FULL
