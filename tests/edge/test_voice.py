"""The room sounds as the person in it wants, says the last words again, and forgets the choice with the stay."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.edge.test_conversation import Room
from tests.edge.test_crisis_dialogue import STATES, in_state

from forge_edge.dialogue import voice_choice
from forge_edge.dialogue.sentences import ACCEPTED, NOTHING_SAID, VOICE
from forge_edge.dialogue.turn import Conversation
from forge_edge.speech.espeak import EspeakSynthesiser
from forge_edge.speech.flite import FliteSynthesiser
from forge_edge.speech.voice import PLAIN, Voice, at_volume
from forge_edge.speech.wishes import VOICE_WISHES

WAYS = sorted(set(VOICE_WISHES) - {"say-again"})
SENTENCE = "Take one tablet in the morning."


@given(st.lists(st.sampled_from(WAYS), max_size=40))
def test_however_often_it_is_changed_the_voice_stays_within_its_range(ways: list[str]) -> None:
    voice = PLAIN
    for way in ways:
        before = voice
        voice, sentence = voice_choice.adjusted(voice, way)
        assert Voice.model_validate(voice.model_dump()) == voice
        assert (sentence == VOICE[way.removeprefix("voice/")][1]) is (voice == before)


@pytest.mark.parametrize("state", [state for state in STATES if state != "idle"])
@pytest.mark.parametrize("way", ["voice/slower", "voice/louder"])
def test_in_every_state_the_voice_changes_and_the_room_asks_again_what_it_asked(state: str, way: str) -> None:
    room = in_state(state)
    before = room.now
    room.hear(VOICE_WISHES[way][0])
    assert room.instruction.voice == room.now.voice != PLAIN
    assert room.instruction.say[0] == VOICE[way.removeprefix("voice/")][0]
    assert room.now.interview is None or before.interview is not None
    if state != "request":
        assert (room.now.activity, room.now.doubted) == (before.activity, before.doubted)


def test_a_choice_is_kept_for_all_that_is_said_later_and_over_a_restart() -> None:
    room = Room().wake().hear("slower").wake().hear("water please").restart()
    assert room.instruction.voice.rate < 1
    assert Conversation().voice == PLAIN, "who comes next begins with the room's own voice"


def test_the_last_words_are_said_again_on_request() -> None:
    room = Room().wake().hear("water please")
    said = room.said
    room.wake().hear("say that again")
    assert room.said == said
    assert len(room.observed) == 1
    assert Room().wake().hear("say that again").said == NOTHING_SAID


def test_a_question_is_asked_again_where_one_is_open() -> None:
    room = Room().in_form(3)
    asked = room.instruction.say[-1]
    room.hear("say that again")
    assert asked.split("?")[0] in room.said


def test_a_promise_is_never_said_a_second_time() -> None:
    room = Room()
    room.take(room.dialogue.announce(room.now, (ACCEPTED,), repeatable=False))
    assert room.said == ACCEPTED
    assert ACCEPTED not in room.wake().hear("say that again").said


@given(st.lists(st.integers(-32_768, 32_767), min_size=1, max_size=50), st.floats(0.25, 2.0))
def test_louder_is_never_wrapped_around_and_keeps_its_sign(values: list[int], volume: float) -> None:
    samples = np.array(values, np.int16)
    changed = at_volume(samples, volume)
    assert changed.shape == samples.shape
    assert np.all(changed.astype(int) * samples.astype(int) >= 0)


def test_slower_lasts_longer_quieter_is_fainter_and_higher_is_higher() -> None:
    engine = EspeakSynthesiser(words_per_minute=150)
    plain = engine.synthesise(SENTENCE).samples
    slow = engine.synthesise(SENTENCE, Voice(rate=0.6)).samples
    assert slow.size > 1.3 * plain.size
    faint = engine.synthesise(SENTENCE, Voice(volume=0.5)).samples
    assert np.abs(faint.astype(float)).mean() == pytest.approx(np.abs(plain.astype(float)).mean() / 2, rel=0.05)
    assert _crossings(engine.synthesise(SENTENCE, Voice(pitch=1.4)).samples) != _crossings(plain)
    other = FliteSynthesiser()
    assert other.synthesise(SENTENCE, Voice(rate=0.6)).samples.size > 1.3 * other.synthesise(SENTENCE).samples.size


def test_a_dose_is_heard_as_words() -> None:
    engine = EspeakSynthesiser()
    written, said = engine.synthesise("500 mg"), engine.synthesise("five hundred milligrams")
    assert np.array_equal(written.samples, said.samples)
    assert written.text == "500 mg", "a caption shows what is written"


def _crossings(samples: np.ndarray[tuple[int, ...], np.dtype[np.int16]]) -> int:
    return int(np.count_nonzero(np.diff(np.signbit(samples))))
