"""The risk item of a form never passes in silence."""

from typing import Any

import pytest
from tests.edge.test_interview import (
    ASKED,
    MORE_THAN_HALF,
    NEARLY_EVERY,
    NO,
    NOT_AT_ALL,
    RISK,
    SEVERAL,
    STARTED,
    YES,
    Room,
    answer,
    command,
)

from forge_edge.anonymiser import Anonymiser
from forge_edge.forms import interview as interviews
from forge_edge.observations import RiskAnswerObserved, RiskReviewObserved
from forge_edge.speech.grammar import Meaning
from forge_shared.clock import SystemClock
from forge_shared.events import RiskAnswered
from forge_shared.forms.questionnaire import installed, obstacle, parse


@pytest.fixture
def room() -> Room:
    return Room()


@pytest.mark.parametrize(("code", "ordinal"), [(SEVERAL, 1), (MORE_THAN_HALF, 2), (NEARLY_EVERY, 3)])
def test_a_risk_answer_raises_an_alarm_in_the_very_step_it_is_heard(room: Room, code: str, ordinal: int) -> None:
    step = interviews.hear(ASKED, room.to_item_9().interview, answer(code), now=STARTED)
    (risk,) = step.observations
    assert isinstance(risk, RiskAnswerObserved)
    assert (risk.link_id, risk.answer, risk.ordinal) == (RISK, code, ordinal)
    assert step.interview is not None
    assert RISK not in step.interview.codes, "not stored before it is confirmed"


def test_zero_on_the_risk_item_raises_none(room: Room) -> None:
    room.to_item_9().answer(NOT_AT_ALL)
    assert room.of(RiskAnswerObserved) == room.of(RiskReviewObserved) == []


def test_no_other_item_raises_an_alarm(room: Room) -> None:
    room.answer(*[NEARLY_EVERY] * 8)
    assert room.of(RiskAnswerObserved) == []


def test_a_confirmed_risk_answer_is_reviewed_once_and_the_alarm_stands(room: Room) -> None:
    room.to_item_9().answer(SEVERAL)
    (risk,), (review,) = room.of(RiskAnswerObserved), room.of(RiskReviewObserved)
    assert review == RiskReviewObserved(risk.key, "confirmed")


def test_a_risk_answer_that_is_taken_back_is_reviewed_as_corrected(room: Room) -> None:
    room.to_item_9().hear(answer(SEVERAL), NO).answer(NOT_AT_ALL)
    (risk,), (review,) = room.of(RiskAnswerObserved), room.of(RiskReviewObserved)
    assert review == RiskReviewObserved(risk.key, "corrected")
    assert room.interview.codes[RISK] == NOT_AT_ALL


def test_every_risk_answer_that_is_heard_raises_its_own_alarm(room: Room) -> None:
    room.to_item_9().hear(answer(SEVERAL), NO, answer(NEARLY_EVERY), YES)
    risks = room.of(RiskAnswerObserved)
    assert [risk.answer for risk in risks] == [SEVERAL, NEARLY_EVERY]
    assert len({risk.key for risk in risks}) == 2
    assert [review.outcome for review in room.of(RiskReviewObserved)] == ["corrected", "confirmed"]


@pytest.mark.parametrize("leave", [command("stop"), command("skip"), command("back"), command("correct")])
def test_leaving_the_read_back_of_a_risk_answer_is_no_correction(room: Room, leave: Meaning) -> None:
    room.to_item_9().hear(answer(SEVERAL), leave)
    (review,) = room.of(RiskReviewObserved)
    assert review.outcome == "not-reviewed"


def test_silence_at_the_read_back_of_a_risk_answer_is_no_correction(room: Room) -> None:
    room.to_item_9().hear(answer(SEVERAL)).silence().silence()
    assert [review.outcome for review in room.of(RiskReviewObserved)] == ["not-reviewed"]


def test_a_read_back_of_a_risk_answer_that_is_not_understood_is_no_correction(room: Room) -> None:
    room.to_item_9().hear(answer(SEVERAL), *[None] * interviews.TRIES)
    assert [review.outcome for review in room.of(RiskReviewObserved)] == ["not-reviewed"]


def unanswered(room: Room) -> list[RiskAnswerObserved]:
    return [risk for risk in room.of(RiskAnswerObserved) if risk.answer is None]


