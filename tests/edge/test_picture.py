"""What is measured of a whole picture."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.cameras import picture

from forge_edge.vision.picture import LEAST_MOTION, Meter, grey_copy, scene
from forge_edge.vision.ports import Picture


def plain(value: int) -> Picture:
    return np.full((48, 64, 3), value, np.uint8)


def bits(one: int, other: int) -> int:
    return (one ^ other).bit_count()


@given(st.integers(0, 255), st.integers(0, 255))
def test_a_plain_picture_has_its_brightness_no_contrast_and_the_change_is_motion(one: int, other: int) -> None:
    meter = Meter()
    first = meter.measure(plain(one))
    assert first.luma == pytest.approx(one, abs=1)
    assert first.contrast == pytest.approx(0, abs=1e-4)
    second = meter.measure(plain(other))
    assert second.motion == pytest.approx(abs(one - other), abs=1)


def test_motion_is_zero_for_the_very_same_picture_and_for_nothing_else() -> None:
    meter = Meter()
    seen = picture(1, (640, 480))
    assert meter.measure(seen).motion == LEAST_MOTION
    assert meter.measure(seen.copy()).motion == 0
    noisy = seen.copy()
    noisy[100, 100, 0] ^= 1
    assert meter.measure(noisy).motion == LEAST_MOTION
    assert meter.measure(picture(2, (640, 480))).motion > 1


def test_a_camera_that_changes_its_size_has_moved_everything() -> None:
    meter = Meter()
    meter.measure(picture(1, (64, 48)))
    assert meter.measure(picture(1, (64, 36))).motion == 255


def test_the_fingerprint_outlives_light_and_noise_and_not_another_scene() -> None:
    rng = np.random.default_rng(3)
    room = np.kron(rng.integers(30, 200, (12, 16, 3), dtype=np.uint8), np.ones((10, 10, 1), np.uint8))
    noisy = np.clip(room + rng.normal(0, 3, room.shape) + 12, 0, 255).astype(np.uint8)
    other = np.kron(rng.integers(30, 200, (12, 16, 3), dtype=np.uint8), np.ones((10, 10, 1), np.uint8))
    mark = scene(grey_copy(room))
    assert 0 <= mark < 2**64
    assert bits(mark, scene(grey_copy(noisy))) <= 4
    assert 16 <= bits(mark, scene(grey_copy(other))) <= 48
