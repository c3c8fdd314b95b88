"""A release from the admin's laptop into rooms and out of them again, in a real Chromium at a hub that really runs."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.async_api import Page, expect
from tests.fakes import release_rooms
from tests.fakes.browser import Complaints, open_browser, open_context, violations
from tests.fakes.releases import write_release
from tests.hub.test_releases_pages import packed
from tests.journey.world import Site, until

from forge_hub.__main__ import main

PEOPLE = ("ada", "ben", "cleo", "dora", "emil")
TARGET = "fall-pose-1.0.0.tar"
ROOMS = ("room-12", "room-14")
SMALL = """[...document.querySelectorAll('button, main a, nav a, summary, input:not([type=hidden], [type=checkbox])')]
    .filter(e => e.checkVisibility()).map(e => [e.textContent.trim(), e.getBoundingClientRect().height])
    .filter(([, height]) => height < 44)"""
SIZES = ((1440, 900), (820, 1180), (390, 844))


@pytest.fixture
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the keys of the site's people, as each would make theirs on a machine of their own."""
    monkeypatch.setenv("FORGE_KEY_PASSPHRASE", "correct horse battery")
    monkeypatch.setenv("FORGE_HUB_STATE_DIR", str(tmp_path / "nobody-s-hub"))
    folder = tmp_path / "keys"
    folder.mkdir()
    for name in PEOPLE:
        assert main(["keys", "make", str(folder / f"{name}.pem")]) == 0
    return folder


