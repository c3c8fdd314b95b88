"""Every revision of what a room was told: who brought it about, when and why, and what of it was another.

Whose room it was and what was consented to stands with the stays and the consents; here stands what was set for it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session as Transaction

from forge_hub.errors import NotFoundError
from forge_hub.records.database import Database
from forge_hub.records.schema import DesiredTwin, Room, TwinRevision
from forge_shared.plan import RoomPlan

Reason = Literal["change", "set", "back", "ahead"]
"""Why there is a revision. ``change``: stays, consents, presence, watch, releases or the plan's file changed; ``set``:
somebody set the room's plan; ``back``: somebody took an earlier one back; ``ahead``: the room had been told more than
this hub remembers.
"""


@dataclass(frozen=True, slots=True)
class Cause:
    """On whose account a room is told something else, and why.

    Attributes:
        by: Id of the account, ``command-line``, or ``hub`` where nobody asked.
        reason: Why.
        back_to: The revision whose plan was taken back.
    """

    by: str
    reason: Reason = "change"
    back_to: int | None = None


@dataclass(frozen=True, slots=True)
class Drift:
    """How far a room is from what it is to be.

    Attributes:
        node: Name of the node.
        wanted: The revision that it was told last.
        has: The one that it says it has; None: none, or it never said.
        since: Since when it has not had the next one; None where it has what is wanted, or nobody knows since when.
    """

    node: str
    wanted: int
    has: int | None
    since: datetime | None

    @property
    def is_there(self) -> bool:
        """Whether the room is as it is to be."""
        return self.has == self.wanted


def drifts(database: Database) -> list[Drift]:
    """Return every room that is told anything, by name."""
    with database.read() as transaction:
        query = select(DesiredTwin.node, DesiredTwin.revision, Room.twin_revision).outerjoin(
            Room, Room.node == DesiredTwin.node
        )
        return [
            Drift(node, wanted, has, _since(transaction, node, wanted, has))
            for node, wanted, has in transaction.execute(query.order_by(DesiredTwin.node))
        ]


def _since(transaction: Transaction, node: str, wanted: int, has: int | None) -> datetime | None:
    if has == wanted:
        return None
    missing = select(TwinRevision.at).where(TwinRevision.node == node)
    if has is not None:
        missing = missing.where(TwinRevision.revision > has)
    return transaction.scalar(missing.order_by(TwinRevision.revision).limit(1))


def history(database: Database, node: str) -> Sequence[TwinRevision]:
    """Return every revision of a room, the newest first.

    Raises:
        NotFoundError: The room was never told anything.
    """
    query = select(TwinRevision).where(TwinRevision.node == node).order_by(TwinRevision.revision.desc())
    with database.read() as transaction:
        found = list(transaction.scalars(query))
        if not found and transaction.get(DesiredTwin, node) is None:
            raise NotFoundError("there is no such room, or it was never told anything")
    return found


def plan_at(database: Database, node: str, revision: int | None) -> tuple[int, RoomPlan | None]:
    """Return what was set for a room at a revision, and that revision.

    Args:
        database: The records.
        node: Name of the node.
        revision: Which; None: the newest whose plan is another than that of now.

    Raises:
        NotFoundError: There is no such revision, or what was set then is gone: its person was erased.
    """
    with database.read() as transaction:
        now = transaction.get(DesiredTwin, node)
        if now is None:
            raise NotFoundError("there is no such room, or it was never told anything")
        of_room = select(TwinRevision).where(TwinRevision.node == node)
        if revision is None:
            of_room = of_room.where(TwinRevision.revision < (now.plan_since or 0))
        else:
            of_room = of_room.where(TwinRevision.revision == revision)
        found = transaction.scalar(of_room.order_by(TwinRevision.revision.desc()).limit(1))
        if found is None:
            raise NotFoundError("there is no such revision: `forge-hub twin history` lists them")
        then = transaction.get(TwinRevision, (node, found.plan_since))
        if then is None:
            raise NotFoundError("what was set then is gone: its person was erased")
        return found.revision, None if then.plan is None else RoomPlan.model_validate(then.plan)


def plans_of_now(transaction: Transaction) -> Mapping[str, RoomPlan | None]:
    """Return what each room's newest revision says is set for it; rooms of which that is not known are left out."""
    query = select(TwinRevision).join(
        DesiredTwin, (DesiredTwin.node == TwinRevision.node) & (DesiredTwin.plan_since == TwinRevision.revision)
    )
    return {
        row.node: None if row.plan is None else RoomPlan.model_validate(row.plan) for row in transaction.scalars(query)
    }


def note(  # noqa: PLR0913 (a row's values)
    transaction: Transaction,
    twin: DesiredTwin,
    cause: Cause,
    *,
    at: datetime,
    parts: Sequence[str],
    plan: RoomPlan | None,
) -> None:
    """Write a revision down.

    Args:
        transaction: Where the twin is changed.
        twin: As it is now; with ``plan_since`` at this revision, the plan is written down too.
        cause: Who, and why.
        at: Now.
        parts: The members of the twin that are others than before.
        plan: What is set for the room.
    """
    since = twin.revision if twin.plan_since is None else twin.plan_since
    is_new = since == twin.revision
    transaction.add(
        TwinRevision(
            node=twin.node,
            revision=twin.revision,
            word=twin.word,
            at=at,
            account=cause.by,
            reason=cause.reason,
            back_to=cause.back_to,
            parts=" ".join(sorted(parts)),
            plan_since=since,
            plan=plan.model_dump(mode="json") if is_new and plan is not None else None,
            subject=plan.subject if is_new and plan is not None else None,
        )
    )
