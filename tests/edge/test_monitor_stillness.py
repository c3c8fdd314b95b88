"""Stillness: who should move and does not, not even as in breath."""

from dataclasses import replace

import numpy as np
import pytest
from tests.fakes.days.actor import Actor
from tests.fakes.looks import DAY_S, NIGHT_S, ROOM, Stage, judged, steps

from forge_edge.monitor.looks import Look
from forge_shared.plan import Watch

CHAIR_M, BED_M = 0.54, 0.62
MINUTES = 5.0
WATCH = Watch(kinds=("immobile",), immobile_minutes=MINUTES)


def on_a_chair(stage: Stage) -> Actor:
    somebody = stage.somebody("chair")
    somebody.take("sit", 0.1, z=CHAIR_M)
    return somebody


def in_bed(stage: Stage) -> Actor:
    somebody = stage.somebody("bed")
    somebody.take("supine", 0.1, z=BED_M)
    return somebody


def trembling(looks: list[Look], seed: int = 1) -> list[Look]:
    """Return the looks with the noise of a network: half a hundredth of a trunk, and now and then a limb astray."""
    chance = np.random.default_rng(seed)
    noisy = []
    for look in looks:
        people = []
        for person in look.people:
            shaken = person.copy()
            shaken[:, :2] += chance.normal(0, 0.0008, (33, 2))
            if chance.random() < 0.03:
                shaken[[13, 15]] += 0.02
            people.append(shaken)
        noisy.append(replace(look, people=tuple(people)))
    return noisy


@pytest.mark.parametrize("hz", [1, 10])
def test_who_does_not_move_on_a_chair_for_the_agreed_time_is_told_once(hz: float) -> None:
    stage = Stage()
    somebody = on_a_chair(stage)
    somebody.wait(60, "busy")
    still_s = somebody.now
    somebody.wait(900, "still")
    found = judged(trembling(stage.looks(still_s + 600, hz=hz)), stage.zones, WATCH)
    assert [(finding.stage, finding.zone) for finding in found] == [("confirmed", "chair")]
    assert still_s + 60 * MINUTES - 30 < found[0].at_s < still_s + 60 * MINUTES + 60


def test_who_moves_again_ends_it() -> None:
    stage = Stage()
    somebody = on_a_chair(stage)
    somebody.wait(400, "still")
    moves_s = somebody.now
    somebody.wait(120, "busy")
    found = judged(stage.looks(somebody.now, hz=2), stage.zones, WATCH)
    assert [finding.stage for finding in found] == ["confirmed", "over"]
    assert moves_s < found[1].at_s < moves_s + 60


@pytest.mark.parametrize("manner", ["awake", "doze", "busy"])
def test_who_moves_a_little_now_and_then_is_no_alarm(manner: str) -> None:
    stage = Stage()
    somebody = on_a_chair(stage)
    somebody.wait(2400, manner)
    usual = Watch()
    assert usual.immobile_minutes == 20
    assert judged(trembling(stage.looks(2400, hz=1)), stage.zones, usual) == []


def test_who_sleeps_in_bed_at_night_is_no_alarm_however_still() -> None:
    stage = Stage()
    somebody = in_bed(stage)
    somebody.wait(1200, "still")
    assert judged(stage.looks(1200, hz=2, day_s=NIGHT_S), stage.zones, WATCH) == []


def test_who_does_not_move_in_bed_by_day_or_on_a_chair_at_night_is_one() -> None:
    for posture, day_s in ((in_bed, DAY_S), (on_a_chair, NIGHT_S)):
        stage = Stage()
        somebody = posture(stage)
        somebody.wait(600, "still")
        found = judged(stage.looks(500, hz=2, day_s=day_s), stage.zones, WATCH)
        assert [finding.stage for finding in found] == ["confirmed"], posture.__name__


def test_of_who_is_hardly_seen_nobody_can_say_that_they_do_not_move() -> None:
    stage = Stage()
    somebody = in_bed(stage)
    somebody.wait(600, "still")
    covered = []
    for look in stage.looks(600, hz=2):
        person = look.people[0].copy()
        person[13:, 3] = 0.2
        covered.append(replace(look, people=(person,)))
    assert judged(covered, stage.zones, WATCH) == []


def test_who_went_is_not_still() -> None:
    stage = Stage()
    somebody = on_a_chair(stage)
    somebody.wait(200, "still")
    assert judged(stage.looks(900, hz=2), stage.zones, WATCH) == []


def test_the_time_is_the_wards() -> None:
    stage = Stage()
    somebody = on_a_chair(stage)
    somebody.wait(600, "still")
    looks = stage.looks(600, hz=2)
    for minutes in (2.0, 7.0):
        watch = WATCH.model_copy(update={"immobile_minutes": minutes})
        [(stage_, at_s)] = steps(judged(looks, stage.zones, watch), "immobile")
        assert stage_ == "confirmed"
        assert 60 * minutes <= at_s < 60 * minutes + 45


def test_two_who_do_not_move_are_two_incidents_and_each_ends_with_its_own() -> None:
    stage = Stage()
    first = on_a_chair(stage)
    first.wait(500, "still")
    moves_s = first.now
    first.wait(120, "busy")
    second = stage.somebody("mat")
    second.take("supine", 0.1)
    second.wait(60, "busy")
    second.wait(700, "still")
    found = judged(trembling(stage.looks(600, hz=1)), stage.zones, WATCH)
    assert [(finding.incident, finding.stage, finding.zone) for finding in found] == [
        (1, "confirmed", "chair"),
        (2, "confirmed", "floor"),
        (1, "over", "chair"),
    ]
    assert found[1].at_s < moves_s < found[2].at_s


def test_who_does_not_move_is_one_incident_though_the_camera_is_covered_meanwhile() -> None:
    stage = Stage()
    somebody = on_a_chair(stage)
    somebody.wait(800, "still")
    moves_s = somebody.now
    somebody.wait(120, "busy")
    looks = [
        replace(look, people=(), measures=replace(ROOM, contrast=4.0, luma=20 + look.at_s % 7))
        if 400 <= look.at_s < 460
        else look
        for look in trembling(stage.looks(somebody.now, hz=1))
    ]
    found = [finding for finding in judged(looks, stage.zones, WATCH) if finding.kind == "immobile"]
    assert [(finding.incident, finding.stage) for finding in found] == [(1, "confirmed"), (1, "over")]
    assert moves_s < found[1].at_s
