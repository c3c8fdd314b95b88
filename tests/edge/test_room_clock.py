"""The time as a room knows it, however wrong its machine's clock is."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.edge.test_outbox import alarm, open_outbox
from tests.fakes.clock import FakeClock

from forge_edge.outbox.store import Outbox
from forge_edge.room_clock import RoomClock, machine_boot
from forge_shared.sealing import Keyring
from forge_shared.wire import CLOCK_TOLERANCE_SECONDS

TRUE = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
ERRORS = st.timedeltas(timedelta(days=-20_000), timedelta(days=3650))


class WrongClock(FakeClock):
    def __init__(self, error: timedelta) -> None:
        super().__init__()
        self.at = TRUE + error


@given(ERRORS, st.floats(0, 1e6))
def test_whatever_the_machine_says_the_room_goes_by_the_hub_once_it_has_heard_it(
    error: timedelta, seconds: float
) -> None:
    machine = WrongClock(error)
    clock = RoomClock(machine)
    clock.hub_says(TRUE)
    machine.advance(seconds)
    assert abs(clock.now() - TRUE - timedelta(seconds=seconds)) <= timedelta(seconds=CLOCK_TOLERANCE_SECONDS)
    assert clock.is_wrong == (abs(error.total_seconds()) > CLOCK_TOLERANCE_SECONDS)


@given(ERRORS, ERRORS)
def test_a_clock_that_is_set_afterwards_changes_nothing_but_whether_it_is_wrong(
    error: timedelta, later: timedelta
) -> None:
    machine = WrongClock(error)
    clock = RoomClock(machine)
    clock.hub_says(TRUE)
    machine.at = TRUE + later
    assert abs(clock.now() - TRUE) <= timedelta(seconds=CLOCK_TOLERANCE_SECONDS)
    machine.at = TRUE
    assert clock.now() == TRUE
    assert not clock.is_wrong


@given(ERRORS)
def test_before_the_hub_is_heard_it_is_at_least_as_late_as_the_certificate_began(error: timedelta) -> None:
    machine, begins = WrongClock(error), TRUE - timedelta(days=30)
    clock = RoomClock(machine)
    clock.not_before(begins)
    machine.advance(60)
    assert clock.now() == max(machine.now(), begins + timedelta(seconds=60))
    assert clock.is_wrong == (machine.now() < begins + timedelta(seconds=60 - CLOCK_TOLERANCE_SECONDS))


def test_a_time_server_that_answers_late_is_believed_where_nothing_else_is_known() -> None:
    machine = WrongClock(timedelta(days=-20_000))
    clock = RoomClock(machine)
    clock.not_before(TRUE - timedelta(days=30))
    assert clock.is_wrong
    machine.at = TRUE
    assert clock.now() == TRUE
    assert not clock.is_wrong


def test_the_age_of_an_event_is_measured_over_a_restart_of_the_program_and_not_over_one_of_the_machine(
    tmp_path: Path,
) -> None:
    clock, keyring = FakeClock(), Keyring.open(tmp_path / "device.key")

    def after_a_start(boot: str) -> tuple[bool, int | None]:
        outbox = Outbox(
            tmp_path / "outbox.db", "site", "room-1", clock, limit_bytes=10**7, keyring=keyring, machine_boot=boot
        )
        if not outbox.last_sequence("alarm"):
            outbox.append(alarm(clock))
        (envelope,) = outbox.pending("alarm", 0, 9)
        outbox.close()
        return envelope.backfill, envelope.ageseconds

    assert after_a_start("boot-1") == (False, 0)
    clock.advance(900)
    clock.at -= timedelta(days=20_000)
    assert after_a_start("boot-1") == (True, 900)
    assert after_a_start("boot-2") == (True, None)


def test_an_age_does_not_follow_the_clock(tmp_path: Path) -> None:
    clock = FakeClock()
    outbox = open_outbox(tmp_path, clock)
    outbox.append(alarm(clock))
    clock.elapsed += 30
    clock.at += timedelta(days=20_000)
    (envelope,) = outbox.pending("alarm", 0, 9)
    outbox.close()
    assert (envelope.backfill, envelope.ageseconds) == (False, 30)


def test_one_start_of_the_machine_has_one_name() -> None:
    if not Path("/proc/sys/kernel/random/boot_id").exists():
        pytest.skip("no Linux")
    assert machine_boot() == machine_boot()
