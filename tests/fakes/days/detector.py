"""What a pose network reports of people: near where they are, and not always.

The constants were measured on 23 recorded clips of falls and daily living (GMDCSA-24, DOI 10.5281/zenodo.12921216)
read by BlazePose "full" in tracking mode, 1537 frames. Found: 0.97 of frames with an upright trunk, 0.90 leaning, 0.86
lying; runs without a pose last 1 to 43 frames. Nobody leapt by more than 0.6 trunk lengths between two frames. Left
and right were exchanged in 0.037 of frames, mostly lying ones.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tests.fakes.days.actor import Actor, Span, within
from tests.fakes.days.body import INDEX, LANDMARKS, Floats, skeleton
from tests.fakes.days.room import Camera, Room

CHUNK = 12_000
"""Frames computed at once."""

_FACE, _SHOULDERS, _HIPS = list(range(11)), [11, 12], [23, 24]
_ELBOWS, _HANDS = [13, 14], [15, 16, 17, 18, 19, 20, 21, 22]
_KNEES, _FEET = [25, 26], [27, 28, 29, 30, 31, 32]
_TRUNK = [*_SHOULDERS, *_HIPS]


def _each(*values: float) -> Floats:
    """Return one value for each landmark, from those of face, shoulders, elbows, hands, hips, knees and feet."""
    out = np.empty(LANDMARKS)
    for group, value in zip((_FACE, _SHOULDERS, _ELBOWS, _HANDS, _HIPS, _KNEES, _FEET), values, strict=True):
        out[group] = value
    return out


JITTER_UPRIGHT = _each(0.0030, 0.0018, 0.0042, 0.0060, 0.0026, 0.0070, 0.0110)
"""Standard deviation as a share of the trunk's length, from second differences of resting landmarks; 0.2 to 2 px."""
JITTER_LYING = _each(0.0038, 0.0036, 0.0095, 0.0130, 0.0033, 0.0052, 0.0070)
VISIBLE_UPRIGHT = _each(1.0, 1.0, 0.92, 0.76, 1.0, 0.90, 0.87)
"""Median visibility of what nothing hides."""
VISIBLE_LYING = _each(1.0, 1.0, 0.55, 0.48, 1.0, 0.77, 0.77)
EXCHANGED_UPRIGHT, EXCHANGED_LYING = 0.012, 0.045
"""Share of frames in which left and right are taken for each other."""

UPRIGHT, LEANING, LYING, COVERED, HIDDEN, FAINT = range(6)
LOSSES: dict[int, tuple[float, float]] = {
    # losses a second while found, mean seconds of a loss
    UPRIGHT: (0.09, 0.35),
    LEANING: (0.16, 0.7),
    LYING: (0.18, 0.9),
    COVERED: (0.035, 22.0),  # assumed: a cover hides the body; the face alone holds the track for a while
    HIDDEN: (0.9, 2.5),  # assumed
    FAINT: (6.0, 6.0),  # found in about a tenth of frames, as a person detector finds the fallen (0.09)
}
DARK_FACTOR = 2.0
"""Losses are this much more frequent in infra-red light (assumed)."""


@dataclass
class Seen:
    """One person as reported: ``kp`` float16 ``(n, 33, 4)``, NaN where not found, at the frames ``index``."""

    actor: Actor
    index: NDArray[np.int64]
    kp: NDArray[np.float16]
    box: Floats
    """``(n, 5)``: least and greatest x and y, and the distance in metres."""
    posture: NDArray[np.int8]
    moved: Floats
    """``(n,)``: mean way of a landmark since the frame before, share of the picture's width; not its noise."""


@dataclass(frozen=True)
class View:
    """What the camera looks at, and when; every array ``(n,)``."""

    room: Room
    t: Floats
    """Seconds of the day at which frames were taken."""
    dark: NDArray[np.bool_]
    """Whether only infra-red light is there."""
    knocked: NDArray[np.bool_]
    """Whether the camera has been moved."""


