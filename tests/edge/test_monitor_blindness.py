"""Blindness: a camera that shows nothing says so within ten seconds, and says once that it sees again."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.fakes.looks import ROOM, Stage, judged

from forge_edge.monitor.findings import Finding
from forge_edge.monitor.looks import Look, Measures
from forge_edge.monitor.monitor import Monitor
from forge_edge.monitor.zones import Zones
from forge_shared.plan import Watch

TURNED = 0xFFFF_FFFF
INFRARED = 0x1FF
"""Nine of the bits change when the light does."""
NOTHING = Watch(kinds=())
BEGINS_S, ENDS_S = 30.0, 60.0

Picture = Callable[[int], Measures]


def steady(number: int) -> Measures:
    return replace(ROOM, luma=ROOM.luma + 0.1 * (number % 7))


def black(number: int) -> Measures:
    return Measures(luma=1.0 + 0.1 * (number % 2), contrast=0.5, motion=0.05, scene=0)


def covered(number: int) -> Measures:
    return Measures(luma=30.0 + 0.1 * (number % 3), contrast=4.0, motion=0.3, scene=ROOM.scene ^ TURNED)


def frozen(_: int) -> Measures:
    return replace(ROOM, motion=0.0)


def moved(number: int) -> Measures:
    return replace(steady(number), scene=ROOM.scene ^ TURNED)


def infrared(number: int) -> Measures:
    return Measures(luma=58 + 0.1 * (number % 5), contrast=27, motion=1.1, scene=ROOM.scene ^ INFRARED)


def switching(number: int) -> Measures:
    return Measures(luma=190.0 - number % 3, contrast=20.0, motion=30.0, scene=ROOM.scene ^ TURNED)


def shown(*parts: tuple[float, Picture], hz: float = 1) -> list[Look]:
    """Return looks at an empty room: each kind of picture for so many seconds."""
    looks: list[Look] = []
    for seconds, picture in parts:
        for _ in range(round(seconds * hz)):
            looks.append(Look(len(looks) / hz, (), picture(len(looks))))
    return looks


def found(looks: list[Look]) -> list[Finding]:
    return judged(looks, Zones({}), NOTHING)


@pytest.mark.parametrize("hz", [1, 10])
@pytest.mark.parametrize("picture", [black, covered, frozen, moved], ids=lambda picture: str(picture.__name__))
def test_a_picture_that_shows_nothing_is_known_within_ten_seconds_and_its_return_said_once(
    picture: Picture, hz: float
) -> None:
    said = found(shown((BEGINS_S, steady), (ENDS_S - BEGINS_S, picture), (120, steady), hz=hz))
    assert [(finding.stage, finding.cause) for finding in said] == [
        ("confirmed", picture.__name__),
        ("over", "seeing"),
    ]
    began, ended = said
    assert BEGINS_S < began.at_s <= BEGINS_S + 10
    assert began.began_s == pytest.approx(BEGINS_S, abs=1.1)
    assert ENDS_S < ended.at_s <= ENDS_S + 5
    assert began.incident == ended.incident


def test_a_camera_that_gives_no_picture_is_known_within_ten_seconds() -> None:
    looks = [look for look in shown((120, steady)) if not BEGINS_S <= look.at_s < ENDS_S]
    said = found(looks)
    assert [(finding.stage, finding.cause) for finding in said] == [("confirmed", "no-picture"), ("over", "seeing")]
    assert BEGINS_S < said[0].at_s <= BEGINS_S + 10


def test_a_camera_that_never_gave_a_picture_is_not_judged_here() -> None:
    monitor = Monitor(Watch(), Zones({}))
    assert [monitor.tick(float(second)) for second in range(60)] == [[]] * 60, "the eyes themselves say that"


@pytest.mark.parametrize("picture", [black, covered, frozen, moved], ids=lambda picture: str(picture.__name__))
def test_what_hangs_before_the_lens_for_four_seconds_is_no_blindness(picture: Picture) -> None:
    assert found(shown((BEGINS_S, steady), (4, picture), (60, steady), hz=10)) == []


def test_a_switch_to_infrared_light_and_back_is_none() -> None:
    looks = shown((60, steady), (5, switching), (600, infrared), (5, switching), (60, steady), hz=2)
    assert found(looks) == []


def test_day_that_becomes_night_moves_no_camera() -> None:
    def dusk(number: int) -> Measures:
        changed = (1 << min(9, number // 60)) - 1
        return replace(steady(number), luma=max(20.0, 96.0 - number / 10), scene=ROOM.scene ^ changed)

    assert found(shown((900, dusk), (60, infrared))) == []


def test_one_blindness_that_changes_its_face_is_one() -> None:
    said = found(shown((20, steady), (20, covered), (20, black), (20, covered), (30, steady)))
    assert [finding.stage for finding in said] == ["confirmed", "over"]


def test_a_glimpse_is_no_return() -> None:
    said = found(shown((20, steady), (20, covered), (1, steady), (20, covered), (30, steady), hz=2))
    assert [(finding.stage, finding.at_s > 60) for finding in said] == [("confirmed", False), ("over", True)]


def test_a_log_without_measures_is_never_blind_but_for_its_gaps() -> None:
    looks = [replace(look, measures=None) for look in shown((40, black))]
    assert found(looks) == []


def test_who_lay_there_before_the_room_was_blind_has_not_fallen_after_it() -> None:
    stage = Stage()
    somebody = stage.somebody("centre")
    somebody.wait(20, "awake")
    somebody.take("supine", 4, at=stage.room.places["bed"], z=0.62)
    somebody.wait(60, "awake")
    looks = [
        replace(look, people=(), measures=black(place)) if 18 <= look.at_s < 40 else look
        for place, look in enumerate(stage.looks(somebody.now))
    ]
    assert {finding.kind for finding in judged(looks, stage.zones)} == {"blind"}
