"""What the updater needs of the room it serves, and of what proves a release."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, Protocol, get_args

from forge_edge.update.slots import Change
from forge_shared.releases import Manifest, ReleaseRole

ROLES: Final[tuple[ReleaseRole, ...]] = get_args(ReleaseRole)
Need = Literal["alarm", "conversation", "drawing", "form", "session"]
"""Why somebody needs the room."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a role's process has shown since it was last switched.

    Attributes:
        faults: How often it died, hung or was given up while its device worked.
        took_ms: How long its newest inferences took; None: this role's are not measured.
        memory_mb: The most that it has used; None: not known.
        works: Whether it does its work now, with its device open.
    """

    faults: int = 0
    took_ms: Sequence[float] | None = None
    memory_mb: float | None = None
    works: bool = True


class ServedRoom(Protocol):
    """The room, as far as releases concern it. Used on the event loop."""

    def needed(self, role: ReleaseRole) -> Need | None:
        """Return why the process that serves a role must not be exchanged now; None: nobody needs it."""

    def obstacle(self, role: ReleaseRole) -> str | None:
        """Return why no release can serve a role here, a code; None: one can."""

    async def switch(self, role: ReleaseRole, change: Callable[[], None], *, at_once: bool) -> bool:
        """Make a change of the slots true, and let the process that serves the role start anew with it.

        Nothing else happens in the room meanwhile.

        Args:
            role: Which one.
            change: Blocks on the disk; raises OSError, and then nothing has changed.
            at_once: Although somebody may need the room.

        Returns:
            Whether it was done; False: somebody needs the room.
        """

    async def tell(self, role: ReleaseRole, change: Change) -> None:
        """Store what became of a release, for the hub."""

    def measured(self, role: ReleaseRole) -> Measured:
        """Return what the role's process has shown."""

    def report(self) -> None:
        """Say how the room is."""


class Prover(Protocol):
    """Proves a release that was put in and does not serve yet."""

    async def prove(self, folder: Path, manifest: Manifest) -> None:
        """Build what the device needs for it, run its golden input, and compare.

        Raises:
            UpdateRefusedError: It failed, took too long, or gave something else than what is stored with it.
        """
