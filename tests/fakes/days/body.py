"""A human body: a posture in 15 angles and a place, and where the 33 landmarks of BlazePose then are.

Lengths are shares of the standing height, after Drillis and Contini (1966) as printed in Winter, "Biomechanics and
Motor Control of Human Movement", fig. 4.1; distances of shoulders and hips are those of the joints' centres.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FIELDS = (
    "x",  # pelvis in the room, m
    "y",
    "z",
    "heading",  # rad, anticlockwise from the room's x axis
    "pitch",  # rad, trunk: 0 upright, +90 degrees face down, -90 degrees on the back
    "roll",  # rad, round the trunk's long axis
    "side",  # rad, leaning to the left
    "hip_l",  # rad, flexion; equal to the pitch when the thigh hangs straight down
    "hip_r",
    "knee_l",
    "knee_r",
    "arm_l",
    "arm_r",
    "elbow_l",
    "elbow_r",
    "nod",  # rad, head sunk forward
    "gait",  # 0 standing .. 1 full stride
    "phase",  # rad, of the stride
)
"""One posture is a float64 vector of these."""
INDEX = {name: index for index, name in enumerate(FIELDS)}
LANDMARKS = 33

THIGH, SHANK, ANKLE = 0.245, 0.246, 0.039
TRUNK, UPPER_ARM, FOREARM, HAND = 0.288, 0.186, 0.146, 0.07
SHOULDERS, HIPS, NECK, HEAD = 0.22, 0.115, 0.06, 0.055
LEG = THIGH + SHANK + ANKLE
STRIDE_RAD = np.radians(24.0)
"""Swing of the thigh in a slow walk."""

_DEGREES = {
    "stand": {},
    "bend": {"pitch": 75, "hip_l": 75, "hip_r": 75, "knee_l": 12, "knee_r": 12, "arm_l": 80, "arm_r": 95},
    "lean": {"pitch": 42, "hip_l": 42, "hip_r": 42, "arm_l": 60, "arm_r": 70, "elbow_l": 25, "elbow_r": 25},
    "crouch": {"pitch": 35, "hip_l": 125, "hip_r": 115, "knee_l": 120, "knee_r": 115, "arm_l": 60, "arm_r": 60},
    "kneel": {"pitch": 25, "hip_l": 25, "hip_r": 25, "knee_l": 95, "knee_r": 95, "arm_l": 50, "arm_r": 55},
    "kneel_low": {"pitch": 80, "hip_l": 80, "hip_r": 80, "knee_l": 95, "knee_r": 95, "arm_l": 85, "arm_r": 120},
    "sit": {"pitch": -6, "hip_l": 82, "hip_r": 80, "knee_l": 82, "knee_r": 84, "arm_l": 25, "arm_r": 25,
            "elbow_l": 60, "elbow_r": 60},
    "slump": {"pitch": 18, "hip_l": 95, "hip_r": 92, "knee_l": 70, "knee_r": 65, "arm_l": 12, "arm_r": 15,
              "elbow_l": 45, "elbow_r": 40, "nod": 48, "side": 12},
    "edge": {"pitch": 14, "hip_l": 95, "hip_r": 95, "knee_l": 80, "knee_r": 80, "arm_l": 5, "arm_r": 5,
             "elbow_l": 10, "elbow_r": 10, "nod": 15},
    "floor_sit": {"pitch": -8, "hip_l": 85, "hip_r": 78, "knee_l": 30, "knee_r": 20, "arm_l": 20, "arm_r": 20,
                  "elbow_l": 30, "elbow_r": 30},
    "propped": {"pitch": -45, "hip_l": 40, "hip_r": 42, "knee_l": 8, "knee_r": 8, "arm_l": 20, "arm_r": 20,
                "elbow_l": 50, "elbow_r": 50},
    "supine": {"pitch": -85, "hip_l": 6, "hip_r": 8, "knee_l": 10, "knee_r": 12, "arm_l": 8, "arm_r": 8,
               "elbow_l": 25, "elbow_r": 25},
    "on_side": {"pitch": -88, "roll": 80, "hip_l": 35, "hip_r": 25, "knee_l": 50, "knee_r": 40, "arm_l": 45,
                "arm_r": 30, "elbow_l": 60, "elbow_r": 50},
    "on_other_side": {"pitch": -88, "roll": -80, "hip_l": 25, "hip_r": 40, "knee_l": 40, "knee_r": 55, "arm_l": 30,
                      "arm_r": 45, "elbow_l": 50, "elbow_r": 60},
    "prone": {"pitch": 86, "roll": 5, "hip_l": -4, "hip_r": 0, "knee_l": 8, "knee_r": 12, "arm_l": 140,
              "arm_r": 110, "elbow_l": 30, "elbow_r": 40},
    "sideways": {"side": 86, "hip_l": 30, "hip_r": 18, "knee_l": 40, "knee_r": 25, "arm_l": 70, "arm_r": 35,
                 "elbow_l": 40, "elbow_r": 50},
}  # fmt: skip
_ANGLES = tuple(name for name in FIELDS if name not in {"x", "y", "z", "heading", "gait", "phase"})


def angles(name: str) -> dict[str, float]:
    """Return a named posture's angles in radians; those not named are zero."""
    chosen: Mapping[str, float] = _DEGREES[name]
    return {field: float(np.radians(chosen.get(field, 0.0))) for field in _ANGLES}


