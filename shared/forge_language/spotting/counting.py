"""Spoken and written numbers: days, years, houses, and runs of spelled digits and letters."""

from dataclasses import dataclass
from typing import Final

from forge_language.spotting.tokens import Token, decimal, low_at

UNITS: Final = {
    word: value
    for value, word in enumerate(["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"], start=1)
}
ZEROS: Final = frozenset({"zero", "oh", "nought", "naught", "nil", "null"})
TEENS: Final = {
    word: value
    for value, word in enumerate(
        ["ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"],
        start=10,
    )
}
TENS: Final = {
    word: 10 * value
    for value, word in enumerate(
        ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], start=2
    )
} | {"fourty": 40}
_ORDINAL_UNITS = {
    word: value
    for value, word in enumerate(
        ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth"], start=1
    )
}
_ORDINALS = (
    _ORDINAL_UNITS
    | {
        word: value
        for value, word in enumerate(
            [
                "tenth",
                "eleventh",
                "twelfth",
                "thirteenth",
                "fourteenth",
                "fifteenth",
                "sixteenth",
                "seventeenth",
                "eighteenth",
                "nineteenth",
            ],
            start=10,
        )
    }
    | {"twentieth": 20, "thirtieth": 30}
)
_REPEATS = {"double": 2, "triple": 3, "treble": 3}
_JOINERS = frozenset({"dash", "hyphen", "space", "slash", "stroke", "minus"})
_GAP_MARKS = frozenset(" -().+\t\u2010\u2011\u2013")
_GAP_LIMIT = 4
"""At most this many characters stand between two groups of one number, as in ``) - ``."""

_LAST_DAY = 31


def small(tokens: list[Token], place: int) -> tuple[int, int] | None:
    """Read a number from 0 to 99 in words; return it and the place after it."""
    word = low_at(tokens, place)
    if word in TENS:
        unit = UNITS.get(low_at(tokens, place + 1))
        return (TENS[word] + unit, place + 2) if unit else (TENS[word], place + 1)
    value = UNITS.get(word) or TEENS.get(word) or (0 if word in ZEROS else None)
    return None if value is None else (value, place + 1)


def ordinal(tokens: list[Token], place: int) -> tuple[int, int] | None:
    """Read an ordinal from 1 to 31 in words or figures ("third", "twenty first", "3rd")."""
    word = low_at(tokens, place)
    if word in TENS and (unit := _ORDINAL_UNITS.get(low_at(tokens, place + 1))):
        return (TENS[word] + unit, place + 2) if TENS[word] + unit <= _LAST_DAY else None
    if word in _ORDINALS:
        return _ORDINALS[word], place + 1
    if word[-2:] in {"st", "nd", "rd", "th"} and (value := decimal(word[:-2])) is not None and 0 < value <= _LAST_DAY:
        return value, place + 1
    return None


def year(tokens: list[Token], place: int) -> int | None:
    """Return the place after a year from 1800 to 2099 in words or figures, else None."""
    word = low_at(tokens, place)
    if len(word) == 4 and (value := decimal(word)) and 1800 <= value <= 2099:  # noqa: PLR2004 (years people name)
        return place + 1
    following = low_at(tokens, place + 1)
    if word in {"eighteen", "nineteen", "twenty"}:
        if following == "hundred":
            more = small(tokens, place + 3) if low_at(tokens, place + 2) == "and" else None
            return more[1] if more else place + 2
        if following in ZEROS | {"o"} and low_at(tokens, place + 2) in UNITS:
            return place + 3
        rest = small(tokens, place + 1)
        return rest[1] if rest and rest[0] > 9 else None  # noqa: PLR2004 (two figures)
    if word == "two" and following == "thousand":
        after = place + 3 if low_at(tokens, place + 2) == "and" else place + 2
        rest = small(tokens, after)
        return rest[1] if rest else place + 2
    return None


@dataclass(frozen=True, slots=True)
class Run:
    """Neighbouring digits and single letters, spelled or written.

    Attributes:
        chars: Digits and small letters in order, as in ``sw1a2aa``.
        places: For each character the index of its token.
        plus: Whether a plus stood before the first digit.
    """

    chars: str
    places: tuple[int, ...]
    plus: bool

    def whole_tokens(self, start: int, end: int) -> bool:
        """Say whether the characters ``start`` to ``end`` break no token."""
        return (start == 0 or self.places[start - 1] != self.places[start]) and (
            end == len(self.chars) or self.places[end - 1] != self.places[end]
        )


