"""How people word what a form or the room asks, read from a language's catalogue file.

A second language is a second file; nothing in the code knows English. A wording stands under the words that a form's
author gave the option (``several days``), so that every form with such an option understands it.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Self

from pydantic import ValidationError, model_validator

from forge_edge.errors import EngineMissingError
from forge_shared.model import Frozen

_WORDS = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*(?: [^\W\d_]+(?:'[^\W\d_]+)*)*")
_PLACE = "{}"


class Wordings(Frozen):
    """One language's catalogue; every wording is lower-case words with single spaces between them.

    Attributes:
        language: BCP 47.
        answers: Further ways of saying an option, by the option's own words.
        numbers: Names of the numbers of a numeric scale, by their digits. Only such a scale is answered by a number.
        number_frames: What may stand around a number; each has one ``{}``.
        confirmations: Ways of confirming (``yes``) and denying (``no``) what was read back.
        decoys: What is often said and means nothing to any question: names of voice assistants, bare numbers, vague
            words. They compete with the answers, so that a grammar need not take them for one.
        hallucinations: What a large recogniser writes down where nobody speaks.
        safety: Calls that are listened for whatever the room has asked, by kind.
    """

    language: str
    answers: Mapping[str, tuple[str, ...]]
    numbers: Mapping[str, tuple[str, ...]]
    number_frames: tuple[str, ...]
    confirmations: Mapping[str, tuple[str, ...]]
    decoys: tuple[str, ...]
    hallucinations: tuple[str, ...]
    safety: Mapping[str, tuple[str, ...]]

    @model_validator(mode="after")
    def _well_formed(self) -> Self:
        tables = (self.answers, self.numbers, self.confirmations, self.safety)
        wordings = [words for table in tables for ways in table.values() for words in ways]
        if not all(
            _WORDS.fullmatch(words) and words == words.lower()
            for words in (*wordings, *self.decoys, *self.hallucinations)
        ):
            raise ValueError("a wording is lower-case words with single spaces between them")
        if any(len(set(ways)) < len(ways) for table in tables for ways in table.values()):
            raise ValueError("a wording stands twice under one meaning")
        if set(self.confirmations) != {"yes", "no"} or set.intersection(*map(set, self.confirmations.values())):
            raise ValueError("what confirms is yes or no, and never both")
        if any(frame.count(_PLACE) != 1 for frame in self.number_frames):
            raise ValueError("a frame has one place for its number")
        return self

    def further(self, option: str) -> tuple[str, ...]:
        """Return further ways of saying an option whose own words, lower case, are ``option``."""
        return self.answers.get(option, ())

    def of_number(self, digits: str) -> tuple[str, ...]:
        """Return the ways of giving a number on a numeric scale; empty for one that the catalogue does not name."""
        return tuple(
            frame.replace(_PLACE, name) for name in self.numbers.get(digits, ()) for frame in self.number_frames
        )


def read(path: Path) -> Wordings:
    """Read a catalogue file.

    Raises:
        EngineMissingError: It is missing or no catalogue.
    """
    try:
        return Wordings.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise EngineMissingError(f"{path.name} is no catalogue of wordings") from error


@lru_cache
def wordings(language: str = "en") -> Wordings:
    """Return a shipped catalogue.

    Raises:
        EngineMissingError: There is none of that language.
    """
    with resources.as_file(resources.files("forge_edge.speech") / "catalogues" / f"{language}.json") as path:
        return read(path)
