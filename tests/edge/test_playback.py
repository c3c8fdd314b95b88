import numpy as np
import pytest

from forge_edge.audio.earcons import sound
from forge_edge.audio.playback import SpeakerSink
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
