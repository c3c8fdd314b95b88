"""Logistic regressions, one a label, on sparse grams and dense numbers together: `forge_language.heads.regression`."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forge_hub.training.standard import standard
from forge_language.encoder.numbers_file import in_bytes
from forge_language.heads.grams import Rows, Vocabulary, hashes
from forge_language.heads.reader import Encoded

Array = NDArray[np.float32]
_TINY: Final = np.float32(1e-6)


@dataclass(frozen=True, slots=True)
class Course:
    """How a regression is trained.

    Attributes:
        rounds: Times that every text is seen.
        batch: Texts between two steps.
        rate: Step of the grams' weights, by Adagrad (Duchi et al. 2011).
        dense_rate: The same of the dense numbers' weights.
        decay: Share that a gram's weights lose at each step that sees it.
        seed: Of the order of the texts.
    """

    rounds: int = 8
    batch: int = 1024
    rate: float = 0.3
    dense_rate: float = 0.02
    decay: float = 1e-3
    seed: int = 1


DENSE_SIZE: Final = np.float32(0.1)
"""Size of the encoder's numbers beside those of the grams, whose rows have length 1."""


@dataclass(frozen=True, slots=True)
class Weights:
    """What was learned: shapes ``(grams, labels)``, ``(numbers, labels)``, ``(labels,)``."""

    grams: Array
    dense: Array
    bias: Array


def regression(encoded: Encoded, targets: Array, course: Course, *, least: int, most: int) -> dict[str, NDArray[Any]]:
    """Return the numbers of a regression that tells the labels of texts.

    Args:
        encoded: The texts as the head will read them.
        targets: 0 or 1, shape ``(texts, labels)``.
        course: How it learns.
        least: Texts that a gram must be in.
        most: Grams that are kept: those with the largest weights.
    """
    states, mean, deviation = standard(encoded.states)
    known = vocabulary(encoded.texts, least)
    learned = fit(known.rows(encoded.texts), states * DENSE_SIZE, targets, course)
    weight = np.linalg.norm(learned.grams, axis=1) * known.rarity[: len(learned.grams)]
    kept = np.sort(np.argsort(-weight, kind="stable")[:most])
    dense = (learned.dense * (DENSE_SIZE / deviation)[:, None]).astype(np.float16)
    return {
        "keys": known.keys[kept],
        "rarity": known.rarity[kept].astype(np.float16),
        **in_bytes("grams", learned.grams[kept]),
        "dense": dense,
        "bias": (learned.bias - mean @ dense.astype(np.float32)).astype(np.float32),
    }


def vocabulary(texts: Sequence[str], least: int) -> Vocabulary:
    """Return the grams that at least so many texts have, with their rarity (smoothed, as is usual)."""
    counted: Counter[int] = Counter()
    for text in texts:
        counted.update(hashes(text))
    kept = sorted(key for key, count in counted.items() if count >= least)
    rarity = [1 + np.log((1 + len(texts)) / (1 + counted[key])) for key in kept]
    return Vocabulary(np.array(kept, np.uint32), np.array(rarity, np.float32))


def fit(rows: Rows, dense: Array, targets: Array, course: Course) -> Weights:
    """Return the weights that tell the labels.

    Args:
        rows: The grams of each text.
        dense: Numbers of each text of about unit size, shape ``(texts, numbers)``.
        targets: 0 to 1, shape ``(texts, labels)``.
        course: How.
    """
    labels = targets.shape[1]
    share = np.clip(targets.mean(axis=0), 1e-4, 1 - 1e-4)
    bias = np.log(share / (1 - share)).astype(np.float32)
    width = int(rows.columns.max(initial=-1)) + 1
    weights = Weights(np.zeros((width, labels), np.float32), np.zeros((dense.shape[1], labels), np.float32), bias)
    seen = [np.full_like(each, _TINY) for each in (weights.grams, weights.dense, weights.bias)]
    batches = list(_batches(rows, course))
    chance = np.random.default_rng(course.seed)
    for round_ in range(course.rounds):
        slower = np.float32(1 - round_ / course.rounds)
        for place in chance.permutation(len(batches)):
            chosen, part, columns, turned = batches[place]
            weights_here = weights.grams[columns]
            scores = part.times(weights_here) + dense[chosen] @ weights.dense + weights.bias
            slope = (1 / (1 + np.exp(-scores)) - targets[chosen]).astype(np.float32)
            steps = (
                turned.times(slope) / len(chosen) + np.float32(course.decay) * weights_here / len(batches),
                dense[chosen].T @ slope / len(chosen) + np.float32(course.decay) * weights.dense,
                slope.mean(axis=0),
            )
            seen[0][columns] += np.square(steps[0])
            weights.grams[columns] -= np.float32(course.rate) * slower * steps[0] / np.sqrt(seen[0][columns])
            _step(weights.dense, seen[1], steps[1], np.float32(course.dense_rate) * slower)
            _step(weights.bias, seen[2], steps[2], np.float32(course.dense_rate) * slower)
    return weights


def _step(learned: Array, seen: Array, slope: Array, rate: np.float32) -> None:
    """Change weights in place against their slope, less the more they have changed."""
    seen += np.square(slope)
    learned -= rate * slope / np.sqrt(seen)


def _batches(rows: Rows, course: Course) -> Iterator[tuple[NDArray[np.int64], Rows, NDArray[np.int64], Rows]]:
    """Yield places of texts, their rows with columns numbered anew, which columns these are, and the rows turned."""
    order = np.random.default_rng(course.seed).permutation(len(rows.starts) - 1)
    for first in range(0, len(order), course.batch):
        chosen = np.sort(order[first : first + course.batch])
        lengths = np.diff(rows.starts)[chosen]
        numbers = np.concatenate([np.arange(rows.starts[each], rows.starts[each + 1]) for each in chosen])
        columns, renamed = np.unique(rows.columns[numbers], return_inverse=True)
        values, owner = rows.values[numbers], np.repeat(np.arange(len(chosen)), lengths)
        starts = np.concatenate([[0], np.cumsum(lengths)])
        turning = np.argsort(renamed, kind="stable")
        turned = Rows(owner[turning], values[turning], np.searchsorted(renamed[turning], np.arange(len(columns) + 1)))
        yield chosen, Rows(renamed, values, starts), columns, turned
