"""Scoring of a form's answers: pure, and the same in the room and at the hub."""

import operator
from collections.abc import Callable, Mapping

from forge_shared.errors import ResponseInvalidError
from forge_shared.forms.questionnaire import EnableWhen, Item, Questionnaire

_COMPARE: Mapping[str, Callable[[int, int], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}

SEVERITY_PHQ9: tuple[tuple[int, str], ...] = (
    (0, "minimal"),
    (5, "mild"),
    (10, "moderate"),
    (15, "moderately severe"),
    (20, "severe"),
)
"""Lower bounds of the PHQ-9's severity bands.

Source: Kroenke, Spitzer and Williams 2001, J Gen Intern Med 16:606-613, table 4.
"""


def check(form: Questionnaire, answers: Mapping[str, str]) -> None:
    """Check that every answer names a question of ``form`` and an option of that question.

    Args:
        form: The questionnaire.
        answers: Option codes by link id.

    Raises:
        ResponseInvalidError: An answer does not fit; the message names its place.
    """
    for link_id, code in answers.items():
        question = form.question(link_id)
        if question is None:
            raise ResponseInvalidError(f"form {form.id} has no question {link_id[:64]}")
        if question.option(code) is None:
            raise ResponseInvalidError(f"question {link_id[:64]} of form {form.id} has no such option")


def total(form: Questionnaire, answers: Mapping[str, str]) -> int | None:
    """Return the sum of the ordinal values of all scored questions.

    A question is scored when it stands beside the total, in the same group or at the same level.

    Returns:
        The total, or None when the form has none or a scored question is unanswered: a partial sum misleads.

    Raises:
        ResponseInvalidError: As for `check`.
    """
    check(form, answers)
    values = [_ordinal(question, answers) for question in scored_questions(form)]
    if not values or any(value is None for value in values):
        return None
    return sum(value for value in values if value is not None)


def scored_questions(form: Questionnaire) -> tuple[Item, ...]:
    """Return the questions that count towards the total, in reading order."""
    levels = [form.item, *(item.item for item in form.walk())]
    for level in levels:
        if any(item.type == "integer" and item.read_only for item in level):
            return tuple(item for item in level if item.type == "choice" and item.answer_option[0].ordinal is not None)
    return ()


def is_enabled(form: Questionnaire, item: Item, answers: Mapping[str, str]) -> bool:
    """Tell whether ``item`` is to be asked, given the answers so far. All its conditions must hold."""
    return all(_holds(form, condition, answers) for condition in item.enable_when)


def severity_phq9(total_score: int) -> str:
    """Return the PHQ-9's severity band for a total of 0 to 27. It is a screening result, no diagnosis."""
    return next(name for lower, name in reversed(SEVERITY_PHQ9) if total_score >= lower)


def _holds(form: Questionnaire, condition: EnableWhen, answers: Mapping[str, str]) -> bool:
    if condition.answer_coding is not None:
        same = answers.get(condition.question) == condition.answer_coding.code
        return same if condition.operator == "=" else not same
    if form.total is not None and condition.question == form.total.link_id:
        value = total(form, answers)
    else:
        question = form.question(condition.question)
        value = _ordinal(question, answers) if question else None
    if value is None or condition.answer_integer is None:
        return False
    return _COMPARE[condition.operator](value, condition.answer_integer)


def _ordinal(question: Item, answers: Mapping[str, str]) -> int | None:
    option = question.option(answers.get(question.link_id, ""))
    return option.ordinal if option else None