def observe(actor: Actor, view: View, rng: np.random.Generator) -> Seen:
    """Report one person at the frames of a log.

    Args:
        actor: The person.
        view: The frames.
        rng: Chance.

    Returns:
        The person at those frames in which they are in the room.
    """
    t, room, dark, knocked = view.t, view.room, view.dark, view.knocked
    index = np.flatnonzero(within(actor.present, t))
    n = len(index)
    seen = Seen(
        actor,
        index,
        np.full((n, LANDMARKS, 4), np.nan, dtype=np.float16),
        np.full((n, 5), np.nan),
        np.zeros(n, dtype=np.int8),
        np.zeros(n),
    )
    gone = np.zeros(n, dtype=np.bool_)
    covered = within(actor.covered, t[index])
    before: Floats | None = None
    for start in range(0, n, CHUNK):
        part = slice(start, min(start + CHUNK, n))
        frames = index[part]
        postures = actor.postures(t[frames])
        joints = skeleton(postures, actor.height_m)
        place, depth = room.camera.project(joints)
        if knocked[frames].any():
            other, other_depth = room.knocked.project(joints)
            place = np.where(knocked[frames, None, None], other, place)
            depth = np.where(knocked[frames, None], other_depth, depth)
        hidden = room.hidden(joints)
        hidden[covered[part]] |= np.isin(np.arange(LANDMARKS), [*_ELBOWS, *_HANDS, *_HIPS, *_KNEES, *_FEET])
        x, y = place[..., 0], place[..., 1]
        out_of_view = (x < 0) | (x > 1) | (y < 0) | (y > 1)
        lost_joints = room.outside(joints) | out_of_view
        gone[part] = lost_joints[:, _TRUNK].mean(axis=1) > 0.6
        lean = np.maximum(np.abs(postures[:, INDEX["pitch"]]), np.abs(postures[:, INDEX["side"]]))
        posture = np.where(lean > np.radians(60), LYING, np.where(lean > np.radians(30), LEANING, UPRIGHT))
        posture = np.where(hidden[:, _TRUNK].mean(axis=1) > 0.4, HIDDEN, posture)
        seen.posture[part] = np.where(covered[part], COVERED, posture)
        seen.kp[part] = _reported(place, depth, hidden | out_of_view, lean > np.radians(60), (room.camera, rng))
        seen.box[part, :2], seen.box[part, 2:4] = place.min(axis=1), place.max(axis=1)
        seen.box[part, 4] = depth[:, _HIPS].mean(axis=1)
        way = np.abs(np.diff(place[:, :, 0], axis=0, prepend=place[:1, :, 0] if before is None else before)).mean(
            axis=1
        )
        seen.moved[part] = np.where(gone[part], 0.0, way)
        before = place[-1:, :, 0]
    seen.posture[within(actor.faint, t[index])] = FAINT
    gone |= _lost(seen.posture, t[index], dark[index], rng)
    seen.kp[gone] = np.nan
    return seen


def _reported(
    place: Floats,
    depth: Floats,
    hidden: NDArray[np.bool_],
    lying: NDArray[np.bool_],
    by: tuple[Camera, np.random.Generator],
) -> Floats:
    n, (camera, rng) = len(place), by
    size = np.array([camera.w, camera.h])
    trunk = (place[:, _SHOULDERS].mean(axis=1) - place[:, _HIPS].mean(axis=1)) * size
    # a trunk seen from above is short, its jitter is not: never under what 0.3 m are at that distance
    scale = np.maximum(np.hypot(trunk[:, 0], trunk[:, 1]), 0.3 * camera.focal_px / depth[:, _HIPS].mean(axis=1))
    sigma = np.where(lying[:, None], JITTER_LYING, JITTER_UPRIGHT) * scale[:, None] * np.where(hidden, 4.0, 1.0)
    noise = rng.standard_normal((n, LANDMARKS, 2))
    noise[1:] = 0.8 * noise[1:] + 0.6 * noise[:-1]  # the network's own smoothing ties a frame to the one before
    astray = rng.random((n, 4)) < 0.012  # a limb is taken for something else
    for limb, joints in enumerate(([13, 15, 17, 19, 21], [14, 16, 18, 20, 22], [25, 27, 29, 31], [26, 28, 30, 32])):
        rows = np.flatnonzero(astray[:, limb])
        noise[rows[:, None], joints] *= rng.uniform(5.0, 14.0, len(rows))[:, None, None]
    out = np.empty((n, LANDMARKS, 4))
    out[..., :2] = place + noise * sigma[..., None] / size
    hip = depth[:, _HIPS].mean(axis=1)[:, None]
    relative = (depth - hip) * camera.focal_px / hip / camera.w
    out[..., 2] = np.round((relative + rng.normal(0, 0.02, (n, LANDMARKS))) * 128) / 128
    visible = np.where(lying[:, None], VISIBLE_LYING, VISIBLE_UPRIGHT)
    behind = depth > hip + 0.08  # the far arm and leg are hidden by the body
    visible = np.where(behind & (visible < 0.99), visible * 0.72, visible)
    visible = np.where(hidden, np.minimum(visible, 0.98) * 0.3, visible)
    spread = rng.normal(0, 0.09, (n, LANDMARKS)) * np.where(visible > 0.99, 0.06, 1.0)
    out[..., 3] = np.round(np.clip(visible - 0.002 + spread, 0.0, 1.0) * 256) / 256
    exchanged = rng.random(n) < np.where(lying, EXCHANGED_LYING, EXCHANGED_UPRIGHT)
    mirrored = np.array([0, 4, 5, 6, 1, 2, 3, 8, 7, 10, 9, *(i + 1 if i % 2 else i - 1 for i in range(11, LANDMARKS))])
    out[exchanged] = out[exchanged][:, mirrored]
    return out


