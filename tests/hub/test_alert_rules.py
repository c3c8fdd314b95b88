"""Which events ring, and how loud. Nothing reassures."""

from datetime import timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.clock import FakeClock
from tests.fakes.sent import WATER, FakeNode, phq_9, risk, session, utterance

from forge_hub.alerts.age import LATE_AFTER, is_late
from forge_hub.alerts.rules import FROM_A_PERSON, draft_of
from forge_hub.records.schema import Alert
from forge_hub.web.findings import dangers_of
from forge_hub.web.wording import danger_words, view_of
from forge_language.danger.catalogue import Category, Reason
from forge_shared.events import (
    CrisisHeard,
    CrisisNoted,
    EventData,
    EventsWithheld,
    ReminderMissed,
    RequestCode,
    RequestMade,
    RiskReviewed,
    SenseChanged,
    SessionEnded,
)
from forge_shared.ids import new_id

CLOCK = FakeClock()


@pytest.mark.parametrize("code", get_args(RequestCode))
def test_every_request_is_an_alert(code: RequestCode) -> None:
    draft = draft_of(RequestMade(request=code, mode="voice"))
    assert draft is not None
    assert (draft.kind, draft.detail["request"]) == ("request", code)


def test_help_is_more_urgent_than_pain_and_pain_more_than_water() -> None:
    severities = [
        draft.severity
        for code in ("help", "pain", "water")
        if (draft := draft_of(RequestMade(request=code, mode="voice")))
    ]
    assert severities == ["critical", "high", "normal"]


@pytest.mark.parametrize("answer", ["LA6569-3", "LA6570-1", "LA6571-9"])
def test_a_risk_answer_is_critical_whatever_its_degree(answer: str) -> None:
    draft = draft_of(risk(answer))
    assert draft is not None
    assert (draft.kind, draft.severity, draft.detail["answer"]) == ("risk-answer", "critical", answer)


def test_a_risk_item_without_an_answer_is_an_alert_too() -> None:
    draft = draft_of(risk(None))
    assert draft is not None
    assert (draft.kind, draft.severity) == ("risk-unanswered", "high")


@pytest.mark.parametrize("sense", ["hearing", "sight"])
@pytest.mark.parametrize("reason", ["process-died", "source-silent", "source-failed"])
def test_a_lost_sense_is_an_alert(sense: str, reason: str) -> None:
    draft = draft_of(SenseChanged.model_validate({"sense": sense, "state": "lost", "reason": reason}))
    assert draft is not None
    assert draft.detail == {"sense": sense, "reason": reason}


@pytest.mark.parametrize(
    "data",
    [
        SenseChanged(sense="hearing", state="ok", reason="recovered"),
        SenseChanged(sense="sight", state="closed", reason="stopped"),
        RiskReviewed(risk_event=new_id(), outcome="corrected"),
        phq_9(CLOCK, [3] * 9),
        session(new_id()),
        SessionEnded(session=new_id(), reason="asked"),
        utterance(new_id(), "i want to die"),
        EventsWithheld(reason="disk-full", withheld_type="org.x"),
    ],
)
def test_nothing_else_rings(data: EventData) -> None:
    assert draft_of(data) is None


@given(age=st.timedeltas(min_value=timedelta(days=-1), max_value=timedelta(days=30)), backfill=st.booleans())
def test_only_backfill_older_than_the_limit_is_late(age: timedelta, backfill: bool) -> None:  # noqa: FBT001 (Hypothesis passes it)
    envelope = FakeNode(CLOCK).event(WATER, backfill=backfill)
    assert is_late(envelope, envelope.time + age) is (backfill and age > LATE_AFTER)


@pytest.mark.parametrize(
    ("category", "priority", "severity"),
    [
        ("breathing", "urgent", "critical"),
        ("help", "staff", "high"),
        ("wish-to-die", "staff", "critical"),
        ("overdose", "staff", "critical"),
    ],
)
def test_danger_is_an_alert_and_what_concerns_the_own_life_is_never_less_than_critical(
    category: str, priority: str, severity: str
) -> None:
    data = {"category": category, "priority": priority, "confidence": 0.1, "mode": "voice"}
    draft = draft_of(CrisisHeard.model_validate(data))
    assert draft is not None
    assert (draft.kind, draft.severity, draft.detail["category"]) == ("crisis", severity, category)
    assert "crisis" in FROM_A_PERSON


def test_a_note_is_for_the_record_and_rings_for_nobody() -> None:
    noted = CrisisNoted(session=new_id(), category="help", reasons=("past",), confidence=0.9, mode="voice")
    assert draft_of(noted) is None


def test_a_missed_reminder_is_an_alert_and_medication_more_so() -> None:
    for kind, severity in (("medication", "high"), ("drink", "normal")):
        missed = ReminderMissed.model_validate({"kind": kind, "due_at": CLOCK.now(), "times_said": 2})
        draft = draft_of(missed)
        assert draft is not None
        assert (draft.kind, draft.severity) == ("reminder-missed", severity)
        assert "reminder-missed" not in FROM_A_PERSON


@pytest.mark.parametrize("category", get_args(Category))
def test_every_danger_has_words_of_its_own_on_the_board(category: str) -> None:
    alert = Alert(
        id=new_id(),
        node="room-1",
        kind="crisis",
        severity="critical",
        detail={"category": category, "priority": "urgent", "mode": "voice"},
        late=False,
        happened_at=CLOCK.now(),
        state="open",
        count=1,
    )
    view = view_of(alert, {}, {})
    assert view.title != "Speaks of danger"
    assert view.notes[0].startswith("Go now.")
    assert view_of(alert, {}, {}, clinical=False).title == "Someone is needed here"


@pytest.mark.parametrize("reason", get_args(Reason))
def test_a_clinician_reads_why_a_danger_that_was_named_raised_no_alarm(reason: str) -> None:
    words = danger_words("wish-to-die", [reason])
    assert words.startswith("Speaks of wanting to die (")
    assert "-" not in words


def test_a_denied_danger_in_a_recorded_session_is_shown_with_its_words() -> None:
    (danger,) = dangers_of("i do not want to die")
    assert (danger.name, danger.quote) == ("Speaks of wanting to die (denied)", "want to die")
