"""How well a room wakes: recall, false wakes and cost of the cascade, beside microWakeWord and openWakeWord alone.

    python benchmarks/wake.py

All engines hear the same sound in the same run, with their published cut-offs and the same four words. Recordings of
people in ../shared/data/voice are used where they are present; else "alexa" and "jarvis" are said by synthetic voices.
openWakeWord's pre-trained models are CC BY-NC-SA 4.0: they are run here and nowhere else.
"""

import json
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from forge_edge.audio.files import load
from forge_edge.audio.noise import QUIET_DBFS, SPEECH_DBFS, at_level, room_noise
from forge_edge.audio.ports import CHUNK_SAMPLES, SAMPLE_RATE_HZ, Samples
from forge_edge.audio.voices import VOICES
from forge_edge.errors import AudioUnreadableError
from forge_edge.speech.espeak import EspeakSynthesiser
from forge_edge.speech.flite import FliteSynthesiser
from forge_edge.wake.cascade import CascadeWakeWords
from forge_edge.wake.micro import BUILT_IN_WORDS, MicroWakeWords
from forge_edge.wake.ports import REFRACTORY_SECONDS, Detection, WakeWord

SEED = 23
ROOT = Path(__file__).parents[1]
RECORDINGS = ROOT.parent / "shared" / "data" / "voice"
SENTENCES = ROOT / "tests" / "golden" / "crisis_development.jsonl"
"""What people say in a ward, in the hundreds; none of it was used to train the verifier."""

OTHER_RECORDINGS = ("speech_to_phrase_en", "background_noise.wav")
TALK_SENTENCES = 200
VOICES_OF_TALK = ("en-gb-x-rp", "en-us+f2", "en-us+m7", "en-us+linda", "en-us+steph", "en-us+benjamin", "slt")
"""None of them taught the verifier (models/wake/voices.py, ``CHECK_VOICES``)."""

