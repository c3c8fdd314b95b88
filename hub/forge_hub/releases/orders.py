"""What rooms shall have, as the records hold it, and signing it for them.

An order is written first, with whatever led to it, and signed afterwards: a hub that ends in between signs it when it
starts again.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session as Transaction
from tuf.api.exceptions import RepositoryError

from forge_hub.access import audit
from forge_hub.errors import ReleaseError
from forge_hub.records.database import Database
from forge_hub.records.schema import EventLog, Rollout, RolloutRoom, RoomDirector, RoomWish
from forge_hub.releases.catalogue import Catalogue, Wish
from forge_shared import topics
from forge_shared.logs import get_logger

UNPUBLISHED: Final = "the release is not among the site's any more"
"""Why the hub withdraws a roll-out whose release the site's people have withdrawn."""

_UNDER_WAY: Final = ("running", "paused")

log = get_logger()


def give(transaction: Transaction, rollout: Rollout, rooms: Iterable[RolloutRoom], now: datetime, by: str) -> None:
    """Order that rooms shall have a roll-out's release."""
    told_at = _end_of_log(transaction)
    for room in rooms:
        room.state, room.since, room.directed_at, room.told_at = "directed", now, now, told_at
        _order(transaction, rollout, room.node, rollout.target, now)
        audit.write(transaction, now, by, "rollout.direct", room.node, reason=rollout.id)


def take_back(transaction: Transaction, rollout: Rollout, rooms: Iterable[RolloutRoom], now: datetime, by: str) -> None:
    """Order that rooms shall have again what they had; a room that has been given something else since keeps that."""
    told_at = _end_of_log(transaction)
    for room in rooms:
        wish = transaction.get(RoomWish, (room.node, rollout.role))
        if wish is None or wish.target != rollout.target or _giver(transaction, wish) != rollout.id:
            continue
        room.told_at = told_at
        _order(transaction, rollout, room.node, room.before, now)
        audit.write(transaction, now, by, "rollout.return", room.node, reason=rollout.id)


def withdraw(  # noqa: PLR0913 (who, why, when)
    transaction: Transaction,
    rollout: Rollout,
    rooms: Sequence[RolloutRoom],
    now: datetime,
    *,
    by: str,
    reason: str,
    address: str | None = None,
) -> None:
    """Order every room of a roll-out back, and end it."""
    told = [room for room in rooms if room.state in {"directed", "on-trial", "kept", "failed"}]
    take_back(transaction, rollout, told, now, by)
    for room in told:
        if room.state != "failed":
            room.state, room.since, room.reason = "returning", now, None
    _forget_as_before(transaction, rollout, rooms)
    end(transaction, rollout, "withdrawn", now, by=by, reason=reason, address=address)


def withdraw_unpublished(database: Database, rollout_id: str, published: Collection[str], now: datetime) -> bool:
    """Withdraw a roll-out that is under way with what the site's people no longer publish; tell whether it was."""

    def is_left(transaction: Transaction) -> bool:
        rollout = transaction.get_one(Rollout, rollout_id)
        return rollout.state in _UNDER_WAY and rollout.target not in published

    with database.read() as transaction:
        if not is_left(transaction):
            return False
    with database.begin() as transaction:
        if not is_left(transaction):
            return False  # somebody ended it since
        rooms = transaction.scalars(select(RolloutRoom).where(RolloutRoom.rollout == rollout_id)).all()
        rollout = transaction.get_one(Rollout, rollout_id)
        withdraw(transaction, rollout, rooms, now, by=topics.HUB, reason=UNPUBLISHED)
    log.warning("rollout.unpublished", rollout=rollout_id)
    return True


def leave_unpublished(
    database: Database, published: Collection[str], now: datetime, *, but_of: Collection[str] = ()
) -> bool:
    """Order that no room shall have what the site's people no longer publish; tell whether there was anything.

    A room that hears a release named that is not published believes nothing of what it is told, of any role. The rooms
    go back to the model that came with them; those of a roll-out that is under way are `withdraw_unpublished`'s.

    Args:
        database: The records.
        published: What is.
        now: The time.
        but_of: Roll-outs that could not be withdrawn yet: their rooms are to go back to what they had.
    """
    with database.read() as transaction:
        if not _unpublished_wishes(transaction, published, but_of):
            return False
    with database.begin() as transaction:
        for wish in _unpublished_wishes(transaction, published, but_of):
            wish.target, wish.since = None, now
            _mark_due(transaction, wish.node)
            audit.write(transaction, now, topics.HUB, "rollout.return", wish.node, reason=wish.rollout)
    return True


