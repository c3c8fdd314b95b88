"""A shift in a real Chromium: an admin sets the pace, people sign on and off, whoever is on duty is asked first."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from datetime import UTC, timedelta
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect
from sqlalchemy import select
from tests.fakes.browser import Complaints, violations
from tests.fakes.pages import ROOM, HubPages, open_pages, serve
from tests.fakes.phone import phone, press, story

from forge_hub.alerts import monitoring
from forge_hub.alerts.engine import AlertEngine
from forge_hub.alerts.monitoring import Monitor
from forge_hub.records.schema import Alert

pytestmark = pytest.mark.slow

WATER = "Asks for water, Room 12"


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[HubPages]:
    with open_pages(tmp_path) as opened:
        for role in ("staff", "clinician", "admin"):
            opened.account(role)
        opened.room_connects()
        yield opened


@pytest.fixture
async def address(pages: HubPages, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """The pages with engine and monitor; that nobody listens is said after one second instead of sixty."""
    monkeypatch.setattr(monitoring, "NOBODY_SECONDS", 1.0)
    monkeypatch.setattr(monitoring, "NOBODY_AGAIN", timedelta())
    monkeypatch.setattr(monitoring, "LOOK_SECONDS", 0.1)
    clock = pages.parts.clock
    engine = AlertEngine(pages.database, clock, pages.board, zone=UTC)
    monitor = Monitor(pages.database, clock, pages.board, canary_seconds=600, reachable=lambda: False)
    running = asyncio.gather(engine.run(), monitor.run())
    async with serve(pages) as served:
        yield served
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def tick(page: Page, label: str) -> None:
    """Choose one of a group with the keyboard alone: into the group, then with the arrow."""
    await page.get_by_label(label).focus()
    await page.keyboard.press("Space")
    await expect(page.get_by_label(label)).to_be_checked()


async def sign_on(page: Page, level: str) -> None:
    await page.goto("/duty")
    await tick(page, level)
    await press(page, "Sign on")
    await expect(page.get_by_text("On duty in Ward 7")).to_be_visible()
    assert await violations(page) == []


async def set_up_the_ward(page: Page) -> None:
    """Make a ward with a bed, a shift that is always on, and its plan."""
    await page.goto("/beds")
    await page.get_by_label("Name").fill("Ward 7")
    await press(page, "Add the ward")
    await page.locator("#bed-name").fill("Bed 1")
    await page.get_by_label("Room node, if it has one").fill(ROOM)
    await press(page, "Add the bed")
    await expect(page.get_by_role("heading", name="Bed 1, Ward 7")).to_be_visible()
    await page.goto("/duty")
    await expect(page.get_by_text("Nobody is on duty.")).to_be_visible()
    await page.get_by_label("Name").fill("All day")
    await page.get_by_label("Starts, local time").fill("00:00")
    await page.get_by_label("Ends, local time").fill("00:00")
    await press(page, "Add the shift")
    await expect(page.get_by_text("Ward 7: All day, 00:00 to 00:00")).to_be_visible()
    await page.get_by_label("Shift", exact=True).select_option(label="Ward 7, All day")
    await page.get_by_label("Priority").select_option(label="low")
    for name, seconds in (("Second level after", 5), ("Third level after", 60), ("Everyone after", 600)):
        await page.get_by_label(f"{name}, seconds").fill(str(seconds))
    await press(page, "Set")
    await expect(page.get_by_role("row", name="Ward 7, All day low 5 s 60 s 600 s 180 s")).to_be_visible()
    assert await violations(page) == []


async def test_whoever_is_on_duty_is_asked_first_then_the_next_and_nobody_is_said_when_all_have_left(
    pages: HubPages, address: str, browser: Browser
) -> None:
    admin = await phone(browser, address, pages, "admin")
    await set_up_the_ward(admin)
    await admin.context.close()

    nurse, clinician = await phone(browser, address, pages, "staff"), await phone(browser, address, pages, "clinician")
    complaints = [Complaints(nurse), Complaints(clinician)]
    await nurse.goto("/duty")
    assert await nurse.get_by_role("button", name="Add the shift").count() == 0, "the pace is the admin's to set"
    await clinician.goto("/phone")
    await expect(clinician.get_by_text("Nobody is on duty in Ward 7")).to_be_visible()
    await sign_on(nurse, "First, at once")
    await expect(clinician.get_by_text("Nobody is on duty in Ward 7")).to_have_count(0)
    await sign_on(clinician, "Second, when the first does not accept")
    await expect(clinician.get_by_role("row", name="Ward 7 staff first, at once")).to_be_visible()
    for page, level in ((nurse, 1), (clinician, 2)):
        await page.goto("/phone")
        await expect(page.get_by_text(f"On duty: Ward 7, level {level}")).to_be_visible()
        await expect(page.locator("#live")).to_have_attribute("data-state", "live")

    # The first level is asked, and after its five seconds the second as well.
    alert = pages.alert_arrives()
    pages.board.changed()
    await expect(nurse.get_by_role("heading", name="1 for you")).to_be_visible()
    await expect(clinician.get_by_role("heading", name="Others are asked")).to_be_visible()
    await expect(clinician.get_by_role("heading", name="Nothing rings for you")).to_be_visible()
    await expect(clinician.get_by_role("heading", name="1 for you")).to_be_visible(timeout=7_000)
    assert [step for step in story(pages, alert) if step == "rung"] == ["rung", "rung"]
    await press(nurse, f"I am coming: {WATER}")
    await expect(clinician.get_by_text("staff is coming")).to_be_visible()
    await press(nurse, f"I am there: {WATER}")
    await nurse.get_by_label("Someone needed help").check()
    await press(nurse, f"Close: {WATER}")
    await expect(nurse.get_by_role("heading", name="You answer for")).to_have_count(0)

    # Whoever leaves while it rings leaves it to the next one at once.
    other = pages.alert_arrives()
    pages.board.changed()
    await expect(nurse.get_by_role("heading", name="1 for you")).to_be_visible()
    await nurse.goto("/duty")
    await press(nurse, "Sign off")
    await expect(clinician.get_by_role("heading", name="1 for you")).to_be_visible(timeout=2_000)
    await press(clinician, f"I am coming: {WATER}")
    await press(clinician, f"I am there: {WATER}")
    await clinician.get_by_label("Someone needed help").check()
    await press(clinician, f"Close: {WATER}")
    await expect(clinician.get_by_role("heading", name="You answer for")).to_have_count(0)
    assert "closed" in story(pages, other)

    # The last one signs off: that is shown at once, and once the pages are closed it is an alarm of its own.
    await nurse.goto("/phone")
    await clinician.goto("/duty")
    await press(clinician, "Sign off")
    await expect(clinician.get_by_text("Nobody is on duty.")).to_be_visible()
    await expect(nurse.get_by_text("Nobody is on duty in Ward 7")).to_be_visible()
    assert await violations(nurse) == []
    assert [each.heard for each in complaints] == [[], []]
    await clinician.context.close()
    await nurse.context.close()
    await until_alarm(pages, stands=True)
    again = await phone(browser, address, pages, "staff")
    await again.goto("/phone")
    await expect(again.locator("#live")).to_have_attribute("data-state", "live")
    await until_alarm(pages, stands=False)


async def until_alarm(pages: HubPages, *, stands: bool) -> None:
    """Wait until it is an alarm that nobody listens for the ward, or is none any more."""

    def found() -> bool:
        with pages.database.read() as transaction:
            own = (Alert.kind == "nobody-listening", Alert.state == "open", Alert.detail["ward"].as_string() != "")
            return transaction.scalars(select(Alert.id).where(*own)).first() is not None

    async with asyncio.timeout(10):
        while await asyncio.to_thread(found) is not stands:
            await asyncio.sleep(0.1)
