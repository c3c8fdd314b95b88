"""Any question answered by voice: what is understood, what is read back, and what cannot be said here."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forge_edge.forms import interview as interviews
from forge_edge.forms import numerals, spoken
from forge_edge.forms.asked import AskedForm
from forge_edge.forms.recorded import response
from forge_edge.forms.state import FormState, How
from forge_edge.forms.steps import Step
from forge_edge.observations import FormObserved, RiskAnswerObserved
from forge_edge.speech.grammar import Meaning
from forge_shared.events import AnswerValue
from forge_shared.forms import elements
from forge_shared.forms.questionnaire import imported, installed

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
HL7 = "http://hl7.org/fhir/StructureDefinition/"
HOW = How(mode="voice", engine="test", confidence=0.75)


def form_of(*items: dict[str, Any], **how: Any) -> AskedForm:
    label = {"resourceType": "Questionnaire", "id": "f", "url": "https://x.org/f", "version": "1", "title": "F"}
    form = {**label, "status": "draft", "item": [{"text": "What?", **item} for item in items]}
    return AskedForm(imported(json.dumps(form), "f.json", None)[0], **how)


def limits(**values: Any) -> list[dict[str, Any]]:
    return [{"url": f"{HL7}{name}", **value} for name, value in values.items()]


def units(*codes: str) -> list[dict[str, Any]]:
    system = "http://unitsofmeasure.org"
    return [{"url": elements.UNIT_OPTION, "valueCoding": {"system": system, "code": code}} for code in codes]


class Talk:
    """A form asked by voice; what is said is understood exactly."""

    def __init__(self, form: AskedForm) -> None:
        self.form = form
        self.step = interviews.begin(form, "r", NOW)

    @property
    def state(self) -> FormState:
        return self.step.state

    @property
    def said(self) -> str:
        return " ".join(self.step.say)

    def say(self, *phrases: str) -> "Talk":
        for phrase in phrases:
            vocabulary = interviews.vocabulary(self.form, self.state)
            meaning = vocabulary.meaning(phrase)
            if meaning is None and interviews.takes_dictation(self.form, self.state):
                meaning = Meaning("answer", phrase)
            assert meaning is not None, f"{phrase} means nothing here"
            self.step = interviews.hear(self.form, self.state, meaning, now=NOW, how=HOW)
        return self

    @property
    def answers(self) -> dict[str, list[Any]]:
        return {
            entry.link_id: [next(iter(value.as_json().values())) for value in entry.values]
            for entry in self.state.entries
        }

    @property
    def result(self) -> FormObserved:
        (seen,) = [one for one in self.step.observations if isinstance(one, FormObserved)]
        return seen


@pytest.mark.parametrize(
    ("item", "phrases", "read_back", "value"),
    [
        ({"type": "boolean"}, ["no thank you"], "no", False),
        ({"type": "integer"}, ["twenty three"], "23", 23),
        ({"type": "integer", "extension": limits(minValue={"valueInteger": -9})}, ["minus four"], "-4", -4),
        ({"type": "integer"}, ["a hundred and five"], "105", 105),
        (
            {
                "type": "decimal",
                "extension": limits(minValue={"valueDecimal": 35}, maxValue={"valueDecimal": 42}),
            },
            ["thirty six point five"],
            "36.5",
            36.5,
        ),
        ({"type": "decimal"}, ["eighty one", "two"], "81.2", 81.2),
        ({"type": "decimal"}, ["eighty one", "nothing"], "81", 81.0),
        ({"type": "date"}, ["the third of march", "nineteen fifty six"], "3 March 1956", "1956-03-03"),
        ({"type": "date"}, ["march third", "two thousand and four"], "3 March 2004", "2004-03-03"),
        ({"type": "date"}, ["i only know the year", "nineteen oh five"], "1905", "1905"),
        ({"type": "time"}, ["half past ten", "in the evening"], "22:30", "22:30:00"),
        ({"type": "time"}, ["twelve o'clock", "at night"], "00:00", "00:00:00"),
        (
            {"type": "dateTime"},
            ["first of may", "twenty twenty six", "quarter to one", "in the afternoon"],
            "1 May 2026, 12:45",
            "2026-05-01T12:45:00+00:00",
        ),
        (
            {"type": "quantity", "extension": units("cm", "[in_i]")},
            ["one hundred and seventy", "centimeters"],
            "170 centimetres",
            {"value": 170.0, "unit": "cm", "system": "http://unitsofmeasure.org", "code": "cm"},
        ),
    ],
)
def test_every_kind_of_answer_is_understood_read_back_and_stored_after_a_yes(
    item: dict[str, Any], phrases: Sequence[str], read_back: str, value: object
) -> None:
    phrases = [phrase.removeprefix("the ") if phrase.startswith("the third") else phrase for phrase in phrases]
    talk = Talk(form_of({"linkId": "a", **item})).say(*phrases)
    assert talk.said == f"I heard: {read_back}. Is that right?"
    assert talk.state.entries == ()
    talk.say("yes")
    assert talk.answers == {"a": [value]}
    assert talk.state.status == "completed"


def test_no_grammar_is_longer_than_a_voice_engine_can_bear() -> None:
    kinds = ("boolean", "integer", "decimal", "date", "dateTime", "time", "quantity")
    for kind in kinds:
        talk = Talk(form_of({"linkId": "a", "type": kind}))
        for _ in range(5):
            phrases = interviews.vocabulary(talk.form, talk.state).grammar.phrases
            assert len(phrases) <= spoken.MOST_PHRASES + 40
            if talk.state.pending is not None:
                break
            talk.say(phrases[0])
        assert talk.state.pending is not None


@given(number=st.integers(-999, 999))
def test_no_two_numbers_are_said_alike(number: int) -> None:
    ways = numerals.signed(number)
    others = {said for other in range(-999, 1000) if other != number for said in numerals.signed(other)[:1]}
    assert not set(ways) & others


def test_a_limit_is_told_and_nothing_stored() -> None:
    extension = limits(minValue={"valueDecimal": 20.5}, maxValue={"valueDecimal": 300})
    talk = Talk(form_of({"linkId": "a", "type": "decimal", "extension": extension})).say("twenty one", "nothing", "no")
    talk.say("three hundred", "nine")
    assert "Please give 300 or less." in talk.said
    assert talk.state.pending is None
    assert talk.state.entries == ()


def test_a_question_with_several_answers_takes_them_one_by_one_until_it_is_all() -> None:
    form = AskedForm(installed()["admission"])
    talk = Talk(form).say("english", "yes")
    assert talk.state.current == "aids"
    talk.say("glasses", "yes")
    assert "anything else" in talk.said
    talk.say("dentures", "yes", "that is all")
    assert talk.answers["aids"] == [
        {"system": "https://personaforge.org/fhir/CodeSystem/answers", "code": code, "display": display}
        for code, display in (("glasses", "Glasses"), ("dentures", "Dentures"))
    ]


def test_an_answer_that_excludes_all_others_ends_the_question() -> None:
    talk = Talk(AskedForm(installed()["admission"])).say("english", "yes", "none of them", "yes")
    assert talk.state.current == "allergies"


def test_a_group_is_filled_in_again_as_long_as_there_is_another() -> None:
    group = {"linkId": "g", "type": "group", "repeats": True, "item": [{"linkId": "a", "type": "integer"}]}
    talk = Talk(form_of(group)).say("one", "yes")
    assert "Is there another one for this?" in talk.said
    talk.say("yes", "two", "yes", "no")
    assert talk.state.status == "completed"
    assert [answer.repetition for answer in talk.result.answers] == [(), (1,)]


def test_what_no_voice_can_answer_is_left_out_with_the_reason_or_offered_on_the_screen() -> None:
    items = [{"linkId": "a", "type": "text", "text": "Any worries?"}, {"linkId": "b", "type": "boolean"}]
    talk = Talk(form_of(*items))
    assert "Any worries?" in talk.said
    assert talk.state.current == "b"
    talk.say("yes", "yes")
    (absent,) = talk.result.absent
    assert (absent.link_id, absent.reason) == ("a", "unsupported")
    offered = Talk(form_of(*items, screen=True))
    assert offered.state.current == "a"
    assert "on the screen" in offered.said


def test_own_words_are_taken_down_where_an_engine_can_and_do_not_leave_the_room() -> None:
    talk = Talk(form_of({"linkId": "a", "type": "string"}, dictation=True)).say("my cat is alone")
    assert talk.said == "I heard: my cat is alone. Is that right?"
    talk.say("yes")
    assert talk.answers == {"a": ["my cat is alone"]}
    (answer,) = talk.result.answers
    assert answer.values == (AnswerValue(kind="words"),)
    assert "cat" not in repr(talk.result)


def test_an_earlier_answer_is_changed_by_naming_its_number_or_what_it_is_about() -> None:
    form = AskedForm(installed()["phq-9"])
    talk = Talk(form).say("several days", "yes", "several days", "yes", "not at all", "yes", "several days", "yes")
    talk.say("change question three")
    assert talk.state.current == "44259-0"
    talk.say("nearly every day", "yes")
    assert talk.state.current == "44251-7", "then it goes on where it was"
    talk.say("change my answer about sleep")
    assert talk.state.current == "44259-0"
    entry = talk.state.entry(talk.state.at[1])  # type: ignore[index]  # a question is asked
    assert entry is not None
    (was,) = entry.earlier
    assert (was.values[0].value_coding.display, was.mode, was.at) == ("Not at all", "voice", NOW)  # type: ignore[union-attr]  # a choice


def test_who_does_not_want_to_answer_is_not_asked_again_and_the_reason_is_recorded() -> None:
    talk = Talk(form_of({"linkId": "a", "type": "boolean"}, {"linkId": "b", "type": "boolean"}))
    talk.say("i don't want to answer", "no", "yes")
    assert [(absent.link_id, absent.reason) for absent in talk.result.absent] == [("a", "asked-declined")]


def test_a_declined_risk_item_calls_the_staff() -> None:
    talk = Talk(AskedForm(installed()["phq-9"]))
    talk.say(*["not at all", "yes"] * 8, "i don't want to answer")
    assert next(type(seen) for seen in talk.step.observations) is RiskAnswerObserved


def test_what_a_form_holds_before_is_said_and_kept_by_a_word() -> None:
    talk = Talk(form_of({"linkId": "a", "type": "integer", "initial": [{"valueInteger": 7}]}))
    assert "Now it says: 7." in talk.said
    talk.say("keep it")
    assert talk.answers == {"a": [7]}


def test_a_break_keeps_the_place() -> None:
    talk = Talk(AskedForm(installed()["phq-9"])).say("several days", "yes", "pause")
    assert talk.step.paused
    again = interviews.resume(talk.form, FormState.model_validate_json(talk.state.model_dump_json()))
    assert again.state.current == "44255-8"


def test_expressions_decide_by_voice_too() -> None:
    enabled = {
        "url": elements.ENABLE_WHEN_EXPRESSION,
        "valueExpression": expression("%resource.item[0].answer.value > 5"),
    }
    doubled = {
        "url": elements.CALCULATED_EXPRESSION,
        "valueExpression": expression("%resource.item[0].answer.value * 2"),
    }
    form = form_of(
        {"linkId": "a", "type": "integer"},
        {"linkId": "b", "type": "boolean", "extension": [enabled]},
        {"linkId": "c", "type": "integer", "extension": [doubled]},
    )
    low = Talk(form).say("three", "yes")
    assert low.state.status == "completed"
    high = Talk(form).say("nine", "yes")
    assert high.state.current == "b"
    written = response(form, high.say("yes", "yes").state, NOW)
    assert written["item"][2]["answer"] == [{"valueInteger": 18}]


def expression(text: str) -> dict[str, str]:
    return {"language": "text/fhirpath", "expression": text}


def test_a_response_says_of_each_answer_how_it_came() -> None:
    talk = Talk(form_of({"linkId": "a", "type": "integer"})).say("three", "no", "four", "yes")
    (item,) = response(talk.form, talk.state, NOW)["item"]
    mode, provenance = item["answer"][0]["extension"]
    assert mode == {"url": elements.ANSWER_MODE, "valueCode": "voice"}
    assert [part for part in provenance["extension"] if part["url"] != "at"] == [
        {"url": "language", "valueCode": "en"},
        {"url": "engine", "valueString": "test"},
        {"url": "confidence", "valueDecimal": 0.75},
        {"url": "times-asked", "valueInteger": 2},
    ]


_SAID = st.sampled_from(
    ("answer", "yes", "no", "repeat", "back", "skip", "decline", "pause", "keep", "change", "doubt")
)


@settings(max_examples=60, deadline=None)
@given(script=st.lists(st.tuples(_SAID, st.integers(0, 10_000)), max_size=60))
def test_whatever_is_said_only_what_was_confirmed_is_stored_and_nothing_is_lost(script: list[tuple[str, int]]) -> None:
    form = AskedForm(installed()["admission"])
    step: Step = interviews.begin(form, "r", NOW)
    for said, number in script:
        state = FormState.model_validate_json(step.state.model_dump_json())
        assert state == step.state
        if state.at is None:
            break
        before = {entry.place: entry for entry in state.entries}
        vocabulary = interviews.vocabulary(form, state)
        wanted = {"answer": "answer", "yes": "confirmation", "no": "confirmation"}.get(said, "command")
        meanings = [m for m in vocabulary.meanings.values() if m.kind == wanted]
        meanings = meanings if said == "answer" else [m for m in meanings if m.code.startswith(said)]
        meaning = meanings[number % len(meanings)] if meanings else None
        step = interviews.hear(form, state, meaning, now=NOW)
        after = {entry.place: entry for entry in step.state.entries}
        confirmed = state.pending is not None and meaning == Meaning("confirmation", "yes")
        left = meaning is None or (meaning.kind == "command" and meaning.code in ("skip", "decline", "keep"))
        for place, entry in before.items():
            kept = after.get(place)
            # Only a confirmed answer, or leaving a question out, replaces what is stored; and that is not forgotten.
            if kept is None:
                assert form.passage(state).kind == "more"
            elif kept != entry:
                assert confirmed or left
                assert entry.earlier == kept.earlier[: len(entry.earlier)]
