"""The encoder as an ONNX model that multiplies bytes: faster, smaller, and the same for a text alone and among others.

Each piece's numbers are rounded to bytes with a scale of their own (dynamic quantisation, one scale a row), weights
with one scale a column. Whole numbers are summed exactly, so that nothing depends on what else is in a batch, as it
would with the usual single scale for all of a batch.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forge_language.encoder.onnx_file import FLOAT, UINT8, OnnxModel
from forge_language.encoder.transformer import EPSILON, HEADS, LONGEST, Array, Layer, Transformer

_OPSET: Final = 20
"""The first with the Gaussian error linear unit."""
_SIGNED, _MIDDLE = 127.0, 128.0
"""Steps of a number either way, and the byte that stands for 0."""
_SMALL_WEIGHT: Final = 63
"""Steps of a weight: processors without a dot product of bytes add two products in 16 bits, of 255 and 63 at most."""
_POSITIVE, _LARGE_WEIGHT = 127.0, 127
"""The same where numbers are positive: a bit less for them and one more for the weights, which gain more by it."""
_LOWEST: Final = 0.17
"""The Gaussian error linear unit is never below minus this (its minimum is -0.16997): adding it makes all positive."""
_LEAST: Final = 1e-6
"""Of a scale: a row of zeros must not be divided by 0."""


@dataclass(frozen=True, slots=True)
class _Bytes:
    """A step's numbers as bytes: the names of the bytes, of the scale of each row, and of the byte for 0."""

    numbers: str
    scale: str
    zero: str
    positive: bool


def quantised(of: Transformer, depths: Sequence[int]) -> bytes:
    """Return an ONNX model of the encoder, the same bytes on every machine.

    Its input ``pieces`` is int64 ``(texts, pieces)``, numbers of word pieces of texts of one length. Its outputs
    ``states_D`` are float32 ``(texts, pieces, width)``: what leaves layer D, for each of ``depths``.

    Args:
        of: The weights.
        depths: Rising numbers of layers, 0 for what enters the lowest; those above the last are left out.
    """
    drawing = _Drawing(len(of.scale))
    state = drawing.entering(of)
    for depth, layer in enumerate(of.layers[: depths[-1]], start=1):
        state = drawing.layer(state, layer, depth)
    return drawing.file({f"states_{depth}": len(of.scale) for depth in depths})


def quantised_with_output(of: Transformer, weight: Array, bias: Array) -> bytes:
    """Return the same of all layers with one output: ``said``, float32 ``(texts, pieces, outputs)``.

    The mean over a text's pieces is what is said of the text.

    Args:
        of: The weights.
        weight: Shape ``(width, outputs)``, of each piece's state.
        bias: Shape ``(outputs,)``.
    """
    drawing = _Drawing(len(of.scale))
    state = drawing.entering(of)
    for depth, layer in enumerate(of.layers, start=1):
        state = drawing.layer(state, layer, depth)
    drawing.linear(state, weight, bias, "said")
    return drawing.file({"said": len(bias)})


