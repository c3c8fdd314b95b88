"""A log of keypoints, declared as such, that takes the place of a camera and a network: a simulated room.

The file is a ``.npz`` with ``t``, seconds that rise, shape ``(n,)``, and ``kp``, ``(n, 33, 4)`` or
``(n, people, 33, 4)``, as `forge_edge.vision.ports.Keypoints`, NaN where nobody was found; ``luma``, ``contrast``,
``motion`` and ``scene``, ``(n,)``, where the pictures were measured too; ``w`` and ``h``, the pictures' size.
"""

import time
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.lib.npyio import NpzFile
from numpy.typing import NDArray

from forge_edge.errors import CameraEndedError, CameraLostError, CameraSilentError
from forge_edge.vision.live import SILENT_SECONDS
from forge_edge.vision.picture import Measured
from forge_edge.vision.ports import LANDMARKS, Keypoints

USUAL_ASPECT = 0.75
"""Height over width of pictures whose size is not told."""
_MEASURES = ("luma", "contrast", "motion", "scene")


@dataclass(frozen=True, slots=True)
class Logged:
    """One moment of a log, ``at_s`` by the log's own clock."""

    at_s: float
    people: tuple[Keypoints, ...]
    measured: Measured | None


class KeypointLog:
    """A log as it was written.

    Attributes:
        aspect: Height of the pictures over their width.
        times: Seconds, shape ``(n,)``.

    Raises:
        CameraLostError: It cannot be read, or is none.
    """

    def __init__(self, path: Path) -> None:
        try:
            with path.open("rb") as raw, _archive(raw) as file:
                self.times: NDArray[np.float64] = file["t"].astype(np.float64)
                people = file["kp"]
                measures = {name: file[name] for name in _MEASURES if name in file}
                self.aspect = float(file["h"]) / float(file["w"]) if {"w", "h"} <= set(file) else USUAL_ASPECT
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
            raise CameraLostError(f"{path.name} is no log of keypoints") from None
        if people.ndim == 3:  # noqa: PLR2004 (one person)
            people = people[:, None]
        count = len(self.times)
        fits = self.times.ndim == 1 and people.shape[2:] == (LANDMARKS, 4)
        if not fits or any(len(array) != count for array in (people, *measures.values())):
            raise CameraLostError(f"{path.name} is no log of keypoints: its arrays do not fit together")
        if not np.all(np.diff(self.times) >= 0):
            raise CameraLostError(f"{path.name} is no log of keypoints: its times do not rise")
        self._people = people
        self._measures = measures if len(measures) == len(_MEASURES) else None

    def at(self, index: int) -> Logged:
        """Return one moment, from 0."""
        people = tuple(person for person in self._people[index].astype(np.float32) if np.isfinite(person).all())
        return Logged(float(self.times[index]), people, self._measured(index))

    def _measured(self, index: int) -> Measured | None:
        if self._measures is None:
            return None
        luma, contrast, motion = (float(self._measures[name][index]) for name in _MEASURES[:3])
        return Measured(luma, contrast, motion, int(self._measures["scene"][index]))


class PlayedLog:
    """Plays a log at its own pace. Its file is the camera's cable: while it is gone, the camera is.

    Args:
        path: The log.
        speed: 1 is its own pace; None: as fast as it is taken.
        begins_s: The time of its first moment; None: now, on the machine's monotonic clock.

    Raises:
        CameraLostError: It cannot be read, or is none.
    """

    def __init__(self, path: Path, *, speed: float | None = 1.0, begins_s: float | None = None) -> None:
        self._path = path
        self._log = KeypointLog(path)
        self._speed = speed
        self._started = time.monotonic()
        self._begins_s = self._started if begins_s is None else begins_s
        self._next = 0

    @property
    def aspect(self) -> float:
        """Height of the pictures over their width."""
        return self._log.aspect

    def look(self, wait_seconds: float) -> Logged | None:
        """Return the newest moment whose time has come, ``at_s`` from ``begins_s`` on, or None when none has yet.

        Raises:
            CameraLostError: The file is gone.
            CameraSilentError: The log has a gap of more than `SILENT_SECONDS` here.
            CameraEndedError: It is at its end.
        """
        if not self._path.exists():
            raise CameraLostError("the simulated camera was pulled")
        times = self._log.times - self._log.times[:1]
        if self._next >= len(times):
            raise CameraEndedError("the log is at its end")
        if self._speed is not None:
            now_s = (time.monotonic() - self._started) * self._speed
            early = float(times[self._next] - now_s) / self._speed
            if early > wait_seconds:
                time.sleep(wait_seconds)
                last_s = float(times[self._next - 1]) if self._next else 0.0
                if now_s - last_s >= SILENT_SECONDS:
                    raise CameraSilentError("the simulated camera gives no pictures")
                return None
            time.sleep(max(0.0, early))
            due = int(np.searchsorted(times, (time.monotonic() - self._started) * self._speed, side="right"))
            self._next = max(self._next, due - 1)
        moment = self._log.at(self._next)
        at_s = self._begins_s + float(times[self._next])
        self._next += 1
        return Logged(at_s, moment.people, moment.measured)


def _archive(raw: BinaryIO) -> NpzFile:
    loaded = np.load(raw, allow_pickle=False)
    if not isinstance(loaded, NpzFile):
        raise ValueError("one array is no archive of arrays")  # noqa: TRY004 (as NumPy does of other files)
    return loaded
