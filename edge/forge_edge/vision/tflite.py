"""Reads a TensorFlow Lite model: its graph, its tensors and its weights as plain float32 arrays.

A model is one FlatBuffer. Only what the pose networks use is read; anything else is refused by name. No package for
this is needed at run time: a FlatBuffer's tables are offsets, and eight of them describe a graph.

Source: schema.fbs of TensorFlow Lite, version 3 (field numbers below), and the FlatBuffers internals.
"""

import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from forge_edge.errors import InferenceError

Weights = NDArray[np.float32]
Kind = Literal[
    "ADD",
    "CONCATENATION",
    "CONV_2D",
    "DENSIFY",
    "DEPTHWISE_CONV_2D",
    "DEPTH_TO_SPACE",
    "DEQUANTIZE",
    "LOGISTIC",
    "MAX_POOL_2D",
    "PAD",
    "RESHAPE",
    "RESIZE_BILINEAR",
]

# BuiltinOperator of the schema.
_KINDS: Final[Mapping[int, Kind]] = {
    0: "ADD",
    2: "CONCATENATION",
    3: "CONV_2D",
    4: "DEPTHWISE_CONV_2D",
    5: "DEPTH_TO_SPACE",
    6: "DEQUANTIZE",
    14: "LOGISTIC",
    17: "MAX_POOL_2D",
    22: "RESHAPE",
    23: "RESIZE_BILINEAR",
    34: "PAD",
    124: "DENSIFY",
}
# Options of an operator: name, field number, struct format and default, as in the schema.
_OPTIONS: Final[Mapping[Kind, tuple[tuple[str, int, str, int], ...]]] = {
    "ADD": (("activation", 0, "b", 0),),
    "CONCATENATION": (("axis", 0, "i", 0), ("activation", 1, "b", 0)),
    "CONV_2D": (
        ("padding", 0, "b", 0),
        ("stride_x", 1, "i", 0),
        ("stride_y", 2, "i", 0),
        ("activation", 3, "b", 0),
        ("dilation_x", 4, "i", 1),
        ("dilation_y", 5, "i", 1),
    ),
    "DEPTHWISE_CONV_2D": (
        ("padding", 0, "b", 0),
        ("stride_x", 1, "i", 0),
        ("stride_y", 2, "i", 0),
        ("multiplier", 3, "i", 0),
        ("activation", 4, "b", 0),
        ("dilation_x", 5, "i", 1),
        ("dilation_y", 6, "i", 1),
    ),
    "DEPTH_TO_SPACE": (("block", 0, "i", 0),),
    "MAX_POOL_2D": (
        ("padding", 0, "b", 0),
        ("stride_x", 1, "i", 0),
        ("stride_y", 2, "i", 0),
        ("width", 3, "i", 0),
        ("height", 4, "i", 0),
        ("activation", 5, "b", 0),
    ),
    "RESIZE_BILINEAR": (("align_corners", 2, "?", 0), ("half_pixel", 3, "?", 0)),
}
_TYPES: Final[Mapping[int, type[np.generic]]] = {0: np.float32, 1: np.float16, 2: np.int32}
_LARGEST: Final = 1 << 24  # values of a tensor; ours: ten times the largest of the pose networks
# SparseIndexVector of the schema: how the numbers of a sparse dimension are stored.
_INDEX_TYPES: Final[Mapping[int, type[np.generic]]] = {1: np.int32, 2: np.uint16, 3: np.uint8}


@dataclass(frozen=True, slots=True)
class Operator:
    """One step of a graph; inputs and outputs are numbers of tensors, -1 is an input left out."""

    kind: Kind
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Graph:
    """A network.

    Attributes:
        shapes: Of every tensor, by number; axes are batch, y, x, channel where there are four.
        constants: Values of those tensors that have some: float32 and dense, whatever the file keeps, or int32.
        operators: In an order in which they can be run; without those that only unpack constants.
        inputs: Numbers of the tensors that are given.
        outputs: Numbers of the tensors that are asked for.
    """

    shapes: Sequence[tuple[int, ...]]
    constants: Mapping[int, NDArray[np.float32] | NDArray[np.int32]]
    operators: Sequence[Operator]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


def read(data: bytes) -> Graph:
    """Return the network that a file holds.

    Raises:
        InferenceError: The file is no such model, or uses what is not read here.
    """
    try:
        return _Reader(data).graph()
    except (struct.error, IndexError, KeyError, ValueError) as error:
        raise InferenceError("a network's file cannot be read: it is damaged or of a kind that is not known") from error


