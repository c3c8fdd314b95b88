"""The eyes: what they report, what they notice, and what they never do."""

import contextlib
import json
import resource
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from structlog.testing import capture_logs
from tests.fakes.cameras import Device, Finder, keypoint_log, picture, recording
from tests.fakes.eyes_core import EyesCore

from forge_edge import eyes, pulse
from forge_edge.core_link import CoreLink
from forge_edge.drawing.stills import Stills
from forge_edge.errors import CameraStuckError, EngineMissingError, InferenceError, NodeConfigError
from forge_edge.eyes import CameraLooks, Eyes, Looks, seen
from forge_edge.messages import Beat, Seen, read_drawing_order
from forge_edge.settings import NodeSettings
from forge_edge.vision import live
from forge_edge.vision.live import LiveCamera
from forge_edge.vision.masks import MasksInForce
from forge_edge.vision.ports import Picture
from forge_edge.vision.recording import VideoFile
from forge_shared.errors import ForgeError


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "SILENT_SECONDS", 0.5)
    monkeypatch.setattr(live, "CLOSE_SECONDS", 0.5)
    monkeypatch.setattr(eyes, "REOPEN_SECONDS", (0.01, 0.1))
    monkeypatch.setattr(eyes, "STEADY_SECONDS", 0.3)
    monkeypatch.setattr(eyes, "STUCK_SECONDS", 1.0)
    monkeypatch.setattr(pulse, "BEAT_SECONDS", 0.1)


class Running:
    """Eyes in a thread, and the core that they speak to."""

    def __init__(self, folder: Path, open_looks: Callable[[], Looks]) -> None:
        self.core = EyesCore(folder)
        self.raised: ForgeError | None = None
        self._eyes = Eyes(CoreLink(self.core.path, read_drawing_order), open_looks)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._eyes.run()
        except ForgeError as error:
            self.raised = error

    def join(self) -> ForgeError | None:
        self._thread.join(10)
        assert not self._thread.is_alive()
        return self.raised


@contextlib.contextmanager
def running(folder: Path, open_looks: Callable[[], Looks]) -> Iterator[Running]:
    run = Running(folder, open_looks)
    try:
        with run.core:
            yield run
    finally:
        run.join()


def looks_on(device: Device, folder: Path, **parts: Any) -> Callable[[], CameraLooks]:
    finder = Finder()
    masks = MasksInForce(folder / "masks.json")
    return lambda: CameraLooks(LiveCamera(device.open), masks, finder, **parts)


def test_eyes_report_who_is_there_and_what_the_picture_is_like(tmp_path: Path) -> None:
    device = Device()
    with running(tmp_path, looks_on(device, tmp_path)) as run:
        run.core.until(lambda: len(run.core.looks) >= 3)
    assert run.core.states == [("ok", "started")]
    look = run.core.looks[1]
    assert (len(look.people), len(look.people[0]), look.looked, look.masks) == (1, 132, True, "none")
    assert look.people[0][0] == pytest.approx(0.5, abs=0.02)
    assert look.measures is not None
    assert look.measures.motion > 1


def test_what_is_masked_is_black_before_anything_looks(tmp_path: Path) -> None:
    (tmp_path / "masks.json").write_text(json.dumps({"masks": [[[0, 0], [1, 0], [1, 1], [0, 1]]]}))
    with running(tmp_path, looks_on(Device(), tmp_path)) as run:
        run.core.until(lambda: len(run.core.looks) >= 2)
    look = run.core.looks[0]
    assert look.people[0][0] == 0.0
    assert look.measures is not None
    assert (look.measures.luma, look.measures.contrast) == (0, 0)
    assert len(look.masks) == 12


def test_masks_that_cannot_be_read_end_the_eyes(tmp_path: Path) -> None:
    (tmp_path / "masks.json").write_text("{")
    with running(tmp_path, looks_on(Device(), tmp_path)) as run:
        assert isinstance(run.join(), NodeConfigError)
    assert run.core.looks == []


