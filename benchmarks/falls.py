"""Falls in recorded clips: found and false, how soon, onto a bed or not, beside a plain rule and across subjects.

    python benchmarks/falls.py           under a minute

GMDCSA-24 (../shared/data/vision/gmdcsa24, 14 falls and 9 clips of daily living of 4 subjects, read by BlazePose) where
it is present; else clips of made people, which is said. Clips end seconds after the fall: whether a fall is found is
judged by the clip alone; for the time to its confirmation the last pose is held for a while, which is said too. The
plain rule is: upright, then lying for a second. The monitor's thresholds are the shipped ones; across subjects they are
chosen anew, from a grid, by the clips of the others: of equally good ones the nearest to the shipped ones, and, since
those have seen every clip, also the worst. The sets are small and say nothing about a ward.
"""

import json
import math
import re
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from tests.fakes.looks import Stage, judged

from forge_edge.monitor import body, drops, falls
from forge_edge.monitor.findings import Finding
from forge_edge.monitor.looks import Keypoints, Look
from forge_edge.monitor.zones import Zones
from forge_edge.vision.keypoint_log import KeypointLog
from forge_hub.alerts.trust import wilson
from forge_shared.plan import Watch

DATA = Path(__file__).parents[2] / "shared" / "data" / "vision" / "gmdcsa24"
RECORDED = "GMDCSA-24"
ONTO_BED = frozenset({("2", "Fall", "14"), ("4", "Fall", "01")})
"""By the data set's own description."""
LABEL = re.compile(r"Fall(?:ing)?\s*\(\w+\)?\s*\[([\d.]+)")
HELD_SECONDS, HELD_HZ = 15.0, 10.0
FALLS = Watch(kinds=("fall",))
GRID = (0.8, 1.0, 1.25)
GROUPS: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (drops, ("SINK", "HIP_SINK")),
    (drops, ("FAST_SINK", "LEAST_HIP_SINK")),
    (body, ("LOW_HIPS",)),
)
"""What is scaled together: how far one comes down in a fall, and in a quick one; how low one lies."""
SHIPPED = (1.0,) * len(GROUPS)
UPRIGHT_DEGREES, LYING_DEGREES, LYING_SECONDS = 45.0, 60.0, 1.0
"""Of the plain rule: how far the trunk leans in the picture."""


@dataclass(frozen=True)
class Clip:
    """One clip; ``began_s`` is where its label says that the fall begins, None in daily living."""

    subject: str
    name: str
    looks: tuple[Look, ...]
    is_fall: bool
    began_s: float | None = None
    onto_bed: bool = False


@dataclass(frozen=True)
class Counts:
    """What was found in some clips."""

    found: int
    falls: int
    false: int
    living: int

    @property
    def merit(self) -> float:
        """Sensitivity plus specificity, less one (Youden, Cancer 1950; 3: 32-35)."""
        return self.found / max(1, self.falls) - self.false / max(1, self.living)


def recorded() -> list[Clip]:
    """Return the clips of the data set; none where it is absent."""
    clips = []
    for path in sorted(DATA.glob("keypoints/*.npz")):
        _, subject, kind, number = path.stem.split("_")
        log = KeypointLog(path)
        moments = (log.at(index) for index in range(len(log.times)))
        looks = tuple(Look(one.at_s, one.people, aspect=log.aspect) for one in moments)
        began_s = _labelled(subject, number) if kind == "Fall" else None
        onto_bed = (subject, kind, number) in ONTO_BED
        clips.append(Clip(subject, path.stem, looks, kind == "Fall", began_s, onto_bed))
    return clips


def _labelled(subject: str, number: str) -> float | None:
    """Return where the label says that a fall begins."""
    for line in (DATA / "video" / f"Subject_{subject}" / "Fall.csv").read_text(encoding="utf-8").splitlines():
        if line.startswith(f"{number}.mp4") and (found := LABEL.search(line)):
            return float(found[1])
    return None


