"""How many records each room may have on their way, so that the hub is busy and an alarm never waits behind many.

Pure but for what it remembers of who sent lately; times are given.
"""

from collections.abc import Iterable

IN_FLIGHT = 1000
"""Records of all rooms together that may be on their way. Ours: what a hub of two cores commits in some 200 ms."""
LARGEST_WINDOW = 200
"""For one room alone: as many as the first version of the node sent without being asked."""
BUSY_SECONDS = 5.0
"""A room counts as sending for this long after its last record."""


class Pressure:
    """Divides what may be on its way among the rooms that send. Used on the event loop."""

    def __init__(self) -> None:
        self._sent_at: dict[str, float] = {}

    def sent(self, nodes: Iterable[str], now_seconds: float) -> None:
        """Note that rooms have sent records.

        Args:
            nodes: Their names.
            now_seconds: Monotonic time.
        """
        self._sent_at.update(dict.fromkeys(nodes, now_seconds))

    def window(self, waiting: int, now_seconds: float) -> int:
        """Return how many unacknowledged records a room may have on their way.

        Args:
            waiting: Records that wait in the hub.
            now_seconds: Monotonic time.

        Returns:
            1 to `LARGEST_WINDOW`.
        """
        self._sent_at = {node: at for node, at in self._sent_at.items() if now_seconds - at < BUSY_SECONDS}
        share = (IN_FLIGHT - min(waiting, IN_FLIGHT) // 2) // max(1, len(self._sent_at))
        return max(1, min(LARGEST_WINDOW, share))
