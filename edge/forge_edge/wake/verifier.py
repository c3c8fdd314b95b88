"""Our own verifier: a small network that looks once more at what the cheap engine took for a word.

Its weights are ours (``models/wake``, Apache-2.0), trained on synthetic speech alone.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from forge_edge.errors import EngineMissingError
from forge_edge.wake.micro import CHANNELS

WINDOW_FRAMES = 150
"""1.5 s of feature frames: the longest wake phrase said slowly, and the time by which the engine is late."""

LAYERS = 4
"""Two convolutions over time, a hidden layer, one output for each word: models/wake/train.py."""

_MEAN = 2.5
_SPREAD = 4.0
_KERNEL = 5
_STRIDE = 2
"""As in models/wake/train.py; the golden input and output hold them together."""

_PACKAGED = Path(__file__).parent / "model"
_CHECKOUT = Path(__file__).parents[3] / "models" / "wake"


@dataclass(frozen=True, slots=True)
class Verifier:
    """Tells from 1.5 s of feature frames which wake word ends in them.

    Attributes:
        words: The words that it knows, in the order of its outputs.
        layers: ``weights1`` to ``weights4``, shape ``(in, out)``, and ``biases1`` to ``biases4``, shape ``(out,)``,
            float32.
    """

    words: tuple[str, ...]
    layers: Mapping[str, NDArray[np.float32]]

    @classmethod
    def load(cls, folder: Path | None = None) -> Self:
        """Read manifest and weights.

        Args:
            folder: Where they lie; default: in this package where it was installed from a wheel, else in the checkout.

        Raises:
            EngineMissingError: They are missing, or the weights are not those of the manifest.
        """
        folder = folder or (_PACKAGED if _PACKAGED.is_dir() else _CHECKOUT)
        try:
            manifest = json.loads((folder / "manifest.json").read_bytes())
            weights = folder / str(manifest["weights"])
            if hashlib.sha256(weights.read_bytes()).hexdigest() != manifest["sha256"]:
                raise EngineMissingError("the wake verifier's weights are not those of its manifest; reinstall")
            with np.load(weights, allow_pickle=False) as file:
                layers = {name: file[name].astype(np.float32) for name in file.files}
            words = tuple(map(str, manifest["output"]["words"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise EngineMissingError("the wake verifier is missing or damaged; reinstall") from error
        return cls(words, layers)

    def log_odds(self, frames: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return how likely each of the words ends here.

        Args:
            frames: Shape ``(150, 40)``, float32, 0 to about 26, oldest first, 10 ms apart: microWakeWord's features.

        Returns:
            Shape ``(len(words),)``, float32: natural logarithm of the odds.
        """
        pairs = frames.reshape(WINDOW_FRAMES // 2, 2, CHANNELS).mean(axis=1)
        signal = (pairs - _MEAN) / _SPREAD
        for number in (1, 2):
            seen = sliding_window_view(signal, _KERNEL, axis=0)[::_STRIDE].transpose(0, 2, 1)
            flat = seen.reshape(len(seen), -1)
            signal = np.maximum(flat @ self.layers[f"weights{number}"] + self.layers[f"biases{number}"], 0)
        hidden = np.maximum(signal.reshape(-1) @ self.layers["weights3"] + self.layers["biases3"], 0)
        odds: NDArray[np.float32] = hidden @ self.layers[f"weights{LAYERS}"] + self.layers[f"biases{LAYERS}"]
        return odds