def _lost(posture: NDArray[np.int8], t: Floats, dark: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.bool_]:
    """Say in which frames the network finds nobody where somebody is; a loss ends soon after its posture does."""
    lost = np.zeros(len(t), dtype=np.bool_)
    if not len(t):
        return lost
    for which, (rate, seconds) in LOSSES.items():
        mask = posture == which
        edges = np.flatnonzero(np.diff(mask.astype(np.int8), prepend=0, append=0))
        for first, end in edges.reshape(-1, 2):
            a, b = float(t[first]), float(t[min(end, len(t) - 1)])
            factor = DARK_FACTOR if dark[first] and which != FAINT else 1.0
            at = a + (rng.exponential(1 / (rate * factor)) if which != FAINT else 0.0)
            while at < b:
                long = min(rng.exponential(seconds), 8 * seconds)
                until = min(at + max(long, 0.1), b + 0.8)
                lost[np.searchsorted(t, at) : np.searchsorted(t, until)] = True
                pause = seconds / 8 if which == FAINT else 1 / (rate * factor)
                at = until + rng.exponential(pause)
    return lost


def hide_each_other(people: list[Seen], rng: np.random.Generator) -> None:
    """Lose most of the frames in which somebody's trunk is behind somebody who stands nearer to the camera."""
    for seen in people:
        middle = (seen.box[:, :2] + seen.box[:, 2:4]) / 2
        for other in people:
            if other is seen:
                continue
            _, mine, theirs = np.intersect1d(seen.index, other.index, assume_unique=True, return_indices=True)
            if not len(mine):
                continue
            box, at = other.box[theirs], middle[mine]
            inside = ((at > box[:, :2]) & (at < box[:, 2:4])).all(axis=1) & (box[:, 4] < seen.box[mine, 4] - 0.1)
            block = np.cumsum(rng.random(len(mine)) < 0.12)  # found or not for about eight frames at a time
            luck = rng.random(int(block[-1]) + 1)
            seen.kp[mine[inside & (luck[block] < 0.7)]] = np.nan


def seated_nobody(
    room: Room, spans: list[Span], t: Floats, rng: np.random.Generator
) -> tuple[NDArray[np.int64], Floats]:
    """Return a person who is not there, on the chair: the frames and the keypoints, unsteady and hardly visible."""
    index = np.flatnonzero(within(spans, t))
    ghost = Actor("nobody", 1.6, np.random.Generator(np.random.PCG64(0)), 0.0, room.places["chair"])
    ghost.take("slump", 0.1, at=room.places["chair"], z=0.5)
    joints = skeleton(ghost.postures(np.full(len(index), 0.2)), 1.6)
    place, depth = room.camera.project(joints)
    nowhere, lying = np.ones(depth.shape, dtype=np.bool_), np.ones(len(index), dtype=np.bool_)
    return index, _reported(place, depth, nowhere, lying, (room.camera, rng))