def test_a_lost_camera_is_said_once_and_so_is_its_recovery(tmp_path: Path) -> None:
    device = Device()
    with capture_logs() as logs, running(tmp_path, looks_on(device, tmp_path)) as run:
        run.core.until(lambda: len(run.core.looks) >= 1)
        device.plugged = False
        run.core.until(lambda: ("lost", "source-failed") in run.core.states)
        before = device.opened
        run.core.until(lambda: len(run.core.said) > 20)
        device.plugged = True
        run.core.until(lambda: ("ok", "recovered") in run.core.states)
    assert run.core.states == [("ok", "started"), ("lost", "source-failed"), ("ok", "recovered")]
    assert device.opened == before + 1
    assert [line["event"] for line in logs] == ["camera.lost", "camera.recovered"]


def test_a_loose_plug_is_one_loss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(eyes, "STEADY_SECONDS", 60.0)
    device = Device()
    with running(tmp_path, looks_on(device, tmp_path)) as run:
        for _ in range(3):
            device.plugged = True
            count = len(run.core.looks)
            run.core.until(lambda count=count: len(run.core.looks) > count)  # type: ignore[misc]  # bound now
            opened = device.released
            device.plugged = False
            run.core.until(lambda opened=opened: device.released > opened)  # type: ignore[misc]  # bound now
    assert run.core.states == [("ok", "started"), ("lost", "source-failed")]


def test_a_camera_that_is_missing_at_the_start_is_said_and_taken_when_it_comes(tmp_path: Path) -> None:
    device = Device()
    device.plugged = False
    with running(tmp_path, looks_on(device, tmp_path)) as run:
        run.core.until(lambda: run.core.states == [("lost", "source-failed")])
        device.plugged = True
        run.core.until(lambda: len(run.core.states) == 2)
    assert run.core.states[1] == ("ok", "recovered")


def test_a_camera_that_hangs_is_said_and_eyes_that_cannot_free_it_end(tmp_path: Path) -> None:
    device = Device()
    with running(tmp_path, looks_on(device, tmp_path)) as run:
        run.core.until(lambda: len(run.core.looks) >= 1)
        device.runs.clear()
        assert isinstance(run.join(), CameraStuckError)
        device.runs.set()
    assert run.core.states == [("ok", "started"), ("lost", "source-silent")]


def test_a_network_that_fails_ends_the_eyes(tmp_path: Path) -> None:
    class Failing:
        def read(self, _: Any) -> list[Any]:
            raise InferenceError("the network could not be run")

    masks = MasksInForce(tmp_path / "masks.json")
    with running(tmp_path, lambda: CameraLooks(LiveCamera(Device().open), masks, Failing())) as run:
        assert isinstance(run.join(), InferenceError)


def test_eyes_that_get_stuck_say_so(tmp_path: Path) -> None:
    stuck = threading.Event()

    class Stuck:
        def read(self, _: Any) -> list[Any]:
            stuck.wait(10)
            return []

    masks = MasksInForce(tmp_path / "masks.json")
    with running(tmp_path, lambda: CameraLooks(LiveCamera(Device().open), masks, Stuck())) as run:
        run.core.until(lambda: any(isinstance(said, Beat) and said.stuck for said in run.core.said))
        stuck.set()
        run.core.until(lambda: isinstance(run.core.said[-1], Beat) and not run.core.said[-1].stuck)


def test_a_recording_that_ends_closes_the_eyes_and_they_live_on(tmp_path: Path) -> None:
    path = recording(tmp_path / "room.avi", [picture(number) for number in range(5)])
    masks = MasksInForce(tmp_path / "masks.json")
    with running(tmp_path, lambda: CameraLooks(VideoFile(path, speed=None), masks, Finder())) as run:
        run.core.until(lambda: ("closed", "stopped") in run.core.states)
        count = len(run.core.said)
        run.core.until(lambda: len(run.core.said) >= count + 3)
    assert len(run.core.looks) == 5


def test_where_nothing_changed_no_network_looks_and_who_was_there_still_is(tmp_path: Path) -> None:
    asked: list[float] = []

    def once(picture: Picture, at_s: float) -> bool:
        assert picture.shape == (48, 64, 3)
        asked.append(at_s)
        return len(asked) == 1

    with running(tmp_path, looks_on(Device(), tmp_path, is_due=once)) as run:
        run.core.until(lambda: len(run.core.looks) >= 3)
    first, second, third = run.core.looks[:3]
    assert [first.looked, second.looked, third.looked] == [True, False, False]
    assert first.people == second.people == third.people
    assert asked[:3] == [look.at_s for look in (first, second, third)]


