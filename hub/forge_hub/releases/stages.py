"""What a roll-out does next: which rooms are told, which are told to go back, whether the next ring opens. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from forge_hub.releases.rollout import Plan, RoomState, State

LEAST_SHARE: Final = 0.5
"""Of a ring's rooms, those that must have kept the release and served it for the time in use. Ours: some rooms are off
or locked for days, and a roll-out that waits for each of them never ends; half of them can be judged. Rooms whose trial
was given up are left out of it: a site in which most cameras are closed could take no release for the others."""

Wait = Literal["window", "rooms", "soak", "evidence"]


@dataclass(frozen=True, slots=True)
class Standing:
    """A room as a roll-out sees it; see `forge_hub.records.schema.RolloutRoom`.

    ``is_given_up``: whether it was noted that its trial is not waited for any more.
    """

    node: str
    ring: int
    state: RoomState
    directed_at: datetime | None = None
    serves_since: datetime | None = None
    is_locked: bool = False
    is_given_up: bool = False


@dataclass(frozen=True, slots=True)
class Situation:
    """How a roll-out stands at a moment.

    Attributes:
        ring: The newest ring that is open; 0: none is.
        opened_at: Since when that ring is open.
        is_time: Whether its window is open.
        resumed_at: When somebody began or resumed it last: it waits for trials from then on.
    """

    state: State
    ring: int
    opened_at: datetime | None
    plan: Plan
    now: datetime
    is_time: bool
    resumed_at: datetime


@dataclass(frozen=True, slots=True)
class Known:
    """What the hub has found of the release: the finding that condemns it, and whether enough is known for the next."""

    bad: str | None = None
    is_enough: bool = True


@dataclass(frozen=True, slots=True)
class Step:
    """What is to be done now. ``ring`` is the newest ring from now on; ``passed`` one that has passed.

    Attributes:
        direct: Rooms that are told of the release.
        recall: Rooms that are told again of what they had: somebody locked them before they took the release.
        given_up: Rooms on trial that are not waited for from now on.
        withdraw: Why the roll-out is withdrawn; None: it is not.
        pause: Why it is paused; None: it is not.
        is_done: Whether the last ring has passed.
        waits_for: What the newest ring waits for; None: nothing.
    """

    ring: int
    passed: int | None = None
    direct: tuple[str, ...] = ()
    recall: tuple[str, ...] = ()
    given_up: tuple[str, ...] = ()
    withdraw: str | None = None
    pause: str | None = None
    is_done: bool = False
    waits_for: Wait | None = None


def next_step(at: Situation, rooms: Sequence[Standing], known: Known) -> Step:
    """Return what a roll-out does now.

    A finding withdraws it whether it runs or is paused. Nothing is told while it is paused, and nothing at all once it
    is final.

    Args:
        at: How it stands.
        rooms: All of its rooms.
        known: What is known of the release.
    """
    ring = at.ring
    if at.state not in {"running", "paused"}:
        return Step(ring)
    if known.bad is not None:
        return Step(ring, withdraw=known.bad)
    if at.state == "paused":
        return Step(ring, recall=_recalled(rooms))
    return _go_on(at, rooms, known)


def _go_on(at: Situation, rooms: Sequence[Standing], known: Known) -> Step:
    ring = at.ring
    if ring == 0:
        return _with_orders(1, rooms, at) if at.is_time else Step(0, waits_for="window")
    standing = _of_ring(at, rooms)
    if not standing.is_awaited and standing.given_up and standing.kept < standing.least:
        return Step(ring, recall=_recalled(rooms), pause=_too_few(at, standing))
    waits = _wait(at, standing, known)
    if waits is not None:
        told = _with_orders(ring, rooms, at)
        tired = tuple(room.node for room in rooms if _tires(room, at))
        return Step(ring, direct=told.direct, recall=told.recall, given_up=tired, waits_for=told.waits_for or waits)
    if ring == len(at.plan.shares):
        return Step(ring, passed=ring, recall=_recalled(rooms), is_done=True)
    opened = _with_orders(ring + 1, rooms, at)
    return Step(ring + 1, ring, opened.direct, opened.recall, waits_for=opened.waits_for)


def _with_orders(ring: int, rooms: Sequence[Standing], at: Situation) -> Step:
    due = [room.node for room in rooms if room.ring <= ring and room.state == "planned" and not room.is_locked]
    if due and not at.is_time:
        return Step(ring, recall=_recalled(rooms), waits_for="window")
    return Step(ring, direct=tuple(due), recall=_recalled(rooms), waits_for="rooms" if due else None)


def _recalled(rooms: Sequence[Standing]) -> tuple[str, ...]:
    return tuple(room.node for room in rooms if room.state == "directed" and room.is_locked)


@dataclass(frozen=True, slots=True)
class _OfRing:
    """How the newest ring stands.

    Attributes:
        is_awaited: Whether any room of the open rings is waited for.
        rooms: How many are to have the release.
        given_up: Of how many of them the trial is not waited for any more.
        kept: How many have kept it.
        seasoned: How many of these have served it for the time in use.
        least: How many must have done so.
    """

    is_awaited: bool
    rooms: int
    given_up: int
    kept: int
    seasoned: int
    least: float


def _of_ring(at: Situation, rooms: Sequence[Standing]) -> _OfRing:
    told = [room for room in rooms if room.ring <= at.ring and room.state != "left-out"]
    mine = [room for room in told if room.ring == at.ring]
    kept = [room for room in mine if room.state == "kept"]
    given_up = sum(room.is_given_up for room in mine)
    soak = timedelta(hours=at.plan.soak_hours)
    return _OfRing(
        is_awaited=any(_is_awaited(room, at) for room in told),
        rooms=len(mine),
        given_up=given_up,
        kept=len(kept),
        seasoned=sum(room.serves_since is not None and at.now - room.serves_since >= soak for room in kept),
        # What could not be judged is not asked for; where nothing could, nothing follows.
        least=max(LEAST_SHARE * (len(mine) - given_up), 1.0) if mine else 0.0,
    )


def _wait(at: Situation, ring: _OfRing, known: Known) -> Wait | None:
    if ring.is_awaited or ring.kept < ring.least:
        return "rooms"
    if ring.seasoned < ring.least:
        return "soak"
    waited = at.opened_at is not None and at.now - at.opened_at >= timedelta(hours=at.plan.evidence_hours)
    return None if known.is_enough or waited else "evidence"


def _too_few(at: Situation, ring: _OfRing) -> str:
    return (
        f"too little is known from ring {at.ring}: of {ring.rooms} room(s) {ring.kept} kept the release and "
        f"{ring.given_up} did not end their trial within {at.plan.trial_hours:.0f} hours"
    )


def _is_awaited(room: Standing, at: Situation) -> bool:
    """Tell whether a ring waits for a room. A locked one takes the release later; only the last ring waits for it."""
    match room.state:
        case "planned":
            return not room.is_locked or at.ring == len(at.plan.shares)
        case "directed":
            patience = timedelta(hours=at.plan.patience_hours)
            return room.directed_at is None or at.now - room.directed_at < patience
        case state:
            return state == "on-trial" and not room.is_given_up


def _tires(room: Standing, at: Situation) -> bool:
    """Tell whether a room has been on trial for so long that it is waited for no more."""
    if room.state != "on-trial" or room.is_given_up or room.serves_since is None:
        return False
    return at.now - max(room.serves_since, at.resumed_at) >= timedelta(hours=at.plan.trial_hours)
