"""Which camera is meant, and how it is opened."""

import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from forge_edge.errors import CameraLostError
from forge_edge.vision.live import OPEN_SECONDS, SILENT_SECONDS, Capture, LiveCamera
from forge_edge.vision.opencv import has_gstreamer, opencv
from forge_edge.vision.ports import Camera
from forge_edge.vision.recording import VideoFile

SIZE = (640, 480)
"""What a USB camera is asked for, in pixels: the pose network looks at 256 by 256 of them around a person, and a person
five metres away is still 150 high (ours). A camera that has no such size gives the nearest it has."""

SourceKind = Literal["device", "rtsp", "pipeline", "file", "simulated"]


@dataclass(frozen=True, slots=True)
class CameraSource:
    """Where pictures come from.

    Attributes:
        kind: ``device``: Video4Linux; ``rtsp``: a camera in the network; ``pipeline``: GStreamer, as for a Jetson's CSI
            camera; ``file``: a recording; ``simulated``: a log of keypoints.
        address: The device's path, the address, the pipeline or the file. It may hold a password: never in a log.
    """

    kind: SourceKind
    address: str

    @classmethod
    def of(cls, text: str) -> "CameraSource":
        """Return what a setting means: ``simulated``, a number or ``/dev/video…``, ``rtsp://…``, a pipeline, a file."""
        text = text.strip()
        if text == "simulated":
            return cls("simulated", "")
        if text.isascii() and text.isdigit():
            return cls("device", f"/dev/video{text}")
        if text.startswith("/dev/"):
            return cls("device", text)
        if re.match(r"rtsps?://", text, re.IGNORECASE):
            return cls("rtsp", text)
        if " ! " in text:
            return cls("pipeline", text)
        return cls("file", text)


def open_camera(
    source: CameraSource, *, speed: float | None = 1.0, most_hz: float = float("inf"), begins_s: float | None = None
) -> Camera:
    """Open a camera or a recording. What a live camera cannot do it says by `Camera.frame`.

    Args:
        source: Which; not a simulated one, which has no pictures.
        speed: Of a recording; None: as fast as its pictures are taken.
        most_hz: Pictures a second of a recording.
        begins_s: Time of a recording's first picture; None: now, as of a live camera, on the machine's monotonic clock.

    Raises:
        CameraLostError: A recording cannot be read.
        EngineMissingError: OpenCV is not installed.
    """
    if source.kind == "file":
        path = Path(source.address).expanduser()
        begins_s = time.monotonic() if begins_s is None else begins_s
        return VideoFile(path, speed=speed, most_hz=most_hz, begins_s=begins_s)
    opencv()
    return LiveCamera(lambda: open_capture(source))


def open_capture(source: CameraSource) -> Capture:
    """Open a live camera; may take long.

    Raises:
        CameraLostError: It cannot be opened; the message says what to look at.
    """
    cv2 = opencv()
    match source.kind:
        case "device":
            if not Path(source.address).exists():
                raise CameraLostError(f"there is no {source.address}")
            capture = cv2.VideoCapture(source.address, cv2.CAP_V4L2)
            capture.set(cv2.CAP_PROP_FRAME_WIDTH, SIZE[0])
            capture.set(cv2.CAP_PROP_FRAME_HEIGHT, SIZE[1])
        case "rtsp":
            limits: list[Any] = [
                cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, int(1000 * OPEN_SECONDS),
                cv2.CAP_PROP_READ_TIMEOUT_MSEC, int(1000 * SILENT_SECONDS),
            ]  # fmt: skip
            capture = cv2.VideoCapture(source.address, cv2.CAP_FFMPEG, limits)
        case "pipeline":
            if not has_gstreamer():
                raise CameraLostError("this OpenCV cannot open GStreamer pipelines: use the Jetson's own")
            capture = cv2.VideoCapture(_newest_only(source.address), cv2.CAP_GSTREAMER)
        case _:
            raise CameraLostError("a recording is no live camera")
    if not capture.isOpened():
        capture.release()
        raise CameraLostError("the camera cannot be opened: see `forge-edge doctor`")
    opened: Capture = capture
    return opened


def _newest_only(pipeline: str) -> str:
    """Return a pipeline that ends in BGR pictures of which it keeps the newest; one that names its sink is kept."""
    if "appsink" in pipeline:
        return pipeline
    return f"{pipeline} ! videoconvert ! video/x-raw,format=BGR ! appsink drop=true max-buffers=1 sync=false"
