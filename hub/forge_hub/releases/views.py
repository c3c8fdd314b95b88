"""Roll-outs as they stand, read from the records."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session as Transaction

from forge_hub.records.schema import ReleaseFigure, Rollout, RolloutRing, RolloutRoom, RoomLock, RoomRelease
from forge_hub.releases.rollout import Plan, RingProgress, RolloutState, RoomProgress
from forge_hub.releases.stored import found_of, hardware_of, plan_of, role_of, room_state_of, state_of


def read_states(transaction: Transaction, now: datetime, *, only: str | None = None) -> list[RolloutState]:
    """Return roll-outs as they stand, the newest first.

    Args:
        transaction: Reads one moment.
        now: The time, for locks.
        only: Id of the one that is asked for; None: all.
    """
    query = select(Rollout).order_by(Rollout.started_at.desc(), Rollout.id.desc())
    of_rooms, of_rings = select(RolloutRoom).order_by(RolloutRoom.node), select(RolloutRing)
    if only is not None:
        query = query.where(Rollout.id == only)
        of_rooms, of_rings = of_rooms.where(RolloutRoom.rollout == only), of_rings.where(RolloutRing.rollout == only)
    known = _Known(transaction, now)
    rooms: dict[str, list[RolloutRoom]] = defaultdict(list)
    for room in transaction.scalars(of_rooms):
        rooms[room.rollout].append(room)
    rings = {(ring.rollout, ring.number): ring for ring in transaction.scalars(of_rings)}
    found = []
    for row in transaction.scalars(query):
        role = role_of(row.role)
        if role is None:
            continue  # of a later version of this program
        plan = plan_of(row.plan)
        mine = [(room.ring, known.progress(row, room)) for room in rooms[row.id]]
        found.append(
            RolloutState(
                id=row.id,
                target=row.target,
                role=role,
                version=row.version,
                state=state_of(row.state),
                groups=plan.groups,
                window=plan.window,
                started_at=row.started_at,
                started_by=row.started_by,
                why=row.why,
                changed_at=row.changed_at,
                changed_by=row.changed_by,
                reason=row.reason,
                rings=_rings(row, plan, rings, mine),
                counts=Counter(room.state for _, room in mine),
                found=found_of(row.findings),
                left_out=tuple(room for _, room in mine if room.state == "left-out"),
            )
        )
    return found


class _Known:
    """What rooms say and what is locked, read once."""

    def __init__(self, transaction: Transaction, now: datetime) -> None:
        locks = transaction.scalars(select(RoomLock).where(RoomLock.until > now))
        self._locks: Mapping[str, datetime] = {row.node: row.until for row in locks}
        self._said: Mapping[tuple[str, str], Mapping[str, Any]] = {
            (row.node, row.role): row.said for row in transaction.scalars(select(RoomRelease))
        }
        self._figures = {(row.node, row.role, row.release): row for row in transaction.scalars(select(ReleaseFigure))}

    def progress(self, rollout: Rollout, room: RolloutRoom) -> RoomProgress:
        said = self._said.get((room.node, rollout.role), {})
        doing = said if said.get("next") == rollout.target and room.state == "directed" else {}
        figures = self._figures.get((room.node, rollout.role, rollout.target))
        return RoomProgress(
            node=room.node,
            ring=room.ring,
            hardware=hardware_of(room.hardware),
            state=room_state_of(room.state),
            since=room.since,
            reason=room.reason,
            doing=doing.get("state"),
            percentage=doing.get("percentage"),
            locked_until=self._locks.get(room.node),
            before=room.before,
            latency_ms=figures.latency_ms if figures else None,
            memory_mb=figures.memory_mb if figures else None,
            temperature_celsius=figures.temperature_celsius if figures else None,
        )


def _rings(
    row: Rollout,
    plan: Plan,
    opened: Mapping[tuple[str, int], RolloutRing],
    rooms: Sequence[tuple[int, RoomProgress]],
) -> tuple[RingProgress, ...]:
    rings = []
    for number, share in enumerate(plan.shares, 1):
        ring = opened.get((row.id, number))
        is_newest = state_of(row.state) in {"running", "paused"} and number == max(row.ring, 1)
        passed_at = ring.passed_at if ring else None
        rings.append(
            RingProgress(
                number=number,
                share=share,
                state="waiting" if ring is None else "open" if passed_at is None else "passed",
                opened_at=ring.opened_at if ring else None,
                passed_at=passed_at,
                waits_for=row.findings.get("waits_for") if is_newest and passed_at is None else None,
                rooms=tuple(progress for of, progress in rooms if of == number),
            )
        )
    return tuple(rings)
