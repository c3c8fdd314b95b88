"""The pages in a real Chromium, served by a real server over a real store and graph."""

import time
from datetime import timedelta
from typing import Literal

import pyotp
import pytest
from playwright.async_api import Browser, expect
from sqlalchemy import select
from tests.fakes.browser import Complaints, open_context, sign_in, violations
from tests.fakes.clock import FakeClock
from tests.fakes.pages import PASSWORD, PERSON, ROOM, SAID, HubPages, wire
from tests.fakes.sent import FakeNode

from forge_hub.alerts.marks import Mark
from forge_hub.ingest.store import IngestStore
from forge_hub.records.schema import Person, Room, Session
from forge_shared.events import SenseChanged

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("scripts_are_built")]


async def test_an_alert_arrives_live_and_is_taken_from_the_keyboard_alone(
    pages: HubPages, address: str, browser: Browser
) -> None:
    pages.room_connects()
    pages.person_is_admitted()
    async with open_context(browser, address) as context:
        page = await context.new_page()
        complaints = Complaints(page)
        await page.goto("/")
        await page.keyboard.press("Tab")
        await page.get_by_label("Username").focus()
        await page.keyboard.type("clinician")
        await page.keyboard.press("Tab")
        await page.keyboard.type(PASSWORD)
        await page.keyboard.press("Enter")
        # The first time, one-time codes are set up: the picture is there, and the secret for whoever has no camera.
        await expect(page.get_by_role("img", name="QR code")).to_be_visible()
        await page.wait_for_function("document.querySelector('.qr').naturalWidth > 100")
        secret = await page.get_by_label("The secret, for typing").input_value()
        assert await violations(page) == []
        await page.get_by_label("Code").focus()
        await page.keyboard.type(pyotp.TOTP(secret).now())
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("listitem").filter(has_text="-")).to_have_count(10)
        assert await violations(page) == []
        await page.get_by_role("link", name="I have kept them").click()
        await expect(page.locator("#live")).to_have_attribute("data-state", "live")
        await expect(page.get_by_text("Nobody is waiting.")).to_be_visible()

        first = pages.risk_is_answered()
        started = time.monotonic()
        pages.board.changed()
        await expect(page.get_by_role("heading", name="PHQ-9 item 9 answered: Several days")).to_be_visible()
        assert time.monotonic() - started < 2
        await expect(page.get_by_text("Read back: pending")).to_be_visible()
        await expect(page.locator("#announcement")).to_contain_text("PHQ-9 item 9 answered: Several days, Room 12")

        await page.locator("h1").click()
        for _ in range(20):
            await page.keyboard.press("Tab")
            if await page.evaluate("document.activeElement.id") == f"take-{first}":
                break
        # A board that changes under the keyboard leaves the focus where it was.
        second = pages.alert_arrives()
        pages.board.changed()
        await expect(page.get_by_role("heading", name="Asks for water")).to_be_visible()
        assert await page.evaluate("document.activeElement.id") == f"take-{first}"
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("Taken by clinician")).to_be_visible()
        assert await page.evaluate("document.activeElement.id") == f"alert-{first}"
        assert second in await page.locator("#open-alerts").inner_html()
        assert [topic.rsplit("/", 1)[-1] for topic, _ in pages.published] == ["alert-accepted"]

        await page.get_by_role("link", name="Open the record of the person").first.click()
        await expect(page.get_by_role("heading", level=1, name=PERSON)).to_be_visible()
        await expect(page.get_by_text("screening result, not a diagnosis")).to_be_visible()
        await expect(page.locator("#circumplex canvas")).to_be_visible()
        await page.get_by_role("link", name="All that was said").click()
        await page.get_by_role("link", name=f"Reasons and links of: {SAID[0]}").click()
        await page.get_by_role("link", name="Explore its links").click()
        await expect(page.locator("#graph canvas").first).to_be_visible()
        assert complaints.heard == []


async def test_a_broken_stream_is_said_within_seconds_and_nothing_is_missed_when_it_returns(
    pages: HubPages, address: str, browser: Browser
) -> None:
    pages.room_connects()
    async with wire(address) as between, open_context(browser, between.address) as context:
        await sign_in(context, pages, "staff")
        page = await context.new_page()
        await page.goto("/")
        await expect(page.locator("#live")).to_have_attribute("data-state", "live")
        between.fall_silent()
        await expect(page.locator("#live")).to_have_attribute("data-state", "lost", timeout=11_000)
        await expect(page.locator("#live")).to_contain_text("Connection lost")
        pages.alert_arrives()
        pages.board.changed()
        between.come_back()
        await expect(page.get_by_role("heading", name="Asks for water")).to_be_visible(timeout=15_000)
        await expect(page.locator("#live")).to_have_attribute("data-state", "live")


