"""A patient room: walls, furniture, a camera high in a corner and the zones that staff drew over its picture."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tests.fakes.days.body import Floats

BED_TOP_M = 0.52
BED_WIDTH_M, BED_LENGTH_M = 0.95, 2.05
SEAT_M = 0.46
NEAREST_M = 0.15
"""What is nearer to the camera's plane than this is projected as if it were there."""

Place = tuple[float, float, float]
"""x and y in metres and the heading in radians of somebody who uses the place."""
Polygon = list[list[float]]


@dataclass(frozen=True)
class Camera:
    """A pinhole camera; ``axes`` has the rows right, down and forward in room coordinates."""

    place: tuple[float, float, float]
    axes: Floats
    focal_px: float
    w: int
    h: int

    def project(self, points: Floats) -> tuple[Floats, Floats]:
        """Return where points are seen.

        Args:
            points: Shape ``(..., 3)``, metres in the room.

        Returns:
            Shape ``(..., 2)``, x and y as shares of the picture (outside 0..1 when out of view); and the depth,
            shape ``(...)``, metres.
        """
        seen = (points - np.array(self.place)) @ self.axes.T
        depth = np.maximum(seen[..., 2], NEAREST_M)
        x = 0.5 + self.focal_px * seen[..., 0] / depth / self.w
        y = 0.5 + self.focal_px * seen[..., 1] / depth / self.h
        return np.clip(np.stack([x, y], axis=-1), -2.0, 3.0), depth


@dataclass(frozen=True)
class Room:
    """One room; ``bed_box`` holds the least and the greatest corner of the bed in metres."""

    width_m: float
    depth_m: float
    places: dict[str, Place]
    bed_box: Floats
    camera: Camera
    knocked: Camera
    """The same camera after somebody has moved it."""
    zones: dict[str, Polygon]

    def hidden(self, points: Floats) -> NDArray[np.bool_]:
        """Say which points (``(..., 3)``, metres) the bed or a wall hides from the camera."""
        entry, leaving = np.zeros(points.shape[:-1]), np.full(points.shape[:-1], np.inf)
        for axis in range(3):
            eye = self.camera.place[axis]
            ray = points[..., axis] - eye
            ray[np.abs(ray) < 1e-9] = 1e-9
            near, far = (self.bed_box[0, axis] - eye) / ray, (self.bed_box[1, axis] - eye) / ray
            entry = np.maximum(entry, np.minimum(near, far))
            leaving = np.minimum(leaving, np.maximum(near, far))
        behind_bed: NDArray[np.bool_] = (entry < leaving) & (entry < 0.97)
        return behind_bed | self.outside(points)

    def outside(self, points: Floats) -> NDArray[np.bool_]:
        """Say which points are beyond the walls."""
        x, y = points[..., 0], points[..., 1]
        beyond: NDArray[np.bool_] = (x < -0.05) | (y < -0.05) | (x > self.width_m + 0.05) | (y > self.depth_m + 0.05)
        return beyond


