"""FHIRPath in forms, and that it agrees with the native scorer."""

import random
import time
from typing import Any

import pytest

from forge_edge.forms.expressions import FhirPath
from forge_shared.forms import instruments
from forge_shared.forms.elements import Value
from forge_shared.forms.filling import Filling
from forge_shared.forms.questionnaire import Questionnaire, installed

FORMS = installed()
SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-"
HL7 = "http://hl7.org/fhir/StructureDefinition/"


def filled(form: Questionnaire, codes: dict[str, str]) -> Filling:
    filling = Filling(form)
    for link_id, code in codes.items():
        question = form.question(link_id)
        assert question is not None
        option = question.option(code)
        assert option is not None
        filling = filling.answer(filling.first_place(link_id), [option.value])
    return filling


def form_of(*items: dict[str, Any], **further: Any) -> Questionnaire:
    label = {
        "resourceType": "Questionnaire",
        "id": "f",
        "url": "urn:f",
        "version": "1",
        "title": "F",
        "status": "draft",
    }
    return Questionnaire.model_validate({**label, "item": items, **further})


def expression(kind: str, text: str, **further: Any) -> dict[str, Any]:
    url = f"{HL7}{kind}" if kind == "variable" else f"{SDC}{kind}"
    return {"url": url, "valueExpression": {"language": "text/fhirpath", "expression": text, **further}}


def calculating(name: str) -> tuple[Questionnaire, str]:
    """The shipped form, with its total calculated by FHIRPath as well."""
    form = FORMS[name]
    raw = form.model_dump(by_alias=True, exclude_unset=True)
    total = raw["item"][0]["item"][-1]
    text = f"%resource.item.where(linkId='{name}').answers().where(value.ordinal().exists()).sum(value.ordinal())"
    total["extension"] = (expression("calculatedExpression", text),)
    return Questionnaire.model_validate(raw), total["linkId"]


@pytest.mark.parametrize("name", ["phq-9", "gad-7", "phq-2"])
def test_fhirpath_agrees_with_the_native_scorer(name: str) -> None:
    form, total = calculating(name)
    fhirpath = FhirPath(form)
    chance = random.Random(9)
    questions = form.item[0].item[:-1]
    highest = 3 * len(questions)
    at_bounds = [[min(3, max(0, t - 3 * n)) for n in range(len(questions))] for t in range(highest + 1)]
    seeded = [[chance.randrange(4) for _ in questions] for _ in range(300)]
    for values in (*at_bounds, *seeded):
        codes = {q.link_id: q.answer_option[value].code for q, value in zip(questions, values, strict=True)}
        settled = filled(form, codes).settled(fhirpath)
        (value,) = settled.values(settled.first_place(total))
        assert value.value_integer == sum(values) == instruments.score(FORMS[name], codes).total


def test_an_expression_is_compiled_once() -> None:
    form, total = calculating("phq-9")
    fhirpath = FhirPath(form)
    filling = filled(form, {"44250-9": "LA6571-9"})
    filling.settled(fhirpath)
    began = time.perf_counter()
    for _ in range(20):
        filling.settled(fhirpath)
    assert (time.perf_counter() - began) / 20 < 0.1
    assert filling.settled(fhirpath).values(filling.first_place(total))[0].value_integer == 3


def test_a_published_way_of_summing_is_understood() -> None:
    options = [
        {"valueCoding": {"code": str(n)}, "extension": [{"url": f"{HL7}itemWeight", "valueDecimal": n}]}
        for n in range(3)
    ]
    sums = {"answers().sum(value.ordinal())": 3, "%resource.answers().sum(value.weight())": 3, "answers().count()": 2}
    for text, expected in sums.items():
        form = form_of(
            {"linkId": "a", "type": "choice", "answerOption": options},
            {"linkId": "b", "type": "choice", "answerOption": options},
            {"linkId": "sum", "type": "quantity", "extension": [expression("calculatedExpression", text)]},
        )
        (value,) = filled(form, {"a": "1", "b": "2"}).settled(FhirPath(form)).values((("sum", 0),))
        assert value.value_quantity is not None
        assert value.value_quantity.value == expected


def test_an_expression_says_when_a_question_is_shown_also_by_a_variable_with_a_hyphen() -> None:
    form = form_of(
        {"linkId": "1", "type": "boolean"},
        {"linkId": "2", "type": "date", "extension": [expression("enableWhenExpression", "%has-fever")]},
        extension=[expression("variable", "%resource.descendants().where(linkId='1').answer.value", name="has-fever")],
    )
    fhirpath = FhirPath(form)
    shown = {
        fever: Filling(form).answer((("1", 0),), [Value(value_boolean=fever)]).is_enabled((("2", 0),), fhirpath)
        for fever in (True, False)
    }
    assert shown == {True: True, False: False}
    assert not Filling(form).is_enabled((("2", 0),), fhirpath)


def test_what_cannot_be_evaluated_is_asked_and_is_found_when_the_form_is_checked() -> None:
    form = form_of(
        {"linkId": "a", "type": "string", "extension": [expression("enableWhenExpression", "%nowhere.at.all")]},
        {"linkId": "b", "type": "string", "extension": [expression("enableWhenExpression", ")(")]},
        {"linkId": "c", "type": "integer", "extension": [expression("calculatedExpression", "'a' + 1")]},
    )
    fhirpath = FhirPath(form)
    assert all(Filling(form).is_enabled(((link, 0),), fhirpath) for link in "ab")
    assert Filling(form).settled(fhirpath).values((("c", 0),)) == ()
    assert [link_id for link_id, _ in fhirpath.unusable()] == ["a", "b", "c"]
    assert list(FhirPath(calculating("phq-9")[0]).unusable()) == []


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("integer", "3 + 4", {"valueInteger": 7}),
        ("integer", "1.5", None),
        ("decimal", "1.5 * 2", {"valueDecimal": 3.0}),
        ("boolean", "1 = 1", {"valueBoolean": True}),
        ("string", "'a' & 'b'", {"valueString": "ab"}),
        ("date", "@2024-02-29", {"valueDate": "2024-02-29"}),
        ("url", "'https://example.org'", {"valueUri": "https://example.org"}),
    ],
)
def test_a_calculated_value_has_its_items_type(kind: str, text: str, expected: dict[str, Any] | None) -> None:
    form = form_of({"linkId": "x", "type": kind, "extension": [expression("calculatedExpression", text)]})
    values = Filling(form).settled(FhirPath(form)).values((("x", 0),))
    assert [value.as_json() for value in values] == ([expected] if expected else [])
