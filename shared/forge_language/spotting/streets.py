"""Finds addresses: a flat or house number with its street, or a street named as where someone lives."""

from typing import Final

from forge_language.spotting.counting import small
from forge_language.spotting.tokens import Found, Token, found, low_at
from forge_language.spotting.vocabulary import word_set

_STREET_TYPES: Final = word_set("""
street road avenue lane crescent gardens grove terrace boulevard mews parade st rd ave ln blvd cres drive dr close
court ct way place pl square sq hill park rise row walk view green parkway circle highway quay wharf croft vale
cottages villas meadow meadows path alley turnpike esplanade broadway plaza loop trail estate
""")
_SURE_TYPES: Final = word_set("""
street road avenue lane crescent gardens grove terrace boulevard mews rd ave ln blvd cres close parkway
""")
_PLACES: Final = frozenset({"cottage", "house", "farm", "lodge", "tower", "towers", "manor", "hall", "barn"})
_UNITS: Final = frozenset({"flat", "apartment", "apt", "unit", "suite", "maisonette", "house", "number"})
_NOT_A_NAME: Final = word_set("""
a an and or but of for with from to in on at by my your his her our their this that these those minute minutes hour
hours mile miles way ways more other others different hundred thousand people men women cars buses steps metres yards
blocks times days weeks months years doses tablets pills turns i you he she we they it is was are were am not no out
up down o'clock pounds pence dollars percent degrees then than about around near so if when got get go went car
""")
_LIVING: Final = frozenset({"live", "lives", "lived", "living", "address", "moved", "stay", "staying", "home", "house"})
_LONGEST_STREET: Final = 3
"""Words between the house number and the kind of street, as in "12 Great Western Park Road"."""

_LIVING_REACH: Final = 5
_HUNDRED: Final = "hundred"


def addresses(tokens: list[Token]) -> list[Found]:
    """Find addresses from the flat or house number to the kind of street."""
    spans: list[Found] = []
    place = 0
    while place < len(tokens):
        end = _numbered(tokens, place) or _named_home(tokens, place)
        if end is None:
            place += 1
            continue
        spans.append(found("ADDRESS", tokens, place, end - 1))
        place = end
    return spans


def _numbered(tokens: list[Token], place: int) -> int | None:
    after = place
    unit = low_at(tokens, place) in _UNITS
    if unit:
        after = _house_number(tokens, place + 1) or (place + 2 if len(low_at(tokens, place + 1)) == 1 else 0)
        if not after:
            return None
        house = _house_number(tokens, after)
        street = _street(tokens, house or after, lives=True)
        if street is None and low_at(tokens, place) in {"flat", "apartment", "apt", "maisonette"}:
            return house or after
        return street
    house = _house_number(tokens, place)
    return _street(tokens, house, lives=_says_living(tokens, place)) if house else None


def _house_number(tokens: list[Token], place: int) -> int | None:
    """Return the place after a house number such as 12, 12a, "twelve a", "one hundred and four", "two two one b"."""
    word = low_at(tokens, place)
    end: int | None = None
    if word[:1].isdecimal() and len(word) <= 5 and word.rstrip("abcdefgh").isdecimal():  # noqa: PLR2004 (12345 Main Street)
        end = place + 1
        if (
            tokens[place + 1 : place + 2]
            and tokens[place + 1].gap in {"-", "/", "\u2013"}
            and low_at(tokens, end).isdecimal()
        ):
            end += 1
    else:
        while (number := small(tokens, end or place)) is not None and (end or place) - place < 4:  # noqa: PLR2004 (digits)
            end = number[1]
        if end is not None and low_at(tokens, end) == _HUNDRED:
            end += 1
            if low_at(tokens, end) == "and":
                end += 1
            more = small(tokens, end)
            end = more[1] if more else end
    if end is None:
        return None
    letter = low_at(tokens, end)
    return end + 1 if len(letter) == 1 and "a" <= letter <= "h" and _close(tokens, end) else end


def _close(tokens: list[Token], place: int) -> bool:
    return place < len(tokens) and len(tokens[place].gap) <= 2 and not tokens[place].opens_sentence  # noqa: PLR2004 (", ")


def _street(tokens: list[Token], place: int, *, lives: bool) -> int | None:
    """Return the place after a street that starts here, else None."""
    if low_at(tokens, place) == "the":
        place += 1
        if low_at(tokens, place) in _STREET_TYPES and lives and _close(tokens, place):
            return place + 1
    for length in range(_LONGEST_STREET + 1):
        here = place + length
        word = low_at(tokens, here)
        if not word or not _close(tokens, here) or ("," in tokens[here].gap and length) or word in _NOT_A_NAME:
            return None
        # The longest reading wins: "park road" is a road, "mill hill lane" a lane.
        if (
            length
            and word in _STREET_TYPES
            and not (
                _close(tokens, here + 1)
                and low_at(tokens, here + 1) in _STREET_TYPES
                and length < _LONGEST_STREET
                and tokens[here + 1].gap == " "
            )
        ):
            capital = tokens[here].capital and tokens[here - 1].capital
            return here + 1 if lives or capital or word in _SURE_TYPES else None
        if word.isdecimal():
            return None
    return None


def _says_living(tokens: list[Token], place: int) -> bool:
    return any(low_at(tokens, before) in _LIVING for before in range(max(0, place - _LIVING_REACH), place))


def _named_home(tokens: list[Token], place: int) -> int | None:
    """Read a street or house without a number right after "live on", "live at" or "address is"."""
    if low_at(tokens, place - 1) not in {"on", "at", "in", "is", "to"} or low_at(tokens, place - 2) not in _LIVING:
        return None
    street = _street(tokens, place, lives=True)
    if street is not None:
        return street
    for length in range(1, _LONGEST_STREET):
        words = [low_at(tokens, place + number) for number in range(length)]
        if any(not word or word in _NOT_A_NAME or word in {"the", "nursing", "care", "old"} for word in words):
            return None
        if low_at(tokens, place + length) in _PLACES and tokens[place + length].gap == " ":
            return place + length + 1
    return None
