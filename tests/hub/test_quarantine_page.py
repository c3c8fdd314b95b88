"""The page of the quarantine: why, from where and since when, never what; and trying it again."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.fakes.clock import FakeClock
from tests.fakes.pages import HubPages, client, csrf, open_pages
from tests.fakes.sent import WATER, FakeNode

from forge_hub.ingest import replay
from forge_hub.ingest.replay import entries
from forge_hub.ingest.store import IngestStore
from forge_hub.records.schema import Audit, EventLog, Quarantine

FUTURE = "org.personaforge.request.made.v99"


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[HubPages]:
    with open_pages(tmp_path) as opened:
        opened.account("admin")
        opened.account("staff")
        yield opened


@pytest.fixture
def node() -> FakeNode:
    return FakeNode(FakeClock(), "room-12", "ward")


def upgraded(pages: HubPages) -> None:
    with pages.database.begin() as transaction:
        for row in transaction.scalars(select(Quarantine)):
            row.payload = row.payload.replace(FUTURE.encode(), WATER.type_name().encode())


async def test_it_says_why_and_from_where_and_never_what_was_sent(pages: HubPages, node: FakeNode) -> None:
    ingest = IngestStore("ward", pages.database, pages.parts.clock)
    ingest.commit([node.garbage(b'{"planted words": 1}', lane="alarm"), node.send(WATER, type=FUTURE)])
    pages.message_cannot_be_read("forge/v1/ward/planted-words/event/x<b>", b"planted words")
    async with client(pages, "admin") as http:
        table = (await http.get("/quarantine")).text
        ones = [(await http.get(f"/quarantine/{entry.id}")).text for entry in entries(pages.database)]
    assert "3 messages, newest first" in table
    for words in (
        "Room 12",
        "damaged, or its contents do not fit",
        "the room may be newer",
        "Its address names no event of this site.",
    ):
        assert words in table
        assert any(words in one for one in ones)
    for text in (table, *ones):
        assert "planted" not in text


async def test_the_devices_lead_to_it_only_while_there_is_something_in_it(pages: HubPages) -> None:
    async with client(pages, "admin") as http:
        assert "/quarantine" not in (await http.get("/fleet")).text
        assert "There is nothing in quarantine." in (await http.get("/quarantine")).text
        pages.message_cannot_be_read()
        assert "1 message from rooms could not be read" in (await http.get("/fleet")).text


async def test_what_can_be_read_after_an_upgrade_enters_the_log_from_the_page(pages: HubPages, node: FakeNode) -> None:
    IngestStore("ward", pages.database, pages.parts.clock).commit(
        [node.send(WATER, type=FUTURE), node.send(WATER, type=FUTURE)]
    )
    first, second = (entry.id for entry in entries(pages.database))
    async with client(pages, "admin") as http:
        token = {"csrf_token": csrf(pages, http)}
        too_early = await http.post("/quarantine/replay", data=token)
        assert "0 entered the log, 0 were there already, 2 stay here." in too_early.text
        upgraded(pages)
        one = await http.post(f"/quarantine/{second}/replay", data=token)
        assert "1 entered the log, 0 were there already, 0 stay here." in one.text
        everything = await http.post("/quarantine/replay", data=token)
        assert "1 entered the log" in everything.text
        assert "There is nothing in quarantine." in everything.text
        gone = await http.post(f"/quarantine/{first}/replay", data=token)
        assert gone.status_code == 404
    with pages.database.read() as transaction:
        assert transaction.scalars(select(EventLog.sequence).order_by(EventLog.position)).all() == [2, 1]
        traces = select(Audit.object).where(Audit.action == "quarantine.replay").order_by(Audit.position)
        assert transaction.scalars(traces).all() == ["ward", second, "ward"]


async def test_only_an_admin_with_the_sessions_token_can_try_again(pages: HubPages) -> None:
    entry = pages.message_cannot_be_read()
    async with client(pages, "admin") as http:
        assert (await http.post("/quarantine/replay")).status_code == 403
        assert (await http.post(f"/quarantine/{entry}/replay", data={"csrf_token": "guess"})).status_code == 403
    async with client(pages, "staff") as http:
        data = {"csrf_token": csrf(pages, http)}
        assert (await http.get("/quarantine")).status_code == 403
        assert (await http.get(f"/quarantine/{entry}")).status_code == 403
        assert (await http.post("/quarantine/replay", data=data)).status_code == 403


async def test_of_very_many_the_newest_are_shown_and_all_are_counted(
    pages: HubPages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay, "LISTED", 2)
    for _ in range(3):
        pages.message_cannot_be_read()
    async with client(pages, "admin") as http:
        page = (await http.get("/quarantine")).text
    assert "3 messages, newest first" in page
    assert "The newest 2 are shown." in page
    assert page.count("<tr>") == 1 + 2
