"""No picture is found outside the eyes' process; with their wall taken away the same search finds it everywhere."""

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest
from tests.fakes.cameras import picture, recording
from tests.fakes.eyes_core import EyesCore
from tests.fakes.watermark import files_below, found_in, marked, places_with_it

from forge_edge.messages import OpenDrawing

FAKES = Path(__file__).parents[1] / "fakes"
DUMPS_HERE = not Path("/proc/sys/kernel/core_pattern").read_text().startswith(("|", "/"))
"""Whether this machine writes core dumps into the folder of the process; core(5)."""


def unlimited() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))


def drawn_by_one(core: EyesCore) -> tuple[bytes, bytes]:
    """Let the eyes open their drawing page, and see what its owner is given, and what everybody else is."""
    order = OpenDrawing(token="t" * 43, screen_port=8030)
    core.tell(order)
    core.until(lambda: core.pages != [])
    address = f"http://127.0.0.1:{core.pages[0]}"
    screen, own = {"Origin": "http://127.0.0.1:8030"}, {"Origin": address}
    with httpx.Client(base_url=address, trust_env=False, timeout=10) as browser:
        strangers = [
            browser.get("/"),
            browser.get("/still"),
            browser.post("/still", headers=own),
            browser.post("/still", headers={**own, "drawing-key": order.token}),
            browser.post("/", headers=own, content=f"token={order.token}"),
            browser.post("/", headers=screen, content=f"token={'u' * 43}"),
        ]
        page = browser.post("/", headers=screen, content=f"token={order.token}")
        key = page.text.partition('data-key="')[2].partition('"')[0]
        strangers.append(browser.post("/", headers=screen, content=f"token={order.token}"))
        still = browser.post("/still", headers={**own, "drawing-key": key})
        strangers.append(browser.post("/still", headers={**screen, "drawing-key": key}))
        strangers.append(browser.post("/still", headers={**own, "drawing-key": key, "Host": "rebound.example"}))
    assert {answer.status_code for answer in strangers} == {403}
    assert still.headers["cache-control"] == page.headers["cache-control"] == "no-store"
    return still.content, b"".join(answer.content for answer in (*strangers, page))


class Witness:
    """One pair of eyes that look at marked pictures until they crash, and all that is left of it."""

    def __init__(self, folder: Path, program: str, *, draws: bool = False) -> None:
        self.folder = folder
        for name in ("state", "tmp", "home", "here"):
            (folder / name).mkdir()
        film = recording(folder / "room.avi", [marked(picture(number, (160, 120))) for number in range(200)])
        assert found_in(film.read_bytes()) or cv2.VideoCapture(str(film)).isOpened()
        self.environment = {
            **os.environ,
            "PYTHONPATH": ":".join(sys.path),
            "TMPDIR": str(folder / "tmp"),
            "HOME": str(folder / "home"),
            "FORGE_EDGE_STATE_DIR": str(folder / "state"),
            "FORGE_EDGE_CAMERA": str(film),
        }
        before = set(Path("/dev/shm").iterdir())  # noqa: S108 (it is searched)
        with EyesCore(folder) as core, (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, str(FAKES / program), "--socket", str(core.path)],
                cwd=folder / "here",
                env=self.environment,
                stdout=log,
                stderr=log,
                preexec_fn=unlimited,  # noqa: PLW1509 (a test has no threads that hold locks here)
            )
            core.until(lambda: core.traffic.count(b'"kind":"seen"') >= 8)
            if draws:
                self.answers = drawn_by_one(core)
            process.send_signal(signal.SIGSEGV)
            process.wait(60)
            core.until(lambda: core.ended)
            self.traffic = core.traffic
        assert process.returncode == -signal.SIGSEGV
        shared = set(Path("/dev/shm").iterdir()) - before  # noqa: S108 (the same)
        self.places = {"socket": self.traffic, "log": (folder / "log").read_bytes()}
        self.places |= files_below(folder / "state", folder / "tmp", folder / "home", folder / "here")
        self.places |= {str(path): path.read_bytes() for path in shared if path.is_file()}

    @property
    def hits(self) -> set[str]:
        return {name.removeprefix(f"{self.folder}/") for name in places_with_it(self.places)}


def test_no_picture_is_found_outside_the_eyes(tmp_path: Path) -> None:
    witness = Witness(tmp_path, "finding_eyes.py")
    assert witness.hits == set()
    assert b'"luma"' in witness.traffic, "they looked"
    assert list((tmp_path / "here").iterdir()) == [], "a crash leaves nothing behind"


def test_the_picture_that_is_drawn_over_is_given_to_who_came_with_the_token_and_found_nowhere_else(
    tmp_path: Path,
) -> None:
    witness = Witness(tmp_path, "finding_eyes.py", draws=True)
    still, others = witness.answers
    assert found_in(still), "the search finds the mark where it is shown"
    assert not found_in(others)
    assert witness.hits == set()
    assert "tttt" not in witness.places["log"].decode()


def test_with_the_wall_taken_away_the_same_search_finds_it_everywhere(tmp_path: Path) -> None:
    witness = Witness(tmp_path, "leaky_eyes.py")
    wanted = {"socket", "log", "state/picture.raw", "tmp/picture.png"}
    assert wanted <= witness.hits
    if DUMPS_HERE:
        assert any(name.startswith("here/core") for name in witness.hits)


@pytest.mark.parametrize("quality", [None, 90])
def test_the_search_finds_the_mark_in_a_picture_file_too_and_not_in_another_picture(quality: int | None) -> None:
    plain, planted = picture(5, (160, 120)), marked(picture(5, (160, 120)))
    kind, options = (".png", []) if quality is None else (".jpg", [cv2.IMWRITE_JPEG_QUALITY, quality])
    for seen, is_there in ((plain, False), (planted, True)):
        _, encoded = cv2.imencode(kind, seen, options)
        assert found_in(b"before" + np.asarray(encoded).tobytes()) is is_there


def test_a_room_keeps_and_sends_nothing_of_its_pictures(tmp_path: Path) -> None:
    """The whole node: core, ears that follow a script, and eyes that find a made person in every marked picture."""
    for name in ("state", "tmp", "home", "here"):
        (tmp_path / name).mkdir()
    (tmp_path / "script.json").write_text('{"turns": [["water"]], "repeat": true, "pause_seconds": 0.5}')
    film = recording(tmp_path / "room.avi", [marked(picture(number, (160, 120))) for number in range(300)])
    environment = {
        **os.environ,
        "PYTHONPATH": ":".join(sys.path),
        "TMPDIR": str(tmp_path / "tmp"),
        "HOME": str(tmp_path / "home"),
        "FORGE_EDGE_STATE_DIR": str(tmp_path / "state"),
        "FORGE_EDGE_CAMERA": str(film),
        "FORGE_EDGE_HEARING": "light",
    }
    command = [sys.executable, str(FAKES / "scripted_node.py"), str(tmp_path / "script.json"), "finding_eyes.py"]
    with (tmp_path / "log").open("wb") as log:
        node = subprocess.Popen(command, cwd=tmp_path / "here", env=environment, stdout=log, stderr=log)
        outbox = tmp_path / "state" / "outbox.db"
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and not (outbox.exists() and (tmp_path / "state" / "eyes.sock").exists()):
            time.sleep(0.1)
        time.sleep(5)
        node.terminate()
        node.wait(20)
    places = files_below(tmp_path / "state", tmp_path / "tmp", tmp_path / "home", tmp_path / "here")
    places["log"] = (tmp_path / "log").read_bytes()
    assert outbox.exists(), places["log"][-2000:]
    assert places_with_it(places) == set()
