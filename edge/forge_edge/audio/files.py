"""Sound files: read any, write WAV, play one as if it were a microphone."""

import io
import time
from pathlib import Path

import numpy as np
import soundfile
import soxr  # type: ignore[import-untyped]  # it carries no types
from numpy.typing import NDArray

from forge_edge.audio.ports import CHUNK_SAMPLES, SAMPLE_RATE_HZ, AudioChunk, Samples, Speech
from forge_edge.errors import AudioError, AudioUnreadableError
from forge_shared.files import replace

TRAILING_SILENCE_SECONDS = 1.0
"""Follows a file, so that the end of speech is heard as an end."""

_FULL_SCALE = 32_768


def load(path: Path) -> Samples:
    """Read a sound file that libsndfile can decode, of any rate, width and number of channels.

    Args:
        path: The file. Its channels are averaged.

    Returns:
        Shape ``(n,)``, int16, 16 kHz mono, n >= 1.

    Raises:
        AudioUnreadableError: The file is missing, empty or cannot be decoded; the message names the file, not its
            folder.
    """
    try:
        with soundfile.SoundFile(path) as file:
            # Some truncated files claim more frames than they have: what can be read counts.
            samples = file.read(dtype="float32", always_2d=True)
            rate = file.samplerate
    # A name that ends in .raw makes libsndfile's binding ask for a format by TypeError.
    except (OSError, RuntimeError, TypeError, ValueError):
        raise AudioUnreadableError(f"{path.name} is missing or is no sound file that can be decoded") from None
    if not len(samples):
        raise AudioUnreadableError(f"{path.name} holds no sound")
    mono = to_int16(resample(samples.mean(axis=1), rate))
    if not len(mono):
        raise AudioUnreadableError(f"{path.name} is too short to hold sound")
    return mono


def resample(samples: NDArray[np.float32], rate_hz: int) -> NDArray[np.float32]:
    """Bring mono samples, shape ``(n,)``, float32, from ``rate_hz`` to 16 kHz."""
    if rate_hz == SAMPLE_RATE_HZ:
        return samples
    resampled: NDArray[np.float32] = soxr.resample(samples, rate_hz, SAMPLE_RATE_HZ)
    return resampled


def to_int16(samples: NDArray[np.float32]) -> Samples:
    """Turn samples in [-1, 1], shape ``(n,)``, into int16: clipped outside, silence where no number."""
    scaled = np.rint(np.nan_to_num(samples, posinf=1.0, neginf=-1.0) * _FULL_SCALE)
    return np.clip(scaled, -_FULL_SCALE, _FULL_SCALE - 1).astype(np.int16)


def save(path: Path, speech: Speech) -> None:
    """Write speech as WAV, 16-bit, 16 kHz mono, replacing ``path`` atomically.

    Raises:
        AudioError: The file cannot be written; the message names the file, not its folder.
    """
    sound = io.BytesIO()
    try:
        soundfile.write(sound, speech.samples, SAMPLE_RATE_HZ, subtype="PCM_16", format="WAV")
        replace(path, sound.getvalue())
    except (OSError, RuntimeError):
        raise AudioError(f"cannot write {path.name}") from None


class FileSource:
    """A sound file in place of a microphone; an `AudioSource`. It ends after one second of silence behind the sound."""

    def __init__(self, path: Path, *, real_time: bool) -> None:
        """Read the file.

        Args:
            path: Any file that `load` reads.
            real_time: Whether to deliver at the pace of the sound; otherwise as fast as it is read.

        Raises:
            AudioUnreadableError: As for `load`.
        """
        sound = load(path)
        silence = int(TRAILING_SILENCE_SECONDS * SAMPLE_RATE_HZ)
        padding = silence + -(len(sound) + silence) % CHUNK_SAMPLES
        self._chunks = np.pad(sound, (0, padding)).reshape(-1, CHUNK_SAMPLES)
        self._real_time = real_time
        self._next = 0
        self._started: float | None = None

    def read(self) -> AudioChunk | None:
        """Return the next chunk, or None at the end and after `close`."""
        if self._next >= len(self._chunks):
            return None
        at_seconds = self._next * CHUNK_SAMPLES / SAMPLE_RATE_HZ
        if self._real_time:
            if self._started is None:
                self._started = time.monotonic()
            # A microphone hands over a chunk when it is full, not when it begins.
            due = self._started + at_seconds + CHUNK_SAMPLES / SAMPLE_RATE_HZ
            time.sleep(max(0.0, due - time.monotonic()))
        chunk = AudioChunk(self._chunks[self._next], at_seconds)
        self._next += 1
        return chunk

    def discard(self) -> None:
        """Do nothing: a file does not hear the room."""

    def close(self) -> None:
        """End the sound. Further calls do nothing."""
        self._next = len(self._chunks)
