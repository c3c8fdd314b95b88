"""A change of low rank to the encoder's layers (LoRA, Hu et al. 2021), small enough to come with this package.

It was learnt for all heads together, so that one pass through the encoder serves them all; ``forge-hub train adapter``
makes it, `models/mind` says of what.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from importlib import resources
from typing import Any, Final

import numpy as np

from forge_language.encoder import numbers_file
from forge_language.encoder.numbers_file import Numbers, single
from forge_language.encoder.transformer import MATRICES, Array, Layer, Transformer

_FILE: Final = "adapter"


@lru_cache(maxsize=1)
def description() -> Mapping[str, Any]:
    """Return what is written beside the adapter that comes with this package: digests, licence, how it was made."""
    found: Mapping[str, Any] = json.loads(_read(".json"))
    return found


def adapted(start: Transformer) -> Transformer:
    """Return the encoder with the change that comes with this package.

    Raises:
        ValueError: The adapter is not the one that its description names.
    """
    data = _read(".npz")
    if hashlib.sha256(data).hexdigest() != description()["sha256"]:
        raise ValueError("the adapter's file is not the one that its description names")
    return changed(start, numbers_file.read(data))


def changed(start: Transformer, numbers: Numbers) -> Transformer:
    """Return an encoder of the layers that an adapter has numbers for, changed; the same numbers on every machine.

    Args:
        start: What it was learnt on.
        numbers: For each layer from the lowest, and each matrix of shape ``(inputs, outputs)``: ``L.NAME.down``, shape
            ``(inputs, rank)``, and ``L.NAME.up``, shape ``(outputs, rank)``.
    """
    layers = [
        _layer(layer, f"{depth}.", numbers)
        for depth, layer in enumerate(start.layers)
        if f"{depth}.query.down" in numbers
    ]
    return replace(start, layers=tuple(layers))


def _layer(layer: Layer, at: str, numbers: Numbers) -> Layer:
    matrices = {
        name: _added(layer.matrices[name], single(numbers, f"{at}{name}.down"), single(numbers, f"{at}{name}.up"))
        for name in MATRICES
    }
    return replace(layer, matrices=matrices)


def _added(matrix: Array, down: Array, up: Array) -> Array:
    """Return ``matrix + down @ up.T``, one rank after the other: a sum whose order no library chooses."""
    found = matrix.copy()
    for column, row in zip(down.T, up.T, strict=True):
        found += np.multiply.outer(column, row)
    return found


def _read(suffix: str) -> bytes:
    return resources.files("forge_language.encoder").joinpath(f"{_FILE}{suffix}").read_bytes()