def test_no_more_looks_are_taken_than_are_wanted(tmp_path: Path) -> None:
    with running(tmp_path, looks_on(Device(hertz=200), tmp_path, most_hz=10)) as run:
        run.core.until(lambda: len(run.core.looks) >= 8)
    times = np.array([look.at_s for look in run.core.looks])
    assert np.diff(times).min() > 0.08


def test_a_person_with_a_point_that_is_no_number_is_left_out_and_a_wild_guess_is_cut() -> None:
    whole = np.full((33, 4), 0.123456, np.float32)
    wild, broken = whole.copy(), whole.copy()
    wild[0, 0], broken[5, 2] = 1e9, np.nan
    look = seen(1.0, [whole, wild, broken, *[whole] * 20], None, aspect=0.75, looked=True, masks="none")
    assert len(look.people) == 10
    assert look.people[0][:2] == (0.1235, 0.1235)
    assert look.people[1][0] == 100
    assert Seen.model_validate_json(look.model_dump_json()) == look


def environment(folder: Path, **settings: str) -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(sys.path), "FORGE_EDGE_STATE_DIR": str(folder), **settings}


def test_the_eyes_of_a_simulated_room_are_a_program_with_a_wall_around_it(tmp_path: Path) -> None:
    log = keypoint_log(tmp_path / "day.npz", [number / 10 for number in range(600)])
    settings = environment(tmp_path, FORGE_EDGE_CAMERA="simulated", FORGE_EDGE_CAMERA_SCRIPT=str(log))
    with EyesCore(tmp_path) as core:
        command = [sys.executable, "-m", "forge_edge", "eyes", "--socket", str(core.path)]
        process = subprocess.Popen(command, env=settings, stderr=subprocess.PIPE)
        core.until(lambda: len(core.looks) >= 3)
        assert resource.prlimit(process.pid, resource.RLIMIT_CORE) == (0, 0)
        core.hang_up()
        _, errors = process.communicate(timeout=10)
    assert process.returncode == 0
    assert b"camera.simulated" in errors
    assert core.looks[0].people[0][0] == 0.5


def test_nobody_may_look_into_the_memory_of_the_eyes() -> None:
    asked = "print(__import__('ctypes').CDLL(None).prctl(3, 0, 0, 0, 0))"  # PR_GET_DUMPABLE, linux/prctl.h
    for wall, dumpable in (("", b"1"), ("from forge_edge.eyes import wall_in; wall_in(); ", b"0")):
        command = [sys.executable, "-c", wall + asked]
        done = subprocess.run(command, env=environment(Path()), capture_output=True, check=True, timeout=30)
        assert done.stdout.strip() == dumpable


def test_eyes_without_a_network_for_a_real_camera_say_what_is_missing(tmp_path: Path) -> None:
    settings = NodeSettings.model_validate({"state_dir": tmp_path, "camera": "/dev/video99"})
    with pytest.raises(EngineMissingError, match="finds people"):
        eyes._opener(settings, None, None, Stills())  # noqa: SLF001 (without walling in the process of the tests)


def test_eyes_that_fail_in_a_way_nobody_foresaw_tell_the_kind_and_place_and_not_the_words(tmp_path: Path) -> None:
    program = tmp_path / "failing.py"
    program.write_text(
        "import sys\nfrom pathlib import Path\nfrom forge_edge import eyes\n"
        "from forge_edge.settings import NodeSettings\nfrom forge_shared import logs\n"
        "logs.configure('forge-edge eyes')\n"
        "class Reader:\n    def read(self, picture): raise ValueError(str(picture))\n"
        "eyes.run(NodeSettings(), Path(sys.argv[1]), reader=lambda _: Reader())\n"
    )
    path = recording(tmp_path / "room.avi", [np.full((48, 64, 3), 213, np.uint8)] * 20)
    with EyesCore(tmp_path) as core:
        settings = environment(tmp_path, FORGE_EDGE_CAMERA=str(path))
        command = [sys.executable, str(program), str(core.path)]
        done = subprocess.run(command, env=settings, capture_output=True, timeout=30, check=False)
    assert done.returncode == 1
    assert b"eyes.failed" in done.stderr
    assert b"builtins.ValueError" in done.stderr
    assert b"213" not in done.stderr + done.stdout
