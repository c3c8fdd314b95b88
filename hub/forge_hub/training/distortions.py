"""Trains the head of `forge_language.distortion_head` from utterances that were written for it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forge_hub.training.calibration import slope_and_shift
from forge_hub.training.logistic import Course, regression
from forge_language.distortion_head import LABELS, presence
from forge_language.heads.files import HeadFile
from forge_language.heads.reader import Reader
from forge_language.heads.regression import Regression

Array = NDArray[np.float32]

TAUGHT: Final = "writer_*.jsonl"
THRESHOLD: Final = "threshold.jsonl"
"""Of two other writers: teaches nothing, sets how much it takes to speak of a distortion, and how sure it is."""
COURSE: Final = Course(rounds=12, batch=1024, rate=0.3, dense_rate=0.05, decay=1e-2, seed=1)
GRAMS: Final = 24_000
LEAST_TEXTS: Final = 3
SPECIFICITY: Final = 0.95
"""Of those writers' utterances that show none, as written and as heard, this share must be left alone: the aim itself,
since of the third test half's look-alikes more were left alone than of these."""
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


def of_all_labels(scores: Array, shown: Array) -> tuple[float, float]:
    """Return slope and shift of a confidence, the same for every label.

    Some labels have next to no example among those that set the threshold; and so the first label is the surest.

    Args:
        scores: Shape ``(texts, 14)``.
        shown: As `targets` returns it, of the same texts.
    """
    slope, shift = slope_and_shift(scores[:, :-1].reshape(-1, 1), shown[:, :-1].reshape(-1, 1))
    return float(slope[0]), float(shift[0])


def train(folder: Path, on: Reader) -> Mapping[str, NDArray[Any]]:
    """Return the numbers of the head.

    Args:
        folder: Holds ``writer_*.jsonl``, which teach, and ``threshold.jsonl``.
        on: Encodes texts as the head will read them.
    """
    lessons, judging = taught(folder), judges(folder)
    encoded = on.means([one.text for one in lessons])
    numbers = regression(encoded, targets(lessons), COURSE, least=LEAST_TEXTS, most=GRAMS)
    shown = targets(judging)
    scores = Regression(HeadFile("distortions", numbers, {})).scores(on.means([one.text for one in judging]))
    slope, shift = of_all_labels(scores, shown)
    measured = {
        "present": threshold(scores[shown[:, -1] == 0]),
        "slope": slope,
        "shift": shift,
        "least": LEAST_CONFIDENCE,
    }
    return {**numbers, **{name: np.array(value, np.float32) for name, value in measured.items()}}
