"""What is still to be said to each room: the newest acknowledgement, so that answering never holds up a commit."""

import asyncio

from forge_shared.topics import Lane
from forge_shared.wire import Acknowledgement, LanePosition


class Answers:
    """Acknowledgements that wait to be sent. One reader; used on the event loop.

    Positions only rise within an epoch, so a later answer takes the place of one that still waits. An answer that was
    put later is never taken before an earlier one of the same room.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, dict[tuple[str, Lane], int]] = {}
        self._came = asyncio.Event()

    def put(self, node: str, acknowledgement: Acknowledgement) -> None:
        """Let a room be answered; with no position yet it still learns what the hub speaks."""
        waiting = self._waiting.setdefault(node, {})
        waiting.update({(place.epoch, place.lane): place.sequence for place in acknowledgement.positions})
        self._came.set()

    async def take(self) -> tuple[str, Acknowledgement]:
        """Wait for an answer and return it with its room; whoever has waited longest comes first."""
        while not self._waiting:
            self._came.clear()
            await self._came.wait()
        node = next(iter(self._waiting))
        places = self._waiting.pop(node).items()
        return node, Acknowledgement(
            positions=tuple(
                LanePosition(epoch=epoch, lane=lane, sequence=sequence) for (epoch, lane), sequence in places
            )
        )
