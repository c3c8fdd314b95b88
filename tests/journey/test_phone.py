"""The phone page in a real Chromium at phone size: sounds, accept, decline, attend, close; seen elsewhere at once."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from datetime import UTC
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect
from sqlalchemy import select
from tests.fakes.browser import Complaints, violations
from tests.fakes.clock import FakeClock
from tests.fakes.pages import ROOM, HubPages, open_pages, serve, wire
from tests.fakes.phone import phone, press, story
from tests.fakes.sent import FakeNode, danger

from forge_hub.alerts.engine import AlertEngine
from forge_hub.alerts.projector import raise_alert
from forge_hub.records.schema import Account, Alert, Bed, Ward
from forge_shared.ids import new_id

pytestmark = pytest.mark.slow


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[HubPages]:
    with open_pages(tmp_path) as opened:
        for role in ("staff", "clinician", "admin"):
            opened.account(role)
        opened.room_connects()
        opened.add(Ward(id="ward-7", name="Ward 7"), Bed(id="b", ward="ward-7", name="1", node=ROOM))
        yield opened


@pytest.fixture
async def address(pages: HubPages) -> AsyncIterator[str]:
    engine = AlertEngine(pages.database, pages.parts.clock, pages.board, zone=UTC)
    running = asyncio.create_task(engine.run())
    async with serve(pages) as served:
        yield served
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


@pytest.mark.alone
async def test_an_alert_rings_is_taken_attended_and_closed_and_another_phone_sees_it_at_once(
    pages: HubPages, address: str, browser: Browser
) -> None:
    page, other = await phone(browser, address, pages, "staff"), await phone(browser, address, pages, "clinician")
    complaints = Complaints(page)
    for each in (page, other):
        await each.goto("/duty")
        await each.get_by_role("button", name="Sign on").click()
        await expect(each.get_by_text("On duty in Ward 7")).to_be_visible()
        await each.goto("/phone")
        await expect(each.locator("#live")).to_have_attribute("data-state", "live")
    assert await violations(page) == []
    await page.get_by_role("button", name="Turn the sound on").click()
    await expect(page.get_by_text("The sound is on.")).to_be_visible()

    alert = pages.risk_is_answered()
    pages.board.changed()
    await expect(page.get_by_role("heading", name="1 for you")).to_be_visible()
    await expect(page.locator("#announcement")).to_contain_text("PHQ-9 item 9 answered: Several days, Room 12")
    await page.wait_for_function("AlarmSound.count() === 1")
    tree = await page.locator("#phone").aria_snapshot()
    for button in ("I am coming", "I cannot", "I am there"):
        assert f'button "{button}: PHQ-9 item 9 answered: Several days, Room 12"' in tree
    assert await violations(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await expect(other.get_by_role("heading", name="1 for you")).to_be_visible()

    await press(other, "I cannot: PHQ-9 item 9 answered: Several days, Room 12")
    await expect(other.get_by_text("You said that you cannot.")).to_be_visible()
    await press(page, "I am coming: PHQ-9 item 9 answered: Several days, Room 12")
    taken = time.monotonic()
    await expect(other.get_by_text("staff is coming")).to_be_visible()
    assert time.monotonic() - taken < 1
    await expect(page.get_by_role("heading", name="You answer for")).to_be_visible()
    assert [topic.rsplit("/", 1)[-1] for topic, _ in pages.published] == ["alert-accepted"]
    assert await violations(page) == []

    await press(page, "I am there: PHQ-9 item 9 answered: Several days, Room 12")
    await page.get_by_label("Someone needed help").check()
    assert await violations(page) == []
    await press(page, "Close: PHQ-9 item 9 answered: Several days, Room 12")
    await expect(page.get_by_role("heading", name="You answer for")).to_have_count(0)
    with pages.database.read() as transaction:
        closed = transaction.scalars(select(Alert).where(Alert.id == alert)).one()
    assert (closed.state, closed.cause) == ("closed", "real")
    assert {"raised", "rung", "delivered", "seen", "declined", "accepted", "attended", "closed"} - {"raised"} <= set(
        story(pages, alert)
    )
    assert complaints.heard == []


@pytest.mark.alone
async def test_a_fall_is_marked_with_one_tap_and_the_mark_is_corrected(
    pages: HubPages, address: str, browser: Browser
) -> None:
    page = await phone(browser, address, pages, "staff")
    complaints = Complaints(page)
    await page.goto("/duty")
    await page.get_by_role("button", name="Sign on").click()
    await page.goto("/phone")
    await expect(page.locator("#live")).to_have_attribute("data-state", "live")
    await page.get_by_role("button", name="Turn the sound on").click()
    node, fall, announced = FakeNode(FakeClock(), ROOM, "ward"), new_id(), page.locator("#announcement")
    for count, (stage, words) in enumerate(
        (("suspected", "Possible fall"), ("confirmed", "Fell and has not got up")), 1
    ):
        data = danger(fall, stage)  # type: ignore[arg-type]  # one of the stages above
        with pages.database.begin() as transaction:
            raise_alert(transaction, node.event(data), data, pages.now, received_at=pages.now)
        pages.board.changed()
        await expect(announced).to_contain_text(f"{words}, Room 12")
        await page.wait_for_function(f"AlarmSound.count() >= {count}")
    with pages.database.read() as transaction:
        alert = transaction.scalars(select(Alert.id)).one()
    await press(page, "I am there: Fell and has not got up, Room 12")
    assert await violations(page) == []
    await page.get_by_role("button", name="False alarm: Staff at work").tap()
    await expect(page.get_by_text("False alarm: staff at work")).to_be_visible()
    await expect(page.get_by_role("heading", name="You answer for")).to_have_count(0)
    assert await violations(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await page.get_by_role("link", name="Change or take back: Fell and has not got up, Room 12").tap()
    await page.get_by_role("button", name="Real: Found on the floor").tap()
    await expect(page.get_by_text("Real: found on the floor")).to_be_visible()
    with pages.database.read() as transaction:
        marked = transaction.scalars(select(Alert).where(Alert.id == alert)).one()
    assert (marked.state, marked.cause, marked.verdict_reason) == ("closed", "real", "found-on-floor")

    back = pages.alert_arrives(
        kind="danger",
        severity="high",
        state="closed",
        cause="withdrawn",
        closed_at=pages.now,
        detail={"danger": "fall", "stage": "suspected", "zone": "floor"},
    )
    pages.board.changed()
    await page.get_by_role("button", name="False alarm: Possible fall, Room 12").tap()
    await expect(page.get_by_role("link", name="Change or take back: Possible fall, Room 12")).to_be_visible()
    assert "marked" in story(pages, back)
    assert complaints.heard == []


@pytest.mark.alone
async def test_a_phone_that_slept_says_that_it_is_not_live_and_then_what_it_missed(
    pages: HubPages, address: str, browser: Browser
) -> None:
    async with wire(address) as between:
        page = await phone(browser, between.address, pages, "staff")
        await page.goto("/phone")
        await expect(page.locator("#live")).to_have_attribute("data-state", "live")
        pages.alert_arrives()
        pages.board.changed()
        await expect(page.get_by_role("heading", name="1 for you")).to_be_visible()
        between.fall_silent()
        await expect(page.locator("#live")).to_have_attribute("data-state", "lost", timeout=11_000)
        assert "do not reach this phone" in await page.locator("#live").inner_text()
        gone = pages.alert_arrives(detail={"request": "help", "mode": "voice"}, severity="critical")
        pages.board.changed()
        async with asyncio.timeout(10):
            while "rung" not in story(pages, gone):
                await asyncio.sleep(0.05)
        account = await asyncio.to_thread(_account, pages, "admin")
        await pages.board.answer(gone, "attend", account)
        between.come_back()
        await expect(page.get_by_text("Calls for help, Room 12: someone has been there")).to_be_visible(timeout=20_000)
        await expect(page.locator("#live")).to_have_attribute("data-state", "live")


@pytest.mark.alone
async def test_alerts_are_answered_on_a_phone_without_scripts(pages: HubPages, address: str, browser: Browser) -> None:
    page = await phone(browser, address, pages, "staff", scripts=False)
    pages.alert_arrives()
    pages.board.changed()
    await asyncio.sleep(0.5)
    await page.goto("/phone")
    for button in ("I am coming", "I am there"):
        await page.get_by_role("button", name=f"{button}: Asks for water, Room 12").click()
    await page.get_by_label("A drill or a test").check()
    await page.get_by_role("button", name="Close: Asks for water, Room 12").click()
    await expect(page.get_by_role("heading", name="Nothing rings for you")).to_be_visible()


async def test_the_phone_page_can_be_installed_and_says_when_the_hub_cannot_be_reached(
    pages: HubPages, address: str, browser: Browser
) -> None:
    async with wire(address) as between:
        page = await phone(browser, between.address, pages, "staff")
        await page.goto("/phone")
        manifest = await page.evaluate("fetch(document.querySelector('link[rel=manifest]').href).then(r => r.json())")
        assert (manifest["start_url"], manifest["display"]) == ("/phone", "standalone")
        await page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        await page.reload()
        await page.wait_for_function("navigator.serviceWorker.controller !== null")
        await page.context.set_offline(True)
        await page.reload()
        await expect(page.get_by_role("heading", name="No connection to the hub")).to_be_visible()
        assert await violations(page) == []


async def test_the_roster_is_kept_on_its_page(pages: HubPages, address: str, browser: Browser) -> None:
    page = await phone(browser, address, pages, "admin")
    await page.goto("/duty")
    await page.get_by_label("Name").fill("Night")
    await page.get_by_label("Starts, local time").fill("21:00")
    await page.get_by_label("Ends, local time").fill("07:00")
    await page.get_by_role("button", name="Add the shift").click()
    await expect(page.get_by_text("Ward 7: Night, 21:00 to 07:00")).to_be_visible()
    await page.get_by_label("Second level after, seconds").fill("20")
    await page.get_by_label("Shift", exact=True).select_option(label="Ward 7, Night")
    await page.get_by_role("button", name="Set", exact=True).click()
    await expect(page.get_by_role("row", name="Ward 7, Night high 20 s 60 s 120 s 180 s")).to_be_visible()
    assert await violations(page) == []
    await page.get_by_role("button", name="Sign on").click()
    await expect(page.get_by_role("row", name="Ward 7 admin first, at once")).to_be_visible()
    await page.get_by_role("button", name="Sign off").click()
    await expect(page.get_by_text("Nobody is on duty.")).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def _account(pages: HubPages, username: str) -> str:
    with pages.database.read() as transaction:
        return transaction.scalars(select(Account.id).where(Account.username == username)).one()
