"""The back end of the Jetson: engines that TensorRT built on the device, in half precision.

Never run on a device so far: it is tested against a strict simulation of the API (tests/fakes/tensorrt_10.py).
Source of the API: NVIDIA, TensorRT 10.3 to 10.16, Python API reference. TensorRT 11 removes what is used here.
"""

import hashlib
import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from forge_edge.errors import InferenceError
from forge_edge.vision.conversion import as_onnx
from forge_edge.vision.cuda import Cuda, CudaRuntime
from forge_edge.vision.engines import EngineKey, EngineStore, device_name, l4t_release, shapes
from forge_edge.vision.proof import prove
from forge_edge.vision.runtime import Array, Network, Precision, Runtime, Tensor, check_inputs, check_outputs
from forge_edge.vision.weights import folder

_OLDEST, _NEWEST = (10, 3), (10, 16)  # JetPack 6.1 has 10.3; 10.16 is the last one before 11
_WORKSPACE_BYTES: Final = 256 << 20
"""Scratch memory while building. Ours: the networks have 6 million weights, and an Orin Nano has 8 GB for all."""


def engines_folder() -> Path:
    """Return where the engines of this Python installation lie."""
    return folder().parent / "engines"


@dataclass(frozen=True, slots=True)
class TensorRt:
    """Opens engines with TensorRT; it never builds one while the room waits.

    Attributes:
        store: Where engines are kept; default: beside the weights.
        precision: Of engines.
        module: What is imported as ``tensorrt``; default: the system's.
        cuda: The card; default: this machine's first one.
        proof: Raises `InferenceError` for an engine that does not give what is stored with its network.
    """

    store: EngineStore = field(default_factory=lambda: EngineStore(engines_folder()))
    precision: Precision = "fp16"
    module: Any = None
    cuda: Cuda | None = None
    proof: Callable[[Runtime], None] = prove

    @property
    def name(self) -> str:
        """See `Backend`."""
        return "tensorrt"

    def open(self, network: Network, weights: bytes) -> "TensorRtNetwork":
        """See `Backend`; an engine must have been built for exactly this network, card and software."""
        module, cuda = self._module(), self.cuda or CudaRuntime()
        found = self.store.find(self._key(network, as_onnx(weights, network.positions), module, cuda))
        if found.engine is None:
            raise InferenceError(f"no engine of the {network.name} fits ({found.stale}): run forge-edge vision build")
        return self._load(network, found.engine, module, cuda)

    def build(self, network: Network, weights: bytes) -> None:
        """Build, try and store the engine of a network; takes minutes on a Jetson.

        Raises:
            InferenceError: It cannot be built here, or it does not prove itself; what was there before stays.
        """
        module, cuda = self._module(), self.cuda or CudaRuntime()
        model = as_onnx(weights, network.positions)
        key = self._key(network, model, module, cuda)

        def accept(engine: bytes) -> None:
            runtime = self._load(network, engine, module, cuda)
            try:
                self.proof(runtime)
            finally:
                runtime.close()

        self.store.build(key, lambda: self._built(network, model, module), accept)

    def _module(self) -> Any:  # noqa: ANN401 (untyped)
        try:
            # By name, because only a Jetson's system has it.
            module = self.module or importlib.import_module("tensorrt")
        except ImportError as error:
            raise InferenceError("tensorrt is not installed for this Python") from error
        version = getattr(module, "__version__", "")
        numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
        if not _OLDEST <= numbers <= _NEWEST:
            raise InferenceError(f"TensorRT {version or 'without a version'} is not one of 10.3 to 10.16")
        return module

    def _key(self, network: Network, model: bytes, module: Any, cuda: Cuda) -> EngineKey:  # noqa: ANN401 (untyped)
        digest = hashlib.sha256(model).hexdigest()
        return EngineKey(
            network.name,
            digest,
            shapes(network),
            self.precision,
            module.__version__,
            cuda.capability(),
            device_name(),
            l4t_release(),
        )

    def _built(self, network: Network, model: bytes, module: Any) -> bytes:  # noqa: ANN401 (untyped)
        logger = module.Logger(module.Logger.ERROR)
        builder = module.Builder(logger)
        definition = builder.create_network(0)
        parser = module.OnnxParser(definition, logger)
        if not parser.parse(model):
            raise InferenceError(f"TensorRT cannot read the {network.name}: {parser.num_errors} errors")
        config = builder.create_builder_config()
        config.set_memory_pool_limit(module.MemoryPoolType.WORKSPACE, _WORKSPACE_BYTES)
        if self.precision == "fp16":
            config.set_flag(module.BuilderFlag.FP16)
        plan = builder.build_serialized_network(definition, config)
        if plan is None:
            raise InferenceError(f"TensorRT cannot build the {network.name}")
        return bytes(plan)

    def _load(self, network: Network, engine: bytes, module: Any, cuda: Cuda) -> "TensorRtNetwork":  # noqa: ANN401
        runtime = module.Runtime(module.Logger(module.Logger.ERROR))
        loaded = runtime.deserialize_cuda_engine(engine)
        if loaded is None:
            raise InferenceError(f"TensorRT cannot load the engine of the {network.name}")
        _compare(network, loaded, module)
        context = loaded.create_execution_context()
        if context is None:
            raise InferenceError(f"TensorRT has no memory for the {network.name}")
        return TensorRtNetwork(network, self.precision, (runtime, loaded, context), cuda)


