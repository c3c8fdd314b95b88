"""The second hearing: which phrase of a grammar the phones mean that were heard without any grammar.

A free phone decoder writes down what it hears, with many mistakes. They are not random: how often each phone is written
as another, left out or added was counted on synthetic voices in noise (``models/hearing``). So each phrase has a
probability of being written down as what was heard, and so has speech at large; their ratio says whether the phrase was
said. The grammar's search has no part in it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from forge_shared.model import Frozen

PHONES = (
    *("AA", "AE", "AH", "AO", "AW", "AY", "B", "CH", "D", "DH", "EH", "ER", "EY"),
    *("F", "G", "HH", "IH", "IY", "JH", "K", "L", "M", "N", "NG", "OW", "OY"),
    *("P", "R", "S", "SH", "T", "TH", "UH", "UW", "V", "W", "Y", "Z", "ZH"),
)
"""The CMU dictionary's 39 phones."""
OTHER = "+SPN+"
"""The decoder's sign for speech that is no phone."""

_HEARD = {name: index for index, name in enumerate((*PHONES, OTHER))}
_DELETED = _EDGE = len(_HEARD)
_TINY = 1e-300

Pronunciation = tuple[str, ...]


class ChannelTables(Frozen):
    """What was counted, as probabilities.

    Attributes:
        emissions: Shape (39, 41): each said phone written as each of the 40 signs, or (last) left out. Rows sum to 1.
        insertions: Shape (40,): which sign is written where nothing was said. Sums to 1.
        insertion: Probability, 0 to 1, that the next sign is such a one.
        background: Shape (41, 41): sign after sign in any speech; the last row and column are the edges. Rows sum to 1.
    """

    emissions: tuple[tuple[float, ...], ...]
    insertions: tuple[float, ...]
    insertion: float
    background: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class Spelling:
    """The phrases of one grammar as phones, ready to be compared: one row for each way of pronouncing a phrase.

    Attributes:
        phrases: The phrase of each row.
        phones: Shape ``(rows, longest)``, indexes into `PHONES`, filled up with 0.
        lengths: Shape ``(rows,)``, phones of each row.
    """

    phrases: tuple[str, ...]
    phones: NDArray[np.int64]
    lengths: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class PhraseScores:
    """How well each phrase explains what was heard.

    Attributes:
        ratios: Natural logarithm of the phrase's probability over that of speech at large, by phrase.
        heard: Number of signs that were heard.
    """

    ratios: Mapping[str, float]
    heard: int

    def best(self, senses: Mapping[str, str]) -> dict[str, tuple[float, str]]:
        """Return the best ratio and its phrase for each sense, best sense first.

        Args:
            senses: What each phrase means.
        """
        best: dict[str, tuple[float, str]] = {}
        for phrase, ratio in self.ratios.items():
            sense = senses[phrase]
            if sense not in best or ratio > best[sense][0]:
                best[sense] = (ratio, phrase)
        return dict(sorted(best.items(), key=lambda found: -found[1][0]))


def spelling(pronunciations: Mapping[str, Sequence[Pronunciation]]) -> Spelling:
    """Lay out phrases for comparison.

    Args:
        pronunciations: Each phrase's ways of being pronounced, at least one phone each.
    """
    rows = [(phrase, way) for phrase, ways in pronunciations.items() for way in ways]
    lengths = np.array([len(way) for _, way in rows], dtype=np.int64)
    phones = np.zeros((len(rows), int(lengths.max(initial=1))), dtype=np.int64)
    for row, (_, way) in enumerate(rows):
        phones[row, : len(way)] = [_HEARD[phone] for phone in way]
    return Spelling(tuple(phrase for phrase, _ in rows), phones, lengths)


class PhoneChannel:
    """The noisy channel from said phones to heard ones. Holds no state; used from any thread."""

    def __init__(self, tables: ChannelTables) -> None:
        self._emissions = np.array(tables.emissions)
        self._insertions = np.array(tables.insertions)
        self._insertion = tables.insertion
        self._background = np.log(np.maximum(np.array(tables.background), _TINY))

    def scores(self, heard: Sequence[str], phrases: Spelling) -> PhraseScores:
        """Compare what a free phone decoder wrote down with every phrase.

        Args:
            heard: Its signs in order, without silence and noises; any sign that is neither a phone nor `OTHER` is
                passed over.
            phrases: What may have been said.
        """
        signs = [_HEARD[sign] for sign in heard if sign in _HEARD]
        at_large = self._at_large(signs)
        best: dict[str, float] = {}
        for phrase, likelihood in zip(phrases.phrases, self._likelihoods(signs, phrases), strict=True):
            best[phrase] = max(best.get(phrase, -math.inf), float(likelihood) - at_large)
        return PhraseScores(best, len(signs))

    def _at_large(self, signs: Sequence[int]) -> float:
        path = (_EDGE, *signs, _EDGE)
        return float(sum(self._background[before, after] for before, after in pairwise(path)))

    def _likelihoods(self, signs: Sequence[int], phrases: Spelling) -> NDArray[np.float64]:
        """Return log P(signs | row), shape ``(rows,)``, by the forward algorithm, rescaled at each sign."""
        rows, longest = phrases.phones.shape
        went_on = 1.0 - self._insertion
        left_out = self._emissions[phrases.phones, _DELETED] * went_on
        forward = np.zeros((longest + 1, rows))
        forward[0] = 1.0
        for place in range(longest):
            forward[place + 1] = forward[place] * left_out[:, place]
        logs = np.zeros(rows)
        for sign in signs:
            written = self._emissions[phrases.phones, sign] * went_on
            after = forward * (self._insertion * self._insertions[sign])
            after[1:] += forward[:-1] * written.T
            for place in range(longest):
                after[place + 1] += after[place] * left_out[:, place]
            scale = np.maximum(after.max(axis=0), _TINY)
            forward = after / scale
            logs += np.log(scale)
        ends = forward[phrases.lengths, np.arange(rows)] * went_on
        return logs + np.log(np.maximum(ends, _TINY))
