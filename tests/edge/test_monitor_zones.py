"""Zones: where the bed, the chair and the doors are, as staff drew them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.days.room import build_room

from forge_edge.monitor.zones import DRAWN, Zones

BED = [[0.2, 0.4], [0.6, 0.4], [0.6, 0.8], [0.2, 0.8]]
CHAIR = [[0.5, 0.5], [0.9, 0.5], [0.9, 0.7]]
ZONES = Zones.read({"bed": BED, "chair": CHAIR})


def test_a_point_is_in_the_zone_that_was_drawn_round_it_and_elsewhere_on_the_floor() -> None:
    assert ZONES.at((0.3, 0.5)) == "bed"
    assert ZONES.at((0.85, 0.55)) == "chair"
    assert ZONES.at((0.1, 0.1)) == "floor"
    assert ZONES.at((1.7, -0.4)) == "floor", "what is out of the picture is in no furniture"


def test_where_two_zones_overlap_the_bed_counts() -> None:
    assert ZONES.holds("chair", (0.58, 0.52))
    assert ZONES.at((0.58, 0.52)) == "bed"


def test_nobody_knows_where_anything_is_before_it_was_drawn() -> None:
    assert not Zones({})
    assert Zones({}).at((0.5, 0.5)) == "unknown"
    assert not Zones({}).holds("bed", (0.5, 0.5), margin=1.0)


def test_a_margin_reaches_beyond_the_border_and_no_farther() -> None:
    assert not ZONES.holds("bed", (0.63, 0.6))
    assert ZONES.holds("bed", (0.63, 0.6), margin=0.04)
    assert not ZONES.holds("bed", (0.65, 0.6), margin=0.04)
    assert not ZONES.holds("bed", (0.63, 0.83), margin=0.04), "round a corner it is a circle"
    assert ZONES.holds("bed", (0.4, 0.6), margin=0.04), "and inside is inside"


def test_a_corner_that_was_tapped_twice_does_no_harm() -> None:
    twice = Zones.read({"door": [[0.1, 0.1], [0.1, 0.1], [0.3, 0.1], [0.3, 0.3], [0.1, 0.3]]})
    assert twice.at((0.2, 0.2)) == "door"
    assert twice.holds("door", (0.08, 0.1), margin=0.04)


@pytest.mark.parametrize(
    "drawn",
    [{"sofa": BED}, {"bed": BED[:2]}, {"bed": []}, {"unknown": BED}, {"chair": [["here", "there"]] * 3}],
    ids=["unknown", "a line", "nothing", "no zone of its own", "words"],
)
def test_what_is_no_zone_is_refused(drawn: dict[str, list[list[float]]]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Zones.read(drawn)


def test_what_is_refused_is_not_repeated() -> None:
    with pytest.raises(ValueError, match="1 of the zones are none of bed, chair") as refused:
        Zones.read({"the bed of Mrs Weber": BED})
    assert "Weber" not in str(refused.value)


@given(st.integers(0, 50), st.floats(0, 1), st.floats(0, 1))
def test_every_point_of_every_room_has_one_zone_and_a_wider_margin_never_loses_one(
    seed: int, x: float, y: float
) -> None:
    zones = Zones.read(build_room(np.random.default_rng(seed)).zones)
    assert zones.at((x, y)) in DRAWN
    for name in DRAWN:
        held = [zones.holds(name, (x, y), margin) for margin in (0.0, 0.02, 0.1, 2.0)]
        assert held == sorted(held)
        assert held[-1]
