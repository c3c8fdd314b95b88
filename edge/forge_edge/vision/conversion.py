"""Turns a TensorFlow Lite network into an ONNX one, in memory, with only the outputs that are asked for.

ONNX Runtime and TensorRT read ONNX; the pose networks are published as TensorFlow Lite. What is not needed for the
outputs that are asked for is left out: of BlazePose's landmark network that is the picture of the body, a third of
its work. Channels are moved to where ONNX has them (batch, channel, y, x); inputs and outputs keep their axes.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forge_edge.errors import InferenceError
from forge_edge.vision.tflite import Graph, Operator, read
from forge_language.encoder.onnx_file import OnnxModel

_TFLITE: Final = b"TFL3"  # file_identifier of the schema, after the four bytes of the root's place
_CHANNELS_FIRST: Final = (0, 3, 1, 2)
_CHANNELS_LAST: Final = (0, 2, 3, 1)
_PICTURE_AXES: Final = 4
_SAME: Final = 0  # Padding of the schema; 1 is VALID
_NOTHING, _RELU6 = 0, 3  # ActivationFunctionType of the schema


def as_onnx(data: bytes, wanted: Mapping[str, int]) -> bytes:
    """Return a network as ONNX: converted, or as it is where a release brings it so.

    Args:
        data: A TensorFlow Lite file, or an ONNX file whose input and outputs have our names.
        wanted: As in `to_onnx`.

    Raises:
        InferenceError: As `to_onnx`.
    """
    return to_onnx(data, wanted) if data[4:8] == _TFLITE else data


def to_onnx(data: bytes, wanted: Mapping[str, int]) -> bytes:
    """Return a network as ONNX.

    Args:
        data: The TensorFlow Lite file.
        wanted: Names for its outputs that are asked for, and which they are, counted from 0. The input is ``input``.

    Raises:
        InferenceError: The file cannot be read, or uses what is not converted here.
    """
    graph = read(data)
    try:
        return _Conversion(graph).file({name: graph.outputs[number] for name, number in wanted.items()})
    except (IndexError, KeyError, ValueError) as error:
        raise InferenceError("a network cannot be converted: it does what is not known here") from error


def _needed(graph: Graph, wanted: set[int]) -> Iterator[Operator]:
    """Yield, last first, the steps without which a wanted tensor is not made."""
    wanted = set(wanted)
    for operator in reversed(graph.operators):
        if wanted.intersection(operator.outputs):
            wanted.update(operator.inputs)
            yield operator


class _Conversion:
    def __init__(self, graph: Graph) -> None:
        self._graph, self._model = graph, OnnxModel()
        # A tensor that is another one with a border of zeros: its source and the border as ONNX has it.
        self._padded: dict[int, tuple[int, tuple[int, ...]]] = {}
        self._rules = {
            "ADD": self._add,
            "CONCATENATION": self._concatenate,
            "CONV_2D": self._convolve,
            "DEPTHWISE_CONV_2D": self._convolve,
            "DEPTH_TO_SPACE": self._depth_to_space,
            "LOGISTIC": self._logistic,
            "MAX_POOL_2D": self._max_pool,
            "PAD": self._pad,
            "RESHAPE": self._reshape,
            "RESIZE_BILINEAR": self._resize,
        }

    def file(self, wanted: Mapping[str, int]) -> bytes:
        (source,) = self._graph.inputs
        self._model.node("Transpose", ["input"], _name(source), perm=_CHANNELS_FIRST)
        for operator in reversed(list(_needed(self._graph, set(wanted.values())))):
            self._rules[operator.kind](operator)
        for name, number in wanted.items():
            if len(self._graph.shapes[number]) == _PICTURE_AXES:
                self._model.node("Transpose", [_name(number)], name, perm=_CHANNELS_LAST)
            else:
                self._model.node("Identity", [_name(number)], name)
        shapes = self._graph.shapes
        return self._model.file({"input": shapes[source]}, {name: shapes[number] for name, number in wanted.items()})

    def _floats(self, number: int) -> NDArray[np.float32]:
        value = self._graph.constants[number]
        if value.dtype != np.float32:
            raise ValueError("weights that are not of floating point")
        return value.astype(np.float32, copy=False)

    def _integers(self, number: int) -> NDArray[np.int64]:
        return self._graph.constants[number].astype(np.int64)

    def _finish(
        self, operator: Operator, kind: str, inputs: Sequence[str], **attributes: int | str | Sequence[int]
    ) -> None:
        """Add a step that ends with its activation function."""
        output, activation = _name(operator.outputs[0]), operator.options.get("activation", _NOTHING)
        if activation not in (_NOTHING, _RELU6):
            raise ValueError("an activation that is not converted")
        if activation == _NOTHING:
            self._model.node(kind, inputs, output, **attributes)
            return
        before = self._model.node(kind, inputs, f"{output}_linear", **attributes)
        limits = [self._model.constant(f"{output}_{limit}", np.array(limit, np.float32)) for limit in (0, 6)]
        self._model.node("Clip", [before, *limits], output)

    def _add(self, operator: Operator) -> None:
        self._finish(operator, "Add", [_name(number) for number in operator.inputs])

    def _concatenate(self, operator: Operator) -> None:
        if len(self._graph.shapes[operator.outputs[0]]) == _PICTURE_AXES:
            raise ValueError("pictures are not joined here")
        names = [_name(number) for number in operator.inputs]
        self._finish(operator, "Concat", names, axis=operator.options["axis"])

    def _convolve(self, operator: Operator) -> None:
        options, (source, kernel, bias) = operator.options, operator.inputs
        if operator.kind == "CONV_2D":  # out, y, x, in
            weights, groups = self._floats(kernel).transpose(_CHANNELS_FIRST), 1
        else:  # 1, y, x, channel: one filter for each channel
            weights, groups = self._floats(kernel).transpose(3, 0, 1, 2), self._graph.shapes[kernel][3]
        if operator.kind == "DEPTHWISE_CONV_2D" and options["multiplier"] != 1:
            raise ValueError("several filters for one channel")
        strides, dilations = (options["stride_y"], options["stride_x"]), (options["dilation_y"], options["dilation_x"])
        pads = self._border(source, weights.shape[2:], strides, dilations, options["padding"])
        if source in self._padded:
            if any(pads):
                raise ValueError("a border around a border")
            source, pads = self._padded[source]
        output = _name(operator.outputs[0])
        inputs = [
            _name(source),
            self._model.constant(f"{output}_weights", np.ascontiguousarray(weights)),
            self._model.constant(f"{output}_bias", self._floats(bias)),
        ]
        shape = weights.shape[2:]
        more = {"kernel_shape": shape, "strides": strides, "dilations": dilations, "pads": pads}
        self._finish(operator, "Conv", inputs, group=groups, **more)

    def _border(
        self, source: int, kernel: Sequence[int], strides: Sequence[int], dilations: Sequence[int], padding: int
    ) -> tuple[int, ...]:
        """Return TensorFlow's SAME border: top, left, bottom, right; where it is odd the far side has more."""
        if padding != _SAME:
            return (0, 0, 0, 0)
        sizes = self._graph.shapes[source][1:3]
        totals = [
            max((-(-size // stride) - 1) * stride + (width - 1) * dilation + 1 - size, 0)
            for size, width, stride, dilation in zip(sizes, kernel, strides, dilations, strict=True)
        ]
        near = [total // 2 for total in totals]
        return (*near, *(total - half for total, half in zip(totals, near, strict=True)))

    def _pad(self, operator: Operator) -> None:
        before_after = self._integers(operator.inputs[1])
        if before_after[[0, 3]].any():
            raise ValueError("a border around batches or channels")
        (top, bottom), (left, right) = before_after[1].tolist(), before_after[2].tolist()
        self._padded[operator.outputs[0]] = operator.inputs[0], (top, left, bottom, right)

    def _depth_to_space(self, operator: Operator) -> None:
        self._finish(
            operator, "DepthToSpace", [_name(operator.inputs[0])], blocksize=operator.options["block"], mode="DCR"
        )

    def _logistic(self, operator: Operator) -> None:
        self._finish(operator, "Sigmoid", [_name(operator.inputs[0])])

    def _max_pool(self, operator: Operator) -> None:
        options = operator.options
        kernel, strides = (options["height"], options["width"]), (options["stride_y"], options["stride_x"])
        pads = self._border(operator.inputs[0], kernel, strides, (1, 1), options["padding"])
        self._finish(operator, "MaxPool", [_name(operator.inputs[0])], kernel_shape=kernel, strides=strides, pads=pads)

    def _reshape(self, operator: Operator) -> None:
        source, output = operator.inputs[0], operator.outputs[0]
        shape, name = self._graph.shapes[output], _name(source)
        if len(shape) == _PICTURE_AXES:
            raise ValueError("a picture made of what is none")
        if len(self._graph.shapes[source]) == _PICTURE_AXES:
            name = self._model.node("Transpose", [name], f"{_name(output)}_last", perm=_CHANNELS_LAST)
        wanted = self._model.constant(f"{_name(output)}_shape", np.array(shape, np.int64))
        self._finish(operator, "Reshape", [name, wanted])

    def _resize(self, operator: Operator) -> None:
        if operator.options["align_corners"] or not operator.options["half_pixel"]:
            raise ValueError("a way to enlarge that is not converted")
        batch, height, width, channels = self._graph.shapes[operator.outputs[0]]
        output = _name(operator.outputs[0])
        sizes = self._model.constant(f"{output}_sizes", np.array((batch, channels, height, width), np.int64))
        inputs = [_name(operator.inputs[0]), "", "", sizes]  # region and scales are left out
        self._finish(operator, "Resize", inputs, mode="linear", coordinate_transformation_mode="half_pixel")


def _name(number: int) -> str:
    return f"t{number}"
