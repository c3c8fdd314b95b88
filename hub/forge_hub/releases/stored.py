"""Roll-outs as the tables hold them: words of this version, and what a later one may have written."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, get_args

from pydantic import TypeAdapter

from forge_hub.records.schema import RolloutRoom
from forge_hub.releases.rollout import Found, Plan, RoomState, State
from forge_shared.releases import Hardware, ReleaseRole

_PLAN: Final = TypeAdapter(Plan)
_FOUND: Final = TypeAdapter(tuple[Found, ...])
_STATES: Final[tuple[State, ...]] = get_args(State)
_ROOM_STATES: Final[tuple[RoomState, ...]] = get_args(RoomState)
_ROLES: Final[tuple[ReleaseRole, ...]] = get_args(ReleaseRole)
_HARDWARE: Final[tuple[Hardware, ...]] = get_args(Hardware)


def plan_of(stored: Mapping[str, Any]) -> Plan:
    """Return a stored plan."""
    return _PLAN.validate_python(dict(stored))


def stored_plan(plan: Plan) -> dict[str, Any]:
    """Return a plan as it is stored."""
    stored: dict[str, Any] = _PLAN.dump_python(plan, mode="json")
    return stored


def found_of(stored: Mapping[str, Any]) -> tuple[Found, ...]:
    """Return stored findings."""
    return _FOUND.validate_python(stored.get("found", ()))


def stored_found(found: Sequence[Found], waits_for: str | None) -> dict[str, Any]:
    """Return findings, and what the newest ring waits for, as they are stored."""
    return {"found": _FOUND.dump_python(tuple(found), mode="json"), "waits_for": waits_for}


def state_of(stored: str) -> State:
    """Return a stored state; one that this version does not know tells no room anything."""
    return next((each for each in _STATES if each == stored), "stopped")


def room_state_of(stored: str) -> RoomState:
    """Return a room's stored state; one that this version does not know leaves the room alone."""
    return next((each for each in _ROOM_STATES if each == stored), "left-out")


def is_given_up(room: RolloutRoom) -> bool:
    """Tell whether it was noted that a room's trial is not waited for any more."""
    return room.state == "on-trial" and room.reason is not None


def role_of(text: str) -> ReleaseRole | None:
    """Return a role by its name; None: there is no such role."""
    return next((each for each in _ROLES if each == text), None)


def hardware_of(stored: str | None) -> Hardware | None:
    """Return a stored hardware profile; None: not known."""
    return next((each for each in _HARDWARE if each == stored), None)
