"""What a room does to speech: its size, its noise, the microphone, other talk before and after."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import soxr  # type: ignore[import-untyped]  # it carries no types
from numpy.typing import NDArray

from forge_edge.audio.noise import at_level, room_noise
from forge_edge.audio.ports import SAMPLE_RATE_HZ, Samples

Sound = NDArray[np.float32]

BEFORE_SECONDS: Final = 1.6
"""At least this much sound stands before the phrase, so that a whole window ends with it."""

AFTER_SECONDS: Final = 0.7
ONSET_SECONDS: Final = 0.45
_SPEECH_DBFS: Final = -26.0


@dataclass(frozen=True, slots=True)
class Scene:
    """A phrase in a room: ``samples`` as a microphone gives them, and where the phrase ends, in samples."""

    samples: Samples
    end: int


def scene(
    phrase: Sound, before: Sound | None, after: Sound | None, random: np.random.Generator, *, onset: bool = False
) -> Scene:
    """Put a phrase into a room drawn by chance.

    Args:
        phrase: Shape ``(n,)``, float32 in units of int16, 16 kHz.
        before: Other talk that ends just before it, or None.
        after: Other talk that follows it, or None.
        random: Draws speaker size, room, noise, microphone, level.
        onset: Whether the recording begins within half a second before the phrase: the engine's features, which have
            not yet followed the noise, then show a burst where the first syllable of a phrase may be.

    Returns:
        The scene; all that is drawn is independent of what is said.
    """
    phrase = at_level(_another_throat(phrase, random), _SPEECH_DBFS)
    lead = _silence(BEFORE_SECONDS + random.uniform(0, 0.5))
    if before is not None:
        gap = int(random.uniform(0.03, 0.5) * SAMPLE_RATE_HZ)
        tail = at_level(before, _SPEECH_DBFS + random.uniform(-6, 3))[-(len(lead) - gap) :]
        lead[len(lead) - gap - len(tail) : len(lead) - gap] = tail
    rest = _silence(AFTER_SECONDS)
    if after is not None:
        gap = int(random.uniform(0.03, 0.4) * SAMPLE_RATE_HZ)
        head = at_level(after, _SPEECH_DBFS + random.uniform(-3, 3))[: len(rest) - gap]
        rest[gap : gap + len(head)] = head
    dry = np.concatenate((lead, phrase, rest))
    end = len(lead) + len(phrase)
    sound = _room(dry, random) if random.random() < 0.6 else dry
    if onset or random.random() < 0.85:
        sound = sound + _noise(len(sound), random) * _gain(_SPEECH_DBFS - random.uniform(3, 40))
    if random.random() < 0.5:
        sound = sound + _disturbance(len(sound), end, random)
    if random.random() < 0.6:
        sound = _microphone(sound, random)
    if onset:
        sound[: len(lead) - int(random.uniform(0, ONSET_SECONDS) * SAMPLE_RATE_HZ)] = 0
    elif random.random() < 0.3:
        # A recording or an audio driver begins in the middle of the noise, after digital silence.
        sound[: int(random.uniform(0, max(1, end - len(phrase))))] = 0
    sound = sound * _gain(random.uniform(-18, 14)) / _gain(0)
    return Scene(np.clip(np.rint(sound), -32_768, 32_767).astype(np.int16), end)


def _gain(dbfs: float) -> float:
    return float(32_768 * 10 ** (dbfs / 20))


def _silence(seconds: float) -> Sound:
    return np.zeros(int(seconds * SAMPLE_RATE_HZ), np.float32)


def _another_throat(phrase: Sound, random: np.random.Generator) -> Sound:
    """Make the speaker smaller or larger, faster or slower: formants, pitch and tempo move together."""
    factor = random.uniform(0.82, 1.22)
    changed: Sound = soxr.resample(phrase, SAMPLE_RATE_HZ * factor, SAMPLE_RATE_HZ)
    return changed


@lru_cache(maxsize=20)
def _loop(seed: int) -> Sound:
    return room_noise(seed)


def _room(dry: Sound, random: np.random.Generator) -> Sound:
    seconds = random.uniform(0.1, 0.7)
    count = int(seconds * SAMPLE_RATE_HZ)
    decay = 10 ** (-3 * np.arange(count) / count)
    response = random.standard_normal(count) * decay
    response *= random.uniform(0.1, 1.0) / np.sqrt(np.sum(response**2))
    response[0] = 1.0
    size = _fast(len(dry) + count)
    wet = np.fft.irfft(np.fft.rfft(dry, size) * np.fft.rfft(response, size), size)[: len(dry)]
    return np.asarray(wet, np.float32)


def _noise(count: int, random: np.random.Generator) -> Sound:
    """Noise of RMS 1 with a spectrum that falls by 0 to 9 dB an octave, steady or swelling; sometimes a room's own."""
    if random.random() < 0.3:
        loop = _loop(int(random.integers(20)))
        start = int(random.integers(len(loop) - count))
        return loop[start : start + count]
    size = _fast(count)
    spectrum = np.fft.rfft(random.standard_normal(size))
    slope = random.uniform(0, 1.5)
    spectrum[1:] /= np.arange(1, len(spectrum)) ** (slope / 2)
    spectrum[: size * 60 // SAMPLE_RATE_HZ] = 0
    noise = np.fft.irfft(spectrum, size)[:count]
    if random.random() < 0.4:
        swell = 1 + 0.9 * np.sin(
            2 * np.pi * (random.uniform(0.2, 4) * np.arange(count) / SAMPLE_RATE_HZ + random.random())
        )
        noise = noise * swell
    return np.asarray(noise / np.sqrt(np.mean(noise**2)), np.float32)


def _disturbance(count: int, end: int, random: np.random.Generator) -> Sound:
    """One to three breaths, clicks, knocks or hums near the phrase."""
    sound = np.zeros(count, np.float32)
    for _ in range(int(random.integers(1, 4))):
        length = int(random.uniform(0.005, 0.4) * SAMPLE_RATE_HZ)
        start = int(random.uniform(max(0, end - 2 * SAMPLE_RATE_HZ), count - length))
        if random.random() < 0.3:
            burst = np.sin(2 * np.pi * random.uniform(80, 1_500) * np.arange(length) / SAMPLE_RATE_HZ)
        else:
            burst = _noise(length + 600, random)[:length]
        envelope = np.hanning(length) if random.random() < 0.6 else np.exp(-4 * np.arange(length) / length)
        sound[start : start + length] += burst * envelope * _gain(_SPEECH_DBFS - random.uniform(-2, 25))
    return sound


def _microphone(sound: Sound, random: np.random.Generator) -> Sound:
    """Tilt the spectrum and cut its ends, as microphones and telephones do."""
    size = _fast(len(sound))
    spectrum = np.fft.rfft(sound, size)
    hertz = np.fft.rfftfreq(size, 1 / SAMPLE_RATE_HZ)
    tilt_db = random.uniform(-5, 5) * np.log2(np.maximum(hertz, 50) / 1_000)
    low, high = random.uniform(20, 300), random.uniform(3_400, 8_000)
    cut = 1 / (1 + (low / np.maximum(hertz, 1)) ** 4) / (1 + (hertz / high) ** 8)
    return np.asarray(np.fft.irfft(spectrum * cut * 10 ** (tilt_db / 20), size)[: len(sound)], np.float32)


def _fast(count: int) -> int:
    """Return the next size at which a Fourier transform is quick."""
    return -(-count // 8_192) * 8_192
