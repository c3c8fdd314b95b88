"""Rooms that cannot show all: a camera that stays closed, a model that nobody uses, figures that were not measured."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, select, update
from tests.fakes.fleet import Behaviour, Fleet
from tests.fakes.fleet_rollouts import FIRST, a_fleet, begin, goes_on, told

from forge_hub.records.database import open_database
from forge_hub.records.schema import Audit, ReleaseFigure, Room
from forge_hub.releases.commands import RolloutCommands
from forge_hub.releases.observed import why_given_up
from forge_hub.releases.rollout import TRIAL_PATIENCE_HOURS, RoomProgress

TRIAL_HOURS = 1 + TRIAL_PATIENCE_HOURS
"""The fleet's releases are an hour on trial."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store whose tables are made, to be copied."""
    path = tmp_path_factory.mktemp("made") / "records.db"
    open_database(f"sqlite:///{path}").close()
    return path


@pytest.fixture
def fleet(tmp_path: Path, made: Path) -> Iterator[Fleet]:
    yield from a_fleet(tmp_path, made)


def first_ring(fleet: Fleet, rollout: str) -> dict[str, RoomProgress]:
    return {room.node: room for room in fleet.rollouts.state(rollout).rings[0].rooms}


def close(fleet: Fleet, *nodes: str) -> None:
    """Close cameras, so that no trial of these rooms ends."""
    for node in nodes:
        fleet.rooms[node].is_unused = True
    with fleet.database.begin() as transaction:
        transaction.execute(update(Room).where(Room.node.in_(nodes)).values(sight="closed"))


def open_again(fleet: Fleet, *nodes: str) -> None:
    for node in nodes:
        fleet.rooms[node].is_unused = False
        fleet.rooms[node].due = fleet.clock.now() + timedelta(hours=1)


def test_a_room_with_a_closed_camera_holds_its_ring_for_a_time_and_not_for_ever(fleet: Fleet) -> None:
    rollout = begin(fleet)
    fleet.engine.tick()
    closed = min(first_ring(fleet, rollout))
    close(fleet, closed)
    fleet.passes(TRIAL_HOURS, step_minutes=180)
    state = fleet.rollouts.state(rollout)
    assert (state.rings[0].state, state.rings[0].waits_for) == ("open", "rooms"), "it has its time"
    state = goes_on(fleet, rollout)
    assert state.counts == {"kept": 7, "on-trial": 1}
    room = first_ring(fleet, rollout)[closed]
    assert (room.state, room.reason) == ("on-trial", "trial-closed")
    lines = RolloutCommands(fleet.rollouts, fleet.clock, fleet.engine._zone).run("show", {"id": rollout})  # noqa: SLF001 (the site's zone)
    assert [(line["state"], line["reason"]) for line in lines if line.get("room") == closed] == [
        ("on-trial", "trial-closed")
    ]
    open_again(fleet, closed)
    fleet.passes(12, step_minutes=60)
    room = first_ring(fleet, rollout)[closed]
    assert (room.state, room.reason) == ("kept", None), "what it does is noted all the same"


def test_where_no_room_of_a_ring_could_be_judged_the_roll_out_pauses_and_says_so(fleet: Fleet) -> None:
    rollout = begin(fleet)
    fleet.engine.tick()
    ring = set(first_ring(fleet, rollout))
    close(fleet, *ring)
    state = goes_on(fleet, rollout, "paused", hours=TRIAL_HOURS + 48)
    assert (state.changed_by, state.rings[1].state) == ("hub", "waiting")
    assert state.reason == (
        "too little is known from ring 1: of 3 room(s) 0 kept the release and 3 did not end their trial within 49 hours"
    )
    assert {room.reason for room in first_ring(fleet, rollout).values()} == {"trial-closed"}
    assert set(told(fleet)) == ring
    with fleet.database.read() as transaction:
        last = transaction.scalars(select(Audit).order_by(Audit.position.desc())).first()
    assert last is not None
    assert (last.action, last.account) == ("rollout.pause", "hub")


def test_who_resumes_it_has_opened_a_camera_or_it_pauses_again_after_the_same_time(fleet: Fleet) -> None:
    rollout = begin(fleet)
    fleet.engine.tick()
    ring = sorted(first_ring(fleet, rollout))
    close(fleet, *ring)
    goes_on(fleet, rollout, "paused", hours=TRIAL_HOURS + 48)
    fleet.rollouts.resume(rollout, account="ann", why="one more try")
    assert {room.reason for room in first_ring(fleet, rollout).values()} == {None}
    fleet.passes(TRIAL_HOURS - 12, step_minutes=180)
    assert fleet.rollouts.state(rollout).state == "running"
    goes_on(fleet, rollout, "paused", hours=48)
    open_again(fleet, ring[0])
    fleet.rollouts.resume(rollout, account="ann", why="one is open")
    state = goes_on(fleet, rollout)
    assert state.counts == {"kept": 6, "on-trial": 2}
    assert fleet.serving(FIRST) == set(fleet.rooms)


def test_a_withdrawn_release_leaves_the_rooms_that_were_given_up_too(fleet: Fleet) -> None:
    rollout = begin(fleet)
    fleet.engine.tick()
    close(fleet, *first_ring(fleet, rollout))
    goes_on(fleet, rollout, "paused", hours=TRIAL_HOURS + 48)
    fleet.rollouts.withdraw(rollout, account="ann", why="nobody can try it")
    assert {room.reason for room in first_ring(fleet, rollout).values()} == {None}
    fleet.passes(36, step_minutes=180)
    assert not fleet.serving(FIRST)


def test_a_manifest_whose_trial_is_longer_has_the_patience_after_it(fleet: Fleet) -> None:
    rollout = begin(fleet, fleet.publish("3.0.0", seconds=72 * 3600))
    fleet.engine.tick()
    close(fleet, *first_ring(fleet, rollout))
    state = goes_on(fleet, rollout, "paused", hours=72 + TRIAL_PATIENCE_HOURS + 48)
    assert json.dumps(state.reason).endswith('within 120 hours"')


def test_rooms_that_never_measured_what_they_had_are_no_reason_to_wait_or_to_withdraw(fleet: Fleet) -> None:
    fleet.behaviours[FIRST] = Behaviour(latency=3, fails=0)
    with fleet.database.begin() as transaction:
        transaction.execute(delete(ReleaseFigure))
    for room in fleet.rooms.values():
        room.is_old = True
    state = goes_on(fleet, begin(fleet))
    assert state.counts == {"kept": 8}
    (latency,) = [each for each in state.found if each.measure == "latency"]
    assert (latency.finding, latency.rooms) == ("open", 8)
    assert latency.words == "insufficient evidence: what served before was not measured in 8 room(s)"


@pytest.mark.parametrize(
    ("sense", "is_online", "why"),
    [
        ("closed", True, "trial-closed"),
        ("lost", True, "trial-lost"),
        ("starting", True, "trial-lost"),
        ("ok", True, "trial-unused"),
        ("ok", False, "trial-away"),
    ],
)
def test_why_a_trial_does_not_end_is_told_by_how_the_room_is(sense: str, is_online: bool, why: str) -> None:  # noqa: FBT001 (drawn)
    assert why_given_up(sense, is_online=is_online) == why
