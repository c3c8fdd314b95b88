import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from forge_edge.audio import files
from forge_edge.audio.ports import SAMPLE_RATE_HZ, Samples, Speech
from forge_edge.errors import AudioError, AudioUnreadableError


def sine(seconds: float, rate_hz: int, note_hz: float = 440.0) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return 0.5 * np.sin(2 * np.pi * note_hz * np.arange(int(seconds * rate_hz)) / rate_hz)


def strongest_hz(samples: Samples) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(samples)))) * SAMPLE_RATE_HZ / len(samples)


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000])
@pytest.mark.parametrize(("channels", "ending", "subtype"), [
    (1, "wav", "PCM_16"), (2, "wav", "FLOAT"), (1, "wav", "PCM_U8"), (6, "wav", "PCM_24"), (2, "flac", "PCM_16"),
    (1, "ogg", "VORBIS"), (1, "wav", "ULAW"),
])  # fmt: skip
def test_any_file_becomes_16_khz_mono(tmp_path: Path, rate_hz: int, channels: int, ending: str, subtype: str) -> None:
    path = tmp_path / f"sound.{ending}"
    soundfile.write(path, np.tile(sine(1.0, rate_hz)[:, None], channels), rate_hz, subtype=subtype)
    samples = files.load(path)
    assert samples.dtype == np.int16
    assert samples.ndim == 1
    assert len(samples) == pytest.approx(SAMPLE_RATE_HZ, abs=200)
    assert strongest_hz(samples) == pytest.approx(440, abs=2)
    assert np.abs(samples).max() == pytest.approx(16_384, rel=0.1)


@settings(max_examples=30)
@given(samples=st.lists(st.integers(-32_768, 32_767), min_size=1, max_size=200))
def test_what_was_saved_is_loaded_bit_for_bit(tmp_path_factory: pytest.TempPathFactory, samples: list[int]) -> None:
    path = tmp_path_factory.mktemp("sound") / "speech.wav"
    sound = np.array(samples, dtype=np.int16)
    files.save(path, Speech("words", sound))
    assert np.array_equal(files.load(path), sound)


def test_values_that_are_no_sound_are_clipped_or_silent(tmp_path: Path) -> None:
    path = tmp_path / "wild.wav"
    soundfile.write(path, np.array([np.nan, np.inf, -np.inf, 5.0, -5.0]), 16_000, subtype="FLOAT")
    assert files.load(path).tolist() == [0, 32_767, -32_768, 32_767, -32_768]


@pytest.mark.parametrize(("name", "content"), [
    ("missing.wav", None), ("empty.wav", b""), ("words.wav", b"these are words" * 100),
    ("headless.raw", b"\x00" * 1000), ("cut.wav", b"RIFF\x24\x00\x00\x00WAVE"),
])  # fmt: skip
def test_a_file_that_holds_no_sound_is_refused_by_its_name_alone(
    tmp_path: Path, name: str, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(AudioUnreadableError, match=name) as caught:
        files.load(tmp_path / name)
    assert str(tmp_path) not in str(caught.value)


def test_a_header_without_sound_is_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "silent.wav", np.zeros(0), 16_000)
    with pytest.raises(AudioUnreadableError, match=r"silent\.wav"):
        files.load(tmp_path / "silent.wav")


def test_a_folder_is_no_sound_file(tmp_path: Path) -> None:
    with pytest.raises(AudioUnreadableError):
        files.load(tmp_path)


def test_saving_replaces_the_file_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "speech.wav"
    path.write_bytes(b"old")
    files.save(path, Speech("words", np.ones(100, np.int16)))
    assert [entry.name for entry in tmp_path.iterdir()] == ["speech.wav"]
    assert len(files.load(path)) == 100


def test_saving_into_a_folder_that_is_not_there_is_an_audio_error(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match=r"speech\.wav"):
        files.save(tmp_path / "nowhere" / "speech.wav", Speech("words", np.ones(100, np.int16)))


def test_a_file_in_real_time_takes_its_time(tmp_path: Path) -> None:
    path = tmp_path / "short.wav"
    files.save(path, Speech("", np.ones(1600, np.int16)))
    source = files.FileSource(path, real_time=True)
    started = time.monotonic()
    while source.read() is not None:
        pass
    assert time.monotonic() - started == pytest.approx(1.12, abs=0.3)
