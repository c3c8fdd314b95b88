"""What alerts cost: counted per hour of duty, and never made up where nothing is known."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.fakes.sent import WATER
from tests.fakes.ward import open_ward

from forge_hub.alerts.burden import Handled, Served, burden_of, read_burden
from forge_shared.events import CanarySent, RequestMade

NOW = datetime(2026, 3, 8, tzinfo=UTC)
WEEK = NOW - timedelta(days=7)


def handled(minutes_ago: float, wait_seconds: float | None = None, cause: str | None = None) -> Handled:
    raised = NOW - timedelta(minutes=minutes_ago)
    accepted = None if wait_seconds is None else raised + timedelta(seconds=wait_seconds)
    return Handled("a", raised, accepted, cause)


def test_alerts_are_counted_per_hour_of_duty_within_the_week() -> None:
    alerts = [
        handled(5, 10, "real"),
        handled(60, 30, "false"),
        handled(90, 50, "drill"),
        handled(8 * 24 * 60, 1, "real"),
    ]
    duties = [
        Served("a", NOW - timedelta(hours=4), NOW + timedelta(hours=4)),
        Served("a", WEEK - timedelta(hours=6), WEEK + timedelta(hours=2)),
    ]
    (ward,) = burden_of(alerts, duties, since=WEEK, until=NOW)
    assert (ward.alerts, ward.nurse_hours, ward.per_nurse_hour) == (3, 6.0, 0.5)
    assert (ward.seconds_to_accept, ward.share_real) == (30.0, 0.5)


def test_what_cannot_be_told_is_not_told() -> None:
    (ward,) = burden_of([handled(5)], [], since=WEEK, until=NOW)
    assert (ward.alerts, ward.per_nurse_hour, ward.seconds_to_accept, ward.share_real) == (1, None, None, None)
    (quiet,) = burden_of([], [Served("a", WEEK, NOW)], since=WEEK, until=NOW)
    assert (quiet.alerts, quiet.per_nurse_hour) == (0, 0.0)


async def test_the_first_acceptance_counts_and_canaries_do_not(tmp_path: Path) -> None:
    ward = open_ward(tmp_path)
    ward.on_duty("ann", 1)
    alert = ward.alarm(RequestMade(request="help", mode="voice"))
    ward.alarm(CanarySent())
    ward.alarm(WATER, node="room-8")
    ward.clock.advance(12)
    await ward.board.accept(alert.id, "ann")
    ward.passes(1000)
    burdens = dict(read_burden(ward.database, ward.clock.now(), UTC))
    assert burdens["Ward 7"].seconds_to_accept == 12
    assert (burdens["Ward 7"].alerts, burdens["Ward 8"].alerts) == (1, 1)
    assert burdens["Ward 8"].per_nurse_hour is None
    ward.database.close()
