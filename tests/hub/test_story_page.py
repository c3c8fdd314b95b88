"""What stands on a person's pages beside the figures: the next step, what is folded, and no hint what to decide."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fakes.mind_story import BAD_DAY, GOOD_DAY, tell
from tests.fakes.pages import PERSON, HubPages, client, open_pages

from forge_hub.records.schema import Person


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[HubPages]:
    with open_pages(tmp_path) as opened:
        opened.account("clinician")
        yield opened


async def test_a_clinician_is_not_nudged_to_say_right(pages: HubPages) -> None:
    tell(pages, PERSON, [BAD_DAY])
    pages.assign("clinician")
    async with client(pages, "clinician") as http:
        page = (await http.get(f"/people/{PERSON}/review")).text
    looks = {
        verdict: set(re.findall(f'<button([^>]*)name="verdict" value="{verdict}"', page))
        for verdict in ("right", "wrong")
    }
    assert looks["right"] == looks["wrong"] == {' class="quiet" type="submit" '}


async def test_a_danger_is_never_folded_away_even_where_the_clinician_is_thought_to_speak(pages: HubPages) -> None:
    (session,) = tell(pages, PERSON, [["I want to die. I always mess things up."]], speaker="clinician")
    pages.assign("clinician")
    async with client(pages, "clinician") as http:
        page = (await http.get(f"/people/{PERSON}/sessions/{session}")).text
    assert "Danger named" in page.split("Read by software")[0]
    assert "Thinking pattern" not in page.split("Read by software")[0]


async def test_of_somebody_without_a_session_nothing_is_drawn_and_the_next_step_is_named(pages: HubPages) -> None:
    pages.add(Person(pseudonym="stay-new", node="room-1", first_seen=pages.now))
    pages.assign("clinician", "stay-new")
    async with client(pages, "clinician") as http:
        page = (await http.get("/people/stay-new")).text
    assert "No session was recorded" in page
    assert 'href="/rooms">Rooms</a></p>' in page
    assert "Insufficient evidence" not in page
    assert 'href="#mood"' not in page


async def test_the_newest_forms_are_open_and_the_earlier_ones_say_whether_risk_was_raised(pages: HubPages) -> None:
    tell(pages, PERSON, [GOOD_DAY[:5]] * 5, scores=(1, 0, 0, 0, 0))
    pages.assign("clinician")
    async with client(pages, "clinician") as http:
        page = (await http.get(f"/people/{PERSON}")).text
    newest, earlier = page.split('<details class="earlier figures">')
    assert newest.count('<article class="card form"') == 3
    assert earlier.count('<article class="card form"') == 2
    assert "2 earlier forms, a question about risk raised in 1</summary>" in earlier
