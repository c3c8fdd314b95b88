"""Finds ages over 89; younger ones identify nobody (45 CFR 164.514(b)(2)(i)(C)) and stay."""

from typing import Final

from forge_language.spotting.counting import small
from forge_language.spotting.tokens import Found, Token, decimal, found, low_at

_YOUNGEST, _OLDEST = 90, 125
"""Years; the oldest person on record reached 122."""

_AFTER: Final = frozenset({"years", "year", "yrs", "yr", "y"})
_OLD: Final = frozenset({"old", "of", "young"})
_BEFORE: Final = frozenset({"aged", "age", "turned", "turning", "turn"})
_BEING: Final = frozenset({"i'm", "am", "is", "she's", "he's", "was", "be", "shes", "hes", "im"})
_GOES_ON: Final = frozenset({"", "now", "and", "so", "but", "next", "this", "soon", "already", "today", "i", "years"})


def ages(tokens: list[Token]) -> list[Found]:
    """Find ages from 90 years: "I am ninety three", "aged 94", "a 101-year-old man"."""
    spans: list[Found] = []
    place = 0
    while place < len(tokens):
        read = _number(tokens, place)
        if read is None or not _YOUNGEST <= read[0] <= _OLDEST or not _is_age(tokens, place, read[1]):
            place += 1
            continue
        spans.append(found("AGE", tokens, place, read[1] - 1))
        place = read[1]
    return spans


def _number(tokens: list[Token], place: int) -> tuple[int, int] | None:
    """Read a number up to 199 in words or figures; return it and the place after it."""
    value = decimal(low_at(tokens, place))
    if value is not None:
        return value, place + 1
    hundred = place + 1 if low_at(tokens, place) in {"a", "one"} else place
    if low_at(tokens, hundred) == "hundred":
        after = hundred + 2 if low_at(tokens, hundred + 1) == "and" else hundred + 1
        rest = small(tokens, after)
        return (100 + rest[0], rest[1]) if rest else (100, hundred + 1)
    return small(tokens, place)


def _is_age(tokens: list[Token], place: int, after: int) -> bool:
    following = low_at(tokens, after)
    if following in _AFTER and low_at(tokens, after + 1) in _OLD:
        return True
    before = low_at(tokens, place - 1)
    if before in _BEFORE or (before in {"of", "is", "at"} and low_at(tokens, place - 2) == "age"):
        return following not in {"percent", "over"}
    ends = after >= len(tokens) or any(mark in tokens[after].gap for mark in ".,;!?\n")
    return before in _BEING and (ends or following in _GOES_ON) and "%" not in _gap(tokens, after)


def _gap(tokens: list[Token], place: int) -> str:
    return tokens[place].gap if place < len(tokens) else ""
