import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forge_edge.audio.activity import (
    CHUNK_SECONDS,
    Ended,
    Endpoint,
    Endpointer,
    EndpointLimits,
    Paused,
    Started,
    TimedOut,
    VoiceActivity,
)
from forge_edge.audio.ports import CHUNK_SAMPLES
from forge_edge.errors import EngineError
from forge_edge.speech.espeak import EspeakSynthesiser

LIMITS = EndpointLimits(no_speech_seconds=3.0, longest_seconds=5.0)


def decide(probabilities: list[float], limits: EndpointLimits = LIMITS, first: float = 0.0) -> list[Endpoint]:
    endpointer = Endpointer(limits)
    decisions = (endpointer.feed(p, first + index * CHUNK_SECONDS) for index, p in enumerate(probabilities))
    return [decision for decision in decisions if decision is not None]


def seconds(length: float, probability: float) -> list[float]:
    return [probability] * round(length / CHUNK_SECONDS)


def test_an_utterance_starts_with_its_pre_roll_and_ends_after_the_silence() -> None:
    started, ended = decide(seconds(1.0, 0.0) + seconds(1.0, 0.9) + seconds(2.0, 0.0), first=100.0)
    assert isinstance(started, Started)
    assert isinstance(ended, Ended)
    assert started.at_seconds == ended.start_seconds == pytest.approx(101.0 - LIMITS.pre_roll_seconds, abs=0.05)
    assert ended.end_seconds == pytest.approx(102.0 + LIMITS.end_silence_seconds, abs=0.07)
    assert ended.reason == "silence"


def test_silence_times_out() -> None:
    (decision,) = decide(seconds(6.0, 0.1))
    assert isinstance(decision, TimedOut)
    assert decision.at_seconds == pytest.approx(3.0, abs=0.05)


def test_a_click_is_no_speech() -> None:
    (decision,) = decide(seconds(1.0, 0.0) + seconds(0.1, 1.0) + seconds(3.0, 0.0))
    assert isinstance(decision, TimedOut)


def test_a_short_no_is_speech() -> None:
    assert isinstance(decide(seconds(0.5, 0.0) + seconds(0.26, 0.8) + seconds(1.0, 0.0))[0], Started)


def test_a_pause_within_an_utterance_does_not_end_it() -> None:
    decisions = decide(seconds(0.5, 0.9) + seconds(0.5, 0.0) + seconds(0.5, 0.9) + seconds(2.0, 0.0))
    assert [type(decision) for decision in decisions] == [Started, Ended]


def test_speech_that_never_stops_is_cut() -> None:
    decision = decide(seconds(20.0, 0.9))[1]
    assert isinstance(decision, Ended)
    assert decision.reason == "longest"
    assert decision.end_seconds - decision.start_seconds == pytest.approx(LIMITS.longest_seconds, abs=0.05)


def test_between_the_thresholds_speech_goes_on_but_does_not_begin() -> None:
    assert isinstance(decide(seconds(4.0, 0.4))[0], TimedOut)
    decisions = decide(seconds(0.5, 0.9) + seconds(2.0, 0.4) + seconds(2.0, 0.0))
    assert isinstance(decisions[1], Ended)
    assert decisions[1].end_seconds > 2.5


@given(st.lists(st.floats(0, 1), max_size=700), st.floats(0, 1e5))
def test_whatever_is_heard_the_decisions_come_in_order_and_within_their_limits(
    probabilities: list[float], first: float
) -> None:
    decisions = decide(probabilities, first=first)
    kinds = [type(decision) for decision in decisions]
    assert kinds in ([], [TimedOut], [Started], [Started, Ended])
    end = first + len(probabilities) * CHUNK_SECONDS + 1e-6
    for decision in decisions:
        if isinstance(decision, Ended):
            assert first <= decision.start_seconds < decision.end_seconds <= end
            assert decision.start_seconds < decision.speech_end_seconds <= decision.end_seconds
            assert 0 < decision.speech_seconds <= decision.end_seconds - decision.start_seconds + 1e-6
            assert 0 <= decision.pause_seconds <= LIMITS.end_silence_seconds
            assert decision.end_seconds - decision.start_seconds <= LIMITS.longest_seconds + CHUNK_SECONDS + 1e-6
        else:
            assert not isinstance(decision, Paused)  # nobody asked for it
            assert first <= decision.at_seconds <= end
    if len(probabilities) * CHUNK_SECONDS > LIMITS.no_speech_seconds + 1.0:
        assert decisions, "a waiting room always gets a decision"


@given(st.lists(st.floats(0, 0.49), min_size=200, max_size=300))
def test_nothing_below_the_threshold_is_ever_speech(probabilities: list[float]) -> None:
    assert [type(decision) for decision in decide(probabilities)] == [TimedOut]


def test_speech_is_told_from_silence_and_noise() -> None:
    activity = VoiceActivity()
    rng = np.random.default_rng(3)
    speech = EspeakSynthesiser("en-us").synthesise("more than half the days").samples
    noise = (rng.standard_normal(16_000) * 500).astype(np.int16)

    def most(samples: np.ndarray) -> float:
        activity.reset()
        whole = samples[: len(samples) // CHUNK_SAMPLES * CHUNK_SAMPLES].reshape(-1, CHUNK_SAMPLES)
        return float(np.median([activity.probability(chunk) for chunk in whole]))

    assert most(speech) > 0.8
    assert most(noise) < 0.3
    assert most(np.zeros(16_000, np.int16)) < 0.1


def test_a_chunk_of_another_length_is_refused() -> None:
    with pytest.raises(EngineError):
        VoiceActivity().probability(np.zeros(CHUNK_SAMPLES - 1, np.int16))
