"""The eyes: a child process that looks, and the only one that ever holds a picture. A crash or hang here stays here.

One thread takes pictures, burns the privacy masks in, measures and reads them, and reports what was seen as numbers;
the camera has a thread of its own (`vision.live`); one says every second that all is well. Pictures are never written,
logged, sent or named in an error, and a crash leaves no core dump: `wall_in`. There is one door, for staff
who draw: the machine's own browser is shown single masked pictures (`forge_edge.drawing`).
"""

import ctypes
import os
import resource
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from forge_edge.core_link import BEAT_SECONDS, CoreLink
from forge_edge.drawing.session import DrawingSession
from forge_edge.drawing.stills import Stills, figures
from forge_edge.errors import CameraEndedError, CameraLostError, CameraSilentError, EngineMissingError, NodeConfigError
from forge_edge.messages import MOST_PEOPLE, OpenDrawing, PictureMeasures, Seen, Sight, read_drawing_order
from forge_edge.pulse import Pulse
from forge_edge.settings import NodeSettings
from forge_edge.update.slots import MODELS
from forge_edge.vision.camera import CameraSource, open_camera
from forge_edge.vision.keypoint_log import PlayedLog
from forge_edge.vision.masks import MASKS_FILE, NONE, MasksInForce
from forge_edge.vision.picture import Measured, Meter
from forge_edge.vision.ports import Camera, Keypoints, Picture, PoseReader
from forge_shared.backoff import Backoff
from forge_shared.errors import ForgeError
from forge_shared.logs import get_logger

STUCK_SECONDS = 4.0
"""Without progress for this long the eyes say that they are stuck; with a beat until it is said and a start of up to
4 s they look again within ten seconds. A network takes well under a second of any machine; a camera hangs elsewhere."""
WAIT_SECONDS = 0.5
"""How long a picture is waited for at a time."""
REOPEN_SECONDS = (0.5, 5.0)
"""Bounds of the waits before a lost camera is opened again: one that is plugged in is back within ten seconds."""
STEADY_SECONDS = 2.0
"""A lost camera is said to be back when it has given pictures for so long: a loose plug is one loss, not ten."""
PR_SET_DUMPABLE = 4
"""linux/prctl.h."""

log = get_logger()

ReaderFactory = Callable[[Path], PoseReader]
"""Makes what finds people, from the release that serves in the node's slots. May take up to half a minute."""


IsDue = Callable[[Picture, float], bool]
"""Tells whether a network must look at a picture, masked, taken at a time; asked picture after picture. If so, it is
taken as looked at."""


class Looks(Protocol):
    """A source of looks."""

    def look(self, wait_seconds: float) -> Seen | None:
        """Return what is seen now, or None when there is nothing new in that time.

        Raises:
            CameraLostError: The source is gone.
            CameraEndedError: It is at its end.
        """

    def close(self) -> None:
        """Let go of the device.

        Raises:
            CameraStuckError: Only the end of the process does that.
        """


class CameraLooks:
    """Looks through a camera: mask, measure, and read where that is wanted.

    Args:
        camera: Gives the pictures.
        masks: What nothing may look at.
        reader: Finds people.
        is_due: Tells when it must look; None: always.
        most_hz: Most looks a second; a camera that gives more is left alone meanwhile.
        stills: Gets every masked picture, for who draws.
    """

    def __init__(  # noqa: PLR0913 (the parts of a look, by keyword)
        self,
        camera: Camera,
        masks: MasksInForce,
        reader: PoseReader,
        is_due: IsDue | None = None,
        *,
        most_hz: float = float("inf"),
        stills: Stills | None = None,
    ) -> None:
        self._camera = camera
        self._masks = masks
        self._reader = reader
        self._is_due = is_due
        self._stills = stills
        self._meter = Meter()
        self._people: Sequence[Keypoints] = ()
        self._shortest_s = 1.0 / most_hz
        self._looked_at = float("-inf")

    def look(self, wait_seconds: float) -> Seen | None:
        """Look at the newest picture.

        Raises:
            CameraLostError: As `Camera.frame`.
            CameraEndedError: As `Camera.frame`.
            InferenceError: As `PoseReader.read`.
            NodeConfigError: The masks cannot be read.
        """
        pause = self._looked_at + self._shortest_s - time.monotonic()
        if pause > 0:
            time.sleep(min(pause, wait_seconds))
        frame = self._camera.frame(wait_seconds)
        if frame is None:
            return None
        self._looked_at = time.monotonic()
        masks = self._masks.now()
        masks.burn(frame.picture)
        if self._stills is not None:
            self._stills.offer(frame.picture)
        measured = self._meter.measure(frame.picture)
        looked = self._is_due is None or self._is_due(frame.picture, frame.at_s)
        took_ms = None
        if looked:
            began = time.monotonic()
            self._people = self._reader.read(frame.picture)
            took_ms = 1000 * (time.monotonic() - began)
        height, width = frame.picture.shape[:2]
        look = seen(frame.at_s, self._people, measured, aspect=height / width, looked=looked, masks=masks.version)
        return look.model_copy(update={"took_ms": took_ms})

    def close(self) -> None:
        """Let go of the camera.

        Raises:
            CameraStuckError: As `LiveCamera.close`.
        """
        self._camera.close()


