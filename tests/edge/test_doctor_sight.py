"""The doctor looks through the camera."""

import json
from pathlib import Path

import numpy as np
import pytest
from tests.edge.test_doctor import settings_of
from tests.fakes.cameras import keypoint_log, picture, recording

from forge_edge import doctor_sight
from forge_edge.doctor_sight import camera, masks


def test_a_room_without_a_camera_is_well(tmp_path: Path) -> None:
    assert camera(settings_of(tmp_path)).ok
    assert masks(settings_of(tmp_path)).ok


def test_a_camera_that_sees_is_described(tmp_path: Path) -> None:
    film = recording(tmp_path / "room.avi", [picture(number) for number in range(30)])
    found = camera(settings_of(tmp_path, camera=str(film)))
    assert found.ok
    assert "64 by 48, 10 pictures a second, brightness 12" in found.found


@pytest.mark.parametrize(
    ("pictures", "hertz", "words"),
    [([np.zeros((48, 64, 3), np.uint8)] * 20, 10.0, "black"), ([picture(n) for n in range(5)], 2.0, "too slow")],
)
def test_a_camera_that_shows_nothing_or_too_little_is_found(
    tmp_path: Path, pictures: list[np.ndarray], hertz: float, words: str
) -> None:
    film = recording(tmp_path / "room.avi", pictures, hertz)
    found = camera(settings_of(tmp_path, camera=str(film)))
    assert not found.ok
    assert words in found.found
    assert found.do


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("/dev/video99", "v4l2-ctl"),
        ("rtsp://ward:secret@127.0.0.1:1/room", "ffprobe"),
        ("nvarguscamerasrc ! nvvidconv", "Jetson"),
        ("absent.mp4", "FORGE_EDGE_CAMERA"),
    ],
)
def test_what_to_do_depends_on_the_camera_and_no_password_is_shown(tmp_path: Path, source: str, words: str) -> None:
    found = camera(settings_of(tmp_path, camera=source))
    assert not found.ok
    assert words in found.do
    assert "secret" not in f"{found}"


def test_who_may_not_use_the_camera_is_told_the_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forge_edge.doctor_sight.os.geteuid", lambda: 1000)
    monkeypatch.setattr(doctor_sight, "_may_use_video", lambda: False)
    assert "group video" in camera(settings_of(tmp_path, camera="/dev/video99")).do


def test_a_simulated_camera_is_said_to_be_one(tmp_path: Path) -> None:
    log = keypoint_log(tmp_path / "day.npz", [0.0, 60.0])
    found = camera(settings_of(tmp_path, camera="simulated", camera_script=log))
    assert (found.ok, "simulates 60 s" in found.found) == (True, True)
    log.write_bytes(b"")
    assert not camera(settings_of(tmp_path, camera="simulated", camera_script=log)).ok


def test_masks_are_counted_and_unreadable_ones_are_found(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, camera="/dev/video99")
    assert "whole picture" in masks(settings).found
    settings.folder.mkdir()
    (settings.folder / "masks.json").write_text(json.dumps({"masks": [[[0, 0], [1, 0], [1, 1]]]}))
    assert masks(settings).found.startswith("1, version ")
    (settings.folder / "masks.json").write_text("{")
    assert not masks(settings).ok
