import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from hypothesis import HealthCheck, given, settings
from schemathesis.core.result import Ok
from sqlalchemy import select
from starlette.routing import Mount
from structlog.testing import capture_logs
from tests.fakes.pages import PASSWORD, PERSON, ROOM, HubPages, client, csrf, open_pages

from forge_hub.access import PASSWORD_ROLES, ROLES, Role
from forge_hub.errors import BrokerError
from forge_hub.records.schema import Account, Alert, Audit, Consent, Inference, Session
from forge_hub.web.application import end_streams
from forge_hub.web.guard import ROUTES, safe_target


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[HubPages]:
    with open_pages(tmp_path) as opened:
        for role in PASSWORD_ROLES:
            opened.account(role)
        opened.room_connects()
        opened.person_is_admitted()
        opened.someone_stays()
        opened.message_cannot_be_read()
        opened.releases_wait()
        opened.rollout_begins()
        yield opened


ENDING = {"/logout", "/account/sign-out-everywhere", "/account/second-factor"}
"""Routes that end the session which asks."""


def routes(pages: HubPages) -> list[tuple[str, str]]:
    found = []
    for route in pages.app.routes:
        if isinstance(route, Mount):
            assert route.path == "/static"
            continue
        assert isinstance(route, APIRoute), route
        found += [(method, route.path) for method in route.methods or ()]
    return found


def filled(pages: HubPages, path: str) -> str:
    known = {
        "node": ROOM,
        "pseudonym": PERSON,
        "utterance_id": pages.utterances[0],
        "session_id": session_of(pages),
        "inference_id": inference_of(pages),
        "bed_id": pages.free_bed,
        "stay_id": pages.stay,
        "purpose": "voice",
        "entry_id": pages.quarantined,
        "target": "fall-pose-1.0.0.tar",
        "rollout_id": pages.world.rollouts.all()[0].id,
    }
    return re.sub(r"\{(\w+)\}", lambda found: known.get(found[1], "none"), path)


def session_of(pages: HubPages) -> str:
    with pages.database.read() as transaction:
        return transaction.scalars(select(Session.id).where(Session.subject == PERSON)).one()


def inference_of(pages: HubPages) -> str:
    with pages.database.read() as transaction:
        return transaction.scalars(select(Inference.id).where(Inference.subject == PERSON)).first() or ""


def test_every_route_stands_in_the_table_of_roles_and_nothing_else_does(pages: HubPages) -> None:
    assert sorted(routes(pages)) == sorted(ROUTES)


@pytest.mark.parametrize("role", [None, *ROLES])
async def test_a_role_opens_exactly_the_routes_that_are_its_own(pages: HubPages, role: Role | None) -> None:
    async with client(pages, role) as http:
        headers = {"X-CSRF-Token": csrf(pages, http)} if role and role != "patient" else {}
        end_streams(pages.app)
        for (method, path), allowed in ROUTES.items():
            if path in ENDING and role in allowed:
                continue
            answer = await http.request(method, filled(pages, path), headers=headers)
            if not allowed:
                assert answer.status_code < 500 and answer.status_code != 401, path  # noqa: PT018 (one claim)
            elif role is None:
                assert answer.status_code in {303, 401}, path
                assert answer.headers.get("location", "/login").startswith("/login"), path
            elif role in allowed:
                assert answer.status_code in {200, 204, 303, 400, 404, 422}, (path, answer.status_code)
            else:
                assert answer.status_code == 403, (path, answer.status_code)
                assert PERSON not in answer.text


def test_staff_and_admins_have_no_page_about_people() -> None:
    for (_, path), allowed in ROUTES.items():
        if path.startswith(("/people", "/utterances")):
            assert allowed == {"clinician"}, path
        assert "patient" not in allowed, "there is nothing yet that a patient's device may see"


