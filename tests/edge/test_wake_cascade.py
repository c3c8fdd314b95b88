import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forge_edge.audio.activity import VoiceActivity
from forge_edge.audio.noise import QUIET_DBFS, room_noise
from forge_edge.audio.ports import CHUNK_SAMPLES, Samples
from forge_edge.errors import EngineMissingError
from forge_edge.speech.flite import FliteSynthesiser
from forge_edge.wake import quiet
from forge_edge.wake.cascade import CascadeWakeWords
from forge_edge.wake.decision import certainty
from forge_edge.wake.micro import BUILT_IN_WORDS, CHANNELS, Frame, MicroEngine
from forge_edge.wake.ports import Detection, WakeWord
from forge_edge.wake.verifier import WINDOW_FRAMES, Verifier

MODEL = Path(__file__).parents[2] / "models" / "wake"
SILENCE = np.zeros(16_000, np.int16)
OUTPUTS = len(BUILT_IN_WORDS)


def said(words: str, voice: str = "rms") -> Samples:
    return FliteSynthesiser(voice).synthesise(words).samples


def detections(detector: WakeWord, *sounds: Samples) -> list[Detection]:
    stream = np.concatenate(sounds)
    heard = (detector.feed(stream[at : at + CHUNK_SAMPLES]) for at in range(0, len(stream), CHUNK_SAMPLES))
    return [detection for detection in heard if detection is not None]


def with_opinion(log_odds: float, words: tuple[str, ...] = BUILT_IN_WORDS) -> Verifier:
    layers = {name: np.zeros_like(value) for name, value in Verifier.load().layers.items()}
    layers["biases4"] = np.full(len(words), log_odds, np.float32)
    layers["weights4"] = layers["weights4"][:, : len(words)]
    return Verifier(words, layers)


@pytest.fixture(scope="module")
def word() -> Samples:
    return said("Alexa")


def test_the_verifier_takes_back_what_the_engine_heard(word: Samples) -> None:
    assert detections(CascadeWakeWords(("alexa",), verifier=with_opinion(-9.0)), SILENCE, word, SILENCE) == []
    (heard,) = detections(CascadeWakeWords(("alexa",), verifier=with_opinion(9.0)), SILENCE, word, SILENCE)
    assert heard.word == "alexa"
    assert heard.score >= 0.5


def test_a_word_that_the_verifier_does_not_know_is_left_to_the_engine(word: Samples) -> None:
    verifier = with_opinion(-9.0, ("okay_nabu",))
    assert len(detections(CascadeWakeWords(("alexa",), verifier=verifier), SILENCE, word, SILENCE)) == 1


