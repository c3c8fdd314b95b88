"""An utterance as words: contractions opened, fillers and forms of address set aside, sentences and clauses marked."""

import re
from dataclasses import dataclass
from typing import Final

from forge_language.danger.catalogue import Catalogue
from forge_language.danger.patterns import Line

_WORD: Final = re.compile(r"[^\W_]+(?:'[^\W_]+)*|[.!?;:,\u2026\u2013\u2014()\n]+|(?<=\s)-+(?=\s)")
_ENDS: Final = frozenset(".!?;\n")
_QUOTED: Final = re.compile(r"[\"\u201c][^\"\u201c\u201d]+[\"\u201d]|(?<!\w)'(?:[^'\n]|(?<=\w)'(?=\w))+'(?!\w)")
_APOSTROPHES: Final = str.maketrans("\u2019\u2018\u02bc\u0060\u00b4", "'''''")


@dataclass(frozen=True, slots=True)
class Word:
    """One word as the patterns see it.

    Attributes:
        text: In small letters, contractions opened: "can't" gives "can" and "not", which share a place.
        start: Place of its first character in the utterance.
        end: Place after its last character.
        quoted: Whether it stands in quotation marks while other words of the utterance do not.
        clause: Number of its clause within the sentence.
    """

    text: str
    start: int
    end: int
    quoted: bool
    clause: int = 0


@dataclass(frozen=True, slots=True)
class Sentence:
    """The words of one sentence.

    Attributes:
        words: Without fillers and forms of address.
        spoken: From the first to the last of them, fillers between them too: there "quick" and "just" are looked for.
        asked: Whether it was written with a question mark.
    """

    words: tuple[Word, ...]
    spoken: Line
    asked: bool

    @property
    def line(self) -> Line:
        """The words without fillers, as a search sees them."""
        return Line(word.text for word in self.words)


def sentences(text: str, catalogue: Catalogue) -> tuple[Sentence, ...]:
    """Return the sentences of an utterance; an ellipsis or a dash is a breath, not an end."""
    # Lower-casing changes the length of some scripts' words: their places would no longer be those of the utterance.
    low = "".join(letter.lower() if len(letter.lower()) == 1 else letter for letter in text).translate(_APOSTROPHES)
    quotes = _quotes(low)
    found: list[Sentence] = []
    words: list[Word] = []
    breaths: set[int] = set()
    for piece in _WORD.finditer(low):
        mark = piece[0]
        if mark[0].isalnum():
            quoted = any(start <= piece.start() < end for start, end in quotes)
            words.extend(Word(part, piece.start(), piece.end(), quoted) for part in _opened(mark, catalogue))
        elif not _ENDS.intersection(mark) or ".." in mark:
            breaths.add(len(words))
        elif words:
            found.append(_sentence(words, breaths, catalogue, asked="?" in mark))
            words, breaths = [], set()
    if words:
        found.append(_sentence(words, breaths, catalogue, asked=False))
    return tuple(found)


def _quotes(text: str) -> list[tuple[int, int]]:
    """Return what stands in quotation marks, unless all of it does."""
    places = [quote.span() for quote in _QUOTED.finditer(text)]
    outside, before = "", 0
    for start, end in places:
        outside += text[before:start]
        before = end
    outside += text[before:]
    return places if any(map(str.isalnum, outside)) else []


def _opened(word: str, catalogue: Catalogue) -> tuple[str, ...]:
    whole = catalogue.contractions.get(word)
    if whole is not None:
        return whole
    for ending, addition in catalogue.endings:
        if len(word) > len(ending) and word.endswith(ending):
            return (word.removesuffix(ending), *addition)
    return (word,)


def _sentence(words: list[Word], breaths: set[int], catalogue: Catalogue, *, asked: bool) -> Sentence:
    kept = _without_address(words, breaths, catalogue)
    clause = 0
    numbered: list[Word] = []
    for place, index in enumerate(kept):
        word = words[index]
        following = words[kept[place + 1]].text if place + 1 < len(kept) else ""
        opens = word.text in catalogue.clause_openers or (
            word.text in catalogue.clause_joiners and following in catalogue.subjects
        )
        if place and (opens or any(gap in breaths for gap in range(kept[place - 1] + 1, index + 1))):
            clause += 1
        numbered.append(Word(word.text, word.start, word.end, word.quoted, clause))
    spoken = words[kept[0] : kept[-1] + 1] if kept else ()
    return Sentence(tuple(numbered), Line(word.text for word in spoken), asked)


def _without_address(words: list[Word], breaths: set[int], catalogue: Catalogue) -> list[int]:
    """Return the places of the words that carry meaning.

    "Nurse" and the like are forms of address at the beginning, and at the end after a filler, a breath or a word that
    does not lead up to them ("call the nurse").
    """
    texts = [word.text for word in words]
    kept = [index for index, text in enumerate(texts) if text not in catalogue.fillers]
    while len(kept) > 1 and texts[kept[0]] in catalogue.address:
        kept.pop(0)
    while len(kept) > 1 and texts[kept[-1]] in catalogue.address:
        last, before = kept[-1], kept[-2]
        apart = last - before > 1 or last in breaths
        if not apart and texts[before] in catalogue.leads_to_address:
            break
        kept.pop()
    return kept
