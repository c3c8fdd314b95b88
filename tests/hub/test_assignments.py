"""Who may open whose record: assigned clinicians, and others in an emergency that is reviewed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.fakes.clock import FakeClock
from tests.fakes.pages import PERSON, ROOM, HubPages, client, csrf, open_pages

from forge_hub.access import Assignments, NotAssignedError, SignedIn
from forge_hub.access.assignments import StatementError
from forge_hub.errors import AccessError, NotFoundError
from forge_hub.records.schema import Audit, Session

STATEMENT = "The ward round found her unconscious."


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def pages(tmp_path: Path, clock: FakeClock) -> Iterator[HubPages]:
    with open_pages(tmp_path, clock) as opened:
        opened.account("admin")
        opened.account("clinician", "ann")
        opened.room_connects()
        opened.person_is_admitted()
        opened.account("clinician")
        yield opened


@pytest.fixture
def assignments(pages: HubPages) -> Assignments:
    found: Assignments = pages.app.state.site.access.assignments
    return found


def who(pages: HubPages, username: str) -> SignedIn:
    found = pages.app.state.site.access.signed_in(pages.token(username))
    assert isinstance(found, SignedIn)
    return found


def traces(pages: HubPages, action: str) -> list[tuple[str, str | None, str | None]]:
    with pages.database.read() as transaction:
        query = select(Audit.outcome, Audit.reason, Audit.subject).where(Audit.action == action)
        return [(row[0], row[1], row[2]) for row in transaction.execute(query.order_by(Audit.position))]


async def test_a_clinician_opens_the_people_assigned_to_them_and_is_offered_an_emergency_for_others(
    pages: HubPages,
) -> None:
    utterance = pages.utterances[0]
    with pages.database.read() as transaction:
        session = transaction.scalars(select(Session.id).where(Session.subject == PERSON)).one()
    rest = ("", "/circumplex.json", "/utterances", f"/utterances/{utterance}", f"/sessions/{session}")
    more = (f"/sessions/{session}/report", "/review", "/compare", "/explore", "/graph.json")
    paths = [f"/people/{PERSON}{path}" for path in (*rest, *more)]
    async with client(pages, "clinician") as http:
        assert PERSON not in (await http.get("/people")).text
        answers = [await http.get(path) for path in paths]
        assert [answer.status_code for answer in answers] == [403] * len(paths)
        assert f"/people/{PERSON}/emergency" in answers[0].text
        pages.assign("clinician")
        assert [(await http.get(path)).status_code for path in paths] == [200] * len(paths)
        assert PERSON in (await http.get("/people")).text
    refused = [("refused", "access.not-assigned", PERSON)] * len(paths)
    assert traces(pages, "person.read")[: len(paths)] == refused


async def test_a_person_who_does_not_exist_is_not_said_to_be_someone_elses(pages: HubPages) -> None:
    async with client(pages, "clinician") as http:
        assert (await http.get("/people/nobody")).status_code == 404


async def test_the_first_clinician_who_records_a_session_looks_after_the_person(
    pages: HubPages, assignments: Assignments
) -> None:
    async with client(pages, "clinician") as http:
        data = {"csrf_token": csrf(pages, http), "consent": "given"}
        refused = await http.post(f"/rooms/{ROOM}/session/start", data=data)
        assert refused.status_code == 403
        assert pages.published == [], "others look after this person"
        for relation in assignments.relations():
            assignments.end(who(pages, "admin"), relation.id)
        assert (await http.post(f"/rooms/{ROOM}/session/start", data=data)).status_code == 303
        assert (await http.get(f"/people/{PERSON}")).status_code == 200
    assert [relation.username for relation in assignments.relations()] == ["clinician"]


async def test_an_admin_assigns_without_seeing_any_record(pages: HubPages, assignments: Assignments) -> None:
    async with client(pages, "admin") as http:
        token = {"csrf_token": csrf(pages, http)}
        made = await http.post("/assignments", data={**token, "subject": PERSON, "username": "clinician", "hours": "8"})
        assert made.status_code == 303
        page = (await http.get("/assignments")).text
        assert PERSON in page
        assert (await http.get(f"/people/{PERSON}")).status_code == 403
        nobody = await http.post("/assignments", data={**token, "subject": PERSON, "username": "admin"})
        assert nobody.status_code == 422, "only a clinician looks after someone"
    assert assignments.people_of(who(pages, "clinician").account_id) == {PERSON}


async def test_an_admin_sees_that_someone_is_needed_and_not_what_they_answered(pages: HubPages) -> None:
    pages.risk_is_answered()
    pages.alert_arrives(detail={"request": "pain", "mode": "touch"})
    pages.alert_arrives(kind="sense-lost", detail={"sense": "hearing", "reason": "source-silent"})
    async with client(pages, "admin") as http:
        board = (await http.get("/")).text
    assert "Someone is needed here" in board
    assert "The room cannot hear" in board
    for clinical in ("PHQ", "Several days", "pain", PERSON):
        assert clinical not in board


def test_an_assignment_ends_when_it_was_to_end_or_is_ended(
    pages: HubPages, assignments: Assignments, clock: FakeClock
) -> None:
    admin, clinician = who(pages, "admin"), who(pages, "clinician")
    assignments.assign(admin, "clinician", PERSON, hours=8)
    clock.advance(8 * 3600 - 1)
    assert assignments.people_of(clinician.account_id) == {PERSON}
    clock.advance(1)
    assert assignments.people_of(clinician.account_id) == set()
    assignments.assign(admin, "clinician", PERSON)
    assignments.assign(admin, "clinician", PERSON)
    (again,) = [each for each in assignments.relations() if each.username == "clinician"]
    assignments.end(admin, again.id)
    assignments.end(admin, again.id)
    assert assignments.people_of(clinician.account_id) == set()
    assert len(traces(pages, "assignment.end")) == 1


def test_a_clinician_assigns_colleagues_to_their_own_people_and_to_no_others(
    pages: HubPages, assignments: Assignments
) -> None:
    stranger = who(pages, "clinician")
    with pytest.raises(NotAssignedError):
        assignments.assign(stranger, "clinician", PERSON)
    assignments.begin_emergency(stranger, PERSON, "other", STATEMENT)
    with pytest.raises(NotAssignedError):
        assignments.assign(stranger, "clinician", PERSON)
    (relation,) = assignments.relations()
    with pytest.raises(NotAssignedError):
        assignments.end(stranger, relation.id)
    assignments.assign(who(pages, "ann"), "clinician", PERSON)
    with pytest.raises(NotFoundError):
        assignments.assign(who(pages, "ann"), "nobody", PERSON)


async def test_an_emergency_opens_one_record_for_an_hour_says_so_on_every_page_and_is_reviewed(
    pages: HubPages, clock: FakeClock
) -> None:
    async with client(pages, "clinician") as http, client(pages, "admin") as other:
        token = {"csrf_token": csrf(pages, http)}
        short = await http.post(f"/people/{PERSON}/emergency", data={**token, "reason": "other", "statement": "now"})
        assert short.status_code == 422
        assert (await http.get(f"/people/{PERSON}")).status_code == 403
        given = {**token, "reason": "emergency-treatment", "statement": STATEMENT}
        assert (await http.post(f"/people/{PERSON}/emergency", data=given)).status_code == 303
        for path in (f"/people/{PERSON}", "/", "/rooms", "/account"):
            answer = await http.get(path)
            assert answer.status_code == 200
            assert "in an emergency, until" in answer.text
        own = await http.get("/reviews")
        assert "This is your own." in own.text
        queue = (await other.get("/reviews")).text
        assert STATEMENT in queue
        assert STATEMENT not in (await other.get("/audit")).text
        clock.advance(1799)
        assert (await http.get(f"/people/{PERSON}")).status_code == 200
        clock.advance(1799)
        assert (await http.get(f"/people/{PERSON}")).status_code == 200
        clock.advance(2)
        assert (await http.get(f"/people/{PERSON}")).status_code == 403
    assert traces(pages, "emergency.begin") == [("done", "emergency-treatment", PERSON)]
    with pages.database.read() as transaction:
        assert transaction.scalars(select(Audit.statement).where(Audit.statement.is_not(None))).all() == [STATEMENT]


def test_an_emergency_that_was_not_justified_ends_at_once(pages: HubPages, assignments: Assignments) -> None:
    clinician = who(pages, "clinician")
    assignments.begin_emergency(clinician, PERSON, "other", STATEMENT)
    ((emergency, username),) = assignments.to_review()
    assert username == "clinician"
    with pytest.raises(AccessError):
        assignments.review(clinician, emergency.id, "justified")
    assignments.review(who(pages, "ann"), emergency.id, "not-justified")
    assert assignments.to_review() == []
    assert assignments.people_of(clinician.account_id) == set()
    with pytest.raises(NotFoundError):
        assignments.review(who(pages, "ann"), emergency.id, "justified")
    assert traces(pages, "emergency.review") == [("done", "not-justified", PERSON)]


@pytest.mark.parametrize("statement", ["", "  too   x ", "x" * 501])
def test_a_statement_is_neither_empty_nor_a_novel(pages: HubPages, assignments: Assignments, statement: str) -> None:
    with pytest.raises(StatementError):
        assignments.begin_emergency(who(pages, "clinician"), PERSON, "other", statement)
