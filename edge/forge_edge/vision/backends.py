"""Chooses what runs the networks: the first back end that proves itself, and the next one when it fails."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from forge_edge.errors import InferenceError
from forge_edge.vision import weights
from forge_edge.vision.lite_rt import LiteRt
from forge_edge.vision.onnx_runtime import OnnxRuntime
from forge_edge.vision.pose import BlazePose
from forge_edge.vision.proof import prove
from forge_edge.vision.runtime import DETECTOR, LANDMARKER, Array, Backend, Network, Precision, Runtime
from forge_edge.vision.tensor_rt import TensorRt


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A back end that is not used.

    Attributes:
        network: Whose.
        backend: Its name.
        reason: Why, without a path or a picture's content.
        running: Whether it had proved itself before it failed.
    """

    network: str
    backend: str
    reason: str
    running: bool


Say = Callable[[PassedOver], None]
"""Is told of each back end that is passed over."""
Proof = Callable[[Runtime], None]
"""Raises `InferenceError` for what does not prove itself."""


def available(threads: int = 1) -> Sequence[Backend]:
    """Return every back end, the quickest first, whether it can be used here or not."""
    return (TensorRt(), OnnxRuntime("cuda"), OnnxRuntime("cpu", threads), LiteRt(threads))


BACKENDS: Final = tuple(backend.name for backend in available())
"""Names of all back ends, the quickest first."""


class Carried:
    """A network that is carried from one back end to the next when one fails. A `Runtime` itself.

    A back end that failed is not tried again: what fails at random would be tried at every picture.
    """

    def __init__(
        self, network: Network, data: bytes, backends: Sequence[Backend], say: Say, proof: Proof = prove
    ) -> None:
        """Open the first back end that proves itself.

        Args:
            network: Which one.
            data: Its file's content.
            backends: What may run it, the preferred one first.
            say: Is told of each one that is passed over.
            proof: Raises `InferenceError` for one that does not give what is stored with the network.

        Raises:
            InferenceError: None of them can run it.
        """
        self.network, self._data, self._left, self._say = network, data, list(backends), say
        self._proof = proof
        self._runtime = self._next()

    @property
    def backend(self) -> str:
        """See `Runtime`."""
        return self._runtime.backend

    @property
    def device(self) -> str:
        """See `Runtime`."""
        return self._runtime.device

    @property
    def precision(self) -> Precision:
        """See `Runtime`."""
        return self._runtime.precision

    def run(self, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        """See `Runtime`; raises only when no back end is left."""
        while True:
            try:
                return self._runtime.run(inputs)
            except InferenceError as error:
                self._runtime.close()
                self._say(PassedOver(self.network.name, self._runtime.backend, str(error), running=True))
                self._runtime = self._next()

    def close(self) -> None:
        """See `Runtime`."""
        self._runtime.close()

    def _next(self) -> Runtime:
        while self._left:
            backend = self._left.pop(0)
            try:
                runtime = backend.open(self.network, self._data)
            except InferenceError as error:
                self._say(PassedOver(self.network.name, backend.name, str(error), running=False))
                continue
            try:
                self._proof(runtime)
            except InferenceError as error:
                runtime.close()
                self._say(PassedOver(self.network.name, backend.name, str(error), running=False))
                continue
            return runtime
        raise InferenceError(f"nothing here can run the {self.network.name}")


def open_network(network: Network, backends: Sequence[Backend], say: Say, folder: Path | None = None) -> Carried:
    """Open one network on the first back end that proves itself.

    Args:
        network: Which one.
        backends: What may run it, the preferred one first.
        say: Is told of each one that is passed over.
        folder: Where the weights are; default: `weights.folder`.

    Raises:
        EngineMissingError: The weights are missing or not the examined ones.
        InferenceError: No back end can run it.
    """
    return Carried(network, weights.load(network, folder), backends, say)


def open_pose(say: Say, names: Sequence[str] = BACKENDS, *, threads: int = 1, folder: Path | None = None) -> BlazePose:
    """Return what finds people, on the first of the named back ends that proves itself.

    Args:
        say: Is told of each back end that is passed over.
        names: Of `BACKENDS`, the preferred one first.
        threads: For one inference on the CPU, at least 1.
        folder: Where the weights are; default: `weights.folder`.

    Raises:
        EngineMissingError: The weights are missing or not the examined ones.
        InferenceError: No back end can run the networks.
    """
    by_name = {backend.name: backend for backend in available(threads)}
    if unknown := [name for name in names if name not in by_name]:
        raise InferenceError(f"no back end is called {', '.join(unknown)}; there are {', '.join(BACKENDS)}")
    chosen = [by_name[name] for name in names]
    return BlazePose(*(open_network(network, chosen, say, folder) for network in (DETECTOR, LANDMARKER)))
