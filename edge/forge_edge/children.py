"""The core's side of a child process: starts it, speaks with it, notices when it dies or hangs, starts it again."""

import asyncio
import contextlib
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from pydantic import ValidationError

from forge_edge.messages import (
    LINE_BYTES,
    Beat,
    Hearing,
    Instruction,
    NothingHeard,
    SpeechHeard,
    WakeHeard,
    read_perception,
)
from forge_shared.backoff import Backoff
from forge_shared.logs import get_logger

BEAT_LIMIT_SECONDS = 3.0
"""Silence from a child for this long, beyond the seconds it may be stuck, means that it hangs."""
START_LIMIT_SECONDS = 60.0
"""Loading engines on a Pi takes up to half a minute."""
RESTART_SECONDS = (0.5, 30.0)

log = get_logger()

Said = Hearing | WakeHeard | SpeechHeard | NothingHeard


class EarsChild:
    """The ears as the core sees them. Runs on the event loop.

    Args:
        command: Program and arguments; ``--socket PATH`` is added.
        socket_path: Where the core listens for its child.
        on_said: Called with every perception, one at a time.
        on_gone: Called when the child died or hung, before it is started again.
    """

    def __init__(
        self,
        command: Sequence[str],
        socket_path: Path,
        *,
        on_said: Callable[[Said], Awaitable[None]],
        on_gone: Callable[[], Awaitable[None]],
    ) -> None:
        self._command = command
        self._socket_path = socket_path
        self._on_said = on_said
        self._on_gone = on_gone
        self._writer: asyncio.StreamWriter | None = None
        self._beat = asyncio.Event()

    @classmethod
    def shipped(
        cls, socket_path: Path, *, on_said: Callable[[Said], Awaitable[None]], on_gone: Callable[[], Awaitable[None]]
    ) -> "EarsChild":
        """Return the ears that come with the node."""
        return cls([sys.executable, "-m", "forge_edge", "ears"], socket_path, on_said=on_said, on_gone=on_gone)

    async def send(self, instruction: Instruction) -> bool:
        """Give the ears an instruction; False when there are none at the moment."""
        if self._writer is None:
            return False
        try:
            self._writer.write(instruction.model_dump_json().encode() + b"\n")
            await self._writer.drain()
        except OSError:
            return False
        return True

    async def run(self) -> None:
        """Keep the ears running until cancelled. Their death is logged once, their recovery once."""
        backoff = Backoff(*RESTART_SECONDS)
        self._socket_path.unlink(missing_ok=True)
        server = await asyncio.start_unix_server(self._serve, self._socket_path, limit=LINE_BYTES)
        async with server:
            while True:
                lived = await self._run_once()
                await self._on_gone()
                if lived:
                    backoff.succeeded()
                if backoff.failures == 0:
                    log.warning("child.died", child="ears")
                await asyncio.sleep(backoff.failed())

    async def _run_once(self) -> bool:
        """Run the ears until they die or hang; return whether they had come to work."""
        process = await asyncio.create_subprocess_exec(
            *self._command, "--socket", str(self._socket_path), stdin=asyncio.subprocess.DEVNULL
        )
        ended = asyncio.create_task(process.wait(), name="ears-wait")
        limit, beats = START_LIMIT_SECONDS, 0
        try:
            while not ended.done():
                self._beat.clear()
                beat = asyncio.create_task(self._beat.wait(), name="ears-beat")
                done, _ = await asyncio.wait((ended, beat), timeout=limit, return_when=asyncio.FIRST_COMPLETED)
                beat.cancel()
                if not done:
                    log.warning("child.hangs", child="ears")
                    break
                beats += 1
                limit = BEAT_LIMIT_SECONDS
        finally:
            self._writer = None
            if process.returncode is None:
                process.kill()
            with contextlib.suppress(asyncio.CancelledError):
                await ended
        return beats > 1

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        try:
            while line := await reader.readline():
                self._beat.set()
                said = read_perception(line)
                if not isinstance(said, Beat):
                    await self._on_said(said)
        except (OSError, ValueError, ValidationError) as error:
            log.warning("child.unreadable", child="ears", error=type(error).__name__)
        finally:
            if self._writer is writer:
                self._writer = None
            writer.close()
