"""Falls: suspected at once, confirmed by time or by the voice, one incident each."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.fakes.days.actor import Actor
from tests.fakes.looks import ROOM, Stage, judged, steps

from forge_edge.monitor.findings import Finding
from forge_edge.monitor.looks import Look
from forge_edge.monitor.monitor import Monitor
from forge_edge.monitor.zones import Zones
from forge_shared.plan import Watch

SEEDS = (1, 2, 3, 4)
CHAIR_M, BED_M = 0.54, 0.62
"""How high hips are there."""
TURNED = 0xFFFF_FFFF
"""Half of the bits of a view change when a camera is turned."""


def falls(posture: str = "sideways", seed: int = 3, *, lies_s: float = 40.0) -> tuple[Stage, float]:
    """Return a room in which somebody who stood falls at a second, and lies there."""
    stage = Stage(seed)
    somebody = stage.somebody("near")
    somebody.walk(stage.room.places["mat"])
    somebody.wait(3, "awake")
    fell_s = somebody.now
    somebody.take(posture, 0.8, power=2)
    somebody.wait(lies_s, "hurt")
    return stage, fell_s


def see(monitor: Monitor, looks: list[Look]) -> list[Finding]:
    return [finding for look in looks for finding in monitor.see(look)]


def parted(looks: list[Look], at_s: float) -> tuple[list[Look], list[Look]]:
    return [look for look in looks if look.at_s < at_s], [look for look in looks if look.at_s >= at_s]


@pytest.mark.parametrize("posture", ["supine", "prone", "sideways"])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_fall_from_standing_is_suspected_within_two_seconds_and_confirmed_after_twelve(
    seed: int, posture: str
) -> None:
    stage, fell_s = falls(posture, seed)
    found = judged(stage.looks(fell_s + 40), stage.zones)
    landed_s = fell_s + 0.8
    (suspected, suspected_s), (confirmed, confirmed_s) = steps(found, "fall")
    assert (suspected, confirmed) == ("suspected", "confirmed")
    assert fell_s < suspected_s <= landed_s + 2
    assert 10 <= confirmed_s - suspected_s <= 15
    assert {finding.incident for finding in found} == {1}
    assert {finding.zone for finding in found} == {"floor"}
    assert found[0].confidence < found[1].confidence < 1
    assert fell_s - 2 < found[0].began_s < landed_s


@pytest.mark.parametrize("seed", SEEDS)
def test_who_gets_up_again_has_not_fallen_for_long(seed: int) -> None:
    stage = Stage(seed)
    somebody = stage.somebody("near")
    somebody.walk(stage.room.places["mat"])
    somebody.wait(3, "awake")
    somebody.take("sideways", 0.8, power=2)
    somebody.wait(4, "hurt")
    somebody.take("crouch", 2)
    somebody.take("stand", 1.5)
    somebody.wait(60, "awake")
    found = steps(judged(stage.looks(somebody.now), stage.zones), "fall")
    assert [stage for stage, _ in found] == ["suspected", "withdrawn"]


def test_who_lies_for_minutes_is_one_incident_until_they_are_up() -> None:
    stage = Stage()
    somebody = stage.somebody("near")
    somebody.walk(stage.room.places["mat"])
    somebody.take("prone", 0.8, power=2)
    for posture in ("sideways", "supine", "on_side", "prone"):
        somebody.wait(60, "hurt")
        somebody.take(posture, 4)
    somebody.take("kneel", 3)
    somebody.take("stand", 3)
    somebody.wait(60, "awake")
    found = [finding for finding in judged(stage.looks(somebody.now), stage.zones) if finding.kind == "fall"]
    assert [finding.stage for finding in found] == ["suspected", "confirmed", "over"]
    assert {finding.incident for finding in found} == {found[0].incident}


def test_two_falls_are_two_incidents() -> None:
    stage = Stage()
    somebody = stage.somebody("near")
    somebody.walk(stage.room.places["mat"])
    for _ in range(2):
        somebody.wait(5, "awake")
        somebody.take("sideways", 0.8, power=2)
        somebody.wait(20, "hurt")
        somebody.take("crouch", 2)
        somebody.take("stand", 2)
    somebody.wait(10, "awake")
    found = [finding for finding in judged(stage.looks(somebody.now), stage.zones) if finding.kind == "fall"]
    assert [(finding.incident, finding.stage) for finding in found] == [
        (number, stage) for number in (1, 2) for stage in ("suspected", "confirmed", "over")
    ]


def sits_down(somebody: Actor, stage: Stage) -> None:
    somebody.walk(stage.room.places["chair_front"])
    somebody.take("sit", 1.8, at=stage.room.places["chair"], z=CHAIR_M)


def drops_into_the_chair(somebody: Actor, stage: Stage) -> None:
    somebody.walk(stage.room.places["chair_front"])
    somebody.take("sit", 0.6, at=stage.room.places["chair"], z=CHAIR_M, power=2)


def lies_down_in_bed(somebody: Actor, stage: Stage) -> None:
    somebody.walk(stage.room.places["bedside"])
    somebody.take("edge", 2.5, at=stage.room.places["edge"], z=0.6)
    somebody.wait(4, "awake")
    somebody.take("supine", 3.5, at=stage.room.places["bed"], z=BED_M)


def picks_something_up(somebody: Actor, stage: Stage) -> None:
    somebody.walk(stage.room.places["mat"])
    somebody.take("bend", 1.0)
    somebody.take("stand", 1.2)


def kneels_to_tie_a_shoe(somebody: Actor, stage: Stage) -> None:
    somebody.walk(stage.room.places["mat"])
    somebody.take("kneel", 1.5)


@pytest.mark.parametrize(
    "act", [sits_down, drops_into_the_chair, lies_down_in_bed, picks_something_up, kneels_to_tie_a_shoe]
)
@pytest.mark.parametrize("seed", SEEDS)
def test_what_people_do_all_day_is_no_fall(seed: int, act: Callable[[Actor, Stage], None]) -> None:
    stage = Stage(seed)
    somebody = stage.somebody("near")
    act(somebody, stage)
    somebody.wait(30, "awake")
    assert steps(judged(stage.looks(somebody.now), stage.zones), "fall") == []


def lies_down_slowly(stage: Stage, somebody: Actor) -> float:
    somebody.walk(stage.room.places["mat"])
    somebody.wait(5, "awake")
    for posture in ("kneel", "floor_sit", "supine"):
        somebody.take(posture, 3)
    lies_s = somebody.now
    somebody.wait(60, "awake")
    return lies_s


def test_who_lies_down_slowly_beside_somebody_is_no_alarm() -> None:
    stage = Stage()
    lies_down_slowly(stage, stage.somebody("near"))
    therapist = stage.somebody("centre")
    therapist.wait(80, "awake")
    assert steps(judged(stage.looks(75), stage.zones), "fall") == []


def test_who_comes_to_lie_on_the_floor_slowly_and_alone_is_one() -> None:
    stage = Stage()
    lies_s = lies_down_slowly(stage, stage.somebody("near"))
    found = steps(judged(stage.looks(75), stage.zones), "fall")
    assert [stage for stage, _ in found] == ["suspected", "confirmed"]
    assert found[0][1] <= lies_s + 8


def test_a_fall_is_found_though_the_fallen_are_found_no_more() -> None:
    stage, fell_s = falls()
    looks = [look if look.at_s < fell_s + 1.2 else _without_people(look) for look in stage.looks(fell_s + 20)]
    found = steps(judged(looks, stage.zones), "fall")
    assert [stage for stage, _ in found] == ["suspected", "confirmed"]
    assert found[0][1] <= fell_s + 0.8 + 2


def _without_people(look: Look) -> Look:
    return replace(look, people=())


def test_without_zones_a_fall_is_found_as_well() -> None:
    stage, fell_s = falls()
    found = judged(stage.looks(fell_s + 20), Zones({}))
    assert [finding.stage for finding in found] == ["suspected", "confirmed"]
    assert found[0].zone == "unknown"


def test_nobody_falls_while_the_camera_moves() -> None:
    stage, fell_s = falls()
    turned = [
        replace(look, measures=replace(ROOM, luma=90 + look.at_s, scene=ROOM.scene ^ TURNED))
        if look.at_s >= fell_s
        else look
        for look in stage.looks(fell_s + 30)
    ]
    found = judged(turned, stage.zones)
    assert [(finding.kind, finding.cause) for finding in found] == [("blind", "moved")]


def test_i_am_fine_takes_it_back_and_who_still_lies_there_a_minute_later_is_suspected_anew() -> None:
    stage, fell_s = falls(lies_s=120)
    monitor = Monitor(Watch(), stage.zones)
    before, after = parted(stage.looks(fell_s + 110), fell_s + 8)
    assert [finding.stage for finding in see(monitor, before)] == ["suspected"]
    said = monitor.answered(fell_s + 8, "well")
    assert [(finding.stage, finding.incident) for finding in said] == [("withdrawn", 1)]
    again = see(monitor, after)
    assert [(finding.stage, finding.incident) for finding in again] == [("suspected", 2), ("confirmed", 2)]
    assert 60 <= again[0].at_s - (fell_s + 8) < 65


def test_silence_or_a_call_for_help_confirms_at_once() -> None:
    stage, fell_s = falls()
    monitor = Monitor(Watch(), stage.zones)
    before, after = parted(stage.looks(fell_s + 30), fell_s + 6)
    assert [finding.stage for finding in see(monitor, before)] == ["suspected"]
    said = monitor.answered(fell_s + 6, "silence")
    assert [(finding.stage, finding.at_s) for finding in said] == [("confirmed", fell_s + 6)]
    assert see(monitor, after) == [], "once is enough"


def test_words_that_nobody_asked_for_or_that_come_late_change_nothing() -> None:
    stage, fell_s = falls()
    monitor = Monitor(Watch(), stage.zones)
    assert monitor.answered(0.0, "well") == []
    assert [finding.stage for finding in see(monitor, stage.looks(fell_s + 20))] == ["suspected", "confirmed"]
    assert monitor.answered(fell_s + 20, "well") == [], "a confirmed fall is taken back by people alone"


def test_what_was_not_agreed_is_told_to_nobody() -> None:
    stage, fell_s = falls()
    assert judged(stage.looks(fell_s + 30), stage.zones, Watch(kinds=())) == []
