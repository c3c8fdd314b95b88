"""The redactor, second generation: identifying spans out, their kind or an invented word in.

Patterns find what has a form (numbers, dates, mail, streets, names after a cue), a small trained tagger finds the rest
(ADR 0031). It reads written text and the output of speech recognisers (small letters, no punctuation, digits as words).
It is incomplete: text it has passed is *pseudonymised*, never anonymous, and its measured recall (docs/benchmarks.md)
belongs beside every use.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from forge_language.spotting.ages import ages
from forge_language.spotting.calendar_dates import dates
from forge_language.spotting.codes import numbers, postcodes
from forge_language.spotting.mail import mail_addresses
from forge_language.spotting.people import known_people, names
from forge_language.spotting.places import places
from forge_language.spotting.streets import addresses
from forge_language.spotting.tagged import tagged
from forge_language.spotting.tokens import Found, Kind, Token, hide, split
from forge_language.spotting.web import web_addresses
from forge_language.surrogates import Surrogates
from forge_language.tagging.network import Tagger, installed

__all__ = ["Kind", "Redacted", "Span", "Surrogates", "redact"]

_PASSES: Final = 24
"""A find can uncover another; text is searched until nothing new comes up, at most this often. Two passes are usual."""

_FINDERS: Final[tuple[Callable[[list[Token]], list[Found]], ...]] = (
    mail_addresses,
    web_addresses,
    addresses,
    dates,
    ages,
    postcodes,
    numbers,
    places,
    names,
)

_JOINED: Final = frozenset(" \t\n,.;-/'>?")
"""Marks between two neighbouring finds of one kind that make them one, as in an address over several lines."""
_WIDEST_JOINT: Final = 5
_ADDRESS_PARTS: Final[frozenset[Kind]] = frozenset({"ADDRESS", "POSTCODE", "LOCATION"})


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
        text: Each span replaced by its kind in brackets, such as ``[NAME]``, or by an invented word.
        spans: What was replaced, in order, without overlap, in places of the original text.
        counts: How many spans of each kind; kinds without one are absent.
    """

    text: str
    spans: tuple[Span, ...]
    counts: Mapping[str, int]


def redact(
    text: str,
    known_names: frozenset[str] = frozenset(),
    surrogates: Surrogates | None = None,
    tagger: Tagger | None = None,
) -> Redacted:
    """Replace what identifies a person by its kind.

    Args:
        text: What was said or written, any Unicode.
        known_names: Names of this ward's staff and patients, redacted wherever they are said, in any case.
        surrogates: Invented words to put in place of names, places and organisations, the same for the same one as
            long as this object lives; None: the kind.
        tagger: Default: the installed one.

    Returns:
        The text that may be kept, and what was taken out. Redacting it again changes nothing.

    Raises:
        ValueError: The tagger's files are not the ones that were measured.
    """
    tagger = tagger or installed()
    spans: list[Span] = []
    for _ in range(_PASSES):
        current, places = _apply(text, spans)
        fresh = _search(current, known_names, tagger)
        if not fresh:
            break
        # Places of the shortened text go back to the original; a new span never cuts into a placeholder.
        spans.extend(Span(span.kind, places[span.start], places[span.end - 1] + 1) for span in fresh)
        spans = _joined(text, spans)
    if surrogates is None:
        result, _ = _apply(text, spans)
    else:
        result = surrogates.put(text, [(span.kind, span.start, span.end) for span in spans])
    counts = Counter(str(span.kind) for span in spans)
    return Redacted(result, tuple(spans), MappingProxyType(dict(sorted(counts.items()))))


def _search(text: str, known_names: frozenset[str], tagger: Tagger) -> list[Found]:
    tokens = split(text)
    # It looks at the whole text, before anything is hidden from the finders after it.
    judged = tagger.judge(tokens)
    spans: list[Found] = []
    finders: list[Callable[[list[Token]], list[Found]]] = [
        lambda rest: known_people(rest, known_names),
        *_FINDERS,
        lambda rest: tagged(rest, judged),
    ]
    for finder in finders:
        fresh = finder(tokens)
        hide(tokens, fresh)
        spans.extend(fresh)
    return sorted(spans, key=lambda span: span.start)


def _joined(text: str, spans: list[Span]) -> list[Span]:
    """Put spans in order, and make one of neighbours of a kind, and of the parts of an address."""
    result: list[Span] = []
    for span in sorted(spans, key=lambda span: span.start):
        before = result[-1] if result else None
        kind = _common_kind(before.kind, text[before.end : span.start], span.kind) if before else None
        if before and kind:
            result[-1] = Span(kind, before.start, span.end)
        else:
            result.append(span)
    return result


def _common_kind(before: Kind, between: str, after: Kind) -> Kind | None:
    """Return what two neighbouring spans are together, or None when they stay apart."""
    if before == after and (between in {" ", "-"} or (before == "DATE" and not between.strip())):
        return before
    near = len(between) <= _WIDEST_JOINT and all(mark in _JOINED for mark in between)
    return "ADDRESS" if near and "ADDRESS" in {before, after} and {before, after} <= _ADDRESS_PARTS else None


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
