"""Roll-outs with a hub's own records and catalogue: started, followed, ended, and carried on after a restart."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from tests.fakes.fleet import GOOD, Behaviour, Fleet
from tests.fakes.fleet_rollouts import FIRST, SECOND, a_fleet, begin, give, goes_on, told

from forge_hub.access import audit
from forge_hub.errors import NotFoundError, ReleaseError
from forge_hub.records.database import open_database
from forge_hub.records.schema import Audit, Bed, RoomDirector, RoomWish, Ward
from forge_hub.releases.commands import RolloutCommands
from forge_hub.releases.windows import window_of


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store whose tables are made, to be copied."""
    path = tmp_path_factory.mktemp("made") / "records.db"
    open_database(f"sqlite:///{path}").close()
    return path


@pytest.fixture
def fleet(tmp_path: Path, made: Path) -> Iterator[Fleet]:
    yield from a_fleet(tmp_path, made)


def test_a_good_release_reaches_every_room_ring_after_ring_and_everything_is_in_the_audit(fleet: Fleet) -> None:
    rollout = begin(fleet)
    fleet.engine.tick()
    state = fleet.rollouts.state(rollout)
    assert [(ring.state, ring.share, len(ring.rooms)) for ring in state.rings] == [("open", 25, 3), ("waiting", 100, 5)]
    assert set(told(fleet)) == {room.node for room in state.rings[0].rooms}
    state = goes_on(fleet, rollout)
    assert state.counts == {"kept": 8}
    assert fleet.serving(FIRST) == set(fleet.rooms)
    assert all(ring.passed_at is not None for ring in state.rings)
    with fleet.database.read() as transaction:
        actions = [(row.action, row.account) for row in transaction.scalars(select(Audit).order_by(Audit.position))]
    assert actions[0] == ("rollout.begin", "ann")
    assert actions.count(("rollout.direct", "hub")) == 8
    assert actions[-1] == ("rollout.finish", "hub")
    assert audit.verify(fleet.database) is None
    node = next(iter(fleet.rooms))
    assert fleet.rollouts.ran(node, "pose", fleet.clock.now()).release == FIRST
    assert fleet.rollouts.ran(node, "pose", state.started_at).release is None


def test_a_room_s_desired_twin_carries_the_version_of_what_it_is_told(fleet: Fleet) -> None:
    begin(fleet)
    (first, *_) = fleet.engine.tick().signed
    with fleet.database.read() as transaction:
        row = transaction.get_one(RoomDirector, first)
    assert row.version == fleet.site.catalogue.director(first).targets_version
    assert fleet.engine.tick().signed == ()


def test_withdrawing_sends_every_room_back_to_what_it_had_whatever_is_locked(fleet: Fleet) -> None:
    give(fleet, FIRST)
    fleet.publish("2.0.0")
    rollout = begin(fleet, SECOND)
    fleet.passes(12, step_minutes=60)
    tried = fleet.serving(SECOND)
    assert tried
    fleet.rollouts.lock(next(iter(tried)), fleet.clock.now() + timedelta(hours=100), account="cho")
    fleet.rollouts.withdraw(rollout, account="ann", why="the ward is not content")
    fleet.engine.tick()
    assert set(told(fleet).values()) == {FIRST}
    fleet.passes(36, step_minutes=180)
    state = fleet.rollouts.state(rollout)
    assert (state.state, state.reason, state.changed_by) == ("withdrawn", "the ward is not content", "ann")
    assert fleet.serving(FIRST) == set(fleet.rooms)
    assert state.counts.keys() <= {"planned", "returned"}
    with pytest.raises(ReleaseError):
        fleet.rollouts.withdraw(rollout, account="ann", why="again")


def test_rooms_that_had_no_release_go_back_to_the_model_that_came_with_them(fleet: Fleet) -> None:
    rollout = give(fleet, FIRST)
    fleet.rollouts.withdraw(rollout, account="ann", why="not well")
    fleet.engine.tick()
    assert told(fleet) == dict.fromkeys(fleet.rooms)
    fleet.passes(36, step_minutes=180)
    assert fleet.serving(None) == set(fleet.rooms)


