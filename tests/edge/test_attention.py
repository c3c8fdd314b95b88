"""When the networks look, and when they need not."""

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from forge_edge.vision.attention import Attention, Pace, SmallCopy, change, small_copy

RATE_HZ = 15
ROOM = np.full((48, 64), 120, np.float32)


def moved(by: float = 40.0) -> SmallCopy:
    other = ROOM.copy()
    other[8:16, 8:12] += by  # half a region
    return other


def looks(copies: list[SmallCopy], attention: Attention | None = None) -> list[float]:
    attention = attention or Attention()
    return [number / RATE_HZ for number, copy in enumerate(copies) if attention.is_due(copy, number / RATE_HZ)]


def test_the_first_picture_is_looked_at() -> None:
    assert looks([ROOM]) == [0.0]


def test_a_room_in_which_nothing_changes_is_looked_at_every_second() -> None:
    times = [time for time in looks([ROOM] * RATE_HZ * 60) if time > 2]
    assert 57 <= len(times) <= 66
    assert max(np.diff(times)) <= 1.0


@given(st.lists(st.booleans(), min_size=RATE_HZ * 3, max_size=RATE_HZ * 8))
@settings(max_examples=50, deadline=None)
def test_whatever_happens_no_second_passes_without_a_look(movements: list[bool]) -> None:
    times = looks([moved() if movement else ROOM for movement in movements])
    gaps = np.diff([*times, (len(movements) - 1) / RATE_HZ])
    assert gaps.max() <= 1.0 + 1e-9


def test_a_change_is_looked_at_in_the_picture_that_shows_it_and_ten_times_a_second_after_it() -> None:
    quiet, at = [ROOM] * RATE_HZ * 5, 5.4
    copies = quiet + [ROOM] * 6 + [moved()] * RATE_HZ * 5
    times = looks(copies)
    assert at in [round(time, 3) for time in times]
    after = [time for time in times if at <= time < at + 1.5]
    assert len(after) >= 1.5 / 0.134 - 1  # at 15 pictures a second every second one is nearest to a tenth
    later = [time for time in times if time > at + 2.6]
    assert min(np.diff(later)) > 0.8


def test_at_ten_pictures_a_second_every_picture_of_a_movement_is_looked_at() -> None:
    attention = Attention()
    due = [attention.is_due(moved(20.0 * (number % 2)), number / 10 + 0.01 * (number % 2)) for number in range(50)]
    assert all(due)


def test_what_moves_slowly_is_seen_in_the_end() -> None:
    """A tenth of a grey level a picture is no change from one to the next, but from the last look it is one."""
    slow = Pace(quiet_s=60.0)
    attention = Attention(slow)
    copies = [moved(0.1 * number) for number in range(RATE_HZ * 20)]
    assert len(looks(copies, attention)) > 20


def test_a_night_cameras_noise_is_no_change() -> None:
    chance = np.random.default_rng(1)
    pictures = [np.clip(chance.normal(40, 10, (480, 640, 3)), 0, 255).astype(np.uint8) for _ in range(12)]
    copies = [small_copy(picture) for picture in pictures]
    assert max(change(one, other) for one, other in pairwise(copies)) < Pace().change / 2


def test_a_hand_that_moves_is_a_change() -> None:
    before = np.full((480, 640, 3), 110, np.uint8)
    after = before.copy()
    after[200:240, 300:340] = 190  # 40 pixels wide: a hand at four metres
    assert change(small_copy(before), small_copy(after)) > Pace().change
