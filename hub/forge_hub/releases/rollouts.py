"""The roll-outs of a site: started, followed and ended by people. Blocks on the store: call it from a thread.

`account` is the id of the account that acts, "command-line" where there is none; `address` where the request came from.
Everything that changes something is in the audit with it.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from statistics import median
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session as Transaction

from forge_hub.access import audit
from forge_hub.errors import NotFoundError, ReleaseError
from forge_hub.records.database import Database
from forge_hub.records.schema import (
    Bed,
    ReleaseChange,
    ReleaseFigure,
    Rollout,
    RolloutRoom,
    Room,
    RoomGroup,
    RoomLock,
    RoomRelease,
    RoomWish,
)
from forge_hub.releases import orders
from forge_hub.releases.catalogue import Catalogue
from forge_hub.releases.history import Ran, ran, read_changes
from forge_hub.releases.rings import Candidate, check_shares, in_rings
from forge_hub.releases.rollout import RINGS, TRIAL_PATIENCE_HOURS, Plan, RolloutState, Window
from forge_hub.releases.stored import hardware_of, is_given_up, stored_plan
from forge_hub.releases.verdict_reading import raised_before
from forge_hub.releases.verdicts import Figures
from forge_hub.releases.views import read_states
from forge_shared.clock import Clock
from forge_shared.ids import new_id
from forge_shared.releases import Manifest, ReleaseRole
from forge_shared.topics import is_name

LONGEST_LOCK: Final = timedelta(days=7)
"""A lock has an end. Ours: longer than any exceptional week in a room, shorter than it takes to forget it."""
WARD: Final = "ward:"
"""Begins the names of groups that are the site's wards."""
MOST_WHY: Final = 500
"""Characters of a reason. Ours."""


