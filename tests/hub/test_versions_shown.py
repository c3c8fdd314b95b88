"""Whoever runs the hub sees which room's software does not fit it, and what to do."""

from pathlib import Path

import pytest
from tests.fakes.pages import ROOM, client, open_pages

from forge_hub.web.versions import spoken
from forge_shared.wire import OLDEST_PROTOCOL, PROTOCOL


@pytest.mark.parametrize(
    ("protocol", "words"),
    [
        (PROTOCOL + 1, "newer than the hub: update the hub first"),
        (OLDEST_PROTOCOL, "it works, and cannot tell the hub&#39;s word from another&#39;s"),
    ],
)
async def test_a_room_that_does_not_fit_is_said_with_what_to_do(tmp_path: Path, protocol: int, words: str) -> None:
    with open_pages(tmp_path) as pages:
        pages.account("staff")
        pages.room_connects(version="7.7.7")
        pages.protocols[ROOM] = protocol
        async with client(pages, "staff") as http:
            page = (await http.get("/rooms")).text
    assert f"7.7.7, protocol {protocol}" in page
    assert words in page


async def test_a_room_that_fits_or_has_not_said_needs_no_words(tmp_path: Path) -> None:
    with open_pages(tmp_path) as pages:
        pages.account("staff")
        pages.room_connects()
        pages.room_connects("room-13")
        pages.protocols[ROOM] = PROTOCOL
        async with client(pages, "staff") as http:
            page = (await http.get("/rooms")).text
    assert "software is" not in page
    assert page.count("protocol") == 1


def test_only_what_keeps_a_room_from_working_is_grave() -> None:
    assert [spoken(number).is_grave for number in (OLDEST_PROTOCOL - 1, OLDEST_PROTOCOL, PROTOCOL, PROTOCOL + 1)] == [
        True,
        False,
        False,
        True,
    ]
