"""Brings roll-outs forward: notes what rooms did, judges, tells the next rooms or takes the release back, and signs.

Everything it knows stands in the records, so a hub that ends at any moment goes on from there.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Final

from sqlalchemy import or_, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session as Transaction

from forge_hub.errors import ReleaseError
from forge_hub.records.database import Database, trouble_of
from forge_hub.records.schema import (
    ReleaseChange,
    Rollout,
    RolloutRing,
    RolloutRoom,
    Room,
    RoomLock,
    RoomRelease,
)
from forge_hub.releases import orders
from forge_hub.releases.catalogue import Catalogue
from forge_hub.releases.observed import Did, Now, Said, observe, why_given_up
from forge_hub.releases.rollout import Found
from forge_hub.releases.stages import Known, Situation, Standing, Step, next_step
from forge_hub.releases.stored import is_given_up, plan_of, role_of, room_state_of, state_of, stored_found
from forge_hub.releases.verdict_reading import read_evidence
from forge_hub.releases.verdicts import judge
from forge_hub.releases.windows import is_open
from forge_shared import topics
from forge_shared.clock import Clock
from forge_shared.logs import get_logger

JUDGE_EVERY: Final = timedelta(minutes=1)
"""How often figures are looked at anew where nothing else has changed. Ours."""
RENEW_EVERY: Final = timedelta(hours=6)
"""How often what holds for a day is signed anew. Ours: four times before it is over."""

_AWAITED: Final = ("directed", "on-trial", "returning")
_ACTIVE: Final = ("running", "paused")

_UNJUDGED: Final = Known(is_enough=False)
"""Between two judgements no ring passes."""

log = get_logger()


@dataclass(frozen=True, slots=True)
class Ticked:
    """What one look did. ``signed``: rooms whose orders were signed; ``changed``: whether anything else changed."""

    signed: tuple[str, ...]
    changed: bool


class RolloutEngine:
    """One look at a time, from one thread. Blocks on the store and the disk.

    Args:
        database: The records.
        catalogue: Signs what rooms are told.
        clock: The wall clock: what is awaited must outlive a process.
        zone: The site's time zone, for windows.
    """

    def __init__(self, database: Database, catalogue: Catalogue, clock: Clock, *, zone: tzinfo) -> None:
        self._database = database
        self._clock = clock
        self._zone = zone
        self._catalogue = catalogue
        self._signing = orders.Signing(database, catalogue)
        self._judged_at: dict[str, datetime] = {}
        self._renewed_at: datetime | None = None
        self._failing: dict[str, str] = {}

    @property
    def unsigned(self) -> int:
        """Rooms for which nothing could be signed at the last look."""
        return self._signing.failed

    @property
    def failing(self) -> int:
        """Roll-outs that could not be looked at the last time; they stand still, and the others go on."""
        return len(self._failing)

    @property
    def trouble(self) -> str | None:
        """Why something stands still since the last look, a code; None: nothing does."""
        return next(iter(self._failing.values()), ReleaseError.code if self.unsigned else None)

    def tick(self) -> Ticked:
        """Look once at every roll-out, and sign what is due. What one roll-out's look fails of keeps no other waiting.

        Raises:
            SQLAlchemyError: The store failed for all of them; whatever was not done is done at the next look.
        """
        now = self._clock.now()
        images = self._catalogue.images
        # Where nothing was ever published, or all is lost, there is nothing to tell any room by.
        published = list(images.targets()) if images.targets_version > 0 else None
        with self._database.read() as transaction:
            awaited = select(RolloutRoom.rollout).where(RolloutRoom.state.in_(_AWAITED))
            query = select(Rollout.id).where(or_(Rollout.state.in_(_ACTIVE), Rollout.id.in_(awaited)))
            ids = transaction.scalars(query.order_by(Rollout.id)).all()
        self._failing = {rollout: code for rollout, code in self._failing.items() if rollout in ids}
        changed = False
        for rollout in ids:
            changed |= self._look_at(rollout, now, published)
        if published is not None:
            changed |= orders.leave_unpublished(self._database, published, now, but_of=self._failing)
        if self._renewed_at is None or now - self._renewed_at >= RENEW_EVERY:
            self._signing.renew()
            self._renewed_at = now
        signed = self._signing.sign_due()
        return Ticked(tuple(signed), changed)

    def _look_at(self, rollout: str, now: datetime, published: Collection[str] | None) -> bool:
        """Note, judge and bring forward one roll-out; tell whether anything was done. Its trouble is its own."""
        try:
            noted = self._note(rollout)
            left = published is not None and orders.withdraw_unpublished(self._database, rollout, published, now)
            done = left or self._advance(rollout, now, is_new=noted) or noted
        except Exception as error:
            if rollout not in self._failing:
                log.exception("rollout.failing", rollout=rollout)
            self._failing[rollout] = trouble_of(error) if isinstance(error, SQLAlchemyError) else ReleaseError.code
            # What was judged may not have been carried out: the next look judges anew.
            self._judged_at.pop(rollout, None)
            return False
        if self._failing.pop(rollout, None) is not None:
            log.info("rollout.recovered", rollout=rollout)
        return done

    def _note(self, rollout_id: str) -> bool:
        """Note what the rooms of a roll-out have done; tell whether that was anything."""
        with self._database.read() as transaction:
            if not _noted(transaction, rollout_id):
                return False
        with self._database.begin() as transaction:
            rollout = transaction.get_one(Rollout, rollout_id)
            failed = []
            for room, now in _noted(transaction, rollout_id):
                room.state, room.since, room.serves_since, room.reason = (
                    now.state,
                    now.since,
                    now.serves_since,
                    now.reason,
                )
                if now.state == "failed":
                    failed.append(room)
            # What failed in a room is not to be named to it any more.
            orders.take_back(transaction, rollout, failed, self._clock.now(), topics.HUB)
        return True

    def _advance(self, rollout_id: str, now: datetime, *, is_new: bool) -> bool:
        """Judge a roll-out and do what is next; tell whether anything was done."""
        judged_at = self._judged_at.get(rollout_id)
        is_due = is_new or judged_at is None or now - judged_at >= JUDGE_EVERY
        with self._database.read() as transaction:
            rollout = transaction.get_one(Rollout, rollout_id)
            role = role_of(rollout.role)
            if rollout.state not in _ACTIVE or role is None:
                return False
            rooms = _rooms(transaction, rollout_id)
            found = judge(read_evidence(transaction, rollout, role, rooms, now)) if is_due else None
            known = _UNJUDGED if found is None else _known(found)
            step = self._step(transaction, rollout, rooms, known, now)
        if found is not None:
            self._judged_at[rollout_id] = now
        is_said = found is not None and stored_found(found, step.waits_for) != rollout.findings
        if not (is_said or _does(step, rollout)):
            return False
        with self._database.begin() as transaction:
            rollout = transaction.get_one(Rollout, rollout_id, with_for_update=True)
            rooms = _rooms(transaction, rollout_id)
            # Somebody may have stopped it, or locked a room, since it was read.
            step = self._step(transaction, rollout, rooms, known, now)
            if found is not None:
                rollout.findings = stored_found(found, step.waits_for)
            else:
                rollout.findings = {**rollout.findings, "waits_for": step.waits_for}
            before, is_active = rollout.ring, rollout.state in _ACTIVE
            if is_active:
                _apply(transaction, rollout, rooms, step, now)
        if is_active:
            _say(rollout, before, step)
        return True

    def _step(
        self, transaction: Transaction, rollout: Rollout, rooms: Sequence[RolloutRoom], known: Known, now: datetime
    ) -> Step:
        plan = plan_of(rollout.plan)
        ring = transaction.get(RolloutRing, (rollout.id, rollout.ring))
        situation = Situation(
            state_of(rollout.state),
            rollout.ring,
            None if ring is None else ring.opened_at,
            plan,
            now,
            is_time=is_open(plan.window, now, self._zone),
            resumed_at=rollout.changed_at,
        )
        locked = set(transaction.scalars(select(RoomLock.node).where(RoomLock.until > now)))
        return next_step(situation, [_standing(room, locked) for room in rooms], known)


def _apply(transaction: Transaction, rollout: Rollout, rooms: Sequence[RolloutRoom], step: Step, now: datetime) -> None:
    if step.withdraw is not None:
        orders.withdraw(transaction, rollout, rooms, now, by=topics.HUB, reason=step.withdraw)
        return
    if step.passed is not None:
        passed = transaction.get(RolloutRing, (rollout.id, step.passed))
        if passed is not None:
            passed.passed_at = now
    if step.ring != rollout.ring:
        rollout.ring = step.ring
        transaction.add(RolloutRing(rollout=rollout.id, number=step.ring, opened_at=now, passed_at=None))
    orders.take_back(transaction, rollout, [room for room in rooms if room.node in step.recall], now, topics.HUB)
    for room in rooms:
        if room.node in step.recall:
            room.state, room.since, room.directed_at = "planned", now, None
        if room.node in step.given_up:
            room.reason = _why_given_up(transaction, rollout, room)
    orders.give(transaction, rollout, [room for room in rooms if room.node in step.direct], now, topics.HUB)
    if step.is_done:
        orders.end(transaction, rollout, "done", now, by=topics.HUB)
    if step.pause is not None:
        orders.end(transaction, rollout, "paused", now, by=topics.HUB, reason=step.pause)


def _why_given_up(transaction: Transaction, rollout: Rollout, room: RolloutRoom) -> str:
    known = transaction.get(Room, room.node)
    if known is None or known.connection != "online":
        return why_given_up("lost", is_online=False)
    return why_given_up(known.sight if rollout.role == "pose" else known.hearing, is_online=True)


def _say(rollout: Rollout, before: int, step: Step) -> None:
    """Log what was done once it is true."""
    if step.withdraw is not None:
        log.warning("rollout.withdrawn", rollout=rollout.id, ring=rollout.ring)
    if step.pause is not None:
        log.warning("rollout.paused", rollout=rollout.id, ring=rollout.ring)
    if step.given_up:
        log.info("rollout.trials-given-up", rollout=rollout.id, rooms=list(step.given_up))
    if step.ring != before:
        log.info("rollout.ring-opened", rollout=rollout.id, ring=step.ring)


def _does(step: Step, rollout: Rollout) -> bool:
    return bool(
        step.direct
        or step.recall
        or step.given_up
        or step.withdraw is not None
        or step.pause is not None
        or step.is_done
        or step.ring != rollout.ring
        or step.waits_for != rollout.findings.get("waits_for")
    )


def _known(found: Sequence[Found]) -> Known:
    bad = next((each for each in found if each.finding == "bad"), None)
    # False alerts tell more with every day; what served before and was not measured then never is.
    awaited = [each for each in found if each.finding == "open" and each.measure == "false-alerts"]
    return Known(None if bad is None else f"{bad.measure}: {bad.words}", is_enough=not awaited)


def _standing(room: RolloutRoom, locked: set[str]) -> Standing:
    return Standing(
        room.node,
        room.ring,
        room_state_of(room.state),
        directed_at=room.directed_at,
        serves_since=room.serves_since,
        is_locked=room.node in locked,
        is_given_up=is_given_up(room),
    )


def _rooms(transaction: Transaction, rollout_id: str) -> Sequence[RolloutRoom]:
    query = select(RolloutRoom).where(RolloutRoom.rollout == rollout_id).order_by(RolloutRoom.ring, RolloutRoom.node)
    return transaction.scalars(query).all()


def _noted(transaction: Transaction, rollout_id: str) -> list[tuple[RolloutRoom, Now]]:
    """Return the rooms that are in another state than the records say, with how they are."""
    rollout = transaction.get_one(Rollout, rollout_id)
    rooms = [room for room in _rooms(transaction, rollout_id) if room.state in (*_AWAITED, "kept")]
    told_at = {room.node: room.told_at for room in rooms}
    did: dict[str, list[Did]] = defaultdict(list)
    query = select(ReleaseChange).where(
        ReleaseChange.role == rollout.role, ReleaseChange.position > min(told_at.values(), default=0)
    )
    for row in transaction.scalars(query.order_by(ReleaseChange.position)):
        if row.position > told_at.get(row.node, row.position):
            did[row.node].append(Did(row.outcome, row.release, row.reason, row.at))
    said = _said(transaction, rollout)
    noted = []
    for room in rooms:
        before = Now(room_state_of(room.state), room.since, room.serves_since, room.reason)
        now = observe(before, rollout.target, room.before, did.get(room.node, ()), said.get(room.node))
        if asdict(now) != asdict(before):
            noted.append((room, now))
    return noted


def _said(transaction: Transaction, rollout: Rollout) -> Mapping[str, Said]:
    heard = {row.node: row.seen_at for row in transaction.execute(select(Room.node, Room.seen_at))}
    # A room says nothing of a role in which its own model serves and nothing goes on.
    found = {node: Said(None, None, "serving", at) for node, at in heard.items()}
    for row in transaction.scalars(select(RoomRelease).where(RoomRelease.role == rollout.role)):
        said = row.said
        is_refused = (said.get("state"), said.get("rollout")) == ("refused", rollout.id)
        found[row.node] = Said(
            said.get("serving"),
            said.get("next"),
            said.get("state", ""),
            row.said_at,
            refusal=said.get("reason", "refused") if is_refused else None,
            heard_at=heard.get(row.node),
        )
    return found
