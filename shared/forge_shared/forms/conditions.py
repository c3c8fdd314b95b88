"""When a question is asked: `enableWhen`, with every operator and every kind of answer."""

import operator
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from forge_shared.forms.elements import Coding, EnableWhen, Quantity, Value
from forge_shared.forms.questionnaire import Item

_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}


def all_hold(item: Item, answers: Callable[[str], tuple[Item, Sequence[Value]]]) -> bool:
    """Tell whether ``item``'s own conditions let it be asked: all of them or any, as the form says.

    Args:
        item: The item.
        answers: Gives a question by its link id, with its answers.
    """
    found = (holds(condition, *answers(condition.question)) for condition in item.enable_when)
    if not item.enable_when:
        return True
    return any(found) if item.enable_behavior == "any" else all(found)


def holds(condition: EnableWhen, question: Item, values: Sequence[Value]) -> bool:
    """Tell whether the answers to a question meet a condition.

    A choice is compared with a number by its option's ordinal value, which FHIR leaves open.

    Source: HL7 FHIR R4, QuestionnaireItemOperator: ``=`` and the orders need one answer that fits, ``!=`` that none is
    equal, so that it holds while there is no answer.
    """
    expected = condition.answer
    if condition.operator == "exists":
        return bool(values) is expected
    contents = [_comparable(question, value, expected) for value in values]
    if condition.operator in ("=", "!="):
        return any(_equal(content, expected) for content in contents) is (condition.operator == "=")
    compare = _COMPARE[condition.operator]
    return any(_ordered(compare, content, expected) for content in contents)


def compare(left: object, right: object) -> int | None:
    """Return -1, 0 or 1 as ``left`` lies before, at or after ``right``; None if they cannot be compared."""
    for sign, relation in ((-1, operator.lt), (0, operator.eq), (1, operator.gt)):
        if _ordered(relation, left, right):
            return sign
    return None


def _comparable(question: Item, value: Value, expected: object) -> object:
    content = value.content
    if isinstance(content, Coding) and isinstance(expected, int | float):
        option = question.option(content.code)
        return option.weight if option else None
    if isinstance(content, Coding) and isinstance(expected, str):
        return content.code or content.display
    return content


def _equal(content: object, expected: object) -> bool:
    if isinstance(content, Coding) and isinstance(expected, Coding):
        same_system = not (content.system and expected.system) or content.system == expected.system
        return same_system and content.code == expected.code
    if isinstance(content, bool) or isinstance(expected, bool):
        return content is expected
    if isinstance(content, str) and isinstance(expected, str) and content == expected:
        return True
    return _ordered(operator.eq, content, expected)


def _ordered(relation: Callable[[Any, Any], bool], content: object, expected: object) -> bool:
    if isinstance(content, Quantity) and isinstance(expected, Quantity):
        if content.value is None or expected.value is None or not _same_unit(content, expected):
            return False
        return relation(content.value, expected.value)
    if isinstance(content, Quantity):
        content = content.value
    if isinstance(content, int | float) and isinstance(expected, int | float):
        return relation(content, expected)
    if isinstance(content, str) and isinstance(expected, str):
        moments = _moment(content), _moment(expected)
        if moments[0] is not None and moments[1] is not None:
            return relation(*moments)
        # Dates of which only the year or month is known, and times, sort as they are written.
        shorter = min(len(content), len(expected))
        return relation(content[:shorter], expected[:shorter])
    return False


def _same_unit(one: Quantity, other: Quantity) -> bool:
    if one.code and other.code:
        return one.code == other.code
    return not (one.unit and other.unit) or one.unit == other.unit


def _moment(text: str) -> datetime | None:
    """Return the moment that a FHIR dateTime with a time names."""
    if "T" not in text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
