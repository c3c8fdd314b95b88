import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forge_edge.speech import grammar
from forge_edge.speech.grammar import Meaning, Vocabulary
from forge_edge.speech.ports import Grammar
from forge_shared.errors import FormInvalidError
from forge_shared.forms.elements import AnswerOption, Coding
from forge_shared.forms.questionnaire import Item, Questionnaire, installed

FORM = installed()["phq-9"]
NUMBER_WORDS = {"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"}


def vocabularies() -> list[Vocabulary]:
    return [*(grammar.answers(FORM, item) for item in FORM.questions), grammar.confirmation(), grammar.requests()]


def form_with_options(*displays: str) -> tuple[Questionnaire, Item]:
    options = tuple(
        AnswerOption(value_coding=Coding(system="urn:test", code=f"c{index}", display=display))
        for index, display in enumerate(displays)
    )
    item = Item(link_id="q1", type="choice", text="?", answer_option=options)
    form = Questionnaire(
        resource_type="Questionnaire",
        id="own",
        url="https://example.org/own",
        version="1",
        title="t",
        status="active",
        item=(item,),
    )
    return form, item


def test_every_option_of_every_question_can_be_said_in_the_forms_own_words() -> None:
    for item in FORM.questions:
        vocabulary = grammar.answers(FORM, item)
        for option in item.answer_option:
            for spoken in option.spoken:
                assert vocabulary.meaning(spoken) == Meaning("answer", option.code)


def test_every_phrase_has_exactly_one_meaning() -> None:
    for vocabulary in vocabularies():
        assert set(vocabulary.grammar.phrases) == set(vocabulary.meanings)
        assert len(set(vocabulary.grammar.phrases)) == len(vocabulary.grammar.phrases)


def test_a_number_alone_is_never_in_a_grammar() -> None:
    for vocabulary in vocabularies():
        assert not NUMBER_WORDS & set(vocabulary.grammar.phrases)
        assert not any(re.search(r"\d", phrase) for phrase in vocabulary.grammar.phrases)


@pytest.mark.parametrize(
    ("phrase", "code"),
    [
        *(("repeat the question", "repeat"), ("go back", "back"), ("skip this question", "skip"), ("stop", "stop")),
        *(("help", "help"), ("change my answer", "correct")),
    ],
)
def test_a_form_can_be_steered_by_voice(phrase: str, code: str) -> None:
    assert grammar.answers(FORM, FORM.questions[0]).meaning(phrase) == Meaning("command", code)
    assert grammar.confirmation().meaning(phrase) == Meaning("command", code)


@pytest.mark.parametrize(
    ("phrase", "code"),
    [
        *(("can i have some water", "water"), ("call the nurse", "nurse"), ("i am in pain", "pain")),
        *(("help", "help"), ("i want to fill in my form", "form")),
    ],
)
def test_a_request_is_understood(phrase: str, code: str) -> None:
    assert grammar.requests().meaning(phrase) == Meaning("request", code)


def test_yes_and_no_confirm_and_refuse() -> None:
    assert grammar.confirmation().meaning("yes that's right") == Meaning("confirmation", "yes")
    assert grammar.confirmation().meaning("no that is wrong") == Meaning("confirmation", "no")


def test_what_is_not_in_the_table_means_nothing() -> None:
    assert grammar.requests().meaning("two") is None
    assert grammar.answers(FORM, FORM.questions[0]).meaning("half the days") is None


def test_an_option_that_only_a_number_could_name_is_refused() -> None:
    with pytest.raises(FormInvalidError, match="c1"):
        grammar.answers(*form_with_options("Often", "2"))
    with pytest.raises(FormInvalidError, match="c0"):
        grammar.answers(*form_with_options("more than 5 days", "never"))


def test_an_option_that_sounds_like_a_command_is_the_answer() -> None:
    form, item = form_with_options("Stop!", "Go on")
    assert grammar.answers(form, item).meaning("stop") == Meaning("answer", "c0")


@given(st.text(max_size=60))
def test_no_text_can_become_grammar_syntax(text: str) -> None:
    words = grammar.normalised(text)
    assert words == "" or re.fullmatch(r"[a-z']+( [a-z']+)*", words)
    if words:
        assert grammar.normalised(words) == words
        assert grammar.jsgf(Grammar("g", (words,))).count(";") == 3


@given(st.text(min_size=1, max_size=20).filter(lambda text: not re.fullmatch(r"[a-z' ]+", text)))
def test_a_phrase_that_is_not_plain_words_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="words"):
        grammar.jsgf(Grammar("g", (text,)))


def test_a_grammar_without_phrases_is_refused() -> None:
    with pytest.raises(ValueError, match="phrase"):
        grammar.jsgf(Grammar("g", ()))


def test_going_on_with_a_form_is_answered_by_yes_no_or_a_request_in_several_words() -> None:
    asked = grammar.resumption()
    assert asked.meaning("yes") == Meaning("confirmation", "yes")
    assert asked.meaning("help me") == Meaning("request", "help")
    assert asked.meaning("nurse") is None, "it sounds like yes"
