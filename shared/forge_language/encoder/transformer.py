"""The forward pass of a small BERT in numpy, from the numbers of word pieces to one vector a piece.

The layers, activations and epsilon are those of Devlin et al. 2019 (arXiv 1810.04805) as all-MiniLM-L6-v2 has them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

HEADS: Final = 12
EPSILON: Final = np.float32(1e-12)
LONGEST: Final = 96
"""Word pieces of one text; a spoken sentence has some 20, and the cost grows with it."""
_BLOCK: Final = 1 << 14
"""Numbers that are worked on at once: 64 KiB, of which a core's second cache holds several."""

MATRICES: Final = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "mix": "attention.output.dense",
    "widen": "intermediate.dense",
    "narrow": "output.dense",
}
"""The matrices of a layer, by their short names, and where the weights' file keeps them."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer's weights; a matrix maps columns of its input to columns of its output.

    Attributes:
        matrices: By short name, shape ``(inputs, outputs)``.
        biases: By short name, shape ``(outputs,)``.
        attended_scale, attended_shift: Of the normalisation after attention, shape ``(width,)``.
        out_scale, out_shift: Of the normalisation at the layer's end, shape ``(width,)``.
    """

    matrices: Mapping[str, Array]
    biases: Mapping[str, Array]
    attended_scale: Array
    attended_shift: Array
    out_scale: Array
    out_shift: Array


@dataclass(frozen=True, slots=True)
class Transformer:
    """The weights of the encoder.

    Attributes:
        words: One row a word piece, shape ``(pieces, width)``.
        places: One row a place, shape ``(places, width)``, the row of the only segment added.
        scale, shift: Of the normalisation of the two, shape ``(width,)``.
        layers: From the lowest to the highest.
    """

    words: Array
    places: Array
    scale: Array
    shift: Array
    layers: tuple[Layer, ...]

    def embedded(self, numbers: Sequence[int]) -> Array:
        """Return what enters the lowest layer, shape ``(n, width)``.

        Args:
            numbers: Of word pieces, 1 to ``LONGEST``.
        """
        return normalised(self.words[list(numbers)] + self.places[: len(numbers)], self.scale, self.shift)

    def states(self, numbers: Sequence[int]) -> Array:
        """Return what leaves the highest layer, shape ``(n, width)``.

        Args:
            numbers: Of word pieces, 1 to ``LONGEST``.
        """
        state = self.embedded(numbers)
        for layer in self.layers:
            state = forward(state, layer)
        return state


def transformer(tensors: Mapping[str, Array]) -> Transformer:
    """Return the encoder whose weights a file of Hugging Face's ``BertModel`` holds.

    Raises:
        KeyError: One is missing.
    """
    layers: list[Layer] = []
    while (prefix := f"encoder.layer.{len(layers)}.") + "output.LayerNorm.weight" in tensors:
        layers.append(
            Layer(
                {short: np.ascontiguousarray(tensors[f"{prefix}{name}.weight"].T) for short, name in MATRICES.items()},
                {short: tensors[f"{prefix}{name}.bias"] for short, name in MATRICES.items()},
                tensors[f"{prefix}attention.output.LayerNorm.weight"],
                tensors[f"{prefix}attention.output.LayerNorm.bias"],
                tensors[f"{prefix}output.LayerNorm.weight"],
                tensors[f"{prefix}output.LayerNorm.bias"],
            )
        )
    places = tensors["embeddings.position_embeddings.weight"] + tensors["embeddings.token_type_embeddings.weight"][0]
    return Transformer(
        tensors["embeddings.word_embeddings.weight"],
        places,
        tensors["embeddings.LayerNorm.weight"],
        tensors["embeddings.LayerNorm.bias"],
        tuple(layers),
    )


def forward(state: Array, layer: Layer) -> Array:
    """Return what one layer makes of the states of one text or of several of one length, as they came.

    Args:
        state: Shape ``(n, width)`` or ``(texts, n, width)``; each text is computed as it would be alone.
        layer: The layer.
    """
    matrices, biases = layer.matrices, layer.biases
    query, key, value = (_in_heads(state @ matrices[name] + biases[name]) for name in ("query", "key", "value"))
    weights = softmax(query @ key.swapaxes(-1, -2) / np.float32(np.sqrt(query.shape[-1])))
    attended: Array = (weights @ value).swapaxes(-3, -2).reshape(state.shape)
    attended = normalised(
        attended @ matrices["mix"] + biases["mix"] + state, layer.attended_scale, layer.attended_shift
    )
    wide = gelu(attended @ matrices["widen"] + biases["widen"])
    return normalised(wide @ matrices["narrow"] + biases["narrow"] + attended, layer.out_scale, layer.out_shift)


def _in_heads(state: Array) -> Array:
    """Return shape ``(..., heads, n, width / heads)``."""
    heads: Array = state.reshape(*state.shape[:-1], HEADS, -1).swapaxes(-3, -2)
    return heads


def normalised(values: Array, scale: Array, shift: Array) -> Array:
    """Return each row with mean 0 and variance 1, then scaled and shifted."""
    centred = values - values.mean(axis=-1, keepdims=True)
    variance = np.square(centred).mean(axis=-1, keepdims=True)
    plain: Array = centred / np.sqrt(variance + EPSILON)
    return plain * scale + shift


def softmax(values: Array) -> Array:
    """Return each row as shares of 1."""
    risen = np.exp(values - values.max(axis=-1, keepdims=True))
    shares: Array = risen / risen.sum(axis=-1, keepdims=True)
    return shares


def gelu(values: Array) -> Array:
    """Return the Gaussian error linear unit; in blocks that stay in the processor's cache, which halves its time."""
    flat = values.reshape(-1)
    found = np.empty_like(flat)
    for start in range(0, flat.size, _BLOCK):
        block = flat[start : start + _BLOCK]
        np.multiply(block, normal_share(block), out=found[start : start + _BLOCK])
    return found.reshape(values.shape)


def normal_share(values: Array) -> Array:
    """Return the share of a standard normal distribution below each value, to about 1e-7.

    Source: Abramowitz and Stegun, Handbook of Mathematical Functions (1964), 7.1.26.
    """
    share = np.abs(values)
    share *= np.float32(np.sqrt(0.5))
    t = share * np.float32(0.3275911)
    t += 1
    np.reciprocal(t, out=t)
    polynomial = t * np.float32(1.061405429)
    polynomial -= np.float32(1.453152027)
    for coefficient in (1.421413741, -0.284496736, 0.254829592):
        polynomial *= t
        polynomial += np.float32(coefficient)
    polynomial *= t
    np.multiply(share, share, out=share)
    np.negative(share, out=share)
    np.exp(share, out=share)
    share *= polynomial
    share *= np.float32(0.5)
    np.subtract(1, share, out=share, where=values >= 0)
    return share
