"""Taking in any FHIR R4 Questionnaire: what is understood, what is left out with a name, what is refused."""

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forge_shared.errors import FormInvalidError, FormUnknownError
from forge_shared.forms import elements
from forge_shared.forms.questionnaire import Questionnaire, imported, installed, obstacle, parse, read

GIVEN = Path(__file__).parents[3] / "shared" / "data" / "forms"
"""Published forms, beside this project where a machine has them; no copy of them is kept here."""

HL7 = "http://hl7.org/fhir/StructureDefinition/"
SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition/"
YES_NO = [
    {"valueCoding": {"code": "y", "display": "Yes"}},
    {"valueCoding": {"code": "n", "display": "No"}},
]
LABEL = {
    "resourceType": "Questionnaire",
    "id": "made",
    "url": "https://example.org/made",
    "version": "1",
    "title": "Made up",
    "status": "active",
}


def taken(*items: dict[str, Any], **further: Any) -> tuple[Questionnaire, list[tuple[str, str | None]]]:
    text = json.dumps({**LABEL, "item": list(items), **further})
    form, warnings = imported(text, "made.json", None)
    return form, [(warned.code, warned.link_id) for warned in warnings]


def refused(*items: dict[str, Any], **further: Any) -> str:
    with pytest.raises(FormInvalidError) as caught:
        parse(json.dumps({**LABEL, "item": list(items), **further}), "made.json")
    return str(caught.value)


def choice(link_id: str = "a", **further: Any) -> dict[str, Any]:
    return {"linkId": link_id, "type": "choice", "text": "Well?", "answerOption": YES_NO, **further}


def test_every_kind_of_question_is_understood_without_a_warning() -> None:
    kinds = ("boolean", "decimal", "integer", "date", "dateTime", "time", "string", "text", "url", "quantity")
    form, warnings = taken(
        {"linkId": "g", "type": "group", "repeats": True, "item": [{"linkId": kind, "type": kind} for kind in kinds]},
        {"linkId": "d", "type": "display", "text": "Thank you."},
        choice(),
        {"linkId": "o", "type": "open-choice", "answerOption": [{"valueString": "tea"}, {"valueInteger": 3}]},
    )
    assert warnings == []
    assert [item.link_id for item in form.walk() if item.is_asked] == [*kinds, "a", "o"]


def test_a_question_that_nobody_can_answer_here_is_kept_and_named() -> None:
    form, warnings = taken({"linkId": "photo", "type": "attachment", "required": True}, choice())
    assert warnings == [("item.not-asked", "photo")]
    assert [item.link_id for item in form.walk() if item.is_asked] == ["a"]


def test_a_form_without_a_label_gets_one_and_says_so() -> None:
    form, warnings = imported(
        json.dumps({"resourceType": "Questionnaire", "item": [choice()]}), "Strange Name!.json", None
    )
    assert (form.id, form.version, form.status) == ("strange-name", "0", "unknown")
    assert {warned.code for warned in warnings} == {"form.id", "form.url", "form.version", "form.title", "form.status"}


def test_a_contained_value_set_becomes_options_with_their_scores() -> None:
    concepts = [
        {
            "code": str(score),
            "display": f"Score {score}",
            "extension": [{"url": elements.ORDINAL_VALUE, "valueDecimal": score}],
        }
        for score in range(3)
    ]
    contained = {
        "resourceType": "ValueSet",
        "id": "vs",
        "compose": {"include": [{"system": "urn:s", "concept": concepts}]},
    }
    form, warnings = taken({"linkId": "a", "type": "choice", "answerValueSet": "#vs"}, contained=[contained])
    assert warnings == []
    assert [(option.system, option.code, option.ordinal) for option in form.questions[0].answer_option] == [
        ("urn:s", "0", 0),
        ("urn:s", "1", 1),
        ("urn:s", "2", 2),
    ]


