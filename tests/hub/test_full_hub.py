"""A hub whose disk is full: the pages open and say so in words, and nobody is told that something was stored."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text
from tests.fakes.clock import FakeClock
from tests.fakes.pages import PASSWORD, HubPages, client, open_pages

from forge_hub.access import audit
from forge_hub.access.anchors import Anchors
from forge_hub.web.wording import trouble_words

WORDS = "disk is full"


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[HubPages]:
    with open_pages(tmp_path) as pages:
        yield pages


def fill(pages: HubPages) -> None:
    """Let the records' file not grow any more."""
    with pages.database.engine.begin() as connection:
        pages_now = connection.execute(text("PRAGMA page_count")).scalar_one()

    def limit(connection: Any, _: Any) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages_now}")

    event.listen(pages.database.engine, "connect", limit)
    pages.database.engine.dispose()


@pytest.mark.parametrize("page", ["/", "/phone"])
async def test_a_board_says_in_words_that_the_hubs_disk_is_full(pages: HubPages, page: str) -> None:
    pages.account("staff")
    async with client(pages, "staff") as http:
        assert WORDS not in (await http.get(page)).text
        pages.health["ingest"] = "disk.full"
        answer = await http.get(page)
    assert answer.status_code == 200
    assert WORDS in answer.text


async def test_a_sign_in_that_cannot_be_stored_is_answered_with_the_reason(pages: HubPages) -> None:
    pages.account("staff")
    fill(pages)
    for _ in range(40):  # until the last page is full
        async with client(pages) as http:
            answer = await http.post("/login", data={"username": "staff", "password": PASSWORD})
        if answer.status_code == 507:
            break
    assert answer.status_code == 507
    assert WORDS in answer.text
    assert "set-cookie" not in answer.headers
    async with client(pages) as http:
        assert (await http.get("/login")).status_code == 200
        assert (await http.get("/healthz")).status_code == 200


async def test_a_signed_in_board_stays_readable_though_its_use_cannot_be_noted(tmp_path: Path) -> None:
    clock = FakeClock()
    with open_pages(tmp_path, clock) as pages:
        pages.account("staff")
        async with client(pages, "staff") as http:
            event.listen(pages.database.engine, "connect", lambda each, _: each.execute("PRAGMA query_only = ON"))
            pages.database.engine.dispose()
            clock.advance(120)
            assert (await http.get("/")).status_code == 200


async def test_an_anchor_that_does_not_fit_leaves_no_half_line_and_ends_no_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write
    with open_pages(tmp_path) as pages:
        anchors = Anchors(tmp_path / "anchors")
        audit.note(pages.database, pages.now, "ann", "test", "one")
        assert anchors.drop(pages.database, pages.parts.clock)
        before = (tmp_path / "anchors").read_bytes()
        audit.note(pages.database, pages.now, "ann", "test", "two")
        monkeypatch.setattr(os, "write", lambda descriptor, line: write(descriptor, line[:10]))
        with pytest.raises(OSError, match="did not fit"):
            anchors.drop(pages.database, pages.parts.clock)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await anchors.run(pages.database, pages.parts.clock)
        monkeypatch.undo()
        assert (tmp_path / "anchors").read_bytes() == before
        assert anchors.drop(pages.database, pages.parts.clock)
        assert len(anchors.read()) == 2


def test_what_a_room_says_is_wrong_is_said_in_words_with_its_code() -> None:
    assert (
        trouble_words("clock.wrong", -1_770_000_000.0)
        == "Its clock is 56 years behind; it goes by the hub's. (clock.wrong)"
    )
    assert trouble_words("clock.wrong", 172_800.0) == "Its clock is 2 days ahead; it goes by the hub's. (clock.wrong)"
    assert "records are thinned" in trouble_words("disk.full", None)
    assert trouble_words("clock.wrong", None).endswith("(clock.wrong)")
