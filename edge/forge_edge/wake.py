"""The wake word: the room listens to nothing but this until somebody says it.

Two engines behind one port: microWakeWord, whose four words come with its package, and openWakeWord, which runs a word
that a site has trained for itself.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from pymicro_wakeword import MicroWakeWord, MicroWakeWordFeatures, Model

from forge_edge.audio.ports import SAMPLE_RATE_HZ, Samples
from forge_edge.errors import EngineError, EngineMissingError

BUILT_IN_WORDS = tuple(model.value for model in Model)
"""The words that `MicroWakeWords` knows: okay_nabu, hey_jarvis, hey_mycroft, alexa."""

REFRACTORY_SECONDS = 2.0
"""No second detection within this time: one utterance wakes once. Longer than any wake phrase (about 1 s), shorter than
a person needs to say it again on purpose. ESPHome's micro_wake_word waits a similar span after a detection."""

OPEN_WAKE_WORD_THRESHOLD = 0.5
"""openWakeWord's own recommendation: dscripka/openWakeWord, README, "Recommendations for usage"."""

_WINDOW_SECONDS = 0.030
_STEP_SECONDS = 0.010
"""microWakeWord's features: a window of 30 ms every 10 ms (kahrendt/microWakeWord, README; its models' JSON)."""

_FRAME_SAMPLES = 1280
"""openWakeWord scores once in 80 ms (openwakeword/model.py, ``predict``)."""


@dataclass(frozen=True, slots=True)
class Detection:
    """A wake word was heard.

    Attributes:
        word: Its name, one of the detector's ``words``.
        score: 0 to 1, comparable within one engine only.
        at_seconds: Sound fed since the detector was made or reset, up to the moment of detection.
    """

    word: str
    score: float
    at_seconds: float


class WakeWord(Protocol):
    """Listens for one or several words. Used from one thread."""

    @property
    def words(self) -> tuple[str, ...]:
        """The names of the words it listens for."""

    def feed(self, samples: Samples) -> Detection | None:
        """Listen to the next piece of sound.

        Args:
            samples: Shape ``(n,)``, int16, 16 kHz mono, n >= 1, following the previous piece without a gap. Pieces up
                to a tenth of a second lose nothing; of several words in one piece only the best is returned.

        Returns:
            A detection, at most one in `REFRACTORY_SECONDS`.

        Raises:
            EngineError: The engine failed.
        """

    def reset(self) -> None:
        """Forget all sound; time starts at zero again."""


class MicroWakeWords:
    """microWakeWord with the models of its package.

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
        self._frames = 0
        self._silent_until = 0.0

    @property
    def words(self) -> tuple[str, ...]:
        """The names of the words it listens for."""
        return tuple(self._models)

    def feed(self, samples: Samples) -> Detection | None:
        """Listen to the next piece of sound, as the port says."""
        best: Detection | None = None
        for frame in self._features.process_streaming(samples.astype("<i2", copy=False).tobytes()):
            now = _WINDOW_SECONDS + self._frames * _STEP_SECONDS
            self._frames += 1
            for word, model in self._models.items():
                score = model.process_streaming_prob(frame)
                if score is None:
                    raise EngineError("microWakeWord lost its model")
                heard = score > model.probability_cutoff and now >= self._silent_until
                if heard and (best is None or score > best.score):
                    best = Detection(word, min(float(score), 1.0), round(now, 3))
        if best is not None:
            self._silent_until = best.at_seconds + REFRACTORY_SECONDS
        return best

    def reset(self) -> None:
        """Forget all sound; time starts at zero again."""
        self._features.reset()
        for model in self._models.values():
            model.reset()
        self._frames = 0
        self._silent_until = 0.0


class OpenWakeWords:
    """openWakeWord with models that a site has trained, as ONNX files; a word is named by its file.

    The package is an extra (``own-wake-words``) and is imported only here.
    """

    def __init__(self, model_paths: Sequence[Path], threshold: float = OPEN_WAKE_WORD_THRESHOLD) -> None:
        """Load the models.

        Args:
            model_paths: At least one ``.onnx`` file.
            threshold: Lowest score of a detection, 0 to 1.

        Raises:
            EngineMissingError: The package or a file is missing, or a file is no wake word model.
        """
        missing = [path.name for path in model_paths if path.suffix != ".onnx" or not path.is_file()]
        if missing or not model_paths:
            raise EngineMissingError(f"no wake word model {', '.join(missing) or 'was named'}; name .onnx files")
        self._threshold = threshold
        self._model = _open_wake_word_model(model_paths)
        # The package starts from noise of its own; a copy makes every reset start alike.
        features = self._model.preprocessor
        self._first_features = features.feature_buffer.copy()
        self._first_spectrogram = features.melspectrogram_buffer.copy()
        self._pending: Samples = np.empty(0, np.int16)
        self._frames = 0
        self._silent_until = 0.0

    @property
    def words(self) -> tuple[str, ...]:
        """The names of the words it listens for."""
        return tuple(self._model.models)

    def feed(self, samples: Samples) -> Detection | None:
        """Listen to the next piece of sound, as the port says."""
        best: Detection | None = None
        self._pending = np.concatenate((self._pending, samples))
        while self._pending.size >= _FRAME_SAMPLES:
            frame, self._pending = self._pending[:_FRAME_SAMPLES], self._pending[_FRAME_SAMPLES:]
            self._frames += 1
            now = self._frames * _FRAME_SAMPLES / SAMPLE_RATE_HZ
            for word, score in self._model.predict(frame).items():
                heard = score >= self._threshold and now >= self._silent_until
                if heard and (best is None or score > best.score):
                    best = Detection(word, min(float(score), 1.0), round(now, 3))
        if best is not None:
            self._silent_until = best.at_seconds + REFRACTORY_SECONDS
        return best

    def reset(self) -> None:
        """Forget all sound; time starts at zero again."""
        self._model.reset()
        features = self._model.preprocessor
        features.raw_data_buffer.clear()
        features.raw_data_remainder = np.empty(0)
        features.accumulated_samples = 0
        features.feature_buffer = self._first_features.copy()
        features.melspectrogram_buffer = self._first_spectrogram.copy()
        self._pending = np.empty(0, np.int16)
        self._frames = 0
        self._silent_until = 0.0


def _open_wake_word_model(model_paths: Sequence[Path]) -> Any:  # noqa: ANN401 (the package has no types)
    # Its import pulls in training code whose libraries warn; none of that concerns a node.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            from openwakeword.model import Model as OpenWakeWordModel  # noqa: PLC0415 (an extra, absent on most nodes)
        except ImportError as error:
            raise EngineMissingError(
                "openWakeWord is not installed; install persona-forge-edge[own-wake-words] by its lock"
            ) from error
        try:
            return OpenWakeWordModel(
                wakeword_models=[str(path) for path in model_paths], inference_framework="onnx", ncpu=1
            )
        except Exception as error:  # onnxruntime raises its own kinds, all of which mean: not a usable model
            raise EngineMissingError(
                f"{', '.join(path.name for path in model_paths)}: not openWakeWord models in ONNX"
            ) from error
