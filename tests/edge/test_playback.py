import threading
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from forge_edge.audio.earcons import sound
from forge_edge.audio.playback import SpeakerSink
from forge_edge.audio.ports import CHUNK_SAMPLES, Earcon, Speech
from forge_edge.errors import AudioError


def test_the_listening_tone_is_short_soft_rises_and_does_not_click() -> None:
    tone = sound("listening")
    assert tone.dtype == np.int16
    assert len(tone) == 3200
    assert 1_000 < np.abs(tone).max() < 6_000
    assert abs(int(tone[0])) < 10
    assert abs(int(tone[-1])) < 100
    first, second = (np.argmax(np.abs(np.fft.rfft(half))) for half in np.split(tone, 2))
    assert second > first


def test_a_missing_loudspeaker_is_named_and_the_doctor_pointed_to() -> None:
    with pytest.raises(AudioError, match=r"'no such loudspeaker'.*forge-edge doctor"):
        SpeakerSink("no such loudspeaker")


class Device:
    """A loudspeaker that can be unplugged and plugged in again."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.is_missing = False
        self.after_write: Callable[[], object] = lambda: None

    def open(self, _: str | None) -> "Device":
        self._call("open")
        return self

    def _call(self, name: str) -> None:
        if self.is_missing:
            raise AudioError("unplugged")
        self.calls.append(name)

    def start(self) -> None:
        self._call("start")

    def write(self, block: NDArray[np.int16]) -> None:
        assert block.shape[1] == 1
        self._call("write")
        self.after_write()

    def stop(self) -> None:
        self._call("stop")

    def abort(self) -> None:
        self._call("abort")

    def close(self) -> None:
        self._call("close")


def words(chunks: int) -> Speech:
    return Speech("words", np.ones(chunks * CHUNK_SAMPLES, np.int16))


def test_a_loudspeaker_that_vanishes_is_opened_anew_by_the_next_playback() -> None:
    device = Device()
    device.is_missing = True
    sink = SpeakerSink(None, may_be_missing=True, open_stream=device.open)
    with pytest.raises(AudioError):
        sink.play(words(1))
    device.is_missing = False
    sink.play(words(1))
    assert device.calls == ["open", "start", "write", "stop"]
    device.is_missing = True
    with pytest.raises(AudioError):
        sink.play(words(1))
    device.is_missing = False
    sink.tone("muted")
    assert device.calls[4:6] == ["open", "start"]


def test_sentences_that_follow_each_other_are_played_without_a_gap() -> None:
    device = Device()
    sink = SpeakerSink(None, open_stream=device.open)
    sink.play(words(2), more=True)
    sink.play(words(1))
    assert device.calls == ["open", "start", "write", "write", "write", "stop"]


def test_speech_is_cut_within_one_chunk_and_never_begins_once_it_is_cancelled() -> None:
    device = Device()
    sink = SpeakerSink(None, open_stream=device.open)
    device.after_write = sink.stop
    sink.play(words(100))
    assert device.calls == ["open", "start", "write", "abort"]
    cancelled = threading.Event()
    cancelled.set()
    sink.play(words(100), cancelled=cancelled)
    assert device.calls[4:] == ["start", "abort"]


def test_every_earcon_sounds_different_and_none_clicks() -> None:
    names: tuple[Earcon, ...] = ("listening", "muted")
    sounds = [sound(name) for name in names]
    assert len({made.tobytes() for made in sounds}) == len(names)
    assert all(abs(int(made[0])) < 10 and abs(int(made[-1])) < 100 for made in sounds)