class PlayedLooks:
    """Looks of a simulated room."""

    def __init__(self, played: PlayedLog, stills: Stills | None = None) -> None:
        self._played = played
        self._stills = stills

    def look(self, wait_seconds: float) -> Seen | None:
        """Return the newest look of the log.

        Raises:
            CameraLostError: As `PlayedLog.look`.
            CameraEndedError: As `PlayedLog.look`.
        """
        moment = self._played.look(wait_seconds)
        if moment is None:
            return None
        aspect = self._played.aspect
        if self._stills is not None and self._stills.wanted:
            self._stills.offer(figures(moment.people, aspect))
        return seen(moment.at_s, moment.people, moment.measured, aspect=aspect, looked=True, masks=NONE)

    def close(self) -> None:
        """Do nothing: a log that was pulled goes on where its clock is."""


def seen(  # noqa: PLR0913 (the parts of a look, by keyword)
    at_s: float,
    people: Sequence[Keypoints],
    measured: Measured | None,
    *,
    aspect: float,
    looked: bool,
    masks: str,
) -> Seen:
    """Return the message of one look; a person with a point that is no number is left out."""
    return Seen(
        at_s=at_s,
        aspect=aspect,
        people=tuple(_numbers(person) for person in people if np.isfinite(person).all())[:MOST_PEOPLE],
        measures=None if measured is None else _measures(measured),
        looked=looked,
        masks=masks,
    )


class Eyes:
    """Looks and reports until the core is gone.

    Args:
        link: The socket to the core.
        open_looks: Opens the source; raises CameraLostError where it cannot.
        draw: Opens the drawing page; None: nothing can be drawn.
    """

    def __init__(
        self,
        link: CoreLink[OpenDrawing],
        open_looks: Callable[[], Looks],
        draw: Callable[[OpenDrawing], None] | None = None,
    ) -> None:
        self._link = link
        self._draw = draw
        self._open_looks = open_looks
        self._looks: Looks | None = None
        self._pulse = Pulse(link, STUCK_SECONDS)
        self._backoff = Backoff(*REOPEN_SECONDS)
        self._reopen_at = 0.0
        self._steady_since: float | None = None
        self._started = self._lost = self._ended = False

    def run(self) -> None:
        """Work until the core is gone.

        Raises:
            CameraStuckError: The camera is lost and does not let go: the process must end.
            InferenceError: The network failed.
            NodeConfigError: The masks cannot be read.
        """
        self._pulse.start()
        while not self._link.closed.is_set():
            self._pulse.progress()
            if (order := self._link.order()) is not None and self._draw is not None:
                self._draw(order)
            pause = self._reopen_at - time.monotonic()
            if self._ended or pause > 0:
                self._link.closed.wait(BEAT_SECONDS if self._ended else min(pause, BEAT_SECONDS))
                continue
            try:
                self._look()
            except CameraEndedError:
                self._end()
            except CameraLostError as error:
                self._lose(error)

    def _look(self) -> None:
        if self._looks is None:
            self._looks = self._open_looks()
        look = self._looks.look(WAIT_SECONDS)
        if look is None:
            return
        self._see()
        self._link.report(look)

    def _see(self) -> None:
        if not self._started:
            self._started = True
            if not self._lost:
                self._link.report(Sight(state="ok", reason="started"))
        if not self._lost:
            return
        now = time.monotonic()
        if self._steady_since is None:
            self._steady_since = now
        elif now - self._steady_since >= STEADY_SECONDS:
            self._lost = False
            self._backoff.succeeded()
            log.info("camera.recovered")
            self._link.report(Sight(state="ok", reason="recovered"))

    def _lose(self, error: CameraLostError) -> None:
        self._steady_since = None
        self._reopen_at = time.monotonic() + self._backoff.failed()
        if not self._lost:
            self._lost = True
            log.warning("camera.lost", reason=error.code)
            silent = isinstance(error, CameraSilentError)
            self._link.report(Sight(state="lost", reason="source-silent" if silent else "source-failed"))
        looks, self._looks = self._looks, None
        if looks is not None:
            looks.close()

    def _end(self) -> None:
        self._ended = True
        log.info("camera.ended")
        self._link.report(Sight(state="closed", reason="stopped"))
        if self._looks is not None:
            self._looks.close()


