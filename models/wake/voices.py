"""The teachers: synthetic voices that say a phrase, each utterance kept in a folder so that a second run is quick."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

import numpy as np

from forge_edge.audio.noise import spoken_part
from forge_edge.audio.ports import Samples
from forge_edge.speech.espeak import EspeakSynthesiser
from forge_edge.speech.flite import FliteSynthesiser

ESPEAK_PLAIN: Final = ("en-gb", "en-us", "en-gb-scotland", "en-gb-x-rp", "en-gb-x-gbclan", "en-gb-x-gbcwmd", "en-029")
ESPEAK_VARIANTS: Final = tuple(
    """f1 f2 f3 f4 f5 m1 m2 m3 m4 m5 m6 m7 m8 Alex Alicia Andrea Andy Annie Denis Diogo Gene Gene2 Henrique Hugo Jacky
    Lee Marco Mario Michael Mike Nguyen adam anika antonio aunty belinda benjamin boris caleb david ed edward edward2
    grandma grandpa gustave iven john kaukovalta klatt klatt2 klatt3 klatt4 linda marcelo max michel miguel norbert
    pablo paul pedro quincy rob robert sandro shelby steph steph2 travis victor whisper zac""".split()
)
"""Variants of espeak-ng 1.51 that sound like a person; it applies them behind ``en-us`` only."""

FLITE: Final = ("kal", "kal16", "awb", "rms", "slt")

CHECK_VOICES: Final = frozenset(
    {"en-gb-x-rp", "en-us+f2", "en-us+m7", "en-us+linda", "en-us+Mario", "en-us+steph", "en-us+benjamin", "slt"}
)
"""Never trained on: the thresholds are set on these."""


@dataclass(frozen=True, slots=True)
class Teacher:
    """A voice with its speed (words per minute) and pitch (0 to 99, espeak-ng only)."""

    engine: str
    voice: str
    words_per_minute: int
    pitch: int

    def say(self, text: str, kept: Path) -> "np.ndarray[tuple[int], np.dtype[np.float32]]":
        """Return ``text`` without silence around it, shape ``(n,)``, float32 in units of int16, 16 kHz."""
        key = f"{self.engine}|{self.voice}|{self.words_per_minute}|{self.pitch}|{text}"
        file = kept / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.npy"
        if file.is_file():
            samples: Samples = np.load(file)
        else:
            samples = self._synthesiser().synthesise(text).samples
            np.save(file, samples)
        return spoken_part(samples)

    def _synthesiser(self) -> EspeakSynthesiser | FliteSynthesiser:
        if self.engine == "flite":
            return FliteSynthesiser(self.voice, words_per_minute=self.words_per_minute)
        return EspeakSynthesiser(self.voice, words_per_minute=self.words_per_minute, pitch=self.pitch)


def teacher(random: Random, *, check: bool) -> Teacher:
    """Return a voice at random, of those for training or of those for checking."""
    names = [("espeak-ng", name) for name in ESPEAK_PLAIN for _ in range(3)]
    names += [("espeak-ng", f"en-us+{name}") for name in ESPEAK_VARIANTS]
    names += [("flite", name) for name in FLITE for _ in range(8)]
    engine, voice = random.choice([name for name in names if (name[1] in CHECK_VOICES) == check])
    return Teacher(engine, voice, random.choice((110, 130, 150, 170, 190)), random.choice((20, 35, 50, 65, 80)))
