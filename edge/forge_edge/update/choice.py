"""What is to be done about one role, by what the site wants and what the room has. Pure."""

from dataclasses import dataclass
from typing import Literal

from forge_edge.update.slots import RoleState
from forge_edge.update.trusted import Wanted


@dataclass(frozen=True, slots=True)
class Keep:
    """What serves is what is wanted."""


@dataclass(frozen=True, slots=True)
class Take:
    """A release is to be fetched, proved and tried."""

    wanted: Wanted


@dataclass(frozen=True, slots=True)
class Refuse:
    """A release is wanted that cannot serve here; ``reason`` is a code."""

    wanted: Wanted
    reason: str


@dataclass(frozen=True, slots=True)
class GoBack:
    """What serves is not wanted any more; ``to``: what did well before its trial, or what came with the node."""

    to: Literal["good", "came-with-node"]


Choice = Keep | Take | Refuse | GoBack


def choose(wanted: Wanted | None, state: RoleState, *, hardware: str | None, obstacle: str | None) -> Choice:
    """Return what is to be done about a role.

    The director says all that a room shall have: a role that it does not name goes back to what came with the node.

    Args:
        wanted: What both repositories name for the role; None: nothing.
        state: What the role has.
        hardware: The machine's profile; None: not known, and the golden inputs decide alone.
        obstacle: Why nothing from a slot can serve this role here; None: it can.
    """
    if wanted is None:
        return GoBack("came-with-node") if state.active is not None else Keep()
    if wanted.sha256 == state.active:
        return Keep()
    if wanted.sha256 == state.good:
        return GoBack("good")
    quarantined = state.why_quarantined(wanted.sha256)
    reason = quarantined or obstacle
    if reason is None and hardware is not None and hardware not in wanted.hardware:
        reason = "other-hardware"
    if reason is not None:
        return Refuse(wanted, reason)
    return Take(wanted)