def test_an_earlier_release_is_back_in_every_room_by_one_command(fleet: Fleet) -> None:
    give(fleet, FIRST)
    fleet.publish("2.0.0")
    give(fleet, SECOND)
    lines = RolloutCommands(fleet.rollouts, fleet.clock, fleet.engine._zone).run(  # noqa: SLF001 (the site's zone)
        "start", {"target": FIRST, "why": "known to be well", "rings": "100", "soak": "0"}
    )
    fleet.engine.tick()
    assert set(told(fleet).values()) == {FIRST}, "it did well here, so all rooms are told at once"
    fleet.passes(12, step_minutes=60)
    assert fleet.serving(FIRST) == set(fleet.rooms)
    assert lines[0]["rings"] == [100]


def test_a_paused_roll_out_tells_no_further_room_and_goes_on_when_it_is_resumed(fleet: Fleet) -> None:
    rollout = begin(fleet)
    fleet.engine.tick()
    before = told(fleet)
    fleet.rollouts.pause(rollout, account="ann", why="a party")
    fleet.passes(24 * 8, step_minutes=360)
    assert told(fleet) == before
    assert fleet.rollouts.state(rollout).counts["kept"] == len(before), "what rooms do is noted all the same"
    with pytest.raises(ReleaseError):
        fleet.rollouts.pause(rollout, account="ann")
    fleet.rollouts.resume(rollout, account="ann")
    goes_on(fleet, rollout)


def test_stopped_it_tells_no_further_room_and_those_that_have_the_release_keep_it(fleet: Fleet) -> None:
    rollout = begin(fleet)
    fleet.passes(12, step_minutes=60)
    having = fleet.serving(FIRST)
    assert having
    fleet.rollouts.stop(rollout, account="ann", why="enough")
    fleet.passes(24 * 8, step_minutes=360)
    assert fleet.serving(FIRST) == having
    assert fleet.rollouts.state(rollout).is_final
    with pytest.raises(ReleaseError):
        fleet.rollouts.resume(rollout, account="ann")
    fleet.rollouts.withdraw(rollout, account="ann", why="after all")
    fleet.passes(36, step_minutes=180)
    assert not fleet.serving(FIRST)


def test_a_bad_release_is_withdrawn_unaided_also_while_it_is_paused(tmp_path: Path, made: Path) -> None:
    for fleet in a_fleet(tmp_path, made, first=Behaviour(latency=2, fails=0)):
        rollout = begin(fleet)
        fleet.engine.tick()
        fleet.rollouts.pause(rollout, account="ann")
        state = goes_on(fleet, rollout, "withdrawn", hours=72)
        assert state.changed_by == "hub"
        assert state.reason is not None
        assert "latency" in state.reason
        assert state.found[0].finding == "bad"


@pytest.mark.parametrize(
    ("behaviour", "measure"),
    [(Behaviour(alerts=3), "false-alerts"), (Behaviour(golden_wrong_on=frozenset({"pi-5"})), "golden")],
)
def test_a_release_that_calls_staff_for_nothing_or_fails_on_one_machine_never_reaches_the_second_ring(
    tmp_path: Path, made: Path, behaviour: Behaviour, measure: str
) -> None:
    for fleet in a_fleet(tmp_path, made, rooms=30, first=behaviour):
        rollout = begin(fleet, rings=(10, 100), soak_hours=24.0)
        state = goes_on(fleet, rollout, "withdrawn")
        assert state.rings[1].state == "waiting"
        assert state.reason is not None
        assert state.reason.startswith(measure)


