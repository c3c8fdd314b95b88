"""The time port: aware wall-clock time for records, monotonic time for durations."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """A source of time. Both readings may be taken from any thread and never raise."""

    def now(self) -> datetime:
        """Return the wall-clock time, aware, in UTC. It may jump when the system clock is set."""

    def monotonic_seconds(self) -> float:
        """Return seconds since an arbitrary start. It never goes back within one process."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the machine's time in UTC."""
        return datetime.now(UTC)

    def monotonic_seconds(self) -> float:
        """Return the machine's monotonic time in seconds."""
        return time.monotonic()
