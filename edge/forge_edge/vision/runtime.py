"""What runs a network: the port, and what each network is given and gives.

Inputs and outputs keep the axes of the published models (batch, y, x, channel), whatever a back end makes of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from forge_edge.errors import InferenceError

Array = NDArray[np.float32]
Precision = Literal["fp32", "fp16"]


@dataclass(frozen=True, slots=True)
class Tensor:
    """One array of float32 that goes into a network or comes out of it."""

    name: str
    shape: tuple[int, ...]
    dtype: Literal["float32"] = "float32"


@dataclass(frozen=True, slots=True)
class Network:
    """A network as it is published, and what of it is used.

    Attributes:
        name: Ours.
        file: Name of the TensorFlow Lite file.
        sha256: Of that file; another one is not used.
        inputs: What it is given.
        outputs: What it is asked for.
        places: Where in the file's own list of outputs each of them is, counted from 0.
    """

    name: str
    file: str
    sha256: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    places: tuple[int, ...]

    @property
    def positions(self) -> Mapping[str, int]:
        """Return where in the file's list of outputs each one is, by name."""
        return {tensor.name: place for tensor, place in zip(self.outputs, self.places, strict=True)}


DETECTOR: Final = Network(
    "detector",
    "pose_detection.tflite",
    "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
    (Tensor("input", (1, 224, 224, 3)),),
    (Tensor("boxes", (1, 2254, 12)), Tensor("scores", (1, 2254, 1))),
    (0, 1),
)
"""Finds people in a whole picture; input from -1 to 1."""
LANDMARKER: Final = Network(
    "landmarker",
    "pose_landmark_full.tflite",
    "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
    (Tensor("input", (1, 256, 256, 3)),),
    (Tensor("landmarks", (1, 195)), Tensor("presence", (1, 1)), Tensor("heatmap", (1, 64, 64, 39))),
    (0, 1, 3),
)
"""Finds the points of one body in a square; input from 0 to 1."""
NETWORKS: Final = (DETECTOR, LANDMARKER)


class Runtime(Protocol):
    """One network, ready to run. Used from one thread at a time."""

    @property
    def backend(self) -> str:
        """Name of the back end."""

    @property
    def device(self) -> str:
        """What it computes on, such as ``cpu`` or ``cuda:0``."""

    @property
    def precision(self) -> Precision:
        """Of the numbers it computes with; inputs and outputs are float32."""

    @property
    def network(self) -> Network:
        """What it runs, with the shapes of all that goes in and comes out."""

    def run(self, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        """Return every output by name; the arrays are the caller's.

        Raises:
            InferenceError: The inputs are not those of the network, or it could not be run.
        """

    def close(self) -> None:
        """Let go of memory and device; a second time does nothing."""


class Backend(Protocol):
    """A way to run networks."""

    @property
    def name(self) -> str:
        """Stable, as it stands in settings, logs and records."""

    def open(self, network: Network, weights: bytes) -> Runtime:
        """Make a network ready.

        Args:
            network: Which one.
            weights: Its file's content, examined already.

        Raises:
            InferenceError: It cannot be run here: a package, a device or a built engine is missing or failed.
        """


def check_inputs(network: Network, inputs: Mapping[str, Array]) -> None:
    """Compare what is given with what a network is given.

    Raises:
        InferenceError: A name, a shape or a type differs.
    """
    wanted = {tensor.name: (tensor.shape, tensor.dtype) for tensor in network.inputs}
    given = {name: (array.shape, str(array.dtype)) for name, array in inputs.items()}
    if wanted != given:
        raise InferenceError(f"the {network.name} takes {wanted} and was given {given}")


def check_outputs(network: Network, outputs: Mapping[str, Array]) -> Mapping[str, Array]:
    """Return the outputs as float32.

    Raises:
        InferenceError: A name or a shape differs from the network's, or a number is none.
    """
    wanted = {tensor.name: tensor.shape for tensor in network.outputs}
    came = {name: array.shape for name, array in outputs.items()}
    if wanted != came:
        raise InferenceError(f"the {network.name} gives {wanted} and gave {came}")
    if not all(np.isfinite(array).all() for array in outputs.values()):
        raise InferenceError(f"the {network.name} gave what are no numbers")
    return {name: np.asarray(array, np.float32) for name, array in outputs.items()}
