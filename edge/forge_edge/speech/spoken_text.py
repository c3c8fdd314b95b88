"""Writes out what a voice would misread: times, dates, doses, units, ranges, numbers. Pure; English.

A dose must be heard as it is meant: "2.5 mg" is "two point five milligrams", never "two. Five em gee". What looks like
a telephone number is read digit by digit.
"""

import re
from collections.abc import Mapping
from datetime import date

_ONES = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_IRREGULAR: Mapping[str, str] = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_UNITS: Mapping[str, tuple[str, str]] = {
    "mg": ("milligram", "milligrams"),
    "g": ("gram", "grams"),
    "kg": ("kilogram", "kilograms"),
    "mcg": ("microgram", "micrograms"),
    "µg": ("microgram", "micrograms"),
    "μg": ("microgram", "micrograms"),
    "ml": ("millilitre", "millilitres"),
    "l": ("litre", "litres"),
    "cm": ("centimetre", "centimetres"),
    "mm": ("millimetre", "millimetres"),
    "m": ("metre", "metres"),
    "h": ("hour", "hours"),
    "min": ("minute", "minutes"),
    "s": ("second", "seconds"),
    "bpm": ("beat per minute", "beats per minute"),
    "%": ("per cent", "per cent"),
    "°c": ("degree", "degrees"),
    "mmhg": ("millimetre of mercury", "millimetres of mercury"),
    "iu": ("international unit", "international units"),
}
_UNIT = "|".join(sorted((re.escape(unit) for unit in _UNITS), key=len, reverse=True))
_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_DASH = "[-\N{EN DASH}\N{EM DASH}]"
LONGEST_NUMBER = 4
"""Digits of a whole number that is still read as a number: a longer one without commas is more likely a code."""

_ISO_DATE = re.compile(r"(?<![\d-])(\d{4})-(\d{2})-(\d{2})(?![\d-])")
_LONG_DATE = re.compile(rf"(?<!\d)(\d{{1,2}}) ({'|'.join(_MONTHS)})(?: (\d{{4}}))?(?!\d)")
_TIME = re.compile(r"(?<![\d:])([01]?\d|2[0-3]):([0-5]\d)(?![\d:])(?: ?([ap])\.?m\b\.?)?", re.IGNORECASE)
_PRESSURE = re.compile(r"(?<![\d/])(\d{2,3})/(\d{2,3})(?![\d/])(?: ?mmHg\b)?", re.IGNORECASE)
_PHONE = re.compile(r"(?<![\w.,])\+?\d[\d ()/-]{5,}\d(?![\w.,]\d)")
_RANGE = re.compile(rf"(?<![\w.,/-])({_NUMBER}) ?{_DASH} ?({_NUMBER})(?![\w/-]|[.,]\d)")
_QUANTITY = re.compile(rf"(?<![\w.,])({_NUMBER}) ?({_UNIT})(?!\w)", re.IGNORECASE)
_ORDINAL = re.compile(r"(?<![\w.,])(\d{1,4})(?:st|nd|rd|th)\b")
_PLAIN = re.compile(rf"(?<![\d.,])(?:{_NUMBER})(?![\d])")
_DIGITS = re.compile(r"\d+", re.ASCII)


def spoken(text: str) -> str:
    """Return a sentence as it is to be spoken; one without digits is returned as it is."""
    if not _DIGITS.search(text):
        return text
    text = _ISO_DATE.sub(_iso_date, text)
    text = _LONG_DATE.sub(_long_date, text)
    text = _TIME.sub(_clock, text)
    text = _PRESSURE.sub(lambda found: f"{number(found[1])} over {number(found[2])}", text)
    text = _RANGE.sub(_range, text)
    text = _PHONE.sub(lambda found: digits(found[0]), text)
    text = _QUANTITY.sub(_quantity, text)
    text = _ORDINAL.sub(lambda found: ordinal(int(found[1])), text)
    text = _PLAIN.sub(lambda found: f" {number(found[0])}" if _follows_letter(found) else number(found[0]), text)
    return _DIGITS.sub(lambda found: f" {digits(found[0])} ", text).replace("  ", " ").strip()


