"""Wards, beds and stays in the records. Every method blocks on the store: call it from a thread."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session as Transaction

from forge_hub.access import audit
from forge_hub.errors import NotFoundError, StayError
from forge_hub.records.database import Database
from forge_hub.records.schema import Bed, RoomPresence, Stay, StayMove, Ward
from forge_hub.stays.rules import Beds, new_pseudonym
from forge_shared import topics
from forge_shared.clock import Clock
from forge_shared.ids import new_id
from forge_shared.plan import Watch

NAME_LENGTH = 60
ENDED_LIMIT = 50


@dataclass(frozen=True, slots=True)
class BedState:
    """A bed, the ward it stands in, and the stay that has it."""

    bed: Bed
    ward: Ward
    stay: Stay | None


@dataclass(frozen=True, slots=True)
class Step:
    """A bed that a stay had, or has (``until`` None)."""

    bed: str
    ward: str
    node: str | None
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class StayRecord:
    """A stay and its way through the beds, oldest first."""

    stay: Stay
    steps: Sequence[Step]

    @property
    def node(self) -> str | None:
        """The node of the room in which the stay is now."""
        return self.steps[-1].node if self.stay.discharged_at is None else None


class Register:
    """The book of wards, beds and stays."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    # Places

    def add_ward(self, name: str, account: str) -> str:
        """Make a ward and return its id.

        Raises:
            StayError: The name is empty, too long, or taken.
        """
        said = _name(name)
        ward = _identifier(said)
        with self._database.begin() as transaction:
            if transaction.get(Ward, ward) is not None:
                raise StayError("there is a ward of this name already")
            transaction.add(Ward(id=ward, name=said))
            self._note(transaction, account, "ward.add", ward)
        return ward

    def add_bed(self, ward: str, name: str, node: str | None, account: str) -> str:
        """Make a bed and return its id.

        Raises:
            NotFoundError: There is no such ward.
            StayError: The name is empty, too long, or taken in this ward; or ``node`` cannot be a node's name.
        """
        said, bound = _name(name), _node(node)
        with self._database.begin() as transaction:
            if transaction.get(Ward, ward) is None:
                raise NotFoundError("there is no such ward")
            if transaction.scalars(select(Bed.id).where(Bed.ward == ward, Bed.name == said)).first() is not None:
                raise StayError("there is a bed of this name in the ward already")
            bed = new_id()
            transaction.add(Bed(id=bed, ward=ward, name=said, node=bound))
            self._note(transaction, account, "bed.add", bed)
        return bed

    def bind(self, bed: str, node: str | None, account: str) -> None:
        """Say which room's node a bed belongs to; None: to none.

        Raises:
            NotFoundError: There is no such bed.
            StayError: ``node`` cannot be a node's name.
        """
        bound = _node(node)
        with self._database.begin() as transaction:
            found = transaction.get(Bed, bed)
            if found is None:
                raise NotFoundError("there is no such bed")
            found.node = bound
            self._note(transaction, account, "bed.bind", bed)

    def set_presence(self, node: str, *, shared: bool, visitors: bool, account: str) -> None:
        """Say who may be in a room besides its patient.

        Raises:
            StayError: ``node`` cannot be a node's name.
        """
        if _node(node) is None:
            raise StayError("no room is called so")
        with self._database.begin() as transaction:
            transaction.merge(RoomPresence(node=node, shared=shared, visitors=visitors))
            self._note(transaction, account, "room.presence", node)

    def presences(self) -> dict[str, RoomPresence]:
        """Return what staff said of rooms, by node."""
        with self._database.read() as transaction:
            return {row.node: row for row in transaction.scalars(select(RoomPresence))}

    def wards(self) -> list[Ward]:
        """Return every ward by name."""
        with self._database.read() as transaction:
            return list(transaction.scalars(select(Ward).order_by(Ward.name)))

    def beds(self) -> list[BedState]:
        """Return every bed with who has it, by ward and name."""
        query = (
            select(Bed, Ward, Stay)
            .join(Ward, Ward.id == Bed.ward)
            .outerjoin(StayMove, (StayMove.bed == Bed.id) & StayMove.until.is_(None))
            .outerjoin(Stay, Stay.id == StayMove.stay)
            .order_by(Ward.name, Bed.name)
        )
        with self._database.read() as transaction:
            return [BedState(bed, ward, stay) for bed, ward, stay in transaction.execute(query)]

    # Stays

    def admit(self, bed: str, account: str) -> Stay:
        """Begin a stay in a bed, under a new pseudonym.

        Raises:
            NotFoundError: There is no such bed.
            StayError: The bed is taken.
        """
        now = self._clock.now()
        stay = Stay(id=new_id(), pseudonym=new_pseudonym(), admitted_at=now, discharged_at=None)
        try:
            with self._database.begin() as transaction:
                _beds(transaction).admit(stay.id, _bed(transaction, bed))
                transaction.add(stay)
                transaction.flush()
                transaction.add(StayMove(id=new_id(), stay=stay.id, bed=bed, since=now, until=None))
                self._note(transaction, account, "stay.admit", stay.id)
        except IntegrityError:
            # On a store that lets two write at once, both saw the bed free; the store gave it to the other one.
            raise StayError("this bed is taken") from None
        return stay

    def transfer(self, stay: str, bed: str, account: str) -> None:
        """Move a stay to another bed. Its pseudonym stays.

        Raises:
            NotFoundError: There is no such bed.
            StayError: The stay is over, or the bed is taken.
        """
        now = self._clock.now()
        try:
            with self._database.begin() as transaction:
                _beds(transaction).transfer(stay, _bed(transaction, bed))
                _close(transaction, stay, now)
                transaction.flush()
                transaction.add(StayMove(id=new_id(), stay=stay, bed=bed, since=now, until=None))
                self._note(transaction, account, "stay.transfer", stay)
        except IntegrityError:
            raise StayError("this bed is taken") from None

    def discharge(self, stay: str, account: str) -> None:
        """End a stay. Its bed is free, and its room's node forgets it.

        Raises:
            StayError: The stay is over already.
        """
        now = self._clock.now()
        with self._database.begin() as transaction:
            _beds(transaction).discharge(stay)
            _close(transaction, stay, now)
            found = transaction.get(Stay, stay)
            if found is not None:
                found.discharged_at = now
            self._note(transaction, account, "stay.discharge", stay)

    def set_watch(self, stay: str, watch: Watch | None, account: str) -> None:
        """Say what the camera watches for in a stay; None: as in any room.

        Raises:
            NotFoundError: There is no such stay.
            StayError: The stay is over.
        """
        with self._database.begin() as transaction:
            found = transaction.get(Stay, stay)
            if found is None:
                raise NotFoundError("there is no such stay")
            if found.discharged_at is not None:
                raise StayError("this stay is over")
            found.watch = None if watch is None else watch.model_dump(mode="json")
            self._note(transaction, account, "stay.watch", stay)

    def stay(self, stay: str) -> StayRecord:
        """Return a stay with its way through the beds.

        Raises:
            NotFoundError: There is no such stay.
        """
        query = (
            select(StayMove, Bed, Ward)
            .join(Bed, Bed.id == StayMove.bed)
            .join(Ward, Ward.id == Bed.ward)
            .where(StayMove.stay == stay)
            .order_by(StayMove.since, StayMove.id)
        )
        with self._database.read() as transaction:
            found = transaction.get(Stay, stay)
            if found is None:
                raise NotFoundError("there is no such stay")
            steps = [
                Step(bed.name, ward.name, bed.node, move.since, move.until)
                for move, bed, ward in transaction.execute(query)
            ]
        return StayRecord(found, steps)

    def ended(self) -> list[Stay]:
        """Return the stays that ended last; at most 50."""
        query = select(Stay).where(Stay.discharged_at.is_not(None)).order_by(Stay.discharged_at.desc())
        with self._database.read() as transaction:
            return list(transaction.scalars(query.limit(ENDED_LIMIT)))

    def _note(self, transaction: Transaction, account: str, action: str, object_id: str) -> None:
        audit.write(transaction, self._clock.now(), account, action, object_id)


def _beds(transaction: Transaction) -> Beds:
    rows = transaction.execute(select(StayMove.bed, StayMove.stay).where(StayMove.until.is_(None)))
    return Beds({row.bed: row.stay for row in rows})


def _bed(transaction: Transaction, bed: str) -> str:
    if transaction.get(Bed, bed) is None:
        raise NotFoundError("there is no such bed")
    return bed


def _close(transaction: Transaction, stay: str, now: datetime) -> None:
    for move in transaction.scalars(select(StayMove).where(StayMove.stay == stay, StayMove.until.is_(None))):
        move.until = now


def _name(given: str) -> str:
    said = " ".join(given.split())
    if not said or len(said) > NAME_LENGTH or not said.isprintable():
        raise StayError(f"a name has 1 to {NAME_LENGTH} characters")
    return said


def _node(given: str | None) -> str | None:
    if not given:
        return None
    if not topics.is_name(given) or given in topics.RESERVED:
        raise StayError(
            "a node's name is lower-case letters, digits and hyphens, at most 63, and none of the hub's own"
        )
    return given


def _identifier(name: str) -> str:
    identifier = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    if not topics.is_name(identifier):
        raise StayError("a name needs a letter or a digit")
    return identifier
