"""Alarms of cameras on SQLite and on a real PostgreSQL: one incident one alert, marks, hours watched, what was set."""

import threading
from datetime import UTC, timedelta

import pytest
from sqlalchemy import func, inspect, select, text
from tests.fakes.sent import danger
from tests.fakes.ward import FakeWard

from forge_hub.alerts.marks import Mark
from forge_hub.alerts.projector import AlertProjection, raise_alert
from forge_hub.alerts.trust_reading import read_trust
from forge_hub.ingest.store import IngestStore
from forge_hub.projection import catch_up
from forge_hub.records.database import Database, engine_of, migrate, open_database
from forge_hub.records.retention import forget_received_before
from forge_hub.records.schema import Alert, AlertStep, EventLog, Stay
from forge_hub.stays.register import Register
from forge_shared.events import SenseChanged
from forge_shared.ids import new_id
from forge_shared.plan import Watch


@pytest.fixture
def ward(database: Database) -> FakeWard:
    return FakeWard(database)


def test_stages_of_one_incident_that_arrive_at_the_same_moment_are_one_alert(ward: FakeWard) -> None:
    database, clock, node = ward.database, ward.clock, ward.nodes["room-1"]
    for _ in range(8):
        fall = new_id()
        stages = ("suspected", "confirmed", "withdrawn", "over", "confirmed")
        events = [node.event(danger(fall, stage)) for stage in stages]  # type: ignore[arg-type]  # stages, above
        together = threading.Barrier(len(events))
        failures: list[Exception] = []

        def arrives(
            number: int,
            events: list = events,  # type: ignore[type-arg]  # of this round
            together: threading.Barrier = together,
            failures: list[Exception] = failures,
            fall: str = fall,
        ) -> None:
            try:
                together.wait(10)
                with database.begin() as transaction:
                    data = danger(fall, events[number].data["stage"])
                    raise_alert(transaction, events[number], data, clock.now(), received_at=clock.now())
            except Exception as error:  # noqa: BLE001 (a thread's error would be lost)
                failures.append(error)

        threads = [threading.Thread(target=arrives, args=(number,)) for number in range(len(events))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=20)
        assert failures == []
        with database.read() as transaction:
            (alert,) = transaction.scalars(select(Alert).where(Alert.incident.endswith(fall))).all()
        assert (alert.severity, alert.state) == ("critical", "open")


async def test_marks_and_hours_are_kept_and_read_alike(ward: FakeWard) -> None:
    ward.alarm(SenseChanged(sense="sight", state="ok", reason="started"))
    ward.alarm(SenseChanged(sense="hearing", state="closed", reason="consent-withdrawn"))
    alert = ward.alarm(danger(new_id(), "confirmed"))
    await ward.board.answer(alert.id, "attend", "ann")
    await ward.board.mark(alert.id, Mark("real", "fall"), "ann")
    ward.clock.advance(7200)
    ward.alarm(SenseChanged(sense="sight", state="lost", reason="picture-black"))
    ward.clock.advance(3600)
    _, (room,) = read_trust(ward.database, ward.clock.now(), UTC, 1)
    assert (room.total.hours_watched, room.total.hours_blind) == pytest.approx((2, 1), abs=1e-6)
    assert room.total.precision is not None
    assert (room.total.real, room.total.precision.high) == (1, 1.0)
    ward.alarm(SenseChanged(sense="sight", state="ok", reason="recovered"))
    with ward.database.read() as transaction:
        lost = transaction.scalars(select(Alert).where(Alert.kind == "sense-lost")).one()
    assert (lost.state, lost.cause) == ("closed", "resolved")