NOISE_DB = (40.0, 20.0, 10.0)
SLICE_SECONDS = 20
AFTER = np.zeros(SAMPLE_RATE_HZ // 2, np.int16)
OPEN_THRESHOLD = 0.5


@dataclass(frozen=True, slots=True)
class Clip:
    """Sound with a name, int16, 16 kHz."""

    name: str
    samples: Samples


class PyOpenWakeWords:
    """openWakeWord by pyopen-wakeword, with the models of its wheel: a `WakeWord` for comparison."""

    def __init__(self, words: Sequence[str]) -> None:
        """Load the models of ``words``."""
        from pyopen_wakeword import Model, OpenWakeWord, OpenWakeWordFeatures  # noqa: PLC0415 (may be absent)

        self._features: Any = OpenWakeWordFeatures.from_builtin()
        self._models: dict[str, Any] = {word: OpenWakeWord.from_builtin(Model(word)) for word in words}
        self._heard_samples = 0
        self._silent_until = 0.0

    @property
    def words(self) -> tuple[str, ...]:
        """The names of the words it listens for."""
        return tuple(self._models)

    def feed(self, samples: Samples) -> Detection | None:
        """Listen to the next piece of sound."""
        self._heard_samples += len(samples)
        now = self._heard_samples / SAMPLE_RATE_HZ
        best: Detection | None = None
        for features in self._features.process_streaming(samples.tobytes()):
            for word, model in self._models.items():
                for score in model.process_streaming(features):
                    heard = score > OPEN_THRESHOLD and now >= self._silent_until
                    if heard and (best is None or score > best.score):
                        best = Detection(word, float(score), now)
        if best is not None:
            self._silent_until = now + REFRACTORY_SECONDS
        return best

    def reset(self) -> None:
        """Forget all sound."""
        self._features.reset()
        for model in self._models.values():
            model.reset()
        self._heard_samples = 0
        self._silent_until = 0.0


def show(figure: str, **fields: object) -> None:
    """Print one figure."""
    print(json.dumps({"figure": figure, **fields}), flush=True)


def engines(words: Sequence[str]) -> dict[str, WakeWord]:
    """Return the engines that are installed, by name; the first is ours."""
    found: dict[str, WakeWord] = {"cascade": CascadeWakeWords(words), "pymicro-wakeword": MicroWakeWords(words)}
    try:
        found["pyopen-wakeword"] = PyOpenWakeWords(words)
    except ImportError:
        show("wake.pyopen-wakeword", skipped="pyopen-wakeword is not installed")
    return found


def pieces(samples: Samples) -> Iterator[Samples]:
    """Yield sound as a microphone delivers it."""
    for start in range(0, len(samples), CHUNK_SAMPLES):
        yield samples[start : start + CHUNK_SAMPLES]


def heard_in(engine: WakeWord, clip: Clip) -> list[str]:
    """Return the words that an engine hears in a clip, from a fresh start."""
    engine.reset()
    found = (engine.feed(piece) for piece in pieces(np.concatenate((clip.samples, AFTER))))
    return [detection.word for detection in found if detection is not None]


def recordings(folder: str) -> tuple[list[Clip], int]:
    """Return the recordings of a folder, and how many of its files cannot be decoded."""
    clips, unreadable = [], 0
    place = RECORDINGS / folder
    paths = [place] if place.is_file() else sorted(place.iterdir()) if place.is_dir() else []
    for path in paths:
        if path.suffix not in (".flac", ".wav"):
            continue
        try:
            clips.append(Clip(f"{folder}/{path.name}", load(path)))
        except AudioUnreadableError:
            unreadable += 1
    return clips, unreadable


def spoken(text: str, voice: str, words_per_minute: int = 160) -> Samples:
    """Return ``text`` said by a synthetic voice."""
    if voice in ("kal", "kal16", "awb", "rms", "slt"):
        return FliteSynthesiser(voice, words_per_minute=words_per_minute).synthesise(text).samples
    return EspeakSynthesiser(voice, words_per_minute=words_per_minute).synthesise(text).samples


def in_room(samples: Samples, snr_db: float, chance: random.Random) -> Samples:
    """Return speech with a second of room before and half a second after it."""
    loud = at_level(np.pad(samples.astype(np.float32), (SAMPLE_RATE_HZ, SAMPLE_RATE_HZ // 2)), SPEECH_DBFS)
    noise = np.resize(np.roll(room_noise(chance.randrange(20)), chance.randrange(100_000)), len(loud))
    mixed = loud + noise * 32_768 * 10 ** ((SPEECH_DBFS - snr_db) / 20)
    return np.clip(np.rint(mixed), -32_768, 32_767).astype(np.int16)


def said_word(text: str) -> list[Clip]:
    """Return a phrase said by every simulated patient's voice in three noises."""
    chance = random.Random(SEED)
    return [
        Clip(f"{name} {snr_db}", in_room(spoken(text, voice.voice.voice, voice.voice.words_per_minute), snr_db, chance))
        for name, voice in sorted(VOICES.items())
        for snr_db in NOISE_DB
    ]


def talk() -> list[Clip]:
    """Return sentences of a ward in voices that the verifier does not know."""
    chance = random.Random(SEED)
    lines = SENTENCES.read_text(encoding="utf-8").splitlines()
    sentences = [str(json.loads(line)["text"]) for line in lines if line.strip()]
    return [
        Clip("talk", in_room(spoken(text, chance.choice(VOICES_OF_TALK)), chance.choice(NOISE_DB), chance))
        for text in chance.sample(sentences, min(TALK_SENTENCES, len(sentences)))
    ]


def compare(figure: str, clips: Sequence[Clip], by_name: dict[str, WakeWord], word: str, **fields: object) -> None:
    """Print in what share of the clips each engine hears ``word``."""
    shares = {
        name: round(sum(word in heard_in(engine, clip) for clip in clips) / max(1, len(clips)), 4)
        for name, engine in by_name.items()
    }
    show(figure, value=shares.pop("cascade"), baseline=shares, n=len(clips), **fields)


def compare_per_hour(
    figure: str, clips: Sequence[Clip], by_name: dict[str, WakeWord], allowed: Callable[[Clip], str | None]
) -> None:
    """Print how many false wakes an hour each engine has; ``allowed`` names the word that a clip may wake."""
    hours = sum(len(clip.samples) for clip in clips) / SAMPLE_RATE_HZ / 3600
    counts = {
        name: sum(word != allowed(clip) for clip in clips for word in heard_in(engine, clip))
        for name, engine in by_name.items()
    }
    ours = counts.pop("cascade")
    show(
        figure,
        value=round(ours / hours, 2),
        baseline={name: round(count / hours, 2) for name, count in counts.items()},
        wakes={"cascade": ours, **counts},
        hours=round(hours, 3),
    )


def compare_cost(figure: str, sound: Samples, by_name: dict[str, WakeWord]) -> None:
    """Print the share of one core that each engine needs; they take turns every few seconds of sound."""
    used = dict.fromkeys(by_name, 0.0)
    for engine in by_name.values():
        engine.reset()
    step = SLICE_SECONDS * SAMPLE_RATE_HZ // CHUNK_SAMPLES * CHUNK_SAMPLES
    for start in range(0, len(sound), step):
        for name, engine in by_name.items():
            began = time.process_time()
            for piece in pieces(sound[start : start + step]):
                engine.feed(piece)
            used[name] += time.process_time() - began
    seconds = len(sound) / SAMPLE_RATE_HZ
    percent = {name: round(100 * cpu / seconds, 3) for name, cpu in used.items()}
    ours = percent.pop("cascade")
    show(
        figure,
        value=ours,
        baseline=percent,
        unit="% of one core",
        of_microwakeword=round(ours / percent["pymicro-wakeword"], 2),
        words=len(BUILT_IN_WORDS),
        seconds=round(seconds),
    )


def main() -> None:
    """Measure."""
    by_name = engines(BUILT_IN_WORDS)
    alexa, unreadable = recordings("picovoice/alexa")
    jarvis, _ = recordings("picovoice/jarvis")
    people = bool(alexa)
    compare("wake.alexa.recall", alexa or said_word("alexa"), by_name, "alexa", people=people, unreadable=unreadable)
    compare("wake.hey_jarvis.on-bare-jarvis", jarvis or said_word("jarvis"), by_name, "hey_jarvis", people=people)
    for word in BUILT_IN_WORDS:
        compare(f"wake.{word}.recall-synthetic", said_word(word.replace("_", " ")), by_name, word)
    negatives = [
        clip
        for folder in (*(f"picovoice/{word}" for word in ("computer", "jarvis", "alexa")), *OTHER_RECORDINGS)
        for clip in recordings(folder)[0]
    ]
    if negatives:
        compare_per_hour(
            "wake.false-per-hour.people",
            negatives,
            by_name,
            lambda clip: "alexa" if clip.name.startswith("picovoice/alexa/") else None,
        )
    sentences = talk()
    compare_per_hour("wake.false-per-hour.synthetic-talk", sentences, by_name, lambda _: None)
    compare_cost("wake.core.speech", np.concatenate([clip.samples for clip in sentences[:60]]), by_name)
    quiet = room_noise(1) * 32_768 * 10 ** (QUIET_DBFS / 20)
    compare_cost("wake.core.quiet-room", np.tile(quiet.astype(np.int16), 10), by_name)


if __name__ == "__main__":
    main()
