"""Keeps points from trembling without keeping them from moving: the 1-euro filter.

Source: Casiez, Roussel and Vogel, 1€ Filter, CHI 2012. Its settings are those of the published pose solution, and so
is the time between two pictures, a 30th of a second whatever it really was: logs of keypoints that were made with that
solution, and those that are made here, are then smoothed alike.
"""

from dataclasses import dataclass
from math import pi
from typing import Final

import numpy as np
from numpy.typing import NDArray

_RATE_HZ: Final = 30.0
_SPEED_CUTOFF_HZ: Final = 1.0
VISIBILITY_SHARE: Final = 0.1
"""Weight of a new visibility in the smoothed one."""

Values = NDArray[np.float32]


@dataclass(slots=True)
class OneEuro:
    """Smooths arrays of one shape, more when they move less.

    Attributes:
        cutoff_hz: Of what stands still.
        speed: How much faster it may follow what moves, in hertz for each size of the object in a second.
    """

    cutoff_hz: float
    speed: float
    _raw: Values | None = None
    _smooth: Values | None = None
    _change: Values | None = None

    def smooth(self, values: Values, scale: float) -> Values:
        """Return the next values, smoothed.

        Args:
            values: In any unit.
            scale: Size of the object in the same unit, more than 0: a near person moves by more pixels than a far one.
        """
        if self._raw is None or self._smooth is None or self._change is None:
            self._raw, self._smooth, self._change = values, values, np.zeros_like(values)
            return values
        change = (values - self._raw) * np.float32(_RATE_HZ / scale)
        self._raw = values
        self._change = self._change + _weight(np.float32(_SPEED_CUTOFF_HZ)) * (change - self._change)
        weight = _weight(np.float32(self.cutoff_hz) + np.float32(self.speed) * np.abs(self._change))
        self._smooth = self._smooth + weight * (values - self._smooth)
        return self._smooth


def _weight(cutoff_hz: Values | np.float32) -> Values:
    """Return the share of a new value in the smoothed one: an exponential filter with that cutoff."""
    return np.asarray(1 / (1 + _RATE_HZ / (2 * pi * cutoff_hz)), np.float32)
