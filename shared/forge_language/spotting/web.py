"""Finds addresses of the web, of machines and of devices, written or spoken ("w w w dot example dot org")."""

from typing import Final

from forge_language.spotting.tokens import Found, Kind, Token, found, low_at
from forge_language.spotting.vocabulary import word_set

_SHAPES: Final[dict[str, Kind]] = {"url": "URL", "ip": "IP", "device": "NUMBER"}
_ENDINGS: Final = word_set("""
com org net edu gov info biz eu uk ie de fr ch nl se dk fi pl cz hu ro pt gr ru tr jp cn br mx ca au nz io nhs health
""")
"""Last labels of hosts. Ours: the usual ones that are no English word, for a full stop may stand without a space."""

_SPOKEN_ENDINGS: Final = frozenset({"com", "org", "net", "edu", "gov", "uk", "info", "eu", "nhs"})
_PATH_MARKS: Final = frozenset({"/", ".", "-", "?", "=", "&", "_", "#", "%"})


def web_addresses(tokens: list[Token]) -> list[Found]:
    """Find addresses of the web (URL), of machines (IP) and of devices (NUMBER)."""
    spans: list[Found] = []
    place = 0
    while place < len(tokens):
        kind = _SHAPES.get(tokens[place].shape)
        if kind is not None:
            spans.append(found(kind, tokens, place, place))
        elif (host := _host(tokens, place, spans[-1].last if spans else -1)) is not None:
            spans.append(found("URL", tokens, *host))
            place = host[1]
        place += 1
    return spans


def _host(tokens: list[Token], place: int, limit: int) -> tuple[int, int] | None:
    """Return the first and last token of an address whose last label stands at a place."""
    word = tokens[place].low
    if word in _ENDINGS and tokens[place].gap == "." and place - 1 > limit:
        first = place - 1
        while first - 1 > limit and tokens[first].gap in {".", "-"} and tokens[first - 1].low:
            first -= 1
        return (first, _path_end(tokens, place)) if any(mark.isalpha() for mark in tokens[first].low) else None
    if word in _SPOKEN_ENDINGS and low_at(tokens, place - 1) == "dot" and place - 2 > limit:
        first = place - 2
        while first - 2 > limit and low_at(tokens, first - 1) == "dot" and low_at(tokens, first - 2):
            first -= 2
        while first - 1 > limit and low_at(tokens, first) == "w" and low_at(tokens, first - 1) == "w":
            first -= 1
        last = place
        while low_at(tokens, last + 1) in {"slash", "dot"} and low_at(tokens, last + 2):
            last += 2
        return (first, last) if low_at(tokens, first) else None
    return None


def _path_end(tokens: list[Token], place: int) -> int:
    while place + 1 < len(tokens) and tokens[place + 1].gap in _PATH_MARKS and tokens[place + 1].low:
        place += 1
    return place
