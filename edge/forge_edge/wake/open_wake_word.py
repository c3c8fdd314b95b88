"""openWakeWord: runs a word that a site has trained for itself."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from forge_edge.audio.ports import SAMPLE_RATE_HZ, Samples
from forge_edge.errors import EngineMissingError
from forge_edge.wake.ports import REFRACTORY_SECONDS, Detection

OPEN_WAKE_WORD_THRESHOLD = 0.5
"""openWakeWord's own recommendation: dscripka/openWakeWord, README, "Recommendations for usage"."""

_FRAME_SAMPLES = 1280
"""openWakeWord scores once in 80 ms (openwakeword/model.py, ``predict``)."""


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
