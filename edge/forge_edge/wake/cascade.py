"""The cascade: quiet is skipped, the cheap engine listens, the verifier is asked, and somebody must have spoken.

Features are computed once for all words and for the verifier. What costs more runs only when what costs less has heard
something: the engine's models while it is not quiet, the verifier while the engine is in doubt or sure, voice activity
once for each detection.
"""

from collections import deque
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from forge_edge.audio.activity import SPEECH_PROBABILITY, VoiceActivity
from forge_edge.audio.ports import CHUNK_SAMPLES, SAMPLE_RATE_HZ, Samples
from forge_edge.errors import EngineMissingError
from forge_edge.wake.decision import DEFAULT_THRESHOLD, ENGINE_FLOOR, LEAN, certainty
from forge_edge.wake.micro import CHANNELS, STEP_SECONDS, WINDOW_SECONDS, Frame, MicroEngine
from forge_edge.wake.ports import REFRACTORY_SECONDS, Detection
from forge_edge.wake.quiet import Quiet
from forge_edge.wake.verifier import WINDOW_FRAMES, Verifier
from forge_shared.logs import get_logger

SPEECH_CHUNKS = 25
"""0.8 s before a detection is searched for a voice: the length of a wake word."""

REFUSED_SECONDS = 0.3
"""After no voice was found, this long passes before the next look for one, so that a noise costs little."""

ALMOST_KEPT = 8

_STEP_SAMPLES = round(STEP_SECONDS * SAMPLE_RATE_HZ)
_WINDOW_SAMPLES = round(WINDOW_SECONDS * SAMPLE_RATE_HZ)

log = get_logger()


class CascadeWakeWords:
    """microWakeWord, verified. Its scores are those of `forge_edge.wake.decision.certainty`.

    A word that the verifier does not know, or a verifier that is not there, leaves the engine to decide alone by its
    published cut-off.
    """

    def __init__(
        self,
        words: Sequence[str] = ("okay_nabu",),
        *,
        threshold: float = DEFAULT_THRESHOLD,
        verifier: Verifier | None = None,
    ) -> None:
        """Load engine, verifier and voice activity.

        Args:
            words: At least one of `forge_edge.wake.micro.BUILT_IN_WORDS`.
            threshold: Lowest score of a detection, 0 to 1: the room's own.
            verifier: Default: the one that is installed.

        Raises:
            EngineMissingError: There is no such word, or a native library or a model of a package does not load here.
        """
        self._engine = MicroEngine(words)
        self._verifier = verifier or _installed()
        known = self._verifier.words if self._verifier is not None else ()
        self._outputs = {word: known.index(word) if word in known else None for word in self._engine.words}
        self._activity = VoiceActivity()
        self._threshold = threshold
        self._quiet = Quiet()
        self._rows: deque[Frame] = deque(maxlen=WINDOW_FRAMES)
        self._almost: deque[Detection] = deque(maxlen=ALMOST_KEPT)
        self._sound: Samples = np.empty(0, np.int16)
        self._sound_starts = 0
        self._frames = 0
        self._silent_until = 0.0

    @property
    def words(self) -> tuple[str, ...]:
        """The names of the words it listens for."""
        return self._engine.words

    @property
    def almost(self) -> tuple[Detection, ...]:
        """The latest words that were below the threshold, oldest first, at most eight since the last reset.

        One of them may be a call that was missed: its score goes into a mark (`forge_edge.wake.proposal.Mark`).
        """
        return tuple(self._almost)

    def feed(self, samples: Samples) -> Detection | None:
        """Listen to the next piece of sound, as the port says."""
        self._sound = np.concatenate((self._sound, samples))
        detection: Detection | None = None
        for frame in self._engine.frames(samples):
            now = round(WINDOW_SECONDS + self._frames * STEP_SECONDS, 3)
            self._frames += 1
            self._rows.append(frame)
            for due in self._quiet.due(frame):
                scores = {word: self._engine.score(word, due) for word in self._engine.words}
                # Between two strides of its models the engine's score is 0.
                if max(scores.values()) < ENGINE_FLOOR or now < self._silent_until:
                    continue
                heard = self._verified(scores, now)
                if heard is not None:
                    detection = heard
                    self._silent_until = now + REFRACTORY_SECONDS
        self._forget_old_sound()
        return detection

    def reset(self) -> None:
        """Forget all sound; time starts at zero again."""
        self._engine.reset()
        self._quiet.reset()
        self._rows.clear()
        self._almost.clear()
        self._sound = np.empty(0, np.int16)
        self._sound_starts = 0
        self._frames = 0
        self._silent_until = 0.0

    def _verified(self, scores: Mapping[str, float], now: float) -> Detection | None:
        best = Detection(self.words[0], 0.0, now)
        odds = None if self._verifier is None else self._verifier.log_odds(self._window())
        for word, score in scores.items():
            if score < ENGINE_FLOOR:
                continue
            output = self._outputs[word]
            verdict = None if odds is None or output is None else float(odds[output])
            sure = certainty(score, self._engine.cutoff(word), verdict, LEAN.get(word, 0.0))
            if sure > best.score:
                best = Detection(word, sure, now)
        if best.score < self._threshold:
            self._note_almost(best)
            return None
        if not self._somebody_spoke():
            self._silent_until = now + REFUSED_SECONDS
            return None
        return best

    def _note_almost(self, below: Detection) -> None:
        last = self._almost[-1] if self._almost else None
        if last is None or below.at_seconds - last.at_seconds >= REFRACTORY_SECONDS:
            self._almost.append(below)
        elif below.score > last.score:
            self._almost[-1] = below

    def _window(self) -> NDArray[np.float32]:
        window = np.zeros((WINDOW_FRAMES, CHANNELS), np.float32)
        window[WINDOW_FRAMES - len(self._rows) :] = np.concatenate(self._rows, axis=0)[:, 0]
        return window

    def _somebody_spoke(self) -> bool:
        """Tell whether there is a voice in the last `SPEECH_CHUNKS` chunks up to the current frame."""
        end = self._heard_samples() - self._sound_starts
        begin = max(0, end - SPEECH_CHUNKS * CHUNK_SAMPLES)
        self._activity.reset()
        return any(
            self._activity.probability(self._sound[at : at + CHUNK_SAMPLES]) >= SPEECH_PROBABILITY
            for at in range(begin, end - CHUNK_SAMPLES + 1, CHUNK_SAMPLES)
        )

    def _heard_samples(self) -> int:
        """Return how many samples the frames so far cover."""
        return _WINDOW_SAMPLES + (self._frames - 1) * _STEP_SAMPLES

    def _forget_old_sound(self) -> None:
        surplus = self._heard_samples() - SPEECH_CHUNKS * CHUNK_SAMPLES - self._sound_starts
        if surplus > 0:
            self._sound = self._sound[surplus:]
            self._sound_starts += surplus


def _installed() -> Verifier | None:
    try:
        return Verifier.load()
    except EngineMissingError as error:
        log.warning("wake.unverified", reason=error.code)
        return None
