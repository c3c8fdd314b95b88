"""Whether somebody interrupts the room while it speaks. Pure."""

from forge_edge.audio.activity import CHUNK_SECONDS, SILENCE_PROBABILITY

INTERRUPTING_SECONDS = 0.09
"""Speech that silences the room. With what detector and canceller take to notice it, about 0.2 s
(`benchmarks/turns.py`). Whoever coughs would have to ask again, so it must have a voice's pitch too."""

INTERRUPTING_PROBABILITY = SILENCE_PROBABILITY
"""What the canceller leaves of a person who speaks at the same time as the room is a little muffled."""

INTERRUPTING_VOICED_SECONDS = 0.06

INSISTING_SECONDS = 0.8
"""The same while the room says something that concerns somebody's safety: a "hm" or a cough is much shorter."""

GAP_SECONDS = 0.1
"""As `activity`: a pause this short is part of a word."""

WORDS_GAP_SECONDS = 0.4
"""A pause this short is between two words of who insists."""


class Interruption:
    """Adds up what is heard of others while the room says one thing."""

    def __init__(self) -> None:
        self._speech_seconds = self._voiced_seconds = self._gap_seconds = 0.0

    def feed(self, probability: float, *, voiced: bool, guarded: bool) -> bool:
        """Take the next chunk; tell whether the room is to be silent.

        Args:
            probability: That somebody else than the room speaks, 0 to 1.
            voiced: Whether the chunk has a voice's pitch.
            guarded: Whether the room says something that concerns somebody's safety.
        """
        if probability >= INTERRUPTING_PROBABILITY:
            self._speech_seconds += CHUNK_SECONDS
            self._voiced_seconds += CHUNK_SECONDS * voiced
            self._gap_seconds = 0.0
        else:
            self._gap_seconds += CHUNK_SECONDS
            if self._gap_seconds >= (WORDS_GAP_SECONDS if guarded else GAP_SECONDS):
                self._speech_seconds = self._voiced_seconds = 0.0
        needed = INSISTING_SECONDS if guarded else INTERRUPTING_SECONDS
        return self._speech_seconds >= needed and self._voiced_seconds >= INTERRUPTING_VOICED_SECONDS
