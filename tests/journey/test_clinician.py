"""A clinician's morning in a real Chromium: read what is new, review, approve, explore, compare, print a report."""

import time
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect
from sqlalchemy import select
from tests.fakes.browser import Complaints, open_context, sign_in, violations
from tests.fakes.mind_story import GOOD_DAY, bring, tell
from tests.fakes.pages import HubPages

from forge_hub.records.schema import Audit, EventLog, Inference

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("scripts_are_built")]

WHO = "stay-91bd"
SIZES = ((390, 844), (1024, 768), (1600, 1000))


TALK = "".join(f"Therapist: And then?\nPatient: {words}\n" for words in GOOD_DAY)
"""The transcript of the last session, as somebody wrote it down."""


async def test_a_clinicians_morning(pages: HubPages, address: str, browser: Browser, tmp_path: Path) -> None:
    sessions = tell(pages, WHO, scores=(2, 2, 2, 1, 1, 0))
    transcript = TALK.encode() + b"Patient: Margaret Whitfield looked in, that was nice.\n"
    brought = bring(pages, tmp_path, WHO, transcript, by="clinician", held=pages.now - timedelta(hours=2))
    tell(pages, "stay-22c0", [("I slept well.",)], node="room-14")
    for person in (WHO, "stay-22c0"):
        pages.assign("clinician", person)
    pages.alert_arrives(subject=WHO, severity="high", detail={"request": "pain", "mode": "touch"})
    async with open_context(browser, address) as context:
        await sign_in(context, pages, "clinician")
        page = await context.new_page()
        complaints = Complaints(page)
        await page.goto("/people")
        first = page.locator(".case").first
        await expect(first.get_by_role("link", name=WHO, exact=True)).to_be_visible()
        await expect(first).to_contain_text("New: 85 utterances, 6 forms")
        await expect(first.get_by_role("img", name="mean valence of the last 7 sessions")).to_be_visible()
        await first.get_by_role("link", name=WHO, exact=True).click()

        await _reads_what_was_brought(page, brought)
        await _reads_the_story(page, sessions)
        decided, session = await _reviews_by_keys(page, pages)
        await _explores_by_the_table(page)
        await _compares(page)
        await _reports(page, session, decided)
        await page.goto("/people")
        await expect(page.locator(".case").filter(has_text=WHO)).not_to_contain_text("New:")
        assert complaints.heard == []


async def _reads_what_was_brought(page: Page, session: str) -> None:
    """The transcript is a session of the story like any other, without the names that were said in it."""
    await page.get_by_text("Sessions as a table").click()
    await page.locator(f"#course table a[href$='/sessions/{session}']").click()
    said = page.locator(".said > li")
    await expect(said.filter(has_text="looked in, that was nice.")).to_contain_text("[NAME]")
    await expect(said.filter(has_text="I laughed a lot")).to_contain_text("Asked: And then?")
    assert "Whitfield" not in await page.content()
    await page.go_back()


async def _reads_the_story(page: Page, sessions: list[str]) -> None:
    course = page.get_by_role("group", name="Valence by session, with forms")
    await expect(course.get_by_role("link", name="turning point, rise")).to_have_count(1)
    await expect(course.get_by_role("link", name="PHQ-9 of")).to_have_count(6)
    await expect(page.locator("#circumplex canvas")).to_be_visible()
    await expect(page.get_by_text("Insufficient evidence").first).to_be_visible()
    await expect(page.get_by_text("two groups of people agree with each other at .66").first).to_be_visible()
    # A figure leads down to the words and their reasons: one pattern of one session, then an utterance of it.
    table = page.get_by_role("region", name="Utterances by thinking pattern and session")
    figure = table.get_by_role("link", name="Overgeneralisation, session of").first
    counted = int(await figure.inner_text())
    await figure.click()
    await expect(page.locator(".said > li")).to_have_count(counted)
    assert sessions[0] in page.url
    await expect(page.locator("mark.m-distortion").first).to_be_visible()
    await page.get_by_role("link", name="Reasons and links of:").first.click()
    card = page.locator(".reason").filter(has_text="Thinking pattern").first
    await expect(card).to_contain_text("Method")
    await expect(card.get_by_text("For you, not for the person")).to_be_visible()
    await page.go_back()
    await page.go_back()


async def _reviews_by_keys(page: Page, pages: HubPages) -> tuple[str, str]:
    """Decide with one key each; return the quote of what was approved, and its session."""
    await page.goto(f"/people/{WHO}/review?framework=distortion")
    items = page.locator(".review")
    await items.first.focus()
    quote = str(await items.first.locator("mark").first.inner_text())
    await page.keyboard.press("1")
    await expect(items.first).to_contain_text("Approved")
    await expect(items.first).to_contain_text("by clinician")
    await expect(items.nth(1)).to_be_focused()
    await page.keyboard.press("2")
    await expect(items.nth(1)).to_contain_text("Rejected")
    await page.keyboard.press("3")
    await expect(items.nth(2).locator("select")).to_be_focused()
    await items.nth(2).locator("select").select_option("magnification")
    await page.keyboard.press("Enter")
    await expect(items.nth(2)).to_contain_text("Relabelled: Magnification")
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("ArrowUp")
    await expect(items.nth(1)).to_be_focused()
    await page.keyboard.press("0")
    await expect(items.nth(1)).to_contain_text("Hypothesis")
    with pages.database.read() as transaction:
        verdicts = transaction.scalars(select(Inference.verdict).where(Inference.verdict.is_not(None))).all()
        logged = transaction.scalars(select(EventLog.event_id).where(EventLog.node == "hub"))
        assert sorted(str(each) for each in verdicts) == ["other", "right"]
        assert len(logged.all()) == 4
        approved = transaction.scalars(select(Inference.session).where(Inference.verdict == "right")).one()
    await page.get_by_role("link", name="Decided").click()
    await expect(items).to_have_count(2)
    return quote, approved


