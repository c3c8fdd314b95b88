"""The pose networks' files, what is made of them, and what runs them."""

import json
import warnings
import zipfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fakes.backends import FailingBackend

from forge_edge.__main__ import main
from forge_edge.errors import EngineMissingError, InferenceError
from forge_edge.vision import proof, weights
from forge_edge.vision.backends import BACKENDS, Carried, PassedOver, open_network, open_pose
from forge_edge.vision.conversion import to_onnx
from forge_edge.vision.figure import Figure, draw
from forge_edge.vision.lite_rt import LiteRt
from forge_edge.vision.onnx_runtime import OnnxRuntime
from forge_edge.vision.runtime import DETECTOR, LANDMARKER, NETWORKS, Network

EACH_NETWORK = pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.name)


def test_the_weights_are_installed_and_are_those_that_were_examined() -> None:
    assert [weights.state(network) for network in NETWORKS] == ["ready", "ready"], f"run {weights.HOW_TO_GET}"


@EACH_NETWORK
def test_a_changed_or_missing_file_is_not_used(network: Network, tmp_path: Path) -> None:
    assert weights.state(network, tmp_path) == "absent"
    with pytest.raises(EngineMissingError, match="requirements/models"):
        weights.load(network, tmp_path)
    data = weights.load(network)
    (tmp_path / network.file).write_bytes(data[:1000] + bytes([data[1000] ^ 1]) + data[1001:])
    assert weights.state(network, tmp_path) == "altered"
    with pytest.raises(EngineMissingError, match="examined"):
        weights.load(network, tmp_path)


def test_files_are_taken_out_of_a_wheel_by_digest_wherever_they_lie(tmp_path: Path) -> None:
    wheel = tmp_path / "any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("other/pose_detection.tflite", b"another one of that name")
        for network in NETWORKS:
            archive.writestr(f"package/modules/{network.file}", weights.load(network))
    assert main(["vision", "take", str(wheel), "--into", str(tmp_path / "models")]) == 0
    assert sorted(path.name for path in (tmp_path / "models").iterdir()) == sorted(one.file for one in NETWORKS)
    assert [weights.state(network, tmp_path / "models") for network in NETWORKS] == ["ready", "ready"]


def test_a_wheel_without_the_files_is_refused_and_nothing_is_kept(tmp_path: Path) -> None:
    wheel = tmp_path / "any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("pose_detection.tflite", b"not it")
    assert main(["vision", "take", str(wheel), "--into", str(tmp_path / "models")]) == 1
    assert not list((tmp_path / "models").iterdir())
    wheel.write_bytes(b"no wheel")
    assert main(["vision", "take", str(wheel), "--into", str(tmp_path / "models")]) == 1


@EACH_NETWORK
@pytest.mark.parametrize("backend", [OnnxRuntime(), LiteRt()], ids=lambda backend: backend.name)
def test_every_back_end_here_gives_the_stored_answer(backend: OnnxRuntime | LiteRt, network: Network) -> None:
    runtime = backend.open(network, weights.load(network))
    proof.prove(runtime)
    assert (runtime.device, runtime.precision) == ("cpu", "fp32")


@EACH_NETWORK
@given(seed=st.integers(0, 2**31), spread=st.floats(0.05, 0.5))
@settings(max_examples=8, deadline=None)
def test_two_back_ends_agree_on_any_picture(network: Network, seed: int, spread: float) -> None:
    """1 % of a body is 2 pixels of the network's input; they agree a hundred times better."""
    chance = np.random.default_rng(seed)
    shape = network.inputs[0].shape
    noise = chance.normal(0.5, spread, shape).clip(0, 1).astype(np.float32)
    picture = (0.7 * proof.inputs(network)["input"] + 0.3 * noise).astype(np.float32)
    data = weights.load(network)
    one, other = (backend.open(network, data).run({"input": picture}) for backend in (OnnxRuntime(), LiteRt()))
    for name, limit in (("boxes", 0.02), ("scores", 0.02), ("landmarks", 0.02), ("presence", 0.001)):
        if name in one:
            assert np.abs(one[name] - other[name]).max() < limit * max(1.0, np.abs(other[name]).max() / 100)


@EACH_NETWORK
def test_what_goes_in_is_checked_before_it_runs(network: Network) -> None:
    runtime = OnnxRuntime().open(network, weights.load(network))
    (tensor,) = network.inputs
    wrongs: list[Any] = [
        np.zeros(tensor.shape, np.float64),
        np.zeros((1, 3, *tensor.shape[1:3]), np.float32),
        np.zeros(tensor.shape[1:], np.float32),
    ]
    for wrong in wrongs:
        with pytest.raises(InferenceError, match="takes"):
            runtime.run({tensor.name: wrong})
    with pytest.raises(InferenceError, match="takes"):
        runtime.run({})
    runtime.close()
    with pytest.raises(InferenceError, match="closed"):
        runtime.run(proof.inputs(network))


def test_what_nobody_asks_for_is_left_out_of_the_converted_network() -> None:
    data = weights.load(LANDMARKER)
    small = to_onnx(data, {"landmarks": 0})
    everything = to_onnx(data, {"landmarks": 0, "presence": 1, "mask": 2, "heatmap": 3, "world": 4})
    assert len(small) < len(everything)
    session = onnxruntime.InferenceSession(small, providers=["CPUExecutionProvider"])
    assert [output.name for output in session.get_outputs()] == ["landmarks"]


