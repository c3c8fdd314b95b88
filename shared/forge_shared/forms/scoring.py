"""Scoring of a form's answers: pure, and the same in the room and at the hub."""

from collections.abc import Mapping, Sequence

from forge_shared.errors import ResponseInvalidError
from forge_shared.forms import conditions
from forge_shared.forms.elements import Value
from forge_shared.forms.questionnaire import Item, Questionnaire

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


class Scorer:
    """Adds up the ordinal values of a form's scored questions, which are looked up once.

    Args:
        form: The form.
        questions: The questions that are scored; those that stand beside the form's total when left out.
    """

    def __init__(self, form: Questionnaire, questions: Sequence[Item] | None = None) -> None:
        self._ordinals = {
            question.link_id: {option.code: option.ordinal for option in question.answer_option}
            for question in (scored_questions(form) if questions is None else questions)
        }

    def total(self, answers: Mapping[str, str]) -> int | None:
        """Return the sum; None when there is nothing to add, or a scored question has no answer that scores."""
        if not self._ordinals:
            return None
        total = 0
        for link_id, ordinals in self._ordinals.items():
            value = ordinals.get(answers.get(link_id, ""))
            if value is None:
                return None
            total += value
        return total

    def bounds(self, answers: Mapping[str, str]) -> tuple[int, int] | None:
        """Return the least and the greatest total that are possible, whatever the missing answers are.

        Nothing is put in place of a missing answer: who leaves a question out does so for a reason, so that a mean of
        the others would be wrong in a direction that nobody knows.

        Source: worst-case bounds after Manski 2003, Partial Identification of Probability Distributions, chapter 1;
        that what is missing depends on how bad things are: Bell et al. 2016, BMC Res Notes 9:479.
        """
        if not self._ordinals:
            return None
        lowest = highest = 0
        for link_id, ordinals in self._ordinals.items():
            value = ordinals.get(answers.get(link_id, ""))
            possible = [other for other in ordinals.values() if other is not None] if value is None else [value]
            lowest, highest = lowest + min(possible), highest + max(possible)
        return lowest, highest

    def missing(self, answers: Mapping[str, str]) -> tuple[str, ...]:
        """Return the scored questions without an answer that scores, in reading order."""
        return tuple(link for link, ordinals in self._ordinals.items() if ordinals.get(answers.get(link, "")) is None)


def total(form: Questionnaire, answers: Mapping[str, str]) -> int | None:
    """Return the sum of the ordinal values of all scored questions.

    Returns:
        The total, or None when the form has none or a scored question is unanswered: a partial sum misleads.

    Raises:
        ResponseInvalidError: As for `check`.
    """
    check(form, answers)
    return Scorer(form).total(answers)


def scored_questions(form: Questionnaire) -> tuple[Item, ...]:
    """Return the questions that count towards the total, in reading order."""
    levels = [form.item, *(item.item for item in form.walk())]
    for level in levels:
        if any(item.type == "integer" and item.read_only for item in level):
            return tuple(item for item in level if _is_scored(item))
    return ()


def _is_scored(item: Item) -> bool:
    return item.type == "choice" and bool(item.answer_option) and item.answer_option[0].ordinal is not None


def is_enabled(form: Questionnaire, item: Item, answers: Mapping[str, str]) -> bool:
    """Tell whether ``item`` is to be asked, given the answers so far: its conditions hold, and those of its groups.

    Args:
        form: The form.
        item: One of its items.
        answers: Option codes by link id.
    """
    by_link = {one.link_id: one for one in form.walk()}
    parents = {below.link_id: one for one in by_link.values() for below in one.item}

    def given(link_id: str) -> tuple[Item, Sequence[Value]]:
        question = by_link[link_id]
        if form.total is not None and link_id == form.total.link_id:
            value = total(form, answers)
            return question, () if value is None else (Value(value_integer=value),)
        option = question.option(answers.get(link_id, ""))
        return question, () if option is None else (option.value,)

    above: Item | None = item
    while above is not None:
        if not conditions.all_hold(above, given):
            return False
        above = parents.get(above.link_id)
    return True


def severity_phq9(total_score: int) -> str:
    """Return the PHQ-9's severity band for a total of 0 to 27. It is a screening result, no diagnosis."""
    return next(name for lower, name in reversed(SEVERITY_PHQ9) if total_score >= lower)
