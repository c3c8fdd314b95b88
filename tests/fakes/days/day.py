"""A day as a log: the frames, what the pose network and the picture say in each, the zones and what is true."""

import json
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray
from tests.fakes.days.actor import Span, within
from tests.fakes.days.body import LANDMARKS, Floats
from tests.fakes.days.detector import Seen, View, hide_each_other, observe, seated_nobody
from tests.fakes.days.picture import Light, blind_spans, light_of, measure
from tests.fakes.days.plan import script
from tests.fakes.days.room import Polygon
from tests.fakes.days.stage import HOUR_S, Limits, Stage, Truth

PEOPLE = 3
FAST_HZ = 10
"""Frames a second while anything moves; one a second otherwise."""
FAST_AFTER_S = 1.5
"""The camera stays awake this long after a movement."""

NOBODY = 0x7E7E
"""The bits of the NaN that is stored: two equal bytes, so that frames without people pack quickly."""

Blob = NDArray[np.generic]


@dataclass(frozen=True)
class Day:
    """One simulated day; ``arrays`` are those of ``day.npz``, by name."""

    arrays: dict[str, Blob]
    zones: dict[str, Polygon]
    truth: list[Truth]
    limits: Limits

    @property
    def incidents(self) -> list[Truth]:
        """What must be found, in order of time."""
        return [line for line in self.truth if line.kind != "benign"]

    def write(self, folder: Path) -> None:
        """Write ``day.npz``, ``zones.json``, ``truth.jsonl`` and ``patient.json`` into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(folder / "day.npz", "w") as packed:
            for name, array in self.arrays.items():
                entry = zipfile.ZipInfo(f"{name}.npy")  # dated 1980: the same bytes every time
                # bzip2: one implementation everywhere; deflate's bytes depend on the machine's zlib
                entry.compress_type = zipfile.ZIP_BZIP2
                with packed.open(entry, "w", force_zip64=True) as out:
                    npy.write_array(out, array, allow_pickle=False)
        _write_text(folder / "zones.json", json.dumps(self.zones, indent=1))
        _write_text(folder / "truth.jsonl", "\n".join(json.dumps(_line(line)) for line in self.truth))
        _write_text(folder / "patient.json", json.dumps(asdict(self.limits), indent=1))


def make_day(seed: int, *, hours: float = 24.0, from_hour: float = 0.0) -> Day:
    """Make the day of a seed, or the hours of it that are asked for.

    Args:
        seed: The whole day follows from it; a part of a day tells the same story as the whole.
        hours: How much of the day is seen, 0 < hours <= 24.
        from_hour: The hour of the day at which it begins.

    Returns:
        The log; its truth holds what begins in the hours that are seen.
    """
    stage = script(seed)
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, 2])))
    light = light_of(stage.picture, rng)
    since, until = from_hour * HOUR_S, min(from_hour + hours, 24.0) * HOUR_S
    t = _frame_times(stage, light, (since, until), rng)
    view = View(stage.room, t, light.is_infrared(t), within(blind_spans(stage.picture, "moved"), t))
    actors = [a for a in (stage.patient, *stage.others) if within(a.present, t).any()]
    people = [observe(a, view, rng) for a in actors]
    hide_each_other(people, rng)
    measured = measure(t, light, people, rng)
    kp = _slots(people, t, rng)
    _false_persons(kp, stage, t, rng)
    _leave_ghosts(kp, people, t, rng)
    unseen = blind_spans(stage.picture, "covered", "black") + stage.picture.passing + light.switches
    kp[within(unseen, t)] = np.nan
    for a, b in blind_spans(stage.picture, "frozen"):
        first = int(np.searchsorted(t, a))
        kp[first : np.searchsorted(t, b)] = kp[max(first - 1, 0)]
    kp.view(np.uint16)[np.isnan(kp)] = NOBODY
    camera = stage.room.camera
    arrays: dict[str, Blob] = {
        "t": t,
        "kp": kp,
        "luma": np.round(measured.luma, 2).astype(np.float32),
        "contrast": np.round(measured.contrast, 2).astype(np.float32),
        "motion": np.round(measured.motion, 2).astype(np.float32),
        "scene": measured.scene,
        "fps": np.array(float(FAST_HZ)),
        "w": np.array(camera.w),
        "h": np.array(camera.h),
    }
    truth = [line for line in stage.truth if since <= line.at_s < until]
    return Day(arrays, stage.room.zones, truth, stage.limits)


def _frame_times(stage: Stage, light: Light, seen: Span, rng: np.random.Generator) -> Floats:
    """Return when frames were taken: often while something in view moves, seldom else, never while the net is down."""
    picture = stage.picture
    ticks = np.arange(round(seen[0] * FAST_HZ), round(seen[1] * FAST_HZ))
    even = ticks / FAST_HZ
    fast = np.zeros(len(even), dtype=np.bool_)
    for actor in (stage.patient, *stage.others):
        spans = [(a, b + FAST_AFTER_S) for a, b in actor.waking_spans()]
        fast |= within(spans, even) & within(actor.present, even)
    sudden = [*light.switches, *picture.passing, *picture.refocus, *picture.false_person]
    fast |= within([(a - 0.2, b + FAST_AFTER_S) for a, b in sudden], even)
    fast &= ~within(blind_spans(picture, "covered", "frozen", "black"), even)
    fast |= within([(at, at + 2.0) for _, a, b in picture.blind for at in (a, b)], even)
    taken = (fast | (ticks % FAST_HZ == 0)) & ~within(blind_spans(picture, "dropped"), even)
    t = even[taken]
    late = np.clip(rng.normal(0.012, 0.006, len(t)), 0.0, 0.04)
    out: Floats = np.round(t + late, 3)
    return out


def _slots(people: list[Seen], t: Floats, rng: np.random.Generator) -> NDArray[np.float16]:
    """Put people into three places, which they now and then exchange."""
    kp = np.full((len(t), PEOPLE, LANDMARKS, 4), np.nan, dtype=np.float16)
    changes = np.cumsum(rng.random(len(t)) < 0.0015)
    orders = np.argsort(rng.random((int(changes[-1]) + 1 if len(t) else 1, PEOPLE)), axis=1)
    settled = rng.random(len(orders)) < 0.5  # after half of the changes the first is the first again
    orders[settled] = np.arange(PEOPLE)
    taken = np.zeros((len(t), PEOPLE), dtype=np.bool_)
    for seen in people:
        order = orders[changes[seen.index]]
        free = ~np.take_along_axis(taken[seen.index], order, axis=1)
        slot = order[np.arange(len(order)), np.argmax(free, axis=1)]
        room = free.any(axis=1)
        kp[seen.index[room], slot[room]] = seen.kp[room]
        taken[seen.index[room], slot[room]] = True
    return kp


def _false_persons(kp: NDArray[np.float16], stage: Stage, t: Floats, rng: np.random.Generator) -> None:
    index, nobody = seated_nobody(stage.room, stage.picture.false_person, t, rng)
    free = np.isnan(kp[index, PEOPLE - 1, 0, 0]) & (rng.random(len(index)) < 0.8)
    kp[index[free], PEOPLE - 1] = nobody[free]


def _leave_ghosts(kp: NDArray[np.float16], people: list[Seen], t: Floats, rng: np.random.Generator) -> None:
    """Keep the last pose of some who have left for a moment, as a tracker does."""
    for seen in people:
        for _, gone_s in seen.actor.present:
            found = np.flatnonzero(~np.isnan(seen.kp[:, 0, 0].astype(np.float64)) & (t[seen.index] < gone_s))
            if not len(found) or rng.random() > 0.35:
                continue
            last = seen.index[found[-1]]
            rows = np.arange(last + 1, np.searchsorted(t, t[last] + rng.uniform(0.5, 2.5)))
            rows = rows[np.isnan(kp[rows, PEOPLE - 1, 0, 0])]
            ghost = seen.kp[found[-1]].astype(np.float64)
            ghost[:, 3] = np.round(ghost[:, 3] * 0.5 * 256) / 256
            kp[rows, PEOPLE - 1] = ghost


def _line(truth: Truth) -> dict[str, object]:
    return {key: round(value, 2) if isinstance(value, float) else value for key, value in asdict(truth).items()}


def _write_text(path: Path, text: str) -> None:
    path.write_text(text + "\n", encoding="utf-8", newline="\n")
