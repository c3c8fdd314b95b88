"""The core's side of a child process: starts it, speaks with it, notices when it dies or hangs, starts it again."""

import asyncio
import contextlib
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Literal

from forge_edge.errors import EngineError, EngineMissingError, NodeConfigError
from forge_edge.messages import LINE_BYTES, Beat, Instruction, Mute, Said, read_perception
from forge_shared.backoff import Backoff
from forge_shared.logs import get_logger
from forge_shared.tasks import until_first_failure

BEAT_LIMIT_SECONDS = 3.0
"""A child that has connected and said something says something at least every second; after this long without a word it
hangs and is killed. A child that is stuck inside still speaks for `ears.STUCK_SECONDS`, so that a room which no longer
hears is known after at most the sum of both: within ten seconds."""
START_LIMIT_SECONDS = 60.0
"""Without a first word for this long a started child hangs. Loading engines on a Pi takes up to half a minute."""
END_LIMIT_SECONDS = 5.0
"""How long the end of a killed process is waited for: one that waits for a broken device may end much later."""
DEAF_SECONDS = 1.0
"""How long the end of ears is waited for that may hear no more: consent that is withdrawn takes effect within 2 s."""
RESTART_SECONDS = (0.5, 30.0)
QUEUE_LENGTH = 64
"""Perceptions that wait for the core. The ears wait seconds for an answer to each, so that a core that stands still
for minutes still gets them all. A child that speaks without waiting fills the queue: it is killed and started again,
the perception that did not fit is lost, and what waits is still handled."""

log = get_logger()

Trouble = Literal["child.died", "child.hangs", "child.unreadable", "child.floods"]
"""Why a child was given up, as it is logged: it ended by itself; said nothing for too long; said what is no perception;
or said more than the core could take."""

_Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class EarsChild:
    """The ears as the core sees them. Runs on the event loop.

    Reading and handling are apart: a core that takes its time with one perception still sees at once that its ears live
    or that they died.

    Args:
        command: Program and arguments; ``--socket PATH`` is added.
        socket_path: Where the core listens for its child.
        on_said: Called with every perception, one at a time, in order.
        on_gone: Called when the child died, hung or was given up, after everything that it had said.
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
        # None stands for a child that is gone.
        self._waiting: asyncio.Queue[Said | None] = asyncio.Queue(QUEUE_LENGTH)
        self._backoff = Backoff(*RESTART_SECONDS)
        self._trouble: Trouble | None = None
        self._process: Process | None = None
        self._deaf = self._muted = False
        self._told_to_end = False

    @classmethod
    def shipped(
        cls, socket_path: Path, *, on_said: Callable[[Said], Awaitable[None]], on_gone: Callable[[], Awaitable[None]]
    ) -> "EarsChild":
        """Return the ears that come with the node."""
        return cls([sys.executable, "-m", "forge_edge", "ears"], socket_path, on_said=on_said, on_gone=on_gone)

    async def send(self, instruction: Instruction) -> bool:
        """Give the ears an instruction; False when there are none at the moment."""
        return await self._send(instruction)

    async def mute(self, *, muted: bool) -> bool:
        """Let the ears keep nothing of what the microphone delivers, or hear again.

        It holds for ears that are started later too.

        Returns:
            Whether there are ears that were told so now.
        """
        self._muted = muted
        return await self._send(Mute(muted=muted))

    async def _send(self, order: Instruction | Mute) -> bool:
        if self._writer is None:
            return False
        try:
            self._writer.write(order.model_dump_json().encode() + b"\n")
            await self._writer.drain()
        except OSError:
            return False
        return True

    async def deafen(self, *, deaf: bool) -> bool:
        """Let the ears only speak, or hear again; either way the program that runs now is ended and another started.

        Only a process that is gone has let go of its microphone for certain.

        Returns:
            Whether nothing that was told to end is still running.
        """
        if deaf == self._deaf:
            return True
        self._deaf = deaf
        process = self._process
        if process is None or process.returncode is not None:
            return True
        self._told_to_end = True
        await _end(process, DEAF_SECONDS)
        return process.returncode is not None

    async def run(self) -> None:
        """Keep the ears running until cancelled. A trouble is logged once, and so is the recovery from it.

        Raises:
            EngineMissingError: The ears' program is not there.
            EngineError: The system cannot start it.
            NodeConfigError: The socket cannot be opened.
            Exception: Whatever a callback raised: an error of the core, not of its ears.
        """
        await until_first_failure(self._keep_running(), self._handle())

    async def _handle(self) -> None:
        while True:
            said = await self._waiting.get()
            if said is None:
                await self._on_gone()
            else:
                await self._on_said(said)

    async def _keep_running(self) -> None:
        while True:
            trouble = await self._run_once()
            if self._told_to_end:
                self._told_to_end = False
                continue
            if trouble != self._trouble:
                log.warning(trouble, child="ears")
                self._trouble = trouble
            await self._waiting.put(None)
            await asyncio.sleep(self._backoff.failed())

    async def _run_once(self) -> Trouble:
        """Run the ears until they are given up; return why."""
        connected: asyncio.Future[_Connection] = asyncio.get_running_loop().create_future()
        # Every child has a listener of its own: what its predecessor left behind cannot be taken for it.
        server = await self._listen(connected)
        try:
            deaf = self._deaf
            process = self._process = await self._start()
            if deaf != self._deaf:
                self._told_to_end = True
                process.kill()
            try:
                return await self._hear(process, connected)
            finally:
                self._writer = self._process = None
                if connected.done():
                    connected.result()[1].transport.abort()
                await _end(process)
        finally:
            server.close()

    async def _listen(self, connected: "asyncio.Future[_Connection]") -> asyncio.Server:
        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if connected.done():
                writer.close()
            else:
                connected.set_result((reader, writer))

        try:
            self._socket_path.unlink(missing_ok=True)
            return await asyncio.start_unix_server(accept, self._socket_path, limit=LINE_BYTES)
        except OSError:
            raise NodeConfigError(
                f"cannot open the socket {self._socket_path.name} in FORGE_EDGE_STATE_DIR: that folder's path must be "
                "short (about 90 characters), and its file system must hold sockets"
            ) from None

    async def _start(self) -> Process:
        name = Path(self._command[0]).name
        try:
            return await asyncio.create_subprocess_exec(
                *self._command, "--socket", str(self._socket_path), *(["--deaf"] if self._deaf else []), stdin=DEVNULL
            )
        except (FileNotFoundError, PermissionError, NotADirectoryError):
            raise EngineMissingError(f"the ears cannot be started: {name} is missing or is no program") from None
        except OSError as error:
            raise EngineError(f"the system cannot start the ears: {error.strerror}") from None

    async def _hear(self, process: Process, connected: "asyncio.Future[_Connection]") -> Trouble:
        """Queue what the ears say until they are given up; return why."""
        ended = asyncio.create_task(process.wait(), name="ears-wait")
        try:
            done, _ = await asyncio.wait(
                (ended, connected), timeout=START_LIMIT_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            ended.cancel()
        if not connected.done():
            return "child.died" if done else "child.hangs"
        reader, self._writer = connected.result()
        if self._muted:
            await self._send(Mute(muted=True))
        lines, limit_seconds = 0, START_LIMIT_SECONDS
        while True:
            said = await _read(reader, limit_seconds)
            if isinstance(said, str):
                return said
            if not isinstance(said, Beat):
                try:
                    self._waiting.put_nowait(said)
                except asyncio.QueueFull:
                    return "child.floods"
            busy_seconds = said.busy_seconds if isinstance(said, Beat) else 0.0
            lines, limit_seconds = lines + 1, BEAT_LIMIT_SECONDS + busy_seconds
            # The first word says that they have started, the second that they work.
            if lines == 2:  # noqa: PLR2004 (see above)
                self._recover()

    def _recover(self) -> None:
        self._backoff.succeeded()
        if self._trouble is not None:
            self._trouble = None
            log.info("child.recovered", child="ears")


async def _read(reader: asyncio.StreamReader, limit_seconds: float) -> Said | Beat | Trouble:
    """Return what the child says next, or why there is nothing."""
    try:
        async with asyncio.timeout(limit_seconds):
            line = await reader.readline()
        # A dead process leaves a closed connection, and perhaps half a line.
        return read_perception(line) if line.endswith(b"\n") else "child.died"
    except TimeoutError:
        return "child.hangs"
    except OSError:
        return "child.died"
    # Too long a line, or no perception: pydantic's errors are of this kind.
    except ValueError:
        return "child.unreadable"


async def _end(process: Process, limit_seconds: float = END_LIMIT_SECONDS) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    ended = asyncio.create_task(process.wait(), name="ears-end")
    try:
        await asyncio.wait((ended,), timeout=limit_seconds)
    except asyncio.CancelledError:
        # Whoever ends the core in this moment must not leave a process behind that nobody has waited for.
        await asyncio.wait((ended,), timeout=limit_seconds)
        raise
    finally:
        ended.cancel()
