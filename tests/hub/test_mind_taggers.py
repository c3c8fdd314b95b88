"""Passes over one utterance: every tag quotes its evidence, and no evidence means no tag."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forge_hub.mind.taggers import tags_of
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


@given(st.one_of(WORDS, st.text(max_size=80)))
def test_every_tag_quotes_words_of_the_text_and_stays_in_its_range(text: str) -> None:
    tags = tags_of(text)
    for tag in tags.distortions:
        assert tag.label in DISTORTIONS
        assert 0 <= tag.start < tag.end <= len(text)
        assert 0 < tag.confidence <= 1
    if tags.felt is not None:
        assert 0 <= tags.felt.start < tags.felt.end <= len(text)
        assert -1 <= tags.felt.valence <= 1
        assert -1 <= tags.felt.arousal <= 1
        assert 0 < tags.felt.confidence <= 1
        assert tags.felt.quadrant == quadrant_of(tags.felt.valence, tags.felt.arousal)


def test_a_harsh_word_about_oneself_is_a_distortion_and_unpleasant() -> None:
    tags = tags_of(SAD_AND_CERTAIN)
    assert tags.distortions
    assert tags.felt is not None
    assert tags.felt.quadrant.startswith("unpleasant")
    assert "failure" in SAD_AND_CERTAIN[tags.felt.start : tags.felt.end]


@pytest.mark.parametrize("text", ["The tray is on the table.", "At nine.", "", "!!!"])
def test_words_without_feeling_are_unknown_and_not_neutral(text: str) -> None:
    assert tags_of(text).felt is None
    assert tags_of(text).distortions == ()


@pytest.mark.parametrize("kind", get_args(Kind))
def test_what_the_redactor_put_in_place_of_a_name_or_number_feels_nothing(kind: str) -> None:
    assert tags_of(f"[{kind}] is at the table with [{kind}].") == tags_of("It is at the table.")
