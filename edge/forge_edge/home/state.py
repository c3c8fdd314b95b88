"""How the room is, as Home Assistant may know it. Pure.

What is not known is null, which Home Assistant shows as unknown. There is no field for words.
"""

from collections.abc import Sequence
from typing import Final, Literal, get_args

from forge_shared.model import Frozen

Switch = Literal["ON", "OFF"]
Profile = Literal["standard", "quiet", "night"]
"""How the room behaves: as the staff have set it; saying nothing unasked; that, and its screen dark."""
PROFILES: Final[Sequence[Profile]] = get_args(Profile)

Problem = Literal["hearing-lost", "sight-lost", "disk-full", "disk-failed", "clock-wrong"]
"""What is wrong with the room, as far as somebody at the building's controls can do something about it."""


class SafetyAttributes(Frozen):
    """Beside ``safety``: whether somebody at the room has pressed that they have seen it."""

    seen_at_room: bool = False


class ProblemAttributes(Frozen):
    """Beside ``problem``: what it is."""

    problems: tuple[Problem, ...] = ()


class HomeState(Frozen):
    """What the room's entities show.

    Attributes:
        safety: ``ON`` while the camera shows something dangerous that is not over; null where nobody looks.
        occupancy: Whether somebody is in the room; null where that is not known.
        motion: Whether something moves in the picture; null where nobody looks.
        connectivity: Whether what the room sends arrives at the hub.
        problem: Whether something is wrong with the room.
        privacy: Whether the room's senses are closed because Home Assistant asked for it.
        profile: How the room behaves.
    """

    safety: Switch | None = None
    safety_attributes: SafetyAttributes = SafetyAttributes()
    occupancy: Switch | None = None
    motion: Switch | None = None
    connectivity: Switch = "OFF"
    problem: Switch = "OFF"
    problem_attributes: ProblemAttributes = ProblemAttributes()
    privacy: Switch = "OFF"
    profile: Profile = "standard"


def switch(*, on: bool | None) -> Switch | None:
    """Return a state as Home Assistant writes it; None: not known."""
    return None if on is None else "ON" if on else "OFF"
