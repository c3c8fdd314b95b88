"""A patient at the screen of a room as shipped: begins by voice, finishes by touch, calls the nurse."""

import asyncio
import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect
from tests.fakes.browser import Complaints, open_browser
from tests.fakes.ports import free_port
from tests.journey.demo import FORM, FORM_ROOM, form_filler
from tests.journey.world import Site, until

from forge_edge.audio.voices import VOICES
from forge_edge.dialogue.conversation import ACCEPTED, NO_HUB
from forge_edge.screen.shown import CALL_WORDS, DOING_WORDS

BY_VOICE = 3
BY_TOUCH = ("Not at all", "Several days", "Not at all", "Nearly every day", "Not at all", "More than half the days")
DIFFICULT = "Somewhat difficult"


def begins_by_voice() -> dict[str, Any]:
    script = form_filler()
    items = [item.link_id for item in FORM.questions]
    script["wants"] = [
        {
            "kind": "form",
            "answers": {item: script["wants"][0]["answers"][item] for item in items[: BY_VOICE + 1]},
            "touches_after": items[BY_VOICE - 1],
        }
    ]
    return script


def ordinal(words: str) -> int:
    return next(
        option.ordinal or 0 for option in FORM.questions[0].answer_option if option.display.lower() == words.lower()
    )


async def open_screen(page: Page, folder: Path) -> None:
    await asyncio.to_thread(until, "the file that opens the screen", (folder / "screen.html").is_file)
    await page.goto(f"file://{folder / 'screen.html'}")
    await expect(page.get_by_role("button", name="Call the nurse")).to_be_visible(timeout=20_000)


async def touch(page: Page, name: str) -> None:
    button = page.get_by_role("button", name=name, exact=True)
    await expect(button).to_be_enabled()
    await button.click()


async def check_the_record(site: Site, script: dict[str, Any]) -> None:
    query = "SELECT id, total FROM form_response WHERE status = 'completed'"
    [(response, total)] = await asyncio.to_thread(until, "the form", lambda: site.records(query))
    said = [script["wants"][0]["answers"][item.link_id] for item in FORM.questions[:BY_VOICE]]
    assert total == sum(ordinal(words) for words in (*said, *BY_TOUCH))
    rows = site.records("SELECT link_id, mode FROM form_answer WHERE response = ?", response)
    modes = {item.link_id: dict(rows)[item.link_id] for item in FORM.questions}
    assert list(modes.values()) == ["voice"] * BY_VOICE + ["touch"] * (len(FORM.questions) - BY_VOICE)
    [(risk,)] = site.records("SELECT detail FROM alert WHERE kind = 'risk-answer'")
    assert json.loads(risk)["mode"] == "touch"


async def call_the_nurse(page: Page, site: Site) -> None:
    """Call, and be answered: help is promised once somebody has taken the call, and not before."""
    await touch(page, "Call the nurse")
    news = page.locator(".call .news")
    await expect(news).to_have_text(CALL_WORDS["told"], timeout=15_000)
    query = "SELECT id FROM alert WHERE kind = 'request'"
    [(alert,)] = await asyncio.to_thread(until, "the alert", lambda: site.records(query))
    site.make_account("staff")
    with closing(site.sign_in("staff")) as staff:
        await asyncio.to_thread(site.post, staff, "/", f"/alerts/{alert}/accept")
    await expect(news).to_have_text(ACCEPTED, timeout=15_000)


@pytest.mark.alone
async def test_a_phq_9_begun_by_voice_is_finished_by_touch_and_is_one_response_with_both_modes(tmp_path: Path) -> None:
    script = begins_by_voice()
    with Site(tmp_path) as site:
        async with open_browser() as browser:
            context = await browser.new_context(viewport={"width": 800, "height": 480}, has_touch=True)
            page = await context.new_page()
            complaints = Complaints(page)
            word = VOICES["awb"].wake_words[0].replace(" ", "_")
            site.start_room(
                FORM_ROOM,
                script=script,
                speed=0,
                FORGE_EDGE_WAKE_WORDS=json.dumps([word]),
                FORGE_EDGE_SCREEN_PORT=str(free_port()),
            )
            await open_screen(page, site.room_folder(FORM_ROOM))
            # They fall silent at the fourth question; in an accelerated room the time to answer is over at once.
            await expect(page.get_by_text("Call me when you want to go on")).to_be_visible(timeout=120_000)
            await touch(page, "My form")
            for place, answer in enumerate(BY_TOUCH, BY_VOICE):
                await expect(page.get_by_role("heading", name=FORM.questions[place].text)).to_be_visible()
                await page.locator("main:not([inert])").wait_for()
                assert (await Axe().run(page)).response["violations"] == []
                await touch(page, answer)
                if FORM.questions[place].is_risk:
                    await expect(page.get_by_text("Your answer:")).to_be_visible()
                    await touch(page, "Yes, that is right")
            await touch(page, DIFFICULT)
            await expect(page.get_by_role("button", name="My form")).to_be_visible()
            await check_the_record(site, script)
            await call_the_nurse(page, site)
            await touch(page, "Mute")
            await expect(page.locator(".doing span")).to_have_text(DOING_WORDS["muted"])
            await asyncio.to_thread(site.stop_hub)
            await expect(page.locator(".notice.gone")).to_be_visible(timeout=20_000)
            await touch(page, "I am in pain")
            await expect(page.locator(".call .news")).to_have_text(NO_HUB)
            assert complaints.heard == []
