"""The upper layers of the encoder with a trainable change, and the gradients of that change, in numpy.

All texts of a batch have the same number of word pieces, so that nothing is padded or masked. The encoder's own
matrices stay as they are; what is learned is a product of two thin matrices beside each (Hu et al. 2021, arXiv
2106.09685), the biases, the norms and one layer of weights on the mean of the states.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forge_language.encoder.transformer import EPSILON, HEADS, MATRICES, Layer, normal_share, softmax

Array = NDArray[np.float32]

OUTPUTS: Final = 15
"""Four priorities, no danger, ten dangers."""
POOLED_SCALE: Final = np.float32(4)
"""Brings the mean state to about the size at which the learning rate of its weights fits the other rates."""
_FIRST_DECAY, _SECOND_DECAY, _TINY = 0.9, 0.98, 1e-8
"""Of Adam (Kingma and Ba 2015, arXiv 1412.6980), the second as for transformers (Vaswani et al. 2017)."""


@dataclass(slots=True)
class _Pass:
    """What the way back needs of one layer's way forward."""

    entered: Array
    kept: Array | None
    query: Array
    key: Array
    value: Array
    weights: Array
    mixed: Array
    attended: Array
    attended_norm: tuple[Array, Array]
    before: Array
    share: Array
    wide: Array
    out_norm: tuple[Array, Array]


