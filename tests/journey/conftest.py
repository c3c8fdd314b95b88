"""What every journey through a real browser needs."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser
from tests.fakes.browser import open_browser
from tests.fakes.pages import HubPages, open_pages, serve

from forge_hub.web.rendering import Pages
from forge_shared.clock import SystemClock


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with open_browser() as opened:
        yield opened


@pytest.fixture
def scripts_are_built() -> None:
    if not Pages("ward", SystemClock(), dict).with_scripts:
        pytest.fail("the pages' scripts are missing: make assets")


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[HubPages]:
    with open_pages(tmp_path, claims=True) as opened:
        for role in ("staff", "clinician", "admin"):
            opened.account(role)
        yield opened


@pytest.fixture
async def address(pages: HubPages) -> AsyncIterator[str]:
    async with serve(pages) as served:
        yield served
