"""OpenCV, which opens cameras and video files; imported by whoever looks at pictures, and never by the core."""

import functools
import os
from types import ModuleType

from forge_edge.errors import EngineMissingError

_QUIET = {
    "OPENCV_LOG_LEVEL": "SILENT",  # it writes a camera's address, which may hold a password, to standard error
    "OPENCV_FFMPEG_LOGLEVEL": "-8",  # AV_LOG_QUIET, libavutil/log.h: the same
    "OPENCV_FFMPEG_CAPTURE_OPTIONS": "rtsp_transport;tcp",
}
"""RTSP by TCP: lost UDP packets are smeared pictures. Set before the library is loaded; what is set already stands."""


@functools.cache
def opencv() -> ModuleType:
    """Return the binding of OpenCV.

    Raises:
        EngineMissingError: It is not installed.
    """
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    try:
        import cv2  # noqa: PLC0415 (it reads its settings when it is loaded)
    except (ImportError, OSError):
        raise EngineMissingError(
            "OpenCV is missing: install opencv-python-headless from requirements/edge.txt"
        ) from None
    module: ModuleType = cv2
    module.utils.logging.setLogLevel(module.utils.logging.LOG_LEVEL_SILENT)  # where it was loaded before
    return module


def has_gstreamer() -> bool:
    """Tell whether this OpenCV can open GStreamer's pipelines. The packaged one cannot, that of a Jetson can.

    Raises:
        EngineMissingError: OpenCV is not installed.
    """
    cv2 = opencv()
    return bool(cv2.videoio_registry.isBackendBuiltIn(cv2.CAP_GSTREAMER))