def build_room(rng: np.random.Generator) -> Room:
    """Build a room by chance: size, sides exchanged or not, the camera's height, lens and picture."""
    width, depth = rng.uniform(4.3, 5.2), rng.uniform(4.1, 5.0)
    gap = rng.uniform(0.75, 0.95)
    bed_x = width - gap - BED_WIDTH_M
    side_y = depth - rng.uniform(1.0, 1.25)
    chair_x = rng.uniform(1.35, 1.75)
    back, down = np.pi, -np.pi / 2
    places: dict[str, Place] = {
        "bed": (bed_x + BED_WIDTH_M / 2, depth - 1.02, down),
        "bed_border": (bed_x + 0.2, depth - 1.02, down),
        "edge": (bed_x + 0.12, side_y, back),
        "bedside": (bed_x - 0.32, side_y, back),
        "bedside_floor": (bed_x - 0.4, depth - 1.05, down),
        "visitor_seat": (bed_x + 0.14, side_y - 0.45, back),
        "chair": (chair_x, depth - 0.5, down),
        "chair_front": (chair_x, depth - 0.95, down),
        "foot": (bed_x + 0.45, depth - BED_LENGTH_M - 0.45, np.pi / 2),
        "behind_foot": (width - gap / 2, depth - BED_LENGTH_M - 0.4, np.pi / 2),
        "behind_help": (width - gap / 2, depth - 1.9, np.pi / 2),
        "behind": (width - gap / 2, depth - 1.1, np.pi / 2),
        "door": (width - 0.65, 0.35, down),
        "door_out": (width - 0.65, -0.8, down),
        "bathroom_door": (0.3, depth - 0.7, back),
        "bathroom": (-0.9, depth - 0.7, back),
        "mat": (0.42 * width, 0.46 * depth, 0.3),
        "centre": (0.5 * width, 0.5 * depth, back),
        "wall": (0.34, 0.58 * depth, 0.0),
        "window": (0.47 * width, depth - 1.35, np.pi / 2),
        "near": (0.36 * width, 0.3 * depth, 0.8),
    }
    low, high = np.array([bed_x, depth - BED_LENGTH_M, 0.0]), np.array([bed_x + BED_WIDTH_M, depth, BED_TOP_M])
    shapes = {
        "bed": _box(low, high + np.array([0, 0, 0.12])),
        "chair": _box(np.array([chair_x - 0.33, depth - 0.85, 0.0]), np.array([chair_x + 0.33, depth - 0.1, 0.95])),
        "door": _box(np.array([width - 1.15, 0.0, 0.0]), np.array([width - 0.15, 0.35, 2.0])),
        "bathroom_door": _box(np.array([0.0, depth - 1.2, 0.0]), np.array([0.35, depth - 0.2, 2.0])),
        "floor": np.array(
            [[1.0, 0, 0], [width, 0, 0], [width, depth, 0], [0, depth, 0], [0, 1.0, 0]], dtype=np.float64
        ),
    }
    if rng.random() < 0.5:  # the same room with its sides exchanged
        places = {name: (y, x, np.pi / 2 - heading) for name, (x, y, heading) in places.items()}
        low, high = low[[1, 0, 2]], high[[1, 0, 2]]
        shapes = {name: points[:, [1, 0, 2]] for name, points in shapes.items()}
        width, depth = depth, width
    eye = (0.06, 0.06, rng.uniform(2.2, 2.85))
    aim = np.array([0.52 * width, 0.52 * depth, rng.uniform(0.5, 0.75)])
    w, h = ((1280, 720), (640, 480))[int(rng.integers(2))]
    lens = np.radians(rng.uniform(88.0, 98.0))
    turned = aim + np.array([rng.choice([-1.0, 1.0]) * rng.uniform(1.2, 2.0), 0.0, rng.uniform(0.5, 1.2)])
    camera = _camera(eye, aim, lens, (w, h))
    return Room(
        width_m=width,
        depth_m=depth,
        places=places,
        bed_box=np.stack([low, high]),
        camera=camera,
        knocked=_camera(eye, turned, lens, (w, h)),
        zones={name: _drawn(camera.project(points)[0], rng) for name, points in shapes.items()},
    )


def _camera(eye: tuple[float, float, float], aim: Floats, lens_rad: float, size: tuple[int, int]) -> Camera:
    forward = aim - np.array(eye)
    forward /= np.sqrt(np.sum(forward**2))
    right = np.array([forward[1], -forward[0], 0.0])
    right /= np.sqrt(np.sum(right**2))
    axes = np.stack([right, np.cross(forward, right), forward])
    return Camera(eye, axes, size[0] / 2 / np.tan(lens_rad / 2), *size)


def _box(low: Floats, high: Floats) -> Floats:
    return np.array([[x, y, z] for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])])


def _drawn(points: Floats, rng: np.random.Generator) -> Polygon:
    """Return the outline of seen points as somebody draws it with a finger: a few hundredths off, kept in view."""
    order = sorted(map(tuple, points.tolist()))
    half: list[list[tuple[float, ...]]] = []
    for run in (order, order[::-1]):  # Andrew's monotone chain
        chain: list[tuple[float, ...]] = []
        for p in run:
            while len(chain) > 1 and _turn(chain[-2], chain[-1], p) <= 0:
                chain.pop()
            chain.append(p)
        half.append(chain[:-1])
    return [[round(float(np.clip(v + rng.normal(0, 0.009), 0.0, 1.0)), 3) for v in p] for p in half[0] + half[1]]


def _turn(a: tuple[float, ...], b: tuple[float, ...], c: tuple[float, ...]) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
