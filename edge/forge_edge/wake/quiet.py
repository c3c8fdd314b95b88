"""Quiet: while nothing but steady noise is heard, the engine's models rest.

microWakeWord's features follow the noise floor and take most of it away: they tell speech from quiet at no cost, and at
any level.
"""

from collections import deque

from forge_edge.wake.micro import CHANNELS, Frame

LOUD_MEAN = 3.5
"""Mean of the features of `SMOOTHED_FRAMES` frames from which on somebody may be speaking.

Measured: steady white noise, pink noise and hum stay below 3.2 two seconds after they began; 54 recordings of
"alexa" reach at least 12 as they are, 7 at 5 dB and 5.5 at 0 dB signal-to-noise ratio.
"""

SMOOTHED_FRAMES = 5

FALL_ASLEEP_FRAMES = 150
"""1.5 s of quiet: longer than any pause in a wake phrase, and what the engine's models look back on."""

REPLAYED_FRAMES = 48
"""0.5 s before the first loud sound are heard too: a word begins softer than it goes on."""


class Quiet:
    """Decides, frame by frame, what the models must hear. Used from one thread."""

    def __init__(self) -> None:
        """Start awake."""
        self._kept: deque[Frame] = deque(maxlen=REPLAYED_FRAMES)
        self._means: deque[float] = deque(maxlen=SMOOTHED_FRAMES)
        self._quiet_frames = 0

    @property
    def asleep(self) -> bool:
        """Whether the models rest."""
        return self._quiet_frames > FALL_ASLEEP_FRAMES

    def due(self, frame: Frame) -> tuple[Frame, ...]:
        """Return the frames to be heard now: this one, none while asleep, or on waking those just before it too.

        Args:
            frame: Shape ``(1, 1, 40)``, the next one.
        """
        self._means.append(sum(frame[0, 0].tolist()) / CHANNELS)
        if sum(self._means) < LOUD_MEAN * SMOOTHED_FRAMES:
            self._quiet_frames += 1
            if self.asleep:
                self._kept.append(frame)
                return ()
            return (frame,)
        self._quiet_frames = 0
        due = (*self._kept, frame)
        self._kept.clear()
        return due

    def reset(self) -> None:
        """Forget all frames; awake again."""
        self._kept.clear()
        self._means.clear()
        self._quiet_frames = 0
