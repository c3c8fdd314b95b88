"""When a question is asked: every operator of `enableWhen` over every kind of answer."""

from typing import Any

import pytest

from forge_shared.forms.conditions import all_hold, holds
from forge_shared.forms.elements import EnableWhen, Value
from forge_shared.forms.questionnaire import Item

QUESTION = Item.model_validate(
    {
        "linkId": "q",
        "type": "choice",
        "answerOption": [
            {
                "valueCoding": {"system": "urn:s", "code": code},
                "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/ordinalValue", "valueDecimal": ordinal}],
            }
            for ordinal, code in enumerate("abc")
        ],
    }
)
OPERATORS = ("=", "!=", ">", "<", ">=", "<=")
ORDERED: list[tuple[str, Any, Any, Any]] = [
    ("Integer", 1, 2, 3),
    ("Decimal", -1.5, 0, 0.25),
    ("Date", "2024-02-28", "2024-02-29", "2024-03-01"),
    ("DateTime", "2024-02-29T09:00:00+01:00", "2024-02-29T08:30:00Z", "2024-02-29T04:00:00-05:00"),
    ("Time", "09:59:00", "10:00:00", "10:00:01"),
    ("String", "apple", "banana", "cherry"),
    ("Quantity", {"value": 1, "code": "cm"}, {"value": 2, "code": "cm"}, {"value": 3, "code": "cm"}),
    ("Quantity", {"value": 9}, {"value": 10, "unit": "points"}, {"value": 11, "unit": "points"}),
]


def met(operator: str, answer: dict[str, Any], *values: dict[str, Any]) -> bool:
    condition = EnableWhen.model_validate({"question": "q", "operator": operator, **answer})
    return holds(condition, QUESTION, [Value.model_validate(value) for value in values])


@pytest.mark.parametrize(("kind", "low", "middle", "high"), ORDERED)
def test_every_order_is_understood(kind: str, low: Any, middle: Any, high: Any) -> None:
    expected = {f"answer{kind}": middle}
    for value, true_for in ((low, {"<", "<=", "!="}), (middle, {"=", ">=", "<="}), (high, {">", ">=", "!="})):
        assert {one for one in OPERATORS if met(one, expected, {f"value{kind}": value})} == true_for


def test_one_of_several_answers_is_enough() -> None:
    several = {"valueInteger": 1}, {"valueInteger": 5}
    assert met("=", {"answerInteger": 5}, *several)
    assert not met("!=", {"answerInteger": 5}, *several)
    assert met(">", {"answerInteger": 4}, *several)


def test_a_question_without_an_answer_meets_only_what_asks_for_none() -> None:
    assert [met(operator, {"answerInteger": 1}) for operator in OPERATORS] == [False, True, False, False, False, False]
    assert [met("exists", {"answerBoolean": wanted}) for wanted in (True, False)] == [False, True]
    assert [met("exists", {"answerBoolean": wanted}, {"valueInteger": 0}) for wanted in (True, False)] == [True, False]


def test_codes_are_the_same_in_the_same_system_or_where_one_names_none() -> None:
    answer = {"valueCoding": {"system": "urn:s", "code": "b"}}
    assert met("=", {"answerCoding": {"system": "urn:s", "code": "b"}}, answer)
    assert met("=", {"answerCoding": {"code": "b"}}, answer)
    assert not met("=", {"answerCoding": {"system": "urn:other", "code": "b"}}, answer)
    assert met("!=", {"answerCoding": {"code": "c"}}, answer)


def test_a_choice_is_compared_with_a_number_by_its_ordinal() -> None:
    answer = {"valueCoding": {"system": "urn:s", "code": "c"}}
    assert met(">", {"answerInteger": 1}, answer)
    assert not met(">", {"answerInteger": 2}, answer)


def test_true_is_not_one_and_what_cannot_be_compared_does_not_fit() -> None:
    assert met("=", {"answerBoolean": True}, {"valueBoolean": True})
    assert not met("=", {"answerBoolean": True}, {"valueInteger": 1})
    assert not met(">", {"answerInteger": 1}, {"valueString": "2"})
    centimetres = {"answerQuantity": {"value": 1, "code": "cm"}}
    assert not met(">", centimetres, {"valueQuantity": {"value": 9, "code": "kg"}})


def test_a_date_of_which_only_the_year_is_known_is_compared_by_it() -> None:
    assert met("=", {"answerDate": "2024"}, {"valueDate": "2024-05-01"})
    assert met("<", {"answerDate": "2025"}, {"valueDate": "2024-05-01"})


@pytest.mark.parametrize(("behaviour", "outcome"), [("all", [False, False, True]), ("any", [False, True, True])])
def test_all_conditions_hold_or_any_as_the_form_says(behaviour: str, outcome: list[bool]) -> None:
    conditions = [{"question": "q", "operator": ">", "answerInteger": least} for least in (1, 5)]
    item = Item.model_validate(
        {"linkId": "i", "type": "display", "enableBehavior": behaviour, "enableWhen": conditions}
    )

    def held(number: int) -> bool:
        return all_hold(item, lambda _: (QUESTION, [Value(value_integer=number)]))

    assert [held(number) for number in (0, 3, 9)] == outcome
