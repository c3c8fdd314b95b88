"""Back ends that fail as real ones do: at once, at the first inference, with a wrong answer, or after a while."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from forge_edge.errors import InferenceError
from forge_edge.vision.onnx_runtime import OnnxNetwork, OnnxRuntime
from forge_edge.vision.runtime import Array, Network, Precision


@dataclass
class FailingBackend:
    """ONNX Runtime under another name, with a fault.

    Attributes:
        name: Its name.
        opens: Whether it can be opened at all; some that are listed cannot.
        runs: Inferences until it fails; the proof at boot is one.
        wrong_by: What it adds to every output.
        closed: How many of its networks were closed.
    """

    name: str
    opens: bool = True
    runs: int = 1_000_000
    wrong_by: float = 0.0
    closed: list[str] = field(default_factory=list)

    def open(self, network: Network, weights: bytes) -> "FailingNetwork":
        if not self.opens:
            raise InferenceError(f"{self.name} is listed and does not start")
        return FailingNetwork(self, OnnxRuntime().open(network, weights))


class FailingNetwork:
    """A network on a back end with a fault."""

    device = "cuda:0"
    precision: Precision = "fp32"

    def __init__(self, world: FailingBackend, real: OnnxNetwork) -> None:
        self.network, self.backend = real.network, world.name
        self._world, self._real, self._left = world, real, world.runs

    def run(self, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        if self._left == 0:
            raise InferenceError(f"{self.backend} failed")
        self._left -= 1
        return {name: array + np.float32(self._world.wrong_by) for name, array in self._real.run(inputs).items()}

    def close(self) -> None:
        self._world.closed.append(self.network.name)
        self._real.close()
