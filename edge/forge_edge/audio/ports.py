"""The ports of sound: where it comes from and where it goes.

Everything inside the node is mono PCM, 16-bit, 16 kHz. Times are stream time: seconds of sound since the source was
opened, so that a simulated room may run faster than the wall clock.
"""

from dataclasses import dataclass
from threading import Event
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE_HZ = 16_000
CHUNK_SAMPLES = 512
"""32 ms, the window of the voice-activity detector."""

Samples = NDArray[np.int16]

Earcon = Literal["listening", "muted"]
"""Short tones: I am listening; I hear nothing any more."""


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
    """Plays sound into a room. ``play`` and ``tone`` are called from one thread, ``stop`` from any."""

    def play(self, speech: Speech, *, more: bool = False, cancelled: Event | None = None) -> None:
        """Play and return when it has been heard, or when `stop` was called.

        Args:
            speech: What to say.
            more: More follows at once: there is no need to wait until the device has played the last sample.
            cancelled: Nothing is played, or no more of it, once this is set and `stop` was called: who cancels cannot
                know whether playback has begun.

        Raises:
            AudioError: The device failed.
        """

    def tone(self, earcon: Earcon = "listening") -> None:
        """Play a short tone.

        Raises:
            AudioError: The device failed.
        """

    def stop(self) -> None:
        """End the current playback within one chunk."""

    def close(self) -> None:
        """Release the device. Further calls do nothing."""
