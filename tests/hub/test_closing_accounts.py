"""An account is closed, or enrols anew, by somebody else's hand: at once, with a trace, and never by its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select
from tests.fakes.clock import FakeClock
from tests.fakes.pages import PASSWORD, PERSON, ROOM, HubPages, client, csrf, open_pages

from forge_hub.access import Access, SecretKey
from forge_hub.access.closing import close_account
from forge_hub.alerts.duties import Roster
from forge_hub.errors import AccessError
from forge_hub.records.schema import Account, Audit, Bed, Duty, Person, Ward


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def pages(tmp_path: Path, clock: FakeClock) -> Iterator[HubPages]:
    with open_pages(tmp_path, clock) as opened:
        for role in ("staff", "clinician", "admin"):
            opened.account(role)
        opened.add(Ward(id="ward-7", name="Ward 7"), Bed(id="b", ward="ward-7", name="1", node=ROOM))
        yield opened


def account(pages: HubPages, username: str) -> str:
    with pages.database.read() as transaction:
        return transaction.scalars(select(Account.id).where(Account.username == username)).one()


def trace(pages: HubPages) -> list[tuple[str, str, str]]:
    with pages.database.read() as transaction:
        rows = transaction.execute(select(Audit.account, Audit.action, Audit.object).order_by(Audit.position))
        return [(row[0], row[1], row[2]) for row in rows]


async def test_an_account_that_is_closed_ends_at_once_with_its_sessions_and_duties_and_leaves_a_trace(
    pages: HubPages,
) -> None:
    nurse, admin = account(pages, "staff"), account(pages, "admin")
    Roster(pages.database, pages.parts.clock, pages.parts.zone).sign_on(nurse, "ward-7", 1)
    async with client(pages, "staff") as theirs, client(pages, "admin") as http:
        assert (await theirs.get("/phone")).status_code == 200
        answer = await http.post(f"/accounts/{nurse}/close", headers={"X-CSRF-Token": csrf(pages, http)})
        assert answer.status_code == 303
        assert (await theirs.get("/phone")).status_code == 303, "the open page is asked to sign in"
        assert "closed" in (await http.get("/accounts")).text
        tried = await theirs.post("/login", data={"username": "staff", "password": PASSWORD})
        assert tried.status_code == 403
    with pages.database.read() as transaction:
        assert transaction.scalars(select(Duty)).one().ends_at <= pages.now
    assert (admin, "account.close", nurse) in trace(pages)
    assert [action for who, action, _ in trace(pages) if who == admin and action == "duty.end"] == ["duty.end"]


async def test_nobody_is_left_to_a_clinician_whose_account_is_closed(pages: HubPages) -> None:
    pages.add(Person(pseudonym=PERSON, node=ROOM, first_seen=pages.now))
    pages.assign("clinician")
    async with client(pages, "admin") as http:
        headers = {"X-CSRF-Token": csrf(pages, http)}
        await http.post(f"/accounts/{account(pages, 'clinician')}/close", headers=headers)
    assert pages.app.state.site.access.assignments.relations() == []
    assert (account(pages, "admin"), "assignment.end") in {(who, action) for who, action, _ in trace(pages)}


async def test_nobody_does_it_to_themselves_or_to_a_device(pages: HubPages) -> None:
    async with client(pages, "patient"), client(pages, "admin") as http:
        headers = {"X-CSRF-Token": csrf(pages, http)}
        for what in ("close", "second-factor"):
            own = await http.post(f"/accounts/{account(pages, 'admin')}/{what}", headers=headers)
            assert own.status_code == 403
            assert "access.own-account" in own.text
            for other in (account(pages, f"device:{ROOM}"), "none"):
                assert (await http.post(f"/accounts/{other}/{what}", headers=headers)).status_code == 404
        assert (await http.get("/accounts")).status_code == 200
    assert not {"account.close", "second-factor.reset"} & {action for _, action, _ in trace(pages)}


async def test_an_admin_lets_a_clinician_enrol_anew(pages: HubPages) -> None:
    clinician, admin = account(pages, "clinician"), account(pages, "admin")
    async with client(pages, "clinician") as theirs, client(pages, "admin") as http:
        answer = await http.post(f"/accounts/{clinician}/second-factor", headers={"X-CSRF-Token": csrf(pages, http)})
        assert answer.status_code == 303
        assert (await theirs.get("/phone")).status_code == 303
    assert (admin, "second-factor.reset", clinician) in trace(pages)


def test_whoever_is_signing_in_while_the_account_is_closed_stays_outside(pages: HubPages, clock: FakeClock) -> None:
    nurse = account(pages, "staff")
    by = pages.app.state.site.access.signed_in(pages.token("admin"))

    class Slow(PasswordHasher):
        """Is still hashing when the account is closed."""

        def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # type: ignore[override]  # noqa: A002 (argon2's own name)
            right = super().verify(hash, password)
            close_account(pages.database, clock, nurse, by)
            return bool(right)

    access = Access(pages.database, clock, Slow(time_cost=1, memory_cost=64, parallelism=1), key=SecretKey(bytes(32)))
    with pytest.raises(AccessError):
        access.sign_in("staff", PASSWORD, "10.0.0.1")
    assert access.sessions_of(nurse) == []


async def test_every_end_of_a_session_is_in_the_audit(pages: HubPages) -> None:
    nurse = account(pages, "staff")
    for way in ("/logout", "/account/sign-out-everywhere"):
        async with client(pages, "staff") as http:
            await http.post(way, headers={"X-CSRF-Token": csrf(pages, http)})
    assert [(action, what) for who, action, what in trace(pages) if who == nurse and action == "session.end"] == [
        ("session.end", nurse),
        ("session.end", "all"),
    ]
