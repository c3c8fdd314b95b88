from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import inspect, text
from tests.fakes.clock import FakeClock
from tests.fakes.records import sqlite_records

from forge_hub.access import (
    Access,
    CodeAwaited,
    NewSession,
    PasswordRefusedError,
    SecretKey,
    TooManyAttemptsError,
    check_password,
    create_setup_link,
    first_run_link,
    tokens_match,
)
from forge_hub.errors import AccessError
from forge_hub.records import reading
from forge_hub.records.database import Database

PASSWORD = "a quiet river in may"
BASE = "http://hub.test"
HASHER = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)


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


def token_of(link: str | None) -> str:
    assert link is not None
    assert link.startswith(f"{BASE}/setup/")
    return link.rsplit("/", 1)[-1]


def begun(admitted: NewSession | CodeAwaited) -> NewSession:
    assert isinstance(admitted, NewSession)
    return admitted


def signed_in(access: Access, database: Database, clock: FakeClock) -> NewSession:
    access.set_up(token_of(create_setup_link(database, clock, BASE, "staff")), "Ada", PASSWORD)
    return begun(access.sign_in("ada ", PASSWORD, "10.0.0.1"))


def test_there_is_no_account_until_someone_opens_the_printed_link(
    access: Access, database: Database, clock: FakeClock
) -> None:
    for username, password in (("admin", "admin"), ("admin", ""), ("", ""), ("root", "password")):
        with pytest.raises(AccessError):
            access.sign_in(username, password, "10.0.0.1")
    link = first_run_link(database, clock, BASE)
    assert access.setup_role(token_of(link)) == "admin"
    access.set_up(token_of(link), "ada", PASSWORD)
    assert isinstance(access.sign_in("ada", PASSWORD, "10.0.0.1"), CodeAwaited)
    assert first_run_link(database, clock, BASE) is None


def test_a_link_works_once(access: Access, database: Database, clock: FakeClock) -> None:
    token = token_of(first_run_link(database, clock, BASE))
    access.set_up(token, "ada", PASSWORD)
    with pytest.raises(AccessError):
        access.set_up(token, "eve", PASSWORD)


def test_of_many_who_open_a_link_at_once_one_gets_the_account(
    access: Access, database: Database, clock: FakeClock
) -> None:
    token = token_of(create_setup_link(database, clock, BASE, "staff"))

    def attempt(number: int) -> bool:
        try:
            access.set_up(token, f"eve{number}", PASSWORD)
        except AccessError:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(attempt, range(8))) == 1


def test_a_link_ends_after_a_day(access: Access, database: Database, clock: FakeClock) -> None:
    token = token_of(create_setup_link(database, clock, BASE, "clinician"))
    clock.advance(24 * 3600 - 1)
    assert access.setup_role(token) == "clinician"
    clock.advance(1)
    with pytest.raises(AccessError):
        access.setup_role(token)
    with pytest.raises(AccessError):
        access.set_up(token, "ada", PASSWORD)


def test_only_the_link_printed_last_makes_the_first_account(
    access: Access, database: Database, clock: FakeClock
) -> None:
    earlier = token_of(first_run_link(database, clock, BASE))
    later = token_of(first_run_link(database, clock, BASE))
    with pytest.raises(AccessError):
        access.set_up(earlier, "ada", PASSWORD)
    access.set_up(later, "ada", PASSWORD)


def test_a_refused_password_or_a_taken_name_leaves_the_link_open(
    access: Access, database: Database, clock: FakeClock
) -> None:
    signed_in(access, database, clock)
    token = token_of(create_setup_link(database, clock, BASE, "staff"))
    for username, password in (("bo", "short"), ("ada", PASSWORD), ("no spaces", PASSWORD), ("b" * 41, PASSWORD)):
        with pytest.raises(PasswordRefusedError):
            access.set_up(token, username, password)
    access.set_up(token, "bo", PASSWORD)


@pytest.mark.parametrize(
    "password",
    [
        "elevenchars",
        "passwordpassword",
        "Password1234!",
        "P@ssw0rd2026!!",
        "qwertyuiop123",
        "123456789012",
        "aaaaaaaaaaaaaaaa",
        "abababababababab",
        "administrator1",
        "iloveyou-2026",
        "ada-ada-ada-ada-password",
        "x" * 257,
    ],
)
def test_passwords_that_are_guessed_first_are_refused(password: str) -> None:
    with pytest.raises(PasswordRefusedError) as refused:
        check_password(password, "ada")
    assert password not in str(refused.value)


