"""What goes wrong around roll-outs: rooms that stay away, releases that go, rows and files that cannot be read."""

import asyncio
import contextlib
from collections.abc import Iterator
from datetime import UTC, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, select, text
from structlog.testing import capture_logs
from tests.fakes.fleet import Behaviour, Fleet
from tests.fakes.fleet_rollouts import FIRST, SECOND, a_fleet, an_alert, begin, give, says, told, withdraw_from_site

from forge_hub.errors import ReleaseError
from forge_hub.records.database import open_database
from forge_hub.records.schema import Rollout, RolloutRoom, RoomRelease
from forge_hub.releases.service import RolloutService
from forge_hub.releases.verdict_reading import read_evidence


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store whose tables are made, to be copied."""
    path = tmp_path_factory.mktemp("made") / "records.db"
    open_database(f"sqlite:///{path}").close()
    return path


@pytest.fixture
def fleet(tmp_path: Path, made: Path) -> Iterator[Fleet]:
    yield from a_fleet(tmp_path, made)


def test_a_room_that_went_back_to_a_release_leaves_that_one_too_when_it_is_withdrawn(fleet: Fleet) -> None:
    first = give(fleet, FIRST)
    fleet.publish("2.0.0")
    second = begin(fleet, SECOND)
    fleet.passes(12, step_minutes=60)
    assert fleet.serving(SECOND)
    fleet.rollouts.withdraw(second, account="ann", why="not well")
    fleet.passes(12, step_minutes=120, until=lambda: fleet.serving(FIRST) == set(fleet.rooms))
    fleet.rollouts.withdraw(first, account="ann", why="nor this one")
    fleet.passes(36, step_minutes=180)
    assert fleet.serving(None) == set(fleet.rooms)
    assert fleet.rollouts.state(first).counts == {"returned": 8}


def test_a_room_that_a_later_roll_out_gave_the_same_release_again_keeps_it(fleet: Fleet) -> None:
    first = give(fleet, FIRST)
    fleet.publish("2.0.0")
    give(fleet, SECOND)
    give(fleet, FIRST)
    fleet.rollouts.withdraw(first, account="ann", why="the first try")
    fleet.engine.tick()
    assert set(told(fleet).values()) == {FIRST}


def test_what_a_room_raised_while_it_was_out_of_touch_counts_no_more_than_the_time(fleet: Fleet) -> None:
    rollout = begin(fleet, rings=(100,))
    fleet.passes(12, step_minutes=60)
    node = min(fleet.serving(FIRST))
    with fleet.database.begin() as transaction:
        served = transaction.get_one(RolloutRoom, (rollout, node)).serves_since
        assert served is not None
        begins = served - timedelta(minutes=5)
        transaction.add(an_alert("away", node, begins, kind="monitoring-lost", closed_at=None))
        transaction.add_all(an_alert(f"late-{hour}", node, begins + timedelta(hours=hour)) for hour in range(1, 5))
    fleet.clock.advance(6 * 3600)
    with fleet.database.read() as transaction:
        row = transaction.get_one(Rollout, rollout)
        rooms = transaction.scalars(select(RolloutRoom).where(RolloutRoom.rollout == rollout)).all()
        evidence = read_evidence(transaction, row, "pose", rooms, fleet.clock.now())
    (alerts,) = [each.alerts for each in evidence.tried if each.node == node]
    assert alerts is not None
    assert (alerts.hours, alerts.alerts) == (0.0, 0)


def test_a_roll_out_that_cannot_be_read_holds_no_other_roll_out_and_ends_nothing(fleet: Fleet) -> None:
    fleet.rollouts.set_group("one", ["room-1"], account="ann")
    fleet.rollouts.set_group("other", ["room-2"], account="ann")
    broken, whole = (begin(fleet, groups=(group,), rings=(100,)) for group in ("one", "other"))
    with fleet.database.begin() as transaction:
        plan = transaction.get_one(Rollout, broken).plan
        transaction.get_one(Rollout, broken).plan = {"shares": "all of them"}
    assert fleet.engine.tick().signed == ("room-2",)
    assert fleet.engine.failing == 1
    with fleet.database.begin() as transaction:
        transaction.get_one(Rollout, broken).plan = plan
    assert fleet.engine.tick().signed == ("room-1",)
    assert fleet.engine.failing == 0
    assert fleet.rollouts.state(whole).counts == {"directed": 1}


@pytest.mark.parametrize("table", ["rollout", "rollout_room"])
def test_a_roll_out_that_the_store_refuses_holds_no_other_up_and_is_tried_again_at_the_next_look(
    fleet: Fleet, table: str
) -> None:
    fleet.rollouts.set_group("one", ["room-1"], account="ann")
    fleet.rollouts.set_group("other", ["room-2"], account="ann")
    broken, whole = (begin(fleet, groups=(group,), rings=(100,)) for group in ("one", "other"))
    assert broken < whole, "it comes first"
    of = "id" if table == "rollout" else "rollout"
    with fleet.database.begin() as transaction:
        refusal = f"WHEN NEW.{of} = '{broken}' BEGIN SELECT RAISE(ABORT, 'what a person wrote'); END"
        transaction.execute(text(f"CREATE TRIGGER refuse BEFORE UPDATE ON {table} {refusal}"))
    with capture_logs() as logged:
        assert fleet.engine.tick().signed == ("room-2",)
        fleet.engine.tick()
    assert (fleet.engine.failing, fleet.engine.trouble) == (1, "records.failed")
    (line,) = [each for each in logged if each["log_level"] == "error"]
    assert (line["event"], line["rollout"]) == ("rollout.failing", broken), "said once, with nothing that was written"
    with fleet.database.begin() as transaction:
        transaction.execute(text("DROP TRIGGER refuse"))
    with capture_logs() as logged:
        assert fleet.engine.tick().signed == ("room-1",), "at once, and not when figures are due again"
    assert [each["event"] for each in logged] == ["rollout.ring-opened", "rollout.recovered"]
    assert fleet.engine.failing == 0


def test_a_bad_release_whose_withdrawal_the_store_refused_is_withdrawn_at_the_next_look(fleet: Fleet) -> None:
    fleet.behaviours[FIRST] = Behaviour(latency=2, fails=0)
    rollout = begin(fleet)
    with fleet.database.begin() as transaction:
        refusal = "WHEN NEW.state = 'withdrawn' BEGIN SELECT RAISE(ABORT, 'not now'); END"
        transaction.execute(text(f"CREATE TRIGGER refuse BEFORE UPDATE ON rollout {refusal}"))
    assert fleet.passes(72, step_minutes=60, until=lambda: fleet.engine.failing == 1)
    with fleet.database.begin() as transaction:
        transaction.execute(text("DROP TRIGGER refuse"))
    fleet.engine.tick()
    assert fleet.rollouts.state(rollout).state == "withdrawn"


async def test_a_hub_whose_releases_cannot_be_read_goes_on_and_says_so(fleet: Fleet, tmp_path: Path) -> None:
    begin(fleet)
    newest = fleet.site.folder / "images" / "metadata" / "1.targets.json"
    whole = newest.read_bytes()
    newest.write_bytes(b"half")

    async def tell() -> None:
        return None

    service = RolloutService(fleet.database, tmp_path, fleet.clock, zone=UTC, tell=tell)
    running = asyncio.create_task(service.run())
    async with asyncio.timeout(20):
        while service.state == "ok":
            await asyncio.sleep(0.01)
        newest.write_bytes(whole)
        while service.state != "ok":
            await asyncio.sleep(0.01)
    assert not running.done()
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


def test_a_room_that_refused_a_release_before_fails_in_the_next_roll_out_too(fleet: Fleet) -> None:
    fleet.rollouts.set_group("one", ["room-1"], account="ann")
    rollout = begin(fleet, groups=("one",), rings=(100,))
    fleet.engine.tick()
    fleet.clock.advance(60)
    said = {"role": "pose", "state": "refused", "next": FIRST, "reason": "golden-differs"}
    says(fleet, "room-1", {**said, "rollout": "another"})
    fleet.engine.tick()
    assert fleet.rollouts.state(rollout).counts == {"directed": 1}
    says(fleet, "room-1", {**said, "rollout": rollout})
    fleet.engine.tick()
    assert fleet.rollouts.state(rollout).counts == {"failed": 1}


def test_a_room_that_never_took_a_release_does_not_stay_on_its_way_back(fleet: Fleet) -> None:
    fleet.rollouts.set_group("one", ["room-1"], account="ann")
    rollout = begin(fleet, groups=("one",), rings=(100,))
    fleet.engine.tick()
    with fleet.database.begin() as transaction:
        transaction.execute(delete(RoomRelease))  # it never had one, so it never said anything of one
    fleet.clock.advance(60)
    fleet.rollouts.stop(rollout, account="ann", why="enough")
    fleet.engine.tick()
    assert fleet.rollouts.state(rollout).counts == {"returning": 1}
    fleet.clock.advance(60)
    says(fleet, "room-1")
    fleet.engine.tick()
    assert fleet.rollouts.state(rollout).counts == {"returned": 1}


def test_a_release_that_came_back_is_not_what_its_rooms_go_back_to_when_it_is_withdrawn(fleet: Fleet) -> None:
    give(fleet, FIRST)
    fleet.publish("2.0.0")
    second, again = give(fleet, SECOND), give(fleet, FIRST)
    fleet.rollouts.withdraw(second, account="ann", why="not well")
    fleet.rollouts.withdraw(again, account="ann", why="nor this one")
    fleet.engine.tick()
    assert told(fleet) == dict.fromkeys(fleet.rooms)


def test_a_roll_out_whose_release_the_site_s_people_withdraw_ends_and_sends_its_rooms_back(fleet: Fleet) -> None:
    give(fleet, FIRST)
    fleet.publish("2.0.0")
    rollout = begin(fleet, SECOND)
    fleet.passes(12, step_minutes=60)
    assert fleet.serving(SECOND)
    fleet.rollouts.pause(rollout, account="ann")
    withdraw_from_site(fleet, SECOND)
    fleet.engine.tick()
    state = fleet.rollouts.state(rollout)
    assert (state.state, state.changed_by) == ("withdrawn", "hub")
    assert set(told(fleet).values()) == {FIRST}
    with pytest.raises(ReleaseError):
        begin(fleet, SECOND)


def test_rooms_go_back_to_what_they_had_also_where_the_store_refused_that_at_first(fleet: Fleet) -> None:
    give(fleet, FIRST)
    fleet.publish("2.0.0")
    rollout = begin(fleet, SECOND)
    fleet.engine.tick()
    given = {node for node, target in told(fleet).items() if target == SECOND}
    assert given
    withdraw_from_site(fleet, SECOND)
    with fleet.database.begin() as transaction:
        refusal = "WHEN NEW.state = 'withdrawn' BEGIN SELECT RAISE(ABORT, 'not now'); END"
        transaction.execute(text(f"CREATE TRIGGER refuse BEFORE UPDATE ON rollout {refusal}"))
    fleet.engine.tick()
    assert fleet.engine.failing == 1
    with fleet.database.begin() as transaction:
        transaction.execute(text("DROP TRIGGER refuse"))
    assert set(fleet.engine.tick().signed) == given
    assert set(told(fleet).values()) == {FIRST}
    assert fleet.rollouts.state(rollout).state == "withdrawn"
    assert fleet.engine.trouble is None


def test_what_the_site_s_people_withdraw_is_named_to_no_room_any_more(fleet: Fleet) -> None:
    give(fleet, FIRST)
    withdraw_from_site(fleet, FIRST)
    assert set(fleet.engine.tick().signed) == set(fleet.rooms)
    assert fleet.engine.tick().signed == (), "once"
    assert told(fleet) == dict.fromkeys(fleet.rooms)
