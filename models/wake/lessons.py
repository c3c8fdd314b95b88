"""The lessons: windows of microWakeWord's feature frames with the word that ends in them, or none.

python models/wake/lessons.py FOLDER      about 40 minutes on one core; FOLDER keeps the speech and the lessons
"""

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

import numpy as np
from numpy.typing import NDArray
from phrases import BARE, NEAR, SPOKEN, TALK, WORDS, babble
from pymicro_wakeword import MicroWakeWord, MicroWakeWordFeatures, Model
from rooms import Sound, scene
from voices import teacher

WINDOW_FRAMES: Final = 150
"""1.5 s: the longest wake phrase said slowly, and the time by which the engine is late."""

STEP_SAMPLES: Final = 160
ENGINE_FLOOR: Final = 0.05
"""Where the cheap engine is above this, the verifier will perhaps be asked: these windows are the hard lessons."""

LEVELS_PER_UNIT: Final = 9
"""Features are 0 to about 26 and kept as uint8 in ninths: far finer than their noise."""

SEED: Final = 21
COUNTS: Final = {"train": (2_000, 2_000, 5_500), "onset": (240, 400, 0), "check": (200, 200, 600)}
"""Scenes per word with the word, per word with a near-miss, and of ordinary talk. The part ``onset`` is for training
too: recordings that begin just before the phrase, and near-misses that lack a word's first syllable."""

POOL: Final = {"train": (380, 380, 1_400), "onset": (180, 180, 60), "check": (80, 80, 200)}
"""Utterances that the scenes draw from, likewise."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """Spoken text; ``word`` is the index of the wake word in it or -1, ``like`` that of the engine that hears it."""

    sound: Sound
    word: int
    like: int


def utterances(part: str, kept: Path) -> dict[str, list[list[Utterance]]]:
    """Return what is said, by kind: ``word`` and ``near`` with one list per word, ``talk`` with one list."""
    random = Random(f"{SEED} {part}")
    check = part == "check"
    of_word, of_near, of_talk = POOL[part]

    def say(text: str, word: int, like: int) -> Utterance:
        ending = random.choice(("", "", ".", "!", "?", ","))
        return Utterance(teacher(random, check=check).say(text + ending, kept), word, like)

    words = [
        [say(random.choice(SPOKEN[word]), index, index) for _ in range(of_word)] for index, word in enumerate(WORDS)
    ]
    unlike = BARE if part == "onset" else NEAR
    near = [[say(random.choice(unlike[word]), -1, index) for _ in range(of_near)] for index, word in enumerate(WORDS)]
    talk = [
        say(random.choice(TALK) if random.random() < 0.4 else babble(random), -1, random.randrange(len(WORDS)))
        for _ in range(of_talk)
    ]
    return {"word": words, "near": near, "talk": [talk]}


class Engine:
    """microWakeWord on whole clips."""

    def __init__(self) -> None:
        self._features = MicroWakeWordFeatures()
        self._models = [MicroWakeWord.from_builtin(Model(word)) for word in WORDS]

    def hear(self, samples: NDArray[np.int16], word: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return frames, shape ``(n, 40)``, and the engine's score of ``word`` after each, shape ``(n,)``."""
        self._features.reset()
        model = self._models[word]
        model.reset()
        frames = [frame[0, 0] for frame in self._features.process_streaming(samples.astype("<i2").tobytes())]
        scores = [model.process_streaming_prob(frame[None, None]) or 0.0 for frame in frames]
        return np.asarray(frames, np.float32), np.asarray(scores, np.float32)


def lessons(part: str, kept: Path) -> Iterator[tuple[NDArray[np.uint8], int, int, float]]:
    """Yield windows, shape ``(150, 40)``, with the index of the word in it or -1, that of the engine, its score."""
    random = np.random.default_rng([SEED, ("train", "check", "onset").index(part)])
    said = utterances(part, kept)
    engine = Engine()
    of_word, of_near, of_talk = COUNTS[part]
    talk = said["talk"][0]
    plan = [(said["word"][index], of_word) for index in range(len(WORDS))]
    plan += [(said["near"][index], of_near) for index in range(len(WORDS))]
    plan.append((talk, of_talk))
    for pool, count in plan:
        for _ in range(count):
            utterance = pool[random.integers(len(pool))]
            before = talk[random.integers(len(talk))].sound if random.random() < 0.3 else None
            after = talk[random.integers(len(talk))].sound if random.random() < 0.3 else None
            shown = scene(utterance.sound, before, after, random, onset=part == "onset")
            frames, scores = engine.hear(shown.samples, utterance.like)
            yield from _windows(frames, scores, shown.end // STEP_SAMPLES, utterance, random)


def _windows(
    frames: NDArray[np.float32],
    scores: NDArray[np.float32],
    end: int,
    utterance: Utterance,
    random: np.random.Generator,
) -> Iterator[tuple[NDArray[np.uint8], int, int, float]]:
    # Of a word, from its last sound to 0.3 s later: when the engine fires, measured on these voices.
    choices = np.arange(end - 6, end + 30) if utterance.word >= 0 else np.arange(WINDOW_FRAMES, len(frames))
    choices = choices[(choices >= WINDOW_FRAMES) & (choices < len(frames))]
    hard = choices[scores[choices] > ENGINE_FLOOR]
    picked = set(random.choice(choices, min(2, len(choices)), replace=False))
    picked |= set(random.choice(hard, min(3, len(hard)), replace=False))
    quantised = np.clip(np.rint(frames * LEVELS_PER_UNIT), 0, 255).astype(np.uint8)
    for last in sorted(picked):
        window = quantised[last - WINDOW_FRAMES + 1 : last + 1]
        yield window, utterance.word, utterance.like, float(scores[last])


def main(folder: Path) -> None:
    """Write the lessons of both parts."""
    kept = folder / "speech"
    kept.mkdir(parents=True, exist_ok=True)
    for part in ("check", "onset", "train"):
        began = time.monotonic()
        windows, words, likes, scores = zip(*lessons(part, kept), strict=True)
        np.savez(
            folder / f"{part}.npz",
            windows=np.stack(windows),
            words=np.asarray(words, np.int8),
            likes=np.asarray(likes, np.int8),
            scores=np.asarray(scores, np.float32),
        )
        print(f"{part}: {len(windows)} windows, {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