@dataclass(slots=True)
class _Drawing:
    """The model as far as it is drawn."""

    width: int
    model: OnnxModel = field(default_factory=OnnxModel)
    _count: int = 0
    _kept: dict[str, str] = field(default_factory=dict)

    def entering(self, of: Transformer) -> str:
        scale = (np.abs(of.words).max(axis=1, keepdims=True) / np.float32(_SIGNED)).astype(np.float32)
        scale = np.maximum(scale, np.float32(_LEAST))
        words = self._add("Gather", self._constant(np.round(of.words / scale).astype(np.int8)), "pieces")
        words = self._mul(self._cast(words, FLOAT), self._add("Gather", self._constant(scale), "pieces"))
        sizes = self._add("Shape", "pieces")
        count = self._add("Slice", sizes, self._whole(1), self._whole(2))
        places = self._add("Slice", self._constant(of.places[:LONGEST]), self._whole(0), count)
        return self._normalised(self._add("Add", words, places), of.scale, of.shift, "states_0")

    def layer(self, state: str, layer: Layer, depth: int) -> str:
        matrices, biases = layer.matrices, layer.biases
        small = np.float32(1 / np.sqrt(self.width // HEADS))
        read = self._signed(state)
        query = self._product(read, matrices["query"] * small, biases["query"] * small)
        key, value = (self._product(read, matrices[each], biases[each]) for each in ("key", "value"))
        scores = self._add("MatMul", self._in_heads(query, (0, 2, 1, 3)), self._in_heads(key, (0, 2, 3, 1)))
        mixed = self._add("MatMul", self._add("Softmax", scores), self._in_heads(value, (0, 2, 1, 3)))
        mixed = self._add("Transpose", mixed, perm=(0, 2, 1, 3))
        mixed = self._add("Reshape", mixed, self._whole(0, 0, self.width))
        attended = self._add("Add", self._product(self._signed(mixed), matrices["mix"], biases["mix"]), state)
        attended = self._normalised(attended, layer.attended_scale, layer.attended_shift)
        wide = self._add("Gelu", self._product(self._signed(attended), matrices["widen"], biases["widen"]))
        narrow = self._product(self._raised(wide), matrices["narrow"], biases["narrow"])
        return self._normalised(self._add("Add", narrow, attended), layer.out_scale, layer.out_shift, f"states_{depth}")

    def linear(self, state: str, weight: Array, bias: Array, name: str) -> None:
        whole = self._add("MatMul", state, self._constant(weight.astype(np.float32)))
        self.model.node("Add", [whole, self._constant(bias.astype(np.float32))], name)

    def file(self, widths: Mapping[str, int]) -> bytes:
        outputs = {name: ("texts", "pieces", width) for name, width in widths.items()}
        return self.model.file({"pieces": ("texts", "pieces")}, outputs, opset=_OPSET, kind="int64")

    def _signed(self, values: str) -> _Bytes:
        highest = self._add("ReduceMax", self._add("Abs", values), self._whole(-1), keepdims=1)
        scale = self._mul(self._add("Max", highest, self._number(_LEAST)), self._number(1 / _SIGNED))
        steps = self._add("Add", self._add("Round", self._add("Div", values, scale)), self._number(_MIDDLE))
        return _Bytes(self._cast(steps, UINT8), scale, self._byte(int(_MIDDLE)), positive=False)

    def _raised(self, values: str) -> _Bytes:
        raised = self._add("Add", values, self._number(_LOWEST))
        highest = self._add("ReduceMax", raised, self._whole(-1), keepdims=1)
        scale = self._mul(self._add("Max", highest, self._number(_LEAST)), self._number(1 / _POSITIVE))
        steps = self._add("Round", self._add("Div", raised, scale))
        return _Bytes(self._cast(steps, UINT8), scale, self._byte(0), positive=True)

    def _product(self, read: _Bytes, matrix: Array, bias: Array) -> str:
        steps = _LARGE_WEIGHT if read.positive else _SMALL_WEIGHT
        scale = (np.abs(matrix).max(axis=0) / np.float32(steps)).astype(np.float32)
        weights = np.round(matrix / scale).astype(np.int8)
        if read.positive:  # what was added to every number, times the weights, is taken away again
            bias = bias - np.float32(_LOWEST) * weights.sum(axis=0, dtype=np.int64).astype(np.float32) * scale
        whole = self._add("MatMulInteger", read.numbers, self._constant(weights), read.zero)
        sized = self._mul(self._mul(self._cast(whole, FLOAT), read.scale), self._constant(scale))
        return self._add("Add", sized, self._constant(bias.astype(np.float32)))

    def _in_heads(self, values: str, order: tuple[int, ...]) -> str:
        split = self._add("Reshape", values, self._whole(0, 0, HEADS, self.width // HEADS))
        return self._add("Transpose", split, perm=order)

    def _normalised(self, values: str, scale: Array, shift: Array, name: str | None = None) -> str:
        inputs = [values, self._constant(scale), self._constant(shift)]
        return self.model.node("LayerNormalization", inputs, name or self._next(), epsilon=float(EPSILON))

    def _mul(self, one: str, other: str) -> str:
        return self._add("Mul", one, other)

    def _cast(self, values: str, kind: int) -> str:
        return self._add("Cast", values, to=kind)

    def _add(self, operator: str, *inputs: str, **attributes: int | Sequence[int]) -> str:
        return self.model.node(operator, inputs, self._next(), **attributes)

    def _constant(self, values: NDArray[np.int8] | Array) -> str:
        return self.model.constant(self._next(), values)

    def _number(self, value: float) -> str:
        return self._once(f"number {value}", np.array(value, np.float32))

    def _byte(self, value: int) -> str:
        return self._once(f"byte {value}", np.array(value, np.uint8))

    def _whole(self, *values: int) -> str:
        return self._once(f"whole {values}", np.array(values, np.int64))

    def _once(self, key: str, values: NDArray[np.float32] | NDArray[np.uint8] | NDArray[np.int64]) -> str:
        if key not in self._kept:
            self._kept[key] = self.model.constant(self._next(), values)
        return self._kept[key]

    def _next(self) -> str:
        self._count += 1
        return f"v{self._count}"
