"""Reading what the broker delivered: its place, and the event or the reason why there is none. Pure."""

from dataclasses import dataclass

from forge_shared.errors import ForgeError, TopicInvalidError
from forge_shared.events import Envelope, EventData, read_envelope
from forge_shared.topics import RESERVED, EventAddress, parse_event

LARGEST_PAYLOAD_BYTES = 64 * 1024
"""Ours: an event is a few hundred bytes; a completed form about two thousand."""

Place = tuple[str, str, str]
"""Node, epoch and lane: what has one sequence without gaps."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """One message as the broker delivered it, or as the hub itself wrote it.

    Attributes:
        own: Whether it is the hub's own. Only such a message may bear a name of the hub (`forge_shared.topics`).
    """

    topic: str
    payload: bytes
    own: bool = False


@dataclass(frozen=True, slots=True)
class Unplaced:
    """A message whose topic names no event of this site."""

    message: Arrived
    error: ForgeError


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A message whose place is known, and nothing else."""

    message: Arrived
    address: EventAddress
    error: ForgeError


@dataclass(frozen=True, slots=True)
class Read:
    """An event at its place, its data at the newest version of its type."""

    message: Arrived
    address: EventAddress
    envelope: Envelope
    data: EventData


Placed = Read | Unreadable


def read(site: str, message: Arrived) -> Placed | Unplaced:
    """Read one message."""
    try:
        address = parse_event(message.topic)
    except TopicInvalidError as error:
        return Unplaced(message, error)
    if address.site != site:
        return Unplaced(message, TopicInvalidError("an event of another site"))
    if (address.node in RESERVED) is not message.own:
        return Unplaced(message, TopicInvalidError("an event under a name that is the hub's own"))
    return read_at(address, message)


def read_at(address: EventAddress, message: Arrived) -> Placed:
    """Read a message whose place is known."""
    try:
        if len(message.payload) > LARGEST_PAYLOAD_BYTES:
            raise _TooLargeError("larger than an event may be")
        return Read(message, address, *read_envelope(message.payload, address))
    except ForgeError as error:
        return Unreadable(message, address, error)


def place_of(address: EventAddress) -> Place:
    """Return node, epoch and lane of an address."""
    return (address.node, address.epoch, address.lane)


class _TooLargeError(ForgeError):
    code = "event.too-large"
