import pytest

from forge_edge.speech.wordings import wordings
from forge_language.crisis import judge


@pytest.mark.parametrize("kind", ["breathing", "chest", "die", "overdose", "help"])
def test_the_safety_phrases_that_name_a_danger_call_somebody(kind: str) -> None:
    phrases = wordings().safety[kind]
    assert [words for words in phrases if not judge(words).crisis] == []