def made() -> list[Clip]:
    """Return clips of made people: in four rooms three falls, one onto the bed, and four acts of daily living."""
    clips = []
    for room in range(1, 5):
        for act in ("supine", "prone", "sideways", "bed", "chair", "bend", "kneel", "walk"):
            stage = Stage(room)
            somebody, places = stage.somebody("near"), stage.room.places
            somebody.walk(places["bedside" if act == "bed" else "chair_front" if act == "chair" else "mat"])
            somebody.wait(2, "awake")
            began_s = somebody.now
            match act:
                case "bed":
                    somebody.take("supine", 0.8, at=places["bed"], z=0.62, power=2)
                case "chair":
                    somebody.take("sit", 1.8, at=places["chair"], z=0.54)
                case "walk":
                    somebody.walk(places["window"])
                case _:
                    falling = act in {"supine", "prone", "sideways"}
                    somebody.take(act, 0.8 if falling else 1.5, power=2 if falling else 0)
            somebody.wait(4, "awake")
            is_fall = act in {"supine", "prone", "sideways", "bed"}
            looks = tuple(stage.looks(somebody.now))
            clips.append(Clip(str(room), act, looks, is_fall, began_s if is_fall else None, act == "bed"))
    return clips


def found_in(clip: Clip) -> Finding | None:
    """Return the first suspicion of a fall, by the clip alone and without zones."""
    return next(iter(judged(clip.looks, Zones({}), FALLS)), None)


def plainly_found_in(clip: Clip) -> bool:
    """Tell whether somebody was upright in the picture and then lay for a second."""
    upright, lying_since_s = False, None
    for look in clip.looks:
        if not look.people:
            continue
        lean = _lean_degrees(look.people[0], look.aspect)
        upright = upright or lean < UPRIGHT_DEGREES
        if lean < LYING_DEGREES:
            lying_since_s = None
        elif lying_since_s is None:
            lying_since_s = look.at_s
        elif upright and look.at_s - lying_since_s >= LYING_SECONDS:
            return True
    return False


def _lean_degrees(person: Keypoints, aspect: float) -> float:
    across, along = person[[23, 24], :2].mean(axis=0) - person[[11, 12], :2].mean(axis=0)
    return math.degrees(math.atan2(abs(float(across)), float(along) * aspect))


def counted(clips: Sequence[Clip], hits: Sequence[bool]) -> Counts:
    """Count falls found, and clips of daily living in which one was."""
    pairs = list(zip(clips, hits, strict=True))
    return Counts(
        sum(hit for clip, hit in pairs if clip.is_fall),
        sum(clip.is_fall for clip in clips),
        sum(hit for clip, hit in pairs if not clip.is_fall),
        sum(not clip.is_fall for clip in clips),
    )


def scaled(clips: Sequence[Clip], scales: Sequence[float]) -> list[bool]:
    """Tell in which clips a fall is found with the thresholds of each group times a factor."""
    shipped = {(module, name): getattr(module, name) for module, names in GROUPS for name in names}
    try:
        for (module, names), scale in zip(GROUPS, scales, strict=True):
            for name in names:
                setattr(module, name, shipped[module, name] * scale)
        return [found_in(clip) is not None for clip in clips]
    finally:
        for (module, name), value in shipped.items():
            setattr(module, name, value)


def beside_somebody(clips: Sequence[Clip]) -> list[bool]:
    """Tell in which clips a fall would be told if a grown-up had been seen beside them all the time."""
    name = "company_of"
    shipped = getattr(falls, name)
    try:
        setattr(falls, name, lambda *_, **__: [SimpleNamespace(height=None)])
        return [found_in(clip) is not None for clip in clips]
    finally:
        setattr(falls, name, shipped)


def lines(clips: Sequence[Clip], source: str) -> Iterator[dict[str, object]]:
    """Yield the figures."""
    first = [found_in(clip) for clip in clips]
    ours = counted(clips, [finding is not None for finding in first])
    bound = {"bound": "at least 12 of 14, at most 1 of 9"} if source == RECORDED else {}
    yield {**_rates("falls found", ours), **bound, "source": source}
    yield {**_rates("the plain rule", counted(clips, [plainly_found_in(clip) for clip in clips])), "source": source}
    yield {**_rates("beside somebody", counted(clips, beside_somebody(clips))), "source": source}
    yield from _times(clips)
    found = [(clip, finding) for clip, finding in zip(clips, first, strict=True) if clip.is_fall and finding]
    yield {
        "figure": "falls.onto_a_bed",
        "told_as_bed": sum(clip.onto_bed and finding.zone == "bed" for clip, finding in found),
        "of": sum(clip.onto_bed for clip in clips),
        "others_told_as_bed": sum(not clip.onto_bed and finding.zone == "bed" for clip, finding in found),
        "of_others": sum(clip.is_fall and not clip.onto_bed for clip in clips),
    }
    missed = [clip.name for clip, finding in zip(clips, first, strict=True) if clip.is_fall and finding is None]
    false = [clip.name for clip, finding in zip(clips, first, strict=True) if not clip.is_fall and finding]
    yield {"figure": "falls.clips", "missed": missed, "false": false}
    yield from _across_subjects(clips)


