import pytest
from hypothesis import given
from hypothesis import strategies as st

from forge_edge.speech import hallucination
from forge_edge.speech.wordings import wordings
from forge_shared.forms.questionnaire import installed


def fault(
    text: str, *, seconds: float = 2.0, silence: float = 0.1, mean: float = -0.3, ratio: float = 1.1
) -> hallucination.Fault | None:
    return hallucination.fault(
        text,
        seconds=seconds,
        no_speech_probability=silence,
        mean_log_probability=mean,
        compression_ratio=ratio,
        made_up=wordings().hallucinations,
    )


@pytest.mark.parametrize("option", installed()["phq-9"].questions[0].answer_option, ids=lambda option: option.code)
def test_an_answer_said_at_an_ordinary_pace_is_believed(option: object) -> None:
    assert fault(getattr(option, "display", "").lower()) is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("thank you for watching", "made-up"),
        ("well thanks for watching and goodbye", "made-up"),
        ("no no no", "repetition"),
        ("several days several days several days", "repetition"),
        ("i think that it was the day before the day before yesterday or so", "too-fast"),
    ],
)
def test_what_is_written_over_noise_is_not_believed(text: str, found: str) -> None:
    assert fault(text) == found


def test_what_the_recogniser_itself_doubts_is_not_believed() -> None:
    assert fault("several days", silence=0.7) == "silence"
    assert fault("several days", mean=-1.2) == "doubt"
    assert fault("several days", ratio=2.5) == "repetition"


def test_a_word_said_twice_is_believed() -> None:
    assert fault("no no") is None
    assert fault("yes yes several days") is None


@given(st.text(alphabet="ab ", max_size=60), st.floats(0.1, 15))
def test_any_words_can_be_judged(text: str, seconds: float) -> None:
    assert fault(" ".join(text.split()), seconds=seconds) in {None, "repetition", "too-fast"}