def pelvis_height_m(name: str, height_m: float) -> float:
    """Return how high the pelvis is in a posture taken on the floor."""
    share = {
        "stand": LEG, "lean": LEG - 0.01, "bend": LEG - 0.015, "crouch": 0.2, "kneel": THIGH + 0.03,
        "kneel_low": THIGH + 0.01, "floor_sit": 0.065, "on_side": 0.095, "on_other_side": 0.095, "sideways": 0.095,
    }.get(name, 0.07)  # fmt: skip
    return share * height_m


def skeleton(postures: Floats, height_m: float) -> Floats:
    """Return the landmarks of postures.

    Args:
        postures: Shape ``(n, len(FIELDS))``.
        height_m: Standing height in metres.

    Returns:
        Shape ``(n, 33, 3)``: x, y and z in the room, metres.
    """
    p = {name: postures[:, i, None] for name, i in INDEX.items()}
    stride = STRIDE_RAD * p["gait"] * np.sin(p["phase"])
    lift = 0.7 * STRIDE_RAD * p["gait"]
    out = np.empty((len(postures), LANDMARKS, 3))
    front, left, up = _trunk_axes(p)
    pelvis = np.concatenate([p["x"], p["y"], p["z"]], axis=1)
    chest = pelvis + up * TRUNK * height_m
    crown = up * np.cos(p["nod"]) + front * np.sin(p["nod"])
    head = chest + crown * NECK * height_m
    brow = front * np.cos(p["nod"]) - up * np.sin(p["nod"])
    _face(out, head, (brow, left, crown), height_m)
    for side, s in (("l", 0), ("r", 1)):
        sign = 1.0 if side == "l" else -1.0
        swing = stride * sign
        shoulder = chest + left * (sign * SHOULDERS / 2 * height_m)
        a = p[f"arm_{side}"] - 0.7 * swing
        b = a + p[f"elbow_{side}"]
        elbow = shoulder + (front * np.sin(a) - up * np.cos(a) + left * (0.12 * sign)) * UPPER_ARM * height_m
        along = front * np.sin(b) - up * np.cos(b)
        wrist = elbow + along * FOREARM * height_m
        out[:, 11 + s], out[:, 13 + s], out[:, 15 + s] = shoulder, elbow, wrist
        for landmark, spread, reach in ((17, 0.02, 0.9), (19, 0.0, 1.0), (21, -0.02, 0.6)):
            out[:, landmark + s] = wrist + (along * HAND * reach + left * (spread * sign)) * height_m
        hip = pelvis + left * (sign * HIPS / 2 * height_m)
        h = p[f"hip_{side}"] + swing
        k = h - p[f"knee_{side}"] - lift * np.maximum(0.0, np.cos(p["phase"]) * sign)
        knee = hip + (front * np.sin(h) - up * np.cos(h) + left * (0.03 * sign)) * THIGH * height_m
        shin = front * np.sin(k) - up * np.cos(k)
        toes = front * np.cos(k) + up * np.sin(k)
        ankle = knee + shin * SHANK * height_m
        out[:, 23 + s], out[:, 25 + s], out[:, 27 + s] = hip, knee, ankle
        out[:, 29 + s] = ankle + (shin * 0.03 - toes * 0.03) * height_m
        out[:, 31 + s] = ankle + (shin * 0.035 + toes * 0.11) * height_m
    out[..., 2] = np.maximum(out[..., 2], 0.02)  # nobody sinks into the floor
    return out


def _trunk_axes(p: Mapping[str, Floats]) -> tuple[Floats, Floats, Floats]:
    """Return the trunk's forward, left and upward directions, each ``(n, 3)``."""
    zero = np.zeros_like(p["heading"])
    front = np.concatenate([np.cos(p["heading"]), np.sin(p["heading"]), zero], axis=1)
    left = np.concatenate([-np.sin(p["heading"]), np.cos(p["heading"]), zero], axis=1)
    up = np.concatenate([zero, zero, zero + 1.0], axis=1)
    up, left = _turned(up, left, p["side"])
    up, front = _turned(up, front, p["pitch"])
    front, left = _turned(front, left, p["roll"])
    return front, left, up


def _turned(one: Floats, other: Floats, angle: Floats) -> tuple[Floats, Floats]:
    """Turn two directions at right angles in their plane, the first towards the second."""
    return one * np.cos(angle) + other * np.sin(angle), other * np.cos(angle) - one * np.sin(angle)


def _face(out: Floats, neck: Floats, axes: tuple[Floats, Floats, Floats], height_m: float) -> None:
    front, left, up = axes
    middle = neck + up * HEAD * height_m
    for landmark, (forward, aside, above) in {
        0: (0.06, 0.0, 0.0),
        1: (0.05, 0.009, 0.02), 2: (0.05, 0.018, 0.02), 3: (0.045, 0.025, 0.02),
        4: (0.05, -0.009, 0.02), 5: (0.05, -0.018, 0.02), 6: (0.045, -0.025, 0.02),
        7: (0.0, 0.043, 0.01), 8: (0.0, -0.043, 0.01),
        9: (0.05, 0.015, -0.02), 10: (0.05, -0.015, -0.02),
    }.items():  # fmt: skip
        out[:, landmark] = middle + (front * forward + left * aside + up * above) * height_m