class _Table:
    """One table of a FlatBuffer: fields by number, each of which may be absent."""

    def __init__(self, data: bytes, position: int) -> None:
        self._data, self._at = data, position
        self._vtable = position - self._number("i", position)

    def _number(self, form: str, position: int) -> int:
        return int(struct.unpack_from(f"<{form}", self._data, position)[0])

    def _field(self, number: int) -> int | None:
        place = 4 + 2 * number
        offset = self._number("H", self._vtable + place) if place < self._number("H", self._vtable) else 0
        return self._at + offset if offset else None

    def scalar(self, number: int, form: str, default: int) -> int:
        at = self._field(number)
        return default if at is None else self._number(form, at)

    def table(self, number: int) -> "_Table | None":
        at = self._field(number)
        return None if at is None else _Table(self._data, at + self._number("I", at))

    def tables(self, number: int) -> list["_Table"]:
        start, length = self._vector(number)
        places = (start + 4 * index for index in range(length))
        return [_Table(self._data, place + self._number("I", place)) for place in places]

    def array(self, number: int, kind: type[np.generic]) -> NDArray[np.generic]:
        start, length = self._vector(number)
        return (
            np.frombuffer(self._data, np.dtype(kind).newbyteorder("<"), length, start) if length else np.empty(0, kind)
        )

    def numbers(self, number: int) -> tuple[int, ...]:
        return tuple(int(value) for value in self.array(number, np.int32))

    def _vector(self, number: int) -> tuple[int, int]:
        at = self._field(number)
        if at is None:
            return 0, 0
        start = at + self._number("I", at)
        return start + 4, self._number("I", start)


class _Reader:
    def __init__(self, data: bytes) -> None:
        if data[4:8] != b"TFL3":
            raise ValueError("no TensorFlow Lite model")
        model = _Table(data, struct.unpack_from("<I", data)[0])
        # An operator's code was one byte once; larger ones stand in a second field.
        self._codes = [max(code.scalar(0, "b", 0), code.scalar(3, "i", 0)) for code in model.tables(1)]
        self._buffers = [buffer.array(0, np.uint8) for buffer in model.tables(4)]
        self._main = model.tables(2)[0]

    def graph(self) -> Graph:
        tensors = self._main.tables(0)
        constants = {
            number: value for number, tensor in enumerate(tensors) if (value := self._value(tensor)) is not None
        }
        operators = []
        for table in self._main.tables(3):
            operator = self._operator(table)
            if operator.kind in ("DEQUANTIZE", "DENSIFY"):
                # Weights are kept in half precision or sparse, and unpacked as a step of the graph.
                constants[operator.outputs[0]] = constants[operator.inputs[0]]
            else:
                operators.append(operator)
        return Graph(
            [tensor.numbers(0) for tensor in tensors],
            constants,
            operators,
            self._main.numbers(1),
            self._main.numbers(2),
        )

    def _operator(self, table: _Table) -> Operator:
        kind = _KINDS[self._codes[table.scalar(0, "I", 0)]]
        fields, options = _OPTIONS.get(kind, ()), table.table(4)
        read = {name: options.scalar(number, form, value) if options else value for name, number, form, value in fields}
        return Operator(kind, table.numbers(1), table.numbers(2), read)

    def _value(self, tensor: _Table) -> NDArray[np.float32] | NDArray[np.int32] | None:
        raw = self._buffers[tensor.scalar(2, "I", 0)]
        if not raw.size:
            return None
        kind = _TYPES[tensor.scalar(1, "b", 0)]
        values = np.frombuffer(raw.tobytes(), np.dtype(kind).newbyteorder("<"))
        if kind is np.int32:
            return values.astype(np.int32).reshape(tensor.numbers(0))
        shape, sparsity = tensor.numbers(0), tensor.table(6)
        dense = _dense(values, shape, sparsity) if sparsity else values.reshape(shape)
        return np.ascontiguousarray(dense, np.float32)


def _dense(values: NDArray[np.generic], shape: tuple[int, ...], sparsity: _Table) -> NDArray[np.generic]:
    """Unpack a sparse tensor: its outer dimensions are dense, and the innermost lists where it is not zero.

    Raises:
        ValueError: The tensor is sparse in another way.
    """
    order, blocks, dimensions = sparsity.numbers(0), sparsity.numbers(1), sparsity.tables(2)
    formats = [dimension.scalar(0, "b", 0) for dimension in dimensions]
    if order != tuple(range(len(shape))) or blocks or formats != [0] * (len(shape) - 1) + [1]:
        raise ValueError("a tensor is sparse in a way that is not read")
    innermost = dimensions[-1]
    segments = _indices(innermost, 2)
    columns = _indices(innermost, 4)
    if len(values) != len(columns) or segments[-1] != len(values) or (np.diff(segments) < 0).any():
        raise ValueError("a sparse tensor has more places than values, or fewer")
    if not 0 < (len(segments) - 1) * shape[-1] == math.prod(shape) <= _LARGEST:
        raise ValueError("a sparse tensor is of another size than it says")
    rows = np.repeat(np.arange(len(segments) - 1), np.diff(segments))
    dense = np.zeros((len(segments) - 1, shape[-1]), values.dtype)
    dense[rows, columns] = values
    return dense.reshape(shape)


def _indices(dimension: _Table, number: int) -> NDArray[np.int64]:
    """Return the vector of a sparse dimension: field ``number`` is its storage type, the next one its table."""
    table = dimension.table(number + 1)
    if table is None:
        raise ValueError("a sparse tensor says not where its values are")
    return table.array(0, _INDEX_TYPES[dimension.scalar(number, "B", 0)]).astype(np.int64)
