"""Who is in the room and whether they move, from what the camera shows, as Home Assistant may know it.

No device and no clock: times are given, in seconds of a clock that is never set.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from forge_edge.monitor.looks import Look

PRESENT_SECONDS: Final = 60.0
"""Who was seen is taken to be there for so long: a network misses people in single looks, and under a blanket. Ours."""
MOVED: Final = 0.03
"""How far somebody's middle goes, as a share of the picture, to have moved. Ours: a step, or an arm's reach."""
MOVED_WITHIN_SECONDS: Final = 1.0
MOVING_SECONDS: Final = 10.0
"""For how long a movement is shown. Ours: what automations take for one movement."""
VISIBLE: Final = 0.3
"""From which visibility on a point counts. Ours."""

_Middles = NDArray[np.float32]
"""Shape ``(n, 2)``: where people are, in shares of the picture."""


class HomeSenses:
    """Follows one room's looks."""

    def __init__(self) -> None:
        self._empty = False
        self._person_s = self._moved_s = float("-inf")
        self._before: tuple[float, _Middles] | None = None

    def looked(self, look: Look, now: float, *, empty: bool) -> None:
        """Take note of what is in the picture.

        Args:
            look: The moment.
            now: When it was judged.
            empty: Whether whoever was in the room was seen to go by a door.
        """
        self._empty = empty and not look.people
        if not look.people:
            self._before = None
            return
        self._person_s = now
        middles = _middles(look)
        before = self._before
        if before is None or now - before[0] >= MOVED_WITHIN_SECONDS:
            self._before = (now, middles)
        if before is not None and now - before[0] < 2 * MOVED_WITHIN_SECONDS and _moved(before[1], middles):
            self._moved_s = now

    def occupied(self, now: float) -> bool | None:
        """Tell whether somebody is in the room; None: not known. Who is not seen may lie under a blanket."""
        if self._empty:
            return False
        return True if now - self._person_s <= PRESENT_SECONDS else None

    def moving(self, now: float) -> bool:
        """Tell whether somebody moves."""
        return now - self._moved_s <= MOVING_SECONDS


def _middles(look: Look) -> _Middles:
    people = [person[person[:, 3] >= VISIBLE, :2] for person in look.people]
    return np.array([points.mean(axis=0) for points in people if len(points)], np.float32).reshape(-1, 2)


def _moved(before: _Middles, now: _Middles) -> bool:
    """Tell whether somebody is where nobody was."""
    if not len(before) or not len(now):
        return False
    ways = np.linalg.norm(now[:, None, :] - before[None, :, :], axis=2)
    return bool((ways.min(axis=1) > MOVED).any())
