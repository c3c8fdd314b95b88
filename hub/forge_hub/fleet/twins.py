"""What each room's node is told: whose room it is, who else may be in it, and what is consented to.

The newest word to every node stands in the records with a revision. It is published retained whenever it changes, when
the hub reaches the broker, and when a node comes back, so that no node misses it. The hub signs it, so that whoever has
the broker can neither change it nor bring an older one or another room's; each revision is kept with who, why and when.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session as Transaction

from forge_hub.access import COMMAND_LINE, audit
from forge_hub.access.limits import Window
from forge_hub.errors import AuthorityError, BrokerError, NotFoundError, TwinError
from forge_hub.fleet.commands import Publish, Sign
from forge_hub.fleet.plans import RoomPlans, left_to
from forge_hub.fleet.revisions import Cause, note, plan_at, plans_of_now
from forge_hub.records.database import Database, trouble_of
from forge_hub.records.erasures import person_hash
from forge_hub.records.schema import Bed, Consent, DesiredTwin, Erasure, RoomDirector, RoomPresence, Stay, StayMove
from forge_shared import hub_word, topics
from forge_shared.clock import Clock
from forge_shared.errors import SignatureError
from forge_shared.ids import new_id
from forge_shared.logs import get_logger
from forge_shared.plan import RoomPlan, Watch
from forge_shared.wire import MOST_REVISIONS, PURPOSES, Purpose, TwinDesired, TwinReported

LOOK_SECONDS = 1.0
"""How often the folder of the plans is looked at: what is edited is in the rooms within five seconds. Ours."""
ANEW_SECONDS = 60.0
"""How often the rooms are worked out anew though nobody has said that anything changed. Ours."""

JUMPS, JUMPS_SECONDS = 60, 3600.0
"""How often in an hour a room's revision goes on from what the room says it has: a restore needs one or two, and
whoever writes reports in a room's name must not fill the records. Ours."""

log = get_logger()


@dataclass(frozen=True, slots=True)
class Occupancy:
    """What is known of one room: the pseudonyms in it, what each consents to, and what staff say of it.

    ``watches`` is what staff have set for the camera, by pseudonym.
    """

    consents: Mapping[str, frozenset[str]]
    shared: bool = False
    visitors: bool = False
    watches: Mapping[str, Watch] = field(default_factory=dict)


def wanted(room: Occupancy, plan: RoomPlan | None = None) -> dict[str, Any]:
    """Return what a room's node shall be told, but for the revision. Pure.

    Where several people have beds in one room, what is heard cannot be said to be any one's: the node knows no
    pseudonym of them, only what all of them consent to is on, and the camera watches as in any room.
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
    told = twin.model_dump(mode="json", exclude={"revision", "word", "plan", "stays", "releases"})
    if twin.subject is not None:
        plan = watching(plan, twin.subject, room.watches.get(twin.subject))
    return told if plan is None else {**told, "plan": plan.model_dump(mode="json")}


def watching(plan: RoomPlan | None, subject: str, watch: Watch | None) -> RoomPlan | None:
    """Return a room's plan with what is set for its one person's camera, which is never another person's. Pure."""
    if watch is None:
        return plan
    return (plan or RoomPlan()).of_stay(subject).model_copy(update={"subject": subject, "watch": watch})


