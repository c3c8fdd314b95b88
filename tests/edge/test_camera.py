"""Cameras: the newest picture, a loss that is known, a hang that harms nobody."""

import contextlib
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from tests.fakes.cameras import Device, picture, recording
from tests.fakes.rtsp_camera import RtspCamera

from forge_edge.errors import CameraEndedError, CameraLostError, CameraSilentError, CameraStuckError
from forge_edge.vision import live
from forge_edge.vision.camera import CameraSource, open_camera
from forge_edge.vision.live import LiveCamera
from forge_edge.vision.ports import Camera, Frame
from forge_edge.vision.recording import VideoFile


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "OPEN_SECONDS", 1.0)
    monkeypatch.setattr(live, "SILENT_SECONDS", 0.5)
    monkeypatch.setattr(live, "CLOSE_SECONDS", 0.5)


@contextlib.contextmanager
def camera_on(device: Device) -> Iterator[LiveCamera]:
    camera = LiveCamera(device.open)
    try:
        yield camera
    finally:
        device.runs.set()
        camera.close()


def lost(camera: Camera, seconds: float = 3.0) -> CameraLostError:
    """Look until the camera is lost."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            camera.frame(0.05)
        except CameraLostError as error:
            return error
    raise AssertionError("the loss was not noticed")


def first(camera: Camera, seconds: float = 3.0) -> Frame:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if (frame := camera.frame(0.1)) is not None:
            return frame
    raise AssertionError("no picture came")


@pytest.mark.parametrize(
    ("text", "kind", "address"),
    [
        ("simulated", "simulated", ""),
        ("0", "device", "/dev/video0"),
        ("/dev/video2", "device", "/dev/video2"),
        ("rtsp://ward:secret@10.0.0.7/stream", "rtsp", "rtsp://ward:secret@10.0.0.7/stream"),
        ("nvarguscamerasrc ! nvvidconv", "pipeline", "nvarguscamerasrc ! nvvidconv"),
        ("room.mp4", "file", "room.mp4"),
    ],
)
def test_a_setting_says_which_camera_is_meant(text: str, kind: str, address: str) -> None:
    source = CameraSource.of(text)
    assert (source.kind, source.address) == (kind, address)


def test_only_the_newest_picture_is_given_and_none_twice() -> None:
    device = Device(hertz=100)
    with camera_on(device) as camera:
        first(camera)
        time.sleep(0.5)
        newest = first(camera)
        assert np.array_equal(newest.picture[..., ::-1], picture(device.given)) or device.given > 20
        assert time.monotonic() - newest.at_s < 0.2, "what came before it is forgotten"
        again = first(camera)
        assert again.at_s > newest.at_s


def test_pictures_are_rgb() -> None:
    device = Device(hertz=5)
    with camera_on(device) as camera:
        assert np.array_equal(first(camera).picture[..., ::-1], picture(1))


def test_a_camera_that_is_not_there_is_lost_at_once() -> None:
    device = Device()
    device.plugged = False
    with camera_on(device) as camera:
        began = time.monotonic()
        assert lost(camera).code == "camera.lost"
        assert time.monotonic() - began < 0.3


def test_a_camera_that_is_pulled_or_fails_is_lost_and_one_damaged_picture_is_not() -> None:
    device = Device()
    with camera_on(device) as camera:
        first(camera)
        device.broken = True
        time.sleep(0.1)
        device.broken = False
        assert first(camera)
        device.plugged = False
        assert lost(camera).code == "camera.lost"
    assert device.released == 1


def test_a_read_that_hangs_is_known_and_nobody_waits_for_it() -> None:
    device = Device()
    with camera_on(device) as camera:
        first(camera)
        device.runs.clear()
        began = time.monotonic()
        assert isinstance(lost(camera), CameraSilentError)
        assert 0.4 < time.monotonic() - began < 1.5
        with pytest.raises(CameraStuckError):
            camera.close()


def test_an_opening_that_hangs_is_known() -> None:
    device = Device()
    device.runs.clear()
    with camera_on(device) as camera:
        began = time.monotonic()
        assert isinstance(lost(camera), CameraSilentError)
        assert 0.9 < time.monotonic() - began < 2


def test_a_driver_that_raises_is_a_loss_and_its_words_are_not_repeated() -> None:
    def raise_it() -> Device:
        raise ValueError("rtsp://ward:secret@10.0.0.7")

    camera = LiveCamera(raise_it)
    assert "secret" not in str(lost(camera))
    camera.close()


def test_a_device_that_does_not_exist_is_said() -> None:
    with closing(open_camera(CameraSource.of("/dev/video99"))) as camera:
        assert "/dev/video99" in str(lost(camera))


def test_a_pipeline_without_gstreamer_is_said() -> None:
    with closing(open_camera(CameraSource.of("videotestsrc ! videoconvert"))) as camera:
        assert "GStreamer" in str(lost(camera))


def test_a_network_camera_that_is_not_there_is_lost_and_its_password_is_not_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with closing(open_camera(CameraSource.of(f"rtsp://ward:secret@127.0.0.1:{port}/room"))) as camera:
        assert "secret" not in str(lost(camera, 10))


def test_a_network_camera_that_never_answers_is_lost_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "CLOSE_SECONDS", 10.0)  # OpenCV's own limit was set when it was opened
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"rtsp://127.0.0.1:{server.getsockname()[1]}/room"
        with closing(open_camera(CameraSource.of(address))) as camera:
            began = time.monotonic()
            lost(camera, 8)
            assert time.monotonic() - began < 3


def test_a_network_camera_is_seen_through_lost_when_it_falls_silent_or_is_cut_off_and_opened_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live, "OPEN_SECONDS", 6.0)
    monkeypatch.setattr(live, "CLOSE_SECONDS", 10.0)  # OpenCV's own limit of 4 s was set when it was opened
    seen = np.full((96, 128, 3), (200, 100, 50), np.uint8)
    with RtspCamera(seen) as server:
        source = CameraSource.of(server.address)
        with closing(open_camera(source)) as camera:
            frame = first(camera, 8)
            assert frame.picture.shape == seen.shape
            assert np.abs(frame.picture.astype(int) - seen).max() < 12
            assert server.refused >= 1, "a password was asked for"
            server.delivers.clear()
            began = time.monotonic()
            assert isinstance(lost(camera), CameraSilentError)
            assert time.monotonic() - began < 2
            server.delivers.set()
        with closing(open_camera(source)) as camera:
            first(camera, 8)
            server.cut()
            assert lost(camera).code in {"camera.lost", "camera.silent"}
        with closing(open_camera(source)) as camera:
            assert np.abs(first(camera, 8).picture.astype(int) - seen).max() < 12


def everything(camera: Camera) -> list[Frame]:
    """Return all pictures of a recording."""
    frames = []
    with contextlib.suppress(CameraEndedError), closing(camera):
        while True:
            if (frame := camera.frame(1.0)) is not None:
                frames.append(frame)
    return frames


def test_a_recording_as_fast_as_it_goes_gives_every_picture_in_order_with_its_own_time(tmp_path: Path) -> None:
    made = [picture(number) for number in range(12)]
    given = everything(VideoFile(recording(tmp_path / "room.avi", made), speed=None, begins_s=100.0))
    assert [frame.at_s for frame in given] == pytest.approx([100 + number / 10 for number in range(12)])
    assert all(np.array_equal(frame.picture, one) for frame, one in zip(given, made, strict=True))


def test_a_recording_keeps_its_pace_and_leaves_out_what_nobody_takes(tmp_path: Path) -> None:
    camera = VideoFile(recording(tmp_path / "room.avi", [picture(number) for number in range(20)]), speed=1.0)
    began = time.monotonic()
    assert first(camera).at_s == pytest.approx(0.0)
    assert camera.frame(0.01) is None, "the next one is not due"
    time.sleep(0.7)
    assert first(camera).at_s == pytest.approx(time.monotonic() - began, abs=0.2)
    camera.close()


def test_a_recording_is_thinned_to_the_rate_that_is_wanted(tmp_path: Path) -> None:
    path = recording(tmp_path / "room.avi", [picture(number) for number in range(30)], hertz=30)
    times = [frame.at_s for frame in everything(VideoFile(path, speed=None, most_hz=10))]
    assert times == pytest.approx([number / 10 for number in range(10)], abs=0.02)


@pytest.mark.parametrize("content", [b"", b"no video", b"RIFF"])
def test_what_is_no_video_is_said(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "room.mp4"
    path.write_bytes(content)
    with pytest.raises(CameraLostError, match=r"room\.mp4"):
        VideoFile(path)


CAMERAS: dict[str, Callable[[Path], Camera]] = {
    "live": lambda _: LiveCamera(Device().open),
    "recording": lambda folder: VideoFile(recording(folder / "room.avi", [picture(n) for n in range(9)]), speed=1.0),
}


@pytest.mark.parametrize("kind", CAMERAS)
def test_whatever_the_camera_times_rise_pictures_are_ones_own_and_closing_twice_is_allowed(
    kind: str, tmp_path: Path
) -> None:
    camera = CAMERAS[kind](tmp_path)
    frames = [first(camera) for _ in range(4)]
    times = [frame.at_s for frame in frames]
    assert times == sorted(set(times))
    for frame in frames:
        assert frame.picture.dtype == np.uint8
        assert frame.picture.shape == (48, 64, 3)
        frame.picture[:] = 0  # a mask is burnt in: it must be nobody else's memory
    began = time.monotonic()
    camera.frame(0.01)
    assert time.monotonic() - began < 0.5
    camera.close()
    camera.close()
