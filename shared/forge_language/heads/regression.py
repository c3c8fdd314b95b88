"""A logistic regression on words and letters and on the encoding together, one row of weights a label."""

import numpy as np
from numpy.typing import NDArray

from forge_language.heads.files import HeadFile
from forge_language.heads.grams import Vocabulary
from forge_language.heads.reader import Array, Encoded


class Regression:
    """What a head's file of ``keys``, ``rarity``, ``grams``, ``dense`` and ``bias`` says of texts. Any thread may ask.

    Args:
        file: Its numbers.

    Attributes:
        vocabulary: The grams that it knows.
        grams: Their weights, shape ``(grams, labels)``.
    """

    def __init__(self, file: HeadFile) -> None:
        self.vocabulary = Vocabulary(file.numbers["keys"], file["rarity"])
        self.grams = file["grams"]
        self._dense, self._bias = file["dense"].astype(np.float64), file["bias"]

    def scores(self, encoded: Encoded) -> Array:
        """Return log-odds, shape ``(texts, labels)``."""
        found: Array = self.vocabulary.rows(encoded.texts).times(self.grams) + product(encoded.states, self._dense)
        return found + self._bias


def product(rows: Array, matrix: NDArray[np.floating]) -> Array:
    """Return a matrix product, shape ``(rows, columns)``, of which each row is what it is for that row alone.

    In single precision the order of a sum depends on how many rows there are, and changes its seventh digit; so it is
    summed in double precision and rounded.
    """
    found: Array = (rows.astype(np.float64) @ matrix.astype(np.float64, copy=False)).astype(np.float32)
    return found
