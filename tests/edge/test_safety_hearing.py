import pytest

from forge_edge.speech.safety import danger
from forge_edge.speech.wordings import wordings


def test_danger_heard_beside_an_answer_is_judged() -> None:
    assert danger("several days", accepted=True, safety="i want to die").crisis
    assert danger("", accepted=False, safety="i can't breathe").priority == "urgent"


def test_a_guess_raises_no_alarm_and_an_accepted_sentence_does() -> None:
    assert not danger("i want to die", accepted=False, safety=None).crisis
    assert danger("i want to die", accepted=True, safety=None).crisis
    assert danger("several days", accepted=True, safety=None).priority == "none"


@pytest.mark.parametrize("kind", ["breathing", "chest", "die", "overdose", "help"])
def test_the_safety_phrases_that_name_a_danger_call_somebody(kind: str) -> None:
    phrases = wordings().safety[kind]
    assert [words for words in phrases if not danger("", accepted=False, safety=words).crisis] == []
