"""Invented words in place of names, so that a transcript can be read: the same name, the same word.

A surrogate stands in single angle quotation marks, ``‹Zelvip›``, and is made of syllables that begin no usual name: who
reads it sees that nobody is called so. What stands for what is kept in memory, in this object, and nowhere else; it is
dealt at random, so that two transcripts cannot be laid beside each other.
"""

import re
import secrets
from collections.abc import Sequence
from typing import Final

from forge_language.spotting.tokens import SURROGATE_ENDINGS, SURROGATE_OPENINGS, Kind

_READABLE: Final[frozenset[Kind]] = frozenset({"NAME", "LOCATION", "ORGANISATION"})
"""Kinds whose spans get a word; the others keep their kind: an invented number would say nothing."""

_WORD: Final = re.compile(r"[^\W_](?:[^\W_]|[\u0300-\u036f])*")
_TRIES: Final = 1000


class Surrogates:
    """The invented words of one transcript or session. Used from one thread; never stored."""

    def __init__(self) -> None:
        self._words: dict[str, str] = {}
        self._dealt: set[str] = set()

    def __repr__(self) -> str:
        """Tell how many words there are, never which."""
        return f"Surrogates({len(self._words)})"

    def put(self, text: str, spans: Sequence[tuple[Kind, int, int]]) -> str:
        """Return a text with spans replaced.

        Args:
            text: The original.
            spans: Kind, start and end of each span, in order, without overlap.

        Returns:
            The text in which each word of a name, place or organisation has its invented word, so that a first name by
            itself is recognised in the full name; other spans have their kind in brackets.
        """
        said = {match[0].casefold() for match in _WORD.finditer(text)}
        pieces: list[str] = []
        before = 0
        for kind, start, end in spans:
            words = [match[0].casefold() for match in _WORD.finditer(text[start:end])] if kind in _READABLE else []
            invented = [self._word(word, said) for word in words]
            pieces += [text[before:start], f"‹{' '.join(invented)}›" if invented and all(invented) else f"[{kind}]"]
            before = end
        pieces.append(text[before:])
        return "".join(pieces)

    def _word(self, word: str, said: set[str]) -> str:
        """Return the invented word for a word: not dealt yet, not said in this text; empty when none is left."""
        for attempt in range(_TRIES):
            if word in self._words:
                break
            openings = [secrets.choice(SURROGATE_OPENINGS) for _ in range(2 + (attempt > _TRIES // 2))]
            made = "".join(openings).capitalize() + secrets.choice(SURROGATE_ENDINGS)
            if made not in self._dealt and made.casefold() not in said:
                self._words[word] = made
                self._dealt.add(made)
        return self._words.get(word, "")
