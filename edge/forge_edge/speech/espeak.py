"""Speech by espeak-ng: robotic, instant, in every language, and installed everywhere."""

import re

import numpy as np

from forge_edge.audio.ports import Speech
from forge_edge.errors import EngineError
from forge_edge.speech import program
from forge_edge.speech.spoken_text import spoken
from forge_edge.speech.voice import PLAIN, Voice, at_volume

INSTALL = "apt install espeak-ng"

_VOICE = re.compile(r"[A-Za-z][A-Za-z0-9-]*(\+[A-Za-z0-9]+)?")
"""A language, perhaps with a variant: ``en-gb``, ``en-us+f3``."""


class EspeakSynthesiser:
    """A `Synthesiser` that runs espeak-ng as a program of its own."""

    def __init__(self, voice: str = "en-gb", *, words_per_minute: int = 160, pitch: int = 50) -> None:
        """Choose the voice; nothing is started yet.

        Args:
            voice: A name from ``espeak-ng --voices``, perhaps with a variant (``en-us+f3``).
            words_per_minute: 80 to 450, espeak-ng's own range.
            pitch: 0 to 99.

        Raises:
            EngineError: The voice is no voice's name, or a number is out of range.
        """
        if not _VOICE.fullmatch(voice) or not 80 <= words_per_minute <= 450 or not 0 <= pitch <= 99:  # noqa: PLR2004 (espeak-ng's ranges, as documented above)
            raise EngineError("espeak-ng: voice, speed (80 to 450) or pitch (0 to 99) out of range")
        self._command = ("espeak-ng", "--stdin", "--stdout", "-b", "1", "-v", voice)
        self._words_per_minute = words_per_minute
        self._pitch = pitch

    @property
    def name(self) -> str:
        """The engine's name."""
        return "espeak-ng"

    def synthesise(self, text: str, voice: Voice = PLAIN) -> Speech:
        """Speak ``text`` with a choice of voice, 16 kHz mono; a text without a letter or a digit gives no samples.

        Raises:
            EngineError: The text is longer than 1,000 characters, or espeak-ng failed or took longer than ten seconds.
            EngineMissingError: espeak-ng is not installed.
        """
        plain = spoken(program.plain_text(text))
        if not program.is_speakable(plain):
            return Speech(text, np.zeros(0, dtype=np.int16))
        speed = min(450, max(80, round(self._words_per_minute * voice.rate)))
        pitch = min(99, max(0, round(self._pitch * voice.pitch)))
        wav = program.run((*self._command, "-s", str(speed), "-p", str(pitch)), plain, install=INSTALL)
        return Speech(text, at_volume(program.decode(wav, self.name), voice.volume))
