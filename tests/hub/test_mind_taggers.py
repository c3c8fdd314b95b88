"""Passes over one utterance: every tag quotes its evidence, and no evidence means no tag."""

from concurrent.futures import ThreadPoolExecutor
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forge_hub.mind.inference import Framework, Inference
from forge_hub.mind.taggers import MOST_SURE, installed
from forge_language.redaction import Kind
from forge_language.taxonomy import DISTORTIONS, quadrant_of

SAD_AND_CERTAIN = "I am such a failure and everyone must think I am worthless."

WORDS = st.lists(
    st.sampled_from(
        [
            "I",
            "always",
            "never",
            "must",
            "think",
            "everyone",
            "failure",
            "happy",
            "pain",
            "not",
            "!",
            "?",
            ".",
            "[NAME]",
            "🙂",
        ]
    ),
    max_size=30,
).map(" ".join)


@settings(max_examples=30, deadline=None)
@given(st.one_of(WORDS, st.text(max_size=80)))
def test_every_inference_quotes_words_of_the_text_and_every_utterance_has_one_affect_in_its_range(text: str) -> None:
    inferences = installed().infer([text])[0]
    assert [found.framework for found in inferences].count("affect") == bool(text.strip())
    for found in inferences:
        assert 0 <= found.start <= found.end <= len(text)
        assert 0 <= found.confidence <= MOST_SURE
        if found.framework == "distortion":
            assert found.label in DISTORTIONS
            assert found.start < found.end
        if found.framework == "affect":
            assert found.valence is not None
            assert found.arousal is not None
            assert -1 <= found.valence <= 1
            assert -1 <= found.arousal <= 1
            assert found.label == quadrant_of(found.valence, found.arousal)


def of(text: str, framework: Framework) -> list[Inference]:
    return [found for found in installed().infer([text])[0] if found.framework == framework]


def test_a_harsh_word_about_oneself_is_a_distortion_and_unpleasant() -> None:
    assert of(SAD_AND_CERTAIN, "distortion")
    [felt] = of(SAD_AND_CERTAIN, "affect")
    assert felt.label.startswith("unpleasant")
    assert "failure" in SAD_AND_CERTAIN[felt.start : felt.end]


@pytest.mark.parametrize("text", ["The tray is on the table.", "At nine."])
def test_an_everyday_sentence_has_its_place_on_the_circumplex_near_the_centre_and_no_distortion(text: str) -> None:
    [felt] = of(text, "affect")
    assert felt.valence is not None
    assert abs(felt.valence) < 0.4
    assert of(text, "distortion") == []


@pytest.mark.parametrize("text", ["", "  ", "\n"])
def test_where_nothing_was_said_nothing_is_inferred(text: str) -> None:
    assert installed().infer([text]) == [()]


@pytest.mark.parametrize("kind", get_args(Kind))
def test_what_the_redactor_put_in_place_of_a_name_or_number_says_nothing_by_its_kind(kind: str) -> None:
    [marked], [other] = (
        of(f"[{kind}] is at the table with [{kind}].", "affect"),
        of("[NAME] is at the table with [NAME].", "affect"),
    )
    assert (marked.valence, marked.arousal) == (other.valence, other.arousal)


def test_what_head_and_pattern_say_alike_of_one_place_is_one_inference_by_both() -> None:
    found = of(SAD_AND_CERTAIN, "distortion")
    assert "head+patterns" in {one.method for one in found}
    for one in found:
        assert SAD_AND_CERTAIN[one.start : one.end].strip()
        same = [each for each in found if each.label == one.label and each.start < one.end and one.start < each.end]
        assert same == [one]


def test_patterns_alone_name_nothing_since_they_explain_and_do_not_detect() -> None:
    said = "I should take my tablets at eight."
    assert of(said, "distortion") == []


def test_at_most_three_distortions_are_named_by_the_head_the_likeliest_first() -> None:
    found = [one for one in of(SAD_AND_CERTAIN, "distortion") if one.method.startswith("head")]
    assert 1 <= len(found) <= 3


def test_an_emotion_is_quoted_at_the_word_that_speaks_for_it() -> None:
    said = "Well, thank you so much for the soup."
    [thanked] = [one for one in of(said, "emotion") if one.label == "gratitude"]
    assert "thank" in said[thanked.start : thanked.end].lower()


def test_any_number_of_threads_are_told_the_same() -> None:
    texts = [SAD_AND_CERTAIN, "The tray is on the table.", "I love my sister."] * 4
    expected = installed().infer(texts)
    with ThreadPoolExecutor(4) as threads:
        assert all(found == expected for found in threads.map(lambda _: installed().infer(texts), range(8)))


def test_many_texts_are_read_as_each_alone() -> None:
    texts = [SAD_AND_CERTAIN, "", "The tray is on the table."]
    assert installed().infer(texts) == [installed().infer([text])[0] for text in texts]


def test_the_surest_word_about_a_mind_is_not_certain() -> None:
    [love] = of("I have always loved my sister", "emotion")
    assert (love.label, love.confidence) == ("love", MOST_SURE)
