"""The head: a table of traits, one hidden layer over a window of words, a share of each label for each word."""

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from io import BytesIO
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]  # it publishes no types

from forge_language.spotting.tokens import Kind, Token, is_written
from forge_language.tagging.features import edge_traits, traits
from forge_language.tagging.lexicon import Lexicon, Mask, read_lexicon

Array = NDArray[np.float32]

LABELS: Final[tuple[Kind | None, ...]] = (
    None,
    "NAME",
    "ADDRESS",
    "LOCATION",
    "ORGANISATION",
    "DATE",
    "PHONE",
    "NUMBER",
)
"""What the head tells of a word, None: nothing identifying. The rest of the kinds have patterns."""

REACH: Final = 4
"""Words to each side that are looked at."""

_AT_ONCE: Final = 2048
"""Words that are judged in one step, so that a very long text needs no more memory."""


@dataclass(frozen=True, slots=True)
class Weights:
    """The numbers of a head.

    Attributes:
        table: ``(BUCKETS, d)`` float32, what each trait adds to a word.
        hidden: ``((2 * REACH + 1) * d, h)`` float32, leftmost word first; and its offsets ``(h,)``.
        out: ``(h, len(LABELS))`` float32; and its offsets ``(len(LABELS),)``.
    """

    table: Array
    hidden: Array
    hidden_offset: Array
    out: Array
    out_offset: Array


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a tagger says of the words of a text.

    Attributes:
        shares: Of each label for each word, ``(n, len(LABELS))``; each row sums to 1.
        common: How common each word is in English, 0 to 4 (`lexicon`).
    """

    shares: Array
    common: list[int]


class Tagger:
    """Judges words. Stateless after it is made; may be used from several threads."""

    def __init__(self, weights: Weights, lexicon: Lexicon) -> None:
        self._weights = weights
        self._lexicon = lexicon
        self._edge: Array = weights.table[edge_traits()].sum(0)

    def judge(self, tokens: list[Token]) -> Judgement:
        """Return what is to be said of the words of one text."""
        if not tokens:
            return Judgement(np.zeros((0, len(LABELS)), np.float32), [])
        known = self._lexicon.look_up([token.stem for token in tokens])
        beyond = np.repeat(self._edge[None], REACH, 0)
        padded = np.concatenate([beyond, self._words(tokens, known), beyond])
        # A sentence is too small to be shared out: waiting for each other costs several cores ten times the work.
        with _threads().limit(limits=1):
            parts = [self._shares(padded[at : at + _AT_ONCE + 2 * REACH]) for at in range(0, len(tokens), _AT_ONCE)]
        shares = np.concatenate(parts)
        return Judgement(shares, [mask[0] for mask in known])

    def _words(self, tokens: list[Token], known: list[Mask]) -> Array:
        """Return what each word adds up to, ``(n, d)``; equal words are summed up once."""
        written = is_written(tokens)
        numbers: dict[tuple[str, str, str], int] = {}
        places: list[int] = []
        buckets: list[int] = []
        starts: list[int] = []
        for token, mask in zip(tokens, known, strict=True):
            key = (token.raw, token.gap, token.shape)
            if key not in numbers:
                numbers[key] = len(starts)
                starts.append(len(buckets))
                buckets += traits(token, mask, written=written)
            places.append(numbers[key])
        table = self._weights.table
        sums = np.empty((len(starts), table.shape[1]), np.float32)
        ends = [*starts[1:], len(buckets)]
        for first in range(0, len(starts), _AT_ONCE):
            last = min(first + _AT_ONCE, len(starts))
            rows = table[buckets[starts[first] : ends[last - 1]]]
            sums[first:last] = np.add.reduceat(rows, np.array(starts[first:last]) - starts[first], axis=0)
        return sums[places]

    def _shares(self, padded: Array) -> Array:
        weights = self._weights
        count = len(padded) - 2 * REACH
        windows = np.concatenate([padded[shift : shift + count] for shift in range(2 * REACH + 1)], axis=1)
        hidden = np.maximum(windows @ weights.hidden + weights.hidden_offset, 0)
        raw = hidden @ weights.out + weights.out_offset
        powers = np.exp(raw - raw.max(1, keepdims=True))
        return np.asarray(powers / powers.sum(1, keepdims=True), np.float32)


@lru_cache(maxsize=1)
def _threads() -> ThreadpoolController:
    """Return what holds numpy's multiplications to one thread; looking for it takes a while."""
    return ThreadpoolController()


def read(head: bytes, words: bytes) -> Tagger:
    """Return the tagger in two files: the head's weights and the lexicon.

    Raises:
        ValueError: They are no such files.
    """
    with np.load(BytesIO(head), allow_pickle=False) as file:
        weights = Weights(
            table=file["table"].astype(np.float32) * file["table_scale"].astype(np.float32),
            hidden=file["hidden"].astype(np.float32),
            hidden_offset=file["hidden_offset"].astype(np.float32),
            out=file["out"].astype(np.float32),
            out_offset=file["out_offset"].astype(np.float32),
        )
    return Tagger(weights, read_lexicon(words))


@lru_cache(maxsize=1)
def installed() -> Tagger:
    """Return the tagger that is installed with this package.

    Raises:
        ValueError: Its files are not the ones that were measured.
    """
    folder = resources.files("forge_language") / "tagging"
    about: dict[str, Any] = json.loads((folder / "head.json").read_text(encoding="utf-8"))
    files = {name: (folder / name).read_bytes() for name in ("head.npz", "lexicon.npz")}
    for name, data in files.items():
        if hashlib.sha256(data).hexdigest() != about["sha256"][name]:
            raise ValueError(f"{name} is not the file that was measured (models/redaction)")
    return read(files["head.npz"], files["lexicon.npz"])
