"""What strangers try on the pages: refused, with a reason in the audit, and no secret in the log."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select
from structlog.testing import capture_logs
from tests.fakes.clock import FakeClock
from tests.fakes.pages import PASSWORD, PERSON, ROOM, HubPages, client, csrf, open_pages

from forge_hub.access import PASSWORD_ROLES, ROLES, Role, audit
from forge_hub.access.limits import REFUSALS
from forge_hub.doors import hosts
from forge_hub.records.schema import Audit
from forge_hub.settings import HubSettings
from forge_hub.web import limits
from forge_hub.web.application import end_streams
from forge_hub.web.guard import ROUTES
from forge_hub.web.limits import BODY_MAX_BYTES

POSTS = sorted(path for method, path in ROUTES if method == "POST" and ROUTES[method, path])
"""The changing routes that are not public."""


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubPages]:
    with open_pages(tmp_path_factory.mktemp("hub")) as opened:
        for role in PASSWORD_ROLES:
            opened.account(role)
        opened.room_connects()
        opened.person_is_admitted()
        end_streams(opened.app)
        yield opened


@pytest.fixture
def pages(tmp_path: Path, clock: FakeClock) -> Iterator[HubPages]:
    with open_pages(tmp_path, clock) as opened:
        for role in PASSWORD_ROLES:
            opened.account(role)
        yield opened


def refusals(pages: HubPages) -> list[tuple[str, str | None]]:
    with pages.database.read() as transaction:
        rows = transaction.execute(
            select(Audit.object, Audit.reason).where(Audit.outcome == "refused").order_by(Audit.position)
        )
        return [(row[0], row[1]) for row in rows]


def filled(pages: HubPages, path: str) -> str:
    known = {"node": ROOM, "pseudonym": PERSON, "utterance_id": pages.utterances[0]}
    return path.format_map({name: known.get(name, "none") for name in path.replace("}", "{").split("{")[1::2]})


@pytest.mark.parametrize(
    ("role", "method", "path"),
    [
        (role, method, path)
        for role in (None, *ROLES)
        for (method, path), allowed in sorted(ROUTES.items())
        if allowed and role not in allowed
    ],
)
async def test_every_route_is_refused_to_every_role_that_is_not_its_own(
    world: HubPages, role: Role | None, method: str, path: str
) -> None:
    before = len(refusals(world))
    world.app.state.site.access.refusals._window.forget("127.0.0.1")  # noqa: SLF001 (else the flood's limit is met)
    async with client(world, role) as http:
        headers = {"X-CSRF-Token": csrf(world, http)} if role in PASSWORD_ROLES else {}
        answer = await http.request(method, filled(world, path), headers=headers)
    reason = "access.role" if role else "access.sign-in"
    assert answer.status_code in ({403} if role else {303, 401})
    assert refusals(world)[before:] == [(f"{method} {path}", reason)]


@pytest.mark.parametrize("path", POSTS)
async def test_no_change_is_made_without_the_sessions_own_token_or_for_another_site(world: HubPages, path: str) -> None:
    role = next(role for role in PASSWORD_ROLES if role in ROUTES["POST", path])
    window = world.app.state.site.access.refusals._window  # noqa: SLF001 (as above)
    async with client(world, role) as http, client(world, role) as other:
        own, foreign = csrf(world, http), csrf(world, other)
        for headers, reason in (
            ({}, "access.token"),
            ({"X-CSRF-Token": foreign}, "access.token"),
            ({"X-CSRF-Token": own, "Origin": "http://elsewhere.test"}, "access.cross-site"),
            ({"X-CSRF-Token": own, "Origin": "http://[broken"}, "access.cross-site"),
            ({"X-CSRF-Token": own, "Origin": "null"}, "access.cross-site"),
            ({"X-CSRF-Token": own, "Sec-Fetch-Site": "same-site"}, "access.cross-site"),
        ):
            window.forget("127.0.0.1")
            answer = await http.post(filled(world, path), headers=headers)
            assert answer.status_code == 403
            assert refusals(world)[-1] == (f"POST {path}", reason)


async def test_a_patients_device_is_bound_to_its_room_and_opens_nothing(pages: HubPages) -> None:
    async with client(pages, "patient") as http:
        first = http.headers["Authorization"].removeprefix("Bearer ")
        who = pages.app.state.site.access.device(first)
        assert (who.role, who.node) == ("patient", ROOM)
        assert (await http.get("/")).status_code == 403
        tried = await http.post("/login", data={"username": f"device:{ROOM}", "password": "-"})
        assert tried.status_code == 403
    async with client(pages, "patient"):
        assert pages.app.state.site.access.device(first) is None, "a new token ends the one before"


async def test_a_cookie_that_a_stranger_planted_is_never_taken_over(pages: HubPages) -> None:
    async with client(pages) as http:
        http.cookies.set("forge", "planted", domain="hub.test")
        answer = await http.post("/login", data={"username": "staff", "password": PASSWORD})
        token = answer.cookies["forge"]
        assert token != "planted"
        assert pages.app.state.site.access.signed_in("planted") is None
        http.cookies.clear()
        http.cookies.set("forge", token, domain="hub.test")
        again = await http.post("/login", data={"username": "staff", "password": PASSWORD})
        assert again.cookies["forge"] != token
        assert pages.app.state.site.access.signed_in(token) is None, "the session of before has ended"


async def test_the_cookie_of_the_first_step_opens_nothing(pages: HubPages) -> None:
    async with client(pages) as http:
        answer = await http.post("/login", data={"username": "clinician", "password": PASSWORD})
        assert answer.headers["location"] == "/login/code?target=%2F"
        assert "forge" not in answer.cookies
        http.cookies.set("forge", answer.cookies["forge-code"], domain="hub.test")
        assert (await http.get("/")).status_code == 303
        wrong = await http.post("/login/code", data={"code": "000000"})
        assert wrong.status_code == 403
        assert "no-password-before-code" in {reason for _, reason in refusals(pages)}


@pytest.mark.parametrize(
    "target", ["https://elsewhere.test/", "//elsewhere.test", "/\\elsewhere.test", "/a\r\nSet-Cookie: x=y"]
)
async def test_signing_in_leads_to_no_other_site_and_into_no_header(pages: HubPages, target: str) -> None:
    async with client(pages) as http:
        data = {"username": "staff", "password": PASSWORD, "target": target}
        answer = await http.post("/login", data=data)
        assert answer.headers["location"] == "/"
        data["username"] = "clinician"
        answer = await http.post("/login", data=data)
        assert answer.headers["location"] == "/login/code?target=%2F"
        assert "x" not in answer.cookies


@pytest.mark.parametrize(
    "host", ["elsewhere.test", "hub.test.elsewhere.test", "", "hub.test@elsewhere.test", "[::2]:80"]
)
async def test_a_request_for_another_host_is_refused(pages: HubPages, host: str) -> None:
    async with client(pages, "admin") as http:
        answer = await http.post(
            "/accounts/links", headers={"Host": host, "X-CSRF-Token": csrf(pages, http)}, data={"role": "admin"}
        )
    assert answer.status_code == 400
    assert refusals(pages) == [("POST", "request.host")]


def test_the_pages_answer_to_the_names_that_the_site_has_given_them_and_no_others() -> None:
    given = HubSettings(public_url="https://Hub.ward.example:8443/x", host_names=frozenset({"hub"}))
    assert hosts(given) == {"hub.ward.example", "hub", "127.0.0.1"}


async def test_no_header_of_a_proxy_that_is_not_there_is_believed(pages: HubPages) -> None:
    headers = {"X-Forwarded-Host": "elsewhere.test", "X-Forwarded-Proto": "https", "Forwarded": "host=elsewhere.test"}
    async with client(pages, "admin") as http:
        given = {**headers, "X-CSRF-Token": csrf(pages, http)}
        page = await http.post("/accounts/links", headers=given, data={"role": "staff"})
        assert "http://hub.test/setup/" in page.text
        assert "elsewhere" not in page.text
        wrong = {"username": "staff", "password": "wrong"}
        statuses = [
            (await http.post("/login", data=wrong, headers={"X-Forwarded-For": f"10.0.0.{number}"})).status_code
            for number in range(11)
        ]
    assert statuses == [403] * 10 + [429], "the limit counts the connection's own address"


@pytest.mark.parametrize(
    "path",
    [
        "/static/../application.py",
        "/static/%2e%2e/application.py",
        "/static/..%2f..%2f..%2fsettings.py",
        "/static//etc/passwd",
        "/static/%00",
        "/people/..%2f..%2fetc%2fpasswd",
        "/people/%0d%0aSet-Cookie:%20x=y",
        "/setup/..%2f..%2flogin",
    ],
)
async def test_no_path_leads_out_of_the_pages(pages: HubPages, path: str) -> None:
    async with client(pages, "clinician") as http:
        answer = await http.get(path)
    assert answer.status_code in {400, 404}
    assert "x" not in answer.cookies
    assert "root:" not in answer.text


async def test_a_body_that_is_too_large_is_refused_whether_or_not_it_says_so(pages: HubPages) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(BODY_MAX_BYTES // 4096 + 2):
            yield b"x" * 4096

    async with client(pages, "staff") as http:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        stated = await http.post("/login", content=b"x" * (BODY_MAX_BYTES + 1), headers=headers)
        unstated = await http.post("/login", content=endless(), headers=headers)
        guarded = await http.post("/account/password", content=endless(), headers=headers)
        wrong = await http.post("/login", content=b"", headers={**headers, "Content-Length": "-1"})
    assert [answer.status_code for answer in (stated, unstated, guarded, wrong)] == [413] * 4
    assert ("POST", "request.too-large") in refusals(pages)


async def test_a_flood_is_answered_with_429_and_fills_neither_disk_nor_log(
    tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "REQUESTS", REFUSALS + 10)
    with open_pages(tmp_path, clock) as pages, capture_logs() as logged:
        async with client(pages) as http:
            answers = [await http.get("/rooms") for _ in range(REFUSALS + 5)]
            assert {answer.status_code for answer in answers} == {303}
            assert len(refusals(pages)) == REFUSALS
            for _ in range(5):
                assert (await http.get("/static/icon.svg")).status_code == 200
            refused = await http.get("/healthz")
            assert refused.status_code == 429
            assert 1 <= int(refused.headers["Retry-After"]) <= 61
            clock.advance(61)
            assert (await http.get("/healthz")).status_code == 200
    assert {entry["event"] for entry in logged} == {"audit.refusals-flood"}


async def test_no_secret_is_in_the_log_or_in_the_audit(pages: HubPages) -> None:
    planted = "planted-secret-9137"
    with capture_logs() as logged:
        async with client(pages) as http:
            http.cookies.set("forge", planted, domain="hub.test")
            await http.post("/login", data={"username": planted, "password": planted})
            await http.post("/login/code", data={"code": planted, "csrf_token": planted})
            await http.get(f"/setup/{planted}", headers={"Authorization": f"Bearer {planted}"})
            await http.get(f"/people/{planted}?x={planted}")
            await http.post(f"/people/{planted}/emergency", headers={"Origin": f"http://{planted}.test"})
    assert planted not in str(logged)
    assert not any(planted in str(vars(entry)) for entry in audit.entries(pages.database))
    assert audit.verify(pages.database) is None


async def test_a_body_that_is_no_form_is_refused(pages: HubPages) -> None:
    async with client(pages) as http:
        for content, kind in (
            (b"\xff\xfe", "application/x-www-form-urlencoded"),
            (b"{", "application/json"),
            (b"--x\r\n", "multipart/form-data; boundary=x"),
            (b"", "multipart/form-data"),
        ):
            answer: httpx.Response = await http.post("/login", content=content, headers={"Content-Type": kind})
            assert 400 <= answer.status_code < 500
