"""Proves a back end: one real inference on a made picture, compared with the answer that is stored with the model.

The picture is drawn, and shows nobody (`forge_edge.vision.figure`). The stored answer was computed by
LiteRT, the runtime that the networks were published for (models/pose/README.md has the command).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from forge_edge.errors import EngineMissingError, InferenceError
from forge_edge.vision.figure import Figure, draw
from forge_edge.vision.runtime import DETECTOR, Array, Network, Runtime

_PACKAGED = Path(__file__).parent / "model"
_CHECKOUT = Path(__file__).parents[3] / "models" / "pose"


@dataclass(frozen=True, slots=True)
class Expected:
    """A part of one output.

    Attributes:
        places: Which values of the flat output, shape ``(n,)``.
        values: What they are, shape ``(n,)``.
        tolerance: How far from that a value may be, in the output's own unit.
    """

    places: NDArray[np.int64]
    values: NDArray[np.float32]
    tolerance: float


def inputs(network: Network) -> Mapping[str, Array]:
    """Return what a network is given to prove its runtime: drawn at its own size, so that nothing else is proved."""
    (given,) = network.inputs
    _, height, width, _ = given.shape
    figure = draw([Figure()], width, height)[np.newaxis].astype(np.float32) / np.float32(255)
    return {given.name: figure * 2 - 1 if network is DETECTOR else figure}


def expected(network: Network, folder: Path | None = None) -> Mapping[str, Expected]:
    """Return the stored answer of a network.

    Raises:
        EngineMissingError: It is missing or damaged.
    """
    path = (folder or (_PACKAGED if _PACKAGED.is_dir() else _CHECKOUT)) / "golden.json"
    try:
        stored = json.loads(path.read_bytes())[network.name]
        return {
            name: Expected(
                np.array(part["places"], np.int64), np.array(part["values"], np.float32), float(part["tolerance"])
            )
            for name, part in stored.items()
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EngineMissingError(f"the stored answer of the {network.name} is missing or damaged") from error


def prove(runtime: Runtime, folder: Path | None = None) -> None:
    """Run a network once and compare.

    Raises:
        InferenceError: It failed, or gave something else than what is stored.
        EngineMissingError: There is no stored answer.
    """
    network = runtime.network
    wanted, given = expected(network, folder), runtime.run(inputs(network))
    for name, part in wanted.items():
        off = float(np.abs(given[name].reshape(-1)[part.places] - part.values).max())
        if not off <= part.tolerance:
            raise InferenceError(f"the {network.name} gives {name} that are off by {off:.3g} on {runtime.backend}")
