"""The node's two children, as the core sees them."""

import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Self

from forge_edge.messages import Instruction, Mute, OpenDrawing, Said, Seen, Shown, read_perception, read_shown
from forge_edge.supervision import Child, Kind

_EARS: Kind[Said] = Kind("ears", read_perception, lambda _waiting, _newer: False)
_EYES: Kind[Shown] = Kind(
    "eyes", read_shown, lambda waiting, newer: isinstance(waiting, Seen) and isinstance(newer, Seen)
)


class EarsChild(Child[Said]):
    """The ears as the core sees them: a `Child` that speaks, and hears where it may."""

    def __init__(
        self,
        command: Sequence[str],
        socket_path: Path,
        *,
        on_said: Callable[[Said], Awaitable[None]],
        on_gone: Callable[[], Awaitable[None]],
    ) -> None:
        super().__init__(_EARS, command, socket_path, on_said=on_said, on_gone=on_gone)
        self._muted = self._deaf = False
        self._tuning: tuple[str, ...] = ()

    @classmethod
    def shipped(
        cls, socket_path: Path, *, on_said: Callable[[Said], Awaitable[None]], on_gone: Callable[[], Awaitable[None]]
    ) -> Self:
        """Return the ears that come with the node."""
        return cls([sys.executable, "-m", "forge_edge", "ears"], socket_path, on_said=on_said, on_gone=on_gone)

    async def send(self, instruction: Instruction) -> bool:
        """Give the ears an instruction; False when there are none at the moment."""
        return await self.tell(instruction)

    async def mute(self, *, muted: bool) -> bool:
        """Let the ears keep nothing of what the microphone delivers, or hear again.

        It holds for ears that are started later too.

        Returns:
            Whether there are ears that were told so now.
        """
        self._muted = muted
        return await self.tell(Mute(muted=muted))

    async def deafen(self, *, deaf: bool) -> bool:
        """Let the ears only speak, or hear again; either way the program that runs now is ended and another started.

        Returns:
            Whether nothing that was told to end is still running.
        """
        self._deaf = deaf
        return await self.become(self._arguments)

    async def tune(self, *, words_per_minute: int | None, wake_threshold: float | None) -> bool:
        """Let the ears speak so fast and wake so readily, or as their settings have it (None).

        Returns:
            Whether they were other, so that the program that runs now was ended and another started.
        """
        wanted = {"--words-per-minute": words_per_minute, "--wake-threshold": wake_threshold}
        tuning = tuple(word for name, value in wanted.items() if value is not None for word in (name, f"{value}"))
        if tuning == self._tuning:
            return False
        self._tuning = tuning
        await self.become(self._arguments)
        return True

    @property
    def _arguments(self) -> tuple[str, ...]:
        return (*(("--deaf",) if self._deaf else ()), *self._tuning)

    async def greet(self) -> None:
        """Tell new ears that they are muted."""
        if self._muted:
            await self.tell(Mute(muted=True))


class EyesChild(Child[Shown]):
    """The eyes as the core sees them: a `Child` that reports looks, of which only the newest waits.

    Args:
        command: As `Child`.
        socket_path: As `Child`.
        on_said: As `Child`.
        on_gone: As `Child`.
        on_closed: Called when they have ended because they shall not run.
    """

    def __init__(
        self,
        command: Sequence[str],
        socket_path: Path,
        *,
        on_said: Callable[[Shown], Awaitable[None]],
        on_gone: Callable[[], Awaitable[None]],
        on_closed: Callable[[], Awaitable[None]],
    ) -> None:
        super().__init__(_EYES, command, socket_path, on_said=on_said, on_gone=on_gone)
        self._on_closed = on_closed

    @classmethod
    def shipped(
        cls,
        socket_path: Path,
        *,
        on_said: Callable[[Shown], Awaitable[None]],
        on_gone: Callable[[], Awaitable[None]],
        on_closed: Callable[[], Awaitable[None]],
    ) -> Self:
        """Return the eyes that come with the node."""
        command = [sys.executable, "-m", "forge_edge", "eyes"]
        return cls(command, socket_path, on_said=on_said, on_gone=on_gone, on_closed=on_closed)

    async def close(self, *, closed: bool) -> bool:
        """End the eyes and keep them from running, or let them run.

        Returns:
            Whether nothing that was told to end is still running; `on_closed` is called when that is so.
        """
        return await self.become(None if closed else ())

    async def draw(self, order: OpenDrawing) -> bool:
        """Let the eyes open their drawing page; False when there are none at the moment."""
        return await self.tell(order)

    async def ended(self) -> None:
        """Say that the eyes are closed."""
        await self._on_closed()
