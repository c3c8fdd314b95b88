"""A short scene: somebody comes into the room, stands, falls and lies there until a nurse helps them to bed.

A synthetic stream of keypoints, for a simulated camera: no camera and no network was ever part of it.
"""

import json
from pathlib import Path
from typing import Any, Final

import numpy as np
from tests.fakes.days.actor import Actor
from tests.fakes.days.body import LANDMARKS
from tests.fakes.days.day import FAST_HZ
from tests.fakes.days.detector import View, hide_each_other, observe
from tests.fakes.days.picture import light_of, measure
from tests.fakes.days.room import build_room
from tests.fakes.days.stage import HOUR_S, Limits, Picture, Stage

BEGINS_S: Final = 12 * HOUR_S
"""Noon: the light does not change in it."""
LIES_SECONDS: Final = 60.0
"""Until the nurse comes in: longer than a fall takes to be confirmed and a camera to be pulled and put back."""
ENDS_S: Final = BEGINS_S + 2 * HOUR_S
"""Once the nurse has gone the patient rests: a room that is shown to somebody stays a room that sees."""
SEED: Final = 7


def write_fall_scene(log: Path, zones: Path) -> float:
    """Write the scene as a simulated camera plays it, and the zones of its room.

    Args:
        log: The log of keypoints (``.npz``).
        zones: What staff drew over the picture (``zones.json``).

    Returns:
        When the fall begins, seconds after the beginning.
    """
    rng = np.random.Generator(np.random.PCG64(SEED))
    stage, fell_s = _play(rng)
    quick_until_s = max(other.now for other in stage.others)
    t = np.concatenate([np.arange(BEGINS_S, quick_until_s, 1 / FAST_HZ), np.arange(quick_until_s, ENDS_S, 1.0)])
    light = light_of(stage.picture, rng)
    nowhere = np.zeros(len(t), dtype=np.bool_)
    view = View(stage.room, t, nowhere, nowhere)
    people = [observe(actor, view, rng) for actor in (stage.patient, *stage.others)]
    hide_each_other(people, rng)
    measured = measure(t, light, people, rng)
    kp = np.full((len(t), len(people), LANDMARKS, 4), np.nan, dtype=np.float16)
    for place, seen in enumerate(people):
        kp[seen.index, place] = seen.kp
    camera = stage.room.camera
    arrays: dict[str, Any] = {
        "t": t - BEGINS_S,
        "kp": kp,
        "luma": measured.luma.astype(np.float32),
        "contrast": measured.contrast.astype(np.float32),
        "motion": measured.motion.astype(np.float32),
        "scene": measured.scene,
        "w": camera.w,
        "h": camera.h,
    }
    with log.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
    zones.write_text(json.dumps(stage.room.zones), encoding="utf-8")
    return fell_s - BEGINS_S


def _play(rng: np.random.Generator) -> tuple[Stage, float]:
    room = build_room(rng)
    patient = Actor("patient", 1.68, rng, BEGINS_S, room.places["door_out"])
    stage = Stage(
        room,
        rng,
        Limits(bed_exit=False),
        patient,
        seat="up",
        covered_since_s=None,
        picture=Picture(lights=[(BEGINS_S, ENDS_S)]),
    )
    stage.go("door")
    stage.go("centre")
    patient.wait(3.0, "busy")
    fell_s = stage.now
    x, y, heading = patient.place
    patient.take("sideways", 0.7, at=(x, y + 0.4, heading), power=2)
    stage.help_up(LIES_SECONDS, lit=False)
    stage.aftercare()
    stage.idle_until(ENDS_S)
    patient.leave()
    return stage, fell_s