def test_rooms_are_told_only_in_the_window_and_a_locked_room_after_its_lock(fleet: Fleet) -> None:
    now = fleet.clock.now()
    locked = sorted(fleet.rooms)[:3]
    for node in locked:
        fleet.rollouts.lock(node, now + timedelta(days=5), account="cho")
    opens = (now + timedelta(hours=5)).strftime("%H:00")
    closes = (now + timedelta(hours=11)).strftime("%H:00")
    rollout = begin(fleet, window=window_of(f"{opens}-{closes}"))
    fleet.passes(3, step_minutes=60)
    assert fleet.rollouts.state(rollout).rings[0].waits_for == "window"
    assert not told(fleet)
    fleet.passes(4, step_minutes=60)
    assert told(fleet)
    assert not set(told(fleet)) & set(locked)
    fleet.passes(24 * 12, step_minutes=240)
    assert set(told(fleet)) == set(fleet.rooms), "a lock has an end"
    assert not fleet.rollouts.locks()


def test_a_lock_before_the_room_has_taken_the_release_takes_the_order_back(fleet: Fleet) -> None:
    rollout = begin(fleet)
    fleet.engine.tick()
    node = min(told(fleet))
    fleet.rollouts.lock(node, fleet.clock.now() + timedelta(hours=5), account="cho")
    fleet.engine.tick()
    assert told(fleet)[node] is None
    assert next(each for each in fleet.rollouts.state(rollout).rings[0].rooms if each.node == node).state == "planned"
    fleet.rollouts.lock(node, None, account="cho")
    fleet.engine.tick()
    assert told(fleet)[node] == FIRST
    for until in (fleet.clock.now(), fleet.clock.now() + timedelta(days=8)):
        with pytest.raises(ReleaseError):
            fleet.rollouts.lock(node, until, account="cho")
    with pytest.raises(NotFoundError):
        fleet.rollouts.lock("nowhere", fleet.clock.now() + timedelta(hours=1), account="cho")


def test_a_roll_out_reaches_the_rooms_of_its_groups_and_machines_alone(fleet: Fleet) -> None:
    with fleet.database.begin() as transaction:
        transaction.add(Ward(id="w-1", name="One"))
        transaction.flush()
        transaction.add(Bed(id="b-1", ward="w-1", name="1", node="room-1"))
    fleet.rollouts.set_group("canaries", ["room-2", "room-3"], account="ann")
    assert fleet.rollouts.groups() == {"canaries": ["room-2", "room-3"], "ward:w-1": ["room-1"]}
    machine = fleet.rooms["room-2"].hardware
    fleet.publish("2.0.0", hardware=[machine])
    rollout = begin(fleet, SECOND, groups=("canaries", "ward:w-1"))
    state = fleet.rollouts.state(rollout)
    reached = {room.node for ring in state.rings for room in ring.rooms}
    assert reached == {name for name in ("room-1", "room-2", "room-3") if fleet.rooms[name].hardware == machine}
    assert {room.node for room in state.left_out} | reached == {"room-1", "room-2", "room-3"}
    with pytest.raises(ReleaseError, match="under way"):
        begin(fleet, FIRST)
    with pytest.raises(NotFoundError):
        begin(fleet, groups=("nobody",))
    fleet.rollouts.set_group("canaries", [], account="ann")
    assert "canaries" not in fleet.rollouts.groups()
    with pytest.raises(NotFoundError):
        fleet.rollouts.set_group("canaries", [], account="ann")


def test_what_cannot_be_started_is_refused_and_leaves_nothing(fleet: Fleet) -> None:
    for wrong in ({"target": "other-1.0.0.tar"}, {"rings": (5, 50)}, {"why": " "}, {"soak_hours": -1.0}):
        with pytest.raises(ReleaseError):
            begin(fleet, **{"target": FIRST, **wrong})  # type: ignore[arg-type]
    assert not fleet.rollouts.all()
    give(fleet, FIRST)
    with pytest.raises(ReleaseError, match="they have it"):
        begin(fleet)
    with pytest.raises(NotFoundError):
        fleet.rollouts.state("none")