def run(
    settings: NodeSettings,
    socket_path: Path,
    *,
    reader: ReaderFactory | None = None,
    is_due: Callable[[], IsDue] | None = None,
) -> None:
    """Build the eyes from the settings and work until the core is gone.

    Args:
        settings: How the node is run.
        socket_path: The core's socket.
        reader: Makes what finds people; without it only a simulated room can be watched.
        is_due: Makes what tells when to look, for each camera that is opened; None: always.

    Raises:
        NodeError: The network or the camera's library is missing; the message says what to do.
        SystemExit: Anything else failed; the log has its kind and place and nothing that it held.
    """
    wall_in()
    link = CoreLink(socket_path, read_drawing_order)
    stills = Stills()
    drawing = DrawingSession(settings.folder, stills, link.report)
    try:
        Eyes(link, _opener(settings, reader, is_due, stills), drawing.open).run()
    except ForgeError:
        raise
    except Exception:  # its text may hold what was seen: kind and place are logged, and the process ends
        log.exception("eyes.failed")
        raise SystemExit(1) from None


def wall_in() -> None:
    """Let this process leave no core dump, and let no other of its user look into its memory.

    Raises:
        NodeConfigError: The system refuses.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        raise NodeConfigError(f"the eyes cannot be walled in: {os.strerror(ctypes.get_errno())}")


def _opener(
    settings: NodeSettings, reader: ReaderFactory | None, is_due: Callable[[], IsDue] | None, stills: Stills
) -> Callable[[], Looks]:
    source = _source_of(settings)
    speed = settings.camera_speed or None
    if source.kind == "simulated":
        played: list[PlayedLog] = []

        def play() -> Looks:
            if not played:
                log.info("camera.simulated")
                played.append(PlayedLog(settings.camera_script or Path(), speed=speed))
            return PlayedLooks(played[0], stills)

        return play
    if reader is None:
        raise EngineMissingError("nothing is installed that finds people in pictures: see `forge-edge doctor`")
    masks = MasksInForce(settings.folder / MASKS_FILE)
    masks.now()
    finder = reader(settings.folder / MODELS)

    def look() -> Looks:
        camera = open_camera(source, speed=speed, most_hz=settings.camera_rate)
        most_hz = float("inf") if source.kind == "file" else settings.camera_rate
        due = is_due() if is_due is not None else None
        return CameraLooks(camera, masks, finder, due, most_hz=most_hz, stills=stills)

    return look


def _source_of(settings: NodeSettings) -> CameraSource:
    """Return the camera of the settings.

    Raises:
        NodeConfigError: They name none.
    """
    if settings.camera is None:
        raise NodeConfigError("no camera is set: FORGE_EDGE_CAMERA")
    return CameraSource.of(settings.camera.get_secret_value())


def _numbers(person: Keypoints) -> tuple[float, ...]:
    return tuple(np.round(np.clip(person.astype(np.float64), -100, 100), 4).ravel().tolist())


def _measures(measured: Measured) -> PictureMeasures:
    return PictureMeasures(
        luma=round(measured.luma, 2),
        contrast=round(measured.contrast, 2),
        motion=round(measured.motion, 3),
        scene=measured.scene,
    )
