"""Limits on guessing and on flooding, counted in memory and by address."""

import threading
from collections import OrderedDict, deque

from forge_hub.errors import AccessError
from forge_shared.clock import Clock

ATTEMPTS = 10
ATTEMPTS_WINDOW_SECONDS = 15 * 60.0
KEYS = 10_000
"""Names and addresses remembered at once; the longest unused are forgotten first, so that memory stays bounded."""

REQUESTS = 1200
REQUESTS_WINDOW_SECONDS = 60.0
"""Requests of one address in a minute. Ours: fifty people behind one proxy who each open a page every three seconds."""

REFUSALS = 60
REFUSALS_WINDOW_SECONDS = 60.0
"""Refusals of one address that the audit takes in a minute: a flood of them must not fill the disk. Ours."""


class TooManyAttemptsError(AccessError):
    """A limit on attempts or requests is reached. ``retry_seconds`` is when it is worth trying again."""

    code = "access.attempts"

    def __init__(self, message: str, retry_seconds: int) -> None:
        super().__init__(message)
        self.retry_seconds = retry_seconds


class Window:
    """Counts within a sliding window of time, per key. Threads may share it.

    Args:
        clock: For the window.
        most: How many a key may have within the window.
        window_seconds: Length of the window.
    """

    def __init__(self, clock: Clock, most: int, window_seconds: float) -> None:
        self._clock = clock
        self._most = most
        self._window_seconds = window_seconds
        self._lock = threading.Lock()
        self._times: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()

    def admit(self, *key: str) -> None:
        """Count one, before it is judged, so that parallel ones cannot slip past the limit.

        Args:
            key: One or two words, such as a username and an address.

        Raises:
            TooManyAttemptsError: This is one more than the limit; it is not counted.
        """
        now = self._clock.monotonic_seconds()
        place = (key[0], key[-1])
        with self._lock:
            times = self._times.setdefault(place, deque(maxlen=self._most))
            self._times.move_to_end(place)
            while len(self._times) > KEYS:
                self._times.popitem(last=False)
            while times and now - times[0] > self._window_seconds:
                times.popleft()
            if len(times) >= self._most:
                raise TooManyAttemptsError("too many attempts", int(times[0] + self._window_seconds - now) + 1)
            times.append(now)

    def admits(self, *key: str) -> bool:
        """Count one, and tell whether it is within the limit."""
        try:
            self.admit(*key)
        except TooManyAttemptsError:
            return False
        return True

    def forget(self, *key: str) -> None:
        """Forget what a key has counted."""
        with self._lock:
            self._times.pop((key[0], key[-1]), None)
