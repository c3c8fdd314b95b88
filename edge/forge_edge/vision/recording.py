"""A video file as a camera, at its own pace or as fast as it goes."""

import time
from pathlib import Path

import numpy as np

from forge_edge.errors import CameraEndedError, CameraLostError
from forge_edge.vision.opencv import opencv
from forge_edge.vision.ports import Frame, Picture

USUAL_HZ = 25.0
"""Assumed of a file that does not say how many pictures it has a second."""


class VideoFile:
    """A recording as a `Camera`. At its end it raises `CameraEndedError`.

    Args:
        path: Any file that FFmpeg reads.
        speed: 1 is the recording's own pace, at which pictures are left out when nobody takes them in time; None:
            as fast as they are taken, and every picture is given.
        most_hz: Pictures beyond this many a second of the recording are left out.
        begins_s: The time of the first picture; the others follow by the recording's own clock.

    Raises:
        CameraLostError: It cannot be read.
    """

    def __init__(
        self, path: Path, *, speed: float | None = 1.0, most_hz: float = float("inf"), begins_s: float = 0.0
    ) -> None:
        cv2 = opencv()
        self._capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
        if not self._capture.isOpened():
            raise CameraLostError(f"{path.name} cannot be read as a video")
        hertz = float(self._capture.get(cv2.CAP_PROP_FPS))
        self._step_s = 1.0 / hertz if 0 < hertz < 1000 else 1.0 / USUAL_HZ  # noqa: PLR2004 (some files say 90000)
        self._speed = speed
        self._shortest_s = 1.0 / most_hz
        self._begins_s = begins_s
        self._started = time.monotonic()
        self._at_s = -self._step_s
        self._given_s = float("-inf")
        self._is_grabbed = False

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of its pictures, in pixels."""
        cv2 = opencv()
        return int(self._capture.get(cv2.CAP_PROP_FRAME_WIDTH)), int(self._capture.get(cv2.CAP_PROP_FRAME_HEIGHT))

    def frame(self, wait_seconds: float) -> Frame | None:
        """Return the next picture whose time has come, or None when it does not come in that time.

        Raises:
            CameraEndedError: There are no more.
        """
        self._grab_next()
        if self._speed is not None:
            early = self._at_s / self._speed - (time.monotonic() - self._started)
            if early > wait_seconds:
                time.sleep(wait_seconds)
                return None
            time.sleep(max(0.0, early))
            while (time.monotonic() - self._started) * self._speed > self._at_s + self._step_s:
                self._is_grabbed = False
                self._grab_next()
        good, picture = self._capture.retrieve()
        self._is_grabbed = False
        if not good:
            return None
        self._given_s = self._at_s
        cv2 = opencv()
        rgb: Picture = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)
        return Frame(rgb, self._begins_s + self._at_s)

    def close(self) -> None:
        """Close the file."""
        self._capture.release()

    def _grab_next(self) -> None:
        """Go on to the next picture that is wanted, unless one waits already."""
        while not self._is_grabbed:
            if not self._capture.grab():
                raise CameraEndedError("the recording is at its end")
            cv2 = opencv()
            said_s = float(self._capture.get(cv2.CAP_PROP_POS_MSEC)) / 1000
            # Times that do not rise are no times: some containers have none.
            self._at_s = said_s if said_s > self._at_s else self._at_s + self._step_s
            self._is_grabbed = self._at_s - self._given_s >= self._shortest_s - self._step_s / 2
