"""The shipped instruments: their scores, exact for every combination of answers, and what a missing answer does."""

import time
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forge_shared.forms import instruments, loinc, scoring
from forge_shared.forms.questionnaire import Questionnaire, installed, obstacle

FORMS = installed()
CODES = ("LA6568-5", "LA6569-3", "LA6570-1", "LA6571-9")
BANDS = {
    "phq-9": [(4, "minimal"), (9, "mild"), (14, "moderate"), (19, "moderately severe"), (27, "severe")],
    "gad-7": [(4, "minimal"), (9, "mild"), (14, "moderate"), (21, "severe")],
    "phq-2": [(2, "negative"), (6, "positive")],
}
SCORED = {name: [item.link_id for item in scoring.scored_questions(FORMS[name])] for name in BANDS}


def test_the_shipped_forms_are_these() -> None:
    assert set(FORMS) == {"admission", "asq", "check-in", "gad-7", "pain", "phq-2", "phq-9"}


@pytest.mark.parametrize("name", sorted(FORMS))
def test_every_shipped_form_can_be_offered_by_a_room(name: str) -> None:
    assert obstacle(FORMS[name]) is None


@pytest.mark.parametrize("form", FORMS.values(), ids=list(FORMS))
def test_every_loinc_code_of_a_shipped_form_has_its_check_digit(form: Questionnaire) -> None:
    codes = [code for item in form.walk() for code in item.code] + list(form.code)
    assert all(loinc.is_valid(code.code) for code in codes if code.system == loinc.SYSTEM)


@pytest.mark.parametrize(("name", "questions"), [("phq-9", 9), ("gad-7", 7), ("phq-2", 2)])
def test_every_combination_of_answers_scores_exactly(name: str, questions: int) -> None:
    links = SCORED[name]
    assert len(links) == questions
    scorer = scoring.Scorer(FORMS[name])
    wrong = 0
    for values in product(range(4), repeat=questions):
        answers = {link: CODES[value] for link, value in zip(links, values, strict=True)}
        wrong += scorer.total(answers) != sum(values)
    assert wrong == 0


@pytest.mark.parametrize("name", BANDS)
def test_every_total_lies_in_its_published_band(name: str) -> None:
    links = SCORED[name]
    highest = 3 * len(links)
    for total in range(highest + 1):
        values = [min(3, max(0, total - 3 * place)) for place in range(len(links))]
        answers = {link: CODES[value] for link, value in zip(links, values, strict=True)}
        scored = instruments.score(FORMS[name], answers)
        expected = next(band for upper, band in BANDS[name] if total <= upper)
        assert (scored.total, scored.lowest, scored.highest, scored.band) == (total, total, total, expected)


@given(st.sampled_from(sorted(SCORED)), st.data())
def test_a_missing_answer_gives_no_total_and_every_total_that_it_may_have(name: str, data: st.DataObject) -> None:
    links = SCORED[name]
    values = {link: data.draw(st.integers(0, 3)) for link in links}
    left_out = data.draw(st.sets(st.sampled_from(links), min_size=1))
    scored = instruments.score(FORMS[name], {link: CODES[v] for link, v in values.items() if link not in left_out})
    assert scored.total is None
    assert scored.missing == tuple(link for link in links if link in left_out)
    known = sum(value for link, value in values.items() if link not in left_out)
    assert (scored.lowest, scored.highest) == (known, known + 3 * len(left_out))
    bands = {
        instruments.band(instruments.BANDS[scored.instrument or ""], total)
        for total in (known, known + 3 * len(left_out))
    }
    assert scored.band == (bands.pop() if len(bands) == 1 else None)


def test_a_band_is_named_when_no_missing_answer_can_change_it() -> None:
    answers = dict.fromkeys(SCORED["phq-9"][:8], CODES[3])
    scored = instruments.score(FORMS["phq-9"], answers)
    assert (scored.total, scored.lowest, scored.highest, scored.band) == (None, 24, 27, "severe")


@pytest.mark.parametrize("answers", list(product(("no", "yes", "refused", None), repeat=4)))
def test_only_four_times_no_is_a_negative_asq(answers: tuple[str | None, ...]) -> None:
    given_answers = {f"asq-{n}": answer for n, answer in enumerate(answers, 1) if answer is not None}
    outcomes = {fifth: instruments.risk_asq(given_answers | {"asq-5": fifth}) for fifth in ("no", "yes", "refused")}
    if answers == ("no",) * 4:
        assert set(outcomes.values()) == {"negative"}
    else:
        assert outcomes == {"no": "positive", "yes": "acute", "refused": "acute"}
        assert instruments.risk_asq(given_answers) == "acute"


def test_every_question_of_the_asq_is_a_risk_item_and_only_no_is_its_lowest_answer() -> None:
    for item in FORMS["asq"].questions:
        assert item.is_risk
        assert {option.code: option.ordinal for option in item.answer_option} == {"no": 0, "yes": 1, "refused": 1}


@pytest.mark.parametrize("which", instruments.ASQ_SCREEN)
def test_the_fifth_question_of_the_asq_follows_any_answer_but_no_and_a_question_left_out(which: str) -> None:
    fifth = FORMS["asq"].question("asq-5")
    assert fifth is not None
    answers = dict.fromkeys(instruments.ASQ_SCREEN, "no")
    assert not scoring.is_enabled(FORMS["asq"], fifth, answers)
    for code in ("yes", "refused"):
        assert scoring.is_enabled(FORMS["asq"], fifth, answers | {which: code})
    del answers[which]
    assert scoring.is_enabled(FORMS["asq"], fifth, answers)


def test_a_score_of_the_phq9_takes_less_than_five_milliseconds() -> None:
    form, answers = FORMS["phq-9"], dict.fromkeys(SCORED["phq-9"], CODES[2])
    took = []
    for _ in range(20):
        began = time.perf_counter()
        instruments.score(form, answers)
        took.append(time.perf_counter() - began)
    assert min(took) < 0.005


def test_a_form_that_scores_nothing_has_no_score() -> None:
    scored = instruments.score(FORMS["check-in"], {"slept": "well"})
    assert (scored.instrument, scored.total, scored.lowest, scored.missing) == (None, None, None, ())
