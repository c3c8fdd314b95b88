"""Trains the head of `forge_language.distortion_head` from utterances that were written for it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
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

TAUGHT: Final = "writer_*.jsonl"
THRESHOLD: Final = "threshold.jsonl"
"""Of two other writers: teaches nothing, sets how much it takes to speak of a distortion, and how sure it is."""
AXES: Final = 176
WIDTH: Final = 1.0
PENALTY: Final = 0.1
KNOWN: Final = 2900
"""Examples that the head keeps, as numbers and not as words, to compare with (Williams and Seeger 2001)."""
SEED: Final = 1
GRAMS_SIZE: Final = np.float32(0.15)
"""Share of the grams beside the resemblances: of two rows of grams that are the same, half of .3."""
GRAMS_KEPT: Final = 10_000
LEAST_TEXTS: Final = 3
SPECIFICITY: Final = 0.96
"""Of those writers' utterances that show none, as written and as heard, this share must be left alone: a point above
the aim, since the next writer writes other look-alikes."""
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
        entire: Whether it is an utterance, as it was written or as it is heard, and not a part of one.
    """

    text: str
    labels: frozenset[str]
    entire: bool


def examples(file: Path) -> list[Example]:
    """Return the utterances of a file, each also as a recogniser writes it, with its quotes and their rest.

    Args:
        file: One JSON object a line: ``text`` and ``labels``, a list of ``label``, ``start`` and ``end``.
    """
    return [one for line in file.read_text(encoding="utf-8").splitlines() for one in _of(json.loads(line))]


def _of(utterance: Mapping[str, Any]) -> Iterator[Example]:
    text, quotes = utterance["text"], utterance["labels"]
    labels = frozenset(quote["label"] for quote in quotes)
    yield Example(text, labels, entire=True)
    if (heard := spoken(text)) != text:
        yield Example(heard, labels, entire=True)
    if any(quote["end"] - quote["start"] < len(text) - 6 for quote in quotes):
        rest = text
        for quote in sorted(quotes, key=lambda quote: -int(quote["start"])):
            yield Example(text[quote["start"] : quote["end"]], frozenset({quote["label"]}), entire=False)
            rest = rest[: quote["start"]] + rest[quote["end"] :]
        if len(rest.split()) >= SHORTEST_REST:
            yield Example(rest.strip(), frozenset(), entire=False)


def spoken(text: str) -> str:
    """Return a text as a recogniser writes it: small letters, no marks but apostrophes."""
    return "".join(letter for letter in text.lower() if letter.isalnum() or letter in " '")


def taught(folder: Path) -> list[Example]:
    """Return what teaches, of every writer.

    Args:
        folder: Holds ``writer_1.jsonl`` and so on.

    Raises:
        FileNotFoundError: It holds none.
    """
    files = sorted(folder.glob(TAUGHT))
    if not files:
        raise FileNotFoundError(TAUGHT)
    return [one for file in files for one in examples(file)]


def judges(folder: Path) -> list[Example]:
    """Return the utterances of ``threshold.jsonl``, as written and as heard, without their parts."""
    return [one for one in examples(folder / THRESHOLD) if one.entire]


def targets(of: Sequence[Example]) -> Array:
    """Return what is to be said of some examples, shape ``(examples, 14)``: 1 for each label shown, and for any."""
    return np.array([[*(label in one.labels for label in LABELS), bool(one.labels)] for one in of], np.float32)


def threshold(benign: Array) -> float:
    """Return what `presence` must reach so that the wanted share of look-alikes is left alone.

    Args:
        benign: The scores of the look-alikes, shape ``(texts, 14)``.
    """
    limit = np.quantile(presence(benign), SPECIFICITY, method="higher")
    return float(np.nextafter(limit, np.float32(np.inf), dtype=np.float32))


def of_all_labels(scores: Array, shown: Array) -> tuple[Array, Array]:
    """Return slope and shift of a confidence, shape ``(13,)`` each, the same for every label.

    Some labels have next to no example among those that set the threshold; and so the first label is the surest.

    Args:
        scores: Shape ``(texts, 14)``.
        shown: As `targets` returns it, of the same texts.
    """
    slope, shift = slope_and_shift(scores[:, :-1].reshape(-1, 1), shown[:, :-1].reshape(-1, 1))
    return np.repeat(slope, len(LABELS)), np.repeat(shift, len(LABELS))


def train(folder: Path, on: Reader) -> Mapping[str, NDArray[Any]]:
    """Return the numbers of the head.

    Args:
        folder: Holds ``writer_*.jsonl``, which teach, and ``threshold.jsonl``.
        on: Encodes texts as the head will read them.
    """
    lessons = taught(folder)
    encoded = on.means([one.text for one in lessons])
    rows, mean, deviation = standard(highest(encoded))
    _, directions = np.linalg.eigh(rows.astype(np.float64).T @ rows.astype(np.float64))
    axes = in_bytes("axes", directions[:, ::-1][:, :AXES] / np.sqrt(rows.shape[1]))
    places = compared(encoded, mean, deviation, axes["axes"].astype(np.float32) * axes["axes.scale"])
    chosen = np.sort(np.random.default_rng(SEED).choice(len(lessons), min(KNOWN, len(lessons)), replace=False))
    known = in_bytes("known", places[chosen])
    near = resemblances(places, ready(known["known"].astype(np.float32) * known["known.scale"]), WIDTH)
    turned = whitening(near[chosen]).astype(np.float32)
    spread = near @ turned
    words = vocabulary([one.text for one in lessons], LEAST_TEXTS)
    grams = _dense(words.rows([one.text for one in lessons]), len(words.keys))
    alike = spread @ spread.T + GRAMS_SIZE * (grams @ grams.T)
    solved = _solved(alike, targets(lessons) * 2 - 1)
    weights = GRAMS_SIZE * grams.T @ solved
    largest = np.sort(np.argsort(-np.linalg.norm(weights, axis=1) * words.rarity, kind="stable")[:GRAMS_KEPT])
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
        "slope": np.ones(len(LABELS), np.float32),
        "shift": np.zeros(len(LABELS), np.float32),
        "least": np.array(LEAST_CONFIDENCE, np.float32),
        "present": np.array(0, np.float32),
    }
    return {**numbers, **_measured(numbers, judges(folder), on)}


def _measured(numbers: Mapping[str, NDArray[Any]], by: Sequence[Example], on: Reader) -> Mapping[str, NDArray[Any]]:
    """Return from where on a head names a distortion, and what turns its scores into log-odds."""
    head, shown = DistortionHead(HeadFile("distortions", numbers, {"sha256": ""})), targets(by)
    scores = head.scores(on.means([one.text for one in by]))
    slope, shift = of_all_labels(scores, shown)
    limit = threshold(scores[shown[:, -1] == 0])
    return {"slope": slope, "shift": shift, "present": np.array(limit, np.float32)}


def _solved(alike: Array, aims: Array) -> Array:
    weights: Array = np.linalg.solve(alike + np.float32(PENALTY) * np.eye(len(alike), dtype=np.float32), aims)
    return weights


def _dense(rows: Rows, width: int) -> Array:
    found = np.zeros((len(rows.starts) - 1, width), np.float32)
    found[np.repeat(np.arange(len(found)), np.diff(rows.starts)), rows.columns] = rows.values
    return found
