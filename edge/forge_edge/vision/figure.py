"""Draws people whom the networks see and who are nobody: rods lit from the left, before a wall and above a floor.

For proofs of back ends, measurements and tests: no picture of a person need be kept anywhere. The networks look for
light and shade: the same figure in flat grey is not seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, radians, sin
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forge_edge.vision.ports import Picture

Colour = tuple[int, int, int]
_SKIN, _HAIR, _SHIRT = (224, 172, 140), (50, 35, 30), (70, 90, 160)
_TROUSERS, _SHOES, _DARK, _LIPS = (45, 45, 60), (30, 30, 30), (50, 40, 40), (150, 70, 70)
_WALL, _FLOOR = (200, 198, 190), (150, 130, 110)
_FLOOR_FROM: Final = 0.75  # of the picture's height
_SHADE: Final = 0.25  # how much brighter or darker a rod's edge is than its middle
# Rods from point to point in shares of the figure's square, half their width, and a colour; later ones are nearer.
_RODS: Final[tuple[tuple[tuple[float, float], tuple[float, float], float, Colour], ...]] = (
    ((0.500, 0.265), (0.500, 0.290), 0.022, _SKIN),  # neck
    ((0.465, 0.335), (0.475, 0.500), 0.042, _SHIRT),  # trunk
    ((0.535, 0.335), (0.525, 0.500), 0.042, _SHIRT),
    ((0.440, 0.320), (0.560, 0.320), 0.028, _SHIRT),
    ((0.500, 0.340), (0.500, 0.500), 0.050, _SHIRT),
    ((0.425, 0.330), (0.390, 0.450), 0.024, _SHIRT),  # arms
    ((0.390, 0.450), (0.385, 0.560), 0.019, _SKIN),
    ((0.575, 0.330), (0.610, 0.450), 0.024, _SHIRT),
    ((0.610, 0.450), (0.615, 0.560), 0.019, _SKIN),
    ((0.385, 0.580), (0.385, 0.590), 0.020, _SKIN),  # hands
    ((0.615, 0.580), (0.615, 0.590), 0.020, _SKIN),
    ((0.470, 0.530), (0.460, 0.720), 0.034, _TROUSERS),  # legs
    ((0.460, 0.720), (0.460, 0.900), 0.027, _TROUSERS),
    ((0.530, 0.530), (0.540, 0.720), 0.034, _TROUSERS),
    ((0.540, 0.720), (0.540, 0.900), 0.027, _TROUSERS),
    ((0.458, 0.920), (0.445, 0.930), 0.018, _SHOES),
    ((0.542, 0.920), (0.555, 0.930), 0.018, _SHOES),
    ((0.500, 0.178), (0.500, 0.190), 0.047, _HAIR),  # head
    ((0.500, 0.200), (0.500, 0.222), 0.036, _SKIN),
    ((0.486, 0.205), (0.487, 0.205), 0.006, _DARK),  # eyes and mouth
    ((0.513, 0.205), (0.514, 0.205), 0.006, _DARK),
    ((0.490, 0.236), (0.510, 0.236), 0.004, _LIPS),
)


@dataclass(frozen=True, slots=True)
class Figure:
    """Somebody who stands, or lies.

    Attributes:
        x: The body's middle, as a share of the picture's width.
        y: The same of its height.
        size: Of the figure's square, as a share of the picture's height; the body fills four fifths of it.
        turned_degrees: Clockwise; 0 stands, 90 lies with the head to the right.
    """

    x: float = 0.5
    y: float = 0.5
    size: float = 1.0
    turned_degrees: float = 0.0


def draw(figures: Sequence[Figure], width: int = 640, height: int = 480, *, light: float = 1.0) -> Picture:
    """Return a picture of a room with these figures; the same on every machine.

    Args:
        figures: The later ones are nearer.
        width: In pixels.
        height: In pixels.
        light: Of the whole room; 1 is day.
    """
    room = np.empty((height, width, 3))
    room[:] = _WALL
    room[int(height * _FLOOR_FROM) :] = _FLOOR
    for figure in figures:
        _add(room, figure)
    return np.rint(np.clip(room * light, 0, 255)).astype(np.uint8)


def _add(room: NDArray[np.float64], figure: Figure) -> None:
    height, width = room.shape[:2]
    side, angle = figure.size * height, radians(figure.turned_degrees)
    turn = np.array([[cos(angle), -sin(angle)], [sin(angle), cos(angle)]])
    middle = np.array([figure.x * width, figure.y * height])
    for start, end, half_width, colour in _RODS:
        ends = (np.array([start, end]) - 0.5) @ turn.T * side + middle  # in pixels of the room
        reach = half_width * side
        left, top = np.clip(np.floor(ends.min(axis=0) - reach - 1), 0, (width, height)).astype(int)
        right, bottom = np.clip(np.ceil(ends.max(axis=0) + reach + 1), 0, (width, height)).astype(int)
        rows, columns = np.mgrid[top:bottom, left:right] + 0.5
        points = np.stack((columns, rows), axis=-1) - ends[0]
        along = ends[1] - ends[0]
        share = np.clip(points @ along / (along @ along), 0, 1)[..., np.newaxis]
        off = points - share * along
        cover = np.clip(reach - np.hypot(off[..., 0], off[..., 1]) + 0.5, 0, 1)[..., np.newaxis]
        light = 1 - _SHADE * np.clip(off @ turn[:, 0] / reach, -1, 1)[..., np.newaxis]
        part = room[top:bottom, left:right]
        part[:] = part * (1 - cover) + np.clip(np.array(colour) * light, 0, 255) * cover