def test_everything_comes_again_and_nothing_is_counted_twice(ward: FakeWard) -> None:
    fall, node = new_id(), ward.nodes["room-1"]
    ingest = IngestStore("site", ward.database, ward.clock)
    messages = [node.send(danger(fall, stage)) for stage in ("suspected", "confirmed", "over")]
    for batch in (messages[1:], messages, messages[::-1]):
        ingest.commit(batch)
        catch_up(ward.database, AlertProjection(ward.database, ward.clock))
    with ward.database.read() as transaction:
        assert transaction.scalar(select(func.count()).select_from(Alert)) == 1
        stages = transaction.scalars(select(AlertStep.detail).where(AlertStep.what == "stage")).all()
    assert sorted(str(stage) for stage in stages) == ["over", "suspected"], "the confirmation had raised it"


def test_what_is_watched_for_is_kept_with_the_stay_and_nothing_is_no_value(ward: FakeWard) -> None:
    register = Register(ward.database, ward.clock)
    stay = register.admit("ward-7-1", "ann")
    watch = Watch(kinds=("fall", "bed_edge"), visitor_minutes=7)
    for given in (watch, None):
        register.set_watch(stay.id, given, "ann")
        kept = register.stay(stay.id).stay.watch
        assert (None if kept is None else Watch.model_validate(kept)) == given
    with ward.database.read() as transaction:
        assert transaction.scalars(select(Stay.id).where(Stay.watch.is_(None))).all() == [stay.id]


def test_what_alerts_were_closed_as_before_is_what_people_said_that_they_were(url: str) -> None:
    engine = engine_of(url)
    with engine.begin() as connection:
        migrate(connection, "0010")
        columns = {column["name"] for column in inspect(connection).get_columns("alert")}
        assert "verdict" not in columns
        for cause in ("real", "false", "drill", "unclear", "resolved", None):
            connection.execute(
                text(
                    "INSERT INTO alert (id, event_id, node, kind, severity, detail, late, happened_at, raised_at,"
                    " state, cause, incident, count, level) VALUES (:id, :id, 'room-1', 'request', 'high',"
                    " '{}', :late, :at, :at, 'closed', :cause, '', 1, 0)"
                ),
                {"id": cause or "none", "late": False, "at": "2026-03-08 12:00:00+00:00", "cause": cause},
            )
    engine.dispose()
    database = open_database(url)
    with database.read() as transaction:
        found = {row[0]: row[1] for row in transaction.execute(select(Alert.id, Alert.verdict))}
    database.close()
    assert {name: verdict for name, verdict in found.items() if verdict} == {
        "real": "real",
        "false": "false",
        "drill": "test",
    }


def test_a_room_whose_alert_a_person_closed_counts_as_away_until_it_says_that_it_sees(ward: FakeWard) -> None:
    ward.alarm(SenseChanged(sense="sight", state="ok", reason="started"))
    ward.clock.advance(3600)
    with ward.database.begin() as transaction:
        for cause, lasted in (("resolved", 600), ("real", 600)):
            ward.clock.advance(3600)
            at = ward.clock.now()
            alert = Alert(
                id=new_id(),
                event_id=new_id(),
                node="room-1",
                subject=None,
                kind="monitoring-lost",
                severity="high",
                detail={"reason": "offline"},
                late=False,
                happened_at=at,
                raised_at=at,
                state="closed",
                accepted_by=None,
                accepted_at=None,
                review=None,
                cause=cause,
                closed_at=at + timedelta(seconds=lasted),
            )
            transaction.add(alert)
    ward.clock.advance(7200)
    _, (room,) = read_trust(ward.database, ward.clock.now(), UTC, 1)
    assert room.total.hours_watched == pytest.approx(3 - 600 / 3600, abs=1e-6), (
        "what came after the second is not known"
    )
    ward.alarm(SenseChanged(sense="sight", state="ok", reason="started"))
    ward.clock.advance(3600)
    _, (room,) = read_trust(ward.database, ward.clock.now(), UTC, 1)
    assert room.total.hours_watched == pytest.approx(4 - 600 / 3600, abs=1e-6)


def kept_types(ward: FakeWard) -> list[str]:
    with ward.database.read() as transaction:
        rows = transaction.scalars(select(EventLog).order_by(EventLog.position)).all()
        return [row.type.split(".")[-3] + "." + row.type.split(".")[-2] for row in rows]


