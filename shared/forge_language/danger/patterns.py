"""A small language for phrases, compiled to searches over words that stay linear.

``word`` itself; ``a|b_c`` either, the second of two words; ``word?`` perhaps; ``bleed*`` any ending and ``*ing`` any
beginning; ``~3`` up to three words of any kind; ``<kill>`` any form of a verb of the catalogue; ``{tablets}`` one of a
class, whose members may have several words; ``^`` the beginning and ``$`` the end of the sentence. Verbs and classes
may stand in a choice and may be left out, too: ``<take>|{eat}?``.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Generic, TypeVar

_CHOICE: Final = r"(?:<\w+>|\{\w+\}|\*?[^\W_][\w'*]*)"
_ELEMENT: Final = re.compile(rf"(?P<body>\^|\$|~\d|{_CHOICE}(?:\|{_CHOICE})*)(?P<perhaps>\??)")
_TELLING_LETTERS: Final = 4
"""Words of at least this many letters are rare enough to look a pattern up by; "the" and "my" are everywhere."""

Meaning = TypeVar("Meaning")


@dataclass(frozen=True, slots=True)
class Hit:
    """Where a pattern was found.

    Attributes:
        first: Index of its first word.
        last: Index after its last word.
        gaps: Indices of the words in it that the pattern does not name.
    """

    first: int
    last: int
    gaps: frozenset[int] = frozenset()


class Line:
    """The words of a sentence as a search sees them.

    Attributes:
        words: The words.
        text: The words with a blank before, between and after them.
    """

    def __init__(self, words: Iterable[str]) -> None:
        self.words = tuple(words)
        self.text = f" {' '.join(self.words)} "

    @cached_property
    def index(self) -> dict[int, int]:
        """Place in the text of the blank before a word, to the word's index; the last blank gives their number."""
        places: dict[int, int] = {}
        place = 0
        for index, word in enumerate(self.words):
            places[place] = index
            place += len(word) + 1
        places[place] = len(self.words)
        return places

    def blanked(self, taken: frozenset[int]) -> "Line":
        """Return the line with some words made unreadable for every pattern."""
        return Line("_" if index in taken else word for index, word in enumerate(self.words)) if taken else self


class Pattern:
    """One phrase.

    Args:
        source: In the language above.
        classes: Members of each class, in words and blanks.
        verbs: All forms of each verb.

    Attributes:
        keys: Words of which one must occur where the phrase does; empty where no such words are known.

    Raises:
        ValueError: The phrase cannot be read or names an unknown class or verb.
    """

    def __init__(
        self, source: str, classes: Mapping[str, tuple[str, ...]], verbs: Mapping[str, tuple[str, ...]]
    ) -> None:
        self.source = source
        parts: list[str] = []
        choices: list[frozenset[str]] = []
        for element in source.split():
            read = _ELEMENT.fullmatch(element)
            if read is None:
                raise ValueError(f"{element!r} of the phrase {source!r} cannot be read")
            body, perhaps = read["body"], bool(read["perhaps"])
            words = _members(source, body, classes, verbs)
            parts.append(_piece(body, words, perhaps=perhaps))
            if words and not perhaps and not any("*" in word for word in words):
                choices.append(frozenset(word.split()[0] for word in words))
        self._search = re.compile("".join(parts) + "(?= )")
        self.keys = max(choices, key=_worth, default=frozenset())

    def find(self, line: Line) -> Iterator[Hit]:
        """Yield where it stands in a line, first to last."""
        for match in self._search.finditer(line.text):
            gaps: set[int] = set()
            for start, end in match.regs[1:]:
                if end > start:
                    gaps.update(range(line.index[start], line.index[end]))
            if match.end() > match.start():
                yield Hit(line.index[match.start()], line.index[match.end()], frozenset(gaps))


class Phrasebook(Generic[Meaning]):
    """Phrases that are looked up together, each with what it stands for."""

    def __init__(self, phrases: Iterable[tuple[Pattern, Meaning]]) -> None:
        self._by_key: dict[str, list[int]] = {}
        self._always: list[int] = []
        self._phrases = list(phrases)
        for number, (pattern, _) in enumerate(self._phrases):
            for key in pattern.keys:
                self._by_key.setdefault(key, []).append(number)
            if not pattern.keys:
                self._always.append(number)

    def find(self, line: Line) -> Iterator[tuple[Hit, Meaning]]:
        """Yield every place of every phrase, in the order of the phrases."""
        numbers = set(self._always)
        for word in frozenset(line.words):
            numbers.update(self._by_key.get(word, ()))
        for number in sorted(numbers):
            pattern, meaning = self._phrases[number]
            for hit in pattern.find(line):
                yield hit, meaning


def _members(
    source: str, body: str, classes: Mapping[str, tuple[str, ...]], verbs: Mapping[str, tuple[str, ...]]
) -> tuple[str, ...]:
    """Return the words that an element stands for; none for a gap or an edge."""
    if body[0] in "^$~":
        return ()
    words: list[str] = []
    for choice in body.split("|"):
        named = {"<": verbs, "{": classes}.get(choice[0])
        if named is None:
            words.append(choice.replace("_", " "))
        elif choice[1:-1] in named:
            words.extend(named[choice[1:-1]])
        else:
            raise ValueError(f"the phrase {source!r} names {choice}, which the catalogue has not")
    return tuple(words)


def _piece(body: str, words: tuple[str, ...], *, perhaps: bool) -> str:
    """Return the expression for an element; a gap is a group, so that its words are known."""
    if body == "^":
        return "^"
    if body == "$":
        return "(?= $)"
    if body[0] == "~":
        return f"((?: [^ ]+){{0,{body[1]}}}?)"
    # The longest first: "in there" before "in".
    ordered = sorted(words, key=len, reverse=True)
    either = "|".join(re.escape(word).replace(r"\*", r"[^ ]*").replace(r"\ ", " ") for word in ordered)
    return f"(?: (?:{either})(?= )){'?' if perhaps else ''}"


def _worth(words: frozenset[str]) -> tuple[bool, int]:
    """Return how well a choice of words narrows a search."""
    return min(map(len, words)) >= _TELLING_LETTERS, -len(words)
