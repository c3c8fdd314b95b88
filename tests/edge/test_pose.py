"""Finding people in pictures: drawn ones, and where the project's shared clips are, real ones too."""

from math import hypot
from pathlib import Path

import cv2
import numpy as np
import pytest

from forge_edge.vision.backends import open_pose
from forge_edge.vision.detection import sightings
from forge_edge.vision.figure import Figure, draw
from forge_edge.vision.ports import Keypoints, Picture
from forge_edge.vision.pose import PEOPLE, SEARCH_EVERY, BlazePose
from forge_edge.vision.region import Region, person
from forge_edge.vision.smoothing import OneEuro

NOSE, LEFT_SHOULDER, RIGHT_SHOULDER, LEFT_HIP, RIGHT_HIP, LEFT_ANKLE, RIGHT_ANKLE = 0, 11, 12, 23, 24, 27, 28
CLIPS = Path(__file__).parents[3] / "shared" / "data" / "vision" / "gmdcsa24"


@pytest.fixture
def reader() -> BlazePose:
    return open_pose(lambda _: None, ("onnxruntime-cpu",))


def hips(keypoints: Keypoints) -> tuple[float, float]:
    x, y = keypoints[[LEFT_HIP, RIGHT_HIP], :2].mean(axis=0)
    return float(x), float(y)


def middles(people: list[Keypoints]) -> list[float]:
    return sorted(round(hips(keypoints)[0], 1) for keypoints in people)


def test_somebody_who_stands_is_found_from_head_to_foot(reader: BlazePose) -> None:
    (found,) = reader.read(draw([Figure()]))
    assert found.shape == (33, 4)
    assert found.dtype == np.float32
    assert found[NOSE, :2] == pytest.approx([0.5, 0.22], abs=0.03)
    assert found[[LEFT_SHOULDER, RIGHT_SHOULDER], 1] == pytest.approx(0.32, abs=0.03)
    assert hips(found) == pytest.approx((0.5, 0.53), abs=0.03)
    assert found[[LEFT_ANKLE, RIGHT_ANKLE], 1] == pytest.approx(0.9, abs=0.03)
    assert found[LEFT_SHOULDER, 0] > found[RIGHT_SHOULDER, 0], "who faces the camera has the left on its right"
    assert found[[NOSE, LEFT_SHOULDER, LEFT_HIP], 3].min() > 0.9


@pytest.mark.parametrize("turned", [60, 90, 120, 180, 270])
def test_somebody_who_lies_is_found_as_well(turned: int, reader: BlazePose) -> None:
    (found,) = reader.read(draw([Figure(size=0.9, turned_degrees=turned)]))
    head_x, head_y = (found[NOSE, :2] - np.array(hips(found))) * (640, 480)
    angle = np.radians(turned)
    assert np.array((head_x, head_y)) / hypot(head_x, head_y) == pytest.approx((np.sin(angle), -np.cos(angle)), abs=0.2)


def test_an_empty_room_is_empty(reader: BlazePose) -> None:
    assert reader.read(draw([])) == []


def test_a_dark_room_is_still_seen_in(reader: BlazePose) -> None:
    assert len(reader.read(draw([Figure()], light=0.15))) == 1


def test_two_who_stand_side_by_side_are_two(reader: BlazePose) -> None:
    people = reader.read(draw([Figure(x=0.4), Figure(x=0.6)]))
    assert middles(people) == [0.4, 0.6]


def test_three_are_followed_and_a_fourth_is_not(reader: BlazePose) -> None:
    crowd = [Figure(x=x) for x in (0.14, 0.38, 0.62, 0.86)]
    assert len(reader.read(draw(crowd, width=1000))) == PEOPLE == 3


def test_nobody_is_counted_twice_however_often_is_searched() -> None:
    reader = open_pose(lambda _: None, ("onnxruntime-cpu",))
    picture = draw([Figure()])
    assert [len(reader.read(picture)) for _ in range(SEARCH_EVERY * 2 + 1)] == [1] * (SEARCH_EVERY * 2 + 1)


def test_somebody_who_comes_in_is_found_within_a_second_of_movement(reader: BlazePose) -> None:
    reader.read(draw([Figure(x=0.25)]))
    both = draw([Figure(x=0.25), Figure(x=0.75)])
    counts = [len(reader.read(both)) for _ in range(SEARCH_EVERY)]
    assert counts[-1] == 2


def test_somebody_who_leaves_is_not_there_any_more(reader: BlazePose) -> None:
    reader.read(draw([Figure(x=0.25), Figure(x=0.75)]))
    alone = draw([Figure(x=0.25)])
    assert [hips(found)[0] for found in reader.read(alone)] == [pytest.approx(0.25, abs=0.03)]
    assert reader.read(draw([])) == []


def test_somebody_who_walks_is_followed_without_a_new_search(reader: BlazePose) -> None:
    reader = BlazePose(reader._detector, reader._landmarker, search_every=0)  # noqa: SLF001 (the same networks)
    places = np.arange(0.3, 0.7, 0.04)
    found = [reader.read(draw([Figure(x=float(x))])) for x in places]
    assert all(len(people) == 1 for people in found)
    assert [hips(people[0])[0] for people in found] == pytest.approx(places, abs=0.03)


def test_who_is_not_where_they_were_is_searched_for_in_the_same_picture(reader: BlazePose) -> None:
    reader.read(draw([Figure(x=0.15, size=0.7)]))
    (found,) = reader.read(draw([Figure(x=0.85, size=0.7)]))
    assert hips(found)[0] == pytest.approx(0.85, abs=0.03)


