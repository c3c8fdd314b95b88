"""What a channel is given, and what it promises."""

from datetime import datetime
from typing import Literal, Protocol

from forge_hub.errors import HubError
from forge_shared.events import UtcDatetime
from forge_shared.model import Frozen

ATTEMPT_SECONDS = 10.0
"""A channel that has not taken a message by then has failed this attempt. Ours: a third of the first level's time."""


class Notice(Frozen):
    """One ring of an alert as it leaves the hub: codes and places, never a person and nothing that was said.

    Attributes:
        id: Names this message; a repeat after a failure carries the same one.
        ward: Name of the ward, empty when the room belongs to none.
        room: Name of the room's node.
        level: Who is asked: 1 to 3, or 4 for everyone.
        late: It happened a while ago and must not be announced as new.
    """

    id: str
    alert: str
    site: str
    ward: str
    room: str
    kind: str
    priority: Literal["high", "medium", "low"]
    level: int
    count: int
    late: bool
    raised_at: UtcDatetime

    def sentence(self) -> str:
        """Return the notice as a person reads it on a locked phone: ward, room and kind only."""
        where = ", ".join(part for part in (self.ward, self.room.replace("-", " ")) if part)
        return f"{self.kind.replace('-', ' ').capitalize()}: {where}"


class DeliveryFailedError(HubError):
    """A channel did not take a message. The code says why; it never holds an address or an answer's text."""

    code = "delivery.failed"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Channel(Protocol):
    """A way to reach people. Called on the event loop, by one task at a time; may be cancelled at any moment."""

    @property
    def name(self) -> str:
        """A stable name, unique among the channels; no secret and no address."""

    async def deliver(self, notice: Notice, at: datetime) -> None:
        """Hand a notice over; return only once the other side has taken it.

        Args:
            notice: What to say. The same id may come again after a failure.
            at: Time of the attempt.

        Raises:
            DeliveryFailedError: It was not taken, within `ATTEMPT_SECONDS`; it may be tried again.
        """
