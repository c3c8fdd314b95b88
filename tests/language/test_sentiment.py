import pytest
from hypothesis import given
from hypothesis import strategies as st

from forge_language.sentiment import valence_arousal
from forge_language.taxonomy import quadrant_of


def test_a_pleasant_sentence_reads_pleasant_and_an_unpleasant_one_unpleasant() -> None:
    assert valence_arousal("what a lovely visit").valence > 0.3
    assert valence_arousal("that was horrible").valence < -0.3
    assert valence_arousal("that was not lovely").valence < 0


def test_a_sentence_without_a_lexicon_word_is_neutral_and_says_it_does_not_know() -> None:
    reading = valence_arousal("the bus turns at the corner!!!")
    assert (reading.valence, reading.arousal, reading.confidence, reading.spans) == (0.0, 0.0, 0.0, ())


def test_a_reading_quotes_the_words_it_rests_on() -> None:
    said = "I am (happy), but also sad."
    reading = valence_arousal(said)
    assert [said[start:end] for start, end in reading.spans] == ["happy", "sad"]
    assert reading.source == "vader-3.3.2"


def test_stronger_words_and_exclamation_marks_read_as_more_activated() -> None:
    assert (
        valence_arousal("it is okay").arousal
        < valence_arousal("it is great").arousal
        < valence_arousal("it is great!").arousal
    )


@given(text=st.text())
def test_any_text_gives_a_reading_within_its_bounds(text: str) -> None:
    reading = valence_arousal(text)
    assert -1 <= reading.valence <= 1
    assert -1 <= reading.arousal <= 1
    assert 0 <= reading.confidence < 1
    assert all(0 <= start < end <= len(text) for start, end in reading.spans)


@pytest.mark.parametrize(
    ("valence", "arousal", "quadrant"),
    [
        (0.5, 0.5, "pleasant_activated"),
        (-0.5, 0.5, "unpleasant_activated"),
        (-0.5, -0.5, "unpleasant_deactivated"),
        (0.5, -0.5, "pleasant_deactivated"),
        (0.1, -0.1, "neutral"),
        (0.15, 0.0, "pleasant_activated"),
    ],
)
def test_a_reading_near_the_centre_is_in_no_quadrant(valence: float, arousal: float, quadrant: str) -> None:
    assert quadrant_of(valence, arousal) == quadrant