def test_an_expanded_value_set_gives_every_concept_that_can_be_chosen() -> None:
    contains = [
        {"code": "g", "abstract": True, "contains": [{"code": "x", "display": "X"}]},
        {"code": "y", "display": "Y"},
    ]
    contained = {"resourceType": "ValueSet", "id": "vs", "expansion": {"contains": contains}}
    form, _ = taken({"linkId": "a", "type": "choice", "answerValueSet": "#vs"}, contained=[contained])
    assert [option.code for option in form.questions[0].answer_option] == ["x", "y"]


def test_a_value_set_is_found_in_the_forms_folder_and_otherwise_named(tmp_path: Path) -> None:
    url = "https://example.org/ValueSet/drinks"
    path = tmp_path / "form.json"
    path.write_text(json.dumps({**LABEL, "item": [{"linkId": "a", "type": "choice", "answerValueSet": f"{url}|2"}]}))
    form, warnings = read(path)
    assert [(warned.code, warned.link_id) for warned in warnings] == [("value-set.external", "a")]
    assert form.questions[0].answer_value_set == f"{url}|2"
    drinks = {"resourceType": "ValueSet", "url": url, "compose": {"include": [{"concept": [{"code": "tea"}]}]}}
    (tmp_path / "drinks.json").write_text(json.dumps(drinks))
    (tmp_path / "broken.json").write_text("{")
    form, warnings = read(path)
    assert warnings == ()
    (tmp_path / "broken.json").unlink()
    assert installed(tmp_path)["made"] == form
    assert [option.display for option in form.questions[0].answer_option] == ["tea"]


def test_ordinals_weights_and_translations_are_kept_wherever_they_stand() -> None:
    in_german = {
        "extension": [
            {
                "url": f"{HL7}translation",
                "extension": [{"url": "lang", "valueCode": "de"}, {"url": "content", "valueString": "Nun?"}],
            }
        ]
    }
    weighted = [
        {"valueCoding": {"code": "a"}, "extension": [{"url": f"{HL7}itemWeight", "valueDecimal": 1.5}]},
        {"valueCoding": {"code": "b", "extension": [{"url": f"{HL7}ordinalValue", "valueDecimal": 2}]}},
    ]
    form, warnings = taken(choice(answerOption=weighted, _text=in_german))
    assert warnings == []
    assert [(option.weight, option.ordinal) for option in form.questions[0].answer_option] == [(1.5, None), (2.0, 2)]
    assert [form.questions[0].text_in(language) for language in ("de", "fr")] == ["Nun?", "Well?"]


def test_initial_values_limits_and_constraints_are_kept() -> None:
    limits = [
        {"url": f"{HL7}minValue", "valueInteger": 1},
        {"url": f"{HL7}maxValue", "valueInteger": 9},
        {
            "url": f"{HL7}questionnaire-constraint",
            "extension": [
                {"url": "key", "valueId": "odd"},
                {"url": "severity", "valueCode": "error"},
                {"url": "expression", "valueString": "true"},
                {"url": "human", "valueString": "An odd number, please."},
            ],
        },
    ]
    form, warnings = taken(
        {"linkId": "n", "type": "integer", "extension": limits, "initial": [{"valueInteger": 3}], "maxLength": 1}
    )
    (item,) = form.item
    assert warnings == []
    assert elements.first(item.extension, elements.MAX_VALUE) == 9
    assert item.extension[2].part("human") == "An odd number, please."
    assert (item.initial[0].content, item.max_length) == (3, 1)


