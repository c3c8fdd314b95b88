"""The back end that runs everywhere: ONNX Runtime, on the CPU or on an NVIDIA card.

The networks are turned into ONNX in memory (`forge_edge.vision.conversion`), in 0.2 s, when they are opened.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from forge_edge.errors import InferenceError
from forge_edge.vision.conversion import as_onnx
from forge_edge.vision.runtime import Array, Network, Precision, check_inputs, check_outputs

Where = Literal["cpu", "cuda"]
_PROVIDERS: dict[Where, str] = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}


@dataclass(frozen=True, slots=True)
class OnnxRuntime:
    """Opens networks with ONNX Runtime.

    Attributes:
        where: What it computes on.
        threads: For one inference, at least 1. Ours: one, because a second one gains less than it takes from the ears.
    """

    where: Where = "cpu"
    threads: int = 1

    @property
    def name(self) -> str:
        """See `Backend`."""
        return f"onnxruntime-{self.where}"

    def open(self, network: Network, weights: bytes) -> "OnnxNetwork":
        """See `Backend`."""
        try:
            import onnxruntime  # noqa: PLC0415 (a part of the node without it must still be importable)
        except ImportError as error:
            raise InferenceError("onnxruntime is not installed, or not for this machine") from error
        provider = _PROVIDERS[self.where]
        if provider not in onnxruntime.get_available_providers():
            raise InferenceError(f"ONNX Runtime does not list its {provider}")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 4  # what fails is said once, by us
        # Threads that wait for work would keep a core busy between two pictures.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        model = as_onnx(weights, network.positions)
        try:
            session = onnxruntime.InferenceSession(model, options, providers=[provider])
        except Exception as error:  # its errors have no common base but this
            raise InferenceError(f"ONNX Runtime cannot open the {network.name}") from error
        # A provider that cannot start is replaced by the CPU without a word.
        if session.get_providers()[0] != provider:
            raise InferenceError(f"ONNX Runtime lists its {provider} and does not use it")
        session.disable_fallback()
        return OnnxNetwork(self.name, "cpu" if self.where == "cpu" else "cuda:0", network, session)


class OnnxNetwork:
    """A network in ONNX Runtime."""

    precision: Precision = "fp32"

    def __init__(self, backend: str, device: str, network: Network, session: Any) -> None:  # noqa: ANN401 (untyped)
        self.backend, self.device, self.network = backend, device, network
        self._session: Any = session
        self._names = [tensor.name for tensor in network.outputs]

    def run(self, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        """See `Runtime`."""
        check_inputs(self.network, inputs)
        if self._session is None:
            raise InferenceError(f"the {self.network.name} is closed")
        try:
            values = self._session.run(self._names, dict(inputs))
        except Exception as error:  # its errors have no common base but this
            raise InferenceError(f"ONNX Runtime failed in the {self.network.name}") from error
        return check_outputs(self.network, dict(zip(self._names, values, strict=True)))

    def close(self) -> None:
        """See `Runtime`."""
        self._session = None
