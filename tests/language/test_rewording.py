from typing import get_args

import pytest

from forge_language.rewording import rewording
from forge_language.taxonomy import DISTORTIONS, DistortionId


@pytest.mark.parametrize("label", get_args(DistortionId))
def test_a_rewording_keeps_the_words_of_the_person_and_asks_instead_of_arguing(label: DistortionId) -> None:
    offered = rewording(label, "i always ruin everything.")
    assert "\u201ci always ruin everything\u201d" in offered
    assert offered.endswith("?") or "I would like to hear" in offered
    assert not any(word in offered.lower() for word in ("wrong", "irrational", "distort", "should", "must"))


def test_distortions_with_the_same_strategy_are_reworded_alike() -> None:
    assert rewording("personalisation", "it was me") == rewording("blaming", "it was me")
    assert len({rewording(label, "it was me") for label in DISTORTIONS}) == len(DISTORTIONS) - 1


def test_a_long_quote_is_shortened_at_a_word_and_braces_in_it_are_only_signs() -> None:
    offered = rewording("labelling", "{quote} " + "word " * 60)
    assert "word \u2026\u201d" in offered
    assert offered.startswith("\u201c{quote} word")
