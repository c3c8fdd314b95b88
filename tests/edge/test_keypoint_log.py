"""A simulated room: a log of keypoints in the place of camera and network."""

import time
from pathlib import Path

import numpy as np
import pytest
from tests.fakes.cameras import keypoint_log

from forge_edge.errors import CameraEndedError, CameraLostError, CameraSilentError
from forge_edge.vision import keypoint_log as module
from forge_edge.vision.keypoint_log import KeypointLog, Logged, PlayedLog


def played(log: PlayedLog) -> list[Logged]:
    moments: list[Logged] = []
    while True:
        try:
            moment = log.look(0.5)
        except CameraEndedError:
            return moments
        if moment is not None:
            moments.append(moment)


def test_a_log_is_played_as_it_was_written(tmp_path: Path) -> None:
    path = keypoint_log(tmp_path / "day.npz", [7.0, 7.1, 7.5], people=2)
    moments = played(PlayedLog(path, speed=None, begins_s=100.0))
    assert [moment.at_s for moment in moments] == pytest.approx([100, 100.1, 100.5])
    assert [len(moment.people) for moment in moments] == [2, 2, 2]
    assert moments[0].people[0].shape == (33, 4)
    assert moments[0].measured is not None
    assert moments[0].measured.scene == 2**63 + 1


def test_whoever_was_not_found_is_nobody_and_a_log_of_one_person_is_one_too(tmp_path: Path) -> None:
    people = np.full((2, 33, 4), 0.5, np.float16)
    people[1] = np.nan
    np.savez(tmp_path / "one.npz", t=np.array([0.0, 0.1]), kp=people, fps=10, w=640, h=480)
    moments = played(PlayedLog(tmp_path / "one.npz", speed=None))
    assert [(len(moment.people), moment.measured) for moment in moments] == [(1, None), (0, None)]


def test_it_keeps_its_pace_and_leaves_out_what_nobody_takes(tmp_path: Path) -> None:
    log = PlayedLog(keypoint_log(tmp_path / "day.npz", [number / 10 for number in range(20)]), begins_s=0.0)
    first = log.look(0.5)
    assert first is not None
    assert first.at_s == 0
    time.sleep(0.55)
    late = log.look(0.5)
    assert late is not None
    assert late.at_s == pytest.approx(0.5, abs=0.11)
    assert log.look(0.001) is None, "the next one is not due"


def test_a_gap_in_the_log_is_a_camera_that_gives_nothing_and_it_goes_on_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SILENT_SECONDS", 0.3)
    log = PlayedLog(keypoint_log(tmp_path / "day.npz", [0.0, 0.1, 0.9]), begins_s=0.0)
    times, silent = [], 0
    for _ in range(100):
        try:
            moment = log.look(0.05)
        except CameraSilentError:
            silent += 1
        except CameraEndedError:
            break
        else:
            times += [] if moment is None else [moment.at_s]
    assert times == pytest.approx([0.0, 0.1, 0.9])
    assert silent >= 3


def test_to_take_the_file_away_is_to_pull_the_camera(tmp_path: Path) -> None:
    path = keypoint_log(tmp_path / "day.npz", [number / 10 for number in range(50)])
    log = PlayedLog(path)
    assert log.look(0.5) is not None
    away = path.rename(tmp_path / "pulled.npz")
    with pytest.raises(CameraLostError):
        log.look(0.5)
    away.rename(path)
    assert log.look(0.5) is not None


@pytest.mark.parametrize(
    "arrays",
    [
        {},
        {"t": np.zeros(3)},
        {"t": np.zeros(3), "kp": np.zeros((3, 17, 3))},
        {"t": np.zeros(3), "kp": np.zeros((4, 33, 4))},
        {"t": np.zeros((3, 1)), "kp": np.zeros((3, 33, 4))},
        {"t": np.array([1.0, 0.0]), "kp": np.zeros((2, 33, 4))},
        {"t": np.zeros(2), "kp": np.zeros((2, 33, 4)), "luma": np.zeros(3)},
        {"t": np.zeros(2), "kp": np.array([None, None])},
    ],
)
def test_what_is_no_log_is_said(tmp_path: Path, arrays: dict[str, np.ndarray]) -> None:
    np.savez(tmp_path / "day.npz", **arrays)  # type: ignore[arg-type]  # its signature takes a flag too
    with pytest.raises(CameraLostError, match=r"day\.npz is no log of keypoints"):
        KeypointLog(tmp_path / "day.npz")


def test_a_file_that_is_no_archive_is_no_log(tmp_path: Path) -> None:
    for content in (b"", b"PK\x03\x04", b"hello"):
        (tmp_path / "day.npz").write_bytes(content)
        with pytest.raises(CameraLostError):
            KeypointLog(tmp_path / "day.npz")
    with pytest.raises(CameraLostError):
        KeypointLog(tmp_path / "absent.npz")
