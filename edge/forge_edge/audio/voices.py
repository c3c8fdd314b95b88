"""Synthetic voices for simulated patients, and the wake words that each of them can say.

A wake-word model hears real speech in its training; a synthetic voice may not come close enough. The words listed fired
in every one of ten trials each in quiet, at 20 dB and at 10 dB SNR with microWakeWord's own cut-offs;
``tests/edge/test_simulated_room.py`` samples them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from forge_edge.audio.patient import Voice


@dataclass(frozen=True, slots=True)
class PatientVoice:
    """A voice and the wake words that it says well enough, best first, as they are spoken."""

    voice: Voice
    wake_words: tuple[str, ...]


def _espeak(voice: str, words_per_minute: int, *wake_words: str) -> PatientVoice:
    return PatientVoice(Voice(engine="espeak-ng", voice=voice, words_per_minute=words_per_minute), wake_words)


def _flite(voice: str, words_per_minute: int, *wake_words: str) -> PatientVoice:
    return PatientVoice(Voice(engine="flite", voice=voice, words_per_minute=words_per_minute), wake_words)


VOICES: Mapping[str, PatientVoice] = {
    "british": _espeak("en-gb", 160, "alexa", "hey mycroft"),
    "received": _espeak("en-gb-x-rp", 160, "okay nabu", "alexa", "hey mycroft"),
    "scottish": _espeak("en-gb-scotland", 160, "alexa", "hey mycroft"),
    "midlands": _espeak("en-gb-x-gbclan", 160, "okay nabu", "alexa", "hey mycroft"),
    "american": _espeak("en-us", 160, "okay nabu", "alexa"),
    "american-slow": _espeak("en-us", 130, "okay nabu", "alexa"),
    "american-deep": _espeak("en-us+m3", 160, "okay nabu", "alexa"),
    "american-dark": _espeak("en-us+m5", 160, "okay nabu", "alexa"),
    "american-high": _espeak("en-us+f3", 160, "alexa", "hey jarvis"),
    "caribbean": _espeak("en-029", 160, "okay nabu", "hey mycroft"),
    "kal": _flite("kal", 160, "okay nabu"),
    "rms": _flite("rms", 160, "okay nabu", "hey jarvis", "alexa", "hey mycroft"),
    "slt": _flite("slt", 160, "alexa", "hey jarvis"),
    "awb": _flite("awb", 160, "okay nabu", "hey jarvis"),
}
"""Distinct voices by name. espeak-ng 1.51 ignores a variant (``+f4``) behind ``en-gb``, so there is none."""