async def test_a_route_that_the_table_does_not_name_is_closed_to_everyone(pages: HubPages) -> None:
    @pages.app.get("/forgotten")
    def forgotten() -> str:
        return "open"

    for role in (None, *ROLES):
        async with client(pages, role) as http:
            assert (await http.get("/forgotten")).status_code == 403


async def test_reading_about_a_person_leaves_a_trace(pages: HubPages) -> None:
    utterance, session = pages.utterances[0], session_of(pages)
    async with client(pages, "clinician") as http:
        for path in (
            "/people",
            f"/people/{PERSON}",
            f"/people/{PERSON}/circumplex.json",
            f"/people/{PERSON}/utterances/{utterance}",
            f"/people/{PERSON}/utterances",
            f"/people/{PERSON}/sessions/{session}",
            f"/people/{PERSON}/sessions/{session}/report",
            f"/people/{PERSON}/review",
            f"/people/{PERSON}/compare",
            f"/people/{PERSON}/explore",
            f"/people/{PERSON}/graph.json",
        ):
            assert (await http.get(path)).status_code == 200, path
    with pages.database.read() as transaction:
        account = transaction.scalar(select(Account.id).where(Account.role == "clinician"))
        traces = transaction.execute(
            select(Audit.action, Audit.object).where(Audit.account == account, Audit.action.like("%.read"))
        ).all()
    assert sorted(tuple(trace) for trace in traces) == sorted(
        [
            *[("person.read", PERSON)] * 3,
            ("utterance.read", utterance),
            ("utterances.read", PERSON),
            ("session.read", session),
            ("report.read", session),
            ("inferences.read", PERSON),
            *[("graph.read", f"Persona:{PERSON}")] * 2,
        ]
    )


async def test_staff_see_alerts_without_a_way_to_the_record(pages: HubPages) -> None:
    pages.risk_is_answered()
    async with client(pages, "staff") as http:
        assert PERSON not in (await http.get("/")).text
        assert PERSON not in (await http.get("/rooms")).text
    async with client(pages, "clinician") as http:
        assert f"/people/{PERSON}" in (await http.get("/")).text


async def test_a_change_needs_the_sessions_own_token(pages: HubPages) -> None:
    alert = pages.alert_arrives()
    async with client(pages, "staff") as http, client(pages, "admin") as other:
        for given in (None, "", "guess", csrf(pages, other)):
            data = {} if given is None else {"csrf_token": given}
            assert (await http.post(f"/alerts/{alert}/accept", data=data)).status_code == 403
        headers = {"X-CSRF-Token": csrf(pages, http)}
        foreign = {**headers, "Sec-Fetch-Site": "cross-site"}
        assert (await http.post(f"/alerts/{alert}/accept", headers=foreign)).status_code == 403
        foreign = {**headers, "Origin": "http://elsewhere.test"}
        assert (await http.post(f"/alerts/{alert}/accept", headers=foreign)).status_code == 403
        assert _alert(pages, alert).state == "open"
        assert (await http.post(f"/alerts/{alert}/accept", headers=headers)).status_code == 303
    assert _alert(pages, alert).state == "accepted"


async def test_signing_in_gives_a_cookie_that_scripts_and_other_sites_cannot_use(tmp_path: Path) -> None:
    with open_pages(tmp_path, https=True) as pages:
        pages.account("staff")
        async with client(pages) as http:
            answer = await http.post("/login", data={"username": "staff", "password": PASSWORD, "target": "/rooms"})
    assert answer.status_code == 303
    assert answer.headers["location"] == "/rooms"
    cookie = answer.headers["set-cookie"].lower()
    assert cookie.startswith("__host-forge=")
    for part in ("httponly", "samesite=strict", "secure", "path=/", "max-age=43200"):
        assert part in cookie


async def test_too_many_wrong_passwords_are_answered_with_429(pages: HubPages) -> None:
    async with client(pages) as http:
        wrong = [
            (await http.post("/login", data={"username": "staff", "password": "wrong"})).status_code for _ in range(11)
        ]
    assert wrong == [403] * 10 + [429]


