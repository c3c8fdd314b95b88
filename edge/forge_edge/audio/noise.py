"""Room noise made from a seed, and the level of speech."""

import numpy as np
from numpy.typing import NDArray

from forge_edge.audio.ports import SAMPLE_RATE_HZ, Samples

SPEECH_DBFS = -26.0
"""Level of a simulated patient's speech while they speak.

Source: ITU-T P.56 and G.191 normalise speech corpora to an active level of -26 dBov.
"""

QUIET_DBFS = -70.0
"""Noise floor of a quiet room, about that of a cheap microphone."""

LOOP_SECONDS = 16
"""Noise repeats after this long. Everything in it is periodic in whole seconds, so that the seam is not heard."""

MAINS_HZ = 50.0

_FRAME_SAMPLES = 320  # 20 ms
_ACTIVE_BELOW_PEAK_DB = 26.0  # frames quieter than the loudest by more are pauses
_TRIM_BELOW_PEAK_DB = 40.0  # what an engine appends in silence is no part of the last word
_FULL_SCALE = 32_768.0


def room_noise(seed: int) -> NDArray[np.float32]:
    """Return a room's noise: air (pink), electronics (white) and mains hum, shape ``(256000,)``, RMS 1."""
    random = np.random.default_rng(seed)
    count = LOOP_SECONDS * SAMPLE_RATE_HZ
    white = random.standard_normal(count)
    spectrum = np.fft.rfft(random.standard_normal(count))
    spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)))
    spectrum[0] = 0
    pink = np.fft.irfft(spectrum, count)
    time_s = np.arange(count) / SAMPLE_RATE_HZ
    partials = ((1, 1.0), (2, 0.5), (3, 0.3))
    hum = sum(loud * np.sin(2 * np.pi * MAINS_HZ * number * time_s) for number, loud in partials)
    mixture = 0.8 * pink / np.std(pink) + 0.4 * white + 0.4 * hum / np.std(hum)
    noise: NDArray[np.float32] = (mixture / np.sqrt(np.mean(mixture**2))).astype(np.float32)
    return noise


def at_level(samples: NDArray[np.float32], level_dbfs: float) -> NDArray[np.float32]:
    """Scale sound, shape ``(n,)``, so that its active parts have an RMS of ``level_dbfs`` in units of int16.

    0 dBFS is a full-scale square wave. Silence stays silence.
    """
    frames = _frame_rms(samples)
    if not len(frames) or not frames.max():
        return samples
    active = frames[frames > frames.max() * 10 ** (-_ACTIVE_BELOW_PEAK_DB / 20)]
    gain = _FULL_SCALE * 10 ** (level_dbfs / 20) / np.sqrt(np.mean(active**2))
    return np.asarray(samples * gain, dtype=np.float32)


def spoken_part(samples: Samples) -> NDArray[np.float32]:
    """Return speech, shape ``(n,)``, without the silence before and after it, float32 in units of int16."""
    sound = samples.astype(np.float32)
    frames = _frame_rms(sound)
    if not len(frames) or not frames.max():
        return sound[:0]
    loud = np.flatnonzero(frames > frames.max() * 10 ** (-_TRIM_BELOW_PEAK_DB / 20))
    return sound[loud[0] * _FRAME_SAMPLES : (loud[-1] + 1) * _FRAME_SAMPLES]


def _frame_rms(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    padded = np.pad(samples.astype(np.float64), (0, -len(samples) % _FRAME_SAMPLES)).reshape(-1, _FRAME_SAMPLES)
    rms: NDArray[np.float64] = np.sqrt(np.mean(padded**2, axis=1))
    return rms
