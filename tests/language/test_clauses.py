from hypothesis import given
from hypothesis import strategies as st

from forge_language.clauses import stretches


def quotes(text: str) -> list[str]:
    return [text[start:end] for start, end in stretches(text)]


def test_a_sentence_among_others_can_be_quoted_by_itself_and_together_with_the_next() -> None:
    found = quotes("I always mess things up. Everyone thinks I'm a failure.")
    assert "I always mess things up" in found
    assert "Everyone thinks I'm a failure" in found
    assert found[0] == "I always mess things up. Everyone thinks I'm a failure"


def test_what_a_recogniser_wrote_is_cut_at_joining_words() -> None:
    assert "so i must be one" in quotes("i went home and i feel like a failure so i must be one")


def test_where_no_word_is_nothing_can_be_quoted() -> None:
    assert stretches("") == []
    assert stretches(" ... !?") == []


@given(st.text(alphabet="ab ,.!?\n\u00e9 and but", max_size=200))
def test_every_stretch_lies_in_the_text_and_begins_and_ends_with_a_sign_of_its_own(text: str) -> None:
    for start, end in stretches(text):
        assert 0 <= start < end <= len(text)
        assert text[start:end] == text[start:end].strip()
