"""What the scores of the shipped instruments mean. Screening results, never a diagnosis.

The rule for missing items is the same for all: no total, and the least and the greatest that it can be (see
`forge_shared.forms.scoring.Scorer.bounds`); a band is named only where both fall into it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from forge_shared.forms import licences, scoring
from forge_shared.forms.questionnaire import Item, Questionnaire

Band = tuple[int, str]

BANDS: Mapping[str, tuple[Band, ...]] = {
    "PHQ-9": scoring.SEVERITY_PHQ9,
    "GAD-7": ((0, "minimal"), (5, "mild"), (10, "moderate"), (15, "severe")),
    "PHQ-2": ((0, "negative"), (3, "positive")),
}
"""Lower bounds of the bands of each instrument's total.

Source: PHQ-9: see `scoring.SEVERITY_PHQ9`. GAD-7: Spitzer, Kroenke, Williams and Löwe 2006, Arch Intern Med
166:1092-1097. PHQ-2: Kroenke, Spitzer and Williams 2003, Med Care 41:1284-1292, cut-off 3.
"""

QUESTIONS: Mapping[str, tuple[str, ...]] = {
    "PHQ-9": (*("44250-9", "44255-8", "44259-0", "44254-1", "44251-7", "44258-2", "44252-5", "44253-3", "44260-8"),),
    "GAD-7": ("69725-0", "68509-9", "69733-4", "69734-2", "69735-9", "69689-8", "69736-7"),
    "PHQ-2": ("44250-9", "44255-8"),
}
"""LOINC codes of each instrument's scored questions. Source: LOINC panels 44249-1, 69737-5 and 55757-9."""

ASQ_SCREEN = ("asq-1", "asq-2", "asq-3", "asq-4")
ASQ_ACUTE = "asq-5"

Risk = Literal["negative", "positive", "acute"]


@dataclass(frozen=True, slots=True)
class Score:
    """What a form's answers add up to.

    Attributes:
        instrument: The instrument's name; None if it is none that is known here.
        total: The sum; None while a scored question has no answer, and where nothing is summed.
        lowest: The least that the total can be; equal to ``total`` where that is known.
        highest: The greatest that it can be.
        band: The name of the band that the total certainly lies in, None where that is open.
        risk: The ASQ's outcome, None for all others.
        missing: Scored questions that have no answer, in reading order.
    """

    instrument: str | None
    total: int | None
    lowest: int | None
    highest: int | None
    band: str | None
    risk: Risk | None
    missing: tuple[str, ...]


def score(form: Questionnaire, answers: Mapping[str, str]) -> Score:
    """Return the score of a form's answers.

    Args:
        form: The form.
        answers: Option codes by link id; what is no question of the form is left out of account.
    """
    licence = licences.of(form.title, form.url, tuple(code.code for code in form.code))
    name = licence.instrument if licence else None
    if name == "ASQ":
        asked = [link for link in (*ASQ_SCREEN, ASQ_ACUTE) if _is_asked(form, link, answers)]
        missing = tuple(link for link in asked if link not in answers)
        return Score(name, None, None, None, None, risk_asq(answers), missing)
    scorer = scoring.Scorer(form, _scored_questions(form, name))
    bounds = scorer.bounds(answers)
    if bounds is None:
        return Score(name, None, None, None, None, None, ())
    lowest, highest = bounds
    bands = BANDS.get(name or "", ())
    named = {band(bands, lowest), band(bands, highest)}
    certain = named.pop() if len(named) == 1 else None
    return Score(name, scorer.total(answers), lowest, highest, certain, None, scorer.missing(answers))


def _scored_questions(form: Questionnaire, name: str | None) -> tuple[Item, ...]:
    """Return the questions that count: those beside the form's total, or in a known instrument its own ones.

    Forms of others calculate their total in other ways or leave it open. An instrument's questions are then those that
    carry its LOINC codes; without codes, all choices that score, if they are as many as the instrument has.
    """
    beside_total = scoring.scored_questions(form)
    own = QUESTIONS.get(name or "", ())
    if beside_total or not own:
        return beside_total
    scoring_choices = tuple(
        item for item in form.questions if item.answer_option and item.answer_option[0].ordinal is not None
    )
    coded = tuple(item for item in scoring_choices if {code.code for code in item.code} & set(own))
    found = coded or scoring_choices
    return found if len(found) == len(own) else ()


def band(bands: tuple[Band, ...], total: int) -> str | None:
    """Return the name of the band that ``total`` lies in, None where there are no bands."""
    return next((name for lower, name in reversed(bands) if total >= lower), None)


def risk_asq(answers: Mapping[str, str]) -> Risk:
    """Return the outcome of the ASQ: whatever is not a clear no counts, a question left out as much as a yes.

    Source: Horowitz et al. 2012, Arch Pediatr Adolesc Med 166:1170-1176, the four questions (in adults: Horowitz et al.
    2020, Psychosomatics 61:713-722). NIMH ASQ toolkit, screening tool: a yes to any of the first four, or a refusal, is
    a positive screen; then the fifth is asked, and a yes to it is an acute one. That an unasked or refused fifth
    question counts as acute is ours: doubt must not wait.
    """
    if all(answers.get(link) == "no" for link in ASQ_SCREEN):
        return "negative"
    return "positive" if answers.get(ASQ_ACUTE) == "no" else "acute"


def _is_asked(form: Questionnaire, link_id: str, answers: Mapping[str, str]) -> bool:
    question = form.question(link_id)
    return question is not None and scoring.is_enabled(form, question, answers)
