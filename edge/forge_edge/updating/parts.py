"""What the updater is made of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from forge_edge.update.fetching import Source
from forge_edge.update.slots import Slots
from forge_edge.update.trusted import Wanted
from forge_edge.updating.ports import Prover, ServedRoom
from forge_shared.clock import Clock
from forge_shared.releases import ReleaseRole

Look = Callable[[], Mapping[ReleaseRole, Wanted]]
"""Returns what this room shall have by what both repositories say. Blocks on the network.

Raises:
    UpdateRefusedError: What they say is not trusted.
    UpdateUnreachableError: The hub cannot be reached.
"""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long the updater waits for what, in seconds. The defaults are ours.

    Attributes:
        look: From one look to the next, give or take a fifth, so that rooms do not come together.
        retry: First and longest wait after the hub could not be reached.
        quiet: How long nobody must have needed the room.
        overdue: After how long of waiting it is said to be overdue; it waits on.
        withdraw: How long a release that is not wanted any more may go on serving while somebody needs the room.
        step: How often the room is looked at while it is waited for, and wishes are looked for.
    """

    look: float = 3600.0
    retry: tuple[float, float] = (30.0, 3600.0)
    quiet: float = 10.0
    overdue: float = 6 * 3600.0
    withdraw: float = 600.0
    step: float = 1.0


@dataclass(frozen=True, slots=True)
class Parts:
    """What the updater works with.

    Attributes:
        folder: The node's state folder.
        slots: Where releases lie.
        look: Tells what the room shall have.
        source: Gives out packed releases.
        hang_up: Ends what is going on with the hub, from any thread.
        prover: Proves what was put in.
        room: Serves it.
        clock: Measures.
        hardware: The machine's profile; None: not known.
    """

    folder: Path
    slots: Slots
    look: Look
    source: Source
    hang_up: Callable[[], None]
    prover: Prover
    room: ServedRoom
    clock: Clock
    hardware: str | None
    pace: Pace = field(default_factory=Pace)
