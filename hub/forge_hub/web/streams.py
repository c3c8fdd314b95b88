"""Server-sent events: one rendered fragment per change, and a beat so that silence is noticed."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from sqlalchemy.exc import OperationalError

from forge_hub.alerts.board import AlertBoard

BEAT_SECONDS = 3.0
"""How often an open page hears from the hub; ``static/board.js`` says that the connection is lost after three."""

LOOK_SECONDS = 1.0
"""How often what a page follows is read anew: a person takes it for at once. Ours."""

REREAD_SECONDS = 30.0
"""A page reads the board at least this often, whether or not it was woken."""


class Streams:
    """The open event streams. Used on the event loop."""

    def __init__(self) -> None:
        self._closing = asyncio.Event()

    def close(self) -> None:
        """End every stream now, and every later one at once: an open page must not hold up the hub's end."""
        self._closing.set()

    async def board(
        self,
        board: AlertBoard,
        render: Callable[[], str | None],
        account_id: str,
        *,
        mark: Callable[[], str] | None = None,
    ) -> AsyncIterator[str]:
        """Yield the board as server-sent events until the reader leaves, the session ends or the hub stops.

        The board is read after the stream is on the list of watchers, so that no change falls between the two.

        Args:
            board: Wakes the stream when it has changed.
            render: Returns the fragment, or None once the reader's session has ended; blocks, run in a thread.
            account_id: Whose page it is; what has been sent to it counts as delivered.
            mark: Names the moment before a fragment was read, so that a page that was away can say how far it had come.
        """
        async with board.watching() as changed:
            with board.listening(account_id):
                while not self._closing.is_set():
                    changed.clear()
                    # Read before the fragment: whatever is fresh now is in it.
                    fresh = await asyncio.to_thread(board.fresh)
                    moment = await asyncio.to_thread(mark) if mark else None
                    fragment = await asyncio.to_thread(render)
                    if fragment is None:
                        yield event("", name="signed-out")
                        return
                    yield event(fragment, event_id=moment)
                    with contextlib.suppress(OperationalError):  # on a full disk it is written down at a later look
                        await board.shown(fresh, account_id)
                    async for beat in self._beats(changed):
                        yield beat

    async def follow(self, render: Callable[[], str | None]) -> AsyncIterator[str]:
        """Yield a fragment as server-sent events whenever it is another, until the reader leaves or the hub stops.

        Args:
            render: Returns the fragment, or None once the reader's session has ended; blocks, run in a thread.
        """
        shown, silent_seconds = None, 0.0
        while not self._closing.is_set():
            fragment = await asyncio.to_thread(render)
            if fragment is None:
                yield event("", name="signed-out")
                return
            if fragment != shown:
                yield event(fragment)
                shown, silent_seconds = fragment, 0.0
            elif silent_seconds >= BEAT_SECONDS:
                yield event("", name="beat")
                silent_seconds = 0.0
            silent_seconds += LOOK_SECONDS
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._closing.wait()

    async def _beats(self, changed: asyncio.Event) -> AsyncIterator[str]:
        for _ in range(int(REREAD_SECONDS / BEAT_SECONDS)):
            yield event("", name="beat")
            if await self._woken(changed):
                return

    async def _woken(self, changed: asyncio.Event) -> bool:
        """Wait for a change or the end, one beat at most, and tell whether either came."""
        waits = [asyncio.create_task(changed.wait()), asyncio.create_task(self._closing.wait())]
        try:
            done, _ = await asyncio.wait(waits, timeout=BEAT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        return bool(done)


def event(data: str, *, name: str | None = None, event_id: str | None = None) -> str:
    """Return one server-sent event (WHATWG HTML, section 9.2)."""
    head = (f"id: {event_id}\n" if event_id else "") + (f"event: {name}\n" if name else "")
    return head + "".join(f"data: {line}\n" for line in data.splitlines() or [""]) + "\n"
