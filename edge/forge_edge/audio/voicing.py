"""Voicing: whether a sound has a voice's pitch. A cough, a knock and a rattling trolley have none. Pure."""

import numpy as np

from forge_edge.audio.ports import SAMPLE_RATE_HZ, Samples

PITCH_HZ = (65.0, 420.0)
"""Lowest man's to highest child's speaking voice (Baken & Orlikoff 2000, Clinical Measurement of Speech and Voice)."""

PERIODICITY = 0.6
"""Autocorrelation at the pitch's lag above which a frame counts as voiced. Praat's ``voicing threshold`` is 0.45 on a
corrected autocorrelation (Boersma 1993); this one is uncorrected for long lags and taken on noisier rooms."""

FRAME_SAMPLES = 640
"""40 ms: two and a half periods of the lowest voice."""


def is_voiced(frame: Samples) -> bool:
    """Tell whether a frame has a pitch.

    Args:
        frame: Shape ``(n,)``, int16, 16 kHz mono; n at least 400.
    """
    sound = frame.astype(np.float32)
    sound -= sound.mean()
    # Low partials carry the pitch and the hiss of a breath does not: a running mean of 8 is a low pass at 1 kHz.
    sound = np.convolve(sound, np.full(8, 0.125, np.float32), "valid")
    size = 2 * len(sound)
    power = np.abs(np.fft.rfft(sound, size)) ** 2
    correlation = np.fft.irfft(power, size)[: len(sound)]
    if correlation[0] <= 0:
        return False
    shortest, longest = (int(SAMPLE_RATE_HZ / hz) for hz in reversed(PITCH_HZ))
    lags = np.arange(shortest, min(longest, len(sound) - 1))
    # Fewer samples overlap at longer lags.
    normal = correlation[lags] / correlation[0] * len(sound) / (len(sound) - lags)
    return bool(normal.max() >= PERIODICITY)


def voiced_seconds(samples: Samples) -> float:
    """Return for how long a sound is voiced, in seconds.

    Args:
        samples: Shape ``(n,)``, int16, 16 kHz mono.
    """
    loudest = np.abs(samples).max(initial=0)
    frames = samples[: len(samples) // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
    # What is 30 dB below the loudest is the room, and a mains hum has a pitch too.
    voiced = sum(is_voiced(frame) for frame in frames if np.abs(frame).max() > loudest / 32)
    return voiced * FRAME_SAMPLES / SAMPLE_RATE_HZ
