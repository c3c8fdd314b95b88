"""The core's side of a child process: starts it, speaks with it, notices when it dies or hangs, starts it again."""

import asyncio
import contextlib
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Literal, TypeVar

from forge_edge.backlog import Backlog
from forge_edge.errors import EngineError, EngineMissingError, NodeConfigError
from forge_edge.messages import LINE_BYTES, Beat, Instruction, Mute, OpenDrawing
from forge_shared.backoff import Backoff
from forge_shared.logs import get_logger
from forge_shared.tasks import until_first_failure

BEAT_LIMIT_SECONDS = 3.0
"""A child that has connected and said something says something at least every second; after this long without a word it
hangs and is killed. A child that is stuck inside says so after `ears.STUCK_SECONDS` or `eyes.STUCK_SECONDS`; a room
that no longer hears or sees is known after at most the sum of both: within ten seconds."""
START_LIMIT_SECONDS = 60.0
"""Without a first word for this long a started child hangs. Loading engines on a Pi takes up to half a minute."""
END_LIMIT_SECONDS = 5.0
"""How long the end of a killed process is waited for: one that waits for a broken device may end much later."""
CONSENT_SECONDS = 1.0
"""How long the end of a child is waited for that may not go on: consent that is withdrawn takes effect within 2 s."""
RESTART_SECONDS = (0.5, 30.0)
QUEUE_LENGTH = 64
"""Perceptions that wait for the core. The ears wait seconds for an answer to each, so that a core that stands still
for minutes still gets them all; of the eyes' looks only the newest waits. A child that speaks without waiting fills the
queue: it is killed and started again, the perception that did not fit is lost, and what waits is still handled."""

log = get_logger()

Trouble = Literal["child.died", "child.hangs", "child.unreadable", "child.floods"]
"""Why a child was given up, as it is logged: it ended by itself; said nothing for too long; said what is no perception;
or said more than the core could take."""

_Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Kind(Generic[S]):
    """What differs from child to child.

    Attributes:
        name: What it is called, in the command line, the log and errors.
        read: Reads one line of it; raises ValueError for what it cannot have said.
        supersedes: Whether the second of two perceptions makes the first, if it still waits, worthless.
    """

    name: Literal["ears", "eyes"]
    read: Callable[[bytes], S | Beat]
    supersedes: Callable[[S, S], bool]


