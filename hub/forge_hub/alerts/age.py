"""How old an event is, when it happened, and whether it is late: whatever the room's clock says. Pure.

A room's clock may be wrong by years and may be set between the event and its arrival. What is believed is, in this
order: the age that the room measured with a clock that nobody sets; that an event which is no backfill has just
happened; and only then the room's clock. When in doubt an event is fresh: to be called for something old is the smaller
harm.
"""

from datetime import UTC, datetime, timedelta

from forge_shared.events import Envelope
from forge_shared.wire import CLOCK_TOLERANCE_SECONDS

LATE_AFTER = timedelta(minutes=10)
"""An alert whose event is older than this when it arrives is marked late: it stands, but it does not ring as new.

Ours: long enough for a broker restart, short enough that staff would still act as on a fresh one.
"""
FRESH_FOR = timedelta(seconds=70)
"""What is no backfill is at most this old: a node flags what waited for 60 s, and the way takes a few more. Ours."""
CLOCKS_SET_SINCE = datetime(2026, 1, 1, tzinfo=UTC)
"""Before this release no room was running: a clock that says so was never set. A Pi without one begins in 1970."""
_TOLERANCE = timedelta(seconds=CLOCK_TOLERANCE_SECONDS)


def age_of(envelope: Envelope, received_at: datetime) -> timedelta | None:
    """Return how old an event was when it was received, at least zero; None when nobody knows.

    Args:
        envelope: The event.
        received_at: When the hub had it, by the hub's clock.
    """
    if envelope.ageseconds is not None:
        return timedelta(seconds=envelope.ageseconds)
    said = received_at - envelope.time
    if not envelope.backfill:
        return min(max(said, timedelta()), FRESH_FOR)
    if said < -_TOLERANCE or envelope.time < CLOCKS_SET_SINCE:
        return None
    return max(said, timedelta())


def happened_at(envelope: Envelope, received_at: datetime) -> datetime:
    """Return when an event happened, by the hub's clock: never later than it was received.

    The room's own time is kept where it is right, since it is more exact.
    """
    age = age_of(envelope, received_at)
    known = received_at - (age or timedelta())
    return min(envelope.time, received_at) if abs(envelope.time - known) <= _TOLERANCE else known


def is_late(envelope: Envelope, received_at: datetime) -> bool:
    """Tell whether an event must not ring as if it had just happened: old for certain, and not merely by its clock."""
    age = age_of(envelope, received_at)
    return envelope.backfill and age is not None and age > LATE_AFTER
