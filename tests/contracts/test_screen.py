"""The room's screen as it is spoken to: what it answers its own browser, and what everybody else."""

import asyncio
import contextlib
import itertools
import re
import socket
import stat
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from tests.fakes.bedside import Bedside, bedside
from tests.fakes.ports import free_port

from forge_edge.dialogue.conversation import Conversation
from forge_edge.errors import RoomBusyError
from forge_edge.forms.touch import View
from forge_edge.screen import application
from forge_edge.screen.door import COOKIE, open_door
from forge_edge.screen.memory import MOST_WATCHERS
from forge_edge.screen.taps import Ask, DrawZones, Mute, Tap
from forge_edge.watching import Drawing

SECRET = "Do you feel like nobody would miss you"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Bedside]:
    async with bedside(tmp_path) as opened:
        opened.asks(View("F", "question", place=(("a", 0),), text=SECRET, type="boolean"))
        yield opened


@pytest.fixture
async def stranger(world: Bedside) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=world.address, trust_env=False) as client:
        yield client


@pytest.fixture
async def kiosk(world: Bedside) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=world.address, trust_env=False) as client:
        opened = await client.post("/open", data={"key": world.key}, headers={"Origin": "null"})
        assert opened.status_code == 200
        yield client


async def tap(client: httpx.AsyncClient, world: Bedside, **fields: str) -> httpx.Response:
    return await client.post("/tap", data=fields, headers={"Origin": world.address})


async def test_the_rooms_own_browser_sees_the_room_and_touches_it(kiosk: httpx.AsyncClient, world: Bedside) -> None:
    assert SECRET in (await kiosk.get("/")).text
    answer = await tap(kiosk, world, do="ask-nurse")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert world.taps == [Ask("nurse")]


async def test_who_has_no_key_sees_nothing(stranger: httpx.AsyncClient) -> None:
    cookies = ("", f"{COOKIE}=", f"{COOKIE}={'0' * 64}", f"{COOKIE}=\N{LATIN SMALL LETTER E WITH ACUTE}", "=;,")
    for path, cookie in itertools.product(("/", "/live", "/nowhere"), cookies):
        answer = await stranger.get(path, headers=[(b"Cookie", cookie.encode("latin-1"))])
        assert answer.status_code == 403
        assert SECRET not in answer.text
        assert "set-cookie" not in answer.headers


async def test_a_wrong_key_opens_nothing(stranger: httpx.AsyncClient) -> None:
    for key in ("", "guess", "a" * 43, "\N{SNOWMAN}"):
        answer = await stranger.post("/open", data={"key": key}, headers={"Origin": "null"})
        assert answer.status_code == 403
        assert "set-cookie" not in answer.headers


async def test_the_key_is_taken_in_no_address(stranger: httpx.AsyncClient, world: Bedside) -> None:
    assert (await stranger.get(f"/open?key={world.key}")).status_code == 405
    assert (await stranger.get(f"/?key={world.key}")).status_code == 403


async def test_the_cookie_is_for_this_site_alone_and_for_no_script(stranger: httpx.AsyncClient, world: Bedside) -> None:
    opened = await stranger.post("/open", data={"key": world.key}, headers={"Origin": "null"})
    attributes = opened.headers["set-cookie"].lower()
    assert "httponly" in attributes
    assert "samesite=strict" in attributes
    assert world.key not in attributes


async def test_an_address_by_another_name_is_refused_even_with_the_cookie(
    kiosk: httpx.AsyncClient, world: Bedside
) -> None:
    for host in ("rebound.example.org", "localhost:{port}", "127.0.0.1", "127.0.0.1:1", "[::1]:{port}", ""):
        name = host.format(port=world.port)
        answer = await kiosk.get("/", headers={"Host": name})
        assert answer.status_code in (400, 403)
        assert SECRET not in answer.text
        assert (await kiosk.get("/static/screen.js", headers={"Host": name})).status_code in (400, 403)


async def test_another_page_touches_nothing_even_with_the_cookie(kiosk: httpx.AsyncClient, world: Bedside) -> None:
    for origin in ("https://example.org", "null", "http://127.0.0.1:1", "http://localhost", ""):
        answer = await kiosk.post("/tap", data={"do": "mute"}, headers={"Origin": origin})
        assert answer.status_code == 403
    assert (await kiosk.post("/tap", data={"do": "mute"})).status_code == 403, "and neither does one without an origin"
    assert world.taps == []


