"""The first redactor: identifying spans out, their kind in.

It is made of patterns and short word lists, so it is fast, explainable and incomplete: text it has passed is
*pseudonymised*, never anonymous, and its measured recall (`benchmarks/language.py`) belongs beside every use. It reads
written text and the output of speech recognisers (small letters, no punctuation, digits as words).
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from forge_language.spotting.calendar_dates import dates
from forge_language.spotting.codes import numbers, postcodes
from forge_language.spotting.mail import mail_addresses
from forge_language.spotting.people import known_people, names
from forge_language.spotting.streets import addresses
from forge_language.spotting.tokens import Found, Kind, Token, hide, split

__all__ = ["Kind", "Redacted", "Span", "redact"]

_PASSES: Final = 6
"""A find can uncover another; text is searched until nothing new comes up, at most this often. Two passes are usual."""

_FINDERS: Final[tuple[Callable[[list[Token]], list[Found]], ...]] = (
    mail_addresses,
    addresses,
    dates,
    postcodes,
    numbers,
    names,
)


@dataclass(frozen=True, slots=True)
class Span:
    """An identifying span of the original text, ``text[start:end]``."""

    kind: Kind
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Redacted:
    """A text without its identifying spans.

    Attributes:
        text: Each span replaced by its kind in brackets, such as ``[NAME]``.
        spans: What was replaced, in order, without overlap, in places of the original text.
        counts: How many spans of each kind; kinds without one are absent.
    """

    text: str
    spans: tuple[Span, ...]
    counts: Mapping[str, int]


def redact(text: str, known_names: frozenset[str] = frozenset()) -> Redacted:
    """Replace what identifies a person by its kind.

    Args:
        text: What was said or written, any Unicode.
        known_names: Names of this ward's staff and patients, redacted wherever they are said, in any case.

    Returns:
        The text that may be kept, and what was taken out. Redacting it again changes nothing.
    """
    spans: list[Span] = []
    for _ in range(_PASSES):
        current, places = _apply(text, spans)
        fresh = _search(current, known_names)
        if not fresh:
            break
        # Places of the shortened text go back to the original; a new span never cuts into a placeholder.
        spans.extend(Span(span.kind, places[span.start], places[span.end - 1] + 1) for span in fresh)
        spans.sort(key=lambda span: span.start)
    result, _ = _apply(text, spans)
    counts = Counter(str(span.kind) for span in spans)
    return Redacted(result, tuple(spans), MappingProxyType(dict(sorted(counts.items()))))


def _search(text: str, known_names: frozenset[str]) -> list[Found]:
    tokens = split(text)
    spans: list[Found] = []
    for finder in (lambda rest: known_people(rest, known_names), *_FINDERS):
        fresh = finder(tokens)
        hide(tokens, fresh)
        spans.extend(fresh)
    return sorted(spans, key=lambda span: span.start)


def _apply(text: str, spans: list[Span]) -> tuple[str, list[int]]:
    """Return the text with spans replaced, and for each of its characters the place in the original."""
    pieces: list[str] = []
    places: list[int] = []
    before = 0
    for span in spans:
        label = f"[{span.kind}]"
        pieces += [text[before : span.start], label]
        places.extend(range(before, span.start))
        places.extend([span.start] * len(label))
        before = span.end
    pieces.append(text[before:])
    places.extend(range(before, len(text)))
    return "".join(pieces), places