class Twins:
    """Keeps every node told. Its methods are called on the event loop.

    Args:
        site: Name of the site.
        database: The records.
        publish: Publishes a payload on a topic, QoS 1, retained.
        sign: Makes a detached JWS with the key of the hub's own certificate.
        clock: Says when a revision was made and signed.
        plans: Folder with what the staff have set for each room, NODE.json; read whenever the rooms are worked out.
    """

    def __init__(  # noqa: PLR0913 (the composition root's wiring, by keyword)
        self,
        site: str,
        database: Database,
        publish: Publish,
        *,
        sign: Sign,
        clock: Clock,
        plans: Path | None = None,
    ) -> None:
        self._site = site
        self._database = database
        self._publish = publish
        self._sign = sign
        self._clock = clock
        self._plans = None if plans is None else RoomPlans(plans)
        self._lock = asyncio.Lock()
        self._told: dict[str, TwinDesired] = {}
        self._unreadable: set[str] = set()
        self._jumps = Window(clock, JUMPS, JUMPS_SECONDS)

    @property
    def commands(self) -> Mapping[str, Callable[..., Coroutine[Any, Any, Mapping[str, Any]]]]:
        """What the command line may ask for: ``twin-set`` (node, plan) and ``twin-back`` (node, revision), texts."""
        return {"twin-set": self._set_asked, "twin-back": self._back_asked}

    async def _set_asked(self, node: str, plan: str) -> Mapping[str, Any]:
        try:
            parsed = RoomPlan.model_validate_json(plan)
        except ValidationError:
            raise TwinError("it is no plan of a room") from None
        return {"revision": await self.set_plan(node, parsed, COMMAND_LINE)}

    async def _back_asked(self, node: str, revision: str | None) -> Mapping[str, Any]:
        try:
            number = None if revision is None else int(revision)
        except ValueError:
            raise TwinError("a revision is a number") from None
        then, told = await self.back(node, number, COMMAND_LINE)
        return {"back_to": then, "revision": told}

    async def run(self) -> None:
        """Follow what is edited in the folder of the plans, until cancelled."""
        seen: Mapping[str, tuple[int, int]] | None = None
        anew_at = 0.0
        while True:
            stamps = {} if self._plans is None else await asyncio.to_thread(self._plans.stamps)
            now = self._clock.monotonic_seconds()
            if stamps != seen or now >= anew_at:
                seen, anew_at = stamps, now + ANEW_SECONDS
                try:
                    await self.refresh()
                except SQLAlchemyError as error:
                    # Everybody else who writes says so too; it is tried again.
                    log.warning("twins.not-worked-out", reason=trouble_of(error))
            await asyncio.sleep(LOOK_SECONDS)

    async def refresh(self, by: str = topics.HUB) -> None:
        """Work out anew what every node shall be told, and tell those for whom it changed.

        Args:
            by: Id of the account that has changed something; else the hub itself has.
        """
        async with self._lock:
            changed = await asyncio.to_thread(self._update, Cause(by))
            await self._tell(changed)

    async def set_plan(self, node: str, plan: RoomPlan, by: str) -> int:
        """Set a room's plan; return the revision with which it is told.

        Raises:
            NotFoundError: No bed is bound to such a room, so it is told nothing.
            TwinError: It is set already, or cannot be written.
        """
        return await self._put(node, plan, Cause(by, "set"))

    async def back(self, node: str, revision: int | None, by: str) -> tuple[int, int]:
        """Set again what was set for a room at an earlier revision. Whose room it is and what is agreed to stay as now.

        What is another person's than the one's who is there now is left out of it.

        Args:
            node: Name of the node.
            revision: Which; None: the newest at which something else was set.
            by: Id of the account, or ``command-line``.

        Returns:
            The revision that was gone back to, and the one with which it is told.

        Raises:
            NotFoundError: There is no such room or revision, or its person was erased.
            TwinError: It is set already, or cannot be written.
        """
        then, plan = await asyncio.to_thread(plan_at, self._database, node, revision)
        return then, await self._put(node, plan, Cause(by, "back", then))

    async def _put(self, node: str, plan: RoomPlan | None, cause: Cause) -> int:
        plans = self._plans
        if plans is None:
            raise TwinError("this hub has no folder of plans")
        async with self._lock:
            changed = await asyncio.to_thread(self._update, Cause(topics.HUB))
            known = dict(await asyncio.to_thread(self._all))
            if node not in known:
                await self._tell(changed)
                raise NotFoundError("no bed is bound to such a room: it is told nothing")
            plan = left_to(plan, known[node].subject)
            before = await asyncio.to_thread(self._set_of, node)
            if plan == before:
                await self._tell(changed)
                raise TwinError("that is what is set for the room already")
            await asyncio.to_thread(plans.put, node, plan)
            changed += await asyncio.to_thread(self._update, cause, node)
            await self._tell(changed)
            return self._told[node].revision

    async def tell_all(self) -> None:
        """Tell every node again: the hub has just reached the broker."""
        async with self._lock:
            await asyncio.to_thread(self._update, Cause(topics.HUB))
            await self._tell(await asyncio.to_thread(self._all))

    async def heard(self, node: str, path: str, payload: bytes) -> None:
        """Take note of what a node says of itself: tell it again when it comes online.

        A node that has applied more than this hub remembers telling it, or something else of the same number, knows a
        hub that was restored from a backup since; the hub goes on from there, but not from what no hub would have
        counted up to.
        """
        if path == "status":
            async with self._lock:
                await self._tell([twin for twin in await asyncio.to_thread(self._all) if twin[0] == node])
            return
        try:
            reported = TwinReported.model_validate_json(payload)
        except ValidationError:
            return
        told = self._told.get(node)
        if told is not None and is_behind(told, reported) and self._jumps.admits(node):
            async with self._lock:
                await self._tell(await asyncio.to_thread(self._go_on_from, node, reported))

    def _update(self, cause: Cause, of: str | None = None) -> list[tuple[str, TwinDesired]]:
        """Work out what every node shall be told; ``cause`` is that of every change, or of node ``of`` alone."""
        changed: list[tuple[str, TwinDesired]] = []
        now = self._clock.now()
        with self._database.begin() as transaction:
            rooms = _occupancies(transaction)
            known = {row.node: row for row in transaction.scalars(select(DesiredTwin))}
            plans = plans_of_now(transaction)
            directed = _directed(transaction)
            for node in sorted(rooms.keys() | known.keys() | directed.keys()):
                plan = self._plan_of(transaction, node, plans.get(node))
                told = {**wanted(rooms.get(node, Occupancy({})), plan), **directed.get(node, {})}
                if node not in rooms:
                    # Only told of releases, or of a bed that is gone: it must not take itself for one that is empty.
                    told["stays"] = False
                row = known.get(node)
                if row is None:
                    row = DesiredTwin(node=node, revision=0, wanted={})
                    transaction.add(row)
                is_other_plan = node not in plans or plans[node] != plan
                if row.wanted == told and not is_other_plan and row.word is not None:
                    continue
                parts = [part for part in told.keys() | row.wanted.keys() if told.get(part) != row.wanted.get(part)]
                row.revision, row.word, row.wanted = row.revision + 1, new_id(), told
                if is_other_plan:
                    row.plan_since = row.revision
                its = cause if of in (None, node) else Cause(topics.HUB)
                note(transaction, row, its, at=now, parts=parts, plan=plan)
                changed.append((node, _twin(row)))
            if of is not None:
                audit.write(transaction, now, cause.by, f"twin.{cause.reason}", of)
        return changed

    def _plan_of(self, transaction: Transaction, node: str, before: RoomPlan | None) -> RoomPlan | None:
        """Return what is set for a room; where the file cannot be read, what was set before stands.

        What was set for somebody who was erased is taken out of the file too.
        """
        if self._plans is None:
            return None
        try:
            plan = self._plans.of(node)
            of = None if plan is None else plan.subject
            if of is not None and transaction.get(Erasure, person_hash(of)) is not None:
                plan = left_to(plan, None)
                self._plans.put(node, plan)
        except TwinError as error:
            if node not in self._unreadable:
                log.warning("plan.unreadable", node=node, reason=error.code)
            self._unreadable.add(node)
            return before
        self._unreadable.discard(node)
        return plan

    def _set_of(self, node: str) -> RoomPlan | None:
        with self._database.read() as transaction:
            return plans_of_now(transaction).get(node)

    def _all(self) -> list[tuple[str, TwinDesired]]:
        with self._database.read() as transaction:
            return [(row.node, _twin(row)) for row in transaction.scalars(select(DesiredTwin))]

    def _go_on_from(self, node: str, reported: TwinReported) -> list[tuple[str, TwinDesired]]:
        with self._database.begin() as transaction:
            row = transaction.get(DesiredTwin, node)
            if row is None or not is_behind(_twin(row), reported):
                return []
            row.revision, row.word = (reported.revision or 0) + 1, new_id()
            plan = plans_of_now(transaction).get(node)
            note(transaction, row, Cause(topics.HUB, "ahead"), at=self._clock.now(), parts=(), plan=plan)
            log.warning("twin.behind-its-node", node=node)
            return [(node, _twin(row))]

    async def _tell(self, twins: Sequence[tuple[str, TwinDesired]]) -> None:
        for node, twin in twins:
            self._told[node] = twin
            topic = topics.twin_desired(self._site, node)
            try:
                message = hub_word.payload(topic, twin.model_dump(mode="json"), self._clock.now(), self._sign)
                await self._publish(topic, message)
            except (AuthorityError, BrokerError, SignatureError) as error:
                # It stands in the records, and everybody is told when the broker is back.
                log.warning("twin.not-told", node=node, reason=error.code)


