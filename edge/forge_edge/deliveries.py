"""Alarms on their way, and by when the hub must have them."""

from forge_shared.events import Envelope
from forge_shared.wire import LanePosition

DELIVERY_SECONDS = 8.0
"""An alarm that the hub has not acknowledged by then is not coming through: the room says so."""


class Deliveries:
    """What is expected of the alarms that someone in the room waits for. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._deadlines: dict[tuple[str, int], float] = {}

    def expect(self, envelope: Envelope, now: float) -> None:
        """Expect an alarm to be acknowledged."""
        self._deadlines[envelope.epoch, envelope.sequence] = now + DELIVERY_SECONDS

    @property
    def are_awaited(self) -> bool:
        """Whether an alarm is on its way."""
        return bool(self._deadlines)

    def acknowledged(self, position: LanePosition) -> None:
        """Take note of what the hub has."""
        if position.lane == "alarm":
            self._deadlines = {
                (epoch, sequence): deadline
                for (epoch, sequence), deadline in self._deadlines.items()
                if epoch != position.epoch or sequence > position.sequence
            }

    def are_overdue(self, now: float) -> bool:
        """Tell whether an alarm is not coming through; that is told once for all that are on their way."""
        if not any(deadline < now for deadline in self._deadlines.values()):
            return False
        self._deadlines.clear()
        return True
