"""The anonymiser: nothing leaves a room but codes, and words only in a session, redacted."""

from dataclasses import fields
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fakes.clock import FakeClock

from forge_edge.anonymiser import WITHHELD, Anonymiser, AnonymousEvent
from forge_edge.observations import (
    CanaryDue,
    CrisisMentioned,
    CrisisObserved,
    DangerObserved,
    FormObserved,
    Observation,
    ReleaseObserved,
    ReminderUnanswered,
    RequestObserved,
    RiskAnswerObserved,
    RiskReviewObserved,
    SenseObserved,
    SessionClosed,
    SessionOpened,
    UtteranceHeard,
)
from forge_shared.events import (
    EventData,
    FormAnswer,
    RiskAnswered,
    RiskReviewed,
    SessionEnded,
    SessionStarted,
    UtteranceSaid,
)
from forge_shared.ids import new_id

CANONICAL = "https://personaforge.org/fhir/Questionnaire/phq-9|1.0.0"
PLANTED = ("Zebedee", "Quillfeather", "07700900123", "zq@example.org")


@pytest.fixture
def anonymiser() -> Anonymiser:
    return Anonymiser("p-1", FakeClock())


def data_of(event: AnonymousEvent | None) -> EventData:
    assert event is not None
    return event.data


def said_in_session(text: str, known_names: frozenset[str] = frozenset()) -> UtteranceSaid:
    anonymiser = Anonymiser("p-1", FakeClock(), known_names=known_names)
    anonymiser.event_of(SessionOpened(new_id(), new_id()))
    data = data_of(anonymiser.event_of(UtteranceHeard(text, 0.7)))
    assert isinstance(data, UtteranceSaid)
    return data


def every_observation(text: str) -> list[Observation]:
    """One observation of each kind, with planted words wherever the type lets words in."""
    return [
        RequestObserved("water", "voice"),
        RiskAnswerObserved(f"key {text}", CANONICAL, "44260-8", "LA6569-3", 1, "voice"),
        RiskReviewObserved(f"key {text}", "confirmed"),
        FormObserved(
            new_id(),
            CANONICAL,
            "stopped",
            (FormAnswer(link_id="44250-9", code="LA6569-3", mode="voice", times_asked=1),),
            ("44255-8",),
            None,
            2,
            FakeClock().now(),
        ),
        SenseObserved("hearing", "lost", "process-died"),
        DangerObserved(new_id(), "fall", "suspected", "floor", 1.5, 0.75, None, "none"),
        SessionClosed(new_id(), "asked"),
        UtteranceHeard(text, 0.7),
        CanaryDue(),
        ReleaseObserved("pose", "refused", "pose-lite-1.0.0.tar", "1.0.0", None, "manual", "golden-differs"),
        CrisisObserved("wish-to-die", "staff", 0.9, "voice"),
        CrisisMentioned("wish-to-die", ("negated",), 0.7, "voice"),
        ReminderUnanswered("medication", FakeClock().now(), 2),
    ]


def test_words_do_not_leave_without_a_session(anonymiser: Anonymiser) -> None:
    assert anonymiser.event_of(UtteranceHeard("i slept badly", 0.7)) is None


def test_words_leave_while_a_session_is_on_and_not_after_it(anonymiser: Anonymiser) -> None:
    session = new_id()
    assert isinstance(data_of(anonymiser.event_of(SessionOpened(session, new_id()))), SessionStarted)
    said = data_of(anonymiser.event_of(UtteranceHeard("i slept badly", 0.7)))
    assert isinstance(said, UtteranceSaid)
    assert (said.session, said.text, said.confidence) == (session, "i slept badly", 0.7)
    assert isinstance(data_of(anonymiser.event_of(SessionClosed(session, "asked"))), SessionEnded)
    assert anonymiser.event_of(UtteranceHeard("i slept badly", 0.7)) is None


def test_a_new_anonymiser_is_in_no_session(anonymiser: Anonymiser) -> None:
    anonymiser.event_of(SessionOpened(new_id(), new_id()))
    assert Anonymiser("p-1", FakeClock()).event_of(UtteranceHeard("i slept badly", 0.7)) is None


def test_a_blank_utterance_is_no_event(anonymiser: Anonymiser) -> None:
    anonymiser.event_of(SessionOpened(new_id(), new_id()))
    assert anonymiser.event_of(UtteranceHeard(" \t", 0.7)) is None


def test_names_are_replaced_by_their_kind_and_counted() -> None:
    said = said_in_session("my name is Zebedee Quillfeather and i slept badly")
    assert "Zebedee" not in said.text
    assert "Quillfeather" not in said.text
    assert "slept badly" in said.text
    assert sum(said.redactions.values()) >= 1


