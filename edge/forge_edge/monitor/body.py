"""What 33 points say of a body's posture: how high its hips and its head are, and how far its trunk leans.

The points are put into space as the network gives them (x, y and relative depth) and measured along gravity, in lengths
of the trunk, so that neither the distance to the camera nor its tilt nor the person's size matters.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forge_edge.monitor.looks import Keypoints

FOCAL: Final = 0.55
"""Focal length as a share of the picture's width: a horizontal field of view of 85 degrees, between a room camera's
(90) and a web camera's (70). An error of a fifth changes the heights below by less than a tenth."""
FIRST_TILT: Final = math.radians(10.0)
"""How far a camera looks down until walking people have shown it. Ours."""

LOW_HIPS: Final = 0.55
"""In trunk lengths. Kneeling and sitting on a chair are 0.85 (thigh 0.245 over trunk 0.288 of the body's height,
Drillis and Contini 1966), lying and sitting on the floor 0 to 0.3."""
HIGH_HIPS: Final = 1.45
"""Standing is 1.8, sitting on the edge of a bed 1.2, on a chair 0.85."""
_TRUNK = [11, 12, 23, 24]
_BODY = [0, 11, 12, 23, 24, 25, 26, 27, 28]
_NO_TRUNK = 1e-3


@dataclass(frozen=True, slots=True)
class Body:
    """One person at one moment. Lengths along gravity begin at the height of the camera.

    Attributes:
        hips: Where the middle of the hips is seen, shares of the picture.
        feet: Where the middle of the ankles is seen.
        nose_drop: Of the nose below the camera's height, as a share of its distance from the camera.
        hip_drop: Of the hips, likewise.
        foot_drop: Of the lower of knees and ankles, likewise.
        trunk: Length of the trunk, likewise.
        sight: Mean visibility of shoulders and hips.
        tilt: By how much the camera would look down if this body stood upright, radians; None where it is not straight.
        points: ``(33, 2)``, x and y, both as shares of the picture's width.
        visibility: ``(33,)``.
        size: Width or height of the body in the picture, whichever is more, as a share of the picture's width.
        trunk_seen: Length of the trunk as a share of the picture's width, if nothing foreshortened it.
    """

    hips: tuple[float, float]
    feet: tuple[float, float]
    nose_drop: float
    hip_drop: float
    foot_drop: float
    trunk: float
    sight: float
    tilt: float | None
    points: NDArray[np.float64]
    visibility: NDArray[np.float64]
    trunk_seen: float
    size: float


def body_of(keypoints: Keypoints, aspect: float, tilt: float) -> Body | None:
    """Measure one person.

    Args:
        keypoints: Shape ``(33, 4)``.
        aspect: Height of the picture over its width.
        tilt: How far the camera looks down, radians.

    Returns:
        None where there is nobody, or no trunk.
    """
    x, y, z, visibility = (keypoints[:, column].astype(np.float64) for column in range(4))
    if not math.isfinite(float(x[_BODY].sum() + y[_BODY].sum() + z[_BODY].sum())):
        return None
    near = 1 + z / FOCAL
    place = np.stack([(x - 0.5) / FOCAL * near, (y - 0.5) * aspect / FOCAL * near, near])
    shoulders, hips, knees, ankles = (
        (place[:, left] + place[:, left + 1]) / 2 for left in (11, 23, 25, 27)
    )  # fmt: skip
    gravity = (0.0, math.cos(tilt), math.sin(tilt))
    spine = hips - shoulders
    trunk = math.sqrt(float(spine @ spine))
    if trunk < _NO_TRUNK:
        return None
    nose = _down(place[:, 0], gravity)
    hip, foot = _down(hips, gravity), max(_down(knees, gravity), _down(ankles, gravity))
    return Body(
        hips=(float(x[23] + x[24]) / 2, float(y[23] + y[24]) / 2),
        feet=(float(x[27] + x[28]) / 2, float(y[27] + y[28]) / 2),
        nose_drop=nose,
        hip_drop=hip,
        foot_drop=foot,
        trunk=trunk,
        sight=float(visibility[_TRUNK].mean()),
        tilt=_straight_tilt(shoulders, hips, ankles),
        points=np.stack([x, y * aspect], axis=1),
        visibility=visibility,
        trunk_seen=trunk * FOCAL,
        size=max(float(np.ptp(x[_BODY])), float(np.ptp(y[_BODY])) * aspect),
    )


@dataclass(frozen=True, slots=True)
class Posture:
    """How somebody holds themselves, over some looks; all in trunk lengths along gravity.

    Attributes:
        hip_height: Of the hips above the lower of knees and ankles: standing 1.8, sitting and kneeling 0.85, lying 0.
        head_height: Of the nose above the hips: upright 1.2, lying 0.
    """

    hip_height: float
    head_height: float


def posture_of(bodies: Sequence[Body]) -> Posture:
    """Return the middle of some looks at one person; the network's depth alone trembles by a third of a trunk."""
    trunk = median(body.trunk for body in bodies)
    return Posture(
        hip_height=median(body.foot_drop - body.hip_drop for body in bodies) / trunk,
        head_height=median(body.hip_drop - body.nose_drop for body in bodies) / trunk,
    )


def is_low(posture: Posture) -> bool:
    """Tell whether somebody is on the ground or lies on something: their hips are hardly above their feet."""
    return posture.hip_height < LOW_HIPS


def is_up(posture: Posture) -> bool:
    """Tell whether somebody stands."""
    return posture.hip_height > HIGH_HIPS


def _down(vector: NDArray[np.float64], gravity: tuple[float, float, float]) -> float:
    return float(vector[1]) * gravity[1] + float(vector[2]) * gravity[2]


STRAIGHT: Final = 0.98
"""Distance from shoulders to ankles over the way by the hips, from which a body is straight. Ours: a knee bent by 25
degrees."""


def _straight_tilt(
    shoulders: NDArray[np.float64], hips: NDArray[np.float64], ankles: NDArray[np.float64]
) -> float | None:
    whole, upper, lower = ankles - shoulders, hips - shoulders, ankles - hips
    length = math.sqrt(float(whole @ whole))
    way = math.sqrt(float(upper @ upper)) + math.sqrt(float(lower @ lower))
    if length < STRAIGHT * way or whole[1] <= 0:
        return None
    return math.atan2(float(whole[2]), float(whole[1]))
