"""TensorRT 10 and the CUDA runtime without a card: only the calls that exist, in the only order that works.

What is asked for is computed with ONNX Runtime, rounded to half precision where the engine was built so. Calls that do
not exist are attributes that do not exist; calls out of order, memory that was not given, and copies that were not
waited for are `MisuseError`, never a plausible answer.
"""

import ctypes
import hashlib
import json
from collections.abc import Callable
from enum import Enum
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnxruntime

_INVALID_VALUE, _OUT_OF_MEMORY = 1, 2  # cudaError


class MisuseError(AssertionError):
    """The API was used as it cannot be used."""


class Card:
    """A card: its memory, its streams, and what can be broken about it."""

    def __init__(self, capability: str = "8.7", memory: int = 8 << 30) -> None:
        self.capability, self.left = capability, memory
        self.memory: dict[int, bytearray] = {}
        self.streams: dict[int, list[Callable[[], None]]] = {}
        self.refuses: set[str] = set()  # calls that fail from now on
        self._next = 0x1000

    def place(self) -> int:
        self._next += 0x1000
        return self._next


class CudaLibrary:
    """libcudart as ctypes sees it. Every call returns a status; 0 is success."""

    def __init__(self, card: Card) -> None:
        self._card = card

    def cudaMalloc(self, address: Any, size: ctypes.c_size_t) -> int:  # noqa: N802 (NVIDIA's name; so below)
        if "cudaMalloc" in self._card.refuses or size.value > self._card.left:
            return _OUT_OF_MEMORY
        place = self._card.place()
        self._card.memory[place] = bytearray(size.value)
        self._card.left -= size.value
        address._obj.value = place  # noqa: SLF001 (ctypes' own name of what byref points at)
        return 0

    def cudaFree(self, address: ctypes.c_void_p) -> int:  # noqa: N802
        if address.value not in self._card.memory:
            raise MisuseError("memory is freed that was not given, or twice")
        self._card.left += len(self._card.memory.pop(address.value))
        return 0

    def cudaStreamCreate(self, stream: Any) -> int:  # noqa: N802
        place = self._card.place()
        self._card.streams[place] = []
        stream._obj.value = place  # noqa: SLF001 (as above)
        return 0

    def cudaStreamDestroy(self, stream: ctypes.c_void_p) -> int:  # noqa: N802
        if self._card.streams.pop(stream.value or 0, None):
            raise MisuseError("a stream ends with work in it")
        return 0

    def cudaMemcpyAsync(  # noqa: N802
        self,
        to: ctypes.c_void_p,
        source: ctypes.c_void_p,
        size: ctypes.c_size_t,
        kind: ctypes.c_int,
        stream: ctypes.c_void_p,
    ) -> int:
        on_card = to if kind.value == 1 else source
        if kind.value not in (1, 2) or len(self._card.memory.get(on_card.value or 0, b"")) != size.value:
            return _INVALID_VALUE
        memory = self._card.memory[on_card.value or 0]
        pointer = (ctypes.c_char * size.value).from_buffer(memory)

        def copy() -> None:
            ctypes.memmove(pointer if kind.value == 1 else to, source if kind.value == 1 else pointer, size.value)

        self._card.streams[stream.value or 0].append(copy)
        return 0

    def cudaStreamSynchronize(self, stream: ctypes.c_void_p) -> int:  # noqa: N802
        if "cudaStreamSynchronize" in self._card.refuses:
            return 700  # cudaErrorIllegalAddress: what an engine of another card ends in
        work = self._card.streams[stream.value or 0]
        while work:
            work.pop(0)()
        return 0

    def cudaDeviceGetAttribute(self, value: Any, attribute: ctypes.c_int, device: ctypes.c_int) -> int:  # noqa: N802
        if device.value != 0 or attribute.value not in (75, 76):
            return _INVALID_VALUE
        value._obj.value = int(self._card.capability.split(".")[attribute.value - 75])  # noqa: SLF001 (as above)
        return 0


class _Severity(Enum):
    ERROR = 1
    WARNING = 2


class _MemoryPoolType(Enum):
    WORKSPACE = 0


class _BuilderFlag(Enum):
    FP16 = 0


class _TensorIOMode(Enum):
    NONE = 0
    INPUT = 1
    OUTPUT = 2


class _DataType(Enum):
    FLOAT = 0
    HALF = 1


class _Logger:
    ERROR, WARNING = _Severity.ERROR, _Severity.WARNING

    def __init__(self, severity: _Severity) -> None:
        if not isinstance(severity, _Severity):
            raise MisuseError("a severity is one of Logger's")


class _Definition:
    __slots__ = ("model",)

    def __init__(self) -> None:
        self.model = b""


class _Parser:
    __slots__ = ("_definition", "num_errors")

    def __init__(self, definition: _Definition, logger: _Logger) -> None:
        if not isinstance(definition, _Definition) or not isinstance(logger, _Logger):
            raise MisuseError("a parser is given a network definition and a logger")
        self._definition, self.num_errors = definition, 0

    def parse(self, model: bytes) -> bool:
        try:
            onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
        except Exception:  # noqa: BLE001 (its errors have no common base but this)
            self.num_errors = 1
            return False
        self._definition.model = model
        return True


