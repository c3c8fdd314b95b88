"""What the monitor is told of one moment: who was seen, and what the picture as a whole was like."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Keypoints = NDArray[np.float32]
"""As `forge_edge.vision.ports.Keypoints`."""


@dataclass(frozen=True, slots=True)
class Measures:
    """A picture as a whole.

    Attributes:
        luma: Mean brightness, 0 to 255.
        contrast: Standard deviation of the brightness, 0 to 127.
        motion: Mean absolute difference of the brightness from the picture before, 0 to 255; exactly 0 means that the
            very same picture came again.
        scene: Fingerprint of 64 bits (a difference hash of the picture in 9 by 8 cells); pictures of the same room
            differ in few of them.
    """

    luma: float
    contrast: float
    motion: float
    scene: int


@dataclass(frozen=True, slots=True)
class Look:
    """One moment.

    Attributes:
        at_s: When, in seconds of a clock that is never set.
        people: Everybody that was found, in any order.
        measures: The picture; None where only keypoints are known, as in a recorded log of them.
        aspect: Height of the picture over its width.
        day_s: Seconds since local midnight; None where that is not known: it is day then.
        looked: Whether a network looked at this picture. Where nothing had changed it need not; who was there still is.
    """

    at_s: float
    people: tuple[Keypoints, ...]
    measures: Measures | None = None
    aspect: float = 0.75
    day_s: float | None = None
    looked: bool = True