async def test_a_session_that_ends_shows_on_the_open_board(pages: HubPages, address: str, browser: Browser) -> None:
    async with open_context(browser, address) as context:
        await sign_in(context, pages, "staff")
        page = await context.new_page()
        await page.goto("/")
        await expect(page.locator("#live")).to_have_attribute("data-state", "live")
        [cookie] = await context.cookies()
        pages.app.state.site.access.sign_out(cookie["value"])
        pages.board.changed()
        await expect(page.locator("#live")).to_contain_text("Signed out")


async def test_a_room_that_goes_away_shows_on_the_open_list_of_rooms(
    pages: HubPages, address: str, browser: Browser
) -> None:
    pages.room_connects()
    async with open_context(browser, address) as context:
        await sign_in(context, pages, "staff")
        page = await context.new_page()
        complaints = Complaints(page)
        await page.goto("/rooms")
        await expect(page.get_by_text("online")).to_be_visible()
        with pages.database.begin() as transaction:
            room = transaction.get(Room, ROOM)
            assert room is not None
            room.connection, room.hearing = "offline", "unknown"
        await expect(page.get_by_text("offline")).to_be_visible(timeout=12_000)
        await expect(page.get_by_role("heading", name="Room 12")).to_have_count(1)
        assert complaints.heard == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_no_page_has_an_accessibility_violation(
    pages: HubPages, address: str, browser: Browser, scheme: Literal["light", "dark"]
) -> None:
    from_roles = {
        "clinician": (
            *("/", "/rooms", "/rooms/room-12/session", "/people", f"/people/{PERSON}", "/nowhere", "/account"),
            *("/assignments", f"/people/{PERSON}/emergency", "/people/stay-other"),
        ),
        "staff": (
            *("/rooms", "/stays", "/stays/STAY", "/beds/BED/admission", "/trust", "/trust?days=31"),
            *("/alerts/TAKEN/mark", "/alerts/MARKED/mark", "/alerts/RINGS/mark"),
        ),
        "admin": (
            "/",
            "/accounts",
            "/beds",
            "/fleet",
            "/people",
            "/assignments",
            "/reviews",
            "/audit",
            "/quarantine",
            "/quarantine/ENTRY",
            "/releases/approval",
            "/rollouts/ROLLOUT",
            "/rollouts/new",
        ),
    }
    async with open_context(browser, address, scheme=scheme) as context:
        page = await context.new_page()
        complaints = Complaints(page)
        link = pages.app.state.site.access.invite("staff", address, "test")
        empty = ["/login", link.removeprefix(address)]
        for path in empty:
            await page.goto(path)
            assert await violations(page) == [], path
        await sign_in(context, pages, "admin")
        await page.goto("/")
        await expect(page.get_by_text("No room has connected yet.")).to_be_visible()
        assert await violations(page) == []
        await sign_in(context, pages, "staff")
        await page.goto("/trust")
        await expect(page.get_by_text("No camera has watched, and none has raised an alarm.")).to_be_visible()
        assert await violations(page) == []

        _fill(pages)
        pages.releases_wait()
        rollout = pages.rollout_begins()
        pages.world.room_says(rollout, "room-14", state="fetching", percentage=34)
        pages.world.room_does(rollout, ROOM, state="failed", reason="golden-differs")
        seen = await _cameras_saw(pages)
        story = _story(pages)
        for role, paths in from_roles.items():
            await sign_in(context, pages, role)
            for pattern in (*paths, *(story if role == "clinician" else ())):
                path = pattern.replace("STAY", pages.stay).replace("BED", pages.free_bed)
                path = path.replace("ENTRY", pages.quarantined).replace("ROLLOUT", rollout)
                for name, alert in seen.items():
                    path = path.replace(name, alert)
                await page.goto(path)
                await page.wait_for_load_state("load")
                if path == f"/people/{PERSON}" or "/explore" in path:
                    await expect(page.locator("canvas").first).to_be_visible()
                assert await violations(page) == [], f"{role} {path}"
                assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        assert [said for said in complaints.heard if "404" not in said and "403" not in said] == []


