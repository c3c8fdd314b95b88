"""What the distortion patterns find and pass over; sentences of our own, none from the blind set."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forge_language.distortions import find_distortions
from forge_language.taxonomy import DISTORTIONS, DistortionId


@pytest.mark.parametrize(
    ("said", "label"),
    [
        ("If I am not first there's no point in running", "all_or_nothing"),
        ("I always mess things up", "overgeneralisation"),
        ("all i can see is that stain on the report", "mental_filter"),
        ("The prize doesn't count, anyone could have won", "disqualifying_positive"),
        ("they must think i'm stupid", "mind_reading"),
        ("I'll never drive a car", "fortune_telling"),
        ("it was a complete disaster", "magnification"),
        ("I feel guilty so I must have done something", "emotional_reasoning"),
        ("i should be able to cope with this", "should_statements"),
        ("I\u2019m such a loser", "labelling"),
        ("the divorce was all my fault", "personalisation"),
        ("it's all their fault that i drink", "blaming"),
        ("everyone else has it all together", "unfair_comparison"),
    ],
)
def test_each_distortion_is_found_in_a_plain_example(said: str, label: DistortionId) -> None:
    assert label in {tag.label for tag in find_distortions(said)}


@pytest.mark.parametrize(
    "said",
    [
        "I have always loved my sister",
        "we always have tea at four",
        "I never eat meat",
        "Do you think it's my fault?",
        'The film said "I am a loser" and we laughed',
        "she said i always mess things up",
        "it was not my fault",
        "i don't think it's my fault",
        "the kitchen at home is a mess",
        "i'm not a burden to anyone",
        "my leg hurts when i walk",
        "i should take my tablets at nine",
        "could you close the window",
        "thank you that was kind",
    ],
)
def test_ordinary_speech_questions_and_what_others_said_are_passed_over(said: str) -> None:
    assert find_distortions(said) == ()


def test_a_tag_quotes_its_words_and_claims_little() -> None:
    said = "Well. I always mess things up."
    (tag,) = find_distortions(said)
    assert said[tag.start : tag.end] == "I always mess things up"
    assert tag.confidence <= 0.4
    assert tag.source == "patterns-1"


@given(text=st.text())
def test_any_text_gives_tags_inside_it(text: str) -> None:
    for tag in find_distortions(text):
        assert 0 <= tag.start < tag.end <= len(text)
        assert tag.label in DISTORTIONS


@pytest.mark.parametrize(
    "piece", ["i feel ", "i'm a ", "my the ", "if i had ", "they all ", '"', "everyone else ", "a"]
)
def test_twenty_thousand_adversarial_characters_are_searched_in_less_than_a_second(piece: str) -> None:
    text = (piece * 20_000)[:20_000]
    find_distortions("warm")
    began = time.process_time()
    find_distortions(text)
    assert time.process_time() - began < 1.0


def test_a_sentence_is_searched_in_less_than_two_milliseconds() -> None:
    said = "i feel like i have let everybody down and they all think i am not trying hard enough to get better in here"
    find_distortions(said)
    began = time.process_time()
    for _ in range(100):
        find_distortions(said)
    assert (time.process_time() - began) / 100 < 0.002
