"""Finds mail addresses, written or spoken ("jane dot doe at example dot org")."""

from typing import Final

from forge_language.spotting.counting import small
from forge_language.spotting.tokens import Found, Token, found, low_at
from forge_language.spotting.vocabulary import COMMON_WORDS, FAMILY_NAMES, FIRST_NAMES, NEVER_NAMES, word_set

_ENDINGS: Final = word_set("""
com org net edu gov uk co ie eu us ca au nz io info nhs ac biz me de fr es it nl in test example invalid
""")
_DOTS: Final = frozenset({"dot", "point", "period", "full"})
_LINKS: Final = frozenset({"underscore", "hyphen", "dash", "plus", "minus"}) | _DOTS
_CUES: Final = frozenset({"email", "e-mail", "mail", "emails", "gmail"})
_PERSONS: Final = FIRST_NAMES | FAMILY_NAMES - COMMON_WORDS
_LONGEST_PART: Final = 8
"""Words of a spoken local part; "j underscore smith seventy two" has five."""

_LONGEST_HOST: Final = 3
"""Words before the first spoken dot of a host, as in "blue river trust dot org"."""

_OPENERS: Final = NEVER_NAMES | {
    "email",
    "mail",
    "address",
    "to",
    "send",
    "at",
    "use",
    "try",
    "write",
    "contact",
    "on",
    "me",
}


def mail_addresses(tokens: list[Token]) -> list[Found]:
    """Find mail addresses; a spoken one needs "at" and a host with a spoken dot."""
    spans: list[Found] = []
    floor = 0
    for place, token in enumerate(tokens):
        if token.shape == "email":
            spans.append(found("EMAIL", tokens, place, place))
            floor = place + 1
        elif token.low == "at" and place >= floor:
            end = _host(tokens, place + 1)
            first = _local_part(tokens, place, floor) if end else place
            if end and first < place:
                spans.append(found("EMAIL", tokens, first, end - 1))
                floor = end
    return spans


def _host(tokens: list[Token], place: int) -> int | None:
    """Return the place after a spoken host, else None."""
    dot = next((at for at in range(place + 1, place + 1 + _LONGEST_HOST) if low_at(tokens, at) in _DOTS), None)
    if dot is None or not all(low_at(tokens, at) for at in range(place, dot)):
        return None
    end = dot
    ending = ""
    while low_at(tokens, end) in _DOTS and low_at(tokens, end + 1):
        ending = low_at(tokens, end + 1)
        end += 2
        if len(ending) == 1:  # spelled labels: "dot u k", "dot n h s"
            while len(low_at(tokens, end)) == 1 and low_at(tokens, end).isalpha() and ending not in _ENDINGS:
                ending += low_at(tokens, end)
                end += 1
        elif ending == "co" and low_at(tokens, end) == "uk":
            ending = "uk"
            end += 1
    return min(end, len(tokens)) if ending in _ENDINGS else None


def _local_part(tokens: list[Token], at: int, floor: int) -> int:
    """Return the place where a spoken local part before "at" begins."""
    lowest = max(floor, at - _LONGEST_PART)
    cue = next((place for place in range(at - 1, lowest - 1, -1) if low_at(tokens, place) in _CUES), None)
    if cue is not None:
        first = cue + 1
        while first < at and low_at(tokens, first) in _OPENERS:
            first += 1
        if first < at:
            return first
    first = at
    while first > lowest and low_at(tokens, first - 1):
        before = low_at(tokens, first - 1)
        if (
            before in _LINKS
            or _is_sign(tokens, first - 1)
            or _follows_link(tokens, first)
            or (first == at and before not in _OPENERS)
            or (_is_sign(tokens, first) and before not in _OPENERS and first < at)
            or before in _PERSONS
        ):
            first -= 1
        else:
            break
    while first < at and low_at(tokens, first) in _LINKS:
        first += 1
    return first


def _is_sign(tokens: list[Token], place: int) -> bool:
    word = low_at(tokens, place)
    return small(tokens, place) is not None or word.isdecimal() or (len(word) == 1 and word != "i")


def _follows_link(tokens: list[Token], place: int) -> bool:
    return low_at(tokens, place) in _LINKS