def test_a_known_name_is_replaced_wherever_it_is_said() -> None:
    said = said_in_session("then zebedee came in", frozenset({"Zebedee"}))
    assert "zebedee" not in said.text.lower()


def test_a_phone_number_in_words_or_digits_does_not_leave() -> None:
    for text in ("call 07700 900123", "oh seven seven double oh nine hundred one two three is my number"):
        said = said_in_session(text)
        assert "900" not in said.text
        assert "nine hundred one two three" not in said.text


@pytest.mark.parametrize(
    "leftover", ["1234", "12 34 56", "1-2-3-4-5-6", "a@b", "http://x", "WWW.x", "\u0661\u0662\u0663\u0664"]
)
def test_what_still_looks_like_a_number_or_an_address_after_redaction_is_withheld_whole(
    leftover: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A redactor that misses everything: the second line must hold by itself.
    monkeypatch.setattr("forge_edge.anonymiser.redact", lambda text, *_: _Missed(text))
    said = said_in_session(f"planted {leftover} words")
    assert said.text == WITHHELD
    assert said.redactions == {"WITHHELD": 1}


class _Missed:
    def __init__(self, text: str) -> None:
        self.text = text
        self.counts: dict[str, int] = {}


@settings(max_examples=150, deadline=None)
@given(
    number=st.from_regex(r"\+?\d[\d ().-]{6,16}\d", fullmatch=True),
    around=st.sampled_from(["{}", "call {}", "{} is it"]),
)
def test_no_long_number_leaves_however_it_is_spaced(number: str, around: str) -> None:
    said = said_in_session(around.format(number))
    assert sum(character.isdigit() for character in said.text) < sum(character.isdigit() for character in number)
    assert number not in said.text


def test_a_long_utterance_is_cut_to_what_an_event_may_hold() -> None:
    assert len(said_in_session("badly " * 1000).text) == 2000


@settings(max_examples=50, deadline=None)
@given(order=st.permutations(range(len(every_observation("")))), words=st.lists(st.sampled_from(PLANTED), min_size=1))
def test_nothing_planted_is_in_any_event_made_without_a_session(order: list[int], words: list[str]) -> None:
    anonymiser = Anonymiser("p-1", FakeClock())
    observations = every_observation(" ".join(words))
    assert {type(observation) for observation in observations} == set(get_args(Observation)) - {SessionOpened}
    for place in order:
        event = anonymiser.event_of(observations[place])
        if event is not None:
            payload = event.data.model_dump_json()
            assert [plant for plant in PLANTED if plant.lower() in payload.lower()] == []
            assert event.subject == "p-1"


def test_the_search_finds_the_plants_where_the_anonymiser_is_bypassed() -> None:
    observation = UtteranceHeard(" ".join(PLANTED), 0.7)
    spoken = " ".join(str(getattr(observation, field.name)) for field in fields(observation))
    assert [plant for plant in PLANTED if plant in spoken] == list(PLANTED)


def test_a_review_names_the_alarm_it_belongs_to(anonymiser: Anonymiser) -> None:
    risk = anonymiser.event_of(RiskAnswerObserved("k", CANONICAL, "44260-8", "LA6569-3", 1, "voice"))
    review = data_of(anonymiser.event_of(RiskReviewObserved("k", "corrected")))
    assert risk is not None
    assert isinstance(risk.data, RiskAnswered)
    assert isinstance(review, RiskReviewed)
    assert (review.risk_event, review.outcome) == (risk.id, "corrected")


def test_a_review_of_an_alarm_that_this_anonymiser_did_not_raise_is_no_event(anonymiser: Anonymiser) -> None:
    assert anonymiser.event_of(RiskReviewObserved("unknown", "confirmed")) is None


def test_every_event_has_an_id_of_its_own_the_time_and_the_pseudonym() -> None:
    clock = FakeClock()
    anonymiser = Anonymiser("p-1", clock)
    first = anonymiser.event_of(RequestObserved("water", "voice"))
    clock.advance(5)
    second = anonymiser.event_of(RequestObserved("water", "voice"))
    assert first is not None
    assert second is not None
    assert first.id != second.id
    assert (second.time - first.time).total_seconds() == 5


def test_an_event_cannot_be_altered_after_it_was_made(anonymiser: Anonymiser) -> None:
    event = anonymiser.event_of(RequestObserved("water", "voice"))
    assert event is not None
    with pytest.raises((AttributeError, TypeError)):
        event.note = "i slept badly"  # type: ignore[attr-defined]  # that it cannot is the claim
