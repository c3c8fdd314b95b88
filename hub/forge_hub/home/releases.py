"""How the rooms' releases stand for Home Assistant, and what becomes of its wish for one."""

import re
from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session as Transaction
from tuf.api.metadata import TargetFile

from forge_hub.errors import ReleaseError
from forge_hub.home.desk import Standings
from forge_hub.home.entities import NAMES, Standing
from forge_hub.records.database import Database
from forge_hub.records.schema import ReleaseChange, Rollout, RolloutRoom, Room, RoomRelease
from forge_hub.releases.catalogue import Catalogue
from forge_hub.releases.rollouts import Rollouts
from forge_shared.releases import ReleaseRole

ACCOUNT: Final = "home-assistant"
"""Who acts, in the audit; also the group of the one room for which it asks, while it asks."""
WHY: Final = "Asked for in Home Assistant."
_UNDER_WAY: Final = ("running", "paused")
_TARGET: Final = re.compile(r"(?P<name>.+)-(?P<version>\d+\.\d+\.\d+)\.tar")

Said = Mapping[str, Any]
"""What a room says of a role, as `forge_shared.wire.RoomRelease` in JSON; empty: nothing."""


class HomeReleases:
    """Reads the records and asks the roll-outs. Blocks: call it from a thread.

    Args:
        database: The records.
        catalogue: What is published.
        rollouts: Decide what becomes of a wish.
    """

    def __init__(self, database: Database, catalogue: Catalogue, rollouts: Rollouts) -> None:
        self._database, self._catalogue, self._rollouts = database, catalogue, rollouts

    def standings(self) -> Standings:
        """Return how every role stands that has or may have a release, by room; rooms without any are left out."""
        published = self._catalogue.images.targets()
        found: dict[str, dict[ReleaseRole, Standing]] = defaultdict(dict)
        with self._database.read() as transaction:
            offered = _not_withdrawn(transaction, published)
            planned = _planned(transaction)
            said = {(row.node, row.role): row.said for row in transaction.scalars(select(RoomRelease))}
            for room in transaction.scalars(select(Room)):
                for role in NAMES:
                    now: Said = said.get((room.node, role), {})
                    newest = newest_for(offered, role, room.hardware, now.get("serving"))
                    coming = planned.get((room.node, role))
                    # Rooms tell figures of their own models too, of which none has a release to update to.
                    if now.get("serving") or now.get("next") or newest or coming:
                        found[room.node][role] = standing(now, newest, coming)
        return found

    def request_install(self, node: str, role: ReleaseRole) -> None:
        """Ask the roll-outs for the newest release of a role in one room.

        A release that has not done well in any room yet is given to one room at a time: buttons pressed in a hundred
        rooms are no roll-out in rings.

        Raises:
            ReleaseError: There is nothing newer for the room, it is under way, or another room is trying it first.
        """
        published = self._catalogue.images.targets()
        with self._database.read() as transaction:
            room = transaction.get(Room, node)
            row = transaction.get(RoomRelease, (node, role))
            serving = row.said.get("serving") if row is not None else None
            offered = _not_withdrawn(transaction, published)
            target = newest_for(offered, role, room.hardware, serving) if room is not None else None
            if target is None:
                raise ReleaseError("there is nothing newer for this room")
            if not _is_proven(transaction, target) and _is_tried(transaction, target):
                raise ReleaseError("another room tries it first")
        self._rollouts.set_group(ACCOUNT, [node], account=ACCOUNT)
        try:
            self._rollouts.start(target, account=ACCOUNT, why=WHY, groups=[ACCOUNT], rings=[100])
        finally:
            self._rollouts.set_group(ACCOUNT, [], account=ACCOUNT)


def newest_for(
    offered: Mapping[str, TargetFile], role: ReleaseRole, hardware: str | None, serving: str | None
) -> str | None:
    """Return the target that a room could have next in a role; None: none. Pure.

    It is one of the name that serves. Where the model serves that came with the node, or one that is not published any
    more, it is the only name there is for the role; of several an admin chooses.
    """
    fitting = {
        target: custom
        for target, file in offered.items()
        if (custom := _custom(file))["role"] == role and hardware in custom["hardware"]
    }
    held = _custom(offered[serving]) if serving is not None and serving in offered else None
    names = {str(custom["name"]) for custom in fitting.values()} if held is None else {str(held["name"])}
    if len(names) != 1:
        return None
    least = 0 if held is None else int(held["release_counter"])
    newer = {
        int(custom["release_counter"]): target
        for target, custom in fitting.items()
        if custom["name"] in names and int(custom["release_counter"]) > least
    }
    found = newer[max(newer)] if newer else None
    return None if found == serving else found


def standing(said: Said, newest: str | None, coming: str | None) -> Standing:
    """Return how a role stands. Pure.

    Args:
        said: What the room says.
        newest: What it could have.
        coming: What a roll-out is to give it.
    """
    serving, doing, next_one = said.get("serving"), said.get("state", "serving"), said.get("next")
    if doing == "serving" and coming not in (None, serving):
        doing = "asked"
    latest = next_one if next_one is not None and doing not in ("serving", "asked") else coming or newest
    name, _ = _parts(latest or serving)
    return Standing(
        installed=_parts(serving)[1],
        latest=_parts(latest)[1],
        name=name,
        doing=doing,
        percentage=said.get("percentage") if doing == "fetching" else None,
        reason=said.get("reason"),
    )


def _planned(transaction: Transaction) -> Mapping[tuple[str, str], str]:
    rows = transaction.execute(
        select(RolloutRoom.node, Rollout.role, Rollout.target)
        .join(Rollout, Rollout.id == RolloutRoom.rollout)
        .where(Rollout.state.in_(_UNDER_WAY), RolloutRoom.state.in_(("planned", "directed")))
    )
    return {(node, role): target for node, role, target in rows}


def _not_withdrawn(transaction: Transaction, published: Mapping[str, TargetFile]) -> Mapping[str, TargetFile]:
    withdrawn: Collection[str] = set(transaction.scalars(select(Rollout.target).where(Rollout.state == "withdrawn")))
    return {target: file for target, file in published.items() if target not in withdrawn}


def _is_proven(transaction: Transaction, target: str) -> bool:
    done = select(ReleaseChange.event_id).where(ReleaseChange.release == target, ReleaseChange.outcome == "committed")
    return transaction.scalar(done.limit(1)) is not None


def _is_tried(transaction: Transaction, target: str) -> bool:
    tried = select(Rollout.id).where(Rollout.target == target, Rollout.state.in_(_UNDER_WAY))
    return transaction.scalar(tried.limit(1)) is not None


def _custom(target: TargetFile) -> Mapping[str, Any]:
    custom: Mapping[str, Any] = target.custom or {}
    return {"name": "", "role": "", "hardware": [], "release_counter": 0, **custom}


def _parts(target: str | None) -> tuple[str | None, str | None]:
    """Return name and version of a release by its target (`forge_shared.releases.Manifest.target`)."""
    match = None if target is None else _TARGET.fullmatch(target)
    return (None, target) if match is None else (match["name"], match["version"])
