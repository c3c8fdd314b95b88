"""Numbers, dates and times of day as they are spoken in English: every phrase with what is written for it."""

from collections.abc import Iterator

_ONES = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_ORDINALS = (
    *("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh"),
    *("twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth"),
    *("twentieth", *(f"twenty {n}" for n in ("first", "second", "third", "fourth", "fifth"))),
    *(*(f"twenty {n}" for n in ("sixth", "seventh", "eighth", "ninth")), "thirtieth", "thirty first"),
)
MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november"),
    "december",
)
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
LARGEST = 999
"""The largest whole number that is spoken here."""
PARTS_OF_DAY = ("morning", "afternoon", "evening", "night")
_HOURS = 12
_NIGHT_ENDS = 6
"""Before six "at night" is of the early morning: as people use the word; the answer is read back with its time."""


def whole(number: int) -> tuple[str, ...]:
    """Return every way of saying ``number``, 0 to `LARGEST`, the plainest first."""
    if number < len(_ONES):
        return (_ONES[number],)
    if number < 100:  # noqa: PLR2004 (tens end here)
        tens, ones = divmod(number, 10)
        return (f"{_TENS[tens]} {_ONES[ones]}" if ones else _TENS[tens],)
    hundreds, rest = divmod(number, 100)
    begins = (f"{_ONES[hundreds]} hundred", *(("a hundred",) if hundreds == 1 else ()))
    if not rest:
        return begins
    (said,) = whole(rest)
    return tuple(f"{begin}{between}{said}" for begin in begins for between in (" and ", " "))


def signed(number: int) -> tuple[str, ...]:
    """Return every way of saying ``number``, of which at most `LARGEST` to either side of zero."""
    return whole(number) if number >= 0 else tuple(f"minus {said}" for said in whole(-number))


def digit(number: int) -> str:
    """Return the word of one digit."""
    return _ONES[number]


def year(number: int) -> tuple[str, ...]:
    """Return every way of saying a year, 1000 to 2999."""
    century, rest = divmod(number, 100)
    (first,) = whole(century)
    if not rest:
        thousands = century % 10 == 0
        return (f"{_ONES[century // 10]} thousand",) if thousands else (f"{first} hundred",)
    (last,) = whole(rest)
    said = [f"{first} {last}" if rest > 9 else f"{first} oh {last}"]  # noqa: PLR2004 (nineteen oh five)
    if century % 10 == 0:
        said += [f"{_ONES[century // 10]} thousand and {last}", f"{_ONES[century // 10]} thousand {last}"]
    return tuple(said)


def days() -> Iterator[tuple[str, str]]:
    """Yield every day of a year as it is said, with ``MM-DD``: "the third of march" and "march the third"."""
    for month, name in enumerate(MONTHS, 1):
        for day in range(1, _DAYS[month - 1] + 1):
            for said in (f"{_ORDINALS[day - 1]} of {name}", f"{name} {_ORDINALS[day - 1]}"):
                yield said, f"{month:02}-{day:02}"


def times() -> Iterator[tuple[str, str]]:
    """Yield the times of a clock of twelve hours in steps of five minutes, with ``H:MM``."""
    for hour in range(1, _HOURS + 1):
        name, following = _ONES[hour], _ONES[hour % _HOURS + 1]
        yield f"{name} o'clock", f"{hour}:00"
        yield f"half past {name}", f"{hour}:30"
        yield f"quarter past {name}", f"{hour}:15"
        yield f"quarter to {following}", f"{hour}:45"
        for minute in range(5, 60, 5):
            (said,) = whole(minute)
            yield f"{name} oh five" if minute == 5 else f"{name} {said}", f"{hour}:{minute:02}"  # noqa: PLR2004 (ten oh five)


def time_of_day(clock: str, part: str) -> str:
    """Return ``HH:MM`` of 24 hours, of a time of `times` and one of `PARTS_OF_DAY`."""
    hour, minute = (int(number) for number in clock.split(":"))
    late = part in ("afternoon", "evening") or (part == "night" and _NIGHT_ENDS <= hour < _HOURS)
    return f"{hour % _HOURS + _HOURS * late:02}:{minute:02}"


def date_in_words(written: str) -> str:
    """Return a FHIR date (year, month and day; or less) as it is read out: "3 March 1956"."""
    parts = written.split("-")
    month = MONTHS[int(parts[1]) - 1].capitalize() if len(parts) > 1 else ""
    day = str(int(parts[2])) if len(parts) > 2 else ""  # noqa: PLR2004 (year-month-day)
    return " ".join(word for word in (day, month, parts[0]) if word)
