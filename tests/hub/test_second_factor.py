"""One-time codes and recovery codes: each works once, and nothing of them is stored as it is."""

from collections.abc import Iterator
from pathlib import Path

import pyotp
import pytest
from argon2 import PasswordHasher
from sqlalchemy import inspect, select, text
from tests.fakes.clock import FakeClock
from tests.fakes.records import sqlite_records

from forge_hub.access import (
    Access,
    CodeAwaited,
    NewSession,
    PasswordRefusedError,
    SecretKey,
    SignedIn,
    TooManyAttemptsError,
    create_setup_link,
    reset_second_factor,
)
from forge_hub.errors import AccessError, HubConfigError
from forge_hub.records.database import Database
from forge_hub.records.schema import Audit

PASSWORD = "a quiet river in may"
HASHER = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
HERE = "10.0.0.1"


class Person:
    """Someone with an authenticator app."""

    def __init__(self, access: Access, database: Database, clock: FakeClock, role: str = "clinician") -> None:
        self.access, self.database, self.clock = access, database, clock
        link = create_setup_link(database, clock, "http://hub.test", role)  # type: ignore[arg-type] # a role by its name
        access.set_up(link.rsplit("/", 1)[-1], "ada", PASSWORD)
        self.secret = ""

    def shows_password(self) -> CodeAwaited:
        awaited = self.access.sign_in("ada", PASSWORD, HERE)
        assert isinstance(awaited, CodeAwaited)
        return awaited

    def shows_code(self, code: str, awaited: CodeAwaited | None = None) -> NewSession:
        awaited = awaited or self.shows_password()
        page = self.access.pending(awaited.token)
        csrf = page.csrf_token if page else ""
        return self.access.give_code(awaited.token, csrf, code, HERE)

    def enrols(self) -> NewSession:
        awaited = self.shows_password()
        page = self.access.pending(awaited.token)
        assert page is not None
        assert page.secret is not None
        assert page.address is not None
        assert page.address.startswith("otpauth://totp/Persona-Forge:ada?")
        self.secret = page.secret
        return self.shows_code(self.code(), awaited)

    def code(self, steps: int = 0) -> str:
        return pyotp.TOTP(self.secret).at(self.clock.now(), counter_offset=steps)

    def reasons(self) -> list[str | None]:
        with self.database.read() as transaction:
            query = select(Audit.reason).where(Audit.outcome == "refused").order_by(Audit.position)
            return list(transaction.scalars(query))


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = sqlite_records(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def access(database: Database, clock: FakeClock) -> Access:
    return Access(database, clock, HASHER, key=SecretKey(bytes(32)))


@pytest.fixture
def ada(access: Access, database: Database, clock: FakeClock) -> Person:
    return Person(access, database, clock)


def test_a_clinician_has_no_session_before_a_code_was_confirmed(ada: Person) -> None:
    awaited = ada.shows_password()
    assert ada.access.signed_in(awaited.token) is None
    with pytest.raises(AccessError):
        ada.shows_code("000000", awaited)
    assert ada.access.signed_in(ada.enrols().token) is not None


def test_the_secret_is_shown_until_it_is_confirmed_and_never_again(ada: Person) -> None:
    first = ada.access.pending(ada.shows_password().token)
    second = ada.access.pending(ada.shows_password().token)
    assert first is not None
    assert second is not None
    assert first.secret == second.secret
    ada.enrols()
    later = ada.access.pending(ada.shows_password().token)
    assert later is not None
    assert (later.secret, later.address) == (None, None)


def test_a_code_works_once(ada: Person) -> None:
    ada.enrols()
    with pytest.raises(AccessError):
        ada.shows_code(ada.code())
    ada.clock.advance(30)
    ada.shows_code(ada.code())
    with pytest.raises(AccessError):
        ada.shows_code(ada.code())
    with pytest.raises(AccessError, match="wrong code"):
        ada.shows_code(ada.code(-1))
    assert ada.reasons() == ["code"] * 3


@pytest.mark.parametrize(("steps", "works"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_code_of_a_clock_that_is_half_a_minute_off_works(ada: Person, steps: int, works: bool) -> None:  # noqa: FBT001 (a case's outcome)
    ada.enrols()
    ada.clock.advance(600)
    if works:
        ada.shows_code(ada.code(steps))
    else:
        with pytest.raises(AccessError):
            ada.shows_code(ada.code(steps))


def test_a_recovery_code_works_once_and_only_for_its_owner(ada: Person) -> None:
    codes = ada.enrols().recovery_codes
    assert len(set(codes)) == 10
    for code in codes[:2]:
        ada.shows_code(code.upper())
        with pytest.raises(AccessError):
            ada.shows_code(code)


def test_five_codes_after_a_password_and_ten_in_a_quarter_of_an_hour(ada: Person) -> None:
    ada.enrols()
    ada.clock.advance(60)
    awaited = ada.shows_password()
    for _ in range(5):
        with pytest.raises(AccessError, match="wrong code"):
            ada.shows_code("000000", awaited)
    with pytest.raises(AccessError, match="wrong code"):
        ada.shows_code(ada.code(), awaited)
    for _ in range(4):
        with pytest.raises(AccessError, match="wrong code"):
            ada.shows_code("000000")
    with pytest.raises(TooManyAttemptsError):
        ada.shows_code(ada.code())
    ada.clock.advance(15 * 60 + 1)
    ada.shows_code(ada.code())


def test_a_password_waits_ten_minutes_for_its_code(ada: Person) -> None:
    ada.enrols()
    awaited = ada.shows_password()
    ada.clock.advance(600)
    with pytest.raises(AccessError, match="no password"):
        ada.shows_code(ada.code(), awaited)


def test_a_code_without_the_pages_own_token_is_refused(ada: Person) -> None:
    ada.enrols()
    ada.clock.advance(30)
    awaited = ada.shows_password()
    with pytest.raises(AccessError, match="no password"):
        ada.access.give_code(awaited.token, "guess", ada.code(), HERE)


def test_staff_may_ask_for_codes_and_are_then_held_to_them(
    access: Access, database: Database, clock: FakeClock
) -> None:
    bo = Person(access, database, clock, "staff")
    session = access.sign_in("ada", PASSWORD, HERE)
    assert isinstance(session, NewSession)
    access.want_second_factor(session.signed_in)
    bo.enrols()
    bo.shows_password()


def test_a_site_may_ask_staff_for_codes_too(database: Database, clock: FakeClock) -> None:
    access = Access(database, clock, HASHER, key=SecretKey(bytes(32)), staff_second_factor=True)
    Person(access, database, clock, "staff").enrols()


def test_whoever_holds_the_command_line_lets_an_account_enrol_anew(ada: Person) -> None:
    session = ada.enrols()
    reset_second_factor(ada.database, ada.clock, "Ada")
    assert ada.access.signed_in(session.token) is None
    assert ada.enrols().recovery_codes


def test_neither_secrets_nor_recovery_codes_are_stored_as_they_are(ada: Person) -> None:
    codes = ada.enrols().recovery_codes
    with ada.database.engine.connect() as connection:
        stored = " ".join(
            str(row)
            for table in inspect(connection).get_table_names()
            for row in connection.execute(text(f'SELECT * FROM "{table}"'))  # noqa: S608 (names from the schema)
        )
    assert ada.secret not in stored
    assert not any(code in stored or code.replace("-", "") in stored for code in codes)


def test_the_key_file_is_made_once_and_read_by_nobody_else(tmp_path: Path) -> None:
    path = tmp_path / "key"
    sealed = SecretKey.open(path).seal("secret", "ann")
    assert path.stat().st_mode & 0o777 == 0o600
    assert SecretKey.open(path).unseal(sealed, "ann") == "secret"
    with pytest.raises(HubConfigError):
        SecretKey.open(path).unseal(sealed, "ben")
    path.chmod(0o640)
    with pytest.raises(HubConfigError):
        SecretKey.open(path)
    path.chmod(0o600)
    path.write_bytes(b"short")
    with pytest.raises(HubConfigError):
        SecretKey.open(path)


def test_a_clinicians_session_ends_after_half_an_hour_without_use(ada: Person) -> None:
    session = ada.enrols()
    for _ in range(3):
        ada.clock.advance(29 * 60)
        assert ada.access.signed_in(session.token, touch=True) is not None
    ada.clock.advance(29 * 60)
    assert ada.access.signed_in(session.token) is not None, "what a page does by itself is no use"
    ada.clock.advance(60)
    assert ada.access.signed_in(session.token, touch=True) is None


def test_a_new_password_ends_every_other_session(ada: Person) -> None:
    first = ada.enrols()
    ada.clock.advance(30)
    second = ada.shows_code(ada.code())
    who: SignedIn = second.signed_in
    assert len(ada.access.sessions_of(who.account_id)) == 2
    with pytest.raises(PasswordRefusedError):
        ada.access.change_password(who, "wrong", "another quiet river", HERE)
    with pytest.raises(PasswordRefusedError):
        ada.access.change_password(who, PASSWORD, "password1234", HERE)
    ada.access.change_password(who, PASSWORD, "another quiet river", HERE)
    assert ada.access.signed_in(first.token) is None
    assert ada.access.signed_in(second.token) is not None
    with pytest.raises(AccessError):
        ada.access.sign_in("ada", PASSWORD, HERE)


def test_signing_out_everywhere_leaves_no_session(ada: Person) -> None:
    first = ada.enrols()
    awaited = ada.shows_password()
    ada.access.sign_out_everywhere(first.signed_in)
    assert ada.access.sessions_of(first.signed_in.account_id) == []
    assert ada.access.pending(awaited.token) is None
