"""Late or fresh, whatever the room's clock says."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.clock import FakeClock
from tests.fakes.sent import FakeNode

from forge_hub.alerts.age import LATE_AFTER, age_of, happened_at, is_late
from forge_shared.events import Envelope, RequestMade

RECEIVED = datetime(2031, 11, 21, 8, 0, tzinfo=UTC)
ERRORS = st.timedeltas(timedelta(days=-60 * 365), timedelta(days=3653))
AGES = st.integers(0, 10**7)


def event(error: timedelta, age: int = 0, *, backfill: bool = False, measured: bool = True) -> Envelope:
    envelope = FakeNode(FakeClock()).event(RequestMade(request="help", mode="voice"), backfill=backfill)
    said = RECEIVED - timedelta(seconds=age) + error
    return envelope.model_copy(update={"time": said, "ageseconds": age if measured else None})


@given(ERRORS, st.booleans())
def test_a_fresh_alarm_is_never_late(error: timedelta, measured: bool) -> None:  # noqa: FBT001 (Hypothesis passes it)
    assert not is_late(event(error, measured=measured), RECEIVED)


@given(ERRORS, AGES)
def test_what_the_room_measured_decides_and_its_clock_does_not(error: timedelta, age: int) -> None:
    late = is_late(event(error, age, backfill=age > 60), RECEIVED)
    assert late is (timedelta(seconds=age) > LATE_AFTER)


@given(ERRORS, AGES)
def test_an_alarm_that_waited_less_than_the_limit_in_a_room_without_time_is_fresh(error: timedelta, age: int) -> None:
    never_set = event(error - timedelta(days=60 * 365), age, backfill=True, measured=False)
    assert never_set.time.year < 2026
    assert not is_late(never_set, RECEIVED)
    ahead = event(timedelta(days=2), min(age, 100_000), backfill=True, measured=False)
    assert age_of(ahead, RECEIVED) is None
    assert not is_late(ahead, RECEIVED)


@given(AGES)
def test_without_a_measured_age_a_plausible_clock_is_believed(age: int) -> None:
    old = event(timedelta(), age, backfill=True, measured=False)
    assert is_late(old, RECEIVED) is (timedelta(seconds=age) > LATE_AFTER)


@given(ERRORS, AGES, st.booleans(), st.booleans())
def test_nothing_happens_after_it_was_received(error: timedelta, age: int, backfill: bool, measured: bool) -> None:  # noqa: FBT001 (Hypothesis passes it)
    assert happened_at(event(error, age, backfill=backfill, measured=measured), RECEIVED) <= RECEIVED


@given(ERRORS, AGES)
def test_when_it_happened_is_right_to_seconds_where_the_age_was_measured(error: timedelta, age: int) -> None:
    known = happened_at(event(error, age), RECEIVED)
    assert abs(known - (RECEIVED - timedelta(seconds=age))) <= timedelta(seconds=5)