async def test_signing_out_ends_the_session(pages: HubPages) -> None:
    async with client(pages, "staff") as http:
        await http.post("/logout", data={"csrf_token": csrf(pages, http)})
        assert (await http.get("/")).status_code == 303


@pytest.mark.parametrize(
    "target", ["https://elsewhere.test", "//elsewhere.test", "/\\elsewhere.test", "javascript:x", ""]
)
def test_signing_in_never_leads_to_another_site(target: str) -> None:
    assert safe_target(target) == "/"


async def test_an_account_is_made_through_a_link_from_first_to_last_page(pages: HubPages) -> None:
    async with client(pages, "admin") as http:
        made = await http.post("/accounts/links", data={"csrf_token": csrf(pages, http), "role": "staff"})
        assert made.status_code == 200
    found = re.search(r'value="http://hub\.test(/setup/[^"]+)"', made.text)
    assert found is not None
    async with client(pages) as http:
        assert "staff" in (await http.get(found[1])).text
        fields = {"username": "bo", "password": PASSWORD, "repeated": "something else"}
        assert (await http.post(found[1], data=fields)).status_code == 422
        assert (await http.post(found[1], data={**fields, "repeated": PASSWORD})).status_code == 303
        assert (await http.get(found[1])).status_code == 404
        assert (await http.post("/login", data={"username": "bo", "password": PASSWORD})).status_code == 303


async def test_a_recorded_session_needs_consent_and_leaves_it_on_file(pages: HubPages) -> None:
    async with client(pages, "clinician") as http:
        token = {"csrf_token": csrf(pages, http)}
        refused = await http.post(f"/rooms/{ROOM}/session/start", data=token)
        assert refused.status_code == 422
        assert "State first that consent has been given." in refused.text
        assert pages.published == []
        started = await http.post(f"/rooms/{ROOM}/session/start", data={**token, "consent": "given"})
        assert started.status_code == 303
        ended = await http.post(f"/rooms/{ROOM}/session/end", data=token)
        assert ended.status_code == 303
    assert [topic.rsplit("/", 1)[-1] for topic, _ in pages.published] == ["start-session", "end-session"]
    with pages.database.read() as transaction:
        consent = transaction.scalars(select(Consent)).one()
    assert consent.subject == PERSON
    assert json.loads(pages.published[0][1])["consent"] == consent.id


async def test_a_room_that_cannot_be_reached_is_said_so(pages: HubPages, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: object) -> None:
        raise BrokerError("the broker is away")

    monkeypatch.setattr(pages.parts.rooms, "_publish", away)
    async with client(pages, "clinician") as http:
        data = {"csrf_token": csrf(pages, http), "consent": "given"}
        answer = await http.post(f"/rooms/{ROOM}/session/start", data=data)
    assert answer.status_code == 503
    assert "broker.failed" in answer.text


async def test_a_record_is_readable_while_the_graph_is_away(pages: HubPages) -> None:
    pages.graph.close()
    async with client(pages, "clinician") as http:
        answer = await http.get(f"/people/{PERSON}")
        reasons = await http.get(f"/people/{PERSON}/utterances/{pages.utterances[0]}")
        links = await http.get(f"/people/{PERSON}/explore")
    assert (answer.status_code, reasons.status_code) == (200, 200)
    assert links.status_code == 503
    assert "screening result, not a diagnosis" in answer.text


async def test_health_names_parts_and_nothing_about_people(pages: HubPages) -> None:
    async with client(pages) as http:
        well = await http.get("/healthz")
        pages.health["ingest"] = "broker.disconnected"
        ill = await http.get("/healthz")
    assert (well.status_code, well.json()["status"]) == (200, "ok")
    assert (ill.status_code, ill.json()["parts"]) == (503, {"ingest": "broker.disconnected"})
    assert PERSON not in ill.text


