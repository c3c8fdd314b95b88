"""A person of the day: moves from posture to posture, each at its time, and is there only part of the day."""

from dataclasses import dataclass

import numpy as np
from tests.fakes.days.body import FIELDS, INDEX, Floats, angles, pelvis_height_m
from tests.fakes.days.room import Place

Span = tuple[float, float]

_MANNERS = {
    # mean seconds between small movements, radians of each, share of them large enough to wake the camera
    "busy": (4.0, 0.22, 0.8),
    "awake": (14.0, 0.12, 0.16),
    "doze": (32.0, 0.05, 0.02),
    "sleep": (40.0, 0.05, 0.02),
    "restless": (9.0, 0.2, 0.5),
    "hurt": (7.0, 0.15, 0.5),
}
LONGEST_QUIET_S = 150.0
"""Somebody who is well makes a small movement at least this often, asleep too."""
BREATH_RAD = 0.009
"""The trunk's tilt in a breath: about 4 mm at the shoulders."""
STEP_M = 1.1
"""A full stride of somebody who is ill; the phase of the gait turns once in it."""
_MOVABLE = [INDEX[name] for name in ("arm_l", "arm_r", "elbow_l", "elbow_r", "nod", "hip_l", "heading", "pitch")]


@dataclass(frozen=True)
class Move:
    """The posture reached at ``at_s``; ``power`` 0 is a smooth movement, 1 an even one, 2 an accelerated one."""

    at_s: float
    posture: Floats
    power: int
    wakes: bool


