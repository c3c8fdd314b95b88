"""What a camera saw: one incident is one alert, it rings again when it is worse, and no confidence reassures."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from tests.fakes.sent import WATER, danger
from tests.fakes.ward import FakeWard, open_ward

from forge_hub.alerts import incidents
from forge_hub.alerts.incidents import Stage, Standing
from forge_hub.alerts.rules import DANGERS, FROM_A_PERSON, draft_of, is_promised
from forge_hub.ingest.store import IngestStore
from forge_hub.records.schema import Alert
from forge_hub.web.wording import view_of
from forge_shared.events import DangerKind, DangerStage, SenseChanged, SenseReason
from forge_shared.ids import new_id

NOON = datetime(2026, 3, 8, 12, tzinfo=UTC)
URGENCY = ("critical", "high", "normal")
STAGES: st.SearchStrategy[DangerStage] = st.sampled_from(get_args(DangerStage))


@pytest.fixture
def ward(tmp_path: Path) -> Iterator[FakeWard]:
    opened = open_ward(tmp_path)
    opened.on_duty("ann", 1)
    opened.on_duty("ben", 2)
    yield opened
    opened.database.close()


def alerts(ward: FakeWard) -> list[Alert]:
    with ward.database.read() as transaction:
        return list(transaction.scalars(select(Alert).where(Alert.kind == "danger").order_by(Alert.id)))


@pytest.mark.parametrize("kind", get_args(DangerKind))
def test_every_danger_is_an_alert_never_less_urgent_when_it_is_confirmed(kind: DangerKind) -> None:
    drafts = [draft_of(danger(new_id(), stage, kind)) for stage in ("suspected", "confirmed")]
    severities = [draft.severity for draft in drafts if draft is not None]
    assert severities == list(DANGERS[kind])
    assert URGENCY.index(severities[1]) <= URGENCY.index(severities[0])
    assert "danger" in FROM_A_PERSON


@given(st.sampled_from(get_args(DangerKind)), st.floats(0, 1))
def test_how_sure_the_software_is_changes_no_alert(kind: DangerKind, confidence: float) -> None:
    for stage in get_args(DangerStage):
        assert draft_of(danger(new_id(), stage, kind, confidence=confidence)) == draft_of(danger(new_id(), stage, kind))


def test_a_suspected_fall_is_high_and_rings_again_as_critical_when_it_is_confirmed(ward: FakeWard) -> None:
    fall = new_id()
    first = ward.alarm(danger(fall))
    assert (first.severity, first.detail["stage"]) == ("high", "suspected")
    ward.passes(12)
    second = ward.alarm(danger(fall, "confirmed"))
    assert second.id == first.id
    assert (second.severity, second.detail["confirmed_by"], second.count) == ("critical", "time", 1)
    assert ward.story(first.id) == ["raised", "rung 1", "stage", "raised", "rung 1"]


def test_a_suspicion_that_is_taken_back_closes_by_itself_with_a_cause(ward: FakeWard) -> None:
    fall = new_id()
    ward.alarm(danger(fall))
    alert = ward.alarm(danger(fall, "withdrawn"))
    assert (alert.state, alert.cause, alert.due_at) == ("closed", "withdrawn", None)
    assert ward.passes(10_000).alerts == 0
    assert ward.story(alert.id)[-2:] == ["stage", "closed"]


async def test_nothing_closes_what_a_person_has_taken_or_what_was_confirmed(ward: FakeWard) -> None:
    taken, given_back, confirmed = (ward.alarm(danger(new_id())) for _ in range(3))
    await ward.board.accept(taken.id, "ann")
    await ward.board.accept(given_back.id, "ann")
    await ward.board.answer(given_back.id, "decline", "ann")
    for alert, stages in ((taken, ()), (given_back, ()), (confirmed, ("confirmed",))):
        for stage in (*stages, "withdrawn", "over"):
            ward.alarm(danger(alert.incident.rsplit(":", 1)[1], stage))
    assert [ward.alert(each.id).state for each in (taken, given_back, confirmed)] == ["accepted", "open", "open"]
    assert "Nobody has checked." in " ".join(view_of(ward.alert(confirmed.id), {}, {}).notes)


async def test_who_took_a_suspicion_keeps_it_when_it_is_confirmed_and_sees_that_it_is_critical(ward: FakeWard) -> None:
    fall = new_id()
    alert = ward.alarm(danger(fall))
    await ward.board.accept(alert.id, "ann")
    kept = ward.alarm(danger(fall, "confirmed"))
    assert (kept.state, kept.accepted_by, kept.severity) == ("accepted", "ann", "critical")
    assert ward.told[0][0] == "made", "whoever fell is told that someone is coming"


def test_danger_that_comes_after_the_room_took_it_back_rings(ward: FakeWard) -> None:
    fall = new_id()
    for stage in ("suspected", "withdrawn"):
        ward.alarm(danger(fall, stage))
        ward.clock.advance(5)
    alert = ward.alarm(danger(fall, "suspected"))
    assert (alert.state, alert.cause) == ("open", None)
    assert "taken_back_at" not in alert.detail
    assert len(alerts(ward)) == 1


async def test_danger_that_comes_after_a_person_closed_the_alert_rings_and_what_came_before_does_not(
    ward: FakeWard,
) -> None:
    fall = new_id()
    alert = ward.alarm(danger(fall))
    await ward.board.answer(alert.id, "attend", "ann")
    await ward.board.answer(alert.id, "close", "ann", cause="false")
    earlier = ward.clock.now() - timedelta(seconds=3)
    assert ward.alarm(danger(fall, "confirmed"), time=earlier, ageseconds=3.0).state == "closed"
    ward.clock.advance(60)
    again = ward.alarm(danger(fall, "confirmed"))
    assert (again.id, again.state, again.severity) == (alert.id, "open", "critical")
    assert again.level == 1


def test_yesterdays_fall_stands_and_does_not_ring_as_new(ward: FakeWard) -> None:
    fall, yesterday = new_id(), ward.clock.now() - timedelta(days=1)
    for stage in ("suspected", "confirmed"):
        ward.alarm(danger(fall, stage), time=yesterday, backfill=True)
    (alert,) = alerts(ward)
    assert (alert.severity, alert.late) == ("critical", True)
    assert [step for step in ward.story(alert.id) if step.startswith("rung")] == ["rung 1"]
    due = alert.due_at
    assert due is not None
    assert (due - ward.clock.now()).total_seconds() == 120, "at the pace of low priority"


def test_a_confirmation_that_overtakes_its_suspicion_rings_at_once_and_there_is_one_alert(ward: FakeWard) -> None:
    fall, node = new_id(), ward.nodes["room-1"]
    ingest = IngestStore("site", ward.database, ward.clock)
    missing = node.send(danger(fall))
    ingest.commit([node.send(danger(fall, "confirmed"))])
    (alert,) = alerts(ward)
    assert alert.severity == "critical"
    ingest.commit([missing])
    ward.alarm(WATER)
    (alert,) = alerts(ward)
    assert (alert.severity, alert.detail["stage"]) == ("critical", "confirmed")


def test_taking_back_what_nobody_knows_of_calls_nobody(ward: FakeWard) -> None:
    for stage in ("withdrawn", "over"):
        ward.alarm(danger(new_id(), stage))
    assert alerts(ward) == []


def test_two_rooms_with_one_number_of_an_incident_are_two_alerts(ward: FakeWard) -> None:
    fall = new_id()
    for node in ("room-1", "room-8"):
        ward.alarm(danger(fall), node=node)
    assert len(alerts(ward)) == 2


@given(
    st.lists(st.tuples(STAGES, st.integers(0, 90), st.booleans()), min_size=1, max_size=12),
    st.sampled_from(get_args(DangerKind)),
)
def test_any_order_and_repetition_of_stages_keeps_the_most_urgent_severity(
    steps: list[tuple[DangerStage, int, bool]], kind: DangerKind
) -> None:
    standing: Standing | None = None
    wanted: list[str] = []
    for stage, seconds, late in steps:
        draft = draft_of(danger(new_id(), stage, kind))
        arrived = Stage(stage, NOON + timedelta(seconds=seconds), draft, late)
        if draft is not None:
            wanted.append(draft.severity)
        if standing is None:
            if draft is not None:
                standing = Standing("open", draft.severity, late, incidents.first(arrived))
            continue
        known, outcome = standing, incidents.after(standing, arrived)
        assert not outcome.rings or draft is not None, "only danger rings"
        assert not (outcome.closes and known.detail["stage"] == "confirmed")
        assert not (outcome.rings and late and not outcome.reopens), "a late stage does not ring as new"
        closed = outcome.closes or (known.state == "closed" and not outcome.reopens)
        at = known.closed_at or arrived.happened_at
        standing = Standing(
            "closed" if closed else "open",
            outcome.severity,
            outcome.late,
            outcome.detail,
            False,
            at if closed else None,
        )
    if standing is not None:
        assert standing.severity == min(wanted, key=URGENCY.index)
        confirmed = any(stage == "confirmed" for stage, _, _ in steps)
        assert (standing.detail["stage"] == "confirmed") == confirmed
        assert not (confirmed and standing.state == "closed"), "nothing but a person closes what was confirmed"


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(STAGES, st.booleans()), min_size=1, max_size=8))
def test_one_incident_is_one_alert_in_the_store_however_often_each_event_comes(
    steps: list[tuple[DangerStage, bool]],
) -> None:
    with TemporaryDirectory() as folder:
        ward = open_ward(Path(folder))
        fall, node = new_id(), ward.nodes["room-1"]
        ingest = IngestStore("site", ward.database, ward.clock)
        for stage, ahead in steps:
            missing = node.send(WATER)
            sent = node.send(danger(fall, stage))
            for batch in ((sent, missing) if ahead else (missing, sent), (sent,)):
                for message in batch:
                    ingest.commit([message])
            ward.alarm(WATER)
        found = alerts(ward)
        dangerous = [stage for stage, _ in steps if stage in {"suspected", "confirmed"}]
        assert len(found) == (1 if dangerous else 0)
        assert all(alert.count == 1 for alert in found)
        assert {alert.severity for alert in found} <= {"critical" if "confirmed" in dangerous else "high"}
        ward.database.close()


async def test_only_who_lies_there_is_told_that_someone_is_coming(ward: FakeWard) -> None:
    for kind in get_args(DangerKind):
        alert = ward.alarm(danger(new_id(), "confirmed", kind))
        before = len(ward.told)
        await ward.board.accept(alert.id, "ann")
        told = len(ward.told) > before
        assert told == is_promised("danger", alert.detail) == (kind in {"fall", "immobile"})


@pytest.mark.parametrize("kind", get_args(DangerKind))
def test_every_danger_has_words_of_its_own_and_an_admin_reads_none_of_them(ward: FakeWard, kind: DangerKind) -> None:
    titles = {view_of(ward.alarm(danger(new_id(), stage, kind)), {}, {}).title for stage in ("suspected", "confirmed")}
    assert len(titles) == 2
    assert "The camera saw danger" not in titles
    assert view_of(alerts(ward)[0], {}, {}, clinical=False).title == "Someone is needed here"


SIGHT_REASONS = ("picture-black", "picture-covered", "picture-frozen", "picture-moved", "source-failed")


@pytest.mark.parametrize("reason", SIGHT_REASONS)
@pytest.mark.parametrize("state", ["ok", "closed"])
def test_a_room_that_cannot_see_says_why_and_closes_by_itself_when_it_sees_again(
    ward: FakeWard, reason: SenseReason, state: str
) -> None:
    alert = ward.alarm(SenseChanged(sense="sight", state="lost", reason=reason))
    view = view_of(alert, {}, {})
    assert view.title.startswith("The room cannot see: the ")
    assert view.notes[0] == "Falls are not seen now."
    ward.clock.advance(30)
    ward.alarm(SenseChanged.model_validate({"sense": "hearing", "state": "ok", "reason": "recovered"}))
    assert ward.alert(alert.id).state == "open", "that it hears does not mean that it sees"
    ward.alarm(SenseChanged.model_validate({"sense": "sight", "state": state, "reason": "recovered"}))
    assert (ward.alert(alert.id).state, ward.alert(alert.id).cause) == ("closed", "resolved")


def test_a_room_that_is_blind_again_stays_blind_though_its_recovery_arrives_later(ward: FakeWard) -> None:
    node, clock = ward.nodes["room-1"], ward.clock
    ingest = IngestStore("site", ward.database, clock)
    ward.alarm(SenseChanged(sense="sight", state="lost", reason="picture-black"))
    clock.advance(5)
    recovery = node.send(SenseChanged(sense="sight", state="ok", reason="recovered"))
    clock.advance(5)
    ingest.commit([node.send(SenseChanged(sense="sight", state="lost", reason="picture-covered"))])
    ingest.commit([recovery])
    alert = ward.alarm(WATER)
    with ward.database.read() as transaction:
        alert = transaction.scalars(select(Alert).where(Alert.kind == "sense-lost")).one()
    assert (alert.state, alert.detail["reason"], alert.count) == ("open", "picture-covered", 2)
