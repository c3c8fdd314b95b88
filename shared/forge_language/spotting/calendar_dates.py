"""Finds calendar dates: a day with its month, a month with its year, a numeric date, a year of birth."""

from typing import Final

from forge_language.spotting.counting import TENS, ordinal, small, year
from forge_language.spotting.tokens import Found, Token, decimal, found, low_at
from forge_language.spotting.vocabulary import word_set

_MONTHS: Final = word_set("""
january february march april may june july august september october november december jan feb mar apr jun jul aug sept
sep oct nov dec
""")
_WEEKDAYS: Final = word_set("""
monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu thur thurs fri sat sun
""")
_WORDS_TOO: Final = frozenset({"may", "march", "mar", "sun", "sat", "wed", "dec", "jan"})
_BIRTH_CUES: Final = frozenset({"born", "birth", "dob", "birthday", "birthdate"})
_CUE_REACH: Final = 6
_CLOCK_FIGURES: Final = 2
_LAST_DAY: Final = 31
_LAST_MONTH: Final = 12
_FIRST_SHORT_YEAR: Final = 30
"""Two-figure years from here on are taken as such after a month ("march fifty two")."""


def dates(tokens: list[Token]) -> list[Found]:
    """Find dates; a bare weekday, month or year without a birth is none."""
    spans: list[Found] = []
    place = 0
    while place < len(tokens):
        end = _date(tokens, place)
        if end is None:
            place += 1
            continue
        first = _opening(tokens, place, spans[-1].last if spans else -1)
        kind = "DATE" if tokens[place].shape != "calendar" or _plausible(tokens[place].raw) else "NUMBER"
        spans.append(found("DATE" if kind == "DATE" else "NUMBER", tokens, first, end - 1))
        place = end
    return spans


def _date(tokens: list[Token], place: int) -> int | None:
    if tokens[place].shape == "calendar":
        return _clock(tokens, place + 1)
    return _day_month(tokens, place) or _month_day(tokens, place) or _month_year(tokens, place) or _birth(tokens, place)


def _clock(tokens: list[Token], place: int) -> int:
    """Return the place after a time of day that follows a numeric date, as in a time stamp, or the same place."""
    end = place
    while end < len(tokens) and len(tokens[end].raw) == _CLOCK_FIGURES and decimal(tokens[end].low) is not None:
        if tokens[end].gap not in ({" ", "T"} if end == place else {":"}):
            break
        end += 1
    return end if end - place > 1 else place


def _joined(tokens: list[Token], place: int, more: str = "") -> bool:
    """Say whether nothing but a space, a comma or the given marks stands before the token."""
    return place < len(tokens) and all(mark in " ,\t'\u2019-/" + more for mark in tokens[place].gap)


def _day_month(tokens: list[Token], place: int) -> int | None:
    day = ordinal(tokens, place)
    spoken = day is not None
    if day is None:
        value = decimal(low_at(tokens, place))
        day = (value, place + 1) if value else small(tokens, place)
        if day is None or not 0 < day[0] <= _LAST_DAY:
            return None
    after = day[1]
    had_of = low_at(tokens, after) in {"of", "day"}
    while low_at(tokens, after) in {"of", "day"}:
        after += 1
    month = low_at(tokens, after)
    if not _joined(tokens, after, "."):
        return None
    if month in _MONTHS:
        end = _with_year(tokens, after + 1)
        sure = spoken or decimal(low_at(tokens, place)) is not None or month not in _WORDS_TOO
        return end if sure or end > after + 1 else None
    # "The third of the fourth nineteen fifty two": the month is an ordinal, so a year must follow.
    if spoken and had_of:
        if month == "the":
            after += 1
        numbered = ordinal(tokens, after)
        if numbered and numbered[0] <= _LAST_MONTH and (end := _with_year(tokens, numbered[1])) > numbered[1]:
            return end
    return None


def _month_day(tokens: list[Token], place: int) -> int | None:
    if low_at(tokens, place) not in _MONTHS:
        return None
    after = place + 2 if low_at(tokens, place + 1) == "the" else place + 1
    if not _joined(tokens, after, "."):
        return None
    day = ordinal(tokens, after)
    if day is None:
        value = decimal(low_at(tokens, after))
        day = (value, after + 1) if value and value <= _LAST_DAY else None
    if day is None and year(tokens, after) is None:
        spelled = small(tokens, after)
        if (
            spelled
            and 0 < spelled[0] <= _LAST_DAY
            and (low_at(tokens, place) not in _WORDS_TOO or year(tokens, spelled[1]) is not None)
        ):
            day = spelled
    return _with_year(tokens, day[1]) if day else None


def _month_year(tokens: list[Token], place: int) -> int | None:
    if low_at(tokens, place) not in _MONTHS:
        return None
    after = place + 2 if low_at(tokens, place + 1) == "of" else place + 1
    return year(tokens, after) if _joined(tokens, after, ".") else None


def _with_year(tokens: list[Token], place: int) -> int:
    """Return the place after a year that follows a day and month, or the same place."""
    for skipped in (0, 1):
        if skipped and low_at(tokens, place) not in {"in", "of"}:
            break
        if not _joined(tokens, place + skipped):
            break
        if (end := year(tokens, place + skipped)) is not None:
            return end
    if not _joined(tokens, place):
        return place
    short = decimal(low_at(tokens, place))
    if short is not None and len(low_at(tokens, place)) == 2 and "'" in tokens[place].gap.replace("\u2019", "'"):  # noqa: PLR2004 ('52)
        return place + 1
    spelled = small(tokens, place)
    if spelled and low_at(tokens, place) in TENS and spelled[0] >= _FIRST_SHORT_YEAR and spelled[1] == place + 2:
        return spelled[1]
    return place


def _birth(tokens: list[Token], place: int) -> int | None:
    """Read what only a birth makes a date: a year, or day, month and year in plain numbers."""
    reach = range(max(0, place - _CUE_REACH), place)
    if not any(low_at(tokens, before) in _BIRTH_CUES for before in reach):
        return None
    if (end := year(tokens, place)) is not None:
        return end
    after = place
    for limit in (_LAST_DAY, _LAST_MONTH):
        if low_at(tokens, after) in {"oh", "zero", "o", "nought"}:
            after += 1
        value = decimal(low_at(tokens, after))
        part = (value, after + 1) if value is not None else small(tokens, after)
        if part is None or not 0 < part[0] <= max(limit, _LAST_DAY):
            return None
        after = part[1]
        while low_at(tokens, after) in {"slash", "dash", "stroke", "of", "the"}:
            after += 1
    if (end := year(tokens, after)) is not None:
        return end
    value = decimal(low_at(tokens, after))
    if value is not None and len(low_at(tokens, after)) in {2, 4}:
        return after + 1
    rest = small(tokens, after)
    return rest[1] if rest else None


def _opening(tokens: list[Token], place: int, limit: int) -> int:
    """Return where a date starts, counting a leading "the" and weekday."""
    first = place
    if first - 1 > limit and low_at(tokens, first - 1) == "the" and tokens[place].gap.isspace():
        first -= 1
    weekday = low_at(tokens, first - 1)
    if first - 1 > limit and weekday in _WEEKDAYS and _joined(tokens, first, "."):
        first -= 1
    return first


def _plausible(raw: str) -> bool:
    """Say whether a numeric date can be one in some usual order of day, month and year."""
    parts = [int(part) for part in raw.replace("/", "-").replace(".", "-").split("-")]
    day_month = parts[1:] if parts[0] > _LAST_DAY else parts[:2]
    return all(0 < part <= _LAST_DAY for part in day_month) and min(day_month) <= _LAST_MONTH
