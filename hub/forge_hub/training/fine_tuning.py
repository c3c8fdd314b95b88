"""Fine-tunes the sentence encoder: its layers learn with a linear output on the mean state.

The recipe is the usual one (Devlin et al. 2019; Mosbach et al. 2021): AdamW, a rate that rises for a tenth of the steps
and falls to 0 in a line, dropout. All weights of the layers learn, or changes of low rank to their matrices (LoRA, Hu
et al. 2021). The rows of the word pieces stay as they are: a site's few thousand sentences do not hold most of them,
and half of all weights need no step. Training needs JAX, which nothing else of the hub does.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from forge_hub.errors import TrainingError
from forge_language.encoder.package import Encoder
from forge_language.encoder.transformer import EPSILON, HEADS, LONGEST, MATRICES, Layer, Transformer
from forge_shared.logs import get_logger

log = get_logger()

Array = NDArray[np.float32]
Loss = Literal["square", "label"]
SQUARE: Final[Loss] = "square"
LABEL: Final[Loss] = "label"
Weights = dict[str, Any]
"""Arrays by name, in as many levels as it takes: what JAX calls a tree."""

STEP: Final = 8
"""Word pieces: texts of a batch are filled up to a multiple, so that few shapes are compiled."""
_NOWHERE: Final = -1e9
"""Added to the attention that a filled-up place would get."""
_SAID_EVERY: Final = 200
"""Steps between two words about the progress: a minute or two."""
_POOL: Final = 16
"""Batches that are sorted by length together: little is filled up, and the order stays a matter of chance."""


@dataclass(frozen=True, slots=True)
class Course:
    """How an encoder is fine-tuned.

    Attributes:
        losses: Of each output: `SQUARE` of a number, or `LABEL`: the cross-entropy of yes or no.
        epochs: Times that every text is seen.
        batch: Texts between two steps.
        rate: The highest step, by AdamW.
        warm: Share of the steps in which the rate rises.
        decay: Pull of every weight towards 0.
        dropout: Share of numbers that are left out after each part.
        seed: Of order, dropout and first weights.
        layers: How many learn, from the lowest; the others are left out. All by default.
        rank: Of a change to each matrix, which then is all that learns; None where every weight does.
    """

    losses: Sequence[Loss]
    epochs: int
    batch: int = 32
    rate: float = 1e-4
    warm: float = 0.1
    decay: float = 0.01
    dropout: float = 0.1
    seed: int = 1
    layers: int | None = None
    rank: int | None = None


@dataclass(frozen=True, slots=True)
class FineTuned:
    """An encoder with its output: ``mean state @ weight + bias``.

    Attributes:
        transformer: The encoder; where a change of low rank was learnt, as it was before.
        weight: Shape ``(width, outputs)``.
        bias: Shape ``(outputs,)``.
        change: By name as `forge_language.encoder.adapter.changed` reads it; empty where every weight learnt.
    """

    transformer: Transformer
    weight: Array
    bias: Array
    change: Mapping[str, Array] = field(default_factory=dict)


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
        targets: Shape ``(texts, outputs)``: numbers of about unit size, or 0 and 1; NaN where it is not known.
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
    transformer = replace(start.transformer, layers=start.transformer.layers[: course.layers])
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
    weights, still = _first(transformer, targets, course, chance)
    state = optimiser.init(weights)

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
            if len(losses) % _SAID_EVERY == 0:
                recent = round(float(np.mean(losses[-_SAID_EVERY:])), 4)
                log.info("training.step", step=epoch * steps // course.epochs + len(losses), of=steps, loss=recent)
        log.info("training.epoch", epoch=epoch + 1, of=course.epochs, loss=round(float(np.mean(losses)), 4))
    return _taken(jax.device_get(weights), transformer)


def _first(
    transformer: Transformer, targets: Array, course: Course, chance: np.random.Generator
) -> tuple[Weights, Weights]:
    """Return the weights that learn and those that stay as they are."""
    layers = transformer.layers
    bias = np.nan_to_num(np.nanmean(targets, axis=0))
    share = np.clip(bias, 1e-4, 1 - 1e-4)
    bias = np.where([loss == LABEL for loss in course.losses], np.log(share / (1 - share)), bias)
    width = len(transformer.scale)
    output = {
        "weight": chance.normal(0, 0.02, (width, targets.shape[1])).astype(np.float32),
        "bias": bias.astype(np.float32),
    }
    encoder: Weights = {
        "layers": {
            "matrices": {name: np.stack([layer.matrices[name] for layer in layers]) for name in MATRICES},
            "biases": {name: np.stack([layer.biases[name] for layer in layers]) for name in MATRICES},
            "norms": {name: np.stack([getattr(layer, name) for layer in layers]) for name in _NORMS},
        },
        "scale": transformer.scale,
        "shift": transformer.shift,
    }
    still = {"words": transformer.words, "places": transformer.places}
    if course.rank is None:
        return {**output, **encoder}, still
    sizes = {name: values.shape for name, values in encoder["layers"]["matrices"].items()}
    change = {
        name: {
            # The one at random and the other 0, so that the first change is none.
            "down": chance.normal(0, shape[1] ** -0.5, (*shape[:2], course.rank)).astype(np.float32),
            "up": np.zeros((shape[0], shape[2], course.rank), np.float32),
        }
        for name, shape in sizes.items()
    }
    return {**output, "change": change}, {**still, **encoder}


_NORMS: Final = ("attended_scale", "attended_shift", "out_scale", "out_shift")


def _taken(weights: Weights, start: Transformer) -> FineTuned:
    weight, bias = np.array(weights["weight"]), np.array(weights["bias"])
    if "change" in weights:
        change = {
            f"{depth}.{name}.{end}": np.array(values[depth])
            for name, ends in weights["change"].items()
            for end, values in ends.items()
            for depth in range(len(start.layers))
        }
        return FineTuned(start, weight, bias, change)
    own = weights["layers"]
    layers = [
        Layer(
            {name: np.array(each[depth]) for name, each in own["matrices"].items()},
            {name: np.array(each[depth]) for name, each in own["biases"].items()},
            *(np.array(own["norms"][name][depth]) for name in _NORMS),
        )
        for depth in range(len(start.layers))
    ]
    transformer = replace(
        start, scale=np.array(weights["scale"]), shift=np.array(weights["shift"]), layers=tuple(layers)
    )
    return FineTuned(transformer, weight, bias)


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


def _loss(weights: Weights, still: Weights, batch: tuple[Any, Any, Any], key: Any, course: Course) -> Any:  # noqa: ANN401 (JAX's own)
    import jax.numpy as jnp  # noqa: PLC0415
    import optax  # noqa: PLC0415

    numbers, there, targets = batch
    said = _outputs({**still, **weights}, numbers, there, key, course.dropout)
    known = ~jnp.isnan(targets)
    targets = jnp.where(known, targets, 0)
    of_label, of_number = optax.sigmoid_binary_cross_entropy(said, targets), (said - targets) ** 2
    each = jnp.where(np.array([loss == LABEL for loss in course.losses]), of_label, of_number)
    return jnp.where(known, each, 0).sum(axis=1).mean()


def _outputs(
    weights: Weights,
    numbers: Any,  # noqa: ANN401 (JAX's own)
    there: Any,  # noqa: ANN401
    key: Any,  # noqa: ANN401
    dropout: float,
) -> Any:  # noqa: ANN401
    """Return the outputs of a batch, shape ``(texts, outputs)``; `forge_language.encoder.transformer` with dropout."""
    import jax  # noqa: PLC0415
    import jax.numpy as jnp  # noqa: PLC0415

    product = _product()

    def dropped(values: Any, key: Any) -> Any:  # noqa: ANN401
        return values * (jax.random.bits(key, values.shape, "uint8") >= dropout * 256) / (1 - dropout)

    def normalised(values: Any, scale: Any, shift: Any) -> Any:  # noqa: ANN401
        centred = values - values.mean(axis=-1, keepdims=True)
        return centred * jax.lax.rsqrt((centred**2).mean(axis=-1, keepdims=True) + EPSILON) * scale + shift

    def layer(carried: tuple[Any, Any], own: Weights) -> tuple[tuple[Any, Any], None]:
        state, key = carried
        key, one, two = jax.random.split(key, 3)
        norms = own["norms"]

        def through(name: str, values: Any) -> Any:  # noqa: ANN401
            found = product(values, own["matrices"][name]) + own["biases"][name]
            if "change" not in own:
                return found
            change = own["change"][name]
            return found + product(product(values, change["down"]), change["up"].T)

        split = (through(name, state).reshape(*state.shape[:2], HEADS, -1) for name in ("query", "key", "value"))
        query, keys, value = split
        scores = jnp.einsum("bqhd,bkhd->bhqk", query, keys) / np.sqrt(query.shape[-1])
        shares = jax.nn.softmax(scores + (1 - there)[:, None, None, :] * _NOWHERE, axis=-1)
        attended = jnp.einsum("bhqk,bkhd->bqhd", shares, value).reshape(state.shape)
        attended = dropped(through("mix", attended), one) + state
        attended = normalised(attended, norms["attended_scale"], norms["attended_shift"])
        wide = jax.nn.gelu(through("widen", attended), approximate=False)
        leaving = dropped(through("narrow", wide), two) + attended
        return (normalised(leaving, norms["out_scale"], norms["out_shift"]), key), None

    entering = jnp.asarray(weights["words"])[numbers] + weights["places"][: numbers.shape[1]]
    entering = normalised(entering, weights["scale"], weights["shift"])
    key, one, two = jax.random.split(key, 3)
    layers = {**weights["layers"], **({"change": weights["change"]} if "change" in weights else {})}
    (state, _), _ = jax.lax.scan(layer, (dropped(entering, one), key), layers)
    mean = (state * there[:, :, None]).sum(axis=1) / there.sum(axis=1, keepdims=True)
    return dropped(mean, two) @ weights["weight"] + weights["bias"]


@lru_cache(maxsize=1)
def _product() -> Any:  # noqa: ANN401 (JAX's own)
    """Return the product of rows, shape ``(texts, pieces, inputs)``, with a matrix.

    Its factors are in half precision (bfloat16), its sums in single precision: processors with instructions for that
    (AMX) train in six tenths of the time.
    """
    import jax  # noqa: PLC0415
    import jax.numpy as jnp  # noqa: PLC0415

    def summed(one: Any, other: Any, over: tuple[int, int]) -> Any:  # noqa: ANN401
        halves = one.astype(jnp.bfloat16), other.astype(jnp.bfloat16)
        return jax.lax.dot_general(*halves, (((over[0],), (over[1],)), ((), ())), preferred_element_type=jnp.float32)

    def flat(values: Any) -> Any:  # noqa: ANN401
        return values.reshape(-1, values.shape[-1])

    @jax.custom_vjp  # its own slopes would be summed in half precision, or not use those instructions
    def product(values: Any, matrix: Any) -> Any:  # noqa: ANN401
        return summed(flat(values), matrix, (1, 0)).reshape(*values.shape[:-1], -1)

    def forth(values: Any, matrix: Any) -> tuple[Any, tuple[Any, Any]]:  # noqa: ANN401
        return product(values, matrix), (values, matrix)

    def back(kept: tuple[Any, Any], slope: Any) -> tuple[Any, Any]:  # noqa: ANN401
        values, matrix = kept
        return summed(flat(slope), matrix, (1, 1)).reshape(values.shape), summed(flat(values), flat(slope), (0, 0))

    product.defvjp(forth, back)
    return product
