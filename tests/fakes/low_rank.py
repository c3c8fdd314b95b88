"""Low-rank training in a process of its own: JAX's threads forbid a fork ever after to whoever imports it."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
from numpy.typing import NDArray

from forge_hub.training.fine_tuning import Course, fine_tune
from forge_language.encoder.package import encoder

Array = NDArray[np.float32]
LIMIT_SECONDS = 120


def learnt(texts: Sequence[str], targets: Array, course: Course) -> tuple[Mapping[str, Array], Array, Array, bool]:
    """Return the change, weight and bias that were learnt, and whether the encoder is otherwise as it was."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_learnt, texts, targets, course).result(LIMIT_SECONDS)


def _learnt(texts: Sequence[str], targets: Array, course: Course) -> tuple[Mapping[str, Array], Array, Array, bool]:
    on, _ = encoder()
    assert on is not None
    found = fine_tune(on, texts, targets, course)
    before, after = (each.layers[0].matrices["query"] for each in (on.transformer, found.transformer))
    return found.change, found.weight, found.bias, before is after