@pytest.mark.parametrize(
    ("items", "warning"),
    [
        ([choice(unheardOf=1)], ("element.unknown", "a")),
        ([choice(extension=[{"url": f"{SDC}sdc-questionnaire-answerExpression"}])], ("extension.left-out", "a")),
        ([choice(extension=[{"valueString": "x"}])], ("extension.unnamed", "a")),
        ([choice(_text={"extension": [{"url": f"{HL7}cqf-expression"}]})], ("text.dynamic", "a")),
        ([choice(code=[{"system": "http://loinc.org", "code": "44249-2"}])], ("code.loinc", "a")),
        ([choice(answerValueSet="#x")], ("value-set.ignored", "a")),
        ([{"linkId": "a", "type": "string", "answerOption": YES_NO}], ("options.ignored", "a")),
        ([{"linkId": "a", "type": "display", "item": [choice("b")]}], ("display.with-items", "a")),
        ([{"linkId": "a", "type": "group"}], ("group.empty", "a")),
        ([{"linkId": "a", "type": "display", "required": True}], ("item.ignored", "a")),
        ([choice(initial=[{"valueAttachment": {}}])], ("initial.left-out", "a")),
        (
            [choice(), choice("b", enableWhen=[{"question": "a", "operator": "exists", "answerBoolean": True}] * 2)],
            ("enable-when.behaviour", "b"),
        ),
        (
            [
                choice(
                    extension=[
                        {
                            "url": f"{SDC}sdc-questionnaire-calculatedExpression",
                            "valueExpression": {"language": "text/cql", "expression": "1"},
                        }
                    ]
                )
            ],
            ("expression.language", "a"),
        ),
    ],
)
def test_what_is_not_done_here_is_left_out_by_name(items: list[dict[str, Any]], warning: tuple[str, str]) -> None:
    _, warnings = taken(*items)
    assert warnings == [warning]


def test_how_a_form_is_laid_out_is_nobodys_warning() -> None:
    laid_out = {"url": f"{HL7}questionnaire-itemControl", "valueCodeableConcept": {"coding": [{"code": "drop-down"}]}}
    _, warnings = taken(choice(extension=[laid_out]), publisher="Somebody", contact=[], text={"div": "<div/>"})
    assert warnings == []


@pytest.mark.parametrize(
    ("items", "reason"),
    [
        ([choice(), choice()], "used twice"),
        ([{"type": "string"}], "no linkId"),
        ([{"linkId": "", "type": "string"}], "no linkId"),
        ([choice(enableWhen=[{"question": "z", "operator": "exists", "answerBoolean": True}])], "does not have"),
        ([{"linkId": "a", "type": "choice"}], "needs options"),
        ([{"linkId": "a", "type": "choice", "answerValueSet": "#absent"}], "is not there"),
        ([choice(answerOption=[YES_NO[0], YES_NO[0]])], "the same code"),
        ([choice(answerOption=[{}])], "one value"),
        ([choice(enableWhen=[{"question": "a", "operator": "exists", "answerBoolean": True}])], "circle"),
        (
            [
                choice("a", enableWhen=[{"question": "b", "operator": "exists", "answerBoolean": True}]),
                choice("b", enableWhen=[{"question": "a", "operator": "exists", "answerBoolean": True}]),
            ],
            "circle",
        ),
        (
            [
                {
                    "linkId": "g",
                    "type": "group",
                    "enableWhen": [{"question": "a", "operator": "exists", "answerBoolean": True}],
                    "item": [choice()],
                }
            ],
            "circle",
        ),
        ([choice(), choice("b", enableWhen=[{"question": "a", "operator": "="}])], "one answer"),
        ([choice(), choice("b", enableWhen=[{"question": "a", "operator": "~", "answerBoolean": True}])], "operator"),
        (
            [choice(), choice("b", enableWhen=[{"question": "a", "operator": ">", "answerCoding": {"code": "y"}}])],
            "no order",
        ),
        (["no object"], "list of objects"),
        ([], "no items"),
    ],
)
def test_what_contradicts_itself_is_refused_with_its_reason(items: list[Any], reason: str) -> None:
    assert reason in refused(*items)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "no FHIR resource"),
        ('{"resourceType": "ValueSet"}', "is a ValueSet, not a Questionnaire"),
        ('{"item": []}', "no FHIR resource"),
    ],
)
def test_what_is_no_questionnaire_is_refused_as_what_it_is(text: str, reason: str) -> None:
    with pytest.raises(FormInvalidError, match=reason):
        parse(text, "some.json")


def test_a_form_without_end_is_refused() -> None:
    item: dict[str, Any] = {"linkId": "deep", "type": "group"}
    for level in range(30):
        item = {"linkId": f"level-{level}", "type": "group", "item": [item]}
    assert "levels" in refused(item)
    enabled_by = [
        choice(f"q{n}", enableWhen=[{"question": f"q{n + 1}", "operator": "exists", "answerBoolean": True}])
        for n in range(150)
    ]
    assert "one by the other" in refused(*enabled_by, choice("q150"))
    assert "items" in refused(*({"linkId": str(number), "type": "display"} for number in range(2_001)))


