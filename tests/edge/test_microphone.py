import threading
import time

import numpy as np
import pytest

from forge_edge.audio import microphone
from forge_edge.audio.microphone import MicrophoneSource, OnSamples
from forge_edge.audio.ports import CHUNK_SAMPLES
from forge_edge.errors import AudioSourceLostError


class Capture:
    """A sound card that can be unplugged, muted and plugged in again."""

    def __init__(self) -> None:
        self.active = True
        self.opened = 0
        self.closed = 0
        self.is_missing = False
        self.deliver: OnSamples = lambda _: None

    def open(self, _device: str | None, on_samples: OnSamples) -> "Capture":
        if self.is_missing:
            raise AudioSourceLostError("no such device")
        self.opened += 1
        self.active = True
        self.deliver = on_samples
        return self

    def close(self) -> None:
        self.closed += 1

    def hears(self, *values: int) -> None:
        for value in values:
            self.deliver(np.full(CHUNK_SAMPLES, value, np.int16))


@pytest.fixture
def capture() -> Capture:
    return Capture()


@pytest.fixture
def source(capture: Capture) -> MicrophoneSource:
    return MicrophoneSource(None, open_stream=capture.open)


def first_samples(source: MicrophoneSource, count: int) -> list[int]:
    chunks = [source.read() for _ in range(count)]
    return [int(chunk.samples[0]) for chunk in chunks if chunk is not None]


def test_sound_arrives_in_order_with_its_time(capture: Capture, source: MicrophoneSource) -> None:
    capture.hears(1, 2, 3)
    chunks = [source.read() for _ in range(3)]
    assert [(chunk.samples[0], chunk.at_seconds) for chunk in chunks if chunk] == [(1, 0.0), (2, 0.032), (3, 0.064)]


def test_a_slow_reader_loses_the_oldest_sound_and_it_is_counted(capture: Capture, source: MicrophoneSource) -> None:
    capture.hears(*range(1, microphone.QUEUE_CHUNKS + 4))
    assert first_samples(source, 1) == [4]
    assert source.dropped_chunks == 3


def test_what_was_captured_while_the_room_spoke_is_forgotten(capture: Capture, source: MicrophoneSource) -> None:
    capture.hears(1, 2)
    source.discard()
    capture.hears(3)
    chunk = source.read()
    assert chunk is not None
    assert (chunk.samples[0], chunk.at_seconds) == (3, 0.064)


def test_a_microphone_that_delivers_nothing_is_lost_after_two_seconds(source: MicrophoneSource) -> None:
    started = time.monotonic()
    with pytest.raises(AudioSourceLostError, match="nothing for 2 s"):
        source.read()
    assert time.monotonic() - started == pytest.approx(2, abs=0.5)


def test_a_microphone_that_is_unplugged_is_lost_at_once(capture: Capture, source: MicrophoneSource) -> None:
    capture.active = False
    started = time.monotonic()
    with pytest.raises(AudioSourceLostError, match="ended"):
        source.read()
    assert time.monotonic() - started < 1


def test_a_device_that_delivers_exact_zeros_is_opened_anew_every_ten_seconds(
    capture: Capture, source: MicrophoneSource
) -> None:
    for _ in range(314):
        capture.hears(0)
        assert source.read() is not None
    assert (capture.opened, capture.closed) == (2, 1)
    capture.hears(7)
    assert first_samples(source, 1) == [7]


def test_a_quiet_room_is_not_taken_for_a_dead_microphone(capture: Capture, source: MicrophoneSource) -> None:
    for number in range(400):
        capture.hears(1 if number % 100 == 0 else 0)
        assert source.read() is not None


def test_a_lost_microphone_is_opened_anew_by_the_next_read(capture: Capture, source: MicrophoneSource) -> None:
    capture.active = False
    capture.is_missing = True
    for _ in range(2):
        with pytest.raises(AudioSourceLostError):
            source.read()
    capture.is_missing = False
    threading.Timer(0.1, lambda: capture.hears(7)).start()
    assert first_samples(source, 1) == [7]
    assert (capture.opened, capture.closed) == (2, 1)


def test_a_closed_microphone_is_released_once_and_has_ended(capture: Capture, source: MicrophoneSource) -> None:
    source.close()
    source.close()
    assert source.read() is None
    assert capture.closed == 1


def test_a_missing_microphone_is_named_and_the_doctor_pointed_to() -> None:
    with pytest.raises(AudioSourceLostError, match=r"'no such microphone'.*forge-edge doctor"):
        MicrophoneSource("no such microphone")


def test_the_devices_of_this_machine_can_be_listed() -> None:
    assert all(device.inputs >= 0 and device.name for device in microphone.devices())
