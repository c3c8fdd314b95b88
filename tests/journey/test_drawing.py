"""Staff draw zones and a mask on the room's own screen: a whole node, a real Chromium, by finger and by key alone."""

import asyncio
import base64
import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import BrowserContext, Error, Locator, Page, async_playwright, expect
from tests.fakes.browser import ARGUMENTS, PATIENCE_MS, Complaints, chromium, violations
from tests.fakes.cameras import picture, recording
from tests.fakes.ports import free_port
from tests.fakes.watermark import files_below, found_in, marked, places_with_it

from forge_shared.plan import RoomPlan, Secret

pytestmark = pytest.mark.alone

FAKES = Path(__file__).parents[1] / "fakes"
PIN = "4711"
LEAST_TARGET_PX = 48
SHOWN = """() => {
    const still = document.getElementById('still');
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [still.naturalWidth, still.naturalHeight];
    canvas.getContext('2d').drawImage(still, 0, 0);
    return canvas.toDataURL('image/png');
}"""
BED = ((0.2, 0.4), (0.6, 0.4), (0.6, 0.8), (0.2, 0.8))


class Ward:
    """A node without a hub whose camera shows marked pictures, and the profile of its kiosk's browser."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        for name in ("state", "tmp", "home", "here", "profile"):
            (folder / name).mkdir()
        (folder / "script.json").write_text('{"turns": []}')
        plan = RoomPlan(staff_pin=Secret.of(PIN))
        (folder / "plan.json").write_text(plan.model_dump_json())
        film = recording(folder / "room.avi", [marked(picture(number, (160, 120))) for number in range(900)])
        self.environment = {
            **os.environ,
            "PYTHONPATH": ":".join(sys.path),
            "TMPDIR": str(folder / "tmp"),
            "HOME": str(folder / "home"),
            "FORGE_EDGE_STATE_DIR": str(folder / "state"),
            "FORGE_EDGE_CAMERA": str(film),
            "FORGE_EDGE_HEARING": "light",
            "FORGE_EDGE_SCREEN_PORT": str(self.port),
            "FORGE_EDGE_ROOM_PLAN": str(folder / "plan.json"),
        }

    @asynccontextmanager
    async def runs(self) -> AsyncIterator[None]:
        with (self.folder / "log").open("wb") as log:
            node = await asyncio.create_subprocess_exec(
                sys.executable,
                str(FAKES / "scripted_node.py"),
                str(self.folder / "script.json"),
                "finding_eyes.py",
                cwd=self.folder / "here",
                env=self.environment,
                stdout=log,
                stderr=log,
            )
            try:
                await until((self.folder / "state" / "screen.html").exists)
                yield
            finally:
                node.terminate()
                await asyncio.wait_for(node.wait(), 20)

    @asynccontextmanager
    async def screen(self) -> AsyncIterator[tuple[BrowserContext, Page]]:
        """Open the screen as the kiosk does, in a browser that keeps what it keeps in a folder."""
        async with async_playwright() as playwright:
            context = await playwright.chromium.launch_persistent_context(
                self.folder / "profile",
                executable_path=chromium(),
                args=ARGUMENTS,
                viewport={"width": 1280, "height": 800},
                has_touch=True,
                env={**os.environ, "HOME": str(self.folder / "home")},
            )
            context.set_default_timeout(PATIENCE_MS)
            page = await context.new_page()
            await page.goto(f"file://{self.folder / 'state' / 'screen.html'}")
            await expect(page.get_by_text("The camera is on")).to_be_visible(timeout=20_000)
            try:
                yield context, page
            finally:
                await context.close()

    @property
    def zones(self) -> dict[str, list[list[float]]]:
        drawn: dict[str, list[list[float]]] = json.loads((self.folder / "state" / "zones.json").read_text())
        return drawn

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()


async def until(what: Callable[[], bool], seconds: float = 20.0) -> None:
    async with asyncio.timeout(seconds):
        while not what():
            await asyncio.sleep(0.05)


async def enter(page: Page, pin: str) -> None:
    await page.get_by_text("For the staff").click()
    await page.get_by_label("Number of the staff").fill(pin)
    await page.get_by_role("button", name="Next").click()


async def to_picture(page: Page) -> None:
    await enter(page, PIN)
    await expect(page.get_by_role("heading", name="A picture of the room")).to_be_visible()
    assert await violations(page) == []
    await page.get_by_role("button", name="Show the picture").click()
    await expect(page.locator("#still")).to_be_visible()


async def small_targets(page: Page) -> list[str]:
    found: list[str] = await page.evaluate(
        """least => [...document.querySelectorAll('button, label')].filter(one => one.offsetParent)
            .map(one => [one, one.getBoundingClientRect()])
            .filter(([, box]) => box.height < least || box.width < least)
            .map(([one, box]) => `${one.textContent.trim()}: ${box.width} x ${box.height}`)""",
        LEAST_TARGET_PX,
    )
    return found


async def touch_corners(page: Page, corners: tuple[tuple[float, float], ...]) -> None:
    stage = await page.locator("#stage").bounding_box()
    assert stage is not None
    for x, y in corners:
        await page.touchscreen.tap(stage["x"] + x * stage["width"], stage["y"] + y * stage["height"])


async def press_to(page: Page, target: Locator) -> None:
    for _ in range(60):
        if await target.evaluate("one => one === document.activeElement"):
            return
        await page.keyboard.press("Tab")
    pytest.fail("the keyboard does not reach it")


@pytest.fixture
def ward(tmp_path: Path) -> Ward:
    return Ward(tmp_path)


async def test_what_staff_draw_by_finger_holds_without_a_restart_and_its_picture_is_nowhere_on_a_disk(
    ward: Ward,
) -> None:
    async with ward.runs(), ward.screen() as (context, page):
        complaints = Complaints(page)

        await to_picture(page)
        shown = base64.b64decode((await page.evaluate(SHOWN)).partition(",")[2])
        await touch_corners(page, BED)
        await page.get_by_role("button", name="Hide another area").click()
        await touch_corners(page, ((0.7, 0.05), (0.95, 0.05), (0.95, 0.3)))
        assert await violations(page) == []
        assert await small_targets(page) == []
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_text("The room watches by it from now on")).to_be_visible()
        await until(lambda: '"zones.adopted"' in ward.log)
        address = page.url
        await page.get_by_role("button", name="Leave").click()
        await expect(page.get_by_role("button", name="Call the nurse")).to_be_visible()
        await until(lambda: '"drawing.closed"' in ward.log)
        with pytest.raises(Error, match="ECONNREFUSED"):
            await context.request.get(f"{address}static/drawing.js")
        assert complaints.heard == []
    assert [[round(x, 1), round(y, 1)] for x, y in ward.zones["bed"]] == [list(corner) for corner in BED]
    assert len(json.loads((ward.folder / "state" / "masks.json").read_text())["masks"]) == 1
    assert found_in(shown), "the search finds the mark in what was shown"
    places = files_below(*(ward.folder / name for name in ("state", "tmp", "home", "here", "profile")))
    places["log"] = (ward.folder / "log").read_bytes()
    assert any("profile" in name for name in places), "the browser keeps something"
    assert places_with_it(places) == set()
    assert PIN not in ward.log


async def test_everything_is_drawn_with_the_keyboard_alone_and_taken_back(ward: Ward) -> None:
    async with ward.runs(), ward.screen() as (_, page):
        await to_picture(page)
        await press_to(page, page.locator("input[value=bed]"))
        await page.keyboard.press("ArrowDown")
        await page.keyboard.press("ArrowDown")
        await expect(page.locator("input[value=door]")).to_be_checked()
        for _ in range(4):
            await press_to(page, page.locator("#add"))
            await page.keyboard.press("Enter")
            await expect(page.locator(".corner:focus")).to_have_count(1)
        before = await page.locator(".corner:focus").get_attribute("aria-label")
        for key in ("ArrowRight", "Shift+ArrowDown", "ArrowLeft", "ArrowRight"):
            await page.keyboard.press(key)
        after = await page.locator(".corner:focus").get_attribute("aria-label")
        assert before != after
        await page.keyboard.press("Delete")
        await expect(page.locator(".corner")).to_have_count(3)
        await press_to(page, page.locator("#save"))
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("The room watches by it from now on")).to_be_visible()
        assert list(ward.zones) == ["door"]
        await press_to(page, page.locator("#undo"))
        await page.keyboard.press("Space")
        await expect(page.get_by_text("What held before holds again.")).to_be_visible()
        assert ward.zones == {}
        await press_to(page, page.locator("#leave"))
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("button", name="Call the nurse")).to_be_visible()


async def test_a_mask_over_the_bed_and_a_door_over_everything_are_asked_about_before_they_hold(ward: Ward) -> None:
    async with ward.runs(), ward.screen() as (_, page):
        await to_picture(page)
        await touch_corners(page, BED)
        await page.get_by_text("Door", exact=True).click()
        await touch_corners(page, ((0.02, 0.02), (0.98, 0.02), (0.98, 0.98), (0.02, 0.98)))
        await page.get_by_role("button", name="Hide another area").click()
        await touch_corners(page, BED)
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_text("nobody is watched there, and no fall is seen.")).to_be_visible()
        await expect(page.get_by_text("whoever is not seen there counts as gone.")).to_be_visible()
        assert not (ward.folder / "state" / "zones.json").exists()
        assert await violations(page) == []
        await page.get_by_role("button", name="Save it all the same").click()
        await expect(page.get_by_text("The room watches by it from now on")).to_be_visible()
        assert set(ward.zones) == {"bed", "door"}


async def test_a_wrong_number_opens_nothing_and_eyes_that_end_take_their_picture_with_them(ward: Ward) -> None:
    async with ward.runs(), ward.screen() as (_, page):
        await enter(page, "0815")
        await expect(page.get_by_text("That is not the right number.")).to_be_visible()
        assert "drawing.opened" not in ward.log
        await page.reload()
        await to_picture(page)
        socket = str(ward.folder / "state" / "eyes.sock")
        eyes = [
            int(path.parent.name)
            for path in Path("/proc").glob("[0-9]*/cmdline")
            if socket.encode() in path.read_bytes()
        ]
        assert len(eyes) == 1
        os.kill(eyes[0], 9)
        await expect(page.get_by_role("button", name="Call the nurse")).to_be_visible(timeout=10_000)
