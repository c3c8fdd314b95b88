"""A square of a picture, turned so that a person stands upright in it: cut out for a network, and back again.

Source of the geometry: Bazarevsky et al., BlazePose, 2020 (arXiv 2006.10204): a person's square is given by two points,
the middle of the hips and a point on the circle around the whole body.
"""

from dataclasses import dataclass
from math import atan2, cos, hypot, pi, sin
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from forge_edge.vision.ports import Picture

MARGIN: Final = 1.25
"""Sides of the square over the circle's diameter. Source: the landmark model was trained so (its graph's settings)."""


@dataclass(frozen=True, slots=True)
class Region:
    """A turned square.

    Attributes:
        x: Its centre from the left, in pixels of the picture.
        y: Its centre from the top, in pixels.
        size: Length of a side, in pixels, more than 0.
        angle: How far it is turned, clockwise as seen, in radians; 0 is upright.
    """

    x: float
    y: float
    size: float
    angle: float

    def crop(self, picture: Picture, side: int, *, outside: int | None) -> NDArray[np.float32]:
        """Return what is in the square, shape ``(side, side, 3)`` float32, 0 to 255.

        Args:
            picture: Where it is cut from.
            side: Width and height of the result, in pixels.
            outside: Brightness of what lies beyond the picture; None continues the picture's edge.
        """
        step = self.size / side
        along, across = step * cos(self.angle), step * sin(self.angle)
        corner_x = self.x - (along - across) * side / 2
        corner_y = self.y - (along + across) * side / 2
        back = np.array([[along, -across, corner_x], [across, along, corner_y]])
        edge = cv2.BORDER_REPLICATE if outside is None else cv2.BORDER_CONSTANT
        value = (outside or 0,) * 3
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        cut = cv2.warpAffine(picture, back, (side, side), flags=flags, borderMode=edge, borderValue=value)
        return np.asarray(cut, np.float32)

    def project(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return points of the square in pixels of the picture.

        Args:
            points: Shape ``(n, 3)``: x and y as shares of the square's side, z in the same unit.
        """
        x, y = points[:, 0] - 0.5, points[:, 1] - 0.5
        turned_x = cos(self.angle) * x - sin(self.angle) * y
        turned_y = sin(self.angle) * x + cos(self.angle) * y
        columns = (turned_x * self.size + self.x, turned_y * self.size + self.y, points[:, 2] * self.size)
        return np.stack(columns, axis=1).astype(np.float32)


def around(width: int, height: int) -> Region:
    """Return the smallest square that holds a whole picture."""
    return Region(width / 2, height / 2, max(width, height), 0.0)


def person(centre_x: float, centre_y: float, edge_x: float, edge_y: float, *, margin: float = MARGIN) -> Region | None:
    """Return a person's square from the middle of the hips and a point above on the circle around the body, in pixels.

    None where both points are the same: there is no square then.
    """
    radius = hypot(edge_x - centre_x, edge_y - centre_y)
    if not radius > 0:
        return None
    angle = pi / 2 - atan2(centre_y - edge_y, edge_x - centre_x)
    return Region(centre_x, centre_y, 2 * radius * margin, angle - 2 * pi * ((angle + pi) // (2 * pi)))