def end(  # noqa: PLR0913 (as above)
    transaction: Transaction,
    rollout: Rollout,
    state: str,
    now: datetime,
    *,
    by: str,
    reason: str | None = None,
    address: str | None = None,
) -> None:
    """Bring a roll-out into a state, with who did it and why."""
    rollout.state, rollout.changed_at, rollout.changed_by, rollout.reason = state, now, by, reason
    action = {"running": "resume", "paused": "pause", "stopped": "stop", "withdrawn": "withdraw"}.get(state, "finish")
    audit.write(transaction, now, by, f"rollout.{action}", rollout.id, statement=reason, address=address)


class Signing:
    """Signs what was ordered. Blocks on store and disk; one caller at a time."""

    def __init__(self, database: Database, catalogue: Catalogue) -> None:
        self._database = database
        self._catalogue = catalogue
        self.failed = 0

    def sign_due(self) -> list[str]:
        """Sign for every room whose orders have changed; return the rooms. What cannot be signed is tried again."""
        with self._database.read() as transaction:
            due = transaction.scalars(select(RoomDirector).where(RoomDirector.wished != RoomDirector.signed)).all()
            wishes: dict[str, list[RoomWish]] = defaultdict(list)
            for wish in transaction.scalars(select(RoomWish)) if due else ():
                wishes[wish.node].append(wish)
        signed: dict[str, tuple[int, int]] = {}
        self.failed = 0
        for director in due:
            try:
                signed[director.node] = director.wished, self._sign(director.node, wishes[director.node])
            except (ReleaseError, OSError, RepositoryError) as error:
                self.failed += 1
                log.warning("director.not-signed", node=director.node, error=type(error).__name__)
        if signed:
            with self._database.begin() as transaction:
                for node, (wished, version) in signed.items():
                    row = transaction.get_one(RoomDirector, node)
                    row.signed, row.version = wished, version
        return sorted(signed)

    def renew(self) -> None:
        """Sign anew what holds for a day. What cannot be signed of one room keeps no other waiting."""
        with self._database.read() as transaction:
            nodes = transaction.scalars(select(RoomDirector.node).where(RoomDirector.version.is_not(None))).all()
        if self._catalogue.images.exists:
            self._catalogue.renew(())
            for node in nodes:
                try:
                    self._catalogue.renew_director(node)
                except (ReleaseError, OSError, RepositoryError) as error:
                    log.warning("director.not-renewed", node=node, error=type(error).__name__)

    def _sign(self, node: str, wishes: Sequence[RoomWish]) -> int:
        published = self._catalogue.images.targets()
        # What is not named goes back to the model that came with the node; so does what the site's people withdrew.
        chosen = [Wish(wish.target, wish.rollout) for wish in wishes if wish.target and wish.target in published]
        return self._catalogue.direct(node, chosen)


def _order(transaction: Transaction, rollout: Rollout, node: str, target: str | None, now: datetime) -> None:
    transaction.merge(RoomWish(node=node, role=rollout.role, target=target, rollout=rollout.id, since=now))
    _mark_due(transaction, node)


def _mark_due(transaction: Transaction, node: str) -> None:
    director = transaction.get(RoomDirector, node)
    if director is None:
        director = RoomDirector(node=node, wished=0, signed=0, version=None)
        transaction.add(director)
    director.wished += 1


def _unpublished_wishes(
    transaction: Transaction, published: Collection[str], but_of: Collection[str]
) -> Sequence[RoomWish]:
    query = select(RoomWish).where(
        RoomWish.target.is_not(None), RoomWish.target.not_in(published), RoomWish.rollout.not_in(but_of)
    )
    return transaction.scalars(query.order_by(RoomWish.node, RoomWish.role)).all()


def _giver(transaction: Transaction, wish: RoomWish) -> str | None:
    """Return the roll-out that gave a room what it shall have: not the one that the room went back to it from."""
    query = (
        select(Rollout.id)
        .join(RolloutRoom, RolloutRoom.rollout == Rollout.id)
        .where(Rollout.target == wish.target, Rollout.role == wish.role)
        .where(RolloutRoom.node == wish.node, RolloutRoom.directed_at.is_not(None))
        .order_by(RolloutRoom.directed_at.desc(), Rollout.started_at.desc())
    )
    return transaction.scalars(query.limit(1)).first()


def _forget_as_before(transaction: Transaction, rollout: Rollout, rooms: Sequence[RolloutRoom]) -> None:
    """Let no other roll-out send a room back to a release that is withdrawn, nor to its own."""
    before = {room.node: room.before for room in rooms}
    others = (
        select(RolloutRoom, Rollout.target)
        .join(Rollout, Rollout.id == RolloutRoom.rollout)
        .where(RolloutRoom.before == rollout.target, RolloutRoom.rollout != rollout.id)
    )
    for room, target in transaction.execute(others):
        if room.node in before:
            room.before = before[room.node] if before[room.node] != target else None


def _end_of_log(transaction: Transaction) -> int:
    return transaction.scalar(select(func.max(EventLog.position))) or 0
