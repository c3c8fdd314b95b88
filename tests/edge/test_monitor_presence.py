"""Who is in the room and who went: leaving, staying away, getting up alone, and strangers at night."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.fakes.days.actor import Actor
from tests.fakes.looks import DAY_S, NIGHT_S, Stage, judged, steps

from forge_edge.monitor.looks import Look
from forge_shared.plan import Watch

SEEDS = (1, 2, 3, 4)
BED_M, EDGE_M = 0.62, 0.6
LEGS_FARTHER = 0.1
"""Depth of the legs with which who sits on the edge of a bed seems to stand."""
EVENING_S = 21 * 3600.0


def watch(*kinds: str, absent: float = 30.0, visitor: float = 3.0) -> Watch:
    return Watch.model_validate({"kinds": kinds, "absent_minutes": absent, "visitor_minutes": visitor})


def patient(stage: Stage, posture: str = "stand", place: str = "window", z: float | None = None) -> Actor:
    somebody = stage.somebody(place)
    somebody.take(posture, 0.1, z=z)
    return somebody


def in_bed(stage: Stage) -> Actor:
    return patient(stage, "supine", "bed", BED_M)


def goes_out(somebody: Actor, stage: Stage, door: str = "door") -> None:
    beyond = {"door": "door_out", "bathroom_door": "bathroom"}[door]
    somebody.walk(stage.room.places[door])
    somebody.walk(stage.room.places[beyond])


def gets_up(somebody: Actor, stage: Stage) -> None:
    somebody.take("edge", 2.4, at=stage.room.places["edge"], z=EDGE_M)
    somebody.wait(2, "awake")
    somebody.take("stand", 1.8, at=stage.room.places["bedside"])


@pytest.mark.parametrize("seed", SEEDS)
def test_who_goes_out_by_the_door_has_left_the_room(seed: int) -> None:
    stage = Stage(seed)
    somebody = patient(stage)
    somebody.wait(5, "awake")
    goes_out(somebody, stage)
    went_s = somebody.now
    found = judged(stage.looks(went_s + 20), stage.zones, watch("left_room"))
    assert [(finding.kind, finding.stage, finding.zone) for finding in found] == [("left_room", "confirmed", "door")]
    assert found[0].at_s < went_s + 15


@pytest.mark.parametrize("seed", SEEDS)
def test_who_comes_back_ends_it(seed: int) -> None:
    stage = Stage(seed)
    somebody = patient(stage)
    goes_out(somebody, stage)
    somebody.away(30, stage.room.places["door_out"])
    somebody.walk(stage.room.places["centre"])
    somebody.wait(10, "awake")
    found = judged(stage.looks(somebody.now), stage.zones, watch("left_room"))
    assert [(finding.stage, finding.incident) for finding in found] == [("confirmed", 1), ("over", 1)]


def test_who_is_not_seen_any_more_and_was_not_at_a_door_has_not_left() -> None:
    stage = Stage()
    somebody = patient(stage, place="centre")
    somebody.wait(10, "awake")
    assert judged(stage.looks(200), stage.zones, watch("left_room", "absent_long", absent=1)) == []


def test_who_goes_while_another_stays_leaves_no_empty_room() -> None:
    stage = Stage()
    visitor, somebody = patient(stage, place="centre"), patient(stage)
    visitor.wait(5, "awake")
    goes_out(visitor, stage)
    somebody.wait(80, "awake")
    assert judged(stage.looks(70), stage.zones, watch("left_room")) == []


@pytest.mark.parametrize("door", ["door", "bathroom_door"])
def test_who_stays_away_too_long_is_missed_by_whichever_door_they_went(door: str) -> None:
    stage = Stage()
    somebody = patient(stage)
    goes_out(somebody, stage, door)
    went_s = somebody.now
    found = judged(stage.looks(went_s + 150), stage.zones, watch("absent_long", absent=2))
    assert [(finding.stage, finding.zone) for finding in found] == [("confirmed", door)]
    assert went_s + 110 < found[0].at_s < went_s + 135


def test_the_bathroom_is_part_of_the_stay_for_as_long_as_is_agreed() -> None:
    stage = Stage()
    somebody = patient(stage)
    goes_out(somebody, stage, "bathroom_door")
    somebody.away(100, stage.room.places["bathroom"])
    somebody.walk(stage.room.places["window"])
    somebody.wait(10, "awake")
    kinds = watch("left_room", "absent_long", absent=3)
    assert judged(stage.looks(somebody.now), stage.zones, kinds) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_who_gets_up_alone_at_night_is_told_and_going_back_to_bed_ends_it(seed: int) -> None:
    stage = Stage(seed)
    somebody = in_bed(stage)
    somebody.wait(60, "sleep")
    gets_up(somebody, stage)
    up_s = somebody.now
    somebody.walk(stage.room.places["window"])
    somebody.wait(20, "awake")
    somebody.walk(stage.room.places["bedside"])
    somebody.take("edge", 2, at=stage.room.places["edge"], z=EDGE_M)
    somebody.take("supine", 3, at=stage.room.places["bed"], z=BED_M)
    somebody.wait(20, "awake")
    found = judged(stage.looks(somebody.now, day_s=NIGHT_S), stage.zones, watch("bed_exit"))
    assert [(finding.stage, finding.zone) for finding in found] == [("confirmed", "bed"), ("over", "bed")]
    assert found[0].at_s < up_s + 6


def test_who_gets_up_by_day_is_told_to_nobody() -> None:
    stage = Stage()
    somebody = in_bed(stage)
    somebody.wait(60, "sleep")
    gets_up(somebody, stage)
    somebody.wait(60, "awake")
    assert judged(stage.looks(somebody.now), stage.zones, watch("bed_exit")) == []


def test_who_gets_up_with_a_nurse_is_not_alone() -> None:
    stage = Stage()
    somebody = in_bed(stage)
    nurse = stage.somebody("door_out", 30)
    nurse.walk(stage.room.places["door"])
    nurse.walk(stage.room.places["window"])
    nurse.wait(90, "busy")
    somebody.wait(50, "sleep")
    gets_up(somebody, stage)
    somebody.wait(40, "awake")
    assert steps(judged(stage.looks(85, day_s=NIGHT_S), stage.zones), "bed_exit") == []


@pytest.mark.parametrize("seed", SEEDS)
def test_who_sits_on_the_edge_of_the_bed_alone_may_be_about_to_get_up(seed: int) -> None:
    stage = Stage(seed)
    somebody = in_bed(stage)
    somebody.wait(30, "sleep")
    somebody.take("edge", 2.4, at=stage.room.places["edge"], z=EDGE_M)
    sits_s = somebody.now
    somebody.wait(20, "awake")
    somebody.take("supine", 3, at=stage.room.places["bed"], z=BED_M)
    somebody.wait(20, "awake")
    found = judged(stage.looks(somebody.now, day_s=NIGHT_S), stage.zones, watch("bed_edge"))
    assert [finding.stage for finding in found] == ["suspected", "over"]
    assert found[0].at_s < sits_s + 7


def sits_up(somebody: Actor, stage: Stage, *, for_s: float) -> None:
    somebody.take("edge", 2.4, at=stage.room.places["edge"], z=EDGE_M)
    somebody.wait(for_s, "awake")
    somebody.take("supine", 3, at=stage.room.places["bed"], z=BED_M)
    somebody.wait(30, "sleep")


@pytest.mark.parametrize("day_s", [DAY_S, EVENING_S])
def test_who_sits_on_the_edge_of_the_bed_by_day_is_told_to_nobody(day_s: float) -> None:
    stage = Stage()
    somebody = in_bed(stage)
    somebody.wait(30, "sleep")
    sits_up(somebody, stage, for_s=60)
    assert judged(stage.looks(somebody.now, day_s=day_s), stage.zones, watch("bed_edge", "bed_exit")) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_who_goes_to_bed_and_seems_to_lie_for_a_moment_is_not_getting_up(seed: int) -> None:
    stage = Stage(seed)
    somebody = patient(stage)
    somebody.walk(stage.room.places["bedside"])
    somebody.take("edge", 2.5, at=stage.room.places["edge"], z=EDGE_M)
    sits_s = somebody.now
    somebody.wait(25, "awake")
    somebody.take("supine", 3.5, at=stage.room.places["bed"], z=BED_M)
    somebody.wait(60, "sleep")
    lies_s = somebody.now
    sits_up(somebody, stage, for_s=15)
    looks = stage.looks(somebody.now, day_s=NIGHT_S)
    lying = next(look.people for look in looks if look.at_s > lies_s - 10)
    trembling = [
        replace(look, people=lying) if any(0 < look.at_s - sits_s - after_s < 0.6 for after_s in (2, 12)) else look
        for look in looks
    ]
    found = judged(trembling, stage.zones, watch("bed_edge"))
    assert [finding.stage for finding in found] == ["suspected", "over"]
    assert found[0].at_s > lies_s, "that they sit up later is told"


@pytest.mark.parametrize("seed", SEEDS)
def test_who_sits_up_after_a_cover_hid_them_for_minutes_is_told(seed: int) -> None:
    stage = Stage(seed)
    somebody = in_bed(stage)
    somebody.wait(300, "sleep")
    sits_s = somebody.now
    sits_up(somebody, stage, for_s=15)
    looks = stage.looks(somebody.now, day_s=NIGHT_S)
    hidden = [replace(look, people=()) if 60 < look.at_s < sits_s - 3 else look for look in looks]
    found = judged(hidden, stage.zones, watch("bed_edge"))
    assert [finding.stage for finding in found] == ["suspected", "over"]


def test_who_sits_up_anew_after_somebody_was_with_them_is_told_anew() -> None:
    stage = Stage()
    somebody = in_bed(stage)
    somebody.wait(30, "sleep")
    somebody.take("edge", 2.4, at=stage.room.places["edge"], z=EDGE_M)
    somebody.wait(12, "awake")
    nurse = stage.somebody("door_out", somebody.now)
    nurse.walk(stage.room.places["door"])
    nurse.walk(stage.room.places["centre"])
    somebody.wait_until(nurse.now + 5, "awake")
    somebody.take("supine", 3, at=stage.room.places["bed"], z=BED_M)
    nurse.wait_until(somebody.now, "busy")
    goes_out(nurse, stage)
    somebody.wait_until(nurse.now + 90, "sleep")
    sits_up(somebody, stage, for_s=15)
    found = judged(stage.looks(somebody.now, day_s=NIGHT_S), stage.zones, watch("bed_edge"))
    assert [finding.stage for finding in found] == ["suspected", "over"] * 2


def round_of(stage: Stage, *, stays_s: float) -> None:
    sleeps = in_bed(stage)
    nurse = stage.somebody("door_out", 40)
    nurse.walk(stage.room.places["door"])
    nurse.walk(stage.room.places["bedside"])
    nurse.wait(stays_s, "busy")
    nurse.walk(stage.room.places["door"])
    nurse.walk(stage.room.places["door_out"])
    sleeps.wait(nurse.now + 60, "sleep")


def test_a_round_of_the_night_nurse_is_no_stranger() -> None:
    stage = Stage()
    round_of(stage, stays_s=60)
    found = judged(stage.looks(180, day_s=NIGHT_S), stage.zones, watch("extra_person", "bed_exit"))
    assert found == []


@pytest.mark.parametrize("seed", SEEDS)
def test_somebody_who_stays_at_night_is_told_and_ends_with_their_going(seed: int) -> None:
    stage = Stage(seed)
    round_of(stage, stays_s=260)
    found = judged(stage.looks(400, day_s=NIGHT_S, hz=5), stage.zones, watch("extra_person"))
    assert [finding.stage for finding in found] == ["confirmed", "over"]
    assert 40 + 180 - 5 < found[0].at_s < 40 + 180 + 20


def test_a_visit_by_day_is_no_stranger() -> None:
    stage = Stage()
    round_of(stage, stays_s=260)
    assert judged(stage.looks(400, day_s=EVENING_S, hz=5), stage.zones, watch("extra_person")) == []


def test_without_zones_nobody_knows_where_a_door_is() -> None:
    stage = Stage()
    somebody = patient(stage)
    goes_out(somebody, stage)
    undrawn = type(stage.zones)({})
    assert judged(stage.looks(somebody.now + 60), undrawn) == []


def test_who_stood_by_while_somebody_lay_in_bed_does_not_get_up_from_it_though_a_cover_hides_who_does() -> None:
    stage = Stage()
    in_bed(stage).wait(400, "sleep")
    stranger = stage.somebody("foot")
    stranger.wait(300, "awake")
    stranger.walk(stage.room.places["centre"])
    stranger.wait(20, "awake")
    looks = [
        look if look.at_s < 60 else replace(look, people=look.people[1:])
        for look in stage.looks(stranger.now, day_s=NIGHT_S)
    ]
    assert steps(judged(looks, stage.zones, watch("bed_exit")), "bed_exit") == []


def test_a_stranger_who_goes_leaves_the_sleeper_behind_whom_a_cover_hid_for_minutes() -> None:
    stage = Stage()
    in_bed(stage).wait(400, "sleep")
    stranger = stage.somebody("door_out", 60)
    stranger.walk(stage.room.places["door"])
    stranger.walk(stage.room.places["centre"])
    stranger.wait(200, "awake")
    goes_out(stranger, stage)
    looks = [
        look if look.at_s < 50 else replace(look, people=look.people[1:])
        for look in stage.looks(stranger.now + 30, day_s=NIGHT_S)
    ]
    assert judged(looks, stage.zones, watch("left_room")) == []


@pytest.mark.parametrize("seed", [1, 3, 5])
def test_who_lies_still_has_not_sat_up_whatever_the_depth_says(seed: int) -> None:
    stage = Stage(seed)
    in_bed(stage).wait(120, "awake")
    upright = np.zeros(33, np.float32)
    trembling = [_with_depth(look, upright) if look.at_s > 100 else look for look in stage.looks(120, day_s=NIGHT_S)]
    assert judged(trembling, stage.zones, watch("bed_edge")) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_who_sits_still_on_the_edge_of_the_bed_has_not_got_up_whatever_the_depth_says(seed: int) -> None:
    stage = Stage(seed)
    somebody = in_bed(stage)
    somebody.wait(60, "sleep")
    somebody.take("edge", 2.4, at=stage.room.places["edge"], z=EDGE_M)
    somebody.wait(60, "awake")
    looks = stage.looks(120, day_s=NIGHT_S)
    sitting = looks[-1].people[0][:, 2].copy()
    sitting[25:29] += LEGS_FARTHER
    trembling = [_with_depth(look, sitting) if look.at_s > 100 else look for look in looks]
    assert judged(trembling, stage.zones, watch("bed_exit")) == []


def _with_depth(look: Look, depth: NDArray[np.float32]) -> Look:
    seen = look.people[0].copy()
    seen[:, 2] = depth
    return replace(look, people=(seen,))
