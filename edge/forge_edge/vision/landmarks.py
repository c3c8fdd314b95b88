"""Finds the points of one body: BlazePose's landmark network, and what is made of its answer.

Source of every number here: the published graph of the model (Apache-2.0).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forge_edge.vision.ports import LANDMARKS, Picture
from forge_edge.vision.region import Region

SIDE: Final = 256
"""Width and height of the landmark network's input, in pixels."""
PRESENCE: Final = 0.5
"""More than this, and there is a body in the square. Source: the published solution's default."""
_POINTS: Final = 39  # of which the last four do not belong to the body's 33: two of them say where to look next
_HEAT_WIDTH: Final = 7  # cells around a point in which its heat is weighed
_HEAT_LEAST: Final = 0.5  # of the hottest cell there; below it the point stays where it is


@dataclass(frozen=True, slots=True)
class Body:
    """The points of a body in one picture, not smoothed.

    Attributes:
        points: Shape ``(33, 3)``: x, y and z in pixels of the picture.
        visibility: Shape ``(33,)``, from 0 to 1.
        next: Shape ``(2, 3)``: the middle of the hips and a point of the body's circle, in pixels.
        presence: How sure it is that there is a body, from 0 to 1.
    """

    points: NDArray[np.float32]
    visibility: NDArray[np.float32]
    next: NDArray[np.float32]
    presence: float


def landmark_input(picture: Picture, region: Region) -> NDArray[np.float32]:
    """Return a square as the network wants it: shape ``(1, 256, 256, 3)``, 0 to 1."""
    square = region.crop(picture, SIDE, outside=None)
    square *= 1 / 255
    return square[np.newaxis]


def body(
    landmarks: NDArray[np.float32], presence: NDArray[np.float32], heatmap: NDArray[np.float32], region: Region
) -> Body | None:
    """Return the body that was found in a square; None where there is none.

    Args:
        landmarks: The network's answer, shape ``(1, 195)``: x, y and z in pixels of its input, then log-odds of being
            visible and of being there, for each of 39 points.
        presence: The same, shape ``(1, 1)``, from 0 to 1.
        heatmap: The same, shape ``(1, 64, 64, 39)``: log-odds of each point, by cell.
        region: The square that was looked at.
    """
    sure = float(presence.reshape(-1)[0])
    if not sure > PRESENCE:
        return None
    rows = landmarks.reshape(_POINTS, 5)
    shares = rows[:, :3] / np.float32(SIDE)
    shares[:, :2] = _refine(shares[:, :2], heatmap[0])
    placed = region.project(shares)
    visible = sigmoid(rows[:LANDMARKS, 3])
    return Body(placed[:LANDMARKS], visible, placed[LANDMARKS : LANDMARKS + 2], sure)


def sigmoid(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return probabilities for log-odds."""
    return np.asarray(1 / (1 + np.exp(-np.clip(values, -80, 80))), np.float32)  # beyond 80 float32 overflows


def _refine(points: NDArray[np.float32], heatmap: NDArray[np.float32]) -> NDArray[np.float32]:
    """Move each point to the middle of the heat around it, where there is enough; shares of the square."""
    height, width, _ = heatmap.shape
    refined, reach = points.copy(), _HEAT_WIDTH // 2
    cells = np.trunc(points * (width, height)).astype(int)
    for number, (column, row) in enumerate(cells):
        if not (0 <= column < width and 0 <= row < height):
            continue
        left, top = max(column - reach, 0), max(row - reach, 0)
        heat = sigmoid(heatmap[top : row + reach + 1, left : column + reach + 1, number])
        if heat.max() < _HEAT_LEAST:
            continue
        total = heat.sum()
        refined[number, 0] = (heat.sum(axis=0) @ np.arange(left, left + heat.shape[1])) / total / width
        refined[number, 1] = (heat.sum(axis=1) @ np.arange(top, top + heat.shape[0])) / total / height
    return refined
