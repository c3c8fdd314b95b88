"""Trains the tagger of the redactor, and writes it where `forge_language` reads it.

    python -m models.redaction.train --seed 5

It trains one head on everything, which is the one that is installed, and one for each third of the corpus's templates
that has not seen this third, by which the redactor is measured (`benchmarks/redaction.py`). Needs the packages of the
card (README.md), scipy and `../shared/data/psych`. The same seed on the same numpy and processor gives the same heads.
"""

import argparse
import hashlib
import json
import time
from collections.abc import Iterable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Final

import numpy as np
from models.redaction.corpus import FOLDS, ROOT, Lesson, corpus, folds
from models.redaction.lessons import LEXICON, all_lessons
from numpy.typing import NDArray
from scipy import sparse

from forge_language.spotting.tokens import Token, is_written, split
from forge_language.tagging.features import BUCKETS, edge_traits, traits, word_bucket
from forge_language.tagging.lexicon import read_lexicon
from forge_language.tagging.network import LABELS, REACH, Weights, read

Array = NDArray[np.float32]

HERE: Final = Path(__file__).parent
PACKAGE: Final = ROOT / "shared" / "forge_language" / "tagging"

WIDTH, HIDDEN = 32, 96
EPOCHS: Final = 4
BATCH: Final = 192
RATE: Final = 0.004
DROPPED_WORDS: Final = 0.3
"""Share of the words whose own identity is left out in a step: unknown words must be judged by the rest."""
DROPPED_TRAITS: Final = 0.1
"""Share of all traits that are left out in a step."""
DROPPED: Final = 0.2
"""Share of the hidden layer that is left out in a step."""
_IGNORED: Final = -1

GOLDEN: Final = (
    "My sister Oluwaseun moved to Rotterdam.",
    "my sister oluwaseun moved to rotterdam",
    "nearly every day, and I may feel worse in March",
)
"""Sentences of which every back end must give the same shares."""


class Lexemes:
    """Words as the table sees them: each distinct one is a sparse row of traits, with and without its identity."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, str, str, bool], int] = {}
        self._rows: list[list[int]] = [edge_traits()]
        self._words: list[int] = [-1]
        self._lexicon = read_lexicon(LEXICON.read_bytes())

    def numbers(self, tokens: list[Token]) -> list[int]:
        """Return the number of each word's row; 0 is what lies beyond a text."""
        written = is_written(tokens)
        known = self._lexicon.look_up([token.stem for token in tokens])
        found = []
        for token, mask in zip(tokens, known, strict=True):
            key = (token.raw, token.gap, token.shape, written)
            if key not in self._numbers:
                self._numbers[key] = len(self._rows)
                self._rows.append(traits(token, mask, written=written))
                self._words.append(word_bucket(token) if token.shape == "word" else -1)
            found.append(self._numbers[key])
        return found

    def matrix(self) -> sparse.csr_matrix:
        """Return the rows, and after them the same rows without the words' identity."""
        bare = [[bucket for bucket in row if bucket != word] for row, word in zip(self._rows, self._words, strict=True)]
        rows = self._rows + bare
        starts = np.cumsum([0, *(len(row) for row in rows)])
        columns = np.concatenate([np.array(row, dtype=np.int32) for row in rows])
        ones = np.ones(len(columns), np.float32)
        return sparse.csr_matrix((ones, columns, starts), shape=(len(rows), BUCKETS))


def labels(tokens: Sequence[Token], lesson: Lesson) -> list[int]:
    """Return the label of each word, or that it is to be passed over."""
    found = []
    for token in tokens:
        kind = next((kind for start, end, kind in lesson.spans if token.start < end and start < token.end), None)
        unknown = any(start <= token.start < end for start, end in lesson.unlabelled)
        found.append(
            _IGNORED if unknown or token.shape == "placeholder" else LABELS.index(kind) if kind in LABELS else 0
        )
    return found