async def _explores_by_the_table(page: Page) -> None:
    await page.goto(f"/people/{WHO}/explore?at=Distortion:overgeneralisation")
    await expect(page.locator("#graph canvas").first).to_be_visible()
    table = page.get_by_role("region", name="Links as a table")
    await expect(table.get_by_role("row", name="shows the pattern").first).to_be_visible()
    await table.get_by_role("link", name="Utterance: ").first.focus()
    await page.keyboard.press("Enter")
    await expect(table.get_by_role("cell", name="lies in the quadrant").first).to_be_visible()
    await page.get_by_label("Thinking patterns").check()
    await page.get_by_role("button", name="Show", exact=True).click()
    await expect(table.get_by_role("cell", name="shows the pattern").first).to_be_visible()
    await expect(table.get_by_role("cell", name="lies in the quadrant")).to_have_count(0)


async def _compares(page: Page) -> None:
    await page.goto(f"/people/{WHO}")
    await page.get_by_role("link", name="Compare").click()
    row = page.get_by_role("row", name="Valence (pleasant or unpleasant)")
    await expect(row).to_contain_text("Higher in the second")
    await page.get_by_label("A session").first.select_option(index=1)
    await page.get_by_role("button", name="Compare").click()
    assert "first_session=" in page.url
    await expect(page.get_by_role("heading", name="Differences")).to_be_visible()


async def _reports(page: Page, session: str, quote: str) -> None:
    await page.goto(f"/people/{WHO}/sessions/{session}")
    await page.get_by_role("link", name="Report to print").click()
    facts = page.get_by_role("region", name="Approved by a clinician")
    await expect(facts).to_contain_text(quote)
    await expect(facts).to_contain_text("approved by clinician")
    guesses = page.get_by_role("region", name="Hypotheses of software, not approved")
    await expect(guesses).to_contain_text("They are no findings and no diagnosis.")
    await page.emulate_media(media="print")
    await expect(page.get_by_role("navigation", name="Main")).to_be_hidden()
    await expect(facts).to_be_visible()
    await page.emulate_media(media="screen")


@pytest.mark.parametrize("role", ["staff", "admin"])
async def test_the_same_addresses_refuse_whoever_is_no_clinician(
    pages: HubPages, address: str, browser: Browser, role: str
) -> None:
    (session, *_) = tell(pages, WHO)
    with pages.database.read() as transaction:
        inference = transaction.scalars(select(Inference)).first()
    assert inference is not None
    async with open_context(browser, address) as context:
        await sign_in(context, pages, role)
        page = await context.new_page()
        for path in ("", *_paths(session, inference.utterance)):
            answer = await page.goto(f"/people/{WHO}{path}")
            assert answer is not None
            assert answer.status == 403, path
            assert "penicillin" not in await page.content()
        await page.goto("/")
        await expect(page.get_by_role("link", name="People")).to_have_count(0)
    with pages.database.read() as transaction:
        read = select(Audit.id).where(Audit.subject == WHO, Audit.outcome == "done")
        assert transaction.scalars(read).all() == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_no_page_of_a_clinician_has_an_accessibility_violation_or_is_cut_off(
    pages: HubPages, address: str, browser: Browser, scheme: str
) -> None:
    (session, *_) = tell(pages, WHO, scores=(2, 1))
    pages.assign("clinician", WHO)
    with pages.database.read() as transaction:
        utterance = transaction.scalars(select(Inference.utterance).where(Inference.framework == "distortion")).first()
    assert utterance is not None
    async with open_context(browser, address, scheme="dark" if scheme == "dark" else "light") as context:
        await sign_in(context, pages, "clinician")
        page = await context.new_page()
        complaints = Complaints(page)
        paths = ["/people", f"/people/{WHO}", *(f"/people/{WHO}{path}" for path in _paths(session, utterance))]
        for path in paths:
            if path.endswith(".json"):
                continue
            await page.goto(path)
            await page.wait_for_load_state("load")
            for number, (width, height) in enumerate(SIZES):
                await page.set_viewport_size({"width": width, "height": height})
                assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (path, width)
                if number == 0 or path == f"/people/{WHO}":
                    assert await violations(page) == [], (path, width)
        assert complaints.heard == []


async def test_a_story_of_a_thousand_utterances_is_there_at_once(
    pages: HubPages, address: str, browser: Browser
) -> None:
    words = ("I always mess things up.", "The garden was lovely and I felt calm.", "It will go wrong again, I know it.")
    tell(pages, WHO, [[words[(place + number) % 3] for place in range(50)] for number in range(20)])
    pages.assign("clinician", WHO)
    async with open_context(browser, address) as context:
        await sign_in(context, pages, "clinician")
        for path in (f"/people/{WHO}", "/people", f"/people/{WHO}/review", f"/people/{WHO}/compare"):
            seconds = []
            for _ in range(3):
                began = time.monotonic()
                answer = await context.request.get(path)
                seconds.append(time.monotonic() - began)
                assert answer.status == 200
            assert min(seconds) < 1.0, path


def _paths(session: str, utterance: str) -> list[str]:
    return [
        "/circumplex.json",
        "/utterances",
        "/utterances?framework=distortion&label=overgeneralisation",
        f"/utterances/{utterance}",
        f"/sessions/{session}",
        f"/sessions/{session}/report",
        f"/sessions/{session}/rows",
        f"/sessions/{session}/rows?edit={utterance}#edit",
        "/review",
        "/review?decided=true",
        "/compare",
        "/explore",
        f"/explore?at=Utterance:{utterance}",
        "/graph.json",
    ]
