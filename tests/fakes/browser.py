"""A real Chromium from the distribution; nothing is downloaded."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Page, async_playwright
from tests.fakes.pages import HubPages

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE_MS = 8000


def chromium() -> Path:
    """Return the installed Chromium; the test fails with what to do when there is none."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.fail("Chromium is missing: apt-get install chromium")
    return Path(found)


@asynccontextmanager
async def open_browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def open_context(
    browser: Browser, base_url: str, *, scheme: Literal["light", "dark"] = "light", scripts: bool = True
) -> AsyncIterator[BrowserContext]:
    context = await browser.new_context(
        base_url=base_url,
        color_scheme=scheme,
        java_script_enabled=scripts,
        reduced_motion="reduce",
        viewport={"width": 1280, "height": 900},
    )
    context.set_default_timeout(PATIENCE_MS)
    try:
        yield context
    finally:
        await context.close()


async def sign_in(context: BrowserContext, pages: HubPages, username: str) -> None:
    """Give a browser the session of an account."""
    await context.add_cookies(
        [
            {
                "name": pages.app.state.site.cookie,
                "value": pages.token(username),
                "domain": "127.0.0.1",
                "path": "/",
                "httpOnly": True,
                "sameSite": "Strict",
            }
        ]
    )


class Complaints:
    """What a page wrote to its console as a warning or an error, and scripts that failed."""

    def __init__(self, page: Page) -> None:
        self.heard: list[str] = []
        page.on("console", lambda said: self.heard.append(said.text) if said.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: self.heard.append(str(error)))


async def violations(page: Page) -> list[str]:
    """Return what axe finds wrong with a page."""
    found = await Axe().run(page)
    return [f"{each['id']}: {[node['html'] for node in each['nodes']]}" for each in found.response["violations"]]
