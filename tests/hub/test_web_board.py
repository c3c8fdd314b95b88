import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from structlog.testing import capture_logs
from tests.fakes.pages import HubPages, client, open_pages, serve

from forge_hub.records.schema import AlertStep
from forge_hub.web import rendering
from forge_hub.web.application import end_streams
from forge_hub.web.rendering import STATIC
from forge_shared.ids import new_id


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[HubPages]:
    with open_pages(tmp_path) as opened:
        opened.account("staff")
        opened.room_connects()
        yield opened


async def test_without_its_scripts_the_board_reloads_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "SCRIPTS", ("never-built.js",))
    with capture_logs() as logged, open_pages(tmp_path) as pages:
        pages.account("staff")
        async with client(pages, "staff") as http:
            board = (await http.get("/")).text
    assert "pages.scripts-missing" in [entry["event"] for entry in logged]
    assert "/static/vendor/" not in board
    assert '<meta http-equiv="refresh" content="10">' in board
    assert "<noscript><meta" not in board


def test_the_lock_of_the_scripts_names_no_registry() -> None:
    lock = json.loads((STATIC.parents[2] / "package-lock.json").read_text())
    packages = [package for name, package in lock["packages"].items() if name]
    assert packages
    assert all(package["integrity"].startswith("sha512-") and "resolved" not in package for package in packages)


async def test_the_stream_brings_each_change_and_ends_when_the_hub_does(pages: HubPages) -> None:
    async with serve(pages) as address:
        cookies = {"forge": pages.token("staff")}
        async with (
            httpx.AsyncClient(base_url=address, cookies=cookies) as http,
            http.stream("GET", "/alerts/stream") as answer,
        ):
            assert answer.headers["content-type"].startswith("text/event-stream")
            lines = answer.aiter_lines()

            async def until(words: str) -> None:
                async with asyncio.timeout(5):
                    async for line in lines:
                        if words in line:
                            return

            await until("Nobody is waiting.")
            pages.risk_is_answered()
            pages.board.changed()
            await until("PHQ-9 item 9 answered: Several days")
            await until("event: beat")
            end_streams(pages.app)
            async with asyncio.timeout(1):
                async for _ in lines:
                    pass


async def test_a_page_that_leaves_is_forgotten(pages: HubPages) -> None:
    async with serve(pages) as address:
        cookies = {"forge": pages.token("staff")}
        async with (
            httpx.AsyncClient(base_url=address, cookies=cookies) as http,
            http.stream("GET", "/alerts/stream") as answer,
        ):
            await anext(answer.aiter_lines())
            assert len(pages.board._watchers) == 1  # noqa: SLF001 (nothing else tells)
        async with asyncio.timeout(5):
            while pages.board._watchers:  # noqa: SLF001 (as above)
                await asyncio.sleep(0.05)


async def test_a_phone_that_had_nothing_yet_when_it_slept_is_told_what_it_missed(pages: HubPages) -> None:
    async with serve(pages) as address:
        cookies = {"forge": pages.token("staff")}
        async with httpx.AsyncClient(base_url=address, cookies=cookies, timeout=5) as http:

            async def first_event(after: str) -> list[str]:
                lines: list[str] = []
                async with http.stream("GET", "/phone/stream", params={"after": after}) as answer:
                    async for line in answer.aiter_lines():
                        if not line:
                            break
                        lines.append(line)
                return lines

            moments = [line.removeprefix("id: ") for line in await first_event("") if line.startswith("id: ")]
            alert = pages.alert_arrives(state="attended")
            pages.add(AlertStep(id=new_id(), alert=alert, at=pages.now, what="rung"))
            (moment,) = moments
            assert any("someone has been there" in line for line in await first_event(moment))