def test_a_hub_that_ends_before_it_has_signed_signs_when_it_starts_again(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(fleet)

    def die(*_: object) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(fleet.site.catalogue, "direct", die)
        assert fleet.engine.tick().signed == ()
        assert fleet.engine.unsigned == 3
    fleet.restart()
    assert len(fleet.engine.tick().signed) == 3
    assert len(told(fleet)) == 3


def test_what_holds_for_a_day_is_signed_anew_while_something_waits_for_approval(fleet: Fleet) -> None:
    begin(fleet)
    fleet.engine.tick()
    fleet.site.catalogue.withdraw(FIRST)
    stamp = fleet.site.folder / "images" / "metadata" / "timestamp.json"
    before = json.loads(stamp.read_bytes())["signed"]["expires"]
    fleet.clock.advance(7 * 3600)
    fleet.engine.tick()
    assert json.loads(stamp.read_bytes())["signed"]["expires"] > before
    assert FIRST in fleet.site.catalogue.images.targets()


STEPS = st.lists(
    st.sampled_from(["live", "live", "live", "tick", "tick", "restart", "pause", "resume", "lock", "unlock", "day"]),
    min_size=5,
    max_size=25,
)


@settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(STEPS, st.sampled_from(["stop", "withdraw"]), st.sampled_from([GOOD, Behaviour(fails=0.5)]))
def test_in_whatever_order_things_happen_no_room_is_told_beyond_its_ring_or_after_the_end(
    tmp_path_factory: pytest.TempPathFactory, made: Path, steps: list[str], ending: str, behaviour: Behaviour
) -> None:
    for fleet in a_fleet(tmp_path_factory.mktemp("fleet"), made, rooms=5, first=behaviour):
        rollout = begin(fleet, rings=(20, 60, 100), soak_hours=0.0)
        for step in steps:
            _do(fleet, rollout, step)
            _hold(fleet, rollout)
        state = fleet.rollouts.state(rollout)
        if state.state in {"running", "paused"}:
            getattr(fleet.rollouts, ending)(rollout, account="ann", why="over")
        fleet.engine.tick()
        after = told(fleet)
        fleet.restart()
        fleet.passes(48, step_minutes=240)
        _hold(fleet, rollout)
        final = fleet.rollouts.state(rollout)
        if final.state == "withdrawn":
            assert not any(told(fleet).values()), "every room is told to go back"
            assert not fleet.serving(FIRST)
        elif final.state == "stopped":
            assert {node for node, target in told(fleet).items() if target} <= {
                node for node, target in after.items() if target
            }


def _do(fleet: Fleet, rollout: str, step: str) -> None:
    node = fleet.random.choice(sorted(fleet.rooms))
    match step:
        case "live":
            fleet.clock.advance(3600)
            fleet.live(1)
        case "day":
            fleet.clock.advance(86_400)
            fleet.live(1)
        case "tick":
            fleet.engine.tick()
        case "restart":
            fleet.restart()
        case "lock":
            fleet.rollouts.lock(node, fleet.clock.now() + timedelta(hours=9), account="cho")
        case "unlock":
            fleet.rollouts.lock(node, None, account="cho")
        case _:
            wanted = "running" if step == "pause" else "paused"
            if fleet.rollouts.state(rollout).state == wanted:
                getattr(fleet.rollouts, step)(rollout, account="ann")


def _hold(fleet: Fleet, rollout: str) -> None:
    """What must hold at every moment."""
    state = fleet.rollouts.state(rollout)
    opened = {room.node for ring in state.rings if ring.state != "waiting" for room in ring.rooms}
    wanted = {node for node, target in told(fleet).items() if target == FIRST}
    assert wanted <= opened, "no room beyond its ring"
    with fleet.database.read() as transaction:
        wishes = {wish.node: wish.target for wish in transaction.scalars(select(RoomWish))}
    for ring in state.rings:
        for room in ring.rooms:
            if room.state in {"failed", "returning", "returned"}:
                assert wishes.get(room.node) is None, "what failed or was taken back is wished for no more"