class _Config:
    __slots__ = ("flags", "workspace")

    def __init__(self) -> None:
        self.flags: set[_BuilderFlag] = set()
        self.workspace = 0

    def set_flag(self, flag: _BuilderFlag) -> None:
        self.flags.add(_BuilderFlag(flag))

    def set_memory_pool_limit(self, pool: _MemoryPoolType, size: int) -> None:
        if pool is not _MemoryPoolType.WORKSPACE or size <= 0:
            raise MisuseError("a limit is for a pool, in bytes")
        self.workspace = size


class _Plan:
    """Host memory: its bytes are had by the buffer protocol, as `bytes(plan)`."""

    __slots__ = ("_data",)

    def __init__(self, data: bytes) -> None:
        self._data = data

    def __bytes__(self) -> bytes:
        return self._data


def module(card: Card, version: str = "10.3.0", *, wrong_by: float = 0.0, builds: bool = True) -> Any:
    """Return what ``import tensorrt`` would give on a machine with this card.

    Args:
        card: Where engines are built and run.
        version: Of TensorRT.
        wrong_by: What is added to every output: an engine that runs and is wrong.
        builds: Whether engines can be built.
    """

    class Builder:
        __slots__ = ()

        def __init__(self, logger: _Logger) -> None:
            if not isinstance(logger, _Logger):
                raise MisuseError("a builder is given a logger")

        def create_network(self, flags: int = 0) -> _Definition:
            if flags != 0:
                raise MisuseError("explicit batches are the only ones, and need no flag")
            return _Definition()

        def create_builder_config(self) -> _Config:
            return _Config()

        def build_serialized_network(self, definition: _Definition, config: _Config) -> _Plan | None:
            if not definition.model or not config.workspace:
                raise MisuseError("a network is parsed and given scratch memory before it is built")
            if not builds:
                return None
            half = _BuilderFlag.FP16 in config.flags
            head = {"version": version, "capability": card.capability, "half": half}
            body = json.dumps(head).encode() + b"\n" + definition.model
            return _Plan(hashlib.sha256(body).digest() + body)

    class Engine:
        __slots__ = ("_half", "_session", "open")

        def __init__(self, model: bytes, *, half: bool) -> None:
            self._session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
            self._half, self.open = half, True

        @property
        def num_io_tensors(self) -> int:
            return len(self._arguments())

        def get_tensor_name(self, number: int) -> str:
            return str(self._arguments()[number].name)

        def get_tensor_mode(self, name: str) -> _TensorIOMode:
            given = name in {argument.name for argument in self._session.get_inputs()}
            return _TensorIOMode.INPUT if given else _TensorIOMode.OUTPUT

        def get_tensor_shape(self, name: str) -> tuple[int, ...]:
            return tuple(next(one.shape for one in self._arguments() if one.name == name))

        def get_tensor_dtype(self, name: str) -> _DataType:
            self.get_tensor_shape(name)
            return _DataType.FLOAT

        def create_execution_context(self) -> "Context | None":
            return None if "create_execution_context" in card.refuses else Context(self)

        def compute(self, addresses: dict[str, int]) -> None:
            given = {one.name: self._read(one, addresses[one.name]) for one in self._session.get_inputs()}
            names = [one.name for one in self._session.get_outputs()]
            for name, value in zip(names, self._session.run(names, given), strict=True):
                rounded = value.astype(np.float16).astype(np.float32) if self._half else value
                card.memory[addresses[name]][:] = (rounded + np.float32(wrong_by)).astype(np.float32).tobytes()

        def _read(self, argument: Any, address: int) -> Any:
            return np.frombuffer(bytes(card.memory[address]), np.float32).reshape(argument.shape)

        def _arguments(self) -> list[Any]:
            return [*self._session.get_inputs(), *self._session.get_outputs()]

    class Context:
        __slots__ = ("_addresses", "_engine")

        def __init__(self, engine: Engine) -> None:
            self._engine, self._addresses = engine, dict[str, int]()

        def set_tensor_address(self, name: str, address: int) -> bool:
            size = int(np.prod(self._engine.get_tensor_shape(name))) * 4
            if len(card.memory.get(address, b"")) != size:
                return False
            self._addresses[name] = address
            return True

        def execute_async_v3(self, stream_handle: int) -> bool:
            if "execute_async_v3" in card.refuses:
                return False
            if len(self._addresses) != self._engine.num_io_tensors:
                raise MisuseError("an input or output has no memory")
            addresses = dict(self._addresses)
            card.streams[stream_handle].append(lambda: self._engine.compute(addresses))
            return True

    class Runtime:
        __slots__ = ()

        def __init__(self, logger: _Logger) -> None:
            if not isinstance(logger, _Logger):
                raise MisuseError("a runtime is given a logger")

        def deserialize_cuda_engine(self, data: bytes) -> Engine | None:
            digest, body = data[:32], data[32:]
            if hashlib.sha256(body).digest() != digest:
                return None
            head, model = body.split(b"\n", 1)
            built = json.loads(head)
            if (built["version"], built["capability"]) != (version, card.capability):
                return None  # with a line in its log, which is all that TensorRT says
            return Engine(model, half=built["half"])

    return SimpleNamespace(
        __version__=version,
        Logger=_Logger,
        Builder=Builder,
        OnnxParser=_Parser,
        MemoryPoolType=_MemoryPoolType,
        BuilderFlag=_BuilderFlag,
        TensorIOMode=_TensorIOMode,
        DataType=_DataType,
        Runtime=Runtime,
    )