def test_skipping_the_risk_item_raises_an_alarm_without_an_answer(room: Room) -> None:
    room.to_item_9().hear(command("skip"))
    (risk,) = unanswered(room)
    assert risk.ordinal is None


def test_not_understanding_the_risk_item_raises_an_alarm_without_an_answer(room: Room) -> None:
    room.to_item_9().hear(*[None] * interviews.TRIES)
    assert len(unanswered(room)) == 1


def test_silence_at_the_risk_item_raises_an_alarm_without_an_answer(room: Room) -> None:
    room.to_item_9().silence().silence()
    assert len(unanswered(room)) == 1


def test_silence_at_the_read_back_of_a_zero_raises_an_alarm_without_an_answer(room: Room) -> None:
    room.to_item_9().hear(answer(NOT_AT_ALL)).silence().silence()
    assert len(unanswered(room)) == 1


def test_stopping_at_the_risk_item_raises_an_alarm_without_an_answer(room: Room) -> None:
    room.to_item_9().hear(command("stop"))
    assert len(unanswered(room)) == 1


def test_evading_the_risk_item_raises_an_alarm_without_an_answer(room: Room) -> None:
    room.to_item_9().hear(command("back"), command("stop"))
    assert len(unanswered(room)) == 1


def test_stopping_before_the_risk_item_was_asked_raises_none(room: Room) -> None:
    room.answer(SEVERAL).hear(command("stop"))
    assert room.of(RiskAnswerObserved) == []


def test_a_confirmed_risk_answer_is_marked_so_that_the_room_says_what_is_true_of_the_staff(room: Room) -> None:
    told = interviews.hear(ASKED, room.to_item_9().hear(answer(NEARLY_EVERY)).interview, YES, now=STARTED).told
    assert told
    assert not interviews.hear(ASKED, room.interview, NO, now=STARTED).told


SITE_FORM = """{
 "resourceType": "Questionnaire", "id": "site", "url": "%(url)s", "version": "%(version)s", "title": "T",
 "status": "active", "item": [{"linkId": "a", "type": "choice", "text": "How?",
  "extension": [{"url": "https://personaforge.org/fhir/StructureDefinition/risk-item", "valueBoolean": true}],
  "answerOption": [
   {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/ordinalValue", "valueDecimal": %(low)d}],
    "valueCoding": {"system": "s", "code": "%(code)s", "display": "never"}},
   {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/ordinalValue", "valueDecimal": %(high)d}],
    "valueCoding": {"system": "s", "code": "b", "display": "always"}}]}]
}"""
PLAIN = {"url": "https://x.org/f", "version": "1", "code": "a1", "low": 0, "high": 1}


@pytest.mark.parametrize(
    "change",
    [
        {"url": "urn:oid:1.2.3"},
        {"url": "https://x.org/f~g"},
        {"version": "1.0.0-rc.1+build.20260301"},
        {"code": "always, or nearly"},
        {"high": 101},
        {"low": -1},
    ],
)
def test_a_form_whose_alarm_could_not_be_sent_is_known_before_it_is_asked(change: dict[str, Any]) -> None:
    assert obstacle(parse(SITE_FORM % PLAIN, "site.json")) is None
    assert obstacle(parse(SITE_FORM % {**PLAIN, **change}, "site.json")) is not None


def test_a_site_forms_risk_answer_becomes_an_alarm() -> None:
    room = Room(parse(SITE_FORM % PLAIN, "site.json")).hear(answer("b"))
    (risk,) = room.of(RiskAnswerObserved)
    event = Anonymiser("p-1", SystemClock()).event_of(risk)
    assert event is not None
    assert isinstance(event.data, RiskAnswered)


def test_the_lowest_risk_answer_raises_no_alarm_whatever_its_score() -> None:
    room = Room(parse(SITE_FORM % {**PLAIN, "low": 1, "high": 2}, "site.json")).hear(answer("a1"))
    assert room.of(RiskAnswerObserved) == []


# Whatever is said, in whatever order.


@pytest.mark.parametrize(("code", "alarms"), [("no", 0), ("yes", 1), ("refused", 1)])
def test_whatever_is_no_clear_no_to_the_asq_becomes_an_alarm_at_once(code: str, alarms: int) -> None:
    room = Room(installed()["asq"]).hear(answer(code))
    assert len(room.of(RiskAnswerObserved)) == alarms
