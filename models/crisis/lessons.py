"""The sentences the head learns from: who wrote them, what they mean, and how the head reads them."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from forge_language.danger.catalogue import Catalogue, Category, Priority
from forge_language.danger.resemblance import as_read

ROOT: Final = Path(__file__).parents[2]
WRITTEN: Final = Path(__file__).parent / "data"
DEVELOPMENT: Final = ROOT / "tests" / "golden" / "crisis_development.jsonl"


@dataclass(frozen=True, slots=True)
class Lesson:
    """One labelled sentence.

    Attributes:
        text: As it was written.
        read: As the head reads it.
        priority: What it asks for.
        category: Which danger; None where there is none.
        writer: Who wrote it: ``w...`` had seen neither rules nor other sentences, the others had.
    """

    text: str
    read: str
    priority: Priority
    category: Category | None
    writer: str

    @property
    def crisis(self) -> bool:
        """Whether somebody must come."""
        return self.priority in ("staff", "urgent")


def files() -> list[Path]:
    """Return the files of sentences, in the order in which they are read."""
    return [*sorted(WRITTEN.glob("*.jsonl")), DEVELOPMENT]


def lessons(words: Catalogue) -> list[Lesson]:
    """Return every sentence once, in the order of the files' names."""
    found: dict[str, Lesson] = {}
    for file in files():
        for lesson in _of(file, words):
            found.setdefault(lesson.read, lesson)
    return list(found.values())


def _of(file: Path, words: Catalogue) -> Iterable[Lesson]:
    for line in file.read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        yield Lesson(case["text"], as_read(case["text"], words), case["priority"], case["category"], file.stem)
