"""What is known of single words: how common they are in English, and whether they name people or places.

The lists come from published ones (models/redaction) and are kept as digests of 32 bits: small, quick to load, and of
no use to whoever wants a list of names. A word that is not listed is taken for a listed one once in some 30,000.
"""

import zlib
from io import BytesIO
from typing import Final

import numpy as np
from numpy.typing import NDArray

COMMON_BITS, FIRST_BITS, FAMILY_BITS, PLACE_BITS = 0, 3, 5, 7
"""Where each class begins in a mask: commonness 0 to 4, first name 0 to 2, family name 0 to 2, place 0 to 3."""

Mask = tuple[int, int, int, int]
"""Commonness (4: among the 1,000 most used words), first name, family name (2: frequent), place (3: a country)."""

UNLISTED: Final[Mask] = (0, 0, 0, 0)


class Lexicon:
    """Listed words by digest.

    Args:
        digests: Sorted, ``(n,)`` uint32.
        masks: ``(n,)`` uint16, in the order of the digests.
    """

    def __init__(self, digests: NDArray[np.uint32], masks: NDArray[np.uint16]) -> None:
        self._digests = digests
        self._masks = masks

    def look_up(self, words: list[str]) -> list[Mask]:
        """Return what is known of case-folded words, in their order."""
        wanted = np.array([digest(word) for word in words], dtype=np.uint32)
        places = np.minimum(np.searchsorted(self._digests, wanted), len(self._digests) - 1)
        masks = np.where(self._digests[places] == wanted, self._masks[places], 0)
        return [unpack(int(mask)) for mask in masks]


def read_lexicon(data: bytes) -> Lexicon:
    """Return the lexicon in a file's bytes: the steps between digests in four planes of bytes, and the masks.

    Raises:
        ValueError: They are no such file.
    """
    with np.load(BytesIO(data), allow_pickle=False) as file:
        planes = file["steps"].astype(np.uint32)
        steps = planes[0] | planes[1] << 8 | planes[2] << 16 | planes[3] << 24
        return Lexicon(np.cumsum(steps, dtype=np.uint32), file["masks"])


def digest(word: str) -> int:
    """Return the digest by which a case-folded word is kept."""
    return zlib.crc32(word.encode("utf-8", "surrogatepass"))


def unpack(mask: int) -> Mask:
    """Return the classes in a mask."""
    return mask & 7, mask >> FIRST_BITS & 3, mask >> FAMILY_BITS & 3, mask >> PLACE_BITS & 3


def pack(common: int, first: int, family: int, place: int) -> int:
    """Return the mask of classes."""
    return common | first << FIRST_BITS | family << FAMILY_BITS | place << PLACE_BITS
