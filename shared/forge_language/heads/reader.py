"""Texts as the heads read them, encoded once for all of them."""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forge_language.encoder.built import DEPTHS, Runner, runner
from forge_language.encoder.transformer import LONGEST

Array = NDArray[np.float32]
_BLANKED: Final = re.compile(r"_{2,}|\[[A-Z]+\]")
_STANDS_FOR: Final = "someone"
"""What a head reads where the redactor took something out: a word that every text may hold."""


def as_read(text: str) -> str:
    """Return a text as the heads read it: what was taken out of it is "someone"."""
    return _BLANKED.sub(_STANDS_FOR, text)


@dataclass(frozen=True, slots=True)
class Encoded:
    """Some texts and their encoding.

    Attributes:
        texts: As the heads read them.
        states: Mean states after the layers `DEPTHS`, shape ``(texts, len(DEPTHS) * width)``, in no unit.
        pieces: The states of each text's word pieces, shape ``(pieces, len(DEPTHS) * width)`` each; empty where none
            were kept.
    """

    texts: tuple[str, ...]
    states: Array
    pieces: tuple[Array, ...] = ()


class Reader:
    """Encodes texts and keeps the last ones, so that heads that read the same texts share the work.

    Any thread may call it.

    Args:
        on: The encoder.
    """

    def __init__(self, on: Runner) -> None:
        self._on = on
        self._lock = Lock()
        self._last = Encoded((), np.zeros((0, 0), np.float32))

    def read(self, texts: Sequence[str]) -> Encoded:
        """Return texts with their encoding, the same for each alone and among others; the last answer is kept.

        Some hundred texts at most: the states of all their pieces are kept, 100 KB for a spoken sentence.
        """
        wanted = tuple(map(as_read, texts))
        with self._lock:
            last = self._last
        if last.texts == wanted:
            return last
        found = self._encoded(wanted, keep_pieces=True)
        with self._lock:
            self._last = found
        return found

    def means(self, texts: Sequence[str]) -> Encoded:
        """Return the same for any number of texts, without their pieces and without keeping anything."""
        return self._encoded(tuple(map(as_read, texts)), keep_pieces=False)

    def stretches(self, text: str, pieces: Array, places: Sequence[tuple[int, int]]) -> Encoded:
        """Return stretches of a text with their encoding within it: the means of their own pieces' states.

        Args:
            text: As it is kept; places are in it.
            pieces: The states of its pieces, as `read` returns them.
            places: Where each stretch begins and ends, between words.
        """
        cuts = self._pieces_before(text, {cut for place in places for cut in place}, len(pieces))
        states = [_mean(pieces, cuts[start], cuts[end]) for start, end in places]
        return Encoded(
            tuple(as_read(text[start:end]) for start, end in places),
            np.array(states, np.float32).reshape(len(places), pieces.shape[1]),
        )

    def _pieces_before(self, text: str, cuts: Collection[int], most: int) -> dict[int, int]:
        """Return how many pieces a text has before each place between two words, the first mark included."""
        found, before, last = {}, 1, 0
        for cut in sorted(cuts):
            # Between the two marks that every text gets.
            before += len(self._on.vocabulary.encode(as_read(text[last:cut]), LONGEST)) - 2
            found[cut], last = min(before, most - 1), cut
        return found

    def _encoded(self, texts: tuple[str, ...], *, keep_pieces: bool) -> Encoded:
        states = np.zeros((len(texts), 0), np.float32)
        pieces: list[Array] = [np.zeros((0, 0), np.float32)] * len(texts) if keep_pieces else []
        for places, outputs in self._on.rows(texts):
            if not states.size:
                states = np.empty((len(texts), len(DEPTHS) * outputs[0].shape[2]), np.float32)
            states[places] = np.concatenate([each.mean(axis=1) for each in outputs], axis=1)
            if keep_pieces:
                for row, place in enumerate(places):
                    pieces[place] = np.concatenate([each[row] for each in outputs], axis=1)
        return Encoded(texts, states, tuple(pieces))


def _mean(pieces: Array, first: int, end: int) -> Array:
    mean: Array = pieces[min(first, len(pieces) - 2) : max(end, first + 1)].mean(axis=0)
    return mean


@lru_cache(maxsize=1)
def reader() -> Reader | None:
    """Return the reader on the installed encoder; None where there is none."""
    on = runner()
    return None if on is None else Reader(on)


def memoised(score: Callable[[Encoded], Array]) -> Callable[[Encoded], Array]:
    """Return a function that keeps its last answer, for heads that read what another head says. Any thread may call."""
    lock = Lock()
    last: list[tuple[Encoded, Array]] = []

    def scored(encoded: Encoded) -> Array:
        with lock:
            if last and last[0][0] is encoded:
                return last[0][1]
        found = score(encoded)
        with lock:
            last[:] = [(encoded, found)]
        return found

    return scored
