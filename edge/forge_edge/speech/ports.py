"""The ports of speech: engines that turn sound into text and text into sound."""

from dataclasses import dataclass
from typing import Annotated, Protocol

from pydantic import Field

from forge_edge.audio.ports import Samples, Speech
from forge_edge.speech.voice import PLAIN, Voice
from forge_shared.model import Frozen


@dataclass(frozen=True, slots=True)
class Grammar:
    """What may be said at this point.

    Attributes:
        name: Stable name, for caches (``phq-9/44250-9``).
        phrases: Every phrase that means something here, lower case, letters and spaces, without duplicates.
        senses: What each phrase means, in the same order; phrases of one sense may be taken for each other. Empty where
            each phrase has a sense of its own.
    """

    name: str
    phrases: tuple[str, ...]
    senses: tuple[str, ...] = ()

    def sense(self, phrase: str) -> str:
        """Return what ``phrase``, one of the grammar's, means."""
        return self.senses[self.phrases.index(phrase)] if self.senses else phrase


class Transcription(Frozen):
    """What an engine heard.

    Attributes:
        text: Lower case, no punctuation; with a grammar one of its phrases, or empty.
        accepted: Whether it may be acted on. A grammar that must choose will choose: without this, ``text`` is a guess.
        confidence: 0 to 1, calibrated per engine; comparable within one engine only.
        engine: Name of the engine, such as ``pocketsphinx``.
        hearings: The hearings that had to agree; empty where the engine has one only.
        doubted: Whether ``text``, not accepted, is probable enough to be asked about ("Did you say ...?").
        reason: Why it was not accepted; ``agreed`` where two hearings agree, empty where the engine gives none.
        safety: A call for help or a danger that was heard by a hearing of its own, whatever the grammar; None for none.
        words: What was said, taken down freely, where the grammar does not explain it; None where the engine takes
            nothing down or does not believe what it took down.
    """

    text: str
    accepted: bool
    confidence: Annotated[float, Field(ge=0, le=1)]
    engine: str
    hearings: tuple[str, ...] = ()
    doubted: bool = False
    reason: str = ""
    safety: str | None = None
    words: str | None = None


class Transcriber(Protocol):
    """Turns one utterance into text. Used from one thread at a time; an instance may be reused."""

    @property
    def name(self) -> str:
        """The engine's name."""

    def transcribe(self, samples: Samples, grammar: Grammar | None) -> Transcription:
        """Transcribe one utterance.

        Args:
            samples: Shape ``(n,)``, int16, 16 kHz mono, n >= 1; silence or noise is allowed and is not accepted.
            grammar: What may be said; None for free dictation.

        Raises:
            EngineError: The engine failed.
        """


class Synthesiser(Protocol):
    """Turns text into speech. Used from one thread at a time."""

    @property
    def name(self) -> str:
        """The engine's name."""

    def synthesise(self, text: str, voice: Voice = PLAIN) -> Speech:
        """Speak ``text`` (at most 1,000 characters), 16 kHz mono. Takes at most ten seconds.

        An engine that cannot change its pitch leaves it as it is.

        Raises:
            EngineError: The engine failed or took too long.
            EngineMissingError: The engine is not installed.
        """