async def test_a_claim_is_shown_as_words_and_as_a_code_and_a_device_is_revoked(
    pages: HubPages, address: str, browser: Browser
) -> None:
    pages.parts.fleet.enrolment.issue("room-12", "https://hub.test", "hub.test")
    async with open_context(browser, address) as context:
        await sign_in(context, pages, "admin")
        page = await context.new_page()
        complaints = Complaints(page)
        await page.goto("/")
        await page.get_by_role("link", name="Devices").click()
        await page.get_by_label("Name of the device").fill("room-30")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("list", name="The words of the claim").get_by_role("listitem")).to_have_count(15)
        code = page.get_by_role("img", name="The address and the words as a QR code")
        assert await code.evaluate("image => image.decode().then(() => image.naturalWidth)") > 100
        assert await violations(page) == []
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        await page.get_by_role("button", name="Revoke Room 12").click()
        await expect(page.get_by_role("row", name="Room 12")).to_contain_text("revoked")
        assert await violations(page) == []
        assert complaints.heard == []


async def test_nothing_a_person_must_press_is_smaller_than_a_fingertip(
    pages: HubPages, address: str, browser: Browser
) -> None:
    _fill(pages)
    seen = await _cameras_saw(pages)
    async with open_context(browser, address) as context:
        await sign_in(context, pages, "clinician")
        page = await context.new_page()
        cared_for = ("/stays", f"/stays/{pages.stay}", f"/beds/{pages.free_bed}/admission")
        cameras = ("/trust", f"/alerts/{seen['TAKEN']}/mark", f"/alerts/{seen['MARKED']}/mark")
        story = _story(pages)
        for path in (
            *cameras,
            "/",
            "/rooms",
            "/rooms/room-12/session",
            "/people",
            f"/people/{PERSON}",
            *cared_for,
            *story,
        ):
            await page.goto(path)
            small = await page.evaluate(
                """[...document.querySelectorAll('button, main a, nav a, summary, input[type=text], textarea, select')]
                .filter(e => e.checkVisibility()).map(e => [e.textContent.trim(), e.getBoundingClientRect().height])
                .filter(([, height]) => height < 44)"""
            )
            assert small == [], path


async def test_pages_are_readable_and_alerts_can_be_taken_without_scripts(
    pages: HubPages, address: str, browser: Browser
) -> None:
    _fill(pages)
    async with open_context(browser, address, scripts=False) as context:
        await sign_in(context, pages, "clinician")
        page = await context.new_page()
        await page.goto("/")
        assert await page.locator("meta[http-equiv=refresh]").get_attribute("content") == "10"
        await page.get_by_role("button", name="Take it: PHQ-9 item 9 answered: Several days, Room 12").click()
        await expect(page.get_by_text("Taken by clinician")).to_be_visible()
        await page.goto(f"/people/{PERSON}")
        await expect(page.get_by_role("cell", name="Several days").first).to_be_visible()
        await page.get_by_role("link", name="All that was said").click()
        await expect(page.locator("blockquote").first).to_be_visible()
        await page.goto(f"/people/{PERSON}/explore?at=Utterance:{pages.utterances[0]}")
        await expect(page.get_by_role("cell", name="shows the pattern").first).to_be_visible()
        await page.goto(f"/people/{PERSON}/review?framework=distortion")
        await page.get_by_role("button", name="Right: Thinking pattern Overgeneralisation").first.click()
        await page.get_by_role("link", name="Decided").click()
        await expect(page.get_by_text("Approved")).to_be_visible()


