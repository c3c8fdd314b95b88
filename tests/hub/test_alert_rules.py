"""Which events ring, and how loud. Nothing reassures."""

from datetime import timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.clock import FakeClock
from tests.fakes.sent import WATER, FakeNode, phq_9, risk, session, utterance

from forge_hub.alerts.age import LATE_AFTER, is_late
from forge_hub.alerts.rules import draft_of
from forge_shared.events import (
    EventData,
    EventsWithheld,
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
