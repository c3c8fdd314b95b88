"""What every journey through a real browser needs."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser
from tests.fakes.browser import open_browser


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with open_browser() as opened:
        yield opened
