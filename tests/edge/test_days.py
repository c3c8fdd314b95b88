"""Simulated days tell the same story every time, and a story that could have happened."""

import hashlib
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.fakes.days import INCIDENTS_A_DAY, Day, make_day, script
from tests.fakes.days.actor import Actor
from tests.fakes.days.body import INDEX, skeleton
from tests.fakes.days.detector import View, observe
from tests.fakes.days.room import build_room
from tests.fakes.days.stage import NIGHT_BEGINS_S, NIGHT_ENDS_S, Stage

SEED = 4
HIPS, SHOULDERS = [23, 24], [11, 12]


@pytest.fixture(scope="module")
def stage() -> Stage:
    return script(SEED)


@pytest.fixture(scope="module")
def two_hours() -> Day:
    return make_day(SEED, hours=2)


def test_the_same_seed_writes_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    for folder, seed in (("a", SEED), ("b", SEED), ("c", SEED + 1)):
        make_day(seed, hours=0.2, from_hour=7).write(tmp_path / folder)
    for name in ("day.npz", "zones.json", "truth.jsonl", "patient.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    assert (tmp_path / "a" / "day.npz").read_bytes() != (tmp_path / "c" / "day.npz").read_bytes()


def test_a_part_of_a_day_is_told_like_the_whole(two_hours: Day, stage: Stage) -> None:
    assert two_hours.truth == [line for line in stage.truth if line.at_s < 7200]
    assert two_hours.zones == stage.room.zones


@pytest.mark.parametrize("seed", range(5))
def test_twenty_incidents_a_day_and_never_two_at_once(seed: int) -> None:
    stage = script(seed)
    found = [line for line in stage.truth if line.kind != "benign"]
    assert len(found) == INCIDENTS_A_DAY == 20
    for one, other in pairwise(found):
        assert other.at_s > one.until_s + 30
    kinds = {line.kind for line in found}
    assert kinds >= {"fall", "left_room", "absent_long", "extra_person", "immobile", "blind"}
    assert ("bed_exit" in kinds) == stage.limits.bed_exit
    assert sum(line.stage == "suspected" for line in found) >= 1
    for line in found:
        night = not NIGHT_ENDS_S <= line.at_s < NIGHT_BEGINS_S
        assert night or line.kind not in {"bed_exit", "extra_person"}
        assert not night or line.kind not in {"immobile", "left_room"}
        assert line.kind == "fall" or line.at_s < line.due_s < line.until_s <= 86400
        if line.stage == "suspected":
            assert line.until_s - line.at_s < 8
        elif line.kind == "fall":
            assert line.until_s - line.at_s > 30
    by_night = sum(not NIGHT_ENDS_S <= line.at_s < NIGHT_BEGINS_S for line in found)
    assert 3 <= by_night <= 12


def test_nobody_is_faster_than_a_body_and_nobody_walks_through_walls(stage: Stage) -> None:
    t = np.arange(0, 86400, 0.1)
    for somebody in (stage.patient, *stage.others):
        for since, until in somebody.present:
            here = t[(t >= since) & (t < until)]
            posture = somebody.postures(here)
            place = posture[:, [INDEX["x"], INDEX["y"], INDEX["z"]]]
            speed = np.sqrt((np.diff(place, axis=0) ** 2).sum(axis=1)) / 0.1
            assert speed.max(initial=0) < 4.5  # a body in free fall from 1 m lands at 4.4 m/s
            assert place[:, 2].min(initial=1) > 0.05
            inside = (place[:, 0] < stage.room.width_m + 0.1) & (place[:, 1] < stage.room.depth_m + 0.1)
            assert (inside | (np.abs(place[:, :2]).max(axis=1) < 7)).all()


def test_a_body_has_the_length_of_its_owner() -> None:
    stands = Actor("somebody", 1.7, np.random.default_rng(1), 0.0, (1.0, 1.0, 0.3))
    joints = skeleton(stands.postures(np.array([0.0])), 1.7)[0]
    assert joints[:, 2].max() == pytest.approx(1.6, abs=0.07)  # eyes, at 0.936 of the height
    assert joints[[27, 28], 2].max() == pytest.approx(0.066, abs=0.02)


def test_the_zones_are_in_the_picture(stage: Stage) -> None:
    assert set(stage.room.zones) == {"bed", "chair", "door", "bathroom_door", "floor"}
    for corners in stage.room.zones.values():
        assert len(corners) >= 4
        assert all(0 <= value <= 1 for corner in corners for value in corner)


def test_the_log_has_the_shapes_that_are_promised(two_hours: Day) -> None:
    log: dict[str, Any] = two_hours.arrays
    n = len(log["t"])
    assert log["kp"].shape == (n, 3, 33, 4)
    assert log["kp"].dtype == np.float16
    assert log["scene"].dtype == np.uint64
    for name in ("luma", "contrast", "motion"):
        assert log[name].shape == (n,)
        assert 0 <= log[name].min() <= log[name].max() <= 255
    steps = np.diff(log["t"])
    assert steps.min() > 0.05
    assert 0.3 < np.mean(steps > 0.5) < 0.95  # at night it is quiet
    visibility = log["kp"][..., 3]
    assert 0 <= np.nanmin(visibility) <= np.nanmax(visibility) <= 1


def test_who_is_found_does_not_leap(two_hours: Day) -> None:
    kp = two_hours.arrays["kp"].astype(np.float64)
    t: NDArray[np.float64] = two_hours.arrays["t"].astype(np.float64)
    hips = kp[:, :, HIPS, :2].mean(axis=2)
    close = np.diff(t) < 0.2
    with np.errstate(invalid="ignore"):
        way = np.sqrt(((hips[1:, :, None] - hips[:-1, None]) ** 2).sum(axis=-1))[close]
    nearest = np.nanmin(np.where(np.isnan(way), np.inf, way), axis=2)
    nearest = nearest[np.isfinite(nearest)]
    assert len(nearest) > 1000
    assert np.mean(nearest > 0.06) < 0.002  # what is left are people who appear, and persons who are not there


@pytest.mark.parametrize(
    ("posture", "tag", "least", "most"),
    [
        ("stand", None, 0.01, 0.06),
        ("supine", None, 0.08, 0.21),
        ("supine", "covered", 0.25, 0.7),
        ("supine", "faint", 0.82, 0.95),
    ],
)
def test_the_detector_misses_people_as_often_as_a_real_one(
    posture: str, tag: str | None, least: float, most: float
) -> None:
    rng = np.random.default_rng(7)
    room = build_room(rng)
    somebody = Actor("somebody", 1.7, rng, 0.0, room.places["mat"])
    somebody.take(posture, 0.1)
    somebody.wait(1800, "doze")
    somebody.leave()
    if tag is not None:
        getattr(somebody, tag).append((0.0, 1800.0))
    t = np.arange(1, 1800, 0.1)
    never = np.zeros(len(t), dtype=np.bool_)
    seen = observe(somebody, View(room, t, never, never), rng)
    kp = seen.kp.astype(np.float64)
    assert least < np.isnan(kp[:, 0, 0]).mean() < most
    shoulder = kp[:, 11, 0] * room.camera.w
    rests = np.nanmedian(np.abs(shoulder[2:] - 2 * shoulder[1:-1] + shoulder[:-2]))
    assert 0.05 < rests < 3.0  # pixels; real ones: 0.2 to 3


def test_without_movement_only_the_noise_is_left() -> None:
    rng = np.random.default_rng(3)
    room = build_room(rng)
    spread = []
    for manner in ("still", "doze"):
        somebody = Actor("somebody", 1.7, rng, 0.0, room.places["chair"])
        somebody.take("sit", 0.1, z=0.5)
        somebody.wait(900, manner)
        spread.append(float(somebody.postures(np.arange(10, 900, 1.0)).std(axis=0).max()))
    assert spread[0] < 1e-9
    assert spread[1] > 0.01


def _hour_of(stage: Stage, note: str) -> tuple[float, float]:
    line = next(line for line in stage.truth if note in line.note)
    return line.at_s, line.until_s


@pytest.mark.parametrize("what", ["cloth", "same picture", "knocked", "black", "gap"])
def test_each_way_to_be_blind_leaves_its_mark(stage: Stage, what: str) -> None:
    began, ended = _hour_of(stage, what)
    day = make_day(SEED, hours=(ended - began + 120) / 3600, from_hour=(began - 60) / 3600)
    log: dict[str, Any] = day.arrays
    during = (log["t"] >= began + 0.1) & (log["t"] < ended)
    before = log["t"] < began - 5
    flipped = np.bitwise_count(log["scene"][during] ^ log["scene"][before][-1]) if during.any() else np.zeros(1)
    if what == "gap":
        assert np.diff(log["t"]).max() == pytest.approx(ended - began, abs=2.1)
    elif what == "same picture":
        assert log["motion"][during].max() == 0
        assert len(np.unique(log["kp"][during].view(np.uint16), axis=0)) == 1
    elif what == "black":
        assert log["luma"][during].max() < 5
    else:
        assert flipped.min() >= 16
    if what in {"cloth", "black"}:
        assert np.isnan(log["kp"][during].astype(np.float64)).all()


def test_a_written_day_is_read_again(tmp_path: Path, two_hours: Day) -> None:
    two_hours.write(tmp_path)
    with np.load(tmp_path / "day.npz") as log:
        assert set(log) == {"t", "kp", "luma", "contrast", "motion", "scene", "fps", "w", "h"}
        assert np.array_equal(log["kp"].view(np.uint16), two_hours.arrays["kp"].view(np.uint16))
    lines = [json.loads(line) for line in (tmp_path / "truth.jsonl").read_text().splitlines()]
    assert [line["kind"] for line in lines] == [line.kind for line in two_hours.truth]
    assert {"kind", "at_s", "until_s", "stage", "where", "note", "due_s", "allows"} == set(lines[0])


def test_a_day_is_the_same_on_every_machine() -> None:
    """The digest is of what was made when the days were last changed on purpose."""
    day = make_day(SEED, hours=0.1, from_hour=7)
    digest = hashlib.sha256(b"".join(day.arrays[name].tobytes() for name in sorted(day.arrays))).hexdigest()
    assert digest[:16] == "54f42ccf6b022cce"


@pytest.mark.slow
def test_a_whole_day_is_small_enough_to_be_kept(tmp_path: Path) -> None:
    day = make_day(SEED)
    day.write(tmp_path)
    assert (tmp_path / "day.npz").stat().st_size < 40e6
    assert len(day.incidents) == 20