def number(written: str) -> str:
    """Return a number in words.

    Args:
        written: ASCII digits, perhaps with commas at the thousands and a decimal point: ``2.5``, ``1,500``.
    """
    whole, _, fraction = written.replace(",", "").partition(".")
    is_code = (len(whole) > LONGEST_NUMBER and "," not in written) or (len(whole) > 1 and whole[0] == "0")
    words = digits(whole) if is_code or len(whole) > 9 else cardinal(int(whole))  # noqa: PLR2004 (below a billion)
    return f"{words} point {digits(fraction)}" if fraction else words


def cardinal(value: int) -> str:
    """Return a whole number of 0 to 999,999,999 in words."""
    if value < 20:  # noqa: PLR2004 (a word of its own)
        return _ONES[value]
    if value < 100:  # noqa: PLR2004 (tens and ones)
        tens, ones = divmod(value, 10)
        return _TENS[tens] + (f"-{_ONES[ones]}" if ones else "")
    for size, name in ((1_000_000, "million"), (1000, "thousand"), (100, "hundred")):
        if value >= size:
            count, rest = divmod(value, size)
            joint = " and " if rest < 100 else " "  # noqa: PLR2004 (one hundred and five)
            return f"{cardinal(count)} {name}" + (f"{joint}{cardinal(rest)}" if rest else "")
    raise AssertionError("every number above ninety-nine has hundreds")


def ordinal(value: int) -> str:
    """Return a number of 0 to 999,999,999 as a place in an order: ``twenty-first``."""
    words = cardinal(value)
    head = words.rstrip("abcdefghijklmnopqrstuvwxyz")
    last = words.removeprefix(head)
    return head + _IRREGULAR.get(last, f"{last[:-1]}ieth" if last.endswith("y") else f"{last}th")


def digits(written: str) -> str:
    """Return digits one by one, in groups as they are written."""
    groups = [" ".join(_ONES[int(digit)] for digit in group) for group in re.findall(r"[0-9]+", written)]
    return ", ".join(groups)


def _follows_letter(found: re.Match[str]) -> bool:
    return found.start() > 0 and found.string[found.start() - 1].isalpha()


def _iso_date(found: re.Match[str]) -> str:
    try:
        day = date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        return digits(found[0])
    return f"the {ordinal(day.day)} of {_MONTHS[day.month - 1]} {_year(day.year)}"


def _long_date(found: re.Match[str]) -> str:
    words = f"the {ordinal(int(found[1]))} of {found[2]}"
    return f"{words} {_year(int(found[3]))}" if found[3] else words


def _year(year: int) -> str:
    century, rest = divmod(year, 100)
    if year < 1100 or 2000 <= year < 2010:  # noqa: PLR2004 (two thousand and five)
        return cardinal(year)
    if rest == 0:
        return f"{cardinal(century)} hundred"
    return f"{cardinal(century)} {f'oh {_ONES[rest]}' if rest < 10 else cardinal(rest)}"  # noqa: PLR2004 (nineteen oh five)


def _clock(found: re.Match[str]) -> str:
    hour, minute = int(found[1]), int(found[2])
    half = f" {found[3].lower()} m" if found[3] else ""
    if minute == 0:
        return f"{cardinal(hour)}{half}" if half else f"{cardinal(hour)} o'clock"
    minutes = f"oh {_ONES[minute]}" if minute < 10 else cardinal(minute)  # noqa: PLR2004 (eight oh five)
    return f"{cardinal(hour)} {minutes}{half}"


def _range(found: re.Match[str]) -> str:
    first, second = found[1].replace(",", ""), found[2].replace(",", "")
    if len(first) > LONGEST_NUMBER or len(second) > LONGEST_NUMBER or float(first) >= float(second):
        return found[0]
    return f"{number(found[1])} to {found[2]}"


def _quantity(found: re.Match[str]) -> str:
    one, many = _UNITS[found[2].lower()]
    return f"{number(found[1])} {one if found[1] == '1' else many}"