def test_who_is_barely_seen_counts_only_where_nobody_is_seen_better() -> None:
    boxes = np.zeros((1, 2254, 12), np.float32)
    boxes[..., 2:4], boxes[..., 7] = 30.0, -60.0  # a face's box, and a point of the body's circle above the hips
    scores = np.full((1, 2254, 1), -20.0, np.float32)
    scores[0, 100] = -0.4  # 0.40
    assert sightings(boxes, scores, 640, 480) == []
    (barely,) = sightings(boxes, scores, 640, 480, faint=True)
    assert barely.score == pytest.approx(0.40, abs=0.01)
    scores[0, 2000] = 2.0
    (surely,) = sightings(boxes, scores, 640, 480, faint=True)
    assert surely.score == pytest.approx(0.88, abs=0.01)
    scores[0, 2000], scores[0, 100] = -20.0, -0.8  # 0.31
    assert sightings(boxes, scores, 640, 480, faint=True) == []


def test_a_camera_of_another_size_starts_anew(reader: BlazePose) -> None:
    reader.read(draw([Figure(x=0.25)]))
    (found,) = reader.read(draw([Figure(x=0.5)], 1280, 720))
    assert hips(found) == pytest.approx((0.5, 0.53), abs=0.03)


def test_points_keep_their_places_in_a_picture_of_any_shape(reader: BlazePose) -> None:
    for width, height in ((1280, 720), (480, 640), (320, 240)):
        (found,) = reader.read(draw([Figure(size=0.9 * min(width / height, 1))], width, height))
        assert hips(found)[0] == pytest.approx(0.5, abs=0.03)


def test_a_square_gives_back_the_places_it_was_cut_from() -> None:
    region = person(200.0, 300.0, 260.0, 180.0)
    assert region is not None
    picture = np.zeros((480, 640, 3), np.uint8)
    marked = (231, 262)
    cv2.circle(picture, marked, 4, (255, 255, 255), -1)
    square = region.crop(picture, 256, outside=None)[..., 0]
    rows, columns = np.nonzero(square > 128)
    share = np.array([[columns.mean() / 256, rows.mean() / 256, 0.0]], np.float32)
    assert region.project(share)[0, :2] == pytest.approx(marked, abs=0.5)


def test_a_square_stands_upright_along_the_body() -> None:
    assert person(0.0, 100.0, 0.0, 0.0) == Region(0.0, 100.0, 250.0, 0.0)
    lying = person(100.0, 100.0, 200.0, 100.0)
    assert lying is not None
    assert lying.angle == pytest.approx(np.pi / 2)
    assert person(5.0, 5.0, 5.0, 5.0) is None


def test_a_detector_that_says_nonsense_everywhere_gives_few_squares_and_no_error() -> None:
    chance = np.random.default_rng(3)
    boxes = chance.normal(0, 300, (1, 2254, 12)).astype(np.float32)
    found = sightings(boxes, chance.normal(0, 50, (1, 2254, 1)).astype(np.float32), 640, 480)
    assert all(one.region.size > 0 and 0 <= one.score <= 1 for one in found)
    assert sightings(boxes, np.full((1, 2254, 1), -1e30, np.float32), 640, 480) == []


def test_what_stands_still_stops_trembling_and_what_moves_is_not_held_back() -> None:
    chance, euro = np.random.default_rng(5), OneEuro(0.05, 80.0)
    still = [euro.smooth(np.array([100 + tremble], np.float32), 400.0)[0] for tremble in chance.normal(0, 0.2, 90)]
    assert np.std(still[30:]) < 0.1
    moving = [euro.smooth(np.array([100 + 8 * step], np.float32), 400.0)[0] for step in range(30)]
    assert moving[-1] == pytest.approx(100 + 8 * 29, abs=2)


def _clip(name: str) -> tuple[list[Picture], Keypoints]:
    subject, kind, number = name.rsplit("_", 2)
    stored = np.load(CLIPS / "keypoints" / f"{name}.npz")
    video = cv2.VideoCapture(str(CLIPS / "video" / subject / kind / f"{number}.mp4"))
    pictures, keypoints, rate = [], [], float(stored["fps"])
    wanted = {round(float(at) * rate): row for at, row in zip(stored["t"], stored["kp"], strict=True)}
    for number_of_picture in range(max(wanted) + 1):
        there, picture = video.read()
        if not there:
            break
        if number_of_picture in wanted:
            pictures.append(np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8))
            keypoints.append(wanted[number_of_picture].astype(np.float32))
    return pictures, np.array(keypoints)


@pytest.mark.skipif(not CLIPS.is_dir(), reason="the clips are not in this checkout; drawn people are")
@pytest.mark.parametrize("name", ["Subject_4_ADL_19", "Subject_3_Fall_20"])
def test_points_are_those_of_the_published_solution_within_one_hundredth_of_a_body(
    name: str, reader: BlazePose
) -> None:
    reader = BlazePose(reader._detector, reader._landmarker, people=1)  # noqa: SLF001 (the same networks)
    pictures, logged = _clip(name)
    size = np.array(pictures[0].shape[1::-1])
    off = []
    for picture, reference in zip(pictures, logged, strict=True):
        people = reader.read(picture)
        if people and np.isfinite(reference[0, 0]):
            distance = np.linalg.norm((people[0][:, :2] - reference[:, :2]) * size, axis=1).mean()
            off.append(distance / np.ptp(reference[:, :2] * size, axis=0).max())
    assert len(off) > 0.8 * len(pictures)
    assert np.median(off) < 0.01
