"""What the room says is taken out of what its microphone hears, so that it neither wakes nor interrupts itself.

The canceller is WebRTC's AEC3 by ``pywebrtc-audio``. It finds the delay between loudspeaker and microphone by itself,
as long as it is given the loudspeaker's sound no later than its echo.
"""

import threading

import numpy as np
from numpy.typing import NDArray
from pywebrtc_audio import EchoCanceller as WebRtcEchoCanceller

from forge_edge.audio.ports import CHUNK_SAMPLES, SAMPLE_RATE_HZ, Samples

FRAME_SAMPLES = 160
"""10 ms, WebRTC's frame (modules/audio_processing/include/audio_processing.h, ``kChunkSizeMs``)."""

TAIL_SECONDS = 1.0
"""The canceller works on for this long after the last word: the delay of a sound card, and the echo of the room."""

DEVICE_SECONDS = 0.4
"""Sound that may be on its way from the loudspeaker when playback has ended; what is left beyond was never heard."""

OWN_SHARE = 0.15
"""Of what the microphone hears, at least this part (of the amplitude) must remain when the room's own voice is taken
out, for somebody else to be speaking. Measured (`benchmarks/turns.py`): echo alone leaves 0.02 to 0.1, a person who is
10 dB quieter than the echo 0.3."""


class Reference:
    """The sound that the room is playing, for the canceller. Written by the playback's thread, read by the ears'."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: Samples = np.zeros(0, np.int16)

    def add(self, samples: Samples) -> None:
        """Take sound that begins to be played now, behind what is still being played."""
        with self._lock:
            self._waiting = np.concatenate((self._waiting, samples))

    def cut(self) -> None:
        """Playback has ended, perhaps early: forget what nobody will hear."""
        with self._lock:
            self._waiting = self._waiting[: int(DEVICE_SECONDS * SAMPLE_RATE_HZ)]

    def take(self) -> Samples | None:
        """Return what was played in the time of the next chunk, shape ``(512,)``, or None: nothing was."""
        with self._lock:
            piece, self._waiting = self._waiting[:CHUNK_SAMPLES], self._waiting[CHUNK_SAMPLES:]
        return np.pad(piece, (0, CHUNK_SAMPLES - len(piece))) if len(piece) else None


class EchoCanceller:
    """Takes the room's own voice out of what the microphone hears. Used from one thread.

    While the room is silent sound passes unchanged. While it is not, sound is 10 ms late: chunks are cut into WebRTC's
    frames.
    """

    def __init__(self, reference: Reference) -> None:
        """Listen along with ``reference``."""
        self._reference = reference
        self._canceller = WebRtcEchoCanceller(sample_rate=SAMPLE_RATE_HZ)
        self._near: Samples = np.zeros(0, np.int16)
        self._far: Samples = np.zeros(0, np.int16)
        self._clean: Samples = np.zeros(0, np.int16)
        self._tail_seconds = 0.0
        self.own_share = 1.0

    def clean(self, samples: Samples) -> Samples:
        """Return the chunk without the room's own voice, shape ``(512,)``, int16; sets ``own_share``.

        Args:
            samples: Shape ``(512,)``, int16, 16 kHz mono, following the previous chunk without a gap.
        """
        far = self._reference.take()
        if far is not None:
            if self._tail_seconds <= 0:
                self._near = self._far = np.zeros(0, np.int16)
                self._clean = np.zeros(FRAME_SAMPLES, np.int16)
            self._tail_seconds = TAIL_SECONDS
        elif self._tail_seconds > 0:
            self._tail_seconds -= CHUNK_SAMPLES / SAMPLE_RATE_HZ
            far = np.zeros(CHUNK_SAMPLES, np.int16)
        if far is None or self._tail_seconds <= 0:
            self.own_share = 1.0
            return samples
        self._near = np.concatenate((self._near, samples))
        self._far = np.concatenate((self._far, far))
        whole = len(self._near) // FRAME_SAMPLES * FRAME_SAMPLES
        cleaned = self._canceller.process(self._near[:whole], self._far[:whole])
        self._near, self._far = self._near[whole:], self._far[whole:]
        self._clean = np.concatenate((self._clean, cleaned))
        result, self._clean = self._clean[:CHUNK_SAMPLES], self._clean[CHUNK_SAMPLES:]
        self.own_share = _rms(result) / max(_rms(samples), 1.0)
        return result


def _rms(samples: NDArray[np.int16]) -> float:
    return float(np.sqrt(np.mean(samples.astype(np.float32) ** 2)))
