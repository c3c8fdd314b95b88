"""The room's own voice is taken out of what it hears, and nobody else's."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.acoustic_room import AcousticRoom, cough, voice

from forge_edge.audio.echo import DEVICE_SECONDS, OWN_SHARE, EchoCanceller, Reference
from forge_edge.audio.ports import CHUNK_SAMPLES, SAMPLE_RATE_HZ, Samples
from forge_edge.audio.voicing import voiced_seconds
from forge_edge.ears import NOISE_VOICED_SECONDS
from forge_edge.speech.espeak import EspeakSynthesiser
from forge_edge.speech.flite import FliteSynthesiser

TEXT = "I am telling the staff that you would like some water."


@cache
def speech(text: str) -> Samples:
    return EspeakSynthesiser().synthesise(text).samples


def loudness(samples: Samples) -> float:
    return float(np.sqrt(np.mean(samples.astype(np.float64) ** 2)))


@pytest.mark.parametrize("delay_ms", [10.0, 150.0])
@pytest.mark.parametrize("echo_db", [-6.0, -20.0])
def test_an_echo_is_twenty_decibels_softer_and_leaves_nothing_that_could_be_somebody(
    echo_db: float, delay_ms: float
) -> None:
    room, reference = AcousticRoom(echo_db=echo_db, delay_ms=delay_ms, speed=None), Reference()
    canceller = EchoCanceller(reference)
    reference.add(speech(TEXT))
    room.happens(room.echo_of(speech(TEXT)), in_seconds=delay_ms / 1000)
    heard, left, shares = [], [], []
    for _ in range(len(speech(TEXT)) // CHUNK_SAMPLES):
        chunk = room.read()
        assert chunk is not None
        heard.append(chunk.samples)
        left.append(canceller.clean(chunk.samples))
        shares.append(canceller.own_share)
    assert loudness(np.concatenate(left)) < loudness(np.concatenate(heard)) / 10
    loud = [share for share, samples in zip(shares, heard, strict=True) if loudness(samples) > 300]
    assert np.mean(np.array(loud) > OWN_SHARE) < 0.2


def test_while_the_room_is_silent_sound_passes_unchanged() -> None:
    canceller = EchoCanceller(Reference())
    samples = np.arange(CHUNK_SAMPLES, dtype=np.int16)
    assert np.array_equal(canceller.clean(samples), samples)
    assert canceller.own_share == 1.0


def test_sound_that_nobody_will_hear_any_more_is_not_expected_as_an_echo() -> None:
    reference = Reference()
    reference.add(np.ones(10 * SAMPLE_RATE_HZ, np.int16))
    reference.cut()
    taken = 0
    while reference.take() is not None:
        taken += 1
    assert taken * CHUNK_SAMPLES / SAMPLE_RATE_HZ == pytest.approx(DEVICE_SECONDS, abs=0.033)


@given(st.lists(st.integers(0, 3000), max_size=20))
def test_what_is_played_is_handed_on_in_order_and_whole(lengths: list[int]) -> None:
    reference = Reference()
    played = [np.full(length, number + 1, np.int16) for number, length in enumerate(lengths)]
    for samples in played:
        reference.add(samples)
    taken = []
    while (piece := reference.take()) is not None:
        assert piece.shape == (CHUNK_SAMPLES,)
        taken.append(piece)
    expected = np.concatenate([*played, np.zeros(0, np.int16)])
    whole = np.concatenate([*taken, np.zeros(0, np.int16)])
    assert np.array_equal(whole[: len(expected)], expected)
    assert not np.any(whole[len(expected) :])


@pytest.mark.parametrize("name", ["en-us", "en-gb-scotland", "en-us+f3", "en-us+m3", "slt", "kal"])
@pytest.mark.parametrize("word", ["yes", "no", "nope", "pain"])
def test_the_shortest_answers_have_a_voice(name: str, word: str) -> None:
    engine = FliteSynthesiser(name) if name in ("slt", "kal") else EspeakSynthesiser(name)
    spoken = voice(engine.synthesise(word).samples).astype(np.int16)
    assert voiced_seconds(spoken) >= NOISE_VOICED_SECONDS


def test_coughs_have_none() -> None:
    voiced = [voiced_seconds(cough(seed).astype(np.int16)) for seed in range(60)]
    assert np.mean(np.array(voiced) < NOISE_VOICED_SECONDS) > 0.95
