"""The port of wake words: the room listens to nothing but these until somebody says one."""

from dataclasses import dataclass
from typing import Protocol

from forge_edge.audio.ports import Samples

REFRACTORY_SECONDS = 2.0
"""No second detection within this time: one utterance wakes once. Longer than any wake phrase (about 1 s), shorter than
a person needs to say it again on purpose. ESPHome's micro_wake_word waits a similar span after a detection."""


@dataclass(frozen=True, slots=True)
class Detection:
    """A wake word was heard.

    Attributes:
        word: Its name, one of the detector's ``words``.
        score: 0 to 1, comparable within one engine only.
        at_seconds: Sound fed since the detector was made or reset, up to the moment of detection.
    """

    word: str
    score: float
    at_seconds: float


class WakeWord(Protocol):
    """Listens for one or several words. Used from one thread."""

    @property
    def words(self) -> tuple[str, ...]:
        """The names of the words it listens for."""

    def feed(self, samples: Samples) -> Detection | None:
        """Listen to the next piece of sound.

        Args:
            samples: Shape ``(n,)``, int16, 16 kHz mono, n >= 1, following the previous piece without a gap. Pieces up
                to a tenth of a second lose nothing; of several words in one piece only the best is returned.

        Returns:
            A detection, at most one in `REFRACTORY_SECONDS`.

        Raises:
            EngineError: The engine failed.
        """

    def reset(self) -> None:
        """Forget all sound; time starts at zero again."""
