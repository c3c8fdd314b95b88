"""What it means that a room's node and the hub do not speak the same protocol. Pure."""

from dataclasses import dataclass

from forge_shared.wire import OLDEST_PROTOCOL, PROTOCOL, SIGNED_SINCE


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a node speaks.

    Attributes:
        protocol: Its protocol's number.
        note: What follows from it for whoever runs the hub; empty where nothing does.
        is_grave: Whether the node does not work with this hub as it should.
    """

    protocol: int
    note: str
    is_grave: bool


def spoken(protocol: int) -> Spoken:
    """Return what follows from a node's protocol for this hub."""
    if protocol > PROTOCOL:
        return Spoken(protocol, "The room's software is newer than the hub: update the hub first.", is_grave=True)
    if protocol < OLDEST_PROTOCOL:
        return Spoken(protocol, "The room's software is too old for this hub: update the room.", is_grave=True)
    if protocol < SIGNED_SINCE:
        note = "The room's software is older than the hub: it works, and cannot tell the hub's word from another's."
        return Spoken(protocol, note, is_grave=False)
    return Spoken(protocol, "", is_grave=False)