def runs(tokens: list[Token], areas: frozenset[str]) -> list[Run]:
    """Return the runs of at least two characters.

    Args:
        tokens: The text.
        areas: Two-letter words that may open a postcode, taken as spelled before a digit.
    """
    result: list[Run] = []
    place = 0
    while place < len(tokens):
        run, place = _run(tokens, place, areas)
        if run is not None:
            result.append(run)
    return result


def _run(tokens: list[Token], place: int, areas: frozenset[str]) -> tuple[Run | None, int]:
    chars: list[str] = []
    places: list[int] = []
    plus = "+" in tokens[place].gap or low_at(tokens, place) == "plus"
    if low_at(tokens, place) == "plus":
        place += 1
    first = place
    while place < len(tokens):
        if chars and not _joins(tokens[place].gap):
            break
        piece, after = _piece(tokens, place, areas)
        # "Oh eight hundred" and "nine hundred" inside a telephone number end in two zeros.
        if chars and low_at(tokens, place) == "hundred" and low_at(tokens, place + 1) != "and":
            piece, after = "00", place + 1
        if not piece:
            if not (chars and low_at(tokens, place) in _JOINERS):
                break
            place += 1
            continue
        chars.append(piece)
        # A repeated or two-word piece belongs to the tokens it came from, shared out evenly from the front.
        places.extend(min(place + number, after - 1) for number in _shares(len(piece), after - place))
        place = after
    text = "".join(chars)
    if len(text) < 2:  # noqa: PLR2004 (a single sign is no run)
        return None, max(place, first + 1)
    return Run(text, tuple(places), plus), place


def _shares(length: int, words: int) -> list[int]:
    """Give each of ``length`` characters a word number below ``words``; the last word gets at least one."""
    return (
        [number * words // length for number in range(length)] if words <= length else [0] * (length - 1) + [words - 1]
    )


def _joins(gap: str) -> bool:
    return len(gap) <= _GAP_LIMIT and all(mark in _GAP_MARKS for mark in gap)


def _piece(  # noqa: PLR0911 (one return per way of spelling)
    tokens: list[Token], place: int, areas: frozenset[str]
) -> tuple[str, int]:
    """Return what one spelled or written piece stands for, and the place after it."""
    word = low_at(tokens, place)
    following = low_at(tokens, place + 1)
    if word in _REPEATS:
        if word == "double" and following in {"u", "you"}:
            return "w", place + 2
        sign = _sign(following)
        return (sign * _REPEATS[word], place + 2) if sign else ("", place)
    if sign := _sign(word):
        return sign, place + 1
    if word in TEENS:
        return str(TEENS[word]), place + 1
    if word in TENS:
        unit = UNITS.get(following)
        return (str(TENS[word] + unit), place + 2) if unit else (str(TENS[word]), place + 1)
    # Word tokens with a digit are codes, but not ordinals (3rd), amounts (20mg) or times (5pm).
    if any(mark.isdecimal() for mark in word) and not _is_measure(word):
        return "".join(str(value) if (value := decimal(mark)) is not None else mark for mark in word), place + 1
    if word in areas and (following in UNITS or following in TEENS or following[:1].isdecimal()):
        return word, place + 1
    return "", place


def _sign(word: str) -> str:
    if word in UNITS:
        return str(UNITS[word])
    if word in ZEROS:
        return "0"
    return word if len(word) == 1 and (word.isdecimal() or ("a" <= word <= "z")) else ""


def _is_measure(word: str) -> bool:
    return (
        word.lstrip("0123456789")
        in {
            *("st", "nd", "rd", "th", "mg", "ml", "mcg", "kg", "g", "cm", "mm", "m", "km", "pm", "am", "kcal", "mmhg"),
            *("bpm", "hrs", "hr", "min", "mins", "s", "x", "k", "pounds", "ft", "lb", "lbs", "oz", "l"),
        }
        and not word.isdecimal()
    )