async def test_what_the_browser_calls_cross_site_is_refused(kiosk: httpx.AsyncClient, world: Bedside) -> None:
    headers = {"Origin": world.address, "Sec-Fetch-Site": "same-site"}
    assert (await kiosk.post("/tap", data={"do": "mute"}, headers=headers)).status_code == 403
    assert world.taps == []


async def test_other_methods_do_nothing_and_allow_no_other_origin(kiosk: httpx.AsyncClient, world: Bedside) -> None:
    paths = ("/", "/tap", "/open", "/live", "/static/screen.css")
    for method, path in itertools.product(("PUT", "DELETE", "PATCH", "OPTIONS"), paths):
        answer = await kiosk.request(method, path, headers={"Origin": world.address})
        assert answer.status_code == 405
        assert not [name for name in answer.headers if name.startswith("access-control")]
    assert world.taps == []


HOSTILE = {
    "nothing": b"",
    "unknown": b"do=open-the-door",
    "twice": b"do=mute&do=unmute",
    "no form": b'{"do": "mute"}',
    "not ASCII": b"do=\xff\xfe",
    "not UTF-8": b"do=%ff%fe",
    "fields": b"&".join(b"a=%d" % number for number in range(300)),
    "answers": b"do=answer&to=x&" + b"&".join(b"with=1" for _ in range(205)),
}


async def test_what_the_page_cannot_send_changes_nothing(kiosk: httpx.AsyncClient, world: Bedside) -> None:
    headers = {"Origin": world.address, "Content-Type": "application/x-www-form-urlencoded"}
    for what, body in HOSTILE.items():
        answer = await kiosk.post("/tap", content=body, headers=headers)
        assert answer.status_code == 400, what
    assert world.taps == []


async def test_only_a_plain_form_is_read(kiosk: httpx.AsyncClient, world: Bedside) -> None:
    for kind in ("text/plain", "multipart/form-data; boundary=x", "application/json", ""):
        headers = {"Origin": world.address, "Content-Type": kind}
        assert (await kiosk.post("/tap", content=b"do=mute", headers=headers)).status_code == 400
    assert world.taps == []


async def test_a_huge_body_is_refused_whether_or_not_it_says_its_length(
    kiosk: httpx.AsyncClient, world: Bedside
) -> None:
    headers = {"Origin": world.address, "Content-Type": "application/x-www-form-urlencoded"}
    huge = b"do=mute&with=" + b"a" * application.BODY_MAX_BYTES

    async def parts() -> AsyncIterator[bytes]:
        for start in range(0, len(huge), 4096):
            yield huge[start : start + 4096]

    for content in (huge, parts()):
        with contextlib.suppress(httpx.WriteError, httpx.ReadError):
            assert (await kiosk.post("/tap", content=content, headers=headers)).status_code == 400
    assert world.taps == []
    assert (await kiosk.get("/")).status_code == 200


async def test_every_answer_forbids_framing_inline_code_and_keeping(
    kiosk: httpx.AsyncClient, stranger: httpx.AsyncClient
) -> None:
    for answer in (await kiosk.get("/"), await stranger.get("/"), await kiosk.get("/nowhere"), await kiosk.get("/tap")):
        policy = answer.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "server" not in answer.headers
        assert not re.search(r"<style|style=|<script(?! src=)|\son\w+=|https?://", answer.text)


async def test_a_room_that_fails_says_so_without_a_word_of_what_it_holds(
    kiosk: httpx.AsyncClient, world: Bedside
) -> None:
    async def busy(_: Tap) -> None:
        raise RoomBusyError("busy")

    async def broken(_: Tap) -> None:
        raise ValueError(SECRET)

    for failure, status in ((busy, 503), (broken, 500)):
        world.answer = failure
        answer = await tap(kiosk, world, do="mute")
        assert answer.status_code == status
        assert SECRET not in answer.text
        assert "press the call button" in answer.text
    world.answer = None
    assert (await tap(kiosk, world, do="mute")).status_code == 303


