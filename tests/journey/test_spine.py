"""The whole way, as shipped: a voice in a room, an alert in a real browser, the record, the graph."""

import asyncio
import json
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import expect
from tests.fakes.browser import Complaints, open_browser, open_context
from tests.journey.demo import FORM_ROOM, expected_total, form_filler
from tests.journey.world import Site, until

from forge_edge.audio.voices import VOICES


@pytest.mark.alone
async def test_a_risk_answer_spoken_in_a_room_is_taken_from_the_keyboard_and_the_record_is_exact(
    tmp_path: Path,
) -> None:
    script = form_filler()
    with Site(tmp_path) as site:
        site.make_account("admin")
        site.make_account("clinician")
        async with open_browser() as browser, open_context(browser, site.address) as context:
            page = await context.new_page()
            complaints = Complaints(page)
            await page.goto("/login")
            await page.get_by_label("Username").fill("clinician")
            await page.get_by_label("Password").fill(site.password)
            await page.keyboard.press("Enter")
            await page.get_by_label("Code").fill(await asyncio.to_thread(site.code, "clinician"))
            await page.keyboard.press("Enter")
            await expect(page.locator("#live")).to_have_attribute("data-state", "live")

            word = VOICES["awb"].wake_words[0].replace(" ", "_")
            site.start_room(FORM_ROOM, script=script, speed=0, FORGE_EDGE_WAKE_WORDS=json.dumps([word]))
            alert = page.get_by_role("heading", name="PHQ-9 item 9 answered: Several days")
            await expect(alert).to_be_visible(timeout=90_000)

            await page.locator("h1").click()
            for _ in range(30):
                await page.keyboard.press("Tab")
                if await page.evaluate("document.activeElement.id.startsWith('take-')"):
                    break
            await page.keyboard.press("Enter")
            await expect(page.get_by_text("Taken by clinician")).to_be_visible()
            await expect(page.get_by_text("Read back: confirmed")).to_be_visible(timeout=30_000)

            query = "SELECT total FROM form_response WHERE status = 'completed'"
            rows = await asyncio.to_thread(until, "the form", lambda: site.records(query), seconds=60)
            assert rows == [(expected_total(script),)]
            await page.get_by_role("link", name="Open the record of the person").first.click()
            await expect(page.get_by_text("You are not assigned to this person")).to_be_visible()
            (person,) = site.records("SELECT pseudonym FROM person")[0]
            await asyncio.to_thread(site.assign, "clinician", person)
            complaints.heard.clear()  # Chromium complains of the 403 that was just shown
            await page.go_back()
            await page.get_by_role("link", name="Open the record of the person").first.click()
            await expect(page.get_by_text("screening result, not a diagnosis")).to_be_visible()
            await expect(page.get_by_text("Several days").first).to_be_visible()
            found = await Axe().run(page)
            assert found.response["violations"] == []
            assert complaints.heard == []

        events = site.records("SELECT count(*) FROM event_log")[0][0]
        before = json.loads(site.hub_command("graph", "rebuild"))
        assert before["events"] == events, "the serving hub derives the graph anew from the whole log"
        site.stop_room(FORM_ROOM)
        site.stop_hub()
        after = json.loads(site.hub_command("graph", "rebuild"))
        assert after == before, "a hub that does not serve gives the same graph"
        assert after["FormResponse"] == 1
