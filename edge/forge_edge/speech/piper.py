"""Speech by piper: natural voices, delivered by the hub. It is GPL, so it runs as a program of its own."""

from pathlib import Path

import numpy as np

from forge_edge.audio.ports import Speech
from forge_edge.errors import EngineMissingError
from forge_edge.speech import program
from forge_edge.speech.spoken_text import spoken
from forge_edge.speech.voice import PLAIN, Voice, at_volume

INSTALL = "pip install piper-tts, in an environment of its own"


class PiperSynthesiser:
    """A `Synthesiser` that runs piper with one voice.

    The command line is that of OHF-Voice/piper1-gpl (``docs/CLI.md``): text on standard input, ``-m`` the voice,
    ``-f -`` a WAV file on standard output, ``--length-scale`` how slowly. It does not change its pitch.
    """

    def __init__(self, voice_path: Path, *, command: str = "piper") -> None:
        """Choose the voice; nothing is started yet.

        Args:
            voice_path: The voice's ``.onnx`` file, its ``.onnx.json`` beside it.
            command: piper's name on the path, or its own path.
        """
        self._voice_path = voice_path
        self._command = (command, "-m", str(voice_path), "-f", "-")

    @property
    def name(self) -> str:
        """The engine's name."""
        return "piper"

    def synthesise(self, text: str, voice: Voice = PLAIN) -> Speech:
        """Speak ``text`` with a choice of voice, 16 kHz mono; a text without a letter or a digit gives no samples.

        Raises:
            EngineError: The text is longer than 1,000 characters, or piper failed or took longer than ten seconds.
            EngineMissingError: piper or the voice is not installed.
        """
        plain = spoken(program.plain_text(text))
        for path in (self._voice_path, self._voice_path.with_name(f"{self._voice_path.name}.json")):
            if not path.is_file():
                raise EngineMissingError(f"the voice lacks {path.name}: the hub delivers voices")
        if not program.is_speakable(plain):
            return Speech(text, np.zeros(0, dtype=np.int16))
        slowly = () if voice.rate == 1 else ("--length-scale", f"{1 / voice.rate:.3f}")
        sound = program.decode(program.run((*self._command, *slowly), plain, install=INSTALL), self.name)
        return Speech(text, at_volume(sound, voice.volume))
