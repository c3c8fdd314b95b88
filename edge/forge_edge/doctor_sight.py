"""What `forge-edge doctor` says of the camera and its masks."""

import grp
import os
import time
from contextlib import closing
from pathlib import Path

from forge_edge.doctor import Finding
from forge_edge.errors import CameraEndedError, CameraLostError, CameraStuckError, NodeError
from forge_edge.settings import NodeSettings
from forge_edge.vision.camera import CameraSource, open_camera
from forge_edge.vision.keypoint_log import KeypointLog
from forge_edge.vision.masks import MASKS_FILE, load
from forge_edge.vision.opencv import has_gstreamer
from forge_edge.vision.picture import grey_copy
from forge_edge.vision.ports import Camera, Frame

LOOK_SECONDS = 2.0
"""How long pictures are counted; the first one of a camera comes within `live.OPEN_SECONDS`."""
BLACK_LUMA, BLACK_CONTRAST = 8.0, 3.0
"""Mean brightness and its deviation, 0 to 255, below both of which a picture shows nothing: a lens cap, not a dark
room, whose sensor's noise alone is more (ours)."""
SLOW_HZ = 5.0
"""Fewer pictures a second are too few to tell a fall, which takes about a second, from sitting down (ours)."""


def camera(settings: NodeSettings) -> Finding:
    """Look through the camera for some seconds, and at nothing of what it shows but light and number of pictures."""
    if settings.camera is None:
        return Finding("camera", ok=True, found="none is set: the room does not see")
    source = CameraSource.of(settings.camera.get_secret_value())
    if source.kind == "simulated":
        return _simulated(settings)
    try:
        with closing(open_camera(source, speed=1.0)) as opened:
            frames = _frames(opened)
    except CameraStuckError as error:
        return Finding(
            "camera", ok=False, found=str(error), do="unplug it and plug it in again, or restart the machine"
        )
    except NodeError as error:
        return Finding("camera", ok=False, found=str(error), do=_remedy(source))
    return _judged(frames)


def masks(settings: NodeSettings) -> Finding:
    """Say which privacy masks hold."""
    if settings.camera is None:
        return Finding("masks", ok=True, found="not needed")
    try:
        found = load(settings.folder / MASKS_FILE)
    except FileNotFoundError:
        return Finding("masks", ok=True, found="none: the eyes look at the whole picture")
    except NodeError as error:
        return Finding(
            "masks", ok=False, found=str(error), do=f"mend {MASKS_FILE} in FORGE_EDGE_STATE_DIR, or draw anew"
        )
    return Finding("masks", ok=True, found=f"{len(found.polygons)}, version {found.version}")


def _simulated(settings: NodeSettings) -> Finding:
    path = settings.camera_script or Path()
    try:
        log = KeypointLog(path)
    except NodeError as error:
        return Finding("camera", ok=False, found=str(error), do="set FORGE_EDGE_CAMERA_SCRIPT to another")
    seconds = float(log.times[-1] - log.times[0]) if len(log.times) else 0.0
    return Finding("camera", ok=True, found=f"not used: {path.name} simulates {seconds:.0f} s of what it would see")


def _frames(opened: Camera) -> list[Frame]:
    """Return what comes in `LOOK_SECONDS` from the first picture on.

    Raises:
        CameraLostError: None comes.
    """
    frames: list[Frame] = []
    ends = float("inf")
    while time.monotonic() < ends:
        try:
            frame = opened.frame(0.5)
        except CameraEndedError:
            break
        if frame is not None:
            ends = ends if frames else time.monotonic() + LOOK_SECONDS
            frames.append(frame)
    if not frames:
        raise CameraLostError("the recording holds no picture")
    return frames


def _judged(frames: list[Frame]) -> Finding:
    height, width = frames[-1].picture.shape[:2]
    grey = grey_copy(frames[-1].picture)
    luma, contrast = float(grey.mean()), float(grey.std())
    took_s = frames[-1].at_s - frames[0].at_s
    hertz = (len(frames) - 1) / took_s if took_s > 0 else 0.0
    found = f"{width} by {height}, {hertz:.0f} pictures a second, brightness {luma:.0f} of 255"
    if luma < BLACK_LUMA and contrast < BLACK_CONTRAST:
        return Finding("camera", ok=False, found=f"{found}: black", do="take the lens cap off, or make some light")
    if len(frames) > 1 and hertz < SLOW_HZ:
        return Finding(
            "camera", ok=False, found=f"{found}: too slow", do="make some light, or let it give smaller pictures"
        )
    return Finding("camera", ok=True, found=found)


def _remedy(source: CameraSource) -> str:
    match source.kind:
        case "device":
            if not _may_use_video() and os.geteuid() != 0:
                return "the user must be in group video: `usermod -aG video forge`, then start the node again"
            return (
                "plug in a camera; `v4l2-ctl --list-devices` lists what the system sees; is another program using it?"
            )
        case "rtsp":
            return "is the camera on, and are address and password right? `ffprobe` tries the same address"
        case "pipeline" if not has_gstreamer():
            return "the packaged OpenCV has no GStreamer: take the Jetson's own out of its system packages"
        case "pipeline":
            return "`gst-launch-1.0` with the same pipeline and fakesink says what is wrong with it"
        case _:
            return "set FORGE_EDGE_CAMERA to a camera or a video file"


def _may_use_video() -> bool:
    try:
        return grp.getgrnam("video").gr_gid in os.getgroups()
    except KeyError:
        return True  # this system has no such group: it gives access in another way
