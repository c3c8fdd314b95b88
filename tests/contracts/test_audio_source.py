from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from forge_edge.audio.files import FileSource, save
from forge_edge.audio.microphone import MicrophoneSource, OnSamples
from forge_edge.audio.patient import PatientScript
from forge_edge.audio.ports import CHUNK_SAMPLES, AudioSource, Speech
from forge_edge.audio.simulated import SimulatedRoom


class Capture:
    active = True

    def __init__(self, on_samples: OnSamples) -> None:
        for number in range(100):
            on_samples(np.full(CHUNK_SAMPLES, number + 1, np.int16))

    def close(self) -> None:
        self.active = False


def file(folder: Path) -> AudioSource:
    save(folder / "sound.wav", Speech("", np.ones(40_001, np.int16)))
    return FileSource(folder / "sound.wav", real_time=False)


def microphone(_: Path) -> AudioSource:
    return MicrophoneSource(None, open_stream=lambda _device, on_samples: Capture(on_samples))


def simulated(_: Path) -> AudioSource:
    return SimulatedRoom(PatientScript(), speed=None).source


@pytest.fixture(params=[file, microphone, simulated], ids=["file", "microphone", "simulated"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> AudioSource:
    make: Callable[[Path], AudioSource] = request.param
    return make(tmp_path)


def test_chunks_are_32_ms_in_order_and_without_gaps(source: AudioSource) -> None:
    for number in range(90):
        chunk = source.read()
        assert chunk is not None
        assert chunk.samples.shape == (CHUNK_SAMPLES,)
        assert chunk.samples.dtype == np.int16
        assert chunk.at_seconds == pytest.approx(number * 0.032)


def test_time_never_goes_back_after_a_discard(source: AudioSource) -> None:
    before = source.read()
    source.discard()
    source.discard()
    assert before is not None
    assert before.at_seconds == 0
    source.close()


def test_a_closed_source_has_ended_and_closing_again_does_nothing(source: AudioSource) -> None:
    assert source.read() is not None
    source.close()
    source.close()
    assert source.read() is None
    assert source.read() is None


@pytest.mark.parametrize("make", [file, simulated])
def test_a_source_that_ends_stays_ended(make: Callable[[Path], AudioSource], tmp_path: Path) -> None:
    source = make(tmp_path)
    read = 0
    while source.read() is not None:
        read += 1
        assert read < 1_000
    assert 2.9 < read * 0.032 < 3.6
    assert source.read() is None