def forget_camera(ward: FakeWard, days: int = 90) -> int:
    return forget_received_before(ward.database, "camera", ward.clock.now() - timedelta(days=days))


async def test_what_cameras_saw_and_what_staff_said_of_it_is_forgotten_after_its_days_and_that_they_came_is_not(
    ward: FakeWard,
) -> None:
    fall = new_id()
    alert = ward.alarm(danger(fall, "suspected"))
    ward.alarm(danger(fall, "confirmed"))
    await ward.board.answer(alert.id, "attend", "ann")
    await ward.board.mark(alert.id, Mark("real", "fall"), "ann")
    ward.alarm(SenseChanged(sense="hearing", state="lost", reason="process-died"))
    ward.clock.advance(89 * 86_400)
    assert forget_camera(ward) == 0
    ward.clock.advance(2 * 86_400)
    ward.alarm(danger(new_id(), "suspected"))
    assert forget_camera(ward) == 2
    assert forget_camera(ward) == 0
    assert kept_types(ward) == ["event.erased", "event.erased", "sense.changed", "danger.seen"]
    kept = ward.alert(alert.id)
    assert (kept.kind, kept.state, kept.cause, kept.detail) == ("danger", "closed", "unclear", {})
    assert (kept.verdict, kept.verdict_reason, kept.marked_by, kept.marked_at) == (None, None, None, None)
    assert kept.attended_at is not None
    steps = ward.steps(alert.id)
    assert "marked" not in {step.what for step in steps}
    assert {step.detail for step in steps if step.what == "stage"} == {None}
    assert not {"real", "real.fall"} & {step.detail for step in steps}


async def test_an_incident_that_is_open_or_was_closed_since_is_kept_whole(ward: FakeWard) -> None:
    fall = new_id()
    alert = ward.alarm(danger(fall, "suspected"))
    ward.alarm(danger(fall, "confirmed"))
    lost = ward.alarm(SenseChanged(sense="sight", state="lost", reason="picture-black"))
    ward.clock.advance(400 * 86_400)
    before = ward.alert(alert.id).detail
    assert forget_camera(ward) == 0
    await ward.board.answer(alert.id, "attend", "ann")
    assert forget_camera(ward) == 0, "attended is not over"
    await ward.board.mark(alert.id, Mark("real", "fall"), "ann")
    assert forget_camera(ward) == 0, "it was closed just now"
    assert (ward.alert(alert.id).detail, ward.alert(alert.id).verdict) == (before, "real")
    assert ward.alert(lost.id).state == "open"
    ward.clock.advance(91 * 86_400)
    assert forget_camera(ward) == 2, "the loss is open still"
    assert ward.alert(lost.id).detail["reason"] == "picture-black"


def test_the_last_thing_that_a_room_said_of_its_sight_stays_for_it_still_holds(ward: FakeWard) -> None:
    ward.alarm(SenseChanged(sense="sight", state="ok", reason="started"))
    ward.alarm(SenseChanged(sense="sight", state="closed", reason="consent-withdrawn"))
    ward.alarm(SenseChanged(sense="sight", state="ok", reason="started"))
    ward.alarm(SenseChanged(sense="sight", state="ok", reason="started"), node="room-8")
    ward.clock.advance(91 * 86_400)
    assert forget_camera(ward) == 2
    assert kept_types(ward) == ["event.erased", "event.erased", "sense.changed", "sense.changed"]
    _, rooms = read_trust(ward.database, ward.clock.now(), UTC, 1)
    assert {room.node for room in rooms} == {"room-1", "room-8"}


def test_an_alarm_that_has_not_rung_is_not_forgotten(ward: FakeWard) -> None:
    IngestStore("site", ward.database, ward.clock).commit([ward.nodes["room-1"].send(danger(new_id(), "suspected"))])
    ward.clock.advance(91 * 86_400)
    assert forget_camera(ward) == 0
