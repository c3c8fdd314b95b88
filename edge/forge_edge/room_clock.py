"""The time as a room knows it: its machine's clock, unless the site has proved that one wrong.

A Pi has no clock of its own: after a power cut it starts in 1970, or where it was when it went off, until a time server
answers. What the room believes instead, in this order: the hub's time, as it was said over the verified connection,
carried on by a clock that nobody sets; and that it is later than the beginning of its own certificate.
"""

import contextlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from forge_shared.clock import Clock
from forge_shared.ids import new_id
from forge_shared.wire import CLOCK_TOLERANCE_SECONDS

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
"""A new one at each start of the machine; random(4)."""


@dataclass(frozen=True, slots=True)
class Known:
    """A moment that was known at a second of the monotonic clock.

    Attributes:
        exact: Whether it was just that moment; else it was that or later.
    """

    at: datetime
    monotonic_seconds: float
    exact: bool

    def at_least(self, monotonic_seconds: float) -> datetime:
        """Return what time it is since then."""
        return self.at + timedelta(seconds=monotonic_seconds - self.monotonic_seconds)


def believed(machine: datetime, known: Known | None, monotonic_seconds: float) -> datetime:
    """Return what time it is. Pure.

    Args:
        machine: What the machine's clock says.
        known: What else is known of the time.
        monotonic_seconds: Now, by the monotonic clock.
    """
    if known is None:
        return machine
    expected = known.at_least(monotonic_seconds)
    if not known.exact:
        return max(machine, expected)
    return machine if abs(machine - expected) <= timedelta(seconds=CLOCK_TOLERANCE_SECONDS) else expected


class RoomClock:
    """The room's time. Implements `forge_shared.clock.Clock`.

    Args:
        machine: The machine's clock.
    """

    def __init__(self, machine: Clock) -> None:
        self._machine = machine
        self._known: Known | None = None

    def now(self) -> datetime:
        """Return the time, aware, in UTC."""
        return believed(self._machine.now(), self._known, self._machine.monotonic_seconds())

    def monotonic_seconds(self) -> float:
        """Return the machine's monotonic time in seconds."""
        return self._machine.monotonic_seconds()

    def not_before(self, moment: datetime) -> None:
        """Take note that it is at least that time."""
        if self._known is None:
            self._known = Known(moment, self._machine.monotonic_seconds(), exact=False)

    def hub_says(self, moment: datetime) -> None:
        """Take note of what time it is at the hub. Its messages come within a second, or the connection is lost."""
        self._known = Known(moment, self._machine.monotonic_seconds(), exact=True)

    def error_seconds(self) -> float | None:
        """Return by how much the machine's clock is ahead, negative where it is behind; None: nobody has said."""
        known = self._known
        if known is None:
            return None
        error = (self._machine.now() - known.at_least(self._machine.monotonic_seconds())).total_seconds()
        # Of the beginning of a certificate only that is proved: it is at least so late.
        return error if known.exact or error < 0 else None

    @property
    def is_wrong(self) -> bool:
        """Whether the machine's clock is known to be wrong."""
        error = self.error_seconds()
        return error is not None and abs(error) > CLOCK_TOLERANCE_SECONDS


def machine_boot() -> str:
    """Return a name of this start of the machine; where the system has none, one of this start of the program."""
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return BOOT_ID.read_text(encoding="ascii").strip()
    return new_id()