class Actor:
    """One person, written as a list of moves from their first second to their last."""

    def __init__(self, name: str, height_m: float, rng: np.random.Generator, at_s: float, place: Place) -> None:
        self.name = name
        self.height_m = height_m
        self.breath_hz = rng.uniform(0.2, 0.3)
        self._rng = rng
        self._moves: list[Move] = []
        self._moves.append(Move(at_s, self._posture("stand", place, None), 1, wakes=False))
        self.present: list[Span] = []
        self.covered: list[Span] = []
        self.still: list[Span] = []
        self.faint: list[Span] = []
        """While the detector hardly finds them."""
        self._since: float | None = at_s

    @property
    def now(self) -> float:
        """The second up to which this person's day is written."""
        return self._moves[-1].at_s

    @property
    def place(self) -> Place:
        """Where they are now."""
        x, y, heading = self._moves[-1].posture[[INDEX["x"], INDEX["y"], INDEX["heading"]]]
        return float(x), float(y), float(heading)

    def take(
        self, posture: str, seconds: float, *, at: Place | None = None, z: float | None = None, power: int = 0
    ) -> None:
        """Move into a posture, at a place, its pelvis ``z`` metres high (on the floor when not told)."""
        self._add(seconds, self._posture(posture, at or self.place, z), power=power)

    def walk(self, to: Place, speed: float = 0.8) -> None:
        """Turn to a place and walk there at ``speed`` metres a second; then take its heading."""
        x, y, _ = self.place
        way = float(np.hypot(to[0] - x, to[1] - y))
        if way > 0.05:
            heading = float(np.arctan2(to[1] - y, to[0] - x))
            self.take("stand", 0.8, at=(x, y, heading))
            heading, began, seconds = self.place[2], self.now, way / speed
            phase = float(self._moves[-1].posture[INDEX["phase"]])
            start = min(0.5, 0.4 / seconds)
            for share, gait in ((start, 1.0), (1 - start, 1.0), (1.0, 0.0)):
                there = self._posture("stand", (x + share * (to[0] - x), y + share * (to[1] - y), heading), None)
                there[INDEX["gait"]] = gait
                there[INDEX["phase"]] = phase + share * way / STEP_M * 2 * np.pi
                self._add(began + share * seconds - self.now, there, power=1)
        self.take("stand", 0.6, at=to)

    def wait(self, seconds: float, manner: str) -> None:
        """Stay in the present posture, with the small movements of a manner; ``still`` has none at all."""
        if seconds <= 0:
            return
        until, base = self.now + seconds, self._moves[-1].posture
        if manner == "still":
            self.still.append((self.now, until))
            self._moves.append(Move(until, base, 1, wakes=False))
            return
        gap, size, waking = _MANNERS[manner]
        while True:
            pause = min(self._rng.exponential(gap), LONGEST_QUIET_S)
            if self.now + pause + 1.5 >= until:
                break
            self._moves.append(Move(self.now + pause, self._moves[-1].posture, 1, wakes=False))
            wakes = bool(self._rng.random() < waking)
            change = np.zeros(len(FIELDS))
            some = self._rng.choice(_MOVABLE, size=3, replace=False)
            change[some] = self._rng.normal(0, size * (1.6 if wakes else 0.7), 3)
            for name in ("heading", "pitch", "hip_l"):
                change[INDEX[name]] *= 0.4
            change[[INDEX["hip_l"], INDEX["hip_r"]]] += change[INDEX["pitch"]]  # the legs stay where they are
            self._moves.append(Move(self.now + self._rng.uniform(0.6, 1.4), base + change, 0, wakes))
        self._moves.append(Move(until, self._moves[-1].posture, 1, wakes=False))

    def wait_until(self, at_s: float, manner: str) -> None:
        """Stay as in :meth:`wait` up to a second of the day."""
        self.wait(at_s - self.now, manner)

    def leave(self) -> None:
        """Be gone from here on (outside, in the bathroom)."""
        if self._since is not None:
            self.present.append((self._since, self.now))
            self._since = None

    def away(self, seconds: float, back: Place) -> None:
        """Be gone for a while and stand at ``back`` after it."""
        self.leave()
        self._moves.append(Move(self.now + seconds, self._posture("stand", back, None), 1, wakes=False))
        self._since = self.now

    def cover(self, since_s: float) -> None:
        """Note that they lay under the cover from a second until now."""
        self.covered.append((since_s, self.now))

    def waking_spans(self) -> list[Span]:
        """Return when their movements wake the camera."""
        return [(a.at_s, b.at_s) for a, b in zip(self._moves, self._moves[1:], strict=False) if b.wakes]

    def postures(self, t: Floats) -> Floats:
        """Return the postures at times ``t`` (seconds, shape ``(n,)``) as ``(n, len(FIELDS))``, breath included."""
        times = np.array([m.at_s for m in self._moves])
        keys = np.stack([m.posture for m in self._moves])
        powers = np.array([m.power for m in self._moves])
        after = np.clip(np.searchsorted(times, t, side="right"), 1, max(len(times) - 1, 1))
        after = np.minimum(after, len(times) - 1)
        before = np.maximum(after - 1, 0)
        length = np.maximum(times[after] - times[before], 1e-9)
        share = np.clip((t - times[before]) / length, 0.0, 1.0)
        power = powers[after]
        share = np.where(power == 0, share * share * (3 - 2 * share), np.where(power == 2, share * share, share))
        out: Floats = keys[before] + (keys[after] - keys[before]) * share[:, None]
        breath = BREATH_RAD * np.sin(2 * np.pi * self.breath_hz * t)
        out[:, INDEX["pitch"]] += np.where(within(self.still, t), 0.0, breath)
        return out

    def _add(self, seconds: float, posture: Floats, *, power: int) -> None:
        self._moves.append(Move(self.now + seconds, posture, power, wakes=True))

    def _posture(self, name: str, place: Place, z: float | None) -> Floats:
        out = np.zeros(len(FIELDS))
        for field, value in angles(name).items():
            out[INDEX[field]] = value
        x, y, heading = place
        if self._moves:  # the short way round
            last = self._moves[-1].posture[INDEX["heading"]]
            heading = last + (heading - last + np.pi) % (2 * np.pi) - np.pi
            out[INDEX["phase"]] = self._moves[-1].posture[INDEX["phase"]]
        out[[INDEX["x"], INDEX["y"], INDEX["heading"]]] = x, y, heading
        out[INDEX["z"]] = pelvis_height_m(name, self.height_m) if z is None else z
        return out


def within(spans: list[Span], t: Floats) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Say which times lie in one of the spans (each from its first second up to, not including, its last)."""
    inside = np.zeros(len(t), dtype=np.bool_)
    for a, b in spans:
        inside[np.searchsorted(t, a) : np.searchsorted(t, b)] = True
    return inside
