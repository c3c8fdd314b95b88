"""How many records each room may have on their way, so that the hub is busy and an alarm never waits behind many.

Pure but for what it remembers of who sent lately and of how fast the hub was; times are given.
"""

import math
from collections import deque
from collections.abc import Collection

QUEUE_SECONDS = 0.2
"""What is on its way is what the hub commits in this time: an alarm may stand behind all of it in the broker. Ours.

Where a record is answered sooner the hub is faster than was seen, and more is let in; where later, less.
"""
LEAST_IN_FLIGHT, MOST_IN_FLIGHT = 250, 1000
"""Records of all rooms together that may be on their way, however slow or fast the hub was lately."""
LARGEST_WINDOW = 200
"""For one room alone: as many as the first version of the node sent without being asked."""
BUSY_SECONDS = 5.0
"""A room counts as sending for this long after its last record."""
RATE_SECONDS = 1.0
"""How far back the hub's speed is looked at."""


class Pressure:
    """Divides what may be on its way among the rooms that send. Used on the event loop."""

    def __init__(self) -> None:
        self._sent_at: dict[str, float] = {}
        self._committed: deque[tuple[float, int]] = deque()

    def committed(self, nodes: Collection[str], records: int, now_seconds: float) -> None:
        """Note that records have been committed.

        Args:
            nodes: The rooms that sent them.
            records: How many.
            now_seconds: Monotonic time.
        """
        self._sent_at.update(dict.fromkeys(nodes, now_seconds))
        if records:
            self._committed.append((now_seconds, records))

    def window(self, waiting: int, now_seconds: float) -> int:
        """Return how many unacknowledged records a room may have on their way.

        Args:
            waiting: Records that wait in the hub.
            now_seconds: Monotonic time.

        Returns:
            1 to `LARGEST_WINDOW`.
        """
        self._sent_at = {node: at for node, at in self._sent_at.items() if now_seconds - at < BUSY_SECONDS}
        while self._committed and now_seconds - self._committed[0][0] >= RATE_SECONDS:
            self._committed.popleft()
        rate = sum(records for _, records in self._committed) / RATE_SECONDS
        in_flight = min(MOST_IN_FLIGHT, max(LEAST_IN_FLIGHT, math.ceil(rate * QUEUE_SECONDS)))
        share = (in_flight - min(waiting, in_flight) // 2) // max(1, len(self._sent_at))
        return max(1, min(LARGEST_WINDOW, share))
