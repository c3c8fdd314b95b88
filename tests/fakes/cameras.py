"""Cameras and recordings whose pictures are made here: nobody is in them."""

import threading
import time
from pathlib import Path

import cv2
import numpy as np

from forge_edge.errors import CameraLostError
from forge_edge.vision.ports import LANDMARKS, Keypoints, Picture

SIZE = (64, 48)


def picture(number: int, size: tuple[int, int] = SIZE) -> Picture:
    """Return an RGB picture that is never the same for two numbers."""
    width, height = size
    made: Picture = np.random.default_rng(number).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return made


def recording(path: Path, pictures: list[Picture], hertz: float = 10.0) -> Path:
    """Write a video file that gives these very pictures again: HuffYUV leaves nothing out."""
    height, width = pictures[0].shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"HFYU"), hertz, (width, height))
    assert writer.isOpened()
    for each in pictures:
        writer.write(cv2.cvtColor(each, cv2.COLOR_RGB2BGR))
    writer.release()
    return path


def keypoint_log(path: Path, times: list[float], *, people: int = 1, measured: bool = True) -> Path:
    """Write a log of people who stand still."""
    count = len(times)
    arrays = {"t": np.array(times), "kp": np.full((count, people, LANDMARKS, 4), 0.5, np.float16)}
    if measured:
        arrays |= {name: np.full(count, 50.0, np.float32) for name in ("luma", "contrast", "motion")}
        arrays["scene"] = np.full(count, 2**63 + 1, np.uint64)
    np.savez(path, **arrays)  # type: ignore[arg-type]  # its signature takes a flag too
    return path


class Device:
    """A camera that a test can unplug, break, hang and plug in again. What it opens is a `live.Capture`."""

    def __init__(self, hertz: float = 50.0) -> None:
        self.hertz = hertz
        self.plugged = True
        self.broken = False
        self.opened = self.released = 0
        self.given = 0
        self.runs = threading.Event()
        self.runs.set()

    def open(self) -> "Device":
        """Open it, as `LiveCamera` is told to."""
        if not self.plugged:
            raise CameraLostError("there is no camera")
        self.runs.wait()
        self.opened += 1
        return self

    def read(self) -> tuple[bool, Picture | None]:
        """Give the next picture, in BGR."""
        self.runs.wait()
        time.sleep(1 / self.hertz)
        if self.broken or not self.plugged:
            return False, None
        self.given += 1
        return True, picture(self.given)

    def release(self) -> None:
        """Be let go."""
        self.released += 1


class Finder:
    """A pose reader that finds one person, whose nose is as bright as the picture."""

    def __init__(self) -> None:
        self.pictures: list[Picture] = []

    def read(self, picture: Picture) -> list[Keypoints]:
        """Return that person."""
        self.pictures.append(picture)
        person = np.full((LANDMARKS, 4), 0.25, np.float32)
        person[0, 0] = picture.mean() / 255
        return [person]
