"""Answers that somebody writes: what they mean as values of a question, and whether they fit it.

No error repeats what was written.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, tzinfo
from typing import TypeVar

from forge_shared.errors import AnswerUnfitError
from forge_shared.forms import elements
from forge_shared.forms.conditions import compare
from forge_shared.forms.elements import AnswerOption, Coding, Quantity, Value
from forge_shared.forms.questionnaire import Item

LONGEST_CHARACTERS = 10_000
"""Most characters of a text where the form sets no limit. Ours."""
_LARGEST_INTEGER = 2**31 - 1
"""FHIR R4 ``integer``: 32 bits, signed."""
_MOST_DIGITS = 18
"""FHIR R4 ``decimal``: 18 digits are kept by every system."""

T = TypeVar("T")

_YES = frozenset({"yes", "y", "true", "yeah", "yep", "yup", "correct", "right"})
_NO = frozenset({"no", "n", "false", "nope", "nah"})


def read(item: Item, written: str, zone: tzinfo) -> tuple[Value, ...]:
    """Return what was written as answers to ``item``; several, if it repeats, have a semicolon between them.

    Args:
        item: A question that is asked.
        written: One line, not empty.
        zone: Time zone of a time that names none.

    Raises:
        AnswerUnfitError: It is no answer to this question.
    """
    whole = written.strip()
    parts = [whole]
    if item.repeats and not (item.answer_option and _option(item, whole)):
        between = r"[;,]" if item.answer_option else ";"
        parts = [part for part in (one.strip() for one in re.split(between, whole)) if part]
    if not parts:
        raise AnswerUnfitError("Please write an answer.")
    values = tuple(dict.fromkeys(read_one(item, part, zone) for part in parts))
    check(item, values)
    return values


def read_one(item: Item, written: str, zone: tzinfo) -> Value:
    """Return what was written as one answer to ``item``. Its limits are not looked at: see `check`.

    Raises:
        AnswerUnfitError: It is no answer to this question.
    """
    if item.type in ("choice", "open-choice"):
        return _choice(item, written)
    if item.type == "dateTime":
        return _date_time(written, zone)
    if item.type == "quantity":
        return _quantity(item, written)
    return _READERS[item.type](written)


def check(item: Item, values: Sequence[Value]) -> None:
    """Check that answers keep what ``item`` sets as limits.

    Raises:
        AnswerUnfitError: They do not.
    """
    least = elements.first(item.extension, elements.MIN_OCCURS)
    most = elements.first(item.extension, elements.MAX_OCCURS) if item.repeats else 1
    if isinstance(least, int) and 0 < len(values) < least:
        raise AnswerUnfitError(f"Please give at least {least} answers, with a semicolon between them.")
    if isinstance(most, int) and len(values) > most:
        raise AnswerUnfitError(f"Please give {'one answer' if most == 1 else f'at most {most} answers'} only.")
    if len(values) > 1 and any(_is_exclusive(item, value) for value in values):
        raise AnswerUnfitError("One of these answers leaves no room for the others. Please choose again.")
    for value in values:
        _check_limits(item, value)


def expected(item: Item) -> str:
    """Return, in a few words, what an answer to ``item`` looks like."""
    if item.type in ("choice", "open-choice") and item.answer_option:
        words = "one of these" if not item.repeats else "one or more of these, with a semicolon between them"
        return f"{words}, or your own words" if item.type == "open-choice" else words
    words = _EXPECTED.get(item.type, "your own words")
    if of := units(item):
        named = ", ".join(coding.display or coding.code for coding in of)
        words = f"{words}, in {named}"
    return f"{words}; several with a semicolon between them" if item.repeats else words


def units(item: Item) -> tuple[Coding, ...]:
    """Return the units that a quantity may have; empty where the form names none."""
    urls = (elements.UNIT_OPTION, elements.UNIT)
    return tuple(e.value_coding for e in item.extension if e.url in urls and e.value_coding is not None)


_EXPECTED: Mapping[str, str] = {
    "boolean": "yes or no",
    "integer": "a whole number",
    "decimal": "a number",
    "quantity": "a number with its unit",
    "date": "a date, such as 2024-02-29, or 2024-02 or 2024",
    "dateTime": "a date and time, such as 2024-02-29 14:30",
    "time": "a time, such as 14:30",
    "url": "an address, such as https://example.org",
}


def _boolean(written: str) -> Value:
    word = written.casefold().rstrip(".!")
    if word not in _YES | _NO:
        raise AnswerUnfitError("Please answer yes or no.")
    return Value(value_boolean=word in _YES)


def _integer(written: str) -> Value:
    if re.fullmatch(r"[+-]?\d{1,10}", written, re.ASCII) is None or abs(int(written)) > _LARGEST_INTEGER:
        raise AnswerUnfitError("Please write a whole number.")
    return Value(value_integer=int(written))


def _decimal(written: str) -> Value:
    return Value(value_decimal=_number(written))


def _number(written: str) -> float:
    plain = written.replace(",", ".")
    digits = sum(character.isdigit() for character in plain)
    if re.fullmatch(r"[+-]?(\d+(\.\d*)?|\.\d+)", plain, re.ASCII) is None or digits > _MOST_DIGITS:
        raise AnswerUnfitError("Please write a number, such as 12 or 12.5.")
    return float(plain)


def _date(written: str) -> Value:
    if re.fullmatch(r"\d{4}(-\d{2}(-\d{2})?)?", written, re.ASCII) is None:
        raise AnswerUnfitError("Please write a date as year, month and day, such as 2024-02-29.")
    _moment(lambda: date.fromisoformat(f"{written}-01-01"[:10] if len(written) < 10 else written))  # noqa: PLR2004 (year-month-day)
    return Value(value_date=written)


def _date_time(written: str, zone: tzinfo) -> Value:
    if re.fullmatch(r"\d{4}(-\d{2}(-\d{2})?)?", written, re.ASCII) is not None:
        return Value(value_date_time=_date(written).value_date)
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2})?", written, re.ASCII) is None:
        raise AnswerUnfitError("Please write a date and time, such as 2024-02-29 14:30.")
    moment = _moment(lambda: datetime.fromisoformat(written))
    aware = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    return Value(value_date_time=aware.isoformat(timespec="seconds"))


def _time(written: str) -> Value:
    if re.fullmatch(r"\d{1,2}:\d{2}(:\d{2})?", written, re.ASCII) is None:
        raise AnswerUnfitError("Please write a time, such as 14:30.")
    full = f"0{written}" if written[1] == ":" else written
    return Value(value_time=_moment(lambda: time.fromisoformat(full)).isoformat())


def _moment(make: Callable[[], T]) -> T:
    try:
        return make()
    except ValueError:
        raise AnswerUnfitError("There is no such day or time. Please write it again.") from None


def _string(written: str) -> Value:
    return Value(value_string=written)


def _url(written: str) -> Value:
    if re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*:\S+", written) is None:
        raise AnswerUnfitError("Please write an address, such as https://example.org.")
    return Value(value_uri=written)


_READERS: Mapping[str, Callable[[str], Value]] = {
    "boolean": _boolean,
    "integer": _integer,
    "decimal": _decimal,
    "date": _date,
    "time": _time,
    "string": _string,
    "text": _string,
    "url": _url,
}


def _choice(item: Item, written: str) -> Value:
    option = _option(item, written)
    if option is not None:
        return option.value
    if item.type == "open-choice":
        return Value(value_string=written)
    if not item.answer_option:
        # The options are in a value set that is not here: the words are kept as such, without a code.
        return Value(value_coding=Coding(display=written))
    raise AnswerUnfitError("Please choose one of the answers, by its words or its number.")


def _option(item: Item, written: str) -> AnswerOption | None:
    """Return the option that was meant: by its words first, then its code, then its number from 1."""
    words = written.casefold()
    by_words = [option for option in item.answer_option if words in {spoken.casefold() for spoken in option.spoken}]
    by_code = [option for option in item.answer_option if words == option.code.casefold()]
    for found in (by_words, by_code):
        if len(found) == 1:
            return found[0]
    number = re.fullmatch(r"\(?(\d{1,4})[.)]?", written, re.ASCII)
    if number is None or any(option.display.isdigit() for option in item.answer_option):
        return None
    place = int(number[1]) - 1
    return item.answer_option[place] if 0 <= place < len(item.answer_option) else None


def _quantity(item: Item, written: str) -> Value:
    match = re.fullmatch(r"([+-]?[\d.,]+)\s*(.*)", written, re.ASCII | re.DOTALL)
    if match is None:
        raise AnswerUnfitError("Please write a number with its unit.")
    number, unit = _number(match[1]), match[2].strip()
    known = units(item)
    if unit or len(known) != 1:
        names = [(one, {one.code.casefold(), one.display.casefold()}) for one in known]
        known = tuple(one for one, own in names if unit and unit.casefold() in own)
        if names and not known:
            raise AnswerUnfitError(f"Please add the unit: {', '.join(one.display or one.code for one, _ in names)}.")
    if known:
        chosen = known[0]
        named = {"unit": chosen.display or chosen.code, "system": chosen.system, "code": chosen.code}
        return Value(value_quantity=Quantity(value=number, **named))
    held = next((value.value_quantity for value in item.initial if value.value_quantity is not None), None)
    if held is not None and not unit:
        return Value(value_quantity=held.model_copy(update={"value": number}))
    return Value(value_quantity=Quantity(value=number, unit=unit))


def _is_exclusive(item: Item, value: Value) -> bool:
    content = value.content
    option = item.option(content.code or content.display) if isinstance(content, Coding) else None
    return option is not None and option.is_exclusive


def _check_limits(item: Item, value: Value) -> None:
    content = value.content
    if isinstance(content, str) and item.type in ("string", "text", "url", "open-choice"):
        shortest = elements.first(item.extension, elements.MIN_LENGTH)
        longest = item.max_length or LONGEST_CHARACTERS
        if len(content) > longest:
            raise AnswerUnfitError(f"Please write at most {longest} characters.")
        if isinstance(shortest, int) and len(content) < shortest:
            raise AnswerUnfitError(f"Please write at least {shortest} characters.")
    number = content.value if isinstance(content, Quantity) else content
    places = elements.first(item.extension, elements.MAX_DECIMAL_PLACES)
    if isinstance(places, int) and isinstance(number, float) and not math.isclose(round(number, places), number):
        raise AnswerUnfitError(f"Please write at most {places} digits after the point.")
    lowest = elements.first(item.extension, elements.MIN_VALUE)
    if lowest is not None and compare(content, lowest) == -1:
        raise AnswerUnfitError(f"Please give {_shown(lowest)} or more.")
    highest = elements.first(item.extension, elements.MAX_VALUE)
    if highest is not None and compare(content, highest) == 1:
        raise AnswerUnfitError(f"Please give {_shown(highest)} or less.")


def _shown(limit: object) -> str:
    if isinstance(limit, Quantity):
        return f"{_shown(limit.value)} {limit.unit or limit.code}".strip()
    return f"{limit:g}" if isinstance(limit, float) else str(limit)
