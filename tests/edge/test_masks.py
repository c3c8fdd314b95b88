"""Privacy masks: what is masked is black before anything looks, and what cannot be read is not looked past."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.cameras import picture

from forge_edge.errors import NodeConfigError
from forge_edge.vision.masks import Masks, MasksInForce, load
from forge_edge.vision.ports import Picture

Polygon = tuple[tuple[float, float], ...]
WINDOW: Polygon = ((0.5, 0.0), (1.0, 0.0), (1.0, 0.5), (0.5, 0.5))
DOOR: Polygon = ((0.4, 0.2), (0.8, 0.2), (0.8, 0.9), (0.4, 0.9))
BOW_TIE: Polygon = ((0.1, 0.1), (0.9, 0.9), (0.9, 0.1), (0.1, 0.9))


def masks_file(folder: Path, *polygons: Polygon) -> Path:
    path = folder / "masks.json"
    path.write_text(json.dumps({"masks": polygons}), encoding="utf-8")
    return path


def burnt(*polygons: Polygon) -> Picture:
    seen = np.full((100, 200, 3), 200, np.uint8)
    Masks.of(polygons).burn(seen)
    return seen


def test_what_is_masked_is_black_and_the_rest_is_as_it_was() -> None:
    seen = burnt(WINDOW)
    assert not seen[:50, 100:].any()
    assert (seen[55:] == 200).all()
    assert (seen[:, :95] == 200).all()


def test_where_two_masks_overlap_nothing_shows() -> None:
    seen = burnt(WINDOW, DOOR)
    assert not seen[21:50, 101:159].any()


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=3, max_size=3))
def test_every_pixel_inside_a_mask_is_black(corners: list[tuple[float, float]]) -> None:
    seen = burnt(tuple(corners))
    middle = np.array(corners).mean(axis=0)
    x, y = np.rint(middle * (199, 99)).astype(int)
    assert not seen[y, x].any()
    for x_share, y_share in corners:
        assert not seen[round(y_share * 99), round(x_share * 199)].any()


def test_the_version_follows_from_the_masks_and_is_none_without_any(tmp_path: Path) -> None:
    one = load(masks_file(tmp_path, WINDOW))
    assert one.version == load(masks_file(tmp_path, WINDOW)).version
    assert one.version != load(masks_file(tmp_path, WINDOW, DOOR)).version
    assert len(one.version) == 12
    assert Masks.of(()).version == "none"
    assert load(masks_file(tmp_path)).version == "none"


def test_masks_that_change_hold_for_the_next_picture(tmp_path: Path) -> None:
    force = MasksInForce(tmp_path / "masks.json")
    assert force.now().version == "none"
    masks_file(tmp_path, WINDOW)
    drawn = force.now()
    assert drawn.polygons == (WINDOW,)
    masks_file(tmp_path, WINDOW, DOOR)
    assert force.now().version != drawn.version
    (tmp_path / "masks.json").unlink()
    assert force.now().version == "none"


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        '{"masks": [[[0.1, 0.2], [0.3, 0.4]]]}',
        '{"masks": [[[0.1, 0.2], [0.3, 0.4], [1.2, 0.4]]]}',
        json.dumps({"masks": [BOW_TIE]}),
    ],
)
def test_nothing_looks_where_the_masks_cannot_be_read(tmp_path: Path, content: str) -> None:
    path = tmp_path / "masks.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(NodeConfigError, match="without them nothing looks"):
        MasksInForce(path).now()


def test_masks_of_another_shape_of_picture_hold_too() -> None:
    tall = picture(1, (30, 90))
    Masks.of([WINDOW]).burn(tall)
    assert not tall[:45, 15:].any()
