import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from forge_edge.audio.patient import PatientScript
from forge_edge.audio.playback import SpeakerSink
from forge_edge.audio.ports import AudioSink, Speech
from forge_edge.audio.simulated import SimulatedRoom
from forge_edge.errors import AudioError


def loudspeaker() -> AudioSink:
    try:
        return SpeakerSink(None)
    except AudioError:
        pytest.skip("this machine has no loudspeaker")


@pytest.fixture(
    params=[loudspeaker, lambda: SimulatedRoom(PatientScript(), speed=1.0).sink], ids=["speaker", "simulated"]
)
def sink(request: pytest.FixtureRequest) -> Iterator[AudioSink]:
    make: Callable[[], AudioSink] = request.param
    made = make()
    yield made
    made.close()


def timed(action: Callable[[], None]) -> float:
    started = time.monotonic()
    action()
    return time.monotonic() - started


def silence(seconds: float) -> Speech:
    return Speech("some words", np.zeros(int(seconds * 16_000), np.int16))


def test_play_returns_when_it_has_been_heard(sink: AudioSink) -> None:
    assert timed(lambda: sink.play(silence(0.5))) == pytest.approx(0.5, abs=0.3)


def test_stop_from_another_thread_ends_the_playback(sink: AudioSink) -> None:
    threading.Timer(0.2, sink.stop).start()
    assert timed(lambda: sink.play(silence(5))) < 1.5


def test_a_stop_before_does_not_silence_what_is_played_next(sink: AudioSink) -> None:
    sink.stop()
    assert timed(lambda: sink.play(silence(0.4))) > 0.3


def test_speech_without_samples_is_played_at_once(sink: AudioSink) -> None:
    assert timed(lambda: sink.play(silence(0))) < 0.5


def test_the_tone_is_short_and_closing_twice_does_nothing(sink: AudioSink) -> None:
    assert timed(sink.tone) < 1
    sink.close()
    sink.close()