class TensorRtNetwork:
    """A network in TensorRT, with its buffers on the card."""

    backend, device = "tensorrt", "cuda:0"

    def __init__(self, network: Network, precision: Precision, parts: tuple[Any, Any, Any], cuda: Cuda) -> None:
        """Take the card's memory.

        Args:
            network: Which one.
            precision: Of the engine.
            parts: Runtime, engine and context, in the order in which they were made: each needs those before it.
            cuda: The card.

        Raises:
            InferenceError: The card has no memory left.
        """
        self.network, self.precision = network, precision
        self._cuda, self._parts = cuda, list(parts)
        self._outputs = {tensor.name: np.empty(tensor.shape, np.float32) for tensor in network.outputs}
        self._addresses: dict[str, int] = {}
        self._stream: int | None = None
        try:
            self._take_memory()
        except InferenceError:
            self.close()
            raise

    def run(self, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        """See `Runtime`."""
        check_inputs(self.network, inputs)
        if not self._parts or self._stream is None:
            raise InferenceError(f"the {self.network.name} is closed")
        given = {name: np.ascontiguousarray(array) for name, array in inputs.items()}
        for name, array in given.items():
            self._cuda.to_card(self._addresses[name], array, self._stream)
        if not self._parts[-1].execute_async_v3(self._stream):
            raise InferenceError(f"TensorRT failed in the {self.network.name}")
        for name, array in self._outputs.items():
            self._cuda.from_card(array, self._addresses[name], self._stream)
        self._cuda.wait(self._stream)
        return check_outputs(self.network, {name: array.copy() for name, array in self._outputs.items()})

    def close(self) -> None:
        """See `Runtime`."""
        while self._parts:
            self._parts.pop()
        for name in list(self._addresses):
            self._cuda.free(self._addresses.pop(name))
        if self._stream is not None:
            self._cuda.end(self._stream)
            self._stream = None

    def _take_memory(self) -> None:
        self._stream = self._cuda.stream()
        for tensor in (*self.network.inputs, *self.network.outputs):
            self._addresses[tensor.name] = self._cuda.allocate(_size(tensor))
            if not self._parts[-1].set_tensor_address(tensor.name, self._addresses[tensor.name]):
                raise InferenceError(f"TensorRT does not take the memory of {tensor.name}")


def _compare(network: Network, engine: Any, module: Any) -> None:  # noqa: ANN401 (untyped)
    """Compare an engine's inputs and outputs with the network's.

    Raises:
        InferenceError: A name, a direction, a shape or a type differs.
    """
    there = {}
    for number in range(engine.num_io_tensors):
        name = engine.get_tensor_name(number)
        given = engine.get_tensor_mode(name) == module.TensorIOMode.INPUT
        is_float = engine.get_tensor_dtype(name) == module.DataType.FLOAT
        there[name] = (given, tuple(engine.get_tensor_shape(name)), is_float)
    wanted = {tensor.name: (True, tensor.shape, True) for tensor in network.inputs}
    wanted |= {tensor.name: (False, tensor.shape, True) for tensor in network.outputs}
    if there != wanted:
        raise InferenceError(f"the engine of the {network.name} takes or gives something else than the network")


def _size(tensor: Tensor) -> int:
    return int(np.prod(tensor.shape)) * np.dtype(np.float32).itemsize
