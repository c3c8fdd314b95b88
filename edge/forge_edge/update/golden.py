"""How far what a release gives is from what its makers stored with it. Pure.

What is stored is JSON: by the name of each output either ``{"values": [...]}`` with as many numbers as the output has,
``{"places": [...], "values": [...]}`` for some of the flat output, or ``{"text": "..."}``.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from forge_edge.errors import UpdateRefusedError

Given = Mapping[str, Sequence[float] | str]
"""What a release gave, by the name of the output: flat numbers or a text."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What one output must be.

    Attributes:
        values: Numbers, at ``places`` of the flat output; empty for a text.
        places: Which; None: all of them.
        text: None for numbers.
    """

    values: tuple[float, ...] = ()
    places: tuple[int, ...] | None = None
    text: str | None = None


def read_expected(stored: bytes) -> Mapping[str, Expected]:
    """Return what is stored with a release.

    Raises:
        UpdateRefusedError: It is not of this form, or empty.
    """
    try:
        found = {str(name): _expected(part) for name, part in json.loads(stored).items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise UpdateRefusedError("golden-unreadable") from None
    if not found:
        raise UpdateRefusedError("golden-unreadable")
    return found


def worst_share(expected: Mapping[str, Expected], given: Given) -> float:
    """Return the greatest difference of any value, as a share of its output's range; infinity for what is missing.

    The range of numbers is from the least to the greatest that is stored; where they are all alike it is their size,
    and 1 where they are all zero. Of a text it is the share of letters that must be changed to make one of the other.
    """
    return max(_off(wanted, given.get(name)) for name, wanted in expected.items())


def _expected(part: Mapping[str, object]) -> Expected:
    match part:
        case {"text": str(text)}:
            return Expected(text=text)
        case {"values": list(values), "places": list(places)} if len(values) == len(places) > 0:
            return Expected(_numbers(values), tuple(int(place) for place in places))
        case {"values": list(values)} if values and "places" not in part:
            return Expected(_numbers(values))
    raise ValueError("no output")


def _numbers(values: Sequence[float]) -> tuple[float, ...]:
    numbers = tuple(float(value) for value in values)
    if not all(math.isfinite(number) for number in numbers):
        raise ValueError("no number")
    return numbers


def _off(wanted: Expected, given: Sequence[float] | str | None) -> float:
    if wanted.text is not None:
        return _letters_off(wanted.text, given) if isinstance(given, str) else math.inf
    if given is None or isinstance(given, str):
        return math.inf
    try:
        chosen = given if wanted.places is None else [given[place] for place in wanted.places]
    except IndexError:
        return math.inf
    if len(chosen) != len(wanted.values) or not all(math.isfinite(value) for value in chosen):
        return math.inf
    spread = max(wanted.values) - min(wanted.values) or abs(wanted.values[0]) or 1.0
    return max(abs(one - other) for one, other in zip(chosen, wanted.values, strict=True)) / spread


def _letters_off(wanted: str, given: str) -> float:
    """Return Levenshtein's distance as a share of the longer text; case and spaces at the ends do not count."""
    one, other = wanted.strip().lower(), given.strip().lower()
    row = list(range(len(other) + 1))
    for number, letter in enumerate(one, 1):
        diagonal, row[0] = row[0], number
        for place, candidate in enumerate(other, 1):
            diagonal, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, diagonal + (letter != candidate))
    return row[-1] / max(len(one), len(other), 1)
