"""The review sheet: a clinician puts rows right, everything follows, and nobody overwrites a colleague unseen."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select
from tests.fakes.clock import FakeClock
from tests.fakes.pages import HubPages, client, csrf, open_pages
from tests.fakes.sent import FakeNode, session, utterance

from forge_hub.ingest.store import IngestStore
from forge_hub.projection import catch_up
from forge_hub.records.corrections import last_corrections, rows_of
from forge_hub.records.projector import RecordsProjection
from forge_hub.records.schema import Audit, Utterance
from forge_hub.web import sheet
from forge_shared.ids import new_id

PERSON = "p-1"
SESSION = new_id()
SHEET = f"/people/{PERSON}/sessions/{SESSION}/rows"


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[HubPages]:
    with open_pages(tmp_path) as opened:
        for role in ("clinician", "staff", "admin"):
            opened.account(role)
        opened.account("clinician", "dora")
        node = FakeNode(FakeClock(), "room-12", "ward", PERSON)
        texts = [f"i said {number}" for number in range(sheet.ROWS_ON_PAGE + 5)]
        said = [node.send(session(SESSION)), *(node.send(utterance(SESSION, text)) for text in texts)]
        IngestStore("ward", opened.database, opened.parts.clock).commit(said)
        catch_up(opened.database, RecordsProjection(opened.database, {}))
        for name in ("clinician", "dora"):
            opened.assign(name, PERSON)
        yield opened


@asynccontextmanager
async def filing(pages: HubPages) -> AsyncIterator[None]:
    """Let the tables follow the log, as the hub does."""

    async def follow() -> None:
        while True:
            await asyncio.to_thread(catch_up, pages.database, RecordsProjection(pages.database, {}))
            await asyncio.sleep(0.02)

    task = asyncio.create_task(follow())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def rows(pages: HubPages) -> list[Utterance]:
    return rows_of(pages.database, PERSON, SESSION)


def form(pages: HubPages, http: httpx.AsyncClient, text: str, **changes: str) -> dict[str, str]:
    return {
        "csrf_token": csrf(pages, http),
        "speaker": "patient",
        "question": "What did you say?",
        "text": text,
        "seen": "",
        **changes,
    }


async def test_rows_stand_in_their_order_a_page_at_a_time(pages: HubPages) -> None:
    async with client(pages, "clinician") as http:
        first, second = (await http.get(SHEET)).text, (await http.get(f"{SHEET}?page=2")).text
        record = (await http.get(f"/people/{PERSON}/sessions/{SESSION}")).text
    assert re.findall(r"i said (\d+)", first) == [str(number) for number in range(100)]
    assert re.findall(r"i said (\d+)", second) == ["100", "101", "102", "103", "104"]
    assert SHEET in record


async def test_what_is_put_right_is_shown_with_who_and_when_and_what_was_filed_first(pages: HubPages) -> None:
    row = rows(pages)[2]
    async with client(pages, "clinician") as http, filing(pages):
        edit = (await http.get(f"{SHEET}?edit={row.id}")).text
        assert "autofocus>i said 2</textarea>" in edit
        saved = await http.post(f"{SHEET}/{row.id}", data=form(pages, http, "i said nothing"))
        assert saved.status_code == 303
        assert saved.headers["location"] == f"{SHEET}?page=1#row-{row.id}"
        shown = (await http.get(SHEET)).text
    assert "i said nothing" in shown
    assert "What did you say?" in shown
    assert re.search(r"By clinician, <time", shown)
    assert re.search(r"<blockquote>i said 2</blockquote>", shown)
    with pages.database.read() as transaction:
        assert "utterance.correct" in set(transaction.scalars(select(Audit.action)))


async def test_a_name_that_a_clinician_writes_is_replaced_as_any_other(pages: HubPages) -> None:
    row = rows(pages)[0]
    async with client(pages, "clinician") as http, filing(pages):
        await http.post(f"{SHEET}/{row.id}", data=form(pages, http, "my daughter Margaret rang 07700 900123"))
    assert rows(pages)[0].text == "my daughter [NAME] rang [PHONE]"


async def test_somebody_elses_correction_is_not_overwritten_unseen(pages: HubPages) -> None:
    row = rows(pages)[0]
    async with client(pages, "clinician") as http, filing(pages):
        await http.post(f"{SHEET}/{row.id}", data=form(pages, http, "i said a"))
        refused = await http.post(f"{SHEET}/{row.id}", data=form(pages, http, "i said b"))
        assert refused.status_code == 409
        assert "somebody else has put this row right" in refused.text
        assert "i said b</textarea>" in refused.text
        assert rows(pages)[0].text == "i said a"
        seen = re.search(r'name="seen" value="([^"]+)"', refused.text)
        assert seen is not None
        await http.post(f"{SHEET}/{row.id}", data=form(pages, http, "i said b", seen=seen[1]))
    assert (rows(pages)[0].text, rows(pages)[0].original) == ("i said b", "i said 0")


async def test_of_two_who_save_at_the_same_moment_one_is_told(pages: HubPages) -> None:
    row = rows(pages)[0]
    async with client(pages, "clinician") as http, filing(pages):
        answers = await asyncio.gather(
            *(http.post(f"{SHEET}/{row.id}", data=form(pages, http, f"i said {word}")) for word in ("a", "b", "c"))
        )
    assert sorted(answer.status_code for answer in answers) == [303, 409, 409]
    assert len(last_corrections(pages.database, PERSON)) == 1


@pytest.mark.parametrize(
    "changes",
    [{"text": ""}, {"text": " \x00 "}, {"text": "so " * 900}, {"speaker": "nobody"}, {"question": "x" * 2001}],
)
async def test_what_is_no_row_is_not_saved_and_stays_in_the_form(pages: HubPages, changes: dict[str, str]) -> None:
    row = rows(pages)[0]
    async with client(pages, "clinician") as http:
        refused = await http.post(f"{SHEET}/{row.id}", data=form(pages, http, "i said so") | changes)
    assert refused.status_code == 400
    assert "1 to 2,000 characters" in refused.text
    assert rows(pages)[0].corrected_at is None


async def test_only_a_clinician_of_the_person_may_open_and_change_it(pages: HubPages) -> None:
    row = rows(pages)[0]
    for role in ("staff", "admin"):
        async with client(pages, role) as http:
            assert (await http.get(SHEET)).status_code == 403
            assert (await http.post(f"{SHEET}/{row.id}", data=form(pages, http, "x"))).status_code == 403
    async with client(pages, "clinician") as http:
        for address in (SHEET.replace(PERSON, "p-2"), SHEET.replace(SESSION, new_id())):
            assert (await http.get(address)).status_code in {403, 404}
        stranger = await http.post(f"{SHEET}/{new_id()}", data=form(pages, http, "i said so"))
        assert stranger.status_code == 404
        without_token = form(pages, http, "i said so") | {"csrf_token": "no"}
        assert (await http.post(f"{SHEET}/{row.id}", data=without_token)).status_code == 403
    assert rows(pages)[0].corrected_at is None
