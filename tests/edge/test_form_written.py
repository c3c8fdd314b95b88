"""Filling in any form by writing, from its first question to its response."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forge_edge.forms import files, written
from forge_edge.forms.asked import AskedForm, Passage
from forge_edge.forms.expressions import FhirPath
from forge_edge.forms.files import run_written
from forge_edge.forms.steps import Step
from forge_edge.observations import RiskAnswerObserved
from forge_shared.errors import FormInvalidError
from forge_shared.forms import elements
from forge_shared.forms.filling import ABSENT_REASON, DECLINE_REASON
from forge_shared.forms.questionnaire import Questionnaire, imported, installed, load
from forge_shared.forms.recorded import filled_by

GIVEN = Path(__file__).parents[3] / "shared" / "data" / "forms"
HL7 = "http://hl7.org/fhir/StructureDefinition/"
NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
LABEL = {"resourceType": "Questionnaire", "id": "f", "url": "urn:f", "version": "1", "title": "F", "status": "draft"}
YES_NO = [{"valueCoding": {"code": "y", "display": "Yes"}}, {"valueCoding": {"code": "n", "display": "No"}}]


def form_of(*items: dict[str, Any], **further: Any) -> Questionnaire:
    return imported(json.dumps({**LABEL, "item": items, **further}), "f.json", None)[0]


def run(form: Questionnaire, *lines: str) -> tuple[dict[str, Any], list[str]]:
    shown: list[str] = []
    return run_written(form, lines, shown.append), shown


def answers(response: dict[str, Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}

    def down(items: Iterable[dict[str, Any]]) -> None:
        for item in items:
            for answer in item.get("answer", []):
                value = next(value for key, value in answer.items() if key.startswith("value"))
                found.setdefault(item["linkId"], []).append(value)
                down(answer.get("item", []))
            down(item.get("item", []))

    down(response.get("item", []))
    return found


def likely(asked: Passage) -> str:
    """An answer that somebody could give."""
    item = asked.item
    if asked.kind == "more":
        return "no"
    if item.answer_option:
        return item.answer_option[0].display
    least = elements.first(item.extension, elements.MIN_VALUE)
    number = f"{least:g}" if isinstance(least, int | float) else "1"
    plain = {"boolean": "yes", "integer": number, "decimal": number, "date": "2024-02-29", "time": "14:30"}
    if item.type == "quantity":
        units = [e.value_coding for e in item.extension if e.value_coding is not None]
        return f"{number} {units[0].code}" if units else f"{number} cm"
    return plain.get(item.type, {"dateTime": "2024-02-29 14:30", "url": "https://example.org"}.get(item.type, "words"))


def completed(form: Questionnaire) -> dict[str, Any]:
    asked = AskedForm(form)
    step, steps = written.begin(asked, "r", NOW), 0
    while step.state.at is not None:
        step = written.hear(asked, step.state, likely(asked.passage(step.state)), now=NOW)
        steps += 1
        assert steps < 500
    assert step.state.status == "completed"
    return asked.filling(step.state).response(status="completed", authored=NOW, expressions=asked.expressions)


@pytest.mark.parametrize("name", sorted(installed()))
def test_every_shipped_form_is_completed_by_writing(name: str) -> None:
    form = installed()[name]
    response = completed(form)
    assert (response["resourceType"], response["questionnaire"]) == ("QuestionnaireResponse", form.canonical)
    assert answers(response)


@pytest.mark.skipif(not GIVEN.is_dir(), reason="the published forms are not on this machine")
def test_every_published_form_is_completed_by_writing_and_reads_back_as_it_was_written() -> None:
    done = 0
    for path in sorted(GIVEN.glob("*/*.json")):
        try:
            form = load(path)
        except FormInvalidError:
            continue
        response = completed(form)
        again = filled_by(form, response).response(
            status="completed", authored=datetime.fromisoformat(response["authored"]), expressions=FhirPath(form)
        )
        assert again == response
        done += 1
    assert done >= 19


def test_every_kind_of_answer_keeps_its_type() -> None:
    kinds = ("boolean", "integer", "decimal", "date", "dateTime", "time", "string", "url", "quantity")
    form = form_of(*({"linkId": kind, "type": kind} for kind in kinds))
    given_lines = ("no", "-3", "2,5", "2024-02", "2024-02-29T14:30:00+01:00", "7:05", "x", "https://e.org/a", "3 kg")
    response, _ = run(form, *given_lines)
    assert response["status"] == "completed"
    assert answers(response) == {
        "boolean": [False],
        "integer": [-3],
        "decimal": [2.5],
        "date": ["2024-02"],
        "dateTime": ["2024-02-29T14:30:00+01:00"],
        "time": ["07:05:00"],
        "string": ["x"],
        "url": ["https://e.org/a"],
        "quantity": [{"value": 3.0, "unit": "kg"}],
    }
    mode, provenance = response["item"][0]["answer"][0]["extension"]
    assert mode == {"url": elements.ANSWER_MODE, "valueCode": "text"}
    assert provenance["extension"][:2] == [
        {"url": "language", "valueCode": "en"},
        {"url": "times-asked", "valueInteger": 1},
    ]


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        *(("boolean", line) for line in ("maybe", "2")),
        *(("integer", line) for line in ("two", "2.5", "99999999999", "\u0663")),
        *(("decimal", line) for line in ("1e5", "NaN", "1.2.3", "-")),
        *(("date", line) for line in ("2023-02-29", "29.02.2024", "2024-13", "0000")),
        *(("dateTime", line) for line in ("2024-02-29 25:00", "14:30", "2024-02-29T14:30:00+99:99")),
        *(("time", line) for line in ("24:30", "noon", "7")),
        *(("url", line) for line in ("example", "http://a b")),
        *(("quantity", line) for line in ("kg", "three kg")),
        *(("choice", line) for line in ("3", "0", "perhaps")),
    ],
)
def test_what_is_no_answer_is_asked_again_and_never_stored(kind: str, wrong: str) -> None:
    options = {"answerOption": YES_NO} if kind == "choice" else {}
    form = form_of({"linkId": "a", "type": kind, "required": True, **options})
    response, shown = run(form, wrong)
    assert (response["status"], answers(response)) == ("in-progress", {})
    assert any(line.startswith(("Please", "There is no such")) for line in shown)


def test_what_somebody_wrote_is_not_repeated_when_it_is_refused() -> None:
    _, shown = run(form_of({"linkId": "a", "type": "date"}), "planted words")
    assert not any("planted" in line for line in shown)


@pytest.mark.parametrize("written", ["Yes", "yes", "y", "1", "1.", "(1)"])
def test_an_option_is_chosen_by_its_words_its_code_or_its_number(written: str) -> None:
    response, _ = run(form_of({"linkId": "a", "type": "choice", "answerOption": YES_NO}), written)
    assert answers(response)["a"] == [{"code": "y", "display": "Yes"}]


def test_where_options_are_numbers_a_number_is_the_option_and_not_its_place() -> None:
    response, _ = run(installed()["pain"], "3")
    assert answers(response)["72514-3"][0]["code"] == "3"


def test_an_open_choice_takes_own_words_and_a_choice_without_its_value_set_keeps_the_words() -> None:
    form = form_of(
        {"linkId": "open", "type": "open-choice", "answerOption": YES_NO},
        {"linkId": "away", "type": "choice", "answerValueSet": "https://example.org/vs"},
    )
    response, _ = run(form, "rather not", "blue")
    assert answers(response) == {"open": ["rather not"], "away": [{"display": "blue"}]}


def test_several_answers_are_given_on_one_line_within_their_limits() -> None:
    occurs = [
        {"url": elements.MIN_OCCURS, "valueInteger": 2},
        {"url": elements.MAX_OCCURS, "valueInteger": 3},
    ]
    form = form_of({"linkId": "n", "type": "integer", "repeats": True, "extension": occurs})
    response, shown = run(form, "1", "1;2;3;4", "1; 2 ;3")
    assert answers(response) == {"n": [1, 2, 3]}
    assert "Please give at least 2 answers, with a semicolon between them." in shown
    assert "Please give at most 3 answers only." in shown


def test_an_answer_that_excludes_others_stands_alone() -> None:
    form = installed()["admission"]
    response, shown = run(form, "Jo", "German", "no", "glasses; none of them", "glasses, dentures", "stop")
    assert [one["code"] for one in answers(response)["aids"]] == ["glasses", "dentures"]
    assert any("no room for the others" in line for line in shown)


def test_limits_of_value_length_and_digits_are_kept() -> None:
    def limited(kind: str, **limits: Any) -> dict[str, Any]:
        extension = [{"url": f"{HL7}{name}", **value} for name, value in limits.items()]
        return {"linkId": kind, "type": kind, "extension": extension}

    form = form_of(
        limited("integer", minValue={"valueInteger": 1}, maxValue={"valueInteger": 9}),
        limited("date", minValue={"valueDate": "2024-01-01"}),
        limited("decimal", maxDecimalPlaces={"valueInteger": 1}),
        {**limited("string", minLength={"valueInteger": 2}), "maxLength": 4},
    )
    lines = ("0", "10", "9", "2023-12-31", "2024-01-01", "1.25", "1.5", "a", "abcde", "abcd")
    response, shown = run(form, *lines)
    assert answers(response) == {"integer": [9], "date": ["2024-01-01"], "decimal": [1.5], "string": ["abcd"]}
    assert sum(line.startswith("Please") for line in shown) == 6


def test_a_unit_is_one_of_the_forms_own() -> None:
    units = [
        {"url": elements.UNIT_OPTION, "valueCoding": {"system": "urn:u", "code": code, "display": name}}
        for code, name in (("cm", "centimetres"), ("[in_i]", "inches"))
    ]
    form = form_of({"linkId": "a", "type": "quantity", "extension": units})
    response, shown = run(form, "3", "3 miles", "3 inches")
    assert answers(response)["a"] == [{"value": 3.0, "unit": "inches", "system": "urn:u", "code": "[in_i]"}]
    assert shown.count("Please add the unit: centimetres, inches.") == 2


def test_a_unit_that_is_only_held_beforehand_is_taken_where_none_is_written() -> None:
    held = {"valueQuantity": {"unit": "days", "code": "d"}}
    items = [{"linkId": link, "type": "quantity", "initial": [held]} for link in "ab"]
    response, _ = run(form_of(*items), "3", "3 weeks")
    assert answers(response) == {
        "a": [{"value": 3.0, "unit": "days", "code": "d"}],
        "b": [{"value": 3.0, "unit": "weeks"}],
    }


def test_a_constraint_is_explained_in_the_forms_own_words() -> None:
    constraint = {
        "url": elements.CONSTRAINT,
        "extension": [
            {"url": "key", "valueId": "same"},
            {"url": "severity", "valueCode": "error"},
            {
                "url": "expression",
                "valueString": "%context.answer.value = %resource.item.where(linkId='1').answer.value",
            },
            {"url": "human", "valueString": "Both must be the same."},
        ],
    }
    form = form_of({"linkId": "1", "type": "string"}, {"linkId": "2", "type": "string", "extension": [constraint]})
    response, shown = run(form, "one", "two", "one")
    assert answers(response) == {"1": ["one"], "2": ["one"]}
    assert "Both must be the same." in shown


def test_only_what_is_enabled_is_asked_and_written() -> None:
    on_yes = [{"question": "a", "operator": "=", "answerBoolean": True}]
    form = form_of(
        {"linkId": "a", "type": "boolean"},
        {"linkId": "g", "type": "group", "enableWhen": on_yes, "item": [{"linkId": "b", "type": "string"}]},
        {"linkId": "c", "type": "string"},
    )
    assert answers(run(form, "no", "end")[0]) == {"a": [False], "c": ["end"]}
    changed, _ = run(form, "yes", "inside", "back", "back", "no", "end")
    assert answers(changed) == {"a": [False], "c": ["end"]}


def test_a_group_is_filled_in_as_often_as_somebody_wants() -> None:
    response, _ = run(installed()["admission"], *_ADMISSION)
    groups = [item for part in response["item"] for item in part.get("item", []) if item["linkId"] == "allergy"]
    assert [group["item"][0]["answer"][0]["valueString"] for group in groups] == ["nuts", "latex"]
    assert [["answer" in item for item in group["item"]] for group in groups] == [[True, True], [True, False]]
    assert groups[1]["item"][1]["extension"][0] == {"url": ABSENT_REASON, "valueCode": "unknown"}
    assert filled_by(installed()["admission"], response).codes()["allergy-how"] == "mild"


_ADMISSION = (
    *("Jo", "English", "none of them", "yes", "nuts", "mild", "yes", "latex", "skip", "no"),
    *("0", "170 cm", "80", "skip", "22:30", "washing", "skip"),
)


def test_in_a_repeated_group_each_answer_enables_its_own() -> None:
    form = form_of(
        {
            "linkId": "g",
            "type": "group",
            "repeats": True,
            "item": [
                {"linkId": "a", "type": "boolean"},
                {
                    "linkId": "b",
                    "type": "string",
                    "enableWhen": [{"question": "a", "operator": "=", "answerBoolean": True}],
                },
            ],
        }
    )
    response, _ = run(form, "yes", "first", "yes", "no", "yes", "yes", "third", "no")
    assert [[one["linkId"] for one in group["item"]] for group in response["item"]] == [["a", "b"], ["a"], ["a", "b"]]


def test_what_a_question_holds_is_kept_changed_or_taken_back() -> None:
    form = form_of(
        *(
            {"linkId": link, "type": "string", "initial": [{"valueString": "held"}]}
            for link in ("kept", "also", "changed", "skipped")
        ),
        {"linkId": "hidden", "type": "string", "readOnly": True, "initial": [{"valueString": "given"}]},
    )
    response, shown = run(form, "keep", "", "new", "skip")
    assert answers(response) == {"kept": ["held"], "also": ["held"], "changed": ["new"], "hidden": ["given"]}
    assert any("[now: held]" in line for line in shown)


def test_a_declined_question_says_so_with_its_reason_and_a_needed_one_cannot_be_skipped() -> None:
    form = form_of({"linkId": "a", "type": "string", "required": True})
    response, shown = run(form, "skip", "", "decline it is nobody's business")
    assert response["status"] == "completed"
    assert response["item"][0]["extension"][:2] == [
        {"url": ABSENT_REASON, "valueCode": "asked-declined"},
        {"url": DECLINE_REASON, "valueString": "it is nobody's business"},
    ]
    assert sum("needs an answer" in line for line in shown) == 2


def test_an_earlier_answer_is_changed_by_naming_its_question() -> None:
    form = form_of(
        {"linkId": "x", "prefix": "1.", "type": "string", "text": "Name?"},
        {"linkId": "y", "prefix": "2.", "type": "string"},
        {"linkId": "z", "prefix": "3.", "type": "string"},
    )
    response, shown = run(form, "one", "two", "change 1", "ONE", "change z", "three")
    assert answers(response) == {"x": ["ONE"], "y": ["two"], "z": ["three"]}
    assert "There is no answer to a question of that name." in shown


def test_commands_do_not_stand_in_the_way_of_answers() -> None:
    form = form_of(
        {"linkId": "a", "type": "string"},
        {"linkId": "b", "type": "choice", "answerOption": [{"valueString": "Stop"}, {"valueString": "Go"}]},
        {"linkId": "c", "type": "string"},
    )
    response, shown = run(form, "repeat", "help", "=help", "stop", "/stop", "never read")
    assert response["status"] == "stopped"
    assert answers(response) == {"a": ["help"], "b": ["Stop"]}
    assert sum(line.startswith("a ") for line in shown) == 3


def test_a_total_is_calculated_and_a_calculated_value_is_never_asked() -> None:
    response, shown = run(installed()["gad-7"], *["several days"] * 7)
    assert answers(response)["70274-6"] == [7]
    assert not any("Total" in line for line in shown)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from(("back", "skip", "1", "2", "yes", "no", "change called", "x", "decline", "")), max_size=40)
)
def test_whatever_is_written_the_response_fits_its_form(lines: list[str]) -> None:
    form = installed()["admission"]
    response, _ = run(form, *lines)
    assert response["status"] in ("in-progress", "completed")
    again = filled_by(form, response)
    assert answers(again.response(status="completed", authored=datetime.now(UTC))) == answers(response)


def test_after_its_end_a_form_takes_no_more() -> None:
    form = form_of({"linkId": "a", "type": "boolean"})
    asked = AskedForm(form)
    ended = written.hear(asked, written.begin(asked, "r", NOW).state, "yes", now=NOW)
    assert written.hear(asked, ended.state, "no", now=NOW) == Step(ended.state)


@pytest.mark.parametrize(("line", "answer"), [("several days", "LA6569-3"), ("decline", None), ("stop", None)])
def test_a_written_risk_answer_raises_its_alarm_at_once(line: str, answer: str | None) -> None:
    asked = AskedForm(installed()["phq-9"])
    step = written.begin(asked, "r", NOW)
    for _ in range(8):
        step = written.hear(asked, step.state, "not at all", now=NOW)
        assert not step.observations
    step = written.hear(asked, step.state, line, now=NOW)
    (risk,) = [seen for seen in step.observations if isinstance(seen, RiskAnswerObserved)]
    assert (risk.answer, risk.mode) == (answer, "text")


def test_a_written_zero_raises_none_and_the_terminal_says_what_a_room_would_do() -> None:
    _, shown = run(installed()["phq-9"], *["not at all"] * 9)
    assert files.ALARM not in shown
    _, shown = run(installed()["phq-9"], *["not at all"] * 8, "nearly every day")
    assert files.ALARM in shown
