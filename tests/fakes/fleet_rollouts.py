"""A small fleet with roll-outs in it: begun, gone on with, given to every room; and what rooms are told and say."""

import json
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from tests.fakes.fleet import Behaviour, Fleet

from forge_hub.fleet.rooms import Rooms
from forge_hub.records.schema import Alert
from forge_hub.releases.rollout import RolloutState
from forge_shared.wire import TwinReported

FIRST, SECOND = "fall-pose-1.0.0.tar", "fall-pose-2.0.0.tar"
WHY = "fewer false alarms"
PER_DAY = 4.0
"""False alerts of a room: many, so that eight rooms tell within days."""


def a_fleet(folder: Path, made: Path, rooms: int = 8, **behaviours: Behaviour) -> Iterator[Fleet]:
    shutil.copy(made, folder / "records.db")
    known = {FIRST: behaviours.get("first", Behaviour(fails=0)), SECOND: behaviours.get("second", Behaviour(fails=0))}
    fleet = Fleet(folder, 7, rooms=rooms, behaviours=known, per_day=PER_DAY)
    fleet.publish("1.0.0")
    yield fleet
    fleet.database.close()


def begin(fleet: Fleet, target: str = FIRST, **changes: object) -> str:
    given_ = {"account": "ann", "why": WHY, "rings": (25, 100), "soak_hours": 6.0, **changes}
    return fleet.rollouts.start(target, **given_)  # type: ignore[arg-type]


def goes_on(fleet: Fleet, rollout: str, state: str = "done", hours: float = 24 * 40) -> RolloutState:
    assert fleet.passes(hours, step_minutes=180, until=lambda: fleet.rollouts.state(rollout).state == state)
    return fleet.rollouts.state(rollout)


def give(fleet: Fleet, target: str) -> str:
    """Give a release to every room at once, and wait until all of them keep it."""
    rollout = begin(fleet, target, rings=(100,), soak_hours=0.0)
    everywhere = {"kept": len(fleet.rooms)}
    assert fleet.passes(96, step_minutes=120, until=lambda: fleet.rollouts.state(rollout).counts == everywhere)
    if not fleet.rollouts.state(rollout).is_final:
        fleet.rollouts.stop(rollout, account="ann")
    return rollout


def told(fleet: Fleet) -> dict[str, str | None]:
    """Return what rooms are told, as the hub has signed it; None: to go back to their own model."""
    found: dict[str, str | None] = {}
    for node in fleet.rooms:
        folder = fleet.site.folder / "director" / "nodes" / node / "metadata"
        newest = max(folder.glob("*.targets.json"), key=lambda path: int(path.name.split(".")[0]), default=None)
        if newest is not None:
            signed = json.loads(newest.read_bytes())["signed"]
            found[node] = next(iter(signed["targets"]), None)
    return found


def withdraw_from_site(fleet: Fleet, target: str) -> None:
    """Let both approvers take a release from what is published."""
    fleet.site.catalogue.withdraw(target)
    for signer in fleet.site.approvers:
        fleet.site.catalogue.approve(signer)
    fleet.site.catalogue.publish()


def says(fleet: Fleet, node: str, *releases: dict[str, str]) -> None:
    """Let a room send its twin."""
    twin = {
        "hearing": "ok",
        "sight": "ok",
        "activity": "idle",
        "session_on": False,
        "pending_events": 0,
        "version": "1.0.0",
        "at": fleet.clock.now(),
        "releases": releases,
    }
    said = TwinReported.model_validate(twin).model_dump_json().encode()
    Rooms(fleet.database, fleet.clock).note(node, "twin/reported", said)


def an_alert(name: str, node: str, at: datetime, **changes: object) -> Alert:
    given_ = {"kind": "danger", "closed_at": at, **changes}
    return Alert(
        id=name,
        event_id=name,
        node=node,
        subject=None,
        severity="high",
        detail={},
        late=False,
        happened_at=at,
        raised_at=at,
        state="closed" if given_["closed_at"] else "raised",
        cause=None,
        verdict=None,
        **given_,
    )
