"""How a child says that it lives, and that it does not get on."""

import contextlib
import threading
import time
from collections.abc import Iterator
from typing import Any

from forge_edge.core_link import BEAT_SECONDS, CoreLink
from forge_edge.messages import Beat


class Pulse:
    """Beats every second from a thread of its own until the core is gone.

    A child that is stuck inside says so, and the core ends it; one whose whole process stands still says nothing.

    Args:
        link: The socket to the core.
        stuck_seconds: Without progress for this long the child is stuck.
    """

    def __init__(self, link: CoreLink[Any], stuck_seconds: float) -> None:
        self._link = link
        self._stuck_seconds = stuck_seconds
        self._busy_until = 0.0
        self.progress()

    def start(self) -> None:
        """Begin to beat."""
        threading.Thread(target=self._beat, name="beat", daemon=True).start()

    def progress(self) -> None:
        """Note that the work goes on."""
        self._stuck_at = time.monotonic() + self._stuck_seconds

    @contextlib.contextmanager
    def busy(self, seconds: float) -> Iterator[None]:
        """Announce work of this length, at most 30 s, in which even the beat may be held up."""
        self._busy_until = time.monotonic() + seconds
        self._stuck_at = self._busy_until + self._stuck_seconds
        self._link.report(Beat(busy_seconds=seconds))
        try:
            yield
        finally:
            self._busy_until = 0.0

    def _beat(self) -> None:
        while not self._link.closed.wait(BEAT_SECONDS):
            now = time.monotonic()
            self._link.report(Beat(busy_seconds=max(0.0, self._busy_until - now), stuck=now >= self._stuck_at))