class Rollouts:
    """What pages and commands ask of the roll-outs. Any thread may call it.

    Every method that changes something raises `ReleaseError` for what cannot be, `NotFoundError` for what there is not.

    Args:
        database: The records.
        catalogue: What is published.
        clock: Dates what is done.
        on_changed: Called after every change, so that it is carried out at once; must not block.
    """

    def __init__(
        self, database: Database, catalogue: Catalogue, clock: Clock, *, on_changed: Callable[[], None]
    ) -> None:
        self._database = database
        self._catalogue = catalogue
        self._clock = clock
        self._on_changed = on_changed

    def start(  # noqa: PLR0913 (what a person decides, by keyword)
        self,
        target: str,
        *,
        account: str,
        why: str,
        groups: Sequence[str] = (),
        rings: Sequence[int] = RINGS,
        window: Window | None = None,
        soak_hours: float | None = None,
        address: str | None = None,
    ) -> str:
        """Begin to give a published release to the rooms of groups, or to every room, and return the roll-out's id.

        Rooms whose machine it is not made for, or that have it, are left out.

        Args:
            target: The release, as `forge-hub model list` names it.
            account: Who.
            why: In words, for the audit; nothing of a patient.
            groups: Names of groups; none: every room of the site.
            rings: Shares in per cent, rising to 100. The first is of at most ten rooms unless the release has done well
                on this site before: so an earlier one is given to all of them at once by one ring of 100.
            window: When rooms may be told.
            soak_hours: How long half of a ring's rooms must have served it before the next; None: a day.
            address: Where the request came from.

        Raises:
            ReleaseError: It is not published, nobody is to have it, the rings are none, or another roll-out of its role
                is under way in one of these rooms.
            NotFoundError: There is no such group.
        """
        manifest = self._catalogue.manifest(target)
        plan = Plan(
            tuple(groups),
            check_shares(rings),
            window,
            trial_hours=manifest.limits.seconds / 3600 + TRIAL_PATIENCE_HOURS,
            alerts_per_hour=manifest.limits.false_alerts_per_hour,
        )
        if soak_hours is not None:
            if not 0 <= soak_hours <= 24 * 30:
                raise ReleaseError("rooms serve it for at most 30 days before the next ring")
            plan = replace(plan, soak_hours=soak_hours)
        now = self._clock.now()
        with self._database.begin() as transaction:
            rollout = Rollout(
                id=new_id(),
                target=target,
                role=manifest.role,
                version=manifest.version,
                plan={},
                state="running",
                ring=0,
                started_at=now,
                started_by=account,
                why=_why(why),
                changed_at=now,
                changed_by=account,
                reason=None,
                findings={},
            )
            rooms = self._rooms_of(transaction, rollout, manifest, self._nodes(transaction, groups))
            shares = self._put_in_rings(transaction, rollout, manifest.role, rooms, plan.shares)
            rollout.plan = stored_plan(replace(plan, shares=shares))
            transaction.add(rollout)
            transaction.flush()
            transaction.add_all(rooms)
            audit.write(
                transaction, now, account, "rollout.begin", rollout.id, statement=f"{target}: {why}", address=address
            )
        self._on_changed()
        return rollout.id

    def pause(self, rollout: str, *, account: str, why: str | None = None, address: str | None = None) -> None:
        """Tell no further room until `resume`. What rooms do is still judged."""
        self._end(rollout, "paused", {"running"}, account=account, why=why, address=address)

    def resume(self, rollout: str, *, account: str, why: str | None = None, address: str | None = None) -> None:
        """Go on, and wait anew for the trials that were given up."""
        self._end(rollout, "running", {"paused"}, account=account, why=why, address=address)

    def stop(self, rollout: str, *, account: str, why: str | None = None, address: str | None = None) -> None:
        """Tell no further room, for good; rooms that have the release keep it, on trial or not."""
        self._end(rollout, "stopped", {"running", "paused"}, account=account, why=why, address=address)

    def withdraw(self, rollout: str, *, account: str, why: str, address: str | None = None) -> None:
        """Send every room back to what it had, whatever the hour and whatever is locked.

        A room that another roll-out has given something else since keeps that.
        """
        now = self._clock.now()
        with self._database.begin() as transaction:
            row, rooms = _of(transaction, rollout)
            if row.state == "withdrawn":
                raise ReleaseError("it is withdrawn already")
            orders.withdraw(transaction, row, rooms, now, by=account, reason=_why(why), address=address)
        self._on_changed()

    def all(self) -> Sequence[RolloutState]:
        """Return every roll-out, the newest first."""
        with self._database.read() as transaction:
            return read_states(transaction, self._clock.now())

    def state(self, rollout: str) -> RolloutState:
        """Return how one stands."""
        with self._database.read() as transaction:
            found = read_states(transaction, self._clock.now(), only=rollout)
        if not found:
            raise NotFoundError("there is no such roll-out")
        return found[0]

    def ran(self, node: str, role: ReleaseRole, at: datetime) -> Ran:
        """Return what served a role in a room at a moment."""
        return ran(node, role, at, read_changes(self._database, node, role))

    def groups(self) -> Mapping[str, Sequence[str]]:
        """Return every group with its rooms; the site's wards are groups of their own, named ``ward:ID``."""
        with self._database.read() as transaction:
            return _groups(transaction)

    def set_group(self, name: str, nodes: Sequence[str], *, account: str, address: str | None = None) -> None:
        """Make a group, change it, or without rooms take it away. Roll-outs that were started stay as they are."""
        if not is_name(name) or not all(is_name(node) for node in nodes):
            raise ReleaseError("names of groups and rooms are lower-case letters, digits and hyphens, at most 63")
        now = self._clock.now()
        with self._database.begin() as transaction:
            if not nodes and transaction.scalar(select(RoomGroup.name).where(RoomGroup.name == name).limit(1)) is None:
                raise NotFoundError("there is no such group")
            transaction.execute(delete(RoomGroup).where(RoomGroup.name == name))
            transaction.add_all(RoomGroup(name=name, node=node) for node in sorted(set(nodes)))
            audit.write(
                transaction, now, account, "room-group.set" if nodes else "room-group.remove", name, address=address
            )

    def lock(self, node: str, until: datetime | None, *, account: str, address: str | None = None) -> None:
        """Let a room be told of no new release before a moment; None takes the lock away.

        What the room serves stays, and what is withdrawn leaves it all the same.

        Raises:
            ReleaseError: The moment is past, or more than a week away: a lock has an end.
            NotFoundError: There is no such room.
        """
        now = self._clock.now()
        if until is not None and not now < until <= now + LONGEST_LOCK:
            raise ReleaseError(f"a lock ends in the future, and within {LONGEST_LOCK.days} days")
        with self._database.begin() as transaction:
            if node not in _known(transaction):
                raise NotFoundError("there is no such room")
            if until is None:
                transaction.execute(delete(RoomLock).where(RoomLock.node == node))
            else:
                transaction.merge(RoomLock(node=node, until=until, made_by=account, made_at=now))
            said = None if until is None else until.isoformat(timespec="minutes")
            action = "room.unlock" if until is None else "room.lock"
            audit.write(transaction, now, account, action, node, statement=said, address=address)
        self._on_changed()

    def locks(self) -> Mapping[str, datetime]:
        """Return until when which rooms are locked."""
        with self._database.read() as transaction:
            rows = transaction.scalars(select(RoomLock).where(RoomLock.until > self._clock.now())).all()
        return {row.node: row.until for row in rows}

    def _end(  # noqa: PLR0913 (who, why, when)
        self, rollout: str, to: str, of: set[str], *, account: str, why: str | None, address: str | None
    ) -> None:
        now = self._clock.now()
        with self._database.begin() as transaction:
            row, rooms = _of(transaction, rollout)
            if row.state not in of:
                raise ReleaseError(f"it is {row.state}")
            if to == "stopped":
                told = [room for room in rooms if room.state == "directed"]
                orders.take_back(transaction, row, told, now, account)
                for room in told:
                    room.state, room.since = "returning", now
            if to == "running":
                for room in rooms:
                    room.reason = None if is_given_up(room) else room.reason
            reason = None if why is None else _why(why)
            orders.end(transaction, row, to, now, by=account, reason=reason, address=address)
        self._on_changed()

    def _nodes(self, transaction: Transaction, groups: Sequence[str]) -> set[str]:
        known = _groups(transaction)
        if missing := sorted(set(groups) - set(known)):
            raise NotFoundError(f"there is no group {missing[0]}")
        return {node for group in groups for node in known[group]} if groups else _known(transaction)

    def _rooms_of(
        self, transaction: Transaction, rollout: Rollout, manifest: Manifest, nodes: set[str]
    ) -> list[RolloutRoom]:
        """Return the rooms of a roll-out, not yet in rings, with what they have and how that is."""
        published = self._catalogue.images.targets()
        role = RoomRelease.role == rollout.role
        serving = {row.node: row.said.get("serving") for row in transaction.scalars(select(RoomRelease).where(role))}
        wished = {
            row.node: row.target for row in transaction.scalars(select(RoomWish).where(RoomWish.role == rollout.role))
        }
        hardware = {row.node: row.hardware for row in transaction.execute(select(Room.node, Room.hardware))}
        figures = {
            (row.node, row.release): Figures(row.latency_ms, row.memory_mb, row.temperature_celsius)
            for row in transaction.scalars(select(ReleaseFigure).where(ReleaseFigure.role == rollout.role))
        }
        rooms = []
        for node in sorted(nodes):
            said = serving.get(node)
            before = wished.get(node, said if said in published else None)
            reason = "hardware" if hardware_of(hardware.get(node)) not in manifest.hardware else None
            if before == rollout.target and said in {None, rollout.target}:
                reason = "has-it"
            rooms.append(
                RolloutRoom(
                    rollout=rollout.id,
                    node=node,
                    ring=0,
                    hardware=hardware.get(node),
                    before=None if before == rollout.target else before,
                    state="planned" if reason is None else "left-out",
                    since=rollout.started_at,
                    directed_at=None,
                    serves_since=None,
                    reason=reason,
                    baseline=asdict(figures.get((node, before or ""), Figures())),
                    told_at=0,
                )
            )
        return rooms

    @staticmethod
    def _put_in_rings(
        transaction: Transaction,
        rollout: Rollout,
        role: ReleaseRole,
        rooms: Sequence[RolloutRoom],
        shares: Sequence[int],
    ) -> tuple[int, ...]:
        reached = [room for room in rooms if room.state == "planned"]
        if not reached:
            raise ReleaseError("no room is to have it: it is made for none of their machines, or they have it")
        busy = (
            select(RolloutRoom.node)
            .join(Rollout, Rollout.id == RolloutRoom.rollout)
            .where(Rollout.role == rollout.role, Rollout.state.in_(("running", "paused")))
        )
        if taken := set(transaction.scalars(busy)) & {room.node for room in reached}:
            raise ReleaseError(f"another roll-out of this role is under way in {len(taken)} of these rooms")
        away = set(transaction.scalars(select(Room.node).where(Room.connection != "online")))
        locked = set(transaction.scalars(select(RoomLock.node).where(RoomLock.until > rollout.started_at)))
        raised = raised_before(transaction, role, rollout.started_at)
        middle = median((raised or {}).get(room.node, 0) for room in reached)
        proven = select(ReleaseChange.event_id).where(
            ReleaseChange.release == rollout.target, ReleaseChange.outcome == "committed"
        )
        shares, rings = in_rings(
            [
                Candidate(
                    room.node,
                    hardware_of(room.hardware),
                    is_ready=room.node not in away | locked,
                    is_telling=raised is None or raised.get(room.node, 0) >= middle,
                )
                for room in reached
            ],
            shares,
            rollout.id,
            is_proven=transaction.scalar(proven.limit(1)) is not None,
        )
        for room in reached:
            room.ring = rings[room.node]
        return tuple(shares)


def _of(transaction: Transaction, rollout: str) -> tuple[Rollout, Sequence[RolloutRoom]]:
    row = transaction.get(Rollout, rollout, with_for_update=True)
    if row is None:
        raise NotFoundError("there is no such roll-out")
    return row, transaction.scalars(select(RolloutRoom).where(RolloutRoom.rollout == rollout)).all()


def _known(transaction: Transaction) -> set[str]:
    """Return every room there is: with a node that was heard of, or a bed that names one."""
    beds = transaction.scalars(select(Bed.node).where(Bed.node.is_not(None)))
    return {*transaction.scalars(select(Room.node)), *(node for node in beds if node)}


def _groups(transaction: Transaction) -> dict[str, Sequence[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for row in transaction.scalars(select(RoomGroup)):
        found[row.name].add(row.node)
    for bed in transaction.scalars(select(Bed).where(Bed.node.is_not(None))):
        found[f"{WARD}{bed.ward}"].add(bed.node or "")
    return {name: sorted(found[name]) for name in sorted(found)}


def _why(text: str) -> str:
    said = text.strip()
    if not said or len(said) > MOST_WHY or not said.isprintable():
        raise ReleaseError(f"say why, in one line of at most {MOST_WHY} characters")
    return said
