"""The ports of sound: where it comes from and where it goes.

Everything inside the node is mono PCM, 16-bit, 16 kHz. Times are stream time: seconds of sound since the source was
opened, so that a simulated room may run faster than the wall clock.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE_HZ = 16_000
CHUNK_SAMPLES = 512
"""32 ms, the window of the voice-activity detector."""

Samples = NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class AudioChunk:
    """A piece of sound.

    ``samples`` has shape ``(512,)``, int16, 16 kHz mono; ``at_seconds`` is the stream time of its first sample.
    """

    samples: Samples
    at_seconds: float


@dataclass(frozen=True, slots=True)
class Speech:
    """Speech to be played.

    ``samples`` has shape ``(n,)``, int16, 16 kHz mono; ``text`` is what it says, for captions.
    """

    text: str
    samples: Samples


class AudioSource(Protocol):
    """Delivers a room's sound. Used from one thread, which owns it."""

    def read(self) -> AudioChunk | None:
        """Return the next chunk, in order and without gaps; None when the source has ended (a file, a simulation).

        Blocks for at most about two seconds.

        Raises:
            AudioSourceLostError: The device vanished or delivers nothing.
        """

    def discard(self) -> None:
        """Forget sound that was captured and not read yet: the room's own voice, while it spoke."""

    def close(self) -> None:
        """Release the device. Further calls do nothing."""


class AudioSink(Protocol):
    """Plays sound into a room. ``play`` is called from one thread, ``stop`` from any."""

    def play(self, speech: Speech) -> None:
        """Play and return when it has been heard, or when `stop` was called.

        Raises:
            AudioError: The device failed.
        """

    def tone(self) -> None:
        """Play the short tone that says: I am listening."""

    def stop(self) -> None:
        """End the current playback at once."""

    def close(self) -> None:
        """Release the device. Further calls do nothing."""