class Child(Generic[S]):
    """A child as the core sees it. Runs on the event loop.

    Reading and handling are apart: a core that takes its time with one perception still sees at once that its child
    lives or that it died.

    Args:
        kind: Which child it is.
        command: Program and arguments; ``--socket PATH`` is added.
        socket_path: Where the core listens for its child.
        on_said: Called with every perception, one at a time, in order.
        on_gone: Called when the child died, hung or was given up, after everything that it had said.
    """

    def __init__(
        self,
        kind: Kind[S],
        command: Sequence[str],
        socket_path: Path,
        *,
        on_said: Callable[[S], Awaitable[None]],
        on_gone: Callable[[], Awaitable[None]],
    ) -> None:
        self._kind = kind
        self._command = command
        self._socket_path = socket_path
        self._on_said = on_said
        self._on_gone = on_gone
        self._writer: asyncio.StreamWriter | None = None
        self._backlog: Backlog[S] = Backlog(QUEUE_LENGTH, kind.supersedes)
        self._backoff = Backoff(*RESTART_SECONDS)
        self._trouble: Trouble | None = None
        self._process: Process | None = None
        self._mode: tuple[str, ...] | None = ()
        self._wanted = asyncio.Event()
        self._wanted.set()
        self._told_to_end = False

    @property
    def pid(self) -> int | None:
        """The process that runs now; None: none does."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    async def restart(self) -> None:
        """End the program that runs, if one does; another starts at once, and what waits to be handled still is."""
        process = self._process
        if process is not None and process.returncode is None:
            self._told_to_end = True
            await _end(process, CONSENT_SECONDS)

    async def become(self, mode: tuple[str, ...] | None) -> bool:
        """Let the child run with these further arguments from now on, or not at all (None).

        A program that runs another way is ended: only a process that is gone has let go of its device for certain.

        Returns:
            Whether nothing that was told to end is still running.
        """
        if mode == self._mode:
            return True
        self._mode = mode
        if mode is None:
            self._wanted.clear()
        else:
            self._wanted.set()
        process = self._process
        if process is None or process.returncode is not None:
            return True
        self._told_to_end = True
        await _end(process, CONSENT_SECONDS)
        return process.returncode is not None

    async def tell(self, order: Instruction | Mute | OpenDrawing) -> bool:
        """Give the child an order; False when there is none at the moment."""
        if self._writer is None:
            return False
        try:
            self._writer.write(order.model_dump_json().encode() + b"\n")
            await self._writer.drain()
        except OSError:
            return False
        return True

    async def run(self) -> None:
        """Keep the child running until cancelled. A trouble is logged once, and so is the recovery from it.

        Raises:
            EngineMissingError: The child's program is not there.
            EngineError: The system cannot start it.
            NodeConfigError: The socket cannot be opened.
            Exception: Whatever a callback raised: an error of the core, not of its child.
        """
        await until_first_failure(self._keep_running(), self._handle())

    async def greet(self) -> None:
        """Tell a child that has just connected what holds for every one of its kind."""

    async def ended(self) -> None:
        """Do what is due when the child has ended because it shall not run."""

    async def _handle(self) -> None:
        while True:
            said = await self._backlog.take()
            if said is None:
                await self._on_gone()
            else:
                await self._on_said(said)

    async def _keep_running(self) -> None:
        while True:
            await self._wanted.wait()
            trouble = await self._run_once()
            if self._told_to_end:
                self._told_to_end = False
                if self._mode is None:
                    await self.ended()
                continue
            if trouble != self._trouble:
                log.warning(trouble, child=self._kind.name)
                self._trouble = trouble
            await self._backlog.end()
            await asyncio.sleep(self._backoff.failed())

    async def _run_once(self) -> Trouble:
        """Run the child until it is given up; return why."""
        connected: asyncio.Future[_Connection] = asyncio.get_running_loop().create_future()
        # Every child has a listener of its own: what its predecessor left behind cannot be taken for it.
        server = await self._listen(connected)
        try:
            mode = self._mode
            if mode is None:
                self._told_to_end = True
                return "child.died"
            process = self._process = await self._start(mode)
            if mode != self._mode:
                self._told_to_end = True
                process.kill()
            try:
                return await self._hear(process, connected)
            finally:
                self._writer = self._process = None
                await _end(process)
        finally:
            server.close()
            # Whoever connected while they were given up is let go too, now or, when it is accepted, then.
            if not connected.cancel():
                connected.result()[1].transport.abort()

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

    async def _start(self, mode: tuple[str, ...]) -> Process:
        name = Path(self._command[0]).name
        try:
            return await asyncio.create_subprocess_exec(
                *self._command, "--socket", str(self._socket_path), *mode, stdin=DEVNULL
            )
        except (FileNotFoundError, PermissionError, NotADirectoryError):
            raise EngineMissingError(
                f"the {self._kind.name} cannot be started: {name} is missing or is no program"
            ) from None
        except OSError as error:
            raise EngineError(f"the system cannot start the {self._kind.name}: {error.strerror}") from None

    async def _hear(self, process: Process, connected: "asyncio.Future[_Connection]") -> Trouble:
        """Queue what the child says until it is given up; return why."""
        ended = asyncio.create_task(process.wait(), name="child-wait")
        try:
            done, _ = await asyncio.wait(
                (ended, connected), timeout=START_LIMIT_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            ended.cancel()
        if not connected.done():
            return "child.died" if done else "child.hangs"
        reader, self._writer = connected.result()
        await self.greet()
        lines, limit_seconds = 0, START_LIMIT_SECONDS
        while True:
            try:
                said = await self._read(reader, limit_seconds)
            except _GivenUpError as given_up:
                return given_up.trouble
            if not isinstance(said, Beat) and not await self._backlog.put(said):
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
            log.info("child.recovered", child=self._kind.name)

    async def _read(self, reader: asyncio.StreamReader, limit_seconds: float) -> S | Beat:
        """Return what the child says next.

        Raises:
            _GivenUpError: There is nothing, or nothing that counts.
        """
        try:
            async with asyncio.timeout(limit_seconds):
                line = await reader.readline()
            if not line.endswith(b"\n"):  # a dead process leaves a closed connection, and perhaps half a line
                raise _GivenUpError("child.died")
            said = self._kind.read(line)
        except TimeoutError:
            raise _GivenUpError("child.hangs") from None
        except OSError:
            raise _GivenUpError("child.died") from None
        # Too long a line, or no perception: pydantic's errors are of this kind.
        except ValueError:
            raise _GivenUpError("child.unreadable") from None
        if isinstance(said, Beat) and said.stuck:
            raise _GivenUpError("child.hangs")
        return said


class _GivenUpError(Exception):
    """A child is to be ended.

    Attributes:
        trouble: Why.
    """

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble)
        self.trouble: Trouble = trouble


async def _end(process: Process, limit_seconds: float = END_LIMIT_SECONDS) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    ended = asyncio.create_task(process.wait(), name="child-end")
    try:
        await asyncio.wait((ended,), timeout=limit_seconds)
    except asyncio.CancelledError:
        # Whoever ends the core in this moment must not leave a process behind that nobody has waited for.
        await asyncio.wait((ended,), timeout=limit_seconds)
        raise
    finally:
        ended.cancel()