@dataclass(slots=True)
class Network:
    """Upper layers with their change.

    Attributes:
        layers: As the encoder has them.
        numbers: What is learned, by name, as `forge_language.danger.resemblance.read` reads it.
    """

    layers: Sequence[Layer]
    numbers: dict[str, Array]
    _first: dict[str, Array] = field(default_factory=dict)
    _second: dict[str, Array] = field(default_factory=dict)
    _steps: int = 0
    _matrices: list[dict[str, Array]] = field(default_factory=list)
    _passes: list[_Pass] = field(default_factory=list)

    @classmethod
    def untrained(cls, layers: Sequence[Layer], rank: int, chance: np.random.Generator) -> "Network":
        """Return a network that changes nothing yet."""
        width = len(layers[0].out_scale)
        numbers: dict[str, Array] = {}
        for place, layer in enumerate(layers):
            for name in MATRICES:
                inputs, outputs = layer.matrices[name].shape
                down = chance.standard_normal((inputs, rank)) / np.sqrt(inputs)
                numbers[f"{place}.{name}.down"] = down.astype(np.float32)
                numbers[f"{place}.{name}.up"] = np.zeros((rank, outputs), np.float32)
                numbers[f"{place}.{name}.bias"] = np.zeros(outputs, np.float32)
            for norm in ("attended_scale", "attended_shift", "out_scale", "out_shift"):
                numbers[f"{place}.{norm}"] = np.zeros(width, np.float32)
        numbers["weights"] = np.zeros((width, OUTPUTS), np.float32)
        numbers["biases"] = np.zeros(OUTPUTS, np.float32)
        return cls(layers, numbers)

    def forward(self, states: Array, chance: np.random.Generator | None = None, dropped: float = 0.0) -> Array:
        """Return the scores of a batch, shape ``(n, 15)``.

        Args:
            states: What leaves the encoder's lower layers, shape ``(n, pieces, width)``.
            chance: Draws what is left out; None leaves nothing out.
            dropped: Share of the numbers entering each layer that is left out, twice that of the mean state.
        """
        self._matrices = [
            {
                name: layer.matrices[name] + self.numbers[f"{place}.{name}.down"] @ self.numbers[f"{place}.{name}.up"]
                for name in MATRICES
            }
            for place, layer in enumerate(self.layers)
        ]
        self._passes = []
        for place in range(len(self.layers)):
            states = self._layer(place, states, _mask(states.shape, dropped, chance))
        pooled = states.mean(axis=1) * POOLED_SCALE
        self._pooled_mask = _mask(pooled.shape, 2 * dropped, chance)
        self._pooled = pooled if self._pooled_mask is None else pooled * self._pooled_mask
        self._shape = states.shape
        scores: Array = self._pooled @ self.numbers["weights"] + self.numbers["biases"]
        return scores

    _pooled: Array = field(init=False)
    _pooled_mask: Array | None = field(init=False)
    _shape: tuple[int, ...] = field(init=False)

    def _layer(self, place: int, states: Array, mask: Array | None) -> Array:
        batch, pieces, width = states.shape
        entered = (states if mask is None else states * mask).reshape(-1, width)
        query, key, value = (
            _heads(self._linear(place, name, entered), batch, pieces) for name in ("query", "key", "value")
        )
        weights = softmax(query @ key.transpose(0, 1, 3, 2) / np.float32(np.sqrt(width // HEADS)))
        mixed = _rows(weights @ value)
        attended, attended_norm = self._norm(place, "attended", self._linear(place, "mix", mixed) + entered)
        before = self._linear(place, "widen", attended)
        share = normal_share(before)
        wide = before * share
        out, out_norm = self._norm(place, "out", self._linear(place, "narrow", wide) + attended)
        self._passes.append(
            _Pass(
                entered, mask, query, key, value, weights, mixed, attended, attended_norm, before, share, wide, out_norm
            )
        )
        return out.reshape(batch, pieces, width)

    def _linear(self, place: int, name: str, values: Array) -> Array:
        bias = self.layers[place].biases[name] + self.numbers[f"{place}.{name}.bias"]
        return values @ self._matrices[place][name] + bias

    def _scale(self, place: int, norm: str) -> Array:
        own: Array = getattr(self.layers[place], f"{norm}_scale")
        return own + self.numbers[f"{place}.{norm}_scale"]

    def _norm(self, place: int, norm: str, values: Array) -> tuple[Array, tuple[Array, Array]]:
        centred = values - values.mean(axis=-1, keepdims=True)
        inverse: Array = 1 / np.sqrt(np.square(centred).mean(axis=-1, keepdims=True) + EPSILON)
        plain = centred * inverse
        shift: Array = getattr(self.layers[place], f"{norm}_shift") + self.numbers[f"{place}.{norm}_shift"]
        return plain * self._scale(place, norm) + shift, (plain, inverse)

    def backward(self, slopes: Array) -> dict[str, Array]:
        """Return the gradient of everything that is learned, after a way forward.

        Args:
            slopes: Of the loss by the scores, shape ``(n, 15)``.
        """
        batch, pieces, width = self._shape
        found: dict[str, Array] = {"weights": self._pooled.T @ slopes, "biases": _sum(slopes)}
        back = slopes @ self.numbers["weights"].T
        if self._pooled_mask is not None:
            back = back * self._pooled_mask
        states = np.repeat((back * (POOLED_SCALE / np.float32(pieces)))[:, None], pieces, axis=1)
        for place in reversed(range(len(self.layers))):
            states = self._layer_back(place, states.reshape(-1, width), found).reshape(batch, pieces, width)
        return found

    def _layer_back(self, place: int, back: Array, found: dict[str, Array]) -> Array:
        went = self._passes[place]
        batch, pieces, _ = self._shape
        back = self._norm_back(place, "out", back, went.out_norm, found)
        wide = self._linear_back(place, "narrow", went.wide, back, found)
        # The slope of the activation: its share plus the value times the normal density.
        density = np.exp(np.float32(-0.5) * np.square(went.before)) * np.float32(1 / np.sqrt(2 * np.pi))
        back = back + self._linear_back(
            place, "widen", went.attended, wide * (went.share + went.before * density), found
        )
        back = self._norm_back(place, "attended", back, went.attended_norm, found)
        mixed = _heads(self._linear_back(place, "mix", went.mixed, back, found), batch, pieces)
        weights: Array = mixed @ went.value.transpose(0, 1, 3, 2)
        raw: Array = went.weights * (weights - (weights * went.weights).sum(axis=-1, keepdims=True))
        raw = _plain(raw / np.float32(np.sqrt(went.query.shape[-1])))
        parts = {
            "query": raw @ went.key,
            "key": raw.transpose(0, 1, 3, 2) @ went.query,
            "value": went.weights.transpose(0, 1, 3, 2) @ mixed,
        }
        for name, part in parts.items():
            back = back + self._linear_back(place, name, went.entered, _rows(part), found)
        return back if went.kept is None else back * went.kept.reshape(back.shape)

    def _linear_back(self, place: int, name: str, entered: Array, back: Array, found: dict[str, Array]) -> Array:
        at = f"{place}.{name}"
        found[f"{at}.down"] = _plain(entered.T @ (back @ self.numbers[f"{at}.up"].T))
        found[f"{at}.up"] = _plain((entered @ self.numbers[f"{at}.down"]).T @ back)
        found[f"{at}.bias"] = _sum(back)
        return back @ self._matrices[place][name].T

    def _norm_back(
        self, place: int, norm: str, back: Array, went: tuple[Array, Array], found: dict[str, Array]
    ) -> Array:
        plain, inverse = went
        found[f"{place}.{norm}_scale"] = _sum(back * plain)
        found[f"{place}.{norm}_shift"] = _sum(back)
        back = back * self._scale(place, norm)
        mean = back.mean(axis=-1, keepdims=True)
        return _plain(inverse * (back - mean - plain * (back * plain).mean(axis=-1, keepdims=True)))

    def step(self, gradients: Mapping[str, Array], rate: float, decay: float) -> None:
        """Change what is learned against its gradient.

        Args:
            gradients: By name.
            rate: Of the thin matrices; the weights on top take three times as much, biases and norms a third.
            decay: Share of the rate by which the thin matrices and the weights shrink.
        """
        self._steps += 1
        for name, gradient in gradients.items():
            first = _FIRST_DECAY * self._first.get(name, np.float32(0)) + (1 - _FIRST_DECAY) * gradient
            second = _SECOND_DECAY * self._second.get(name, np.float32(0)) + (1 - _SECOND_DECAY) * np.square(gradient)
            self._first[name], self._second[name] = _plain(first), _plain(second)
            thin = name.endswith((".down", ".up"))
            own_rate = rate * (1.0 if thin else 3.0 if name in ("weights", "biases") else 0.3)
            mean = first / (1 - _FIRST_DECAY**self._steps)
            spread = np.sqrt(second / (1 - _SECOND_DECAY**self._steps))
            changed = self.numbers[name] - own_rate * mean / (spread + _TINY)
            if thin or name == "weights":
                changed = changed - own_rate * decay * self.numbers[name]
            self.numbers[name] = changed.astype(np.float32)


def _mask(shape: tuple[int, ...], dropped: float, chance: np.random.Generator | None) -> Array | None:
    if chance is None or not dropped:
        return None
    return (chance.random(shape, np.float32) >= dropped).astype(np.float32) / np.float32(1 - dropped)


def _plain(values: NDArray[np.floating]) -> Array:
    return values.astype(np.float32, copy=False)


def _sum(rows: Array) -> Array:
    """Return the sum of all rows."""
    return _plain(rows.sum(axis=0))


def _heads(rows: Array, batch: int, pieces: int) -> Array:
    """Return rows as ``(batch, heads, pieces, width / heads)``."""
    heads: Array = rows.reshape(batch, pieces, HEADS, -1).transpose(0, 2, 1, 3)
    return heads


def _rows(heads: Array) -> Array:
    """Return the states of all heads as rows, shape ``(batch * pieces, width)``."""
    batch, count, pieces, width = heads.shape
    return heads.transpose(0, 2, 1, 3).reshape(batch * pieces, count * width)