def test_without_its_verifier_a_room_still_wakes(word: Samples, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> Verifier:
        raise EngineMissingError("missing")

    monkeypatch.setattr(Verifier, "load", missing)
    assert len(detections(CascadeWakeWords(("alexa",)), SILENCE, word, SILENCE)) == 1


def test_a_rooms_own_threshold_decides(word: Samples) -> None:
    (heard,) = detections(CascadeWakeWords(("alexa",), threshold=0.05), SILENCE, word, SILENCE)
    assert heard.score >= 0.05
    above = CascadeWakeWords(("alexa",), threshold=1.0)
    assert detections(above, SILENCE, word, SILENCE) == []
    # The missed call is known by its score, so that it can speak for a lower threshold.
    assert max(almost.score for almost in above.almost) >= heard.score
    above.reset()
    assert above.almost == ()


def test_all_built_in_words_are_verified() -> None:
    assert set(Verifier.load().words) == set(BUILT_IN_WORDS)


@pytest.mark.parametrize("words", ["jarvis", "hey travis", "hey service", "alexandra", "election", "a taxi", "okay"])
def test_what_only_sounds_like_a_word_does_not_wake(words: str) -> None:
    assert detections(CascadeWakeWords(BUILT_IN_WORDS), SILENCE, said(words), SILENCE) == []


def test_bangs_and_hiss_do_not_wake() -> None:
    random = np.random.default_rng(2)
    bangs = random.standard_normal(48_000) * 12_000 * np.exp(-np.arange(48_000) % 9_000 / 900)
    hiss = random.standard_normal(48_000) * np.linspace(10, 6_000, 48_000)
    sounds = [np.clip(sound, -32_768, 32_767).astype(np.int16) for sound in (bangs, hiss)]
    assert detections(CascadeWakeWords(BUILT_IN_WORDS, threshold=0.05), *sounds, SILENCE) == []


def test_what_the_engine_takes_for_a_word_wakes_nobody_without_a_voice(
    word: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(VoiceActivity, "probability", lambda *_: 0.1)
    assert detections(CascadeWakeWords(("alexa",)), SILENCE, word, SILENCE) == []


@pytest.mark.parametrize("noise", [0.0, 32_768 * 10 ** (QUIET_DBFS / 20)], ids=["silence", "quiet room"])
def test_after_a_quiet_hour_the_first_word_wakes(word: Samples, noise: float, monkeypatch: pytest.MonkeyPatch) -> None:
    scored: list[str] = []
    score = MicroEngine.score

    def counted(engine: MicroEngine, word: str, frame: Frame) -> float:
        scored.append(word)
        return score(engine, word, frame)

    monkeypatch.setattr(MicroEngine, "score", counted)
    detector = CascadeWakeWords(("alexa",))
    room = (room_noise(1)[: 16_000 * 12] * noise).astype(np.int16)
    assert detections(detector, room) == []
    # The models rest: of 1,200 frames they heard the first seconds alone.
    assert len(scored) < 600
    assert len(detections(detector, word, SILENCE)) == 1


def test_on_waking_the_frames_before_the_first_loud_one_are_heard_in_order() -> None:
    gate = quiet.Quiet()
    frames = [np.full((1, 1, CHANNELS), 0.001 * number) for number in range(400)]
    heard = [due for frame in frames for due in gate.due(frame)]
    assert gate.asleep
    assert len(heard) == quiet.FALL_ASLEEP_FRAMES
    loud = np.full((1, 1, CHANNELS), 20.0)
    due = gate.due(loud)
    assert [frame[0, 0, 0] for frame in due] == [f[0, 0, 0] for f in frames[-quiet.REPLAYED_FRAMES :]] + [20.0]
    assert gate.due(loud) == (loud,)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return Path(shutil.copytree(MODEL, tmp_path / "wake"))


def test_weights_that_are_not_those_of_the_manifest_are_refused(model: Path) -> None:
    weights = model / "verifier.npz"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x00\x01")
    with pytest.raises(EngineMissingError, match="manifest"):
        Verifier.load(model)


@pytest.mark.parametrize("damaged", ["verifier.npz", "manifest.json"])
def test_a_missing_or_damaged_model_is_refused(model: Path, damaged: str) -> None:
    (model / damaged).write_bytes(b"[]")
    with pytest.raises(EngineMissingError):
        Verifier.load(model)
    (model / damaged).unlink()
    with pytest.raises(EngineMissingError):
        Verifier.load(model)


def test_the_golden_output_is_reproduced_here() -> None:
    golden = json.loads((MODEL / "golden.json").read_text())
    frames = np.asarray(golden["input"], np.float32) / golden["input_scale"]
    assert frames.shape == (WINDOW_FRAMES, CHANNELS)
    odds = Verifier.load(MODEL).log_odds(frames)
    assert odds == pytest.approx(golden["output"], abs=golden["tolerance"])


def test_the_weights_stay_small() -> None:
    assert (MODEL / "verifier.npz").stat().st_size < 1_000_000


@given(st.floats(0, 1), st.floats(0.5, 0.99), st.floats(-20, 20), st.floats(0, 1), st.floats(0, 10))
def test_more_of_either_opinion_is_never_less_certain(
    score: float, cutoff: float, verdict: float, more_score: float, more_verdict: float
) -> None:
    before = certainty(score, cutoff, verdict)
    assert 0 <= before <= 1
    assert certainty(min(1.0, score + more_score), cutoff, verdict) >= before
    assert certainty(score, cutoff, verdict + more_verdict) >= before


@given(st.floats(0.5, 0.99), st.floats(0, 1))
def test_alone_the_engine_decides_by_its_published_cut_off(cutoff: float, score: float) -> None:
    assert (certainty(score, cutoff, None) >= 0.5) == (score >= cutoff) or abs(score - cutoff) < 0.002
