"""What the eyes are made of: a camera that gives pictures, and a reader that finds people in them."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

LANDMARKS = 33
"""Points of a body in BlazePose's order. Source: Bazarevsky et al., BlazePose, 2020 (arXiv 2006.10204), table 1."""

Picture = NDArray[np.uint8]
"""RGB, shape ``(height, width, 3)``."""
Keypoints = NDArray[np.float32]
"""One person, shape ``(33, 4)``: x and y as shares of the picture (outside 0 to 1 when out of view), z as a share of
the picture's width (nearer is less), visibility from 0 to 1. Output of a network, not truth."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture and when it was taken, in seconds of a clock that is never set."""

    picture: Picture
    at_s: float


class Camera(Protocol):
    """A source of pictures. Used from one thread."""

    def frame(self, wait_seconds: float) -> Frame | None:
        """Return the newest picture that was not returned yet, or None when there is none in that time.

        Raises:
            CameraLostError: The source is gone; a new one may be opened later.
            CameraEndedError: A recording is at its end.
        """

    def close(self) -> None:
        """Let go of the device."""


class PoseReader(Protocol):
    """Finds people. It follows whom it has found from picture to picture, so that pictures are given in order."""

    def read(self, picture: Picture) -> list[Keypoints]:
        """Return everybody that is seen in a picture.

        Raises:
            InferenceError: The network's runtime failed; another may be tried.
        """
