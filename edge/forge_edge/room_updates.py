"""The room as its updater sees it: when nobody needs it, and how the process that serves a role starts anew."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from forge_edge.danger import Danger
from forge_edge.dialogue.conversation import Conversation
from forge_edge.listening import Listening
from forge_edge.observations import ReleaseObserved
from forge_edge.reactions import Reactions
from forge_edge.screen.memory import ScreenMemory
from forge_edge.settings import NodeSettings
from forge_edge.update.slots import Change
from forge_edge.updating.ports import Measured, Need
from forge_edge.watching import Watching
from forge_shared.releases import ReleaseRole
from forge_shared.wire import RoomRelease


class RoomUpdates:
    """See `forge_edge.updating.ports.ServedRoom`.

    Args:
        settings: How the node is run.
        lock: Held while anything changes the conversation.
        reactions: What the room has told and said.
        danger: What the camera shows of danger.
        screen: What the screen remembers.
        listening: The ears.
        watching: The eyes.
        report: Tells the screen and the hub how the room is.

    Attributes:
        releases: Returns what is to be told of the releases.
        wake: Called when the hub says that something changed of them.
    """

    def __init__(  # noqa: PLR0913 (the parts of a room)
        self,
        settings: NodeSettings,
        lock: asyncio.Lock,
        reactions: Reactions,
        danger: Danger,
        screen: ScreenMemory,
        listening: Listening,
        watching: Watching,
        report: Callable[[], None],
    ) -> None:
        self._settings, self._lock, self._reactions, self._danger = settings, lock, reactions, danger
        self._screen, self._listening, self._watching = screen, listening, watching
        self.report = report
        self.releases: Callable[[], Sequence[RoomRelease]] = tuple
        self.wake: Callable[[], None] = _nobody
        self._version: int | None = None

    def told(self, version: int | None) -> None:
        """Note which version of its director the hub says that this room has."""
        if version != self._version:
            self._version = version
            self.wake()

    def needed(self, role: ReleaseRole) -> Need | None:
        """See `ServedRoom`."""
        if self._danger.is_suspected or self._reactions.awaits_somebody:
            return "alarm"
        if self._watching.drawing is not None:
            return "drawing"
        if self._screen.has_form:
            return "form"
        busy = self._listening.state.state in {"speaking", "listening", "deciding"}
        return needed_for(self._reactions.conversation, role, busy=busy or self._listening.speaks)

    def obstacle(self, role: ReleaseRole) -> str | None:
        """See `ServedRoom`."""
        if role == "language-model":
            return "no-engine"
        if role == "pose" and self._watching.camera is None:
            return "no-camera"
        if role == "transcriber" and not self._settings.takes_dictation:
            return "light-hearing"
        return None

    async def switch(self, role: ReleaseRole, change: Callable[[], None], *, at_once: bool) -> bool:
        """See `ServedRoom`."""
        async with self._lock:
            if not at_once and self.needed(role) is not None:
                return False
            await asyncio.to_thread(change)
            if role == "pose":
                await self._watching.start_anew()
            else:
                await self._listening.start_anew()
        self.report()
        return True

    async def tell(self, role: ReleaseRole, change: Change) -> None:
        """See `ServedRoom`."""
        observed = ReleaseObserved(
            role=role,
            outcome=change.outcome,
            release=change.release,
            release_version=change.release_version,
            sha256=change.sha256,
            rollout=change.rollout,
            reason=change.reason,
        )
        async with self._lock:
            await self._reactions.commit((observed,))

    def measured(self, role: ReleaseRole) -> Measured:
        """See `ServedRoom`."""
        part = self._watching if role == "pose" else self._listening
        state = self._watching.state if role == "pose" else self._listening.hearing
        took_ms = tuple(part.took_ms) if role in {"pose", "transcriber"} else None
        return Measured(part.faults, took_ms, peak_memory_mb(part.pid), works=state == "ok")


def needed_for(conversation: Conversation, role: ReleaseRole, *, busy: bool) -> Need | None:
    """Return why a conversation needs the process that serves a role. Pure.

    Ears that start anew offer to go on with a form that waits: while one does, theirs are not exchanged.
    """
    if conversation.session is not None:
        return "session"
    if conversation.interview is not None and (role != "pose" or conversation.activity != "idle"):
        return "form"
    return "conversation" if busy or conversation.activity != "idle" else None


def peak_memory_mb(pid: int | None) -> float | None:
    """Return the most memory that a process has used; None where it cannot be known.

    Source: ``VmHWM`` of proc(5), in KiB.
    """
    if pid is None:
        return None
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return None
    found = next((line.split()[1] for line in lines if line.startswith("VmHWM:")), None)
    return None if found is None else int(found) * 1024 / 1e6


def _nobody() -> None:
    """Stand for an updater where there is none."""
