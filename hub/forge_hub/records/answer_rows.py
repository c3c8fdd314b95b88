"""How the answers of a form that arrived are kept."""

from collections.abc import Mapping
from typing import Any

from forge_shared.events import AnswerValue, FormAnswer, FormRecorded

IN_WORDS = "in own words, which stay in the room"


def answer_rows(data: FormRecorded) -> Mapping[str, dict[str, Any]]:
    """Return a row for each question with an answer.

    Answers to a question in a group that was filled in several times share a row; one that comes twice counts as it
    came last.
    """
    rows: dict[str, dict[str, Any]] = {}
    repetitions: dict[str, dict[tuple[int, ...], FormAnswer]] = {}
    for ordinal, answer in enumerate(data.answers):
        given = repetitions.setdefault(answer.link_id, {})
        given[answer.repetition] = answer
        rows[answer.link_id] = {
            "response": data.response,
            "link_id": answer.link_id,
            "ordinal": ordinal,
            "code": " | ".join(answer_in_words(one) for one in given.values()),
            "mode": answer.mode,
            "times_asked": answer.times_asked,
            "corrected": any(one.corrected for one in given.values()),
            "detail": [one.model_dump(mode="json", exclude_defaults=True) for one in given.values()],
        }
    return rows


def answer_in_words(answer: FormAnswer) -> str:
    """Return an answer as a person reads it: a single option by its code, numbers and dates as such."""
    return answer.code or ", ".join(_in_words(value) for value in answer.values)


def _in_words(value: AnswerValue) -> str:
    if value.kind == "words":
        return IN_WORDS
    if value.kind == "boolean":
        return "yes" if value.number else "no"
    if value.code is not None:
        return value.code
    if value.option is not None:
        return f"answer {value.option}"
    if value.moment is not None:
        return value.moment
    number = "" if value.number is None else f"{value.number:.15g}"
    return f"{number} {value.unit or ''}".strip()
