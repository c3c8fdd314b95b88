"""A release of the eyes' networks that is real and tiny: each output is everywhere the input's mean, times a gain."""

import hashlib
import json
from pathlib import Path

import numpy as np
from tests.fakes.releases import write_release

from forge_edge.vision.runtime import NETWORKS, Network
from forge_language.encoder.onnx_file import OnnxModel
from forge_shared.releases import MANIFEST


def network_file(network: Network, gain: float) -> bytes:
    """Return an ONNX file with the inputs and outputs of a network."""
    model = OnnxModel()
    (given,) = network.inputs
    mean = model.node("ReduceMean", [given.name], "mean", axes=[0, 1, 2, 3], keepdims=0)
    scaled = model.node("Mul", [mean, model.constant("gain", np.array(gain, np.float32))], "scaled")
    for output in network.outputs:
        shape = model.constant(f"shape-{output.name}", np.array(output.shape, np.int64))
        model.node("Expand", [scaled, shape], output.name)
    return model.file({given.name: given.shape}, {output.name: output.shape for output in network.outputs})


def write_pose_release(
    folder: Path, *, version: str = "1.0.0", counter: int = 1, gain: float = 2.0, golden_gain: float | None = None
) -> Path:
    """Write a release whose golden output was made with ``golden_gain``; default: its own gain."""
    release = write_release(folder, version=version, counter=counter)
    for name in ("model.onnx", "golden/input.json", "golden/output.json"):
        (release / name).unlink()
    inputs = {network.name: np.full(network.inputs[0].shape, 0.25, np.float32) for network in NETWORKS}
    np.savez_compressed(release / "golden" / "input.npz", allow_pickle=False, **inputs)
    expected = 0.25 * (gain if golden_gain is None else golden_gain)
    golden = {
        f"{network.name}.{output.name}": {"places": [0, 1] if len(output.shape) > 2 else [0], "values": [expected] * n}
        for network in NETWORKS
        for output in network.outputs
        for n in [2 if len(output.shape) > 2 else 1]
    }
    (release / "golden" / "output.json").write_text(json.dumps(golden))
    for network in NETWORKS:
        (release / f"{network.name}.onnx").write_bytes(network_file(network, gain))
    manifest = json.loads((release / MANIFEST).read_text())
    files = sorted(path for path in release.rglob("*") if path.is_file() and path.name != MANIFEST)
    manifest["files"] = [
        {
            "path": path.relative_to(release).as_posix(),
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "bytes": path.stat().st_size,
        }
        for path in files
    ]
    manifest["golden"] = {"input": "golden/input.npz", "output": "golden/output.json", "tolerance": 0.01}
    (release / MANIFEST).write_text(json.dumps(manifest))
    return release
