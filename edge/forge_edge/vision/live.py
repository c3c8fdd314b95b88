"""A camera that delivers whether or not somebody looks: a thread of its own keeps only the newest picture."""

import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from forge_edge.errors import CameraLostError, CameraSilentError, CameraStuckError
from forge_edge.vision.opencv import opencv
from forge_edge.vision.ports import Frame, Picture
from forge_shared.errors import ForgeError

OPEN_SECONDS = 6.0
"""A camera that is not open by then does not answer; with a second for the report it is known within ten seconds."""
SILENT_SECONDS = 4.0
"""An open camera that gives no picture for so long is lost: forty pictures at ten a second. A network camera that was
disturbed for a moment is not."""
RETRY_SECONDS = 0.05
"""Pause after a picture that could not be read, which may have been damaged on its way."""
CLOSE_SECONDS = 2.0
"""How long a read that hangs is waited for."""


class Capture(Protocol):
    """An open device, as `cv2.VideoCapture`. Used from one thread."""

    def read(self) -> tuple[bool, Any]:
        """Return whether there was a picture, and it: BGR, shape ``(height, width, 3)``, uint8."""

    def release(self) -> None:
        """Let go of the device."""


class LiveCamera:
    """A camera as a `Camera`. It is opened and read in a thread of its own, which may hang without harm.

    Args:
        open_capture: Opens the device; called in that thread; raises `CameraLostError`.
    """

    def __init__(self, open_capture: Callable[[], Capture]) -> None:
        self._open_capture = open_capture
        self._changed = threading.Condition()
        self._newest: tuple[Any, float] | None = None
        self._failure: str | None = None
        self._closing = False
        self._is_open = self._is_failing = False
        self._alive_at = time.monotonic()
        self._thread = threading.Thread(target=self._grab, name="camera", daemon=True)
        self._thread.start()

    def frame(self, wait_seconds: float) -> Frame | None:
        """Return the newest picture that was not returned yet, or None when there is none in that time.

        Raises:
            CameraSilentError: The camera is there and has given nothing for `SILENT_SECONDS`, or does not open.
            CameraLostError: The camera cannot be opened, or says that it fails.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._newest is not None or self._failure is not None, wait_seconds)
            newest, self._newest = self._newest, None
            if newest is None:
                self._raise_loss()
                return None
        cv2 = opencv()
        picture: Picture = np.asarray(cv2.cvtColor(newest[0], cv2.COLOR_BGR2RGB), np.uint8)
        return Frame(picture, newest[1])

    def close(self) -> None:
        """Let go of the device. Further calls do nothing.

        Raises:
            CameraStuckError: A read hangs and holds it.
        """
        with self._changed:
            self._closing = True
            self._newest = None
        self._thread.join(CLOSE_SECONDS)
        if self._thread.is_alive():
            raise CameraStuckError("the camera does not let go: its driver hangs")

    def _raise_loss(self) -> None:
        if self._failure is not None:
            raise CameraLostError(self._failure)
        limit = SILENT_SECONDS if self._is_open else OPEN_SECONDS
        if time.monotonic() - self._alive_at < limit:
            return
        if self._is_failing:
            raise CameraLostError(f"the camera gives nothing but errors for {limit:g} s")
        what = "gives no pictures" if self._is_open else "does not open"
        raise CameraSilentError(f"the camera {what} for {limit:g} s")

    def _grab(self) -> None:
        capture: Capture | None = None
        try:
            capture = self._open_capture()
            with self._changed:
                self._is_open, self._alive_at = True, time.monotonic()
            self._keep_reading(capture)
        except ForgeError as error:
            self._fail(str(error))
        except Exception as error:  # noqa: BLE001 (a driver's binding raises what it likes, and its text may quote its input)
            self._fail(f"the camera's driver failed: {type(error).__name__}")
        finally:
            if capture is not None:
                capture.release()

    def _keep_reading(self, capture: Capture) -> None:
        while not self._closing:
            good, picture = capture.read()
            now = time.monotonic()
            with self._changed:
                self._is_failing = not good or picture is None
                if not self._is_failing:
                    self._newest, self._alive_at = (picture, now), now
                    self._changed.notify_all()
                    continue
            time.sleep(RETRY_SECONDS)

    def _fail(self, reason: str) -> None:
        with self._changed:
            self._failure = reason
            self._changed.notify_all()