def _rates(name: str, counts: Counts) -> dict[str, object]:
    out: dict[str, object] = {"figure": f"falls.{name.replace(' ', '_')}"}
    for what, hits, of in (("found", counts.found, counts.falls), ("false", counts.false, counts.living)):
        share = wilson(hits, of)
        assert share is not None
        out |= {what: hits, f"{what}_of": of, f"{what}_interval": [round(share.low, 3), round(share.high, 3)]}
    return out


def _times(clips: Sequence[Clip]) -> Iterator[dict[str, object]]:
    """Yield the seconds from the labelled begin of a fall to what was concluded."""
    waits: dict[str, list[float]] = {"suspected": [], "confirmed": []}
    for clip in clips:
        if clip.began_s is None or found_in(clip) is None:
            continue
        stages = {finding.stage: finding.at_s for finding in judged(_held(clip), Zones({}), FALLS)}
        for stage, seconds in waits.items():
            if stage in stages:
                seconds.append(stages[stage] - clip.began_s)
    for stage, seconds in waits.items():
        yield {
            "figure": f"falls.seconds_to_{stage}",
            "median": round(statistics.median(seconds), 1) if seconds else None,
            "longest": round(max(seconds), 1) if seconds else None,
            "falls": len(seconds),
            **({"last_pose_held_s": HELD_SECONDS} if stage == "confirmed" else {}),
        }


def _held(clip: Clip) -> list[Look]:
    """Return a clip whose last pose goes on for a while after it."""
    last = next(look for look in reversed(clip.looks) if look.people)
    end_s = clip.looks[-1].at_s
    more = np.arange(1, round(HELD_SECONDS * HELD_HZ) + 1) / HELD_HZ
    return [*clip.looks, *(replace(last, at_s=end_s + float(passed)) for passed in more)]


def _across_subjects(clips: Sequence[Clip]) -> Iterator[dict[str, object]]:
    """Yield what is found in each subject's clips by thresholds that were chosen without them."""
    grid = list(product(GRID, repeat=len(GROUPS)))
    hits = {scales: scaled(clips, scales) for scales in grid}

    def merit(scales: tuple[float, ...], places: list[int]) -> float:
        return counted([clips[place] for place in places], [hits[scales][place] for place in places]).merit

    nearest, worst, equals = [False] * len(clips), [False] * len(clips), {}
    for subject in sorted({clip.subject for clip in clips}):
        theirs = [place for place, clip in enumerate(clips) if clip.subject == subject]
        others = [place for place, clip in enumerate(clips) if clip.subject != subject]
        most = max(merit(scales, others) for scales in grid)
        best = [scales for scales in grid if merit(scales, others) == most]
        equals[subject] = len(best)
        for held_out, scales in (
            (nearest, max(best, key=lambda scales: sum(scale == 1.0 for scale in scales))),
            (worst, min(best, key=lambda scales, theirs=theirs: merit(scales, theirs))),  # type: ignore[misc]  # bound now
        ):
            for place in theirs:
                held_out[place] = hits[scales][place]
    yield {**_rates("held out by subject", counted(clips, nearest)), "equally_good_settings": equals}
    yield _rates("held out by subject worst of equals", counted(clips, worst))
    counts = [counted(clips, hits[scales]) for scales in grid]
    yield {
        "figure": "falls.over_the_grid",
        "settings": len(grid),
        "found": [min(one.found for one in counts), max(one.found for one in counts)],
        "false": [min(one.false for one in counts), max(one.false for one in counts)],
        "within_the_bound": sum(one.found >= 12 and one.false <= 1 for one in counts),
    }


def main() -> None:
    """Print the figures, one JSON line each."""
    clips, source = recorded(), RECORDED
    if not clips:
        clips, source = made(), "made people"
    for line in lines(clips, source):
        print(json.dumps(line))


if __name__ == "__main__":
    main()