@EACH_NETWORK
@given(st.data())
@settings(max_examples=60, deadline=None)
def test_a_damaged_file_is_an_error_of_inference_and_nothing_else(network: Network, data: st.DataObject) -> None:
    whole = bytearray(weights.load(network))
    if data.draw(st.booleans()):
        whole = whole[: data.draw(st.integers(0, len(whole) - 1))]
    for _ in range(data.draw(st.integers(1, 30))):
        if whole:
            # The graph lies at the end, after the weights.
            place = data.draw(st.integers(max(len(whole) - 60_000, 0), len(whole) - 1))
            whole[place] = data.draw(st.integers(0, 255))
    with suppress(InferenceError):
        to_onnx(bytes(whole), network.positions)


def test_the_first_back_end_that_proves_itself_is_used_and_the_others_are_named() -> None:
    said: list[PassedOver] = []
    broken = [
        FailingBackend("listed-only", opens=False),
        FailingBackend("first-inference", runs=0),
        FailingBackend("wrong", wrong_by=7.0),
    ]
    network = open_network(DETECTOR, [*broken, OnnxRuntime(), LiteRt()], said.append)
    assert network.backend == "onnxruntime-cpu"
    assert [(one.backend, one.running) for one in said] == [(one.name, False) for one in broken]
    assert "off by" in said[2].reason
    assert [one.closed for one in broken] == [[], ["detector"], ["detector"]]


def test_a_back_end_that_fails_later_is_replaced_in_the_same_picture_and_not_tried_again() -> None:
    said: list[PassedOver] = []
    failing = FailingBackend("card", runs=3)
    network = open_network(LANDMARKER, [failing, OnnxRuntime()], said.append)
    assert (network.backend, network.device) == ("card", "cuda:0")
    for _ in range(5):
        assert network.run(proof.inputs(LANDMARKER))["presence"][0, 0] > 0.9
    assert network.backend == "onnxruntime-cpu"
    assert [(one.network, one.backend, one.running) for one in said] == [("landmarker", "card", True)]


def test_where_nothing_can_run_a_network_that_is_said() -> None:
    said: list[PassedOver] = []
    with pytest.raises(InferenceError, match="nothing here"):
        open_network(DETECTOR, [FailingBackend("none", opens=False)], said.append)
    network = Carried(DETECTOR, weights.load(DETECTOR), [FailingBackend("once", runs=1)], said.append)
    with pytest.raises(InferenceError, match="nothing here"):
        network.run(proof.inputs(DETECTOR))


def test_this_machine_finds_people_with_whatever_it_has() -> None:
    said: list[PassedOver] = []
    reader = open_pose(said.append)
    assert len(reader.read(draw([Figure()]))) == 1
    assert {one.backend for one in said} <= {"tensorrt", "onnxruntime-cuda"}
    with pytest.raises(InferenceError, match="no back end is called gpu"):
        open_pose(said.append, ("gpu",))


def test_a_provider_that_is_not_there_is_passed_over_with_its_reason() -> None:
    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this machine has a card")
    with pytest.raises(InferenceError, match="CUDAExecutionProvider"):
        OnnxRuntime("cuda").open(DETECTOR, weights.load(DETECTOR))


def test_a_provider_that_is_listed_and_silently_replaced_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine with the package for cards and without their libraries: the processor answers in its place."""
    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this machine has a card")
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider"])
    said: list[PassedOver] = []
    with warnings.catch_warnings(action="ignore"):
        network = open_network(DETECTOR, [OnnxRuntime("cuda"), LiteRt()], said.append)
    assert network.backend == "litert-cpu"
    assert "does not use it" in said[0].reason


def test_a_stored_answer_that_is_missing_or_damaged_proves_nothing(tmp_path: Path) -> None:
    runtime = OnnxRuntime().open(DETECTOR, weights.load(DETECTOR))
    with pytest.raises(EngineMissingError, match="stored answer"):
        proof.prove(runtime, tmp_path)
    (tmp_path / "golden.json").write_text('{"detector": {"boxes": {}}}')
    with pytest.raises(EngineMissingError, match="stored answer"):
        proof.prove(runtime, tmp_path)


def test_a_network_that_gives_no_numbers_is_refused() -> None:
    runtime = OnnxRuntime().open(LANDMARKER, weights.load(LANDMARKER))
    with pytest.raises(InferenceError, match="no numbers"):
        runtime.run({"input": np.full((1, 256, 256, 3), np.nan, np.float32)})


def test_a_network_of_other_outputs_is_told_apart() -> None:
    other = replace(DETECTOR, outputs=(DETECTOR.outputs[1],), places=(0,))
    runtime = OnnxRuntime().open(other, weights.load(DETECTOR))
    with pytest.raises(InferenceError, match="gave"):
        runtime.run(proof.inputs(DETECTOR))


def test_the_bench_tells_every_back_end_and_every_stage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["vision", "bench", "--repeats", "1", "--json"]) == 0
    lines = capsys.readouterr().out
    assert all(name in lines for name in BACKENDS)
    for stage in ("attention", "detector", "landmarks", "look-known", "look-searching"):
        assert f'"stage": "{stage}"' in lines
    assert main(["vision", "bench", "--backend", "gpu"]) == 2
    assert main(["vision", "bench", "--threads", "0"]) == 2


def test_the_manifest_describes_the_networks_that_are_run() -> None:
    manifest = json.loads((Path(__file__).parents[2] / "models" / "pose" / "manifest.json").read_bytes())
    for network in NETWORKS:
        described = manifest["networks"][network.name]
        assert (described["file"], described["sha256"]) == (network.file, network.sha256)
        assert described["bytes"] == len(weights.load(network))
        assert tuple(described["input"]["shape"]) == network.inputs[0].shape
        shapes = {name: tuple(output["shape"]) for name, output in described["outputs"].items()}
        assert shapes == {output.name: output.shape for output in network.outputs}
