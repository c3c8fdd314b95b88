"""What ran in a room when, from what the rooms themselves said."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from forge_hub.records.database import Database
from forge_hub.records.schema import ReleaseChange
from forge_shared.releases import ReleaseRole


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a release in a room; see `forge_shared.events.ReleaseChanged`.

    ``sha256`` is of what serves since; None: the model that came with the node.
    """

    at: datetime
    outcome: str
    release: str
    version: str | None
    sha256: str | None
    rollout: str


@dataclass(frozen=True, slots=True)
class Ran:
    """What served a role in a room at a moment.

    Attributes:
        release: Its target; None: the model that came with the node.
        sha256: Digest of the packed release; None with it.
        on_trial: Whether it was on trial.
        since: Since when; None: since before anything is known of the room.
        rollout: On whose behalf; None: nobody's.
    """

    node: str
    role: ReleaseRole
    at: datetime
    release: str | None
    version: str | None
    sha256: str | None
    on_trial: bool
    since: datetime | None
    rollout: str | None


def ran(node: str, role: ReleaseRole, at: datetime, changes: Iterable[Change]) -> Ran:
    """Return what served at a moment. Pure.

    Args:
        node: The room.
        role: What is asked about.
        at: The moment; what happened at it counts.
        changes: Everything that became of releases of this role in this room, in the order in which it did.
    """
    good: list[Change] = []
    trial: Change | None = None
    since: datetime | None = None
    for change in changes:
        if change.at > at:
            break
        match change.outcome:
            case "on-trial":
                trial, since = change, change.at
            case "committed":
                if trial is None or trial.release != change.release:
                    since = change.at
                good, trial = [*good, change], None
            case "rolled-back":
                since, trial = change.at, None
                # The event says what serves again: one that did well before, or the model that came with the node.
                good = [each for each in good if each.sha256 == change.sha256]
    serves = trial or (good[-1] if good else None)
    if serves is None:
        return Ran(node, role, at, None, None, None, on_trial=False, since=since, rollout=None)
    return Ran(
        node,
        role,
        at,
        serves.release,
        serves.version,
        serves.sha256,
        on_trial=trial is not None,
        since=since,
        rollout=serves.rollout,
    )


def read_changes(database: Database, node: str, role: ReleaseRole) -> list[Change]:
    """Return everything that became of releases of a role in a room. Blocks on the store."""
    query = select(ReleaseChange).where(ReleaseChange.node == node, ReleaseChange.role == role)
    with database.read() as transaction:
        rows = transaction.scalars(query.order_by(ReleaseChange.position)).all()
    return [Change(row.at, row.outcome, row.release, row.version, row.sha256, row.rollout) for row in rows]
