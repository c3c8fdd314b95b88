"""The eyes' drawing page: who comes in, how often and how long, what they are shown, and that it ends."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import cv2
import httpx
import numpy as np
import pytest
from structlog.testing import capture_logs
from tests.fakes.cameras import Finder, keypoint_log, picture, recording
from tests.fakes.eyes_core import EyesCore

from forge_edge import eyes
from forge_edge.drawing import door, kept, page
from forge_edge.drawing.door import KEY_HEADER, DrawingDoor
from forge_edge.drawing.session import DrawingSession
from forge_edge.drawing.stills import Stills, figures
from forge_edge.errors import DrawingRefusedError
from forge_edge.messages import DrawingPage, OpenDrawing
from forge_edge.settings import NodeSettings
from forge_edge.vision.ports import Picture

TOKEN = "t" * 43
SCREEN = 8030
ORDER = OpenDrawing(token=TOKEN, screen_port=SCREEN)
BED = [[0.1, 0.5], [0.4, 0.5], [0.4, 0.9], [0.1, 0.9]]


class Browser(httpx.Client):
    """A browser that has the token, before a page with pictures that a test offers."""

    def __init__(self, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}"
        super().__init__(base_url=self.address, trust_env=False, timeout=10)

    def comes(self, token: str = TOKEN, origin: str = f"http://127.0.0.1:{SCREEN}") -> httpx.Response:
        answer = self.post("/", headers={"Origin": origin}, content=f"token={token}")
        key = answer.text.partition('data-key="')[2].partition('"')[0]
        self.headers.update({"Origin": self.address, KEY_HEADER: key})
        return answer


class Page:
    """A session, what it told the core, and pictures for who waits for one."""

    def __init__(self, folder: Path) -> None:
        self.told: list[int | None] = []
        self.stills = Stills()
        self.session = DrawingSession(folder, self.stills, self._tell)
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def _tell(self, said: DrawingPage) -> None:
        self.told.append(said.port)

    def _look(self) -> None:
        number = 0
        while not self._ends.wait(0.02):
            number += 1
            self.stills.offer(picture(number))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.session.close()
        self._ends.set()
        self._thread.join()

    @contextmanager
    def browser(self) -> Iterator[Browser]:
        self.session.open(ORDER)
        port = self.told[-1]
        assert port is not None
        with Browser(port) as opened:
            yield opened

    def until_closed(self, seconds: float = 5.0) -> None:
        ends = time.monotonic() + seconds
        while self.told[-1] is not None:
            assert time.monotonic() < ends
            time.sleep(0.02)


def test_who_comes_with_the_token_draws_and_what_is_drawn_holds(tmp_path: Path) -> None:
    with capture_logs() as logs, Page(tmp_path) as shown, shown.browser() as browser:
        answer = browser.comes()
        assert answer.status_code == 200
        assert "img-src 'self' blob:" in answer.headers["content-security-policy"]
        still = browser.post("/still")
        assert still.headers["content-type"] == "image/jpeg"
        assert decoded(still).shape == (48, 64, 3)
        saved = browser.post("/save", content=json.dumps({"zones": {"bed": BED}, "masks": []}))
        assert saved.json() == {"kept": True}
        assert list(kept.current(tmp_path).zones) == ["bed"]
        doubted = json.dumps({"zones": {"bed": BED}, "masks": [BED]})
        asked = browser.post("/save", content=doubted)
        assert (asked.status_code, len(asked.json()["doubts"])) == (409, 1)
        assert kept.current(tmp_path).masks == ()
        assert browser.post("/save", content=doubted, headers={"drawing-anyway": "yes"}).status_code == 200
        assert len(kept.current(tmp_path).masks) == 1
        assert browser.post("/undo").json()["masks"] == []
        wrong = browser.post("/save", content='{"zones": {"bed": []}}')
        assert wrong.status_code == 400
        assert wrong.json()["wrong"].startswith("This is no drawing")
        assert browser.post("/save", content=b"x" * (page.BODY_MAX_BYTES + 1)).status_code == 400
        assert browser.post("/leave").status_code == 204
        shown.until_closed()
    assert TOKEN not in repr(logs)
    assert {"drawing.opened", "drawing.kept", "drawing.taken-back", "drawing.closed"} <= {
        each["event"] for each in logs
    }


def test_the_token_opens_one_page_once_and_only_from_the_screen(tmp_path: Path) -> None:
    with Page(tmp_path) as shown, shown.browser() as browser:
        assert browser.comes("u" * 43).status_code == 403
        assert browser.comes(origin="http://127.0.0.1:9999").status_code == 403
        assert browser.comes(origin="null").status_code == 403
        assert browser.comes().status_code == 200
        with Browser(shown.told[-1] or 0) as other:
            assert other.comes().status_code == 403
        assert browser.post("/beat").status_code == 204


@pytest.mark.parametrize("path", ["/still", "/save", "/undo", "/beat", "/leave"])
def test_without_the_page_of_its_own_nothing_is_given_and_nothing_ended(tmp_path: Path, path: str) -> None:
    with Page(tmp_path) as shown, shown.browser() as browser:
        key = browser.comes().text.partition('data-key="')[2].partition('"')[0]
        for headers in (
            {KEY_HEADER: TOKEN},
            {KEY_HEADER: ""},
            {"Origin": f"http://127.0.0.1:{SCREEN}"},
            {"Origin": "null"},
            {"Host": "rebound.example"},
        ):
            assert browser.post(path, headers=headers).status_code == 403
        assert browser.get(path).status_code == 403
        assert browser.post("/beat", headers={KEY_HEADER: key}).status_code == 204


def test_a_page_that_is_not_heard_of_and_a_token_that_nobody_brings_are_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "SILENT_SECONDS", 0.4)
    with Page(tmp_path) as shown, shown.browser() as browser:
        browser.comes()
        shown.until_closed()
        with pytest.raises(httpx.ConnectError):
            browser.post("/beat")
    monkeypatch.setattr(door, "TOKEN_SECONDS", 0.2)
    with Page(tmp_path) as shown, shown.browser():
        shown.until_closed()


def test_the_next_who_gives_the_number_draws_and_the_one_before_draws_no_more(tmp_path: Path) -> None:
    with Page(tmp_path) as shown, shown.browser() as before:
        before.comes()
        with shown.browser() as browser:
            assert browser.comes().status_code == 200
            with pytest.raises(httpx.TransportError):
                before.post("/beat")
        assert None not in shown.told, "there was a page all the time"


def test_a_page_without_pictures_says_so_and_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "STILL_SECONDS", 0.1)
    told: list[int | None] = []
    session = DrawingSession(tmp_path, Stills(), lambda said: told.append(said.port))
    session.open(ORDER)
    try:
        with Browser(told[-1] or 0) as browser:
            browser.comes()
            assert browser.post("/still").status_code == 503
            assert browser.post("/undo").json() == {"wrong": "Nothing was drawn before that could be taken back."}
    finally:
        session.close()


def test_zones_that_cannot_be_read_are_said_and_drawn_anew(tmp_path: Path) -> None:
    (tmp_path / "zones.json").write_text("[]")
    with Page(tmp_path) as shown, shown.browser() as browser:
        assert "holds no zones: draw them anew" in browser.comes().text
        assert browser.post("/save", content=json.dumps({"zones": {"bed": BED}})).status_code == 200


def test_time_is_up_after_ten_minutes_however_busy_the_page_is() -> None:
    opened = DrawingDoor(TOKEN, 7000, SCREEN, 0.0)
    key = opened.open(TOKEN, 5.0)
    headers = {"host": "127.0.0.1:7000", "origin": "http://127.0.0.1:7000", KEY_HEADER: key}
    for second in range(5, 605, 5):
        opened.check("POST", "/beat", headers, 1, float(second))
    assert not opened.is_over(604.0)
    with pytest.raises(DrawingRefusedError):
        opened.check("POST", "/beat", headers, 1, 606.0)
    late = DrawingDoor(TOKEN, 7000, SCREEN, 0.0)
    with pytest.raises(DrawingRefusedError):
        late.open(TOKEN, 61.0)


def test_a_still_has_its_masks_burnt_in(tmp_path: Path) -> None:
    white = np.full((48, 64, 3), 255, np.uint8)
    film = recording(tmp_path / "room.avi", [white for _ in range(600)], hertz=30)
    (tmp_path / "masks.json").write_text('{"masks": [[[0, 0], [0.5, 0], [0.5, 1], [0, 1]]]}')
    still = still_of(tmp_path, NodeSettings(state_dir=tmp_path, camera=str(film)))
    assert still[:, :28].max() < 40
    assert still[:, 36:].min() > 215


def test_a_simulated_room_is_drawn_over_stick_figures(tmp_path: Path) -> None:
    log = keypoint_log(tmp_path / "day.npz", [number / 5 for number in range(600)])
    settings = NodeSettings(state_dir=tmp_path, camera="simulated", camera_script=log)
    assert still_of(tmp_path, settings).shape[1] == 640
    somebody = np.full((33, 4), 0.5, np.float32)
    somebody[11, :2] = 0.2
    assert figures([somebody], 0.75).max() == 235
    assert figures([np.full((33, 4), np.nan, np.float32)], 0.75).max() == 70


def still_of(folder: Path, settings: NodeSettings) -> Picture:
    """Return the still that the eyes give for these settings; the eyes run in a thread, as they do in a process."""
    patch = pytest.MonkeyPatch()
    patch.setattr(eyes, "wall_in", lambda: None)  # this process is a test's, and is looked into
    with EyesCore(folder) as core:
        thread = threading.Thread(target=eyes.run, args=(settings, core.path), kwargs={"reader": lambda _: Finder()})
        thread.start()
        core.until(lambda: len(core.looks) > 2)
        core.tell(ORDER)
        core.until(lambda: bool(core.pages))
        with Browser(core.pages[0] or 0) as browser:
            browser.comes()
            answer = browser.post("/still")
            browser.post("/leave")
        core.until(lambda: core.pages[-1] is None)
        core.hang_up()
        thread.join(10)
    patch.undo()
    return decoded(answer)


def decoded(answer: httpx.Response) -> Picture:
    return np.asarray(cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR), np.uint8)