async def test_what_an_alarm_was_is_said_with_one_press_corrected_and_counted(
    pages: HubPages, address: str, browser: Browser
) -> None:
    pages.room_connects()
    seen = await _cameras_saw(pages)
    async with open_context(browser, address) as context:
        await sign_in(context, pages, "staff")
        page = await context.new_page()
        complaints = Complaints(page)
        await page.goto("/")
        await expect(page.get_by_text("Taken back by the room")).to_be_visible()
        await expect(page.get_by_role("heading", name="The room cannot see: the camera is covered")).to_be_visible()
        await page.locator(f"#mark-{seen['TAKEN']}").click()
        await page.get_by_role("button", name="False alarm: Blanket or clothes").click()
        await expect(page.get_by_text("False alarm: blanket or clothes.")).to_be_visible()
        await page.locator(f"#mark-{seen['TAKEN']}").click()
        await page.get_by_role("button", name="Real: A fall").click()
        await expect(page.get_by_text("Real: a fall.")).to_be_visible()
        await page.locator(f"#mark-{seen['TAKEN']}").click()
        await page.get_by_role("button", name="Take the mark back").click()
        await page.get_by_role("link", name="Trust").click()
        row = page.get_by_role("region", name="Trust by room as a table").get_by_role("row", name="Room 12")
        await expect(row).to_contain_text("Fall 3")
        await expect(row).to_contain_text("0 % (0 to 79 %)")
        await expect(row).to_contain_text("at least")
        quiet = page.get_by_role("region", name="Trust by room as a table").get_by_role("row", name="Room 14")
        await expect(quiet.get_by_text("not known")).to_have_count(2)
        assert complaints.heard == []


def _story(pages: HubPages) -> list[str]:
    with pages.database.read() as transaction:
        session = transaction.scalars(select(Session.id).where(Session.subject == PERSON)).one()
    said = f"utterances/{pages.utterances[0]}"
    explored = (f"explore?at=Utterance:{pages.utterances[0]}", "explore", "explore?framework=distortion")
    read = (said, "utterances", "utterances?framework=distortion", f"sessions/{session}", f"sessions/{session}/report")
    rows = (f"sessions/{session}/rows", f"sessions/{session}/rows?edit={pages.utterances[0]}")
    return [
        f"/people/{PERSON}/{path}" for path in (*read, *rows, "review", "review?decided=true", "compare", *explored)
    ]


async def _cameras_saw(pages: HubPages) -> dict[str, str]:
    """Let rooms see falls: one that rings, one that is attended, one that is marked, one that was taken back."""
    account = pages.account("staff", "night.nurse")
    hour = timedelta(hours=1)
    node = FakeNode(FakeClock(), ROOM, "ward")
    quiet = FakeNode(FakeClock(), "room-14", "ward")
    ingest = IngestStore("ward", pages.database, pages.parts.clock)
    for each, ago in ((node, 2 * hour), (quiet, hour)):
        saw = SenseChanged(sense="sight", state="ok", reason="started")
        ingest.commit([each.send(saw, time=pages.now - ago, backfill=True, ageseconds=ago.total_seconds())])
    pages.alert_arrives(kind="sense-lost", severity="high", detail={"sense": "sight", "reason": "picture-covered"})
    taken = {"kind": "danger", "accepted_by": account, "accepted_at": pages.now}
    fall = {"danger": "fall", "stage": "confirmed", "zone": "floor", "confirmed_by": "silence"}
    back = {**fall, "stage": "suspected", "taken_back_at": pages.now.isoformat()}
    found = {
        "RINGS": pages.alert_arrives(kind="danger", severity="critical", detail={**fall, "danger": "immobile"}),
        "TAKEN": pages.alert_arrives(**taken, severity="critical", state="attended", detail=fall),
        "MARKED": pages.alert_arrives(**taken, severity="high", state="attended", detail=fall),
        "BACK": pages.alert_arrives(
            kind="danger", severity="high", state="closed", cause="withdrawn", closed_at=pages.now, detail=back
        ),
    }
    await pages.board.mark(found["MARKED"], Mark("false", "visitor"), account)
    return found


def _fill(pages: HubPages) -> None:
    pages.room_connects(session_on=True, capture="camera")
    pages.someone_stays(ROOM)
    pages.message_cannot_be_read()
    pages.protocols.update({"room-14": 1, "room-15": 99})
    pages.room_connects("room-14", hearing="lost", pending_events=3)
    pages.room_connects("room-15", connection="offline", hearing="unknown", sight="unknown", activity="unknown")
    pages.person_is_admitted()
    pages.risk_is_answered()
    pages.alert_arrives(severity="high", detail={"request": "pain", "mode": "touch"}, late=True)
    pages.alert_arrives(
        node="room-14", kind="sense-lost", severity="high", detail={"sense": "hearing", "reason": "source-silent"}
    )
    pages.alert_arrives(node="room-15")
    pages.add(Person(pseudonym="stay-other", node="room-14", first_seen=pages.now))
    pages.person_is_opened_in_an_emergency("clinician", "stay-opened")
    account = pages.account("staff", "maria.nurse")
    pages.alert_arrives(state="accepted", accepted_by=account, accepted_at=pages.now)
