"""What a camera without noise would tell of a made room: people who act, the picture as a whole, and what follows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tests.fakes.days.actor import Actor, within
from tests.fakes.days.body import LANDMARKS, skeleton
from tests.fakes.days.room import Room, build_room

from forge_edge.monitor.findings import Finding
from forge_edge.monitor.looks import Keypoints, Look, Measures
from forge_edge.monitor.monitor import Monitor
from forge_edge.monitor.zones import Zones
from forge_shared.plan import Watch

LOOKS_HZ = 10
NIGHT_S, DAY_S = 2 * 3600.0, 14 * 3600.0
"""Seconds since midnight: two at night, two in the afternoon."""
ROOM = Measures(luma=96.0, contrast=44.0, motion=0.6, scene=0x5A5A_F00F_1234_8421)
"""A room by day in which nothing happens."""
EVERYTHING = Watch(kinds=("fall", "bed_exit", "bed_edge", "left_room", "absent_long", "extra_person", "immobile"))

_TRUNK = [11, 12, 23, 24]
_MOST_AWAY = 0.6
"""Of the trunk, beyond a wall or out of the picture: then nobody is found."""


class Stage:
    """A room with people in it, whose acts are written before they are looked at.

    Args:
        seed: Of the room: its size and where the camera is.
    """

    def __init__(self, seed: int = 3) -> None:
        self.room: Room = build_room(np.random.default_rng(seed))
        self.zones = Zones.read(self.room.zones)
        self.actors: list[Actor] = []

    def somebody(self, place: str, at_s: float = 0.0) -> Actor:
        """Return somebody who stands at a place from a second on, until their last act."""
        actor = Actor("somebody", 1.7, np.random.default_rng(len(self.actors)), at_s, self.room.places[place])
        self.actors.append(actor)
        return actor

    def looks(self, until_s: float, *, day_s: float = DAY_S, hz: float = LOOKS_HZ) -> list[Look]:
        """Return what is seen up to a second; ``day_s`` is the time of day at the first look. Called once."""
        times = np.arange(round(until_s * hz)) / hz
        for actor in self.actors:
            actor.leave()
        seen = [self._seen(actor, times) for actor in self.actors]
        aspect = self.room.camera.h / self.room.camera.w
        return [
            Look(
                float(at_s),
                tuple(people[place] for people in seen if np.isfinite(people[place]).all()),
                # Noise of the sensor, without which a picture would be the one before.
                replace(ROOM, luma=ROOM.luma + 0.1 * (place % 7)),
                aspect=aspect,
                day_s=(day_s + float(at_s)) % 86_400,
            )
            for place, at_s in enumerate(times)
        ]

    def _seen(self, actor: Actor, times: NDArray[np.float64]) -> Keypoints:
        """Return where somebody is seen, ``(n, 33, 4)``; NaN while they are not there."""
        camera = self.room.camera
        joints = skeleton(actor.postures(times), actor.height_m)
        place, depth = camera.project(joints)
        hips = depth[:, [23, 24]].mean(axis=1)[:, None]
        out = np.empty((len(times), LANDMARKS, 4), np.float32)
        out[..., :2] = place
        out[..., 2] = (depth - hips) * camera.focal_px / hips / camera.w
        out[..., 3] = np.where(self.room.hidden(joints), 0.3, 0.95)
        away = self.room.outside(joints) | ((place < 0) | (place > 1)).any(axis=-1)
        gone = away[:, _TRUNK].mean(axis=1) > _MOST_AWAY
        out[gone | ~within(actor.present, times)] = np.nan
        return out


def judged(looks: Iterable[Look], zones: Zones, watch: Watch = EVERYTHING) -> list[Finding]:
    """Return what a monitor finds, as a room calls it: with every look, and every second without one."""
    monitor = Monitor(watch, zones)
    found: list[Finding] = []
    last_s: float | None = None
    for look in looks:
        while last_s is not None and last_s + 1 < look.at_s:
            last_s += 1
            found += monitor.tick(last_s)
        found += monitor.see(look)
        last_s = look.at_s
    return found


def steps(found: Sequence[Finding], kind: str) -> list[tuple[str, float]]:
    """Return stage and time of the findings of a kind."""
    return [(finding.stage, finding.at_s) for finding in found if finding.kind == kind]


def looks_of(arrays: Mapping[str, NDArray[Any]]) -> list[Look]:
    """Return the arrays of a simulated day, or a part of one, as looks."""
    points = arrays["kp"].astype(np.float32)
    there = ~np.isnan(points[:, :, 0, 0])
    aspect = float(arrays["h"]) / float(arrays["w"])
    measures = (arrays[name] for name in ("luma", "contrast", "motion", "scene"))
    return [
        Look(
            float(at_s),
            tuple(people[seen]),
            Measures(float(luma), float(contrast), float(motion), int(scene)),
            aspect=aspect,
            day_s=float(at_s) % 86_400,
        )
        for at_s, people, seen, luma, contrast, motion, scene in zip(arrays["t"], points, there, *measures, strict=True)
    ]
