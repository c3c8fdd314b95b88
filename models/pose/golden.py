"""Writes golden.json: what LiteRT, the runtime the networks were published for, answers on the drawn figure.

python models/pose/golden.py     needs ai-edge-litert and the weights (requirements/models)
"""

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from forge_edge.vision import proof, weights
from forge_edge.vision.lite_rt import LiteRt
from forge_edge.vision.runtime import NETWORKS

SAMPLES = 48  # of each output: enough that no part of a network can be wrong unseen, few enough to be read
# In each output's own unit. Boxes and landmarks: 1 % of the input's side, in its pixels; half precision keeps to that.
TOLERANCES = {"boxes": 2.24, "scores": 0.5, "landmarks": 2.56, "presence": 0.02, "heatmap": 0.5}


def main() -> None:
    """Run each network once and store some of its answer."""
    golden = {}
    for network in NETWORKS:
        answer = LiteRt().open(network, weights.load(network)).run(proof.inputs(network))
        golden[network.name] = {name: part(name, values.reshape(-1)) for name, values in answer.items()}
    path = Path(__file__).parent / "golden.json"
    path.write_text(json.dumps(golden, indent=1) + "\n")


def part(name: str, values: NDArray[np.float32]) -> dict[str, object]:
    """Return a sample of an output: its largest values, where people are, and some in between."""
    largest = np.argsort(-values)[: SAMPLES // 2]
    spread = np.linspace(0, len(values) - 1, SAMPLES // 2).astype(int)
    places = sorted({int(place) for place in (*largest, *spread)})
    rounded = [round(float(values[place]), 4) for place in places]
    return {"tolerance": TOLERANCES[name], "places": places, "values": rounded}


if __name__ == "__main__":
    main()
