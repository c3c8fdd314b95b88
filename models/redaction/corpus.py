"""Reads presidio_synth, deals its templates into folds, and writes a text in other ways. Needs no packages."""

import json
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from forge_language.spotting.tokens import Kind

FOLDS: Final = 3
"""Into how many parts the corpus's templates are dealt. Ours: each has some forty; a head of its own is kept here."""

ROOT: Final = Path(__file__).parents[2]
CORPORA: Final = ROOT.parent / "shared" / "data" / "psych"

Writing = Literal["cased", "lower", "bare"]
"""As it is; in small letters; in small letters without marks but those inside a word."""

_UNMARKED: Final = re.compile(r"(?<!\w)[^\w\s]+|[^\w\s]+(?!\w)")

_CORPUS_KINDS: Final[dict[str, Kind]] = {
    "PERSON": "NAME",
    "ADDRESS": "ADDRESS",
    "LOCATION": "LOCATION",
    "ORGANIZATION": "ORGANISATION",
    "CREDIT_CARD": "NUMBER",
    "PHONE_NUMBER": "PHONE",
    "DATE_TIME": "DATE",
    "EMAIL_ADDRESS": "EMAIL",
    "US_SSN": "NUMBER",
    "IBAN_CODE": "NUMBER",
    "DOMAIN_NAME": "URL",
    "US_DRIVER_LICENSE": "NUMBER",
    "IP_ADDRESS": "IP",
}
"""What the corpus labels and is no kind of ours: TITLE (an occupation) and PREFIX ("Mr.")."""

_KEPT: Final = frozenset("mr. mrs. ms. dr. miss monday tuesday wednesday thursday friday saturday sunday".split())
"""What it labels as a person or a date and what stays in our texts: forms of address and bare weekdays."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """A text with its identifying spans.

    Attributes:
        text: Any text.
        spans: ``(start, end, kind)`` in characters, half-open, without overlap.
        unlabelled: ``(start, end)`` of words about which nothing is known.
        template: For the corpus, its structure with the entities masked: what must not be in two folds.
    """

    text: str
    spans: tuple[tuple[int, int, Kind], ...]
    unlabelled: tuple[tuple[int, int], ...] = ()
    template: int = -1


def corpus(*, everything: bool = False) -> list[Lesson]:
    """Return the sentences of presidio_synth with the kinds that the redactor knows.

    Args:
        everything: Also with what the corpus labels and the redactor keeps: forms of address, occupations, weekdays.

    Raises:
        OSError: The corpus is not there.
    """
    return [
        Lesson(
            row["full_text"],
            tuple(
                sorted(
                    (span["start_position"], span["end_position"], _CORPUS_KINDS.get(span["entity_type"], "NAME"))
                    for span in row["spans"]
                    if everything
                    or (span["entity_type"] in _CORPUS_KINDS and span["entity_value"].casefold() not in _KEPT)
                )
            ),
            template=row["template_id"],
        )
        for row in corpus_rows()
    ]


def corpus_rows() -> list[dict[str, Any]]:
    """Return the rows of presidio_synth as they are published."""
    path = CORPORA / "presidio_synth" / "generated_large.json"
    rows: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return rows


def written_as(lesson: Lesson, writing: Writing) -> Lesson:
    """Return a lesson in another way of writing, with its spans where they are then."""
    if writing == "cased":
        return lesson
    lowered = "".join(mark.lower() if len(mark.lower()) == 1 else mark for mark in lesson.text)
    if writing == "lower":
        return Lesson(lowered, lesson.spans, lesson.unlabelled, lesson.template)
    gone = {place for match in _UNMARKED.finditer(lowered) for place in range(*match.span())}
    places: list[int] = []
    kept: list[str] = []
    for place, mark in enumerate(lowered):
        places.append(len(kept))
        if place not in gone:
            kept.append(" " if mark.isspace() else mark)
    places.append(len(kept))
    return Lesson(
        "".join(kept),
        tuple((places[start], places[end], kind) for start, end, kind in lesson.spans if places[end] > places[start]),
        tuple((places[start], places[end]) for start, end in lesson.unlabelled),
        lesson.template,
    )


def folds(lessons: Sequence[Lesson], count: int) -> list[frozenset[int]]:
    """Deal the templates into folds, in the order of a shuffle with a fixed seed."""
    numbers = sorted({lesson.template for lesson in lessons})
    random.Random(6).shuffle(numbers)
    return [frozenset(numbers[start::count]) for start in range(count)]