@pytest.mark.parametrize(
    "password", [PASSWORD, "correct horse battery staple", "пароль для отделения", "7Hs!kq02-zzLp"]
)
def test_other_passwords_are_accepted(password: str) -> None:
    check_password(password, "ada")


@given(st.text(min_size=12, max_size=256))
def test_any_password_is_judged_in_time(password: str) -> None:
    with suppress(PasswordRefusedError):
        check_password(password, "ada")


def test_a_session_ends_after_twelve_hours(access: Access, database: Database, clock: FakeClock) -> None:
    session = signed_in(access, database, clock)
    clock.advance(12 * 3600 - 1)
    assert access.signed_in(session.token) == session.signed_in
    clock.advance(1)
    assert access.signed_in(session.token) is None


def test_a_session_ends_when_someone_signs_out(access: Access, database: Database, clock: FakeClock) -> None:
    session = signed_in(access, database, clock)
    other = begun(access.sign_in("ada", PASSWORD, "10.0.0.2"))
    access.sign_out(session.token)
    assert access.signed_in(session.token) is None
    assert access.signed_in(other.token) is not None
    assert access.signed_in(None) is None
    assert access.signed_in("guess") is None


def test_ten_failures_close_the_door_for_a_quarter_of_an_hour(
    access: Access, database: Database, clock: FakeClock
) -> None:
    signed_in(access, database, clock)
    for _ in range(10):
        with pytest.raises(AccessError) as refused:
            access.sign_in("ada", "wrong", "10.0.0.1")
        assert not isinstance(refused.value, TooManyAttemptsError)
    with pytest.raises(TooManyAttemptsError):
        access.sign_in("ada", PASSWORD, "10.0.0.1")
    access.sign_in("ada", PASSWORD, "10.0.0.2")
    clock.advance(15 * 60 + 1)
    access.sign_in("ada", PASSWORD, "10.0.0.1")


def test_attempts_at_once_cannot_pass_the_limit(access: Access, database: Database, clock: FakeClock) -> None:
    signed_in(access, database, clock)

    def attempt(_: int) -> bool:
        try:
            access.sign_in("ada", "wrong", "10.0.0.9")
        except TooManyAttemptsError:
            return False
        except AccessError:
            return True
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(attempt, range(30))) == 10


def test_an_unknown_name_gets_the_same_answer_as_a_wrong_password(
    access: Access, database: Database, clock: FakeClock
) -> None:
    signed_in(access, database, clock)
    answers = []
    for username in ("ada", "nobody"):
        with pytest.raises(AccessError) as refused:
            access.sign_in(username, "wrong", "10.0.0.1")
        answers.append((type(refused.value), str(refused.value)))
    assert answers[0] == answers[1]


def test_no_secret_is_stored_as_it_is(access: Access, database: Database, clock: FakeClock) -> None:
    link = first_run_link(database, clock, BASE)
    access.set_up(token_of(link), "ada", PASSWORD)
    session = access.begin(reading.accounts(database)[0].id, "10.0.0.1")
    invited = access.invite("staff", BASE, session.signed_in.account_id)
    with database.engine.connect() as connection:
        stored = " ".join(
            str(row)
            for table in inspect(connection).get_table_names()
            for row in connection.execute(text(f'SELECT * FROM "{table}"'))  # noqa: S608 (names from the schema)
        )
    assert "$argon2id$" in stored
    for secret in (token_of(link), token_of(invited), session.token, PASSWORD):
        assert secret not in stored


@given(st.text(), st.text())
def test_tokens_match_only_themselves(expected: str, given_token: str) -> None:
    assert tokens_match(expected, expected)
    assert tokens_match(expected, given_token) == (expected == given_token)
    assert not tokens_match(expected, None)


def test_a_clock_that_is_set_back_ends_sessions_instead_of_making_them_longer(
    access: Access, database: Database, clock: FakeClock
) -> None:
    access.set_up(token_of(create_setup_link(database, clock, BASE, "staff")), "ann", PASSWORD)
    session = begun(access.sign_in("ann", PASSWORD, "here"))
    clock.at -= timedelta(minutes=4)
    assert access.signed_in(session.token) is not None
    clock.at -= timedelta(days=400)
    assert access.signed_in(session.token) is None
    clock.at += timedelta(days=800)
    assert access.signed_in(session.token) is None
