"""The node's outbox on the disk, and one in memory for what the disk does not take: an alarm must get out all the same.

Both are numbered by themselves, each in its own epoch. The one in memory begins a new epoch with every start of the
program, so what is lost with it can never be mistaken for something else.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from forge_edge.anonymiser import AnonymousEvent
from forge_edge.errors import DiskFullError, OutboxError
from forge_edge.outbox.store import Outbox, OutboxState
from forge_edge.room_clock import machine_boot
from forge_shared.clock import Clock
from forge_shared.events import Envelope
from forge_shared.logs import get_logger
from forge_shared.sealing import Keyring
from forge_shared.wire import RoomTrouble

MEMORY_BYTES = 8_000_000
"""For events that the disk does not take: some thousand alarms; records are thinned above it. Ours."""

log = get_logger()


class Outboxes:
    """What waits in this node, wherever it does. Threads may share it.

    Args:
        on_disk: Opens the outbox on the disk; called again while that fails.
        in_memory: Makes the one in memory; called when it is needed first.
    """

    def __init__(self, on_disk: Callable[[], Outbox], in_memory: Callable[[], Outbox]) -> None:
        self._on_disk = on_disk
        self._in_memory = in_memory
        self._memory: Outbox | None = None
        self._disk: Outbox | None = None
        self._trouble: RoomTrouble | None = None
        self._unreadable = False
        self._state = OutboxState(pending=0, oldest_seconds=0.0)
        self._open()

    @property
    def troubles(self) -> tuple[RoomTrouble, ...]:
        """What staff shall know of the disk."""
        if self._trouble is not None:
            return (self._trouble,)
        return ("disk.full",) if self._disk is not None and self._disk.is_full else ()

    def each(self) -> tuple[Outbox, ...]:
        """Return the outboxes that events are to be sent from."""
        return tuple(outbox for outbox in (self._disk, self._memory) if outbox is not None)

    def append(self, event: AnonymousEvent) -> Envelope:
        """Keep an event on the disk, or in memory where the disk does not take it, and return it with its place.

        Raises:
            OutboxError: Neither takes it.
        """
        if self._disk is not None:
            try:
                envelope = self._disk.append(event)
            except OutboxError as error:
                self._fail(error)
            else:
                self._trouble = None
                return envelope
        if self._memory is None:
            self._memory = self._in_memory()
        return self._memory.append(event)

    def unreadable(self, outbox: Outbox) -> None:
        """Take note that an outbox could not be read: the one on the disk is opened anew at the next `tend`."""
        self._unreadable = self._unreadable or outbox is self._disk

    def tend(self) -> None:
        """Go back to the disk when it takes events again. Blocks; called every few seconds by one caller."""
        if self._unreadable and self._disk is not None:
            self._unreadable, disk, self._disk = False, self._disk, None
            disk.close()
        if self._disk is None:
            self._open()
        if self._disk is None:
            return
        if self._memory is None:
            self._trouble = None
        self._disk.tend()
        if self._memory is None or (self._trouble is None and not self._memory.state().pending):
            return
        try:
            moved = self._disk.take_over(self._memory)
        except OutboxError as error:
            self._fail(error)
            return
        self._trouble = None
        log.info("outbox.recovered", events=moved)

    def state(self) -> OutboxState:
        """Return how much waits; what was known last where the disk cannot be read."""
        try:
            states = [outbox.state() for outbox in self.each()]
        except OutboxError:
            return self._state
        self._state = OutboxState(
            pending=sum(state.pending for state in states),
            oldest_seconds=max((state.oldest_seconds for state in states), default=0.0),
        )
        return self._state

    def scrub(self) -> None:
        """Leave nothing on disk of events that were forgotten.

        Raises:
            OutboxError: The file cannot be written.
        """
        if self._disk is not None:
            self._disk.scrub()

    def close(self) -> None:
        """Close both; what is in memory only goes to the disk, where that takes it."""
        if self._memory is not None:
            self.tend()
        for outbox in self.each():
            outbox.close()

    def _open(self) -> None:
        try:
            self._disk = self._on_disk()
        except OutboxError as error:
            self._fail(error)

    def _fail(self, error: OutboxError) -> None:
        trouble: RoomTrouble = "disk.full" if isinstance(error, DiskFullError) else "disk.failed"
        if self._trouble is None:
            log.error(trouble, reason=error.code)
        self._trouble = trouble


def open_outboxes(  # noqa: PLR0913 (the composition root's wiring)
    path: Path, site: str, node: str, clock: Clock, *, limit_bytes: int, keyring: Keyring
) -> Outboxes:
    """Return what waits in a node's file, and make room in memory for what that does not take."""
    make = partial(Outbox, site=site, node=node, clock=clock, keyring=keyring, machine_boot=machine_boot())
    return Outboxes(
        partial(make, path, limit_bytes=limit_bytes), partial(make, Path(":memory:"), limit_bytes=MEMORY_BYTES)
    )
