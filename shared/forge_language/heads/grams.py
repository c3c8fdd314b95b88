"""A text as weighed word and letter grams: the lexical half of what the heads read."""

import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

_TOKEN: Final = re.compile(r"[^\W_]+(?:'[^\W_]+)*|[^\w\s]")
_LETTERS: Final = (3, 4, 5)
"""Lengths of letter grams, the blanks around a word included: spelling, endings and slips of a recogniser."""
_LONGEST_WORD: Final = 24
"""Letters of a word that are cut into grams; longer runs are no words."""
_SPACE: Final = 1 << 30
"""Room of the hashes. A head keeps some 20,000 of them: one in 50,000 unknown grams is taken for a known one."""


@dataclass(frozen=True, slots=True)
class Rows:
    """A sparse matrix, row after row.

    Attributes:
        columns: Of each number, shape ``(numbers,)``.
        values: The numbers, float32, shape ``(numbers,)``.
        starts: Where each row begins, and the end, shape ``(rows + 1,)``.
    """

    columns: NDArray[np.int64]
    values: NDArray[np.float32]
    starts: NDArray[np.int64]

    def times(self, weights: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the product with a matrix of shape ``(columns, outputs)``, shape ``(rows, outputs)``."""
        found = np.zeros((len(self.starts) - 1, weights.shape[1]), np.float32)
        filled = np.flatnonzero(np.diff(self.starts))
        if len(filled):
            weighed = weights[self.columns] * self.values[:, None]
            found[filled] = np.add.reduceat(weighed, self.starts[filled], axis=0)
        return found


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The grams that a head knows.

    Attributes:
        keys: Their hashes, rising, uint32; the lowest bit tells letter grams from word grams.
        rarity: The weight of each, the logarithm of how few texts have it, float32.
    """

    keys: NDArray[np.uint32]
    rarity: NDArray[np.float32]

    def places(self, keys: NDArray[np.uint32]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Return the place of each of some hashes and whether it is known; else the place says nothing."""
        places = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return places, self.keys[places] == keys

    def rows(self, texts: Sequence[str]) -> Rows:
        """Return one row a text: the weights of its known grams, word and letter grams of length 1 each."""
        found = [np.fromiter(hashes(text), np.uint32) for text in texts]
        owner = np.repeat(np.arange(len(texts)), [len(each) for each in found])
        keys = np.concatenate(found) if found else np.zeros(0, np.uint32)
        places, known = self.places(keys)
        owner, places, kind = owner[known], places[known], keys[known] & 1
        order = np.lexsort((places, owner))
        owner, places, kind = owner[order], places[order], kind[order]
        values = self.rarity[places]
        length = np.sqrt(np.bincount(2 * owner + kind, values.astype(np.float64) ** 2, 2 * len(texts)))
        values = (values / length[2 * owner + kind]).astype(np.float32)
        return Rows(places, values, np.searchsorted(owner, np.arange(len(texts) + 1)))


def hashes(text: str) -> set[int]:
    """Return the hashes of a text's grams: words, pairs of words, and the letter grams of each word."""
    tokens = tokens_of(text)
    words = {_hash(gram) for gram in (*tokens, *map(" ".join, pairwise(tokens)))}
    letters = {_hash(gram) | 1 for token in set(tokens) for gram in _letter_grams(token)}
    return words | letters


def tokens_of(text: str) -> list[str]:
    """Return a text's words and signs in small letters, apostrophes straight."""
    return _TOKEN.findall(text.lower().replace("\u2019", "'"))


def placed_tokens(text: str) -> list[tuple[str, int, int]]:
    """Return the same with the place of each in the text: its first character and the one after its last."""
    low = text.lower() if len(text.lower()) == len(text) else text
    return [(found[0], found.start(), found.end()) for found in _TOKEN.finditer(low.replace("\u2019", "'"))]


def _letter_grams(token: str) -> Iterator[str]:
    framed = f" {token[:_LONGEST_WORD]} "
    for length in _LETTERS:
        for start in range(len(framed) - length + 1):
            yield framed[start : start + length]


def _hash(gram: str) -> int:
    return zlib.crc32(gram.encode("utf-8", "surrogatepass")) % _SPACE << 1
