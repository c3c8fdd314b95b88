"""Decides whether the networks look at a picture. Pure: small grey copies and times in, a decision out.

A room is quiet most of its hours, and a network that looks at what it has seen already says the same again. What must
never be saved is the look at somebody who lies still: every second there is one, whatever the picture shows.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from forge_edge.vision.ports import Picture

QUIET_S: Final = 0.9
"""From look to look where nothing changes. Ours: an immobile person is looked at every second, and with a tenth less
the next picture of a camera that gives 10 a second or more is never too late for that."""
BUSY_S: Final = 0.1
"""From look to look after a change: ten a second, the rate at which the judgement of falls was made."""
LINGER_S: Final = 1.5
"""How long after a change it stays so. Ours: longer than a fall takes (under 1 s), so that all of it is seen."""
CHANGE: Final = 3.0
"""Mean absolute difference of a region, in grey levels of 0 to 255, above which it changed. Ours: a cell of the small
copy is the mean of a hundred pixels or more, so that even a night camera's noise (10 levels a pixel) stays near 1; an
arm that moves changes its region by 10 and more."""
_EARLY_S: Final = 0.02  # ours: so much too early is due too, for a camera's pictures do not come like a clock's ticks
_WIDTH, _HEIGHT = 64, 48  # of the small copy, in cells
_REGION: Final = 8  # cells a side; 48 regions, each as large as a head and shoulders in a room's camera

SmallCopy = NDArray[np.float32]
"""Shape ``(48, 64)``: brightness of a picture's cells, 0 to 255."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often to look.

    Attributes:
        quiet_s: From look to look where nothing changes, in seconds, more than 0.
        busy_s: The same after a change.
        linger_s: How long a change counts, in seconds.
        change: Difference of a region that counts as one, in grey levels.
    """

    quiet_s: float = QUIET_S
    busy_s: float = BUSY_S
    linger_s: float = LINGER_S
    change: float = CHANGE


class Attention:
    """Tells of each picture whether to look at it. Pictures are given in order."""

    def __init__(self, pace: Pace | None = None) -> None:
        self._pace = pace or Pace()
        self._seen: SmallCopy | None = None
        self._looked_s = self._busy_until_s = float("-inf")

    def is_due(self, copy: SmallCopy, at_s: float) -> bool:
        """Tell whether to look at a picture; it is taken as looked at then.

        Args:
            copy: The picture, made small.
            at_s: When it was taken, in seconds of a clock that is never set.
        """
        if self._seen is None or change(copy, self._seen) > self._pace.change:
            self._busy_until_s = at_s + self._pace.linger_s
        busy = at_s < self._busy_until_s
        if at_s - self._looked_s < (self._pace.busy_s if busy else self._pace.quiet_s) - _EARLY_S:
            return False
        self._seen, self._looked_s = copy, at_s
        return True


def small_copy(picture: Picture) -> SmallCopy:
    """Return the brightness of a picture's cells, each the mean of its pixels."""
    small = cv2.resize(picture, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.float32)


def change(copy: SmallCopy, other: SmallCopy) -> float:
    """Return the mean absolute difference in the region that differs most, in grey levels."""
    difference = np.abs(copy - other).reshape(_HEIGHT // _REGION, _REGION, _WIDTH // _REGION, _REGION)
    return float(difference.mean(axis=(1, 3)).max())
