"""Posture: 33 points say whether somebody stands, sits or lies, from wherever a camera looks at them."""

import math

import numpy as np
import pytest
from tests.fakes.looks import Stage

from forge_edge.monitor.body import Body, Posture, body_of, is_low, is_up, posture_of
from forge_edge.monitor.looks import Keypoints, Look

SEEDS = range(1, 9)
PLACES = ("mat", "centre", "window")
TILT = math.radians(25.0)
"""What cameras high in a corner of these rooms look down by, within 7 degrees."""


def bodies(look: Look, tilt: float = TILT) -> list[Body]:
    return [body for person in look.people if (body := body_of(person, look.aspect, tilt)) is not None]


def seen(posture: str, place: str, seed: int, z: float | None = None) -> Posture:
    stage = Stage(seed)
    somebody = stage.somebody(place)
    somebody.take(posture, 0.1, z=z)
    somebody.wait(2, "awake")
    return posture_of([body for look in stage.looks(2)[2:] for body in bodies(look)])


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("seed", SEEDS)
def test_who_stands_is_up_and_not_low_wherever_the_camera_is(seed: int, place: str) -> None:
    stands = seen("stand", place, seed)
    assert is_up(stands)
    assert not is_low(stands)
    assert stands.head_height > 0.9


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("posture", ["supine", "prone", "sideways", "on_side"])
@pytest.mark.parametrize("seed", SEEDS)
def test_who_lies_is_low_whichever_way_they_lie(seed: int, posture: str, place: str) -> None:
    lies = seen(posture, place, seed)
    assert is_low(lies)
    assert not is_up(lies)


@pytest.mark.parametrize("seed", SEEDS)
def test_who_sits_or_kneels_is_neither(seed: int) -> None:
    for posture, place, z in (("sit", "chair", 0.54), ("edge", "edge", 0.6), ("kneel", "mat", None)):
        sits = seen(posture, place, seed, z)
        assert not is_up(sits), posture
        assert not is_low(sits), posture


def test_distance_and_size_do_not_matter() -> None:
    heights = [seen("stand", place, seed).hip_height for seed in SEEDS for place in PLACES]
    assert max(heights) - min(heights) < 0.6, "of 1.8, though people are twice as far away as others"


def test_who_stands_straight_shows_how_far_the_camera_looks_down() -> None:
    stage = Stage(2)
    stage.somebody("centre").wait(2, "awake")
    down = -stage.room.camera.axes[2][2]
    tilts = [body.tilt for look in stage.looks(2) for body in bodies(look) if body.tilt is not None]
    assert np.median(tilts) == pytest.approx(math.asin(down), abs=math.radians(6))


def test_who_sits_does_not() -> None:
    stage = Stage(2)
    somebody = stage.somebody("chair")
    somebody.take("sit", 0.1, z=0.54)
    somebody.wait(2, "awake")
    assert {body.tilt for look in stage.looks(2)[2:] for body in bodies(look)} == {None}


def person() -> Keypoints:
    stage = Stage()
    stage.somebody("centre").wait(1, "awake")
    return stage.looks(0.5)[0].people[0].copy()


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_points_that_are_no_numbers_are_nobody(value: float) -> None:
    broken = person()
    broken[24, 1] = value
    assert body_of(broken, 0.75, TILT) is None


def test_a_body_without_a_trunk_is_nobody() -> None:
    flat = person()
    flat[[11, 12]] = flat[[23, 24]]
    assert body_of(flat, 0.75, TILT) is None
    assert body_of(np.full((33, 4), 0.5, np.float32), 0.75, TILT) is None
