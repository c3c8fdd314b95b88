"""microWakeWord with the four words of its package: by itself, and as the cheap engine of the cascade."""

from collections.abc import Iterator, Sequence
from typing import Any

from numpy.typing import NDArray
from pymicro_wakeword import MicroWakeWord, MicroWakeWordFeatures, Model

from forge_edge.audio.ports import Samples
from forge_edge.errors import EngineError, EngineMissingError
from forge_edge.wake.ports import REFRACTORY_SECONDS, Detection

BUILT_IN_WORDS = tuple(model.value for model in Model)
"""The words that microWakeWord knows: okay_nabu, hey_jarvis, hey_mycroft, alexa."""

WINDOW_SECONDS = 0.030
STEP_SECONDS = 0.010
"""microWakeWord's features: a window of 30 ms every 10 ms (kahrendt/microWakeWord, README; its models' JSON)."""

CHANNELS = 40
"""Mel channels of a feature frame: the same source."""

Frame = NDArray[Any]


class MicroEngine:
    """microWakeWord's features and models, one feature frame at a time. Used from one thread."""

    def __init__(self, words: Sequence[str]) -> None:
        """Load the models.

        Args:
            words: At least one of `BUILT_IN_WORDS`; repeated ones count once.

        Raises:
            EngineMissingError: There is no such word, or the package's native library does not load here.
        """
        unknown = sorted(set(words) - set(BUILT_IN_WORDS))
        if unknown or not words:
            raise EngineMissingError(
                f"no wake word {', '.join(unknown) or 'was named'}; there are {', '.join(BUILT_IN_WORDS)}"
            )
        try:
            self._models = {word: MicroWakeWord.from_builtin(Model(word)) for word in dict.fromkeys(words)}
            self._features = MicroWakeWordFeatures()
        except (OSError, RuntimeError, ValueError) as error:
            raise EngineMissingError("microWakeWord does not load; reinstall pymicro-wakeword") from error

    @property
    def words(self) -> tuple[str, ...]:
        """The words, in the order in which they were named."""
        return tuple(self._models)

    def cutoff(self, word: str) -> float:
        """Return the score above which ``word`` counts as heard: its author's, published with the model."""
        return float(self._models[word].probability_cutoff)

    def frames(self, samples: Samples) -> Iterator[Frame]:
        """Yield the feature frames that are complete with the next piece of sound.

        Args:
            samples: Shape ``(n,)``, int16, 16 kHz mono.

        Yields:
            Shape ``(1, 1, 40)``, 0 to about 26, one for each `STEP_SECONDS`.
        """
        yield from self._features.process_streaming(samples.astype("<i2", copy=False).tobytes())

    def score(self, word: str, frame: Frame) -> float:
        """Return how sure the engine is of ``word`` after this frame, 0 to 1, mean of its sliding window.

        Raises:
            EngineError: The model is gone.
        """
        score = self._models[word].process_streaming_prob(frame)
        if score is None:
            raise EngineError("microWakeWord lost its model")
        return min(float(score), 1.0)

    def reset(self) -> None:
        """Forget all sound."""
        self._features.reset()
        for model in self._models.values():
            model.reset()


class MicroWakeWords:
    """microWakeWord alone.

    The score is the mean probability over the model's sliding window; the cut-off is the one that its author published
    with it.
    """

    def __init__(self, words: Sequence[str] = ("okay_nabu",)) -> None:
        """Load the models.

        Args:
            words: At least one of `BUILT_IN_WORDS`.

        Raises:
            EngineMissingError: There is no such word, or the package's native library does not load here.
        """
        self._engine = MicroEngine(words)
        self._frames = 0
        self._silent_until = 0.0

    @property
    def words(self) -> tuple[str, ...]:
        """The names of the words it listens for."""
        return self._engine.words

    def feed(self, samples: Samples) -> Detection | None:
        """Listen to the next piece of sound, as the port says."""
        best: Detection | None = None
        for frame in self._engine.frames(samples):
            now = WINDOW_SECONDS + self._frames * STEP_SECONDS
            self._frames += 1
            for word in self._engine.words:
                score = self._engine.score(word, frame)
                heard = score > self._engine.cutoff(word) and now >= self._silent_until
                if heard and (best is None or score > best.score):
                    best = Detection(word, score, round(now, 3))
        if best is not None:
            self._silent_until = best.at_seconds + REFRACTORY_SECONDS
        return best

    def reset(self) -> None:
        """Forget all sound; time starts at zero again."""
        self._engine.reset()
        self._frames = 0
        self._silent_until = 0.0