async def test_an_error_says_its_code_and_nothing_of_the_inside(
    pages: HubPages, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("inside: a secret")

    monkeypatch.setattr(pages.board, "current", broken)
    with capture_logs() as logged:
        async with client(pages, "staff") as http:
            answer = await http.get("/")
            missing = await http.get("/nowhere")
    assert [entry["event"] for entry in logged] == ["page.failed"]
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "RuntimeError" not in answer.text
    assert "<code>hub</code>" in answer.text
    assert missing.status_code == 404
    for page in (answer, missing):
        assert page.headers["content-security-policy"].startswith("default-src 'self'")
        assert page.headers["x-content-type-options"] == "nosniff"


async def test_no_documentation_of_the_routes_is_public(pages: HubPages) -> None:
    async with client(pages) as http:
        for path in ("/docs", "/redoc", "/openapi.json"):
            assert (await http.get(path)).status_code == 404


class _Inline(HTMLParser):
    """Collects what the pages' policy would block."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        if tag == "style" or (tag == "script" and "src" not in names):
            self.found.append(tag)
        self.found += [name for name in names if name == "style" or name.startswith(("on", "hx-on"))]
        self.found += [
            value
            for name in ("src", "href", "action")
            if (value := names.get(name)) and re.match(r"(?i)(?:[a-z]+:|//)", value)
        ]


async def test_nothing_is_inline_and_nothing_comes_from_elsewhere(pages: HubPages) -> None:
    alert = pages.risk_is_answered()
    read = _Inline()
    for role in PASSWORD_ROLES:
        async with client(pages, role) as http:
            for (method, path), allowed in ROUTES.items():
                is_page = not path.startswith("/v1/") and not path.endswith(("stream", ".json", ".svg"))
                if method == "GET" and role in allowed and is_page:
                    answer = await http.get(filled(pages, path.replace("{alert_id}", alert)))
                    assert answer.status_code == 200, path
                    read.feed(answer.text)
    assert read.found == []


async def test_what_people_entered_is_never_markup(pages: HubPages) -> None:
    with pages.database.begin() as transaction:
        transaction.add(
            Alert(
                id="x",
                event_id="x",
                node="<b>room",
                subject=None,
                kind="risk-answer",
                severity="<i>",
                detail={"answer": "<script>"},
                late=False,
                happened_at=pages.now,
                raised_at=pages.now,
                state="open",
                accepted_by=None,
                accepted_at=None,
                review=None,
            )
        )
    async with client(pages, "staff") as http:
        answer = await http.get("/")
        wrong = await http.post("/login", data={"username": '"><script>', "password": "x"})
    for text in (answer.text, wrong.text):
        assert "<b>room" not in text
        assert "<script>" not in text


@pytest.mark.parametrize("role", PASSWORD_ROLES)
def test_no_input_makes_a_route_fail(pages: HubPages, role: Role) -> None:
    end_streams(pages.app)
    schema = schemathesis.openapi.from_dict(get_openapi(title="hub", version="1", routes=pages.app.routes))
    schema.app = pages.app
    cookies = {"forge": pages.token(role)}
    headers = {"X-CSRF-Token": pages.app.state.site.access.signed_in(cookies["forge"]).csrf_token}

    @settings(max_examples=8, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    def answers(case: schemathesis.Case[Any]) -> None:
        answer = case.call(cookies=cookies, headers=headers)
        assert answer.status_code < 500, f"{case.method} {case.path}"

    for operation in (found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)):
        allowed = ROUTES[operation.method.upper(), operation.path]
        if (not allowed or role in allowed) and operation.path not in ENDING:
            given(case=operation.as_strategy())(answers)()


def _alert(pages: HubPages, alert_id: str) -> Alert:
    with pages.database.read() as transaction:
        found = transaction.get(Alert, alert_id)
        assert found is not None
        return found
