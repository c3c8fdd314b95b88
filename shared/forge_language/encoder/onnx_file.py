"""Writes an ONNX model: the few messages of its protocol buffer that the networks here need.

Those of the room's eyes (`forge_edge.vision.conversion`) and the sentence encoder (`forge_language.encoder.quantised`).
Source: onnx.proto of ONNX 1.10 (field numbers below); protocol buffers' wire format.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

OPSET: Final = 13
"""Of the operators, unless a model asks for later ones. TensorRT 10 and every ONNX Runtime on Python 3.11 read it."""
_IR_VERSION: Final = 7  # the file format that came with opset 13
FLOAT: Final = 1
UINT8: Final = 2
"""Element types as ``Cast`` is told them (TensorProto.DataType)."""
_KINDS: Final = {"float32": FLOAT, "uint8": UINT8, "int8": 3, "int64": 7}
_ATTRIBUTE_FLOAT, _ATTRIBUTE_INT, _ATTRIBUTE_STRING, _ATTRIBUTE_INTS = 1, 2, 3, 7
_VARINT, _BYTES, _FIXED32 = 0, 2, 5  # wire types
_MORE: Final = 0x80  # in a byte of a varint: another one follows

Attribute = int | float | str | Sequence[int]
Values = NDArray[np.float32] | NDArray[np.int64] | NDArray[np.int8] | NDArray[np.uint8]
Shape = Sequence[int | str]
"""Sizes; a name stands for one that varies."""


@dataclass(slots=True)
class OnnxModel:
    """A model that grows by nodes and constants, in the order in which they are run."""

    _nodes: list[bytes] = field(default_factory=list)
    _constants: list[bytes] = field(default_factory=list)

    def node(self, operator: str, inputs: Sequence[str], output: str, **attributes: Attribute) -> str:
        """Add a step and return the name of its output."""
        body = b"".join(_text(1, name) for name in inputs) + _text(2, output) + _text(3, output) + _text(4, operator)
        self._nodes.append(body + b"".join(_message(5, _attribute(name, value)) for name, value in attributes.items()))
        return output

    def constant(self, name: str, values: Values) -> str:
        """Add values and return their name."""
        kind = _KINDS[values.dtype.name]
        dimensions = b"".join(_number(1, size) for size in values.shape)
        raw = np.ascontiguousarray(values).astype(values.dtype.newbyteorder("<"), copy=False).tobytes()
        self._constants.append(dimensions + _number(2, kind) + _text(8, name) + _message(9, raw))
        return name

    def file(
        self,
        inputs: Mapping[str, Shape],
        outputs: Mapping[str, Shape],
        *,
        opset: int = OPSET,
        kind: Literal["float32", "int64"] = "float32",
    ) -> bytes:
        """Return the model's file.

        Args:
            inputs: Their shapes, by name; ``kind`` is their element type.
            outputs: Their shapes, by name; float32.
            opset: Of the operators that were used.
            kind: Element type of the inputs.
        """
        graph = b"".join(
            (
                *(_message(1, node) for node in self._nodes),
                _text(2, "network"),
                *(_message(5, constant) for constant in self._constants),
                *(_message(11, _tensor(name, shape, _KINDS[kind])) for name, shape in inputs.items()),
                *(_message(12, _tensor(name, shape, FLOAT)) for name, shape in outputs.items()),
            )
        )
        return _number(1, _IR_VERSION) + _message(7, graph) + _message(8, _number(2, opset))


def _attribute(name: str, value: Attribute) -> bytes:
    head = _text(1, name)
    if isinstance(value, str):
        return head + _text(4, value) + _number(20, _ATTRIBUTE_STRING)
    if isinstance(value, float):
        return head + _key(2, _FIXED32) + struct.pack("<f", value) + _number(20, _ATTRIBUTE_FLOAT)
    if isinstance(value, int):
        return head + _number(3, value) + _number(20, _ATTRIBUTE_INT)
    return head + b"".join(_number(8, item) for item in value) + _number(20, _ATTRIBUTE_INTS)


def _tensor(name: str, shape: Shape, kind: int) -> bytes:
    sizes = b"".join(_message(1, _text(2, size) if isinstance(size, str) else _number(1, size)) for size in shape)
    return _text(1, name) + _message(2, _message(1, _number(1, kind) + _message(2, sizes)))


def _key(number: int, wire: int) -> bytes:
    return _varint(number << 3 | wire)


def _number(number: int, value: int) -> bytes:
    return _key(number, _VARINT) + _varint(value)


def _text(number: int, value: str) -> bytes:
    return _message(number, value.encode())


def _message(number: int, body: bytes) -> bytes:
    return _key(number, _BYTES) + _varint(len(body)) + body


def _varint(value: int) -> bytes:
    """Encode a number of at least 0: seven bits a byte, the lowest first."""
    encoded = bytearray()
    while value >= _MORE:
        encoded.append(value & (_MORE - 1) | _MORE)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
