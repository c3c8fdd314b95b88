"""``forge-edge watch``: judges what a camera, a video or a log of keypoints shows, and prints what it concludes."""

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from pydantic import ValidationError

from forge_edge.errors import CameraEndedError, CameraLostError, NodeConfigError
from forge_edge.judgement import ZONES_FILE, read_zones
from forge_edge.monitor.findings import Finding
from forge_edge.monitor.looks import Look, Measures
from forge_edge.monitor.monitor import Monitor
from forge_edge.monitor.zones import Zones
from forge_edge.settings import NodeSettings
from forge_edge.update.slots import MODELS
from forge_edge.vision.camera import CameraSource, open_camera
from forge_edge.vision.keypoint_log import KeypointLog
from forge_edge.vision.masks import MASKS_FILE, MasksInForce
from forge_edge.vision.picture import Measured, Meter
from forge_shared.plan import Watch

EVERYTHING: Final = Watch(
    kinds=("fall", "bed_exit", "bed_edge", "left_room", "absent_long", "extra_person", "immobile")
)
MOST_HZ: Final = 10.0
"""Looks a second at a recording, as in a room where something moves."""
WAIT_SECONDS: Final = 0.5
TICK_SECONDS: Final = 1.0
DAY_SECONDS: Final = 86_400.0


def watch(settings: NodeSettings, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield a line for each finding, as soon as it is made.

    Raises:
        CameraLostError: The source cannot be read.
        NodeConfigError: Zones, masks or plan cannot be read.
        EngineMissingError: The networks are missing.
    """
    monitor = Monitor(_plan(options.watch), _zones(settings, options.zones))
    begins = None if options.begins is None else 3600.0 * options.begins.hour + 60.0 * options.begins.minute
    log = _Log()
    last_s: float | None = None
    for look in _looks(settings, options.source):
        for at_s in _ticks(last_s, look.at_s):
            yield from map(_line, monitor.tick(at_s))
        day_s = None if begins is None else (begins + look.at_s) % DAY_SECONDS
        if options.keypoints is not None:
            log.add(look)
        yield from map(_line, monitor.see(replace(look, day_s=day_s)))
        last_s = look.at_s
    if options.keypoints is not None:
        log.write(options.keypoints)


def _line(finding: Finding) -> dict[str, Any]:
    line: dict[str, Any] = {
        "kind": finding.kind,
        "stage": finding.stage,
        "at_s": round(finding.at_s, 3),
        "zone": finding.zone,
        "confidence": round(finding.confidence, 2),
        "began_s": round(finding.began_s, 3),
        "incident": finding.incident,
    }
    return line if finding.cause is None else {**line, "cause": finding.cause}


def _ticks(last_s: float | None, until_s: float) -> Iterator[float]:
    """Yield the seconds between two looks, in which a room would notice that no picture comes."""
    at_s = until_s if last_s is None else last_s + TICK_SECONDS
    while at_s < until_s:
        yield at_s
        at_s += TICK_SECONDS


def _looks(settings: NodeSettings, text: str) -> Iterator[Look]:
    if text.endswith(".npz"):
        yield from _logged(Path(text).expanduser())
    else:
        yield from _seen(settings, CameraSource.of(text))


def _logged(path: Path) -> Iterator[Look]:
    log = KeypointLog(path)
    for index in range(len(log.times)):
        moment = log.at(index)
        yield Look(moment.at_s, moment.people, _measures(moment.measured), aspect=log.aspect)


def _seen(settings: NodeSettings, source: CameraSource) -> Iterator[Look]:
    from forge_edge.vision.finder import attention, finder  # noqa: PLC0415 (a log of keypoints needs no network)

    masks = MasksInForce(settings.folder / MASKS_FILE)
    recorded = source.kind == "file"
    camera = open_camera(source, speed=None, most_hz=MOST_HZ, begins_s=0.0)
    reader, meter, is_due = finder(settings.folder / MODELS), Meter(), attention()
    people: tuple[Any, ...] = ()
    began_s: float | None = None
    try:
        while True:
            frame = camera.frame(WAIT_SECONDS)
            if frame is None:
                continue
            began_s = frame.at_s if began_s is None else began_s
            masks.now().burn(frame.picture)
            measured = meter.measure(frame.picture)
            # Every picture of a recording is looked at: there are few, and the last second counts.
            looked = recorded or is_due(frame.picture, frame.at_s)
            if looked:
                people = tuple(reader.read(frame.picture))
            height, width = frame.picture.shape[:2]
            at_s = frame.at_s if recorded else frame.at_s - began_s
            yield Look(at_s, people, _measures(measured), aspect=height / width, looked=looked)
    except CameraEndedError:
        return
    finally:
        camera.close()


def _measures(measured: Measured | None) -> Measures | None:
    if measured is None:
        return None
    return Measures(measured.luma, measured.contrast, measured.motion, measured.scene)


def _zones(settings: NodeSettings, path: Path | None) -> Zones:
    if path is None:
        return read_zones(settings.folder / ZONES_FILE)
    if not path.exists():
        raise NodeConfigError(f"there is no file {path.name} with zones")
    return read_zones(path)


def _plan(path: Path | None) -> Watch:
    if path is None:
        return EVERYTHING
    try:
        return Watch.model_validate_json(path.read_bytes())
    except OSError:
        raise NodeConfigError(f"cannot read {path.name}") from None
    except ValidationError as error:
        where = ", ".join(sorted({".".join(map(str, item["loc"])) for item in error.errors()}))
        raise NodeConfigError(f"{path.name} does not say what to watch for: see {where or 'its JSON'}") from None


class _Log:
    """Keypoints that are kept to be written as `forge_edge.vision.keypoint_log` reads them."""

    def __init__(self) -> None:
        self._looks: list[Look] = []

    def add(self, look: Look) -> None:
        self._looks.append(look)

    def write(self, path: Path) -> None:
        most = max((len(look.people) for look in self._looks), default=1) or 1
        points = np.full((len(self._looks), most, 33, 4), np.nan, np.float16)
        for row, look in enumerate(self._looks):
            for place, person in enumerate(look.people):
                points[row, place] = person
        times = np.array([look.at_s for look in self._looks], np.float64)
        passed = float(times[-1] - times[0]) if len(times) > 1 else 0.0
        arrays: dict[str, Any] = {
            "t": times,
            "kp": points[:, 0] if most == 1 else points,
            "fps": np.array((len(times) - 1) / passed if passed else 0.0),
            "w": np.array(1000),
            "h": np.array(round(1000 * (self._looks[0].aspect if self._looks else 0.75))),
        }
        known = [look.measures for look in self._looks if look.measures is not None]
        if known and len(known) == len(self._looks):
            arrays |= {
                "luma": np.array([one.luma for one in known], np.float32),
                "contrast": np.array([one.contrast for one in known], np.float32),
                "motion": np.array([one.motion for one in known], np.float32),
                "scene": np.array([one.scene for one in known], np.uint64),
            }
        try:
            with path.open("wb") as file:
                np.savez_compressed(file, allow_pickle=False, **arrays)
        except OSError as error:
            raise CameraLostError(f"cannot write {path.name}: {error.strerror}") from None
