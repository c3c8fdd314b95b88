"""Whether the staff can be reached, and when the room says so: once when not, once when they can again. Pure."""

from dataclasses import dataclass, replace

GONE_SECONDS = 1.5
"""How long the hub must be away before the room says so.

A broken line shows within eight seconds (twice the publisher's keep-alive), a hub that fell silent within six (one and
a half of its own); with this the room speaks within ten.
"""
BACK_SECONDS = 5.0
"""How long the hub must be back before the room says so: a line that comes and goes is said once."""
START_SECONDS = 10.0
"""How long a node that has just started may take to find its hub."""

HUB_GONE = "I have lost the connection to the staff. If you need someone, press the call button."
HUB_BACK = "The connection to the staff is back."


@dataclass(frozen=True, slots=True)
class Reach:
    """What is known of the hub. Moments are monotonic seconds.

    Attributes:
        online: Whether the hub is there now.
        since: Since when that is so.
        said_gone: Whether the room has said that it is gone, and not yet that it is back.
        patience: How long the present absence may last before it is said.
    """

    online: bool
    since: float
    said_gone: bool = False
    patience: float = GONE_SECONDS


def started(now: float) -> Reach:
    """Return what a node knows that has just started."""
    return Reach(online=False, since=now, patience=START_SECONDS)


def changed(before: Reach, now: float, *, online: bool) -> Reach:
    """Take in that the hub went or came."""
    return before if online == before.online else Reach(online, now, before.said_gone)


def due(before: Reach, now: float) -> tuple[Reach, str | None]:
    """Return what is known from now on, and what the room says now, if anything."""
    lasted = now - before.since
    if not before.online and not before.said_gone and lasted >= before.patience:
        return replace(before, said_gone=True), HUB_GONE
    if before.online and before.said_gone and lasted >= BACK_SECONDS:
        return replace(before, said_gone=False), HUB_BACK
    return before, None