def test_a_missing_file_and_one_that_is_no_text_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FormUnknownError):
        read(tmp_path / "absent.json")
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FormInvalidError, match="UTF-8"):
        read(tmp_path / "bytes.json")


@pytest.mark.parametrize("title", ["C-SSRS Screener", "Columbia-Suicide Severity Rating Scale", "My form (C-SSRS)"])
def test_an_instrument_that_may_not_be_used_is_refused_by_name(title: str) -> None:
    assert "Columbia Suicide Severity Rating Scale" in refused(choice(), title=title)


@pytest.mark.parametrize("title", ["K10", "WHO-5 Well-Being Index"])
def test_an_instrument_that_a_site_answers_for_is_named(title: str) -> None:
    _, warnings = taken(choice(), title=title)
    assert warnings == [("licence.opt-in", None)]


@pytest.mark.parametrize("title", ["Risk 10", "Ask about sleep", "K100"])
def test_a_form_of_ones_own_is_nobody_elses(title: str) -> None:
    assert taken(choice(), title=title)[1] == []


def test_every_shipped_form_is_taken_in_without_a_warning() -> None:
    for form in installed().values():
        text = json.dumps(form.model_dump(mode="json", by_alias=True, exclude_unset=True))
        again, warnings = imported(text, f"{form.id}.json", None)
        assert (again, warnings) == (form, ())


def scored(options: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {**option, "extension": [{"url": elements.ORDINAL_VALUE, "valueDecimal": n}]}
        for n, option in enumerate(options)
    ]


def risky(**changes: Any) -> dict[str, Any]:
    return choice(**{"extension": [{"url": elements.RISK_ITEM, "valueBoolean": True}], **changes})


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        (choice("/a"), "link id"),
        (risky(repeats=True, answerOption=scored(YES_NO)), "one answer"),
        (risky(answerOption=scored(YES_NO[:1])), "two options"),
        (risky(answerOption=scored([{"valueString": "tea"}, {"valueString": "coffee"}])), "code"),
    ],
)
def test_what_a_room_could_not_send_is_known_before_it_is_asked(item: dict[str, Any], reason: str) -> None:
    form, _ = taken(choice("first"), item)
    assert reason in str(obstacle(form))


def test_a_form_that_asks_nothing_is_none_for_a_room() -> None:
    form, _ = taken({"linkId": "a", "type": "display", "text": "Good morning."})
    assert obstacle(form) == "the form asks nothing"


@pytest.mark.skipif(not GIVEN.is_dir(), reason="the published forms are not on this machine")
def test_every_published_form_is_taken_in_or_refused_by_name() -> None:
    taken_in, turned_away = set(), {}
    for path in sorted(GIVEN.glob("*/*.json")):
        try:
            read(path)
            taken_in.add(path.name)
        except FormInvalidError as error:
            turned_away[path.name] = str(error)
    assert len(taken_in) >= 19
    assert all(name in reason for name, reason in turned_away.items())
    forms = {name for name in turned_away if name.startswith(("behavior", "component", "layout", "Questionnaire-"))}
    assert forms == {"layout_paginated.json"}  # it uses one link id twice
    assert "used twice" in turned_away["layout_paginated.json"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_damage_to_a_form_is_anything_but_taken_in_or_refused(data: st.DataObject) -> None:
    raw = json.loads(installed()["phq-9"].model_dump_json(by_alias=True, exclude_unset=True))
    raw["item"][0]["item"] = raw["item"][0]["item"][:2]
    place: Any = raw
    while True:
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        inner = place[key]
        if not (isinstance(inner, dict | list) and inner and data.draw(st.booleans())):
            place[key] = data.draw(JSON)
            break
        place = inner
    with contextlib.suppress(FormInvalidError):
        parse(json.dumps(raw), "damaged.json")