def hold_ceremony(site: Site, keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as at_the_hub:
        at_the_hub.setenv("FORGE_HUB_STATE_DIR", str(site.hub_folder))
        public = [str(keys / f"{name}.pem.pub") for name in PEOPLE]
        assert main(["keys", "begin", "--root", *public[:3], "--approvers", *public[3:]]) == 0
        for name in PEOPLE[:2]:
            assert main(["keys", "sign", str(keys / f"{name}.pem")]) == 0


@contextmanager
def rooms(site: Site, folder: Path) -> Iterator[Callable[[], None]]:
    """Start the rooms; yield what raises, with their last words, when they have ended by themselves."""
    for name in ROOMS:
        site.enrol(name)
    told = folder / "told"
    told.mkdir()
    plan = {
        "rooms": ROOMS,
        "busy": ROOMS[1:],
        "hub": str(site.hub_folder),
        "port": site.broker_port,
        "folder": str(folder),
        "credentials": str(site.folder),
        "told": str(told),
        "clock": str(folder / "none"),
        "alarms": 0,
        "records": 0,
        "per_second": 0,
    }
    (folder / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
    program = [sys.executable, release_rooms.__file__, str(folder / "plan.json")]
    with (folder / "rooms.log").open("wb") as output:
        process = subprocess.Popen(program, stdout=output, stderr=subprocess.STDOUT)

    def are_there() -> None:
        if process.poll() is not None:
            raise RuntimeError((folder / "rooms.log").read_text(encoding="utf-8", errors="replace")[-2000:])

    try:
        yield are_there
    finally:
        process.terminate()
        process.wait(10)


async def flawless(page: Page) -> None:
    """Check the page at three sizes: nobody scrolls sideways or needs a finger smaller than theirs; and with axe."""
    for width, height in SIZES:
        await page.set_viewport_size({"width": width, "height": height})
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (page.url, width)
    assert await page.evaluate(SMALL) == [], page.url
    assert await violations(page) == [], page.url
    await page.set_viewport_size({"width": 1280, "height": 900})


async def sign_in(page: Page, site: Site) -> None:
    await page.goto("/login?target=/releases")
    await page.get_by_label("Username").fill("admin")
    await page.get_by_label("Password").fill(site.password)
    await page.keyboard.press("Enter")
    await page.get_by_label("Code").fill(await asyncio.to_thread(site.code, "admin"))
    await page.keyboard.press("Enter")


async def approve(page: Page, keys: Path, name: str) -> None:
    """Take what is to be signed home, sign it there, and bring the signature back."""
    async with page.expect_download() as started:
        await page.get_by_role("link", name="Download version 1").click()
    document = keys / f"for-{name}.json"
    await (await started.value).save_as(document)
    assert main(["model", "sign", str(keys / f"{name}.pem"), str(document)]) == 0
    await page.get_by_label("Bring the signature").set_input_files(f"{document}.sig")
    await page.get_by_role("button", name="Hand in the signature").click()
    row = page.get_by_role("region", name="Who has signed as a table").get_by_role("row", name=name)
    await expect(row).to_contain_text("signed")


@pytest.mark.alone
async def test_a_release_is_added_approved_by_two_published_tried_watched_stopped_and_withdrawn(
    tmp_path: Path, keys: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = tmp_path / "release.tar"
    archive.write_bytes(packed(write_release(tmp_path / "release")))
    with Site(tmp_path) as site:
        site.make_account("admin")
        with rooms(site, tmp_path) as are_there:
            async with open_browser() as browser, open_context(browser, site.address) as context:
                page = await context.new_page()
                complaints = Complaints(page)
                await sign_in(page, site)

                await expect(page.get_by_text("No keys have been begun")).to_be_visible()
                await flawless(page)
                hold_ceremony(site, keys, monkeypatch)
                await page.reload()
                await expect(page.get_by_text("No releases yet.")).to_be_visible()
                await flawless(page)

                (tmp_path / "wrong.zip").write_bytes(b"not an archive")
                await page.locator("#file").set_input_files(tmp_path / "wrong.zip")
                await page.get_by_role("button", name="Add").click()
                await expect(page.get_by_role("alert")).to_contain_text("neither a tar nor a zip")
                complaints.heard.clear()  # Chromium complains of the 422 that was just shown
                await page.locator("#file").set_input_files(archive)
                await page.get_by_role("button", name="Add").click()
                await expect(page.get_by_role("heading", level=1, name="fall-pose 1.0.0")).to_be_visible()
                await expect(page.get_by_text("Apache-2.0").first).to_be_visible()
                await flawless(page)

                await page.get_by_role("link", name="To the approval").click()
                await expect(page.get_by_role("region", name="What changes as a table")).to_contain_text(TARGET)
                await flawless(page)
                capsys.readouterr()
                await approve(page, keys, "dora")
                said = capsys.readouterr().err
                assert f"new: {TARGET}" in said, "who signs sees what they sign on their own machine"
                assert (
                    json.loads((keys / "for-dora.json").read_text())["signed"]["targets"][TARGET]["hashes"]["sha256"]
                    in said
                )
                await approve(page, keys, "emil")
                await flawless(page)
                await page.get_by_role("button", name="Publish version 1").click()
                await expect(page.get_by_role("status")).to_contain_text("Published.")

                query = "SELECT count(*) FROM room WHERE hardware = 'x86'"

                def all_told() -> bool:
                    are_there()
                    return bool(site.records(query)[0][0] == len(ROOMS))

                await asyncio.to_thread(until, "the rooms", all_told, seconds=120)
                await page.get_by_role("link", name="fall-pose 1.0.0").click()
                await page.get_by_role("link", name="Begin a roll-out").click()
                await page.get_by_label("Rings").fill("100")
                await page.get_by_label("Why; it stands in the history").fill("Fewer misses at night")
                await flawless(page)
                await page.get_by_role("button", name="Begin with the first ring").click()
                await expect(page.locator("#live")).to_have_attribute("data-state", "live")

                # All of this comes by itself, while nobody touches the page.
                one, busy = (page.locator(f"#room-{name}") for name in ROOMS)
                await expect(one.locator("progress")).to_be_visible(timeout=30_000)
                await expect(one).to_contain_text("on trial", timeout=30_000)
                await expect(one).to_contain_text("43.2 ms", timeout=30_000)
                await expect(busy).to_contain_text("waits until nobody needs the room", timeout=30_000)
                await flawless(page)
                await page.get_by_role("link", name="Roll-outs", exact=True).click()
                await expect(page.get_by_role("heading", name="Under way")).to_be_visible()
                await flawless(page)
                await page.get_by_role("link", name=TARGET).click()

                await page.get_by_text("Stop: no further room").click()
                await page.get_by_role("button", name="Stop it").click()
                await expect(page.locator("#rollout-state")).to_contain_text("stopped since")
                await expect(page.locator("#rollout-state")).to_contain_text("by admin")
                await expect(busy).to_contain_text("went back", timeout=30_000)
                await expect(one).to_contain_text("on trial")

                await page.get_by_text("Withdraw: every room goes back").click()
                await page.get_by_label("Why; it stands in the history").fill("The ward asks for the old one")
                await page.get_by_role("button", name="Withdraw it").click()
                await expect(page.locator("#rollout-state")).to_contain_text("The ward asks for the old one")
                await expect(one).to_contain_text("went back", timeout=30_000)
                await flawless(page)

                await page.goto("/rollouts/history")
                await page.get_by_label("Which model").select_option("pose")
                await page.get_by_role("button", name="Look it up").click()
                await expect(page.get_by_role("status")).to_contain_text("Room 12, Pose")
                now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
                await page.goto(f"/rollouts/history?node={ROOMS[0]}&role=pose&at={now}")
                await expect(page.get_by_role("status")).to_contain_text("the model that came with the room")
                await flawless(page)
                for path in ("/rollouts/groups", "/locks", "/rollouts/new"):
                    await page.goto(path)
                    await flawless(page)
                assert complaints.heard == []
        [(admin,)] = site.records("SELECT id FROM account")
        query = (
            "SELECT action FROM audit WHERE account = ? AND action LIKE 'rollout.%' AND address > '' ORDER BY position"
        )
        rollouts = [action for (action,) in site.records(query, admin)]
    assert rollouts == ["rollout.begin", "rollout.stop", "rollout.withdraw"]
