"""How the room's voice sounds, as the person in the room wants it: factors on whatever the engine does by itself."""

from typing import Annotated

import numpy as np
from pydantic import Field

from forge_edge.audio.ports import Samples
from forge_shared.model import Frozen

LOWEST_RATE, HIGHEST_RATE = 0.6, 1.6
LOWEST_PITCH, HIGHEST_PITCH = 0.7, 1.4
LOWEST_VOLUME, HIGHEST_VOLUME = 0.25, 2.0
"""Ours: what still sounds like a voice with espeak-ng, and is neither lost nor painful with one loudspeaker setting."""


class Voice(Frozen):
    """A choice of voice; 1 leaves the engine as it is.

    Attributes:
        rate: Factor on the speed.
        pitch: Factor on the height; an engine that cannot change it leaves it.
        volume: Factor on the amplitude.
    """

    rate: Annotated[float, Field(ge=LOWEST_RATE, le=HIGHEST_RATE)] = 1.0
    pitch: Annotated[float, Field(ge=LOWEST_PITCH, le=HIGHEST_PITCH)] = 1.0
    volume: Annotated[float, Field(ge=LOWEST_VOLUME, le=HIGHEST_VOLUME)] = 1.0


PLAIN = Voice()


def at_volume(samples: Samples, volume: float) -> Samples:
    """Return sound at a factor of its amplitude; what would not fit is rounded off softly, never wrapped around.

    Args:
        samples: Mono PCM, shape ``(n,)``, int16.
        volume: At least 0.
    """
    if volume == 1.0 or samples.size == 0:
        return samples
    louder = samples.astype(np.float64) / 32_768 * volume
    if volume > 1.0:
        louder = np.tanh(louder)
    return (louder * 32_767).astype(np.int16)
