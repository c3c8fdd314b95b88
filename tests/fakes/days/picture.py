"""What is measured of the picture as a whole: light, contrast, movement and a fingerprint; and when it fails."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tests.fakes.days.actor import Span, within
from tests.fakes.days.body import Floats
from tests.fakes.days.detector import Seen
from tests.fakes.days.stage import DAY_S, Picture

INFRARED_BELOW = 20.0
"""Mean brightness under which the camera goes over to infra-red light."""
SWITCHING_S = (1.5, 6.0)
"""How long nobody is found when the camera goes over to or from infra-red light."""


@dataclass(frozen=True)
class Light:
    """How the room is lit through the day."""

    sunrise_s: float
    sunset_s: float
    clouds: Floats
    """One value in 0.6..1 for each minute of the day."""
    switches: list[Span]
    """Each change to or from infra-red light, with the seconds in which nobody is found."""
    picture: Picture

    def brightness(self, t: Floats) -> Floats:
        """Return the mean brightness without infra-red light, 0..255."""
        sun = np.clip(np.sin(np.pi * (t - self.sunrise_s) / (self.sunset_s - self.sunrise_s)), 0, 1)
        clouds = np.interp(t, np.arange(len(self.clouds)) * 60.0, self.clouds)
        lamp = within(self.picture.lights, t) * 65.0
        out: Floats = 6 + 90 * np.sqrt(sun) * clouds + lamp
        return out

    def is_infrared(self, t: Floats) -> NDArray[np.bool_]:
        """Say when only infra-red light is there."""
        dark: NDArray[np.bool_] = self.brightness(t) < INFRARED_BELOW
        return dark


def light_of(picture: Picture, rng: np.random.Generator) -> Light:
    """Choose the day's weather and find when the camera goes over to infra-red light."""
    steps = rng.normal(0, 0.03, int(DAY_S / 60) + 2)
    clouds = np.clip(0.85 + np.convolve(np.cumsum(steps) * 0.3, np.ones(5) / 5, mode="same"), 0.6, 1.0)
    light = Light(rng.uniform(6.0, 7.2) * 3600, rng.uniform(18.5, 20.0) * 3600, clouds, [], picture)
    each_second = np.arange(0, DAY_S)
    changes = np.flatnonzero(np.diff(light.is_infrared(each_second)))
    light.switches.extend((float(a), float(a) + rng.uniform(*SWITCHING_S)) for a in changes)
    return light


def blind_spans(picture: Picture, *kinds: str) -> list[Span]:
    """Return when the picture fails in one of these ways."""
    return [(a, b) for what, a, b in picture.blind if what in kinds]


@dataclass
class Measured:
    """The whole picture at each frame; every array ``(n,)``."""

    luma: Floats
    contrast: Floats
    motion: Floats
    scene: NDArray[np.uint64]


def measure(t: Floats, light: Light, people: list[Seen], rng: np.random.Generator) -> Measured:
    """Measure the picture at the frames ``t``."""
    n, picture = len(t), light.picture
    infrared = light.is_infrared(t)
    luma = np.where(infrared, 58.0, light.brightness(t)) + rng.normal(0, 0.25, n)
    contrast = np.where(infrared, 27.0, 20 + 0.24 * luma + 4 * np.sin(2 * np.pi * t / 9000)) + rng.normal(0, 0.15, n)
    motion = np.where(infrared, 1.1, 0.55) + rng.normal(0, 0.04, n)
    for seen in people:
        area = np.clip(np.prod(seen.box[:, 2:4] - seen.box[:, :2], axis=1), 0, 0.3)
        np.add.at(motion, seen.index, np.minimum(seen.moved * 1500 * area, 14.0))
        np.add.at(luma, seen.index, -8 * area)
    television = within(picture.television, t)
    flicker = rng.normal(0, 1.6, n) * television
    luma += flicker
    motion += np.abs(flicker) * 0.5
    for a, b in light.switches:
        settling = within([(a, min(a + 1.2, b))], t)
        luma[settling] = rng.uniform(120, 210)
        contrast[settling] *= 0.5
    refocusing = within(picture.refocus, t)
    contrast[refocusing] *= 0.45
    motion[refocusing] += 2.5
    scene = _fingerprint(t, infrared, people, rng)
    _fail(t, picture, (luma, contrast, motion, scene), rng)
    jump = np.abs(np.diff(luma, prepend=luma[:1]))
    motion += np.where(jump > 6, jump * 0.8, 0.0)
    return Measured(np.clip(luma, 0, 255), np.clip(contrast, 0, 127), np.clip(motion, 0, 255), scene)


def _bits(positions: NDArray[np.int64]) -> np.uint64:
    return np.uint64(sum(1 << int(p) for p in positions))


def _fingerprint(
    t: Floats, infrared: NDArray[np.bool_], people: list[Seen], rng: np.random.Generator
) -> NDArray[np.uint64]:
    order = rng.permutation(64)
    scene = np.full(len(t), rng.integers(0, 2**64, dtype=np.uint64), dtype=np.uint64)
    scene ^= np.where(infrared, _bits(order[:9]), np.uint64(0))
    for seen in people:
        middle = (seen.box[:, :2] + seen.box[:, 2:4]) / 2
        cell = np.clip(middle * 6, 0, 5).astype(np.int64) @ np.array([6, 1])
        masks = np.array([_bits(order[[9 + c % 27, 36 + c % 28]]) for c in range(36)], dtype=np.uint64)
        scene[seen.index] ^= masks[cell]
    noisy = rng.random(len(t)) < 0.1
    scene[noisy] ^= np.uint64(1) << rng.integers(0, 64, int(noisy.sum()), dtype=np.uint64)
    return scene


def _fail(
    t: Floats,
    picture: Picture,
    arrays: tuple[Floats, Floats, Floats, NDArray[np.uint64]],
    rng: np.random.Generator,
) -> None:
    luma, contrast, motion, scene = arrays
    failures = [*picture.blind, *(("passing", a, b) for a, b in picture.passing)]
    for what, a, b in failures:
        rows = slice(int(np.searchsorted(t, a)), int(np.searchsorted(t, b)))
        count = rows.stop - rows.start
        flipped = _bits(rng.permutation(64)[: int(rng.integers(27, 39))])
        if not count:
            continue
        if what in {"covered", "passing"}:
            luma[rows] = rng.uniform(12, 60) + rng.normal(0, 0.3, count)
            contrast[rows] = rng.uniform(1.5, 7) + rng.normal(0, 0.1, count)
        elif what == "black":
            luma[rows] = rng.uniform(0.2, 3)
            contrast[rows] = rng.uniform(0.1, 1.2)
            scene[rows] = np.uint64(0)
        if what in {"covered", "passing", "moved"}:
            scene[rows] ^= flipped
        if what in {"covered", "passing", "black"}:
            motion[rows] = 0.3 if what != "black" else 0.05
        if what == "frozen" and rows.start:
            for values in (luma, contrast, scene):
                values[rows] = values[rows.start - 1]
            motion[rows] = 0.0
        else:
            motion[rows.start] += 35.0
