"""What each room's node is told: whose room it is, who else may be in it, and what is consented to.

The newest word to every node stands in the records with a revision. It is published retained whenever it changes, when
the hub reaches the broker, and when a node comes back, so that no node misses it.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session as Transaction

from forge_hub.errors import BrokerError
from forge_hub.fleet.commands import Publish
from forge_hub.records.database import Database
from forge_hub.records.schema import Bed, Consent, DesiredTwin, RoomPresence, Stay, StayMove
from forge_shared import topics
from forge_shared.logs import get_logger
from forge_shared.plan import RoomPlan
from forge_shared.wire import MOST_REVISIONS, PURPOSES, Purpose, TwinDesired, TwinReported

log = get_logger()


@dataclass(frozen=True, slots=True)
class Occupancy:
    """What is known of one room: the pseudonyms in it, what each consents to, and what staff say of it."""

    consents: Mapping[str, frozenset[str]]
    shared: bool = False
    visitors: bool = False


def wanted(room: Occupancy, plan: RoomPlan | None = None) -> dict[str, Any]:
    """Return what a room's node shall be told, but for the revision. Pure.

    Where several people have beds in one room, what is heard cannot be said to be any one's: the node knows no
    pseudonym of them, and only what all of them consent to is on.
    """
    subjects = list(room.consents)
    agreed: tuple[Purpose, ...] | None = None
    if subjects:
        agreed = tuple(purpose for purpose in PURPOSES if all(purpose in each for each in room.consents.values()))
    twin = TwinDesired(
        revision=0,
        subject=subjects[0] if len(subjects) == 1 else None,
        shared=room.shared or len(subjects) > 1,
        visitors=room.visitors,
        consents=agreed,
    )
    told = twin.model_dump(mode="json", exclude={"revision", "plan"})
    return told if plan is None else {**told, "plan": plan.model_dump(mode="json")}


class Twins:
    """Keeps every node told. Its methods are called on the event loop.

    Args:
        site: Name of the site.
        database: The records.
        publish: Publishes a payload on a topic, QoS 1, retained.
        plans: Folder with what the staff have set for each room, NODE.json; read whenever the rooms are worked out.
    """

    def __init__(self, site: str, database: Database, publish: Publish, *, plans: Path | None = None) -> None:
        self._site = site
        self._database = database
        self._publish = publish
        self._plans = plans
        self._lock = asyncio.Lock()
        self._revisions: dict[str, int] = {}

    async def refresh(self) -> None:
        """Work out anew what every node shall be told, and tell those for whom it changed."""
        async with self._lock:
            changed = await asyncio.to_thread(self._update)
            await self._tell(changed)

    async def tell_all(self) -> None:
        """Tell every node again: the hub has just reached the broker."""
        async with self._lock:
            await asyncio.to_thread(self._update)
            await self._tell(await asyncio.to_thread(self._all))

    async def heard(self, node: str, path: str, payload: bytes) -> None:
        """Take note of what a node says of itself: tell it again when it comes online.

        A node that has applied more than this hub remembers telling it knows a hub that was restored from a backup
        since; the hub goes on from there, but not from what no hub would have counted up to.
        """
        if path == "status":
            async with self._lock:
                await self._tell([twin for twin in await asyncio.to_thread(self._all) if twin[0] == node])
            return
        try:
            reported = TwinReported.model_validate_json(payload).revision
        except ValidationError:
            return
        if reported is not None and self._revisions.get(node, MOST_REVISIONS) < reported <= MOST_REVISIONS:
            async with self._lock:
                await self._tell(await asyncio.to_thread(self._go_on_from, node, reported))

    def _update(self) -> list[tuple[str, TwinDesired]]:
        changed: list[tuple[str, TwinDesired]] = []
        with self._database.begin() as transaction:
            rooms = _occupancies(transaction)
            known = {row.node: row for row in transaction.scalars(select(DesiredTwin))}
            for node in sorted(rooms.keys() | known.keys()):
                row = known.get(node)
                told = wanted(rooms.get(node, Occupancy({})), self._plan_of(node, row))
                if row is None:
                    row = DesiredTwin(node=node, revision=0, wanted={})
                    transaction.add(row)
                if row.wanted != told:
                    row.revision, row.wanted = row.revision + 1, told
                    changed.append((node, _twin(row)))
        return changed

    def _plan_of(self, node: str, row: DesiredTwin | None) -> RoomPlan | None:
        """Return what is set for a room; where the file cannot be read, what was told before stands."""
        if self._plans is None:
            return None
        try:
            return RoomPlan.model_validate_json((self._plans / f"{node}.json").read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError):
            log.warning("plan.unreadable", node=node)
            return _twin(row).plan if row is not None and row.wanted else None

    def _all(self) -> list[tuple[str, TwinDesired]]:
        with self._database.read() as transaction:
            return [(row.node, _twin(row)) for row in transaction.scalars(select(DesiredTwin))]

    def _go_on_from(self, node: str, revision: int) -> list[tuple[str, TwinDesired]]:
        with self._database.begin() as transaction:
            row = transaction.get(DesiredTwin, node)
            if row is None:
                return []
            row.revision = max(row.revision, revision + 1)
            log.warning("twin.behind-its-node", node=node)
            return [(node, _twin(row))]

    async def _tell(self, twins: Sequence[tuple[str, TwinDesired]]) -> None:
        for node, twin in twins:
            self._revisions[node] = twin.revision
            try:
                await self._publish(topics.twin_desired(self._site, node), twin.model_dump_json().encode())
            except BrokerError:
                # It stands in the records, and everybody is told when the broker is back.
                log.warning("twin.not-told", node=node)


def revisions(database: Database) -> dict[str, int]:
    """Return the newest revision that each node was told; blocks on the store."""
    with database.read() as transaction:
        return {row[0]: row[1] for row in transaction.execute(select(DesiredTwin.node, DesiredTwin.revision))}


def _twin(row: DesiredTwin) -> TwinDesired:
    return TwinDesired.model_validate({**row.wanted, "revision": row.revision})


def _occupancies(transaction: Transaction) -> dict[str, Occupancy]:
    """Return every room that a bed stands in or that staff have given a state."""
    held: dict[str, set[str]] = defaultdict(set)
    for subject, purpose in transaction.execute(
        select(Consent.subject, Consent.purpose).where(Consent.withdrawn_at.is_(None))
    ):
        held[subject].add(purpose)
    people: dict[str, dict[str, frozenset[str]]] = defaultdict(dict)
    query = (
        select(Bed.node, Stay.pseudonym)
        .outerjoin(StayMove, (StayMove.bed == Bed.id) & StayMove.until.is_(None))
        .outerjoin(Stay, Stay.id == StayMove.stay)
        .where(Bed.node.is_not(None))
    )
    for node, pseudonym in transaction.execute(query):
        room = people[str(node)]
        if pseudonym is not None:
            room[pseudonym] = frozenset(held[pseudonym])
    states = {row.node: row for row in transaction.scalars(select(RoomPresence))}
    return {
        node: Occupancy(
            people.get(node, {}),
            shared=node in states and states[node].shared,
            visitors=node in states and states[node].visitors,
        )
        for node in people.keys() | states.keys()
    }
