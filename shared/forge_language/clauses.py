"""Stretches of an utterance that can be quoted by themselves, also where a recogniser set no marks."""

import re
from itertools import combinations
from typing import Final

_BETWEEN: Final = re.compile(
    r"[.!?;:\n]+\s*|,\s+|\s+(?=(?:and|but|so|because|cos|then|which|except|yet|though|although)\s)", re.IGNORECASE
)
_MOST_PARTS: Final = 8
"""Parts of an utterance that are joined in every way; a longer one is searched sentence by sentence."""
_JOINED: Final = 3
_LEAST_WORDS: Final = 2
_EDGES: Final = ' \t\r\n.,;:!?"\u201c\u201d-\u2013'


def stretches(text: str) -> list[tuple[int, int]]:
    """Return the places of what could be quoted: parts between marks and joining words, and up to three in a row.

    The whole utterance without its edges is the first; there is nothing where there is no word.
    """
    whole = _trimmed(text, 0, len(text))
    if whole[0] >= whole[1]:
        return []
    cuts = [0, *(found.end() for found in _BETWEEN.finditer(text)), len(text)]
    cuts = sorted(set(cuts))[: _MOST_PARTS + 1] if len(cuts) > _MOST_PARTS + 1 else sorted(set(cuts))
    found = [whole]
    for first, last in combinations(range(len(cuts)), 2):
        place = _trimmed(text, cuts[first], cuts[last])
        if last - first <= _JOINED and len(text[slice(*place)].split()) >= _LEAST_WORDS and place not in found:
            found.append(place)
    return found


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start] in _EDGES:
        start += 1
    while end > start and text[end - 1] in _EDGES:
        end -= 1
    return start, end
