"""What the ears are to do, as `turns.Turns` decides it."""

from dataclasses import dataclass

from forge_edge.audio.ports import Earcon
from forge_edge.messages import Hearing, Listen, NothingHeard, SpeechHeard, WakeHeard
from forge_edge.speech.voice import PLAIN, Voice


@dataclass(frozen=True, slots=True)
class Speak:
    """Say this in this voice and then sound the earcon."""

    sentences: tuple[str, ...]
    earcon: Earcon | None
    voice: Voice = PLAIN


@dataclass(frozen=True, slots=True)
class Hush:
    """Stop speaking."""


@dataclass(frozen=True, slots=True)
class Tell:
    """Report this to the core."""

    perception: Hearing | WakeHeard | SpeechHeard | NothingHeard


@dataclass(frozen=True, slots=True)
class Decode:
    """Find out what was said, and hand it to `Turns.decoded`.

    Attributes:
        start_seconds: Stream time of its first sample.
        end_seconds: Stream time of its last sample.
        speech_end_seconds: Stream time at which the last word ended.
        listen: What may have been said; None: anything.
        final: Whether the utterance has ended; otherwise it only counts if it is whole.
        short: Whether it is so short that it may be a noise.
    """

    start_seconds: float
    end_seconds: float
    speech_end_seconds: float
    listen: Listen | None
    final: bool
    short: bool


Act = Speak | Hush | Tell | Decode
Acts = tuple[Act, ...]
