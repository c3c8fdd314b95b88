"""What of the outboxes is on its way to the hub over one connection, and what of it is to be sent again."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from forge_edge.errors import OutboxError
from forge_edge.outbox.outboxes import Outboxes
from forge_edge.outbox.store import Outbox
from forge_shared.clock import Clock
from forge_shared.logs import get_logger
from forge_shared.topics import LANES, Lane
from forge_shared.wire import LanePosition

WINDOW = 200
"""Events of a lane that may be on their way without acknowledgement, for a hub that names no window."""
FIRST_WINDOW = 5
"""Records on their way before the hub has named a window: a hundred rooms come back at once after a failure. Ours."""
RESEND_SECONDS = (2.0, 30.0)
"""First and longest wait for an acknowledgement before the lane is sent again; doubled between, halved by an answer."""

Send = Callable[[str, bytes], Awaitable[None]]
"""Gives the broker a message for a topic, and returns once it has it."""

log = get_logger()


@dataclass(slots=True)
class _LaneProgress:
    """What was sent of a lane on this connection, and when an acknowledgement is overdue."""

    sent: int
    acknowledged: int
    wait_seconds: float = RESEND_SECONDS[0]
    overdue_at: float = field(default=float("inf"))


@dataclass(frozen=True, slots=True, eq=False)
class _Source:
    """One outbox on this connection."""

    outbox: Outbox
    epoch: str
    lanes: dict[Lane, _LaneProgress]


class Transit:
    """Knows of each lane what was sent, acknowledged and is overdue. Runs on the event loop.

    Args:
        outboxes: Where events wait.
        clock: Measures waits.

    Attributes:
        record_window: Records that may be on their way without acknowledgement.
    """

    def __init__(self, outboxes: Outboxes, clock: Clock) -> None:
        self._outboxes = outboxes
        self._clock = clock
        self._sources: tuple[_Source, ...] = ()
        self._furthest: dict[tuple[str, Lane], int] = {}
        self._troubled: Outbox | None = None
        self.record_window = FIRST_WINDOW

    def rewind(self) -> None:
        """Start again from what is acknowledged: on a new connection, a new epoch, or a hub that came back."""
        self.record_window = FIRST_WINDOW
        self._sources = ()
        self._follow()

    def follow(self) -> None:
        """Send from the outboxes that there are now; those that are known go on where they stand."""
        if {source.outbox for source in self._sources} != set(self._outboxes.each()):
            self._follow()

    async def send(self, send: Send, lane: Lane, limit: int) -> int:
        """Send up to ``limit`` events of a lane from each outbox, as far as its window lets it; return how many."""
        return sum([await self._send_from(source, send, lane, limit) for source in self._sources])

    async def acknowledge(self, position: LanePosition) -> LanePosition | None:
        """Forget what the hub has committed; return how far that is, None where it was known."""
        source = next((source for source in self._sources if source.epoch == position.epoch), None)
        if source is None:
            return None
        progress = source.lanes[position.lane]
        # The highest sequence that was sent, on this connection or an earlier one: the hub cannot have more.
        furthest = self._furthest.get((source.epoch, position.lane), 0)
        try:
            await asyncio.to_thread(source.outbox.acknowledge, position, sent=furthest)
            reached = await asyncio.to_thread(source.outbox.acknowledged, position.lane)
            is_new_epoch = await asyncio.to_thread(lambda: source.outbox.epoch) != source.epoch
        except OutboxError as error:
            # The hub has it: what cannot be forgotten now is sent once more some day, which is harmless.
            self._note(source.outbox, error)
            reached, is_new_epoch = min(position.sequence, furthest), False
        if is_new_epoch:
            self.rewind()
            return None
        if reached <= progress.acknowledged:
            return None
        progress.acknowledged = reached
        progress.sent = max(progress.sent, reached)
        progress.wait_seconds = max(RESEND_SECONDS[0], progress.wait_seconds / 2)
        is_waited_for = progress.sent > progress.acknowledged
        progress.overdue_at = self._clock.monotonic_seconds() + progress.wait_seconds if is_waited_for else float("inf")
        return position.model_copy(update={"sequence": reached})

    def resend_overdue(self) -> bool:
        """Let what was not acknowledged in time be sent again; tell whether there is any."""
        now = self._clock.monotonic_seconds()
        overdue = [progress for progress in self._progresses() if now >= progress.overdue_at]
        for progress in overdue:
            progress.sent = progress.acknowledged
            progress.wait_seconds = min(RESEND_SECONDS[1], 2 * progress.wait_seconds)
            progress.overdue_at = float("inf")
        return bool(overdue)

    def seconds_to_next_resend(self) -> float | None:
        """Return after how long something will be overdue; None: nothing is waited for."""
        soonest = min((progress.overdue_at for progress in self._progresses()), default=float("inf"))
        return None if soonest == float("inf") else max(0.05, soonest - self._clock.monotonic_seconds())

    def _follow(self) -> None:
        known = {source.outbox: source for source in self._sources}
        sources = []
        for outbox in self._outboxes.each():
            if outbox in known:
                sources.append(known[outbox])
                continue
            try:
                reached = {lane: outbox.acknowledged(lane) for lane in LANES}
                lanes = {lane: _LaneProgress(sent=at, acknowledged=at) for lane, at in reached.items()}
                sources.append(_Source(outbox, outbox.epoch, lanes))
            except OutboxError as error:
                self._note(outbox, error)
                self._outboxes.unreadable(outbox)
        self._sources = tuple(sources)

    async def _send_from(self, source: _Source, send: Send, lane: Lane, limit: int) -> int:
        progress = source.lanes[lane]
        room = (WINDOW if lane == "alarm" else self.record_window) - (progress.sent - progress.acknowledged)
        if room <= 0:
            return 0
        try:
            batch = await asyncio.to_thread(source.outbox.pending, lane, progress.sent, min(limit, room))
        except OutboxError as error:
            self._note(source.outbox, error)
            self._outboxes.unreadable(source.outbox)
            return 0
        if self._troubled is source.outbox:
            self._troubled = None
        for envelope in batch:
            if envelope.epoch != source.epoch or source not in self._sources:
                break  # rewound meanwhile
            # Before it is sent: the acknowledgement may come before the broker's receipt.
            place = (source.epoch, lane)
            self._furthest[place] = max(self._furthest.get(place, 0), envelope.sequence)
            await send(envelope.address.topic(), envelope.to_json())
            progress.sent = max(progress.sent, envelope.sequence)
            if progress.overdue_at == float("inf"):
                progress.overdue_at = self._clock.monotonic_seconds() + progress.wait_seconds
        return len(batch)

    def _note(self, outbox: Outbox, error: OutboxError) -> None:
        if self._troubled is not outbox:
            log.warning("outbox.trouble", reason=error.code)
        self._troubled = outbox

    def _progresses(self) -> list[_LaneProgress]:
        return [progress for source in self._sources for progress in source.lanes.values()]
