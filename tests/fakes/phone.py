"""A phone that is signed in to the hub, and what a person does with it."""

import pytest
from playwright.async_api import Browser, BrowserContext, Page
from sqlalchemy import select
from tests.fakes.browser import PATIENCE_MS
from tests.fakes.pages import HubPages

from forge_hub.records.schema import AlertStep


async def phone(browser: Browser, address: str, pages: HubPages, username: str, *, scripts: bool = True) -> Page:
    """Open a phone that is signed in: 390 by 844 points with a touch screen, as many are."""
    context: BrowserContext = await browser.new_context(
        base_url=address,
        viewport={"width": 390, "height": 844},
        device_scale_factor=2,
        has_touch=True,
        is_mobile=True,
        reduced_motion="reduce",
        java_script_enabled=scripts,
    )
    context.set_default_timeout(PATIENCE_MS)
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
    return await context.new_page()


async def press(page: Page, name: str) -> None:
    """Reach a button with the keyboard alone and press it."""
    await page.evaluate("document.activeElement.blur()")
    for _ in range(40):
        await page.keyboard.press("Tab")
        if (
            await page.evaluate("document.activeElement.ariaLabel ?? document.activeElement.textContent")
        ).strip() == name:
            await page.keyboard.press("Enter")
            return
    pytest.fail(f"the keyboard does not reach {name}")


def story(pages: HubPages, alert: str) -> list[str]:
    with pages.database.read() as transaction:
        return list(transaction.scalars(select(AlertStep.what).where(AlertStep.alert == alert).order_by(AlertStep.id)))
