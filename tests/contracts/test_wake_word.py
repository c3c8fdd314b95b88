from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from forge_edge.audio.ports import CHUNK_SAMPLES, Samples
from forge_edge.errors import EngineMissingError
from forge_edge.speech.flite import FliteSynthesiser
from forge_edge.wake.cascade import CascadeWakeWords
from forge_edge.wake.micro import MicroWakeWords
from forge_edge.wake.open_wake_word import OpenWakeWords
from forge_edge.wake.ports import REFRACTORY_SECONDS, Detection, WakeWord

SILENCE = np.zeros(16_000, np.int16)


def site_model() -> Path:
    # Stands for a word that a site has trained; its licence (CC BY-NC-SA) allows it here and not in the product.
    return Path(str(resources.files("openwakeword"))) / "resources" / "models" / "alexa_v0.1.onnx"


@pytest.fixture(scope="module", params=["micro", "cascade", "open"])
def engine(request: pytest.FixtureRequest) -> WakeWord:
    if request.param == "micro":
        return MicroWakeWords(("alexa",))
    return CascadeWakeWords(("alexa",)) if request.param == "cascade" else OpenWakeWords([site_model()])


@pytest.fixture
def detector(engine: WakeWord) -> WakeWord:
    engine.reset()
    return engine


@pytest.fixture(scope="module")
def word() -> Samples:
    return FliteSynthesiser("rms").synthesise("Alexa").samples


def detections(detector: WakeWord, *sounds: Samples, size: int = CHUNK_SAMPLES) -> list[Detection]:
    stream = np.concatenate(sounds)
    heard = (detector.feed(stream[start : start + size]) for start in range(0, len(stream), size))
    return [detection for detection in heard if detection is not None]


def test_the_word_wakes_once_soon_after_it_was_said(detector: WakeWord, word: Samples) -> None:
    (detection,) = detections(detector, SILENCE, word, SILENCE)
    assert detection.word in detector.words
    assert 0.5 <= detection.score <= 1.0
    assert 1.2 < detection.at_seconds < 1.0 + len(word) / 16_000 + 0.7


def test_other_words_noise_and_silence_do_not_wake(detector: WakeWord) -> None:
    rng = np.random.default_rng(1)
    noise = (rng.standard_normal(32_000) * 1_000).astype(np.int16)
    other = FliteSynthesiser("rms").synthesise("Could I have a glass of water, please? I am thirsty.").samples
    assert detections(detector, SILENCE, noise, other, SILENCE) == []


def test_the_size_of_the_pieces_does_not_matter(detector: WakeWord, word: Samples) -> None:
    first = detections(detector, SILENCE, word, SILENCE)
    detector.reset()
    assert detections(detector, SILENCE, word, SILENCE, size=333) == first


def test_after_a_reset_the_same_sound_is_heard_alike(detector: WakeWord, word: Samples) -> None:
    first = detections(detector, SILENCE, word, SILENCE)
    detector.reset()
    assert detections(detector, SILENCE, word, SILENCE) == first


def test_a_reset_forgets_half_a_word(detector: WakeWord, word: Samples) -> None:
    assert detections(detector, SILENCE, word[: len(word) // 2]) == []
    detector.reset()
    assert detections(detector, SILENCE, SILENCE) == []


def test_a_word_said_again_at_once_wakes_no_second_time(detector: WakeWord, word: Samples) -> None:
    heard = detections(detector, SILENCE, word, SILENCE[:4_000], word, SILENCE, SILENCE, SILENCE, word, SILENCE)
    assert len(heard) == 2
    assert heard[1].at_seconds - heard[0].at_seconds >= REFRACTORY_SECONDS


def test_an_unknown_word_is_refused_with_those_that_exist() -> None:
    with pytest.raises(EngineMissingError, match="okay_nabu"):
        MicroWakeWords(("hello_room",))
    with pytest.raises(EngineMissingError):
        MicroWakeWords(())


def test_a_missing_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineMissingError, match=r"own\.onnx"):
        OpenWakeWords([tmp_path / "own.onnx"])
    with pytest.raises(EngineMissingError):
        OpenWakeWords([])


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "own.onnx").write_bytes(b"not a model")
    with pytest.raises(EngineMissingError, match=r"own\.onnx"):
        OpenWakeWords([tmp_path / "own.onnx"])


def test_of_several_words_the_one_that_was_said_is_named(word: Samples) -> None:
    detector = MicroWakeWords(("alexa", "okay_nabu", "alexa"))
    assert detector.words == ("alexa", "okay_nabu")
    assert [detection.word for detection in detections(detector, SILENCE, word, SILENCE)] == ["alexa"]
