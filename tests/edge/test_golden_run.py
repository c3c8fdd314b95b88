"""A release proves itself in a process of its own before it may serve, and serves from its slot."""

import hashlib
import json
import math
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fakes.pose_release import write_pose_release

from forge_edge.errors import EngineError, UpdateRefusedError
from forge_edge.update.golden import Expected, read_expected, worst_share
from forge_edge.update.slots import Slots
from forge_edge.updating.proving import ChildProver
from forge_edge.vision.finder import finder
from forge_edge.vision.released import ReleasedNetworks
from forge_hub.releases.package import pack, read_release
from forge_shared.releases import MANIFEST, Manifest


def manifest_of(folder: Path) -> Manifest:
    return Manifest.model_validate_json((folder / MANIFEST).read_bytes())


async def refused(prover: ChildProver, folder: Path) -> str:
    with pytest.raises(UpdateRefusedError) as error:
        await prover.prove(folder, manifest_of(folder))
    return error.value.reason


async def test_a_release_that_gives_its_golden_output_is_proved(tmp_path: Path) -> None:
    release = write_pose_release(tmp_path / "release")
    await ChildProver().prove(release, manifest_of(release))


async def test_a_release_that_gives_something_else_is_refused(tmp_path: Path) -> None:
    release = write_pose_release(tmp_path / "release", gain=2.0, golden_gain=2.05)
    assert await refused(ChildProver(), release) == "golden-failed"


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("import os; os.abort()", "golden-crashed"),
        ("print('nothing of ours')", "golden-crashed"),
        ("print('{\"off\": NaN}')", "golden-differs"),
        ("print('{\"off\": 0.02}')", "golden-differs"),
        ("import time; time.sleep(60)", "golden-slow"),
    ],
)
async def test_a_proof_that_crashes_hangs_or_misses_refuses_the_release(
    tmp_path: Path, program: str, reason: str
) -> None:
    release = write_pose_release(tmp_path / "release")
    seconds = 0.3 if reason == "golden-slow" else 30
    prover = ChildProver([sys.executable, "-c", program], prove_seconds=seconds, builds=False)
    assert await refused(prover, release) == reason


async def test_engines_that_are_not_built_in_time_refuse_the_release(tmp_path: Path) -> None:
    release = write_pose_release(tmp_path / "release")
    prover = ChildProver([sys.executable, "-c", "import time; time.sleep(60)"], build_seconds=0.3, builds=True)
    assert await refused(prover, release) == "build-slow"


def test_the_eyes_look_with_the_release_that_serves(tmp_path: Path) -> None:
    slots, release = Slots(tmp_path / "models"), write_pose_release(tmp_path / "release")
    packed = pack(read_release(release), tmp_path)
    digest = hashlib.sha256(packed.read_bytes()).hexdigest()
    slots.put_in("pose", digest, packed)
    slots.set("pose", slots.state("pose").began(digest, "manual"))
    reader = finder(tmp_path / "models")
    assert reader.read(np.zeros((48, 64, 3), np.uint8)) == []
    # On trial nothing is hidden: eyes that cannot open it end, and the trial with them.
    (slots.place("pose", digest) / "detector.onnx").write_bytes(b"torn")
    with pytest.raises(EngineError):
        finder(tmp_path / "models")


def test_a_release_without_its_networks_or_its_golden_input_is_refused(tmp_path: Path) -> None:
    for name in ("detector.onnx", "golden/input.npz"):
        release = write_pose_release(tmp_path / name.replace("/", "-"))
        (release / name).unlink()
        with pytest.raises((EngineError, UpdateRefusedError)):
            ReleasedNetworks(release, manifest_of(release)).worst(lambda _: None)
        shutil.rmtree(release)


@pytest.mark.parametrize(
    ("expected", "given_out", "share"),
    [
        (Expected((0.0, 10.0)), [0.0, 10.1], 0.01),
        (Expected((5.0, 5.0)), [5.0, 6.0], 0.2),
        (Expected((0.0,)), [0.5], 0.5),
        (Expected((1.0,), (2,)), [9.0, 9.0, 1.0], 0.0),
        (Expected((1.0,), (3,)), [9.0, 9.0, 1.0], math.inf),
        (Expected((1.0, 2.0)), [1.0], math.inf),
        (Expected((1.0,)), [math.nan], math.inf),
        (Expected((1.0,)), "text", math.inf),
        (Expected(text="four words are said"), "Four words are said ", 0.0),
        (Expected(text="abcd"), "abxd", 0.25),
        (Expected(text="abcd"), "", 1.0),
        (Expected(text="abcd"), [1.0], math.inf),
    ],
)
def test_a_difference_is_a_share_of_the_range(expected: Expected, given_out: list[float] | str, share: float) -> None:
    assert worst_share({"out": expected}, {"out": given_out}) == pytest.approx(share)
    assert worst_share({"out": expected}, {}) == math.inf


@settings(max_examples=40)
@given(
    st.recursive(st.none() | st.floats() | st.text(), lambda each: st.lists(each) | st.dictionaries(st.text(), each))
)
def test_whatever_is_stored_as_golden_output_is_read_or_refused(stored: object) -> None:
    try:
        found = read_expected(json.dumps(stored).encode())
    except UpdateRefusedError:
        return
    assert found