async def test_a_touch_that_takes_too_long_is_refused_but_never_broken_off(
    kiosk: httpx.AsyncClient, world: Bedside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(application, "TAP_SECONDS", 0.05)
    finished = asyncio.Event()

    async def slow(_: Tap) -> None:
        await asyncio.sleep(0.3)
        finished.set()

    world.answer = slow
    assert (await tap(kiosk, world, do="mute")).status_code == 503
    await asyncio.wait_for(finished.wait(), 2)
    assert world.taps == [Mute(muted=True)]


async def test_an_open_page_is_told_of_each_change_at_once_and_otherwise_that_the_room_lives(
    kiosk: httpx.AsyncClient, world: Bedside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(application, "BEAT_SECONDS", 0.05)
    async with kiosk.stream("GET", "/live", timeout=5) as stream:
        lines = stream.aiter_lines()
        assert await anext(line async for line in lines if SECRET in line)
        assert await anext(line async for line in lines if line == "event: beat")
        world.becomes(form=None, conversation=Conversation(), doing="muted")
        assert await anext(line async for line in lines if "Muted" in line)


async def test_only_so_many_pages_are_kept_up_to_date(kiosk: httpx.AsyncClient) -> None:
    async with contextlib.AsyncExitStack() as stack:
        open_pages = []
        for _ in range(MOST_WATCHERS):
            stream = await stack.enter_async_context(kiosk.stream("GET", "/live", timeout=5))
            open_pages.append(stream.aiter_lines())
            await anext(open_pages[-1])
        assert (await kiosk.get("/live")).text == ""
    assert (await kiosk.get("/")).status_code == 200


async def test_the_screen_is_on_this_machine_alone(world: Bedside) -> None:
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.2", world.port)


def test_what_opens_the_screen_can_be_read_by_the_nodes_user_alone_and_stays_the_same(tmp_path: Path) -> None:
    before = open_door(tmp_path, 8443)
    for name in ("screen.key", "screen.html"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    assert open_door(tmp_path, 8443).cookie == before.cookie
    (tmp_path / "screen.key").write_text("short")
    assert open_door(tmp_path, 8443).cookie != before.cookie


@pytest.fixture
def taken_port() -> Iterator[tuple[int, socket.socket]]:
    port = free_port()
    with socket.create_server(("127.0.0.1", port)) as squatter:
        yield port, squatter


async def test_a_port_that_somebody_else_has_is_never_told_the_key_and_the_screen_comes_when_it_is_free(
    tmp_path: Path, taken_port: tuple[int, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    port, squatter = taken_port
    monkeypatch.setattr("tests.fakes.bedside.free_port", lambda: port)
    monkeypatch.setattr("forge_edge.screen.server.RETRY_SECONDS", (0.05, 0.05))

    async def frees() -> None:
        await asyncio.sleep(0.3)
        assert not (tmp_path / "screen.html").exists()
        squatter.close()

    freeing = asyncio.create_task(frees())
    async with bedside(tmp_path) as world:
        await freeing
        assert (tmp_path / "screen.html").exists()
        assert world.port == port


async def test_the_way_to_the_drawing_page_sends_its_token_to_that_port_alone_and_only_to_the_rooms_own_browser(
    kiosk: httpx.AsyncClient, stranger: httpx.AsyncClient, world: Bedside
) -> None:
    token = "t" * 43
    assert (await kiosk.get("/draw")).headers["Location"] == "/", "nobody draws"
    answer = await tap(kiosk, world, do="draw", pin="0815")
    assert answer.headers["Location"] == "/", "the eyes opened nothing"
    world.becomes(drawing=Drawing(40123, token))
    answer = await tap(kiosk, world, do="draw", pin="4711")
    assert answer.headers["Location"] == "/draw"
    assert world.taps == [DrawZones("0815"), DrawZones("4711")]
    assert "4711" not in repr(world.taps)
    page = await kiosk.get("/draw")
    assert f'value="{token}"' in page.text
    assert 'action="http://127.0.0.1:40123/"' in page.text
    assert "form-action http://127.0.0.1:40123;" in page.headers["Content-Security-Policy"]
    assert page.headers["Referrer-Policy"] == "strict-origin", "else the eyes cannot see which page it comes from"
    assert page.headers["Cache-Control"] == "no-store"
    for path in ("/draw", "/"):
        assert token not in (await stranger.get(path)).text
    assert token not in (await kiosk.get("/")).text
    assert (await stranger.get("/draw")).status_code == 403
