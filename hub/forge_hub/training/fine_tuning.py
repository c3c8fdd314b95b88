"""Fine-tunes the sentence encoder: its layers learn with a linear output on the mean state.

The recipe is the usual one (Devlin et al. 2019; Mosbach et al. 2021): AdamW, a rate that rises for a tenth of the steps
and falls to 0 in a line, dropout. The rows of the word pieces stay as they are: a site's few thousand sentences do not
hold most of them, and half of all weights need no step. Training needs JAX, which nothing else of the hub does.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from forge_hub.errors import TrainingError
from forge_language.encoder.package import Encoder
from forge_language.encoder.transformer import EPSILON, HEADS, LONGEST, MATRICES, Layer, Transformer
from forge_shared.logs import get_logger

log = get_logger()

Array = NDArray[np.float32]
Weights = dict[str, Any]
"""Arrays by name, in as many levels as it takes: what JAX calls a tree."""

STEP: Final = 8
"""Word pieces: texts of a batch are filled up to a multiple, so that few shapes are compiled."""
_NOWHERE: Final = -1e9
"""Added to the attention that a filled-up place would get."""
_POOL: Final = 16
"""Batches that are sorted by length together: little is filled up, and the order stays a matter of chance."""


@dataclass(frozen=True, slots=True)
class Course:
    """How an encoder is fine-tuned.

    Attributes:
        loss: ``squares`` of numbers, or ``labels``: the cross-entropy of each yes or no.
        epochs: Times that every text is seen.
        batch: Texts between two steps.
        rate: The highest step, by AdamW.
        warm: Share of the steps in which the rate rises.
        decay: Pull of every weight towards 0.
        dropout: Share of numbers that are left out after each part.
        seed: Of order, dropout and first weights.
    """

    loss: Literal["squares", "labels"]
    epochs: int
    batch: int = 32
    rate: float = 1e-4
    warm: float = 0.1
    decay: float = 0.01
    dropout: float = 0.1
    seed: int = 1


@dataclass(frozen=True, slots=True)
class FineTuned:
    """An encoder with its output: ``mean state @ weight + bias``.

    Attributes:
        transformer: The encoder.
        weight: Shape ``(width, outputs)``.
        bias: Shape ``(outputs,)``.
    """

    transformer: Transformer
    weight: Array
    bias: Array


FineTune = Callable[[Encoder, Sequence[str], Array, Course], FineTuned]
"""`fine_tune`, or what stands in for it."""


@dataclass(frozen=True, slots=True)
class _Batch:
    texts: NDArray[np.int64]
    numbers: NDArray[np.int32]
    there: Array


def fine_tune(start: Encoder, texts: Sequence[str], targets: Array, course: Course) -> FineTuned:
    """Return the encoder after it has learned to tell the targets of texts.

    Args:
        start: Where it begins.
        texts: As it will read them.
        targets: Shape ``(texts, outputs)``: numbers of about unit size, or 0 and 1.
        course: How.

    Raises:
        TrainingError: JAX is not installed.
    """
    # One thread: the same numbers each time, and a hub that has other things to do. JAX reads it when it is imported.
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")
    try:
        import jax  # noqa: PLC0415 (an extra of the hub, for those who train)
        import optax  # noqa: PLC0415
    except ImportError as error:
        raise TrainingError("fine-tuning needs the extra 'fine-tune' of persona-forge-hub (JAX and optax)") from error
    transformer = start.transformer
    numbers = [start.vocabulary.encode(text, LONGEST) for text in texts]
    steps = course.epochs * -(-len(texts) // course.batch)
    warm = max(1, int(course.warm * steps))
    rising, falling = (
        optax.linear_schedule(0.0, course.rate, warm),
        optax.linear_schedule(course.rate, 0.0, max(1, steps - warm)),
    )
    schedule = optax.join_schedules([rising, falling], [warm])
    optimiser = optax.chain(optax.clip_by_global_norm(1.0), optax.adamw(schedule, weight_decay=course.decay))
    chance = np.random.default_rng(course.seed)
    weights = _first(transformer, targets, course, chance)
    state = optimiser.init(weights)
    still = (transformer.words, transformer.places)

    def step(weights: Weights, state: Any, batch: tuple[Any, ...], key: Any) -> tuple[Weights, Any, Any]:  # noqa: ANN401 (JAX's own)
        loss, slope = jax.value_and_grad(_loss)(weights, still, batch, key, course)
        change, state = optimiser.update(slope, state, weights)
        return optax.apply_updates(weights, change), state, loss

    compiled = jax.jit(step)
    key = jax.random.PRNGKey(course.seed)
    for epoch in range(course.epochs):
        losses = []
        for batch in _batches(numbers, course.batch, chance):
            key, own = jax.random.split(key)
            weights, state, loss = compiled(weights, state, (batch.numbers, batch.there, targets[batch.texts]), own)
            losses.append(loss)
        log.info("training.epoch", epoch=epoch + 1, of=course.epochs, loss=round(float(np.mean(losses)), 4))
    return _taken(jax.device_get(weights), transformer)


def _first(transformer: Transformer, targets: Array, course: Course, chance: np.random.Generator) -> Weights:
    layers = transformer.layers
    bias = targets.mean(axis=0)
    if course.loss == "labels":
        share = np.clip(bias, 1e-4, 1 - 1e-4)
        bias = np.log(share / (1 - share))
    width = len(transformer.scale)
    return {
        "matrices": {name: np.stack([layer.matrices[name] for layer in layers]) for name in MATRICES},
        "biases": {name: np.stack([layer.biases[name] for layer in layers]) for name in MATRICES},
        "norms": {name: np.stack([getattr(layer, name) for layer in layers]) for name in _NORMS},
        "scale": transformer.scale,
        "shift": transformer.shift,
        "weight": chance.normal(0, 0.02, (width, targets.shape[1])).astype(np.float32),
        "bias": bias.astype(np.float32),
    }


_NORMS: Final = ("attended_scale", "attended_shift", "out_scale", "out_shift")


def _taken(weights: Weights, start: Transformer) -> FineTuned:
    layers = [
        Layer(
            {name: np.array(each[depth]) for name, each in weights["matrices"].items()},
            {name: np.array(each[depth]) for name, each in weights["biases"].items()},
            *(np.array(weights["norms"][name][depth]) for name in _NORMS),
        )
        for depth in range(len(start.layers))
    ]
    transformer = replace(
        start, scale=np.array(weights["scale"]), shift=np.array(weights["shift"]), layers=tuple(layers)
    )
    return FineTuned(transformer, np.array(weights["weight"]), np.array(weights["bias"]))


def _batches(numbers: Sequence[Sequence[int]], size: int, chance: np.random.Generator) -> Iterator[_Batch]:
    order = [int(text) for text in chance.permutation(len(numbers))]
    for first in range(0, len(order), size * _POOL):
        pool = sorted(order[first : first + size * _POOL], key=lambda text: len(numbers[text]))
        parts = [pool[start : start + size] for start in range(0, len(pool), size)]
        for part in chance.permutation(len(parts)):
            yield _filled(parts[part], numbers, size)


def _filled(texts: Sequence[int], numbers: Sequence[Sequence[int]], size: int) -> _Batch:
    # A last batch that is short repeats its texts: one shape less to compile.
    chosen = [texts[place % len(texts)] for place in range(size)]
    longest = -(-max(len(numbers[text]) for text in chosen) // STEP) * STEP
    pieces, there = np.zeros((size, longest), np.int32), np.zeros((size, longest), np.float32)
    for row, text in enumerate(chosen):
        pieces[row, : len(numbers[text])] = numbers[text]
        there[row, : len(numbers[text])] = 1
    return _Batch(np.array(chosen), pieces, there)


def _loss(weights: Weights, still: tuple[Array, Array], batch: tuple[Any, Any, Any], key: Any, course: Course) -> Any:  # noqa: ANN401 (JAX's own)
    import jax.numpy as jnp  # noqa: PLC0415
    import optax  # noqa: PLC0415

    numbers, there, targets = batch
    said = _outputs(weights, still, numbers, there, key, course.dropout)
    if course.loss == "squares":
        return jnp.mean((said - targets) ** 2)
    return optax.sigmoid_binary_cross_entropy(said, targets).sum(axis=1).mean()


def _outputs(  # noqa: PLR0913 (what a pass needs)
    weights: Weights,
    still: tuple[Array, Array],
    numbers: Any,  # noqa: ANN401 (JAX's own)
    there: Any,  # noqa: ANN401
    key: Any,  # noqa: ANN401
    dropout: float,
) -> Any:  # noqa: ANN401
    """Return the outputs of a batch, shape ``(texts, outputs)``; `forge_language.encoder.transformer` with dropout."""
    import jax  # noqa: PLC0415
    import jax.numpy as jnp  # noqa: PLC0415

    def dropped(values: Any, key: Any) -> Any:  # noqa: ANN401
        return values * jax.random.bernoulli(key, 1 - dropout, values.shape) / (1 - dropout)

    def normalised(values: Any, scale: Any, shift: Any) -> Any:  # noqa: ANN401
        centred = values - values.mean(axis=-1, keepdims=True)
        return centred * jax.lax.rsqrt((centred**2).mean(axis=-1, keepdims=True) + EPSILON) * scale + shift

    def layer(carried: tuple[Any, Any], own: tuple[Weights, Weights, Weights]) -> tuple[tuple[Any, Any], None]:
        state, key = carried
        key, one, two = jax.random.split(key, 3)
        matrices, biases, norms = own
        split = (
            (state @ matrices[name] + biases[name]).reshape(*state.shape[:2], HEADS, -1)
            for name in ("query", "key", "value")
        )
        query, keys, value = split
        scores = jnp.einsum("bqhd,bkhd->bhqk", query, keys) / np.sqrt(query.shape[-1])
        shares = jax.nn.softmax(scores + (1 - there)[:, None, None, :] * _NOWHERE, axis=-1)
        attended = jnp.einsum("bhqk,bkhd->bqhd", shares, value).reshape(state.shape)
        attended = dropped(attended @ matrices["mix"] + biases["mix"], one) + state
        attended = normalised(attended, norms["attended_scale"], norms["attended_shift"])
        wide = jax.nn.gelu(attended @ matrices["widen"] + biases["widen"], approximate=False)
        leaving = dropped(wide @ matrices["narrow"] + biases["narrow"], two) + attended
        return (normalised(leaving, norms["out_scale"], norms["out_shift"]), key), None

    words, places = still
    entering = normalised(jnp.asarray(words)[numbers] + places[: numbers.shape[1]], weights["scale"], weights["shift"])
    key, one, two = jax.random.split(key, 3)
    (state, _), _ = jax.lax.scan(
        layer, (dropped(entering, one), key), (weights["matrices"], weights["biases"], weights["norms"])
    )
    mean = (state * there[:, :, None]).sum(axis=1) / there.sum(axis=1, keepdims=True)
    return dropped(mean, two) @ weights["weight"] + weights["bias"]
