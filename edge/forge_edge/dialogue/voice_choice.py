"""How the person in the room wants it to sound: one step at a time, within what can be understood. Pure."""

from typing import Literal

from forge_edge.dialogue.sentences import VOICE
from forge_edge.speech.voice import (
    HIGHEST_PITCH,
    HIGHEST_RATE,
    HIGHEST_VOLUME,
    LOWEST_PITCH,
    LOWEST_RATE,
    LOWEST_VOLUME,
    Voice,
)

_Quality = Literal["rate", "pitch", "volume"]
_STEPS: dict[str, tuple[_Quality, float]] = {
    "slower": ("rate", 1 / 1.2),
    "faster": ("rate", 1.2),
    "louder": ("volume", 1.41),
    "quieter": ("volume", 1 / 1.41),
    "higher": ("pitch", 1.12),
    "lower": ("pitch", 1 / 1.12),
}
"""Factor of one step: a sixth of the speed, 3 dB, two semitones. Ours: each can be heard at once."""
_RANGES: dict[_Quality, tuple[float, float]] = {
    "rate": (LOWEST_RATE, HIGHEST_RATE),
    "pitch": (LOWEST_PITCH, HIGHEST_PITCH),
    "volume": (LOWEST_VOLUME, HIGHEST_VOLUME),
}


def adjusted(before: Voice, code: str) -> tuple[Voice, str]:
    """Return the voice after a wish, and what the room says with it.

    Args:
        before: The voice so far.
        code: A code of `forge_edge.speech.wishes.VOICE_WISHES` but ``say-again``.
    """
    way = code.removeprefix("voice/")
    quality, factor = _STEPS[way]
    lowest, highest = _RANGES[quality]
    now: float = getattr(before, quality)
    value = min(highest, max(lowest, round(now * factor, 3)))
    changed, at_the_end = VOICE[way]
    return before.model_copy(update={quality: value}), at_the_end if value == now else changed
