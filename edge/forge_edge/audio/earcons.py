"""Earcons: short tones that say what the room is doing, without words. Made here, from notes."""

from collections.abc import Mapping

import numpy as np

from forge_edge.audio.ports import SAMPLE_RATE_HZ, Earcon, Samples

NOTE_SECONDS = 0.1
LOUDNESS = 0.12
"""Soft beside speech, which peaks near full scale."""

_NOTES_HZ: Mapping[Earcon, tuple[float, ...]] = {
    "listening": (659.26, 880.0),  # E5 and A5: a rising fourth, taken for a question in most ears
    "muted": (659.26, 440.0),  # E5 and A4: a fall, taken for an end
}


def sound(earcon: Earcon) -> Samples:
    """Return an earcon: 100 ms a note, shape ``(1600 * notes,)``, int16, 16 kHz mono."""
    time_s = np.arange(int(NOTE_SECONDS * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    envelope = np.sin(np.pi * time_s / NOTE_SECONDS) ** 2  # no click at either end
    notes = [np.sin(2 * np.pi * note_hz * time_s) * envelope for note_hz in _NOTES_HZ[earcon]]
    return (np.concatenate(notes) * LOUDNESS * 32_767).astype(np.int16)
