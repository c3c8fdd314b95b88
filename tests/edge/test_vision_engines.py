"""Engines that were built on the device: which one is used, and why another is not."""

import json
import os
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from forge_edge.errors import InferenceError
from forge_edge.vision.engines import EngineKey, EngineStore, Found, Staleness, device_name, l4t_release, shapes
from forge_edge.vision.runtime import DETECTOR

KEY = EngineKey(
    "detector", "ab" * 32, shapes(DETECTOR), "fp16", "10.3.0", "8.7", "NVIDIA Jetson Orin Nano Developer Kit", "36.4.3"
)
FIRST, SECOND = b"first engine" * 100, b"second engine" * 100


def accepted(_: bytes) -> None: ...


def stored(folder: Path, engine: bytes = FIRST, key: EngineKey = KEY) -> EngineStore:
    store = EngineStore(folder)
    store.build(key, lambda: engine, accepted)
    return store


def sidecar(folder: Path) -> Path:
    return folder / "detector.json"


def engine_file(folder: Path) -> Path:
    return folder / str(json.loads(sidecar(folder).read_bytes())["file"])


def test_an_engine_is_found_for_what_it_was_built_for(tmp_path: Path) -> None:
    assert stored(tmp_path).find(KEY) == Found(FIRST, None)


CHANGED = {
    "model": ("cd" * 32, "model-changed"),
    "shapes": (("input 1x192x192x3",), "shapes-changed"),
    "precision": ("fp32", "precision-changed"),
    "tensorrt": ("10.7.0", "tensorrt-changed"),
    "capability": ("7.2", "capability-changed"),
    "device": ("NVIDIA Jetson AGX Orin", "device-changed"),
    "l4t": ("38.2.0", "l4t-changed"),
}


@pytest.mark.parametrize("field", CHANGED)
def test_an_engine_that_was_built_for_something_else_is_stale(field: str, tmp_path: Path) -> None:
    value, reason = CHANGED[field]
    assert stored(tmp_path).find(replace(KEY, **{field: value})) == Found(None, reason)  # type: ignore[arg-type]


def truncated(folder: Path) -> None:
    engine_file(folder).write_bytes(engine_file(folder).read_bytes()[:-1])


def altered(folder: Path) -> None:
    engine_file(folder).write_bytes(engine_file(folder).read_bytes()[:-1] + b"!")


def without_sidecar(folder: Path) -> None:
    sidecar(folder).unlink()


def half_written(folder: Path) -> None:
    """Power failed after the engine's first bytes: a temporary file, and no sidecar."""
    sidecar(folder).unlink()
    engine_file_path = next(folder.glob("*.engine"))
    engine_file_path.rename(folder / f".{engine_file_path.name}.tmp")


def sidecar_cut(folder: Path) -> None:
    sidecar(folder).write_bytes(sidecar(folder).read_bytes()[:-40])


def engine_gone(folder: Path) -> None:
    engine_file(folder).unlink()


def sidecar_points_outside(folder: Path) -> None:
    record = json.loads(sidecar(folder).read_bytes())
    sidecar(folder).write_text(json.dumps(record | {"file": "../detector.engine"}))


DAMAGED: dict[Callable[[Path], None], Staleness] = {
    truncated: "file-truncated",
    altered: "file-altered",
    without_sidecar: "absent",
    half_written: "absent",
    sidecar_cut: "sidecar-damaged",
    engine_gone: "file-missing",
    sidecar_points_outside: "sidecar-damaged",
}


@pytest.mark.parametrize("damage", DAMAGED, ids=lambda damage: damage.__name__)
def test_a_damaged_engine_is_not_used_and_a_new_build_mends_it(damage: Callable[[Path], None], tmp_path: Path) -> None:
    store = stored(tmp_path)
    damage(tmp_path)
    assert store.find(KEY) == Found(None, DAMAGED[damage])
    store.build(KEY, lambda: SECOND, accepted)
    assert store.find(KEY) == Found(SECOND, None)
    assert [path.suffix for path in tmp_path.glob("*.engine")] == [".engine"], "what cannot be used is removed"
    assert not list(tmp_path.glob(".*.tmp"))


def test_the_engine_before_the_newest_is_used_where_the_newest_is_damaged(tmp_path: Path) -> None:
    stored(tmp_path)
    store = stored(tmp_path, SECOND)
    altered(tmp_path)
    assert store.find(KEY) == Found(FIRST, "file-altered", last_good=True)


def test_going_back_to_an_older_tensorrt_finds_its_engine(tmp_path: Path) -> None:
    stored(tmp_path)
    newer = replace(KEY, tensorrt="10.7.0")
    store = stored(tmp_path, SECOND, newer)
    assert store.find(newer) == Found(SECOND, None)
    assert store.find(KEY) == Found(FIRST, "tensorrt-changed", last_good=True)


def test_two_engines_of_a_network_are_kept_and_no_more(tmp_path: Path) -> None:
    for number in range(4):
        store = stored(tmp_path, b"engine %d" % number)
    assert len(list(tmp_path.glob("*.engine"))) == 2
    assert store.find(KEY) == Found(b"engine 3", None)


def test_a_build_that_fails_changes_nothing(tmp_path: Path) -> None:
    store = stored(tmp_path)

    def refused(_: bytes) -> None:
        raise InferenceError("gives something else")

    with pytest.raises(InferenceError, match="something else"):
        store.build(KEY, lambda: SECOND, refused)
    assert store.find(KEY) == Found(FIRST, None)


def test_a_disk_that_refuses_is_an_error_of_inference_and_the_old_engine_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = stored(tmp_path)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InferenceError, match="stored"):
        store.build(KEY, lambda: SECOND, accepted)
    monkeypatch.undo()
    assert store.find(KEY) == Found(FIRST, None)


def test_two_programs_do_not_build_at_once_and_the_room_finds_the_old_engine_meanwhile(tmp_path: Path) -> None:
    store = stored(tmp_path)
    building, finish = threading.Event(), threading.Event()

    def slowly() -> bytes:
        building.set()
        assert finish.wait(10)
        return SECOND

    builder = threading.Thread(target=store.build, args=(KEY, slowly, accepted))
    builder.start()
    assert building.wait(10)
    with pytest.raises(InferenceError, match="another program"):
        store.build(KEY, lambda: SECOND, accepted)
    assert store.find(KEY) == Found(FIRST, None)
    finish.set()
    builder.join(10)
    assert store.find(KEY) == Found(SECOND, None)


def test_a_jetson_says_what_it_is(tmp_path: Path) -> None:
    release, board = tmp_path / "nv_tegra_release", tmp_path / "model"
    release.write_text("# R36 (release), REVISION: 4.3, GCID: 38968081, BOARD: generic, EABI: aarch64\n")
    board.write_bytes(b"NVIDIA Jetson Orin Nano Developer Kit\0")
    assert (l4t_release(release), device_name(board)) == ("36.4.3", KEY.device)
    assert (l4t_release(tmp_path / "none"), device_name(tmp_path / "none")) == ("", "")
