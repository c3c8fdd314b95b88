"""Text as the numbers of word pieces, as BERT's uncased vocabulary cuts it (Devlin et al. 2019, arXiv 1810.04805)."""

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

_UNKNOWN: Final = "[UNK]"
_FIRST: Final = "[CLS]"
_LAST: Final = "[SEP]"
_LONGEST_WORD: Final = 100
"""Characters; longer words are unknown, as in the reference implementation."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Word pieces and their numbers.

    Attributes:
        numbers: From a piece to its number; pieces that continue a word begin with ``##``.
    """

    numbers: Mapping[str, int]

    def encode(self, text: str, longest: int) -> list[int]:
        """Return the numbers of a text's pieces between a first and a last mark.

        Args:
            text: Any text.
            longest: How many numbers at most, marks included, at least 3; what is beyond is left out.
        """
        found = [self.numbers[_FIRST]]
        for word in _words(text):
            found.extend(self._pieces(word))
            if len(found) >= longest - 1:
                break
        return [*found[: longest - 1], self.numbers[_LAST]]

    def _pieces(self, word: str) -> list[int]:
        if len(word) > _LONGEST_WORD:
            return [self.numbers[_UNKNOWN]]
        found: list[int] = []
        start = 0
        while start < len(word):
            end = len(word)
            while end > start:
                number = self.numbers.get(word[start:end] if start == 0 else f"##{word[start:end]}")
                if number is not None:
                    break
                end -= 1
            else:
                return [self.numbers[_UNKNOWN]]
            found.append(number)
            start = end
        return found


def read(text: str) -> Vocabulary:
    """Return a vocabulary from its file's text, one piece a line."""
    return Vocabulary({piece.rstrip("\r"): number for number, piece in enumerate(text.split("\n")) if piece})


def written(vocabulary: Vocabulary) -> str:
    """Return the text of a vocabulary's file, from which `read` makes the same vocabulary."""
    pieces = sorted(vocabulary.numbers, key=vocabulary.numbers.__getitem__)
    return "\n".join(pieces) + "\n"


def _words(text: str) -> Iterator[str]:
    """Yield small letters without accents, cut at blanks, and every sign of punctuation alone."""
    word = ""
    for letter in unicodedata.normalize("NFD", text.lower()):
        kind = unicodedata.category(letter)
        if kind == "Mn" or (kind in ("Cc", "Cf") and not letter.isspace()):
            continue
        if letter.isspace() or _stands_alone(letter, kind):
            if word:
                yield word
            word = ""
            if not letter.isspace():
                yield letter
        else:
            word += letter
    if word:
        yield word


def _stands_alone(letter: str, kind: str) -> bool:
    """Whether a letter is a word by itself: punctuation, ASCII signs, and the ideographs of Chinese."""
    sign = letter.isascii() and not letter.isalnum() and not letter.isspace()
    return sign or kind.startswith("P") or "\u4e00" <= letter <= "\u9fff" or "\u3400" <= letter <= "\u4dbf"