def is_behind(told: TwinDesired, reported: TwinReported) -> bool:
    """Tell whether a node has what this hub does not remember telling it: more, or something else. Pure."""
    if reported.revision is None or reported.revision > MOST_REVISIONS:
        return False
    if reported.revision == told.revision:
        return reported.word is not None and reported.word != told.word
    return reported.revision > told.revision


def revisions(database: Database) -> dict[str, int]:
    """Return the newest revision that each node was told; blocks on the store."""
    with database.read() as transaction:
        return {row[0]: row[1] for row in transaction.execute(select(DesiredTwin.node, DesiredTwin.revision))}


def _twin(row: DesiredTwin) -> TwinDesired:
    return TwinDesired.model_validate({**row.wanted, "revision": row.revision, "word": row.word})


def _directed(transaction: Transaction) -> dict[str, dict[str, Any]]:
    """Return for every room that was told of releases the version of what it was told."""
    signed = select(RoomDirector.node, RoomDirector.version).where(RoomDirector.version.is_not(None))
    return {row.node: {"releases": row.version} for row in transaction.execute(signed)}


def _occupancies(transaction: Transaction) -> dict[str, Occupancy]:
    """Return every room that a bed stands in or that staff have given a state."""
    held: dict[str, set[str]] = defaultdict(set)
    for subject, purpose in transaction.execute(
        select(Consent.subject, Consent.purpose).where(Consent.withdrawn_at.is_(None))
    ):
        held[subject].add(purpose)
    people: dict[str, dict[str, frozenset[str]]] = defaultdict(dict)
    watches: dict[str, Watch] = {}
    query = (
        select(Bed.node, Stay.pseudonym, Stay.watch)
        .outerjoin(StayMove, (StayMove.bed == Bed.id) & StayMove.until.is_(None))
        .outerjoin(Stay, Stay.id == StayMove.stay)
        .where(Bed.node.is_not(None))
    )
    for node, pseudonym, watch in transaction.execute(query):
        room = people[str(node)]
        if pseudonym is not None:
            room[pseudonym] = frozenset(held[pseudonym])
            if watch is not None:
                watches[pseudonym] = Watch.model_validate(watch)
    states = {row.node: row for row in transaction.scalars(select(RoomPresence))}
    return {
        node: Occupancy(
            people.get(node, {}),
            shared=node in states and states[node].shared,
            visitors=node in states and states[node].visitors,
            watches={each: watches[each] for each in people.get(node, {}) if each in watches},
        )
        for node in people.keys() | states.keys()
    }