class Training:
    """Adam on cross-entropy; everything in single precision."""

    def __init__(self, lessons: Iterable[Lesson], seed: int) -> None:
        self._chance = np.random.default_rng(seed)
        lexemes = Lexemes()
        self._texts: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
        edge = [0] * REACH
        passed = [_IGNORED] * REACH
        for lesson in lessons:
            tokens = split(lesson.text)
            if tokens:
                numbers = [*edge, *lexemes.numbers(tokens), *edge]
                self._texts.append((np.array(numbers), np.array([*passed, *labels(tokens, lesson), *passed])))
        self._rows = lexemes.matrix()
        self._count = self._rows.shape[0] // 2
        normal = self._chance.normal
        window = (2 * REACH + 1) * WIDTH
        self.parts: list[Array] = [
            normal(0, 0.1, (BUCKETS, WIDTH)).astype(np.float32),
            (normal(0, 1, (window, HIDDEN)) * np.sqrt(2 / window)).astype(np.float32),
            np.zeros(HIDDEN, np.float32),
            (normal(0, 1, (HIDDEN, len(LABELS))) * np.sqrt(1 / HIDDEN)).astype(np.float32),
            np.zeros(len(LABELS), np.float32),
        ]
        self._means = [np.zeros_like(part) for part in self.parts]
        self._squares = [np.zeros_like(part) for part in self.parts]
        self._step = 0

    def run(self, epochs: int) -> Weights:
        """Train and return the weights."""
        order = np.arange(len(self._texts))
        steps = epochs * -(-len(order) // BATCH)
        for epoch in range(epochs):
            began, loss = time.monotonic(), 0.0
            self._chance.shuffle(order)
            for start in range(0, len(order), BATCH):
                rate = RATE * min(1.0, (self._step + 1) / 50) * (1 - self._step / steps)
                loss += self._learn([self._texts[place] for place in order[start : start + BATCH]], rate)
            print(f"epoch {epoch}: loss {loss * BATCH / len(order):.4f}, {time.monotonic() - began:.0f} s", flush=True)
        return Weights(*self.parts)

    def _learn(self, texts: list[tuple[NDArray[np.int64], NDArray[np.int64]]], rate: float) -> float:
        numbers = np.concatenate([text[0] for text in texts])
        wanted = np.concatenate([text[1] for text in texts])[REACH:-REACH]
        dropped = self._chance.random(len(numbers)) < DROPPED_WORDS
        types, of = np.unique(numbers + self._count * dropped, return_inverse=True)
        rows = self._rows[types]
        rows.data *= self._chance.random(len(rows.data)) >= DROPPED_TRAITS
        table, hidden_in, hidden_offset, out_in, out_offset = self.parts
        words = (rows @ table)[of]
        count = len(wanted)
        windows = np.concatenate([words[shift : shift + count] for shift in range(2 * REACH + 1)], axis=1)
        judged = np.flatnonzero(wanted != _IGNORED)
        windows, wanted = windows[judged], wanted[judged]
        before = windows @ hidden_in + hidden_offset
        keep = (before > 0) * (self._chance.random(before.shape, dtype=np.float32) >= DROPPED) / (1 - DROPPED)
        hidden = (before * keep).astype(np.float32)
        raw = hidden @ out_in + out_offset
        powers = np.exp(raw - raw.max(1, keepdims=True))
        shares = powers / powers.sum(1, keepdims=True)
        loss = -float(np.log(shares[np.arange(len(wanted)), wanted] + 1e-9).mean())
        error = shares
        error[np.arange(len(wanted)), wanted] -= 1
        error /= len(wanted)
        error_hidden = ((error @ out_in.T) * keep).astype(np.float32)
        error_windows = np.zeros((count, windows.shape[1]), np.float32)
        error_windows[judged] = error_hidden @ hidden_in.T
        error_words = np.zeros_like(words)
        for shift in range(2 * REACH + 1):
            error_words[shift : shift + count] += error_windows[:, shift * WIDTH : (shift + 1) * WIDTH]
        gather = sparse.csr_matrix(
            (np.ones(len(of), np.float32), (of, np.arange(len(of)))), shape=(len(types), len(of))
        )
        slopes = [
            np.asarray(rows.T @ (gather @ error_words)),
            windows.T @ error_hidden,
            error_hidden.sum(0),
            hidden.T @ error,
            error.sum(0),
        ]
        self._move(slopes, rate)
        return loss

    def _move(self, slopes: list[Array], rate: float) -> None:
        self._step += 1
        first, second = 1 - 0.9**self._step, 1 - 0.999**self._step
        for part, mean, square, slope in zip(self.parts, self._means, self._squares, slopes, strict=True):
            np.add(mean, 0.1 * (slope - mean), out=mean)
            np.add(square, 0.001 * (slope * slope - square), out=square)
            np.subtract(part, rate * (mean / first) / (np.sqrt(square / second) + 1e-8), out=part)


def main() -> None:
    """Train every head and write them."""
    parser = argparse.ArgumentParser(description="Train the tagger of the redactor.")
    parser.add_argument("--seed", type=int, default=5)
    seed = parser.parse_args().seed
    left_out = folds(corpus(), FOLDS)
    for number, templates in enumerate(left_out):
        head = packed(Training(all_lessons(templates, seed), seed).run(EPOCHS))
        (HERE / f"without_{number}.npz").write_bytes(head)
    head = packed(Training(all_lessons(frozenset(), seed), seed).run(EPOCHS))
    (PACKAGE / "head.npz").write_bytes(head)
    digests = {name: hashlib.sha256((PACKAGE / name).read_bytes()).hexdigest() for name in ("head.npz", "lexicon.npz")}
    (PACKAGE / "head.json").write_text(json.dumps({"sha256": digests}, indent=2) + "\n", encoding="utf-8")
    _describe(digests, left_out, seed)


def packed(weights: Weights) -> bytes:
    """Return weights as a file: the table in whole bytes with a scale for each column, the rest in half precision."""
    scale = np.abs(weights.table).max(0, keepdims=True) / 127
    buffer = BytesIO()
    np.savez_compressed(
        buffer,
        table=np.round(weights.table / scale).astype(np.int8),
        table_scale=scale.astype(np.float32),
        hidden=weights.hidden.astype(np.float16),
        hidden_offset=weights.hidden_offset.astype(np.float16),
        out=weights.out.astype(np.float16),
        out_offset=weights.out_offset.astype(np.float16),
    )
    return buffer.getvalue()


def _describe(digests: dict[str, str], left_out: Sequence[frozenset[int]], seed: int) -> None:
    """Write the manifest and the golden sentences."""
    manifest = {
        "name": "redaction",
        "licence": "Apache-2.0",
        "weights": {f"shared/forge_language/tagging/{name}": digest for name, digest in digests.items()},
        "bytes": [(PACKAGE / name).stat().st_size for name in digests],
        "command": f"python -m models.redaction.lexicon && python -m models.redaction.train --seed {seed}",
        "input": "words of one text as `forge_language.spotting.tokens.split` gives them",
        "output": f"float32 (n, {len(LABELS)}): for each word the shares of nothing and of "
        f"{', '.join(map(str, LABELS[1:]))}; each row sums to 1, no unit",
        "trained_on": [
            "presidio_synth generated_large.json, MIT",
            "GoEmotions train.tsv, CC BY 4.0",
            "models/redaction/sentences.py, Apache-2.0, filled by Faker, MIT",
        ],
        "folds": [
            {
                "weights": f"models/redaction/without_{number}.npz",
                "sha256": hashlib.sha256((HERE / f"without_{number}.npz").read_bytes()).hexdigest(),
                "templates_left_out": sorted(templates),
            }
            for number, templates in enumerate(left_out)
        ],
    }
    (HERE / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    tagger = read((PACKAGE / "head.npz").read_bytes(), LEXICON.read_bytes())
    golden = [
        {
            "text": text,
            "shares": [[round(float(share), 4) for share in row] for row in tagger.judge(split(text)).shares],
        }
        for text in GOLDEN
    ]
    (HERE / "golden.json").write_text(
        json.dumps({"tolerance": 0.001, "sentences": golden}, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    main()
