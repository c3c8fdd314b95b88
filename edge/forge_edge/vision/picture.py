"""What is measured of a whole picture, on a small grey copy."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forge_edge.vision.opencv import opencv
from forge_edge.vision.ports import Picture

COPY_WIDTH = 160
"""Width of the grey copy (ours: a hand two metres from the camera is some 5 pixels of it)."""
SCENE_CELLS = (9, 8)
"""Krawetz 2013, "Kind of Like That" (the difference hash): 9 by 8 cells, each compared with its right neighbour."""

LEAST_MOTION = 0.001
"""Stands for a difference that the grey copy does not show, and for the first picture, which has none before it: 0 is
kept for the very same picture."""

Grey = NDArray[np.uint8]
"""Brightness, shape ``(height, width)``, 0 to 255."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A picture as a whole; the fields are those of `forge_edge.monitor.looks.Measures`."""

    luma: float
    contrast: float
    motion: float
    scene: int


class Meter:
    """Measures pictures one after the other; each is compared with the one before."""

    def __init__(self) -> None:
        self._before: tuple[Picture, Grey] | None = None

    def measure(self, picture: Picture) -> Measured:
        """Measure a picture, which must not be altered until the next one is measured.

        Args:
            picture: RGB, shape ``(height, width, 3)``.
        """
        grey = grey_copy(picture)
        motion = LEAST_MOTION if self._before is None else _motion(*self._before, picture, grey)
        self._before = picture, grey
        mean, deviation = opencv().meanStdDev(grey)
        return Measured(float(mean.item()), float(deviation.item()), motion, scene(grey))


def grey_copy(picture: Picture) -> Grey:
    """Return a small copy of a picture in grey: weights of ITU-R BT.601, averaged over each cell. Takes 0.5 ms."""
    cv2 = opencv()
    height, width = picture.shape[:2]
    size = (COPY_WIDTH, max(1, round(COPY_WIDTH * height / width)))
    grey: Grey = np.asarray(
        cv2.resize(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), size, interpolation=cv2.INTER_AREA), np.uint8
    )
    return grey


def scene(grey: Grey) -> int:
    """Return the difference hash of a grey copy, 64 bits, the upper left cell first."""
    cv2 = opencv()
    cells = np.asarray(cv2.resize(grey, SCENE_CELLS, interpolation=cv2.INTER_AREA), np.uint8)
    bits = np.packbits(cells[:, :-1] > cells[:, 1:])
    return int.from_bytes(bits.tobytes(), "big")


def _motion(before: Picture, grey_before: Grey, picture: Picture, grey: Grey) -> float:
    """Return the mean absolute difference; 0 exactly where the very same picture came again."""
    if grey_before.shape != grey.shape:
        return 255.0  # the camera changed its size: nothing is where it was
    cv2 = opencv()
    difference = float(cv2.norm(grey_before, grey, cv2.NORM_L1)) / grey.size
    if difference == 0.0 and not np.array_equal(before, picture):
        return LEAST_MOTION
    return max(difference, LEAST_MOTION) if difference else 0.0
