"""Speech by flite: the further voices of simulated patients."""

import tempfile
from pathlib import Path

import numpy as np

from forge_edge.audio.ports import Speech
from forge_edge.errors import EngineError
from forge_edge.speech import program
from forge_edge.speech.spoken_text import spoken
from forge_edge.speech.voice import PLAIN, Voice, at_volume

INSTALL = "apt install flite"

VOICES = ("kal", "kal16", "awb", "rms", "slt")
"""The voices built into the program. For any other name it would read a file or ask the network, or quietly use kal."""

NATURAL_WORDS_PER_MINUTE = 160
"""Speed without stretching, about; measured on kal and slt."""


class FliteSynthesiser:
    """A `Synthesiser` that runs flite as a program of its own. It does not change its pitch."""

    def __init__(self, voice: str = "slt", *, words_per_minute: int = NATURAL_WORDS_PER_MINUTE) -> None:
        """Choose the voice; nothing is started yet.

        Args:
            voice: One of `VOICES`.
            words_per_minute: 80 to 320, by stretching.

        Raises:
            EngineError: There is no such voice, or the speed is out of range.
        """
        if voice not in VOICES or not 80 <= words_per_minute <= 320:  # noqa: PLR2004 (half and double the natural speed)
            raise EngineError("flite: no such voice, or speed (80 to 320) out of range")
        self._stretch = NATURAL_WORDS_PER_MINUTE / words_per_minute
        self._command = ("flite", "-voice", voice)

    @property
    def name(self) -> str:
        """The engine's name."""
        return "flite"

    def synthesise(self, text: str, voice: Voice = PLAIN) -> Speech:
        """Speak ``text`` with a choice of voice, 16 kHz mono; a text without a letter or a digit gives no samples.

        Raises:
            EngineError: The text is longer than 1,000 characters, or flite failed or took longer than ten seconds.
            EngineMissingError: flite is not installed.
        """
        plain = spoken(program.plain_text(text))
        if not program.is_speakable(plain):
            return Speech(text, np.zeros(0, dtype=np.int16))
        # flite 2.2 waits forever when it reads or writes a pipe, and a text among the arguments is public.
        with tempfile.TemporaryDirectory() as folder:
            words, sound = Path(folder, "text"), Path(folder, "speech.wav")
            words.write_text(f"{plain}\n", encoding="utf-8")
            speed = ("--setf", f"duration_stretch={self._stretch / voice.rate:.3f}")
            program.run((*self._command, *speed, "-f", str(words), "-o", str(sound)), "", install=INSTALL)
            if not sound.exists():
                raise EngineError("flite wrote no sound")
            return Speech(text, at_volume(program.decode(sound.read_bytes(), self.name), voice.volume))
