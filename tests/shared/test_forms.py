"""Forms: codes, scoring, and the subset of FHIR that is understood."""

import json
from itertools import product
from operator import eq, ge, gt, le, lt, ne
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forge_shared.errors import FormInvalidError, ResponseInvalidError
from forge_shared.forms import loinc, scoring
from forge_shared.forms.questionnaire import Questionnaire, installed, parse

PHQ9 = installed()["phq-9"]
ITEMS = ["44250-9", "44255-8", "44259-0", "44254-1", "44251-7", "44258-2", "44252-5", "44253-3", "44260-8"]
ANSWERS = {"LA6568-5": 0, "LA6569-3": 1, "LA6570-1": 2, "LA6571-9": 3}


def as_json(form: Questionnaire) -> dict[str, Any]:
    raw: dict[str, Any] = json.loads(form.model_dump_json(by_alias=True, exclude_defaults=True))
    return raw | {"resourceType": "Questionnaire", "status": "active"}


def test_phq9_asks_its_nine_items_in_order_with_their_loinc_codes() -> None:
    assert [item.link_id for item in PHQ9.questions] == [*ITEMS, "69722-7"]
    assert PHQ9.code[0].code == "44249-1"
    assert PHQ9.total is not None
    assert PHQ9.total.link_id == "44261-6"


def test_only_item_nine_of_the_phq9_raises_an_alarm() -> None:
    assert [item.link_id for item in PHQ9.questions if item.is_risk] == ["44260-8"]


def test_every_answer_of_the_phq9_scores_as_loinc_says() -> None:
    for item in PHQ9.questions[:9]:
        assert {option.code: option.ordinal for option in item.answer_option} == ANSWERS


@pytest.mark.parametrize(
    "code",
    [*ITEMS, "44249-1", "44261-6", "69722-7", *ANSWERS, "LA6572-7", "LA137-2", "LA11912-5", "LL358-3", "LL359-1"],
)
def test_a_published_code_has_the_right_check_digit(code: str) -> None:
    assert loinc.is_valid(code)


@pytest.mark.parametrize("code", [*ITEMS, *ANSWERS])
def test_one_wrong_digit_is_noticed(code: str) -> None:
    body, digit = code.split("-")
    assert not loinc.is_valid(f"{body}-{(int(digit) + 1) % 10}")


@given(st.lists(st.sampled_from(sorted(ANSWERS)), min_size=9, max_size=9))
def test_the_total_is_the_sum_of_nine_answers(codes: list[str]) -> None:
    assert scoring.total(PHQ9, dict(zip(ITEMS, codes, strict=True))) == sum(ANSWERS[code] for code in codes)


@given(st.sets(st.sampled_from(ITEMS), max_size=8))
def test_an_incomplete_form_has_no_total(answered: set[str]) -> None:
    assert scoring.total(PHQ9, dict.fromkeys(answered, "LA6571-9")) is None


def test_the_difficulty_question_does_not_count() -> None:
    answers = dict.fromkeys(ITEMS, "LA6569-3") | {"69722-7": "LA6575-0"}
    assert scoring.total(PHQ9, answers) == 9


def test_the_difficulty_question_is_asked_only_when_something_bothers() -> None:
    difficulty = PHQ9.question("69722-7")
    assert difficulty is not None
    assert not scoring.is_enabled(PHQ9, difficulty, dict.fromkeys(ITEMS, "LA6568-5"))
    assert scoring.is_enabled(PHQ9, difficulty, dict.fromkeys(ITEMS, "LA6568-5") | {ITEMS[2]: "LA6569-3"})


@pytest.mark.parametrize(("answers"), [{"44250-9": "LA9999-9"}, {"99999-9": "LA6568-5"}])
def test_an_answer_that_the_form_does_not_have_is_refused(answers: dict[str, str]) -> None:
    with pytest.raises(ResponseInvalidError):
        scoring.check(PHQ9, answers)


@pytest.mark.parametrize(
    ("total", "band"),
    [
        *((0, "minimal"), (4, "minimal"), (5, "mild"), (9, "mild"), (10, "moderate"), (14, "moderate")),
        *((15, "moderately severe"), (19, "moderately severe"), (20, "severe"), (27, "severe")),
    ],
)
def test_severity_bands_follow_kroenke_2001(total: int, band: str) -> None:
    assert scoring.severity_phq9(total) == band


def test_a_form_survives_being_written_and_read() -> None:
    assert parse(json.dumps(as_json(PHQ9)), "copy") == PHQ9


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"item": [{"linkId": "a", "type": "hologram"}]}, "item.0.type"),
        ({"item": [{"linkId": "a", "type": "display"}, {"linkId": "a", "type": "display"}]}, "used twice"),
        ({"item": [{"linkId": "a", "type": "choice", "answerOption": []}]}, "needs options"),
        ({"status": "perhaps"}, "status"),
    ],
)
def test_what_is_broken_is_refused_with_its_place(change: dict[str, Any], place: str) -> None:
    with pytest.raises(FormInvalidError, match=place):
        parse(json.dumps(as_json(PHQ9) | change), "form.json")


def test_all_comparisons_of_enable_when_are_understood() -> None:
    base = as_json(PHQ9)
    for operator, answer in product(["=", "!=", ">", "<", ">=", "<="], [0, 9]):
        base["item"][1]["enableWhen"] = [{"question": "44261-6", "operator": operator, "answerInteger": answer}]
        form = parse(json.dumps(base), "form.json")
        difficulty = form.question("69722-7")
        assert difficulty is not None
        enabled = scoring.is_enabled(form, difficulty, dict.fromkeys(ITEMS, "LA6569-3"))
        compare = {"=": eq, "!=": ne, ">": gt, "<": lt, ">=": ge, "<=": le}[operator]
        assert enabled is compare(9, answer)
