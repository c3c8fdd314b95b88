"""What a child has said and the core has not handled yet."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

S = TypeVar("S")


class Backlog(Generic[S]):
    """A bounded queue that ends with None for a child that is gone. Used from one event loop.

    Args:
        limit: How many may wait.
        supersedes: Whether what is newer, the second, makes the last that waits, the first, worthless.
    """

    def __init__(self, limit: int, supersedes: Callable[[S, S], bool]) -> None:
        self._limit = limit
        self._supersedes = supersedes
        self._waiting: deque[S | None] = deque()
        self._changed = asyncio.Condition()

    async def put(self, said: S) -> bool:
        """Add what was said, in the place of the last where it supersedes that; False when there is no room."""
        async with self._changed:
            last = self._waiting[-1] if self._waiting else None
            if last is not None and self._supersedes(last, said):
                self._waiting[-1] = said
                return True
            if len(self._waiting) >= self._limit:
                return False
            self._waiting.append(said)
            self._changed.notify_all()
            return True

    async def end(self) -> None:
        """Note that the child is gone; waits for room."""
        async with self._changed:
            await self._changed.wait_for(lambda: len(self._waiting) < self._limit)
            self._waiting.append(None)
            self._changed.notify_all()

    async def take(self) -> S | None:
        """Return the oldest, waiting for one; None when the child is gone."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._waiting)
            self._changed.notify_all()
            return self._waiting.popleft()
