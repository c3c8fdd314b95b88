"""Single pictures for who draws: handed from the thread that looks to the page, and kept by neither."""

import threading
from collections.abc import Sequence
from typing import Final

import numpy as np

from forge_edge.vision.opencv import opencv
from forge_edge.vision.ports import Keypoints, Picture

QUALITY: Final = 85
"""Of JPEG; ours: edges of furniture are sharp, and a picture of 640 by 480 is some 60 kB."""
FIGURE_WIDTH: Final = 640
"""Width in pixels of the picture of a simulated room."""
_LIMBS: Final = (
    (11, 12), (11, 13), (13, 15), (12, 14), (14, 16), (11, 23), (12, 24), (23, 24),
    (23, 25), (25, 27), (24, 26), (26, 28), (27, 31), (28, 32), (0, 11), (0, 12),
)  # fmt: skip
"""Pairs of BlazePose's 33 points that a stick figure is drawn between."""


class Stills:
    """One picture at a time, for one who waits for it. Thread-safe."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._wanted = False
        self._still: bytes | None = None

    @property
    def wanted(self) -> bool:
        """Whether somebody waits for a picture."""
        return self._wanted

    def offer(self, picture: Picture) -> None:
        """Give a picture, which nothing is done with unless somebody waits.

        Args:
            picture: RGB, shape ``(height, width, 3)``, with the masks burnt in.
        """
        if not self._wanted:
            return
        cv2 = opencv()
        good, encoded = cv2.imencode(
            ".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, QUALITY]
        )
        with self._changed:
            if good and self._wanted:
                self._still, self._wanted = encoded.tobytes(), False
                self._changed.notify_all()

    def take(self, wait_seconds: float) -> bytes | None:
        """Return the next picture as JPEG, or None where none comes in that time. It is forgotten here."""
        with self._changed:
            self._wanted = True
            self._changed.wait_for(lambda: self._still is not None, wait_seconds)
            still, self._still, self._wanted = self._still, None, False
            return still


def figures(people: Sequence[Keypoints], aspect: float) -> Picture:
    """Return a picture of stick figures, for a simulated room, which has none.

    Args:
        people: Each of shape ``(33, 4)``: x, y in shares of the picture, depth, visibility.
        aspect: Height over width.
    """
    cv2 = opencv()
    height = max(1, round(FIGURE_WIDTH * aspect))
    drawn: Picture = np.full((height, FIGURE_WIDTH, 3), 70, np.uint8)
    for person in people:
        if not np.isfinite(person).all():
            continue
        points = np.rint(np.clip(person[:, :2], -1, 2) * (FIGURE_WIDTH, height)).astype(int).tolist()
        for one, other in _LIMBS:
            cv2.line(drawn, tuple(points[one]), tuple(points[other]), (235, 225, 200), 3)
    return drawn
