"""The Jetson's back end, against a simulation that allows only what TensorRT 10 and CUDA allow."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.fakes.tensorrt_10 import Card, CudaLibrary, module

from forge_edge.errors import InferenceError
from forge_edge.vision import proof, weights
from forge_edge.vision.conversion import to_onnx
from forge_edge.vision.cuda import CudaRuntime
from forge_edge.vision.engines import EngineStore
from forge_edge.vision.onnx_runtime import OnnxRuntime
from forge_edge.vision.runtime import DETECTOR, LANDMARKER, NETWORKS
from forge_edge.vision.tensor_rt import TensorRt


def jetson(folder: Path, card: Card, version: str = "10.3.0", **broken: Any) -> TensorRt:
    return TensorRt(EngineStore(folder), "fp16", module(card, version, **broken), CudaRuntime(CudaLibrary(card)))


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.name)
def test_an_engine_in_half_precision_gives_what_the_processor_gives(network: Any, tmp_path: Path) -> None:
    backend, data = jetson(tmp_path, Card()), weights.load(network)
    backend.build(network, data)
    ours, processor = backend.open(network, data), OnnxRuntime().open(network, data)
    proof.prove(ours)
    given = proof.inputs(network)
    answer, reference = ours.run(given), processor.run(given)
    assert (ours.backend, ours.device, ours.precision) == ("tensorrt", "cuda:0", "fp16")
    for name, part in proof.expected(network).items():
        assert np.abs(answer[name] - reference[name]).max() < part.tolerance


def test_an_engine_gives_all_memory_and_streams_of_the_card_back(tmp_path: Path) -> None:
    card = Card()
    backend, data = jetson(tmp_path, card), weights.load(LANDMARKER)
    backend.build(LANDMARKER, data)
    assert not card.memory
    assert not card.streams
    runtime = backend.open(LANDMARKER, data)
    assert card.memory
    runtime.close()
    runtime.close()
    assert not card.memory
    assert not card.streams
    with pytest.raises(InferenceError, match="closed"):
        runtime.run(proof.inputs(LANDMARKER))


def test_no_engine_is_built_while_the_room_waits(tmp_path: Path) -> None:
    with pytest.raises(InferenceError, match=r"no engine .* fits \(absent\): run forge-edge vision build"):
        jetson(tmp_path, Card()).open(DETECTOR, weights.load(DETECTOR))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("version", ["8.6.1", "10.2.0", "10.17.0", "11.0.0", ""])
def test_a_tensorrt_that_the_code_was_not_written_for_is_not_used(version: str, tmp_path: Path) -> None:
    with pytest.raises(InferenceError, match=r"10\.3 to 10\.16"):
        jetson(tmp_path, Card(), version).open(DETECTOR, weights.load(DETECTOR))


def test_after_an_upgrade_of_tensorrt_the_old_engine_is_stale_and_after_a_build_the_new_one_runs(
    tmp_path: Path,
) -> None:
    card, data = Card(), weights.load(DETECTOR)
    jetson(tmp_path, card).build(DETECTOR, data)
    upgraded = jetson(tmp_path, card, "10.7.0")
    with pytest.raises(InferenceError, match="tensorrt-changed"):
        upgraded.open(DETECTOR, data)
    upgraded.build(DETECTOR, data)
    proof.prove(upgraded.open(DETECTOR, data))
    # Who goes back to the old version finds the engine from before.
    proof.prove(jetson(tmp_path, card).open(DETECTOR, data))


def test_an_engine_that_runs_and_is_wrong_is_not_stored(tmp_path: Path) -> None:
    card, data = Card(), weights.load(DETECTOR)
    with pytest.raises(InferenceError, match="off by"):
        jetson(tmp_path, card, wrong_by=5.0).build(DETECTOR, data)
    assert not card.memory
    with pytest.raises(InferenceError, match="absent"):
        jetson(tmp_path, card).open(DETECTOR, data)


def test_a_card_that_cannot_build_says_so(tmp_path: Path) -> None:
    with pytest.raises(InferenceError, match="cannot build"):
        jetson(tmp_path, Card(), builds=False).build(DETECTOR, weights.load(DETECTOR))


@pytest.mark.parametrize("call", ["cudaMalloc", "create_execution_context"])
def test_a_card_without_memory_is_an_error_of_inference_and_loses_nothing(call: str, tmp_path: Path) -> None:
    card, data = Card(), weights.load(DETECTOR)
    backend = jetson(tmp_path, card)
    backend.build(DETECTOR, data)
    card.refuses.add(call)
    with pytest.raises(InferenceError):
        backend.open(DETECTOR, data)
    assert not card.memory
    assert not card.streams


@pytest.mark.parametrize("call", ["execute_async_v3", "cudaStreamSynchronize"])
def test_a_card_that_fails_while_it_runs_is_an_error_of_inference(call: str, tmp_path: Path) -> None:
    card, data = Card(), weights.load(DETECTOR)
    backend = jetson(tmp_path, card)
    backend.build(DETECTOR, data)
    runtime = backend.open(DETECTOR, data)
    card.refuses.add(call)
    with pytest.raises(InferenceError):
        runtime.run(proof.inputs(DETECTOR))


def test_an_engine_for_other_outputs_is_refused_before_it_runs(tmp_path: Path) -> None:
    card, data = Card(), weights.load(DETECTOR)
    other = replace(DETECTOR, outputs=(DETECTOR.outputs[1],), places=(1,))
    with pytest.raises(InferenceError, match="something else"):
        jetson(tmp_path, card)._load(  # noqa: SLF001 (no engine reaches this through the store, whose key has the shapes)
            DETECTOR, _plan(tmp_path / "other", card, other, data), module(card), CudaRuntime(CudaLibrary(card))
        )


def _plan(folder: Path, card: Card, network: Any, data: bytes) -> bytes:
    backend = jetson(folder, card)
    return backend._built(network, to_onnx(data, network.positions), module(card))  # noqa: SLF001 (as above)
