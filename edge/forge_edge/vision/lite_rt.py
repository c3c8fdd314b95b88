"""A second way to run the networks on a CPU: LiteRT, the runtime they were published for.

Not needed and not installed by default: ONNX Runtime is quicker, because it leaves out what nobody asks for (ADR 0028).
It is here for devices on which that is not so, which ``forge-edge vision bench`` tells, and as a second opinion.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from forge_edge.errors import InferenceError
from forge_edge.vision.runtime import Array, Network, Precision, check_inputs, check_outputs


@dataclass(frozen=True, slots=True)
class LiteRt:
    """Opens networks with LiteRT.

    Attributes:
        threads: For one inference, at least 1.
    """

    threads: int = 1

    @property
    def name(self) -> str:
        """See `Backend`."""
        return "litert-cpu"

    def open(self, network: Network, weights: bytes) -> "LiteNetwork":
        """See `Backend`."""
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        try:
            from ai_edge_litert.interpreter import Interpreter  # noqa: PLC0415 (not installed by default)
        except ImportError as error:
            raise InferenceError("ai-edge-litert is not installed, or not for this machine") from error
        try:
            interpreter = Interpreter(model_content=weights, num_threads=self.threads)
            interpreter.allocate_tensors()
        except (RuntimeError, ValueError) as error:
            raise InferenceError(f"LiteRT cannot open the {network.name}") from error
        return LiteNetwork(network, interpreter)


class LiteNetwork:
    """A network in LiteRT."""

    backend, device = "litert-cpu", "cpu"
    precision: Precision = "fp32"

    def __init__(self, network: Network, interpreter: Any) -> None:  # noqa: ANN401 (untyped)
        self.network, self._interpreter = network, interpreter
        self._input = interpreter.get_input_details()[0]["index"]
        details = interpreter.get_output_details()
        self._outputs = {name: details[position]["index"] for name, position in network.positions.items()}

    def run(self, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        """See `Runtime`."""
        check_inputs(self.network, inputs)
        if self._interpreter is None:
            raise InferenceError(f"the {self.network.name} is closed")
        try:
            self._interpreter.set_tensor(self._input, inputs[self.network.inputs[0].name])
            self._interpreter.invoke()
            values = {name: self._interpreter.get_tensor(index) for name, index in self._outputs.items()}
        except (RuntimeError, ValueError) as error:
            raise InferenceError(f"LiteRT failed in the {self.network.name}") from error
        return check_outputs(self.network, values)

    def close(self) -> None:
        """See `Runtime`."""
        self._interpreter = None
