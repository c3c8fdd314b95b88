"""Trains the head of `forge_language.distortion_head` from utterances that were written for it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forge_hub.training.calibration import slope_and_shift
from forge_hub.training.logistic import vocabulary
from forge_hub.training.standard import standard, whitening
from forge_language.distortion_head import LABELS, DistortionHead, compared, highest, presence
from forge_language.heads.files import HeadFile, in_bytes
from forge_language.heads.grams import Rows
from forge_language.heads.kernel import known as ready
from forge_language.heads.kernel import resemblances
from forge_language.heads.reader import Reader

Array = NDArray[np.float32]

TAUGHT: Final = ("utterances.jsonl", "other_writer.jsonl")
THRESHOLD: Final = "threshold.jsonl"
"""Of a third writer: teaches nothing, and sets how much it takes to speak of a distortion."""
AXES: Final = 176
WIDTH: Final = 1.0
PENALTY: Final = 0.1
KNOWN: Final = 2900
"""Examples that the head keeps, as numbers and not as words, to compare with (Williams and Seeger 2001)."""
SEED: Final = 1
GRAMS_SIZE: Final = np.float32(0.15)
"""Share of the grams beside the resemblances: of two rows of grams that are the same, half of .3."""
GRAMS_KEPT: Final = 10_000
LEAST_TEXTS: Final = 2
FOLDS: Final = 5
SPECIFICITY: Final = 0.96
"""Of the third writer's utterances that show none, as written and as heard, this share must be left alone: a point
above the aim, since the next writer writes other look-alikes."""
LEAST_CONFIDENCE: Final = 0.05
"""Below it a second or third label is not offered."""
SHORTEST_REST: Final = 4
"""Words beside a quote from which the rest of the utterance teaches what is no distortion."""


@dataclass(frozen=True, slots=True)
class Example:
    """One text to learn from.

    Attributes:
        text: What is said.
        labels: Which distortions it shows.
        origin: Number of the utterance that it comes from: all of one are held out together.
        whole: Whether it is that utterance as it was written, and not a part of it or a spelling.
    """

    text: str
    labels: frozenset[str]
    origin: int
    whole: bool


def examples(file: Path) -> list[Example]:
    """Return the utterances of a file, each also as a recogniser writes it, with its quotes and their rest.

    Args:
        file: One JSON object a line: ``text`` and ``labels``, a list of ``label``, ``start`` and ``end``.
    """
    lines = file.read_text(encoding="utf-8").splitlines()
    return [one for origin, line in enumerate(lines) for one in _of(json.loads(line), origin)]


def _of(utterance: Mapping[str, Any], origin: int) -> Iterator[Example]:
    text, quotes = utterance["text"], utterance["labels"]
    labels = frozenset(quote["label"] for quote in quotes)
    yield Example(text, labels, origin, whole=True)
    if (heard := spoken(text)) != text:
        yield Example(heard, labels, origin, whole=False)
    if any(quote["end"] - quote["start"] < len(text) - 6 for quote in quotes):
        rest = text
        for quote in sorted(quotes, key=lambda quote: -int(quote["start"])):
            yield Example(text[quote["start"] : quote["end"]], frozenset({quote["label"]}), origin, whole=False)
            rest = rest[: quote["start"]] + rest[quote["end"] :]
        if len(rest.split()) >= SHORTEST_REST:
            yield Example(rest.strip(), frozenset(), origin, whole=False)


def spoken(text: str) -> str:
    """Return a text as a recogniser writes it: small letters, no marks but apostrophes."""
    return "".join(letter for letter in text.lower() if letter.isalnum() or letter in " '")


def train(folder: Path, on: Reader) -> Mapping[str, NDArray[Any]]:
    """Return the numbers of the head.

    Args:
        folder: Holds ``utterances.jsonl`` and ``other_writer.jsonl``, which teach, and ``threshold.jsonl``.
        on: Encodes texts as the head will read them.
    """
    taught = [
        replace(one, origin=one.origin * len(TAUGHT) + number)
        for number, name in enumerate(TAUGHT)
        for one in examples(folder / name)
    ]
    encoded = on.means([one.text for one in taught])
    rows, mean, deviation = standard(highest(encoded))
    _, directions = np.linalg.eigh(rows.astype(np.float64).T @ rows.astype(np.float64))
    axes = in_bytes("axes", directions[:, ::-1][:, :AXES] / np.sqrt(rows.shape[1]))
    places = compared(encoded, mean, deviation, axes["axes"].astype(np.float32) * axes["axes.scale"])
    chosen = np.sort(np.random.default_rng(SEED).choice(len(taught), min(KNOWN, len(taught)), replace=False))
    known = in_bytes("known", places[chosen])
    near = resemblances(places, ready(known["known"].astype(np.float32) * known["known.scale"]), WIDTH)
    turned = whitening(near[chosen]).astype(np.float32)
    spread = near @ turned
    words = vocabulary([one.text for one in taught], LEAST_TEXTS)
    grams = _dense(words.rows([one.text for one in taught]), len(words.keys))
    alike = spread @ spread.T + GRAMS_SIZE * (grams @ grams.T)
    aims = (
        np.array([[*(label in one.labels for label in LABELS), bool(one.labels)] for one in taught], np.float32) * 2 - 1
    )
    scores = held_out_scores(alike, aims, [one.origin for one in taught])
    whole = np.array([one.whole for one in taught])
    solved = _solved(alike, aims)
    weights = GRAMS_SIZE * grams.T @ solved
    largest = np.sort(np.argsort(-np.linalg.norm(weights, axis=1) * words.rarity, kind="stable")[:GRAMS_KEPT])
    slope, shift = slope_and_shift(scores[whole][:, :-1], (aims[whole][:, :-1] + 1) / 2)
    numbers: dict[str, NDArray[Any]] = {
        "keys": words.keys[largest],
        "rarity": words.rarity[largest].astype(np.float16),
        **in_bytes("grams", weights[largest]),
        "mean": mean,
        "deviation": deviation,
        **axes,
        **known,
        "width": np.array(WIDTH, np.float32),
        "alphas": (turned @ (spread.T @ solved)).astype(np.float32),
        "slope": slope,
        "shift": shift,
        "least": np.array(LEAST_CONFIDENCE, np.float32),
        "present": np.array(0, np.float32),
    }
    return {**numbers, "present": _threshold(numbers, folder / THRESHOLD, on)}


def _threshold(numbers: Mapping[str, NDArray[Any]], file: Path, on: Reader) -> Array:
    """Return what `presence` must reach so that the wanted share of a file's look-alikes is left alone."""
    written = examples(file)
    benign = {one.origin for one in written if one.whole and not one.labels}
    head = DistortionHead(HeadFile("distortions", numbers, {"sha256": ""}))
    found = presence(head.scores(on.means([one.text for one in written if one.origin in benign])))
    limit: Array = np.nextafter(np.quantile(found, SPECIFICITY, method="higher"), np.float32(np.inf), dtype=np.float32)
    return limit


def held_out_scores(alike: Array, aims: Array, origins: Sequence[int]) -> Array:
    """Return scores of each text by a head that was not taught it nor anything of the same utterance."""
    fold = np.array(origins) % FOLDS
    found = np.zeros_like(aims)
    for one in range(FOLDS):
        inside, outside = np.flatnonzero(fold != one), np.flatnonzero(fold == one)
        found[outside] = alike[np.ix_(outside, inside)] @ _solved(alike[np.ix_(inside, inside)], aims[inside])
    return found


def _solved(alike: Array, aims: Array) -> Array:
    weights: Array = np.linalg.solve(alike + np.float32(PENALTY) * np.eye(len(alike), dtype=np.float32), aims)
    return weights


def _dense(rows: Rows, width: int) -> Array:
    found = np.zeros((len(rows.starts) - 1, width), np.float32)
    found[np.repeat(np.arange(len(found)), np.diff(rows.starts)), rows.columns] = rows.values
    return found
