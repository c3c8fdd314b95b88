"""Hints of the frameworks that have no labels: quoted, capped, and silent where something only sounds like it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.hint_sentences import BENIGN, HINTS

from forge_hub.mind.inference import Framework, Inference, Tagger
from forge_hub.mind.taggers.hinters import ALL
from forge_hub.mind.taggers.hints import MOST_CONFIDENCE
from forge_language.taxonomy import LABELS

TAGGERS: dict[Framework, Tagger] = {tagger.framework: tagger for tagger in (make() for make in ALL)}
SURE: dict[Framework, float] = {"note": 0.5}


def of(text: str, framework: Framework) -> tuple[Inference, ...]:
    return TAGGERS[framework].infer([text])[0]


@pytest.mark.parametrize(
    ("framework", "text", "label"), [(framework, *each) for framework, hints in HINTS.items() for each in hints]
)
def test_a_sentence_that_hints_at_something_is_tagged_with_its_words(
    framework: Framework, text: str, label: str
) -> None:
    found = [each for each in of(text, framework) if each.label == label]
    assert found, of(text, framework)
    assert all(text[each.start : each.end].strip() for each in found)


@pytest.mark.parametrize("left_out", [r"[^\w' -]", r"[^\w -]"], ids=["stops", "stops and apostrophes"])
@pytest.mark.parametrize("framework", TAGGERS)
def test_speech_in_small_letters_without_marks_is_read_alike(framework: Framework, left_out: str) -> None:
    for text, label in HINTS[framework]:
        spoken = re.sub(left_out, "", text.lower())
        assert label in {found.label for found in of(spoken, framework)}, spoken
    for text in BENIGN[framework]:
        assert of(re.sub(left_out, "", text.lower()), framework) == (), text


@pytest.mark.parametrize(
    ("framework", "text"), [(framework, text) for framework, texts in BENIGN.items() for text in texts]
)
def test_a_sentence_that_only_sounds_like_it_has_no_hint(framework: Framework, text: str) -> None:
    assert of(text, framework) == ()


@pytest.mark.parametrize("framework", TAGGERS)
def test_each_framework_has_fifteen_examples_of_both_kinds_and_its_speech_without_stops(framework: Framework) -> None:
    assert len(HINTS[framework]) >= 15
    assert len(BENIGN[framework]) >= 15
    assert sum(text == text.lower() and text[-1] not in ".?!" for text, _ in HINTS[framework]) >= 5


@pytest.mark.parametrize("framework", TAGGERS)
def test_every_label_has_an_example(framework: Framework) -> None:
    assert {label for _, label in HINTS[framework]} == set(LABELS[framework])


WORDS = st.lists(
    st.sampled_from(
        [
            "i",
            "i'm",
            "always",
            "never",
            "people",
            "trust",
            "can't",
            "let",
            "anyone",
            "close",
            "my",
            "mother",
            "died",
            "allergic",
            "to",
            "penicillin",
            "you",
            "the",
            "only",
            "one",
            "who",
            "understands",
            "me",
            "a",
            "failure",
            "need",
            "help",
            "please",
            ".",
            "?",
            "!",
            "[NAME]",
            "🙂",
            "İ",
            "it's",
            "all",
            "over",
            "again",
            "on",
            "own",
        ]
    ),
    max_size=40,
).map(" ".join)


@given(st.one_of(WORDS, st.text(max_size=80)))
def test_whatever_is_said_labels_are_on_the_list_quotes_in_the_text_and_confidence_is_capped(text: str) -> None:
    for framework, tagger in TAGGERS.items():
        for found in tagger.infer([text])[0]:
            assert found.framework == framework
            assert found.label in LABELS[framework]
            assert 0 <= found.start < found.end <= len(text)
            assert 0 < found.confidence <= SURE.get(framework, MOST_CONFIDENCE)
            assert found.method == "patterns"


@pytest.mark.parametrize("framework", TAGGERS)
def test_many_texts_are_read_as_each_alone(framework: Framework) -> None:
    texts = [text for text, _ in HINTS[framework]] + list(BENIGN[framework])
    assert TAGGERS[framework].infer(texts) == [of(text, framework) for text in texts]


@pytest.mark.parametrize("framework", TAGGERS)
def test_what_others_say_of_somebody_is_no_hint(framework: Framework) -> None:
    for text, _ in HINTS[framework]:
        if framework != "note":
            assert of(f'My brother said "{text}"', framework) == ()


@pytest.mark.parametrize(
    "text", ["I'm seventy-nine years old.", "i am fifteen", "At my age, at eighty-five, you sleep less."]
)
def test_an_age_alone_says_nothing_of_a_stage(text: str) -> None:
    assert of(text, "stage") == ()


def test_nobody_but_the_therapist_is_the_object_of_transference() -> None:
    assert of("You are the only one who understands.", "transference")
    assert of("She is the only one who understands.", "transference") == ()


def test_a_thinking_pattern_is_no_schema() -> None:
    assert of("She must think I'm boring.", "schema") == ()
    assert of("The exam will be a disaster.", "schema") == ()


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        ("Well, I'm allergic to penicillin and latex, you know.", "I'm allergic to penicillin and latex"),
        ("yes i'm allergic to penicillin but not to aspirin", "i'm allergic to penicillin"),
        ("No milk please, I have an allergy.", "I have an allergy"),
    ],
)
def test_an_allergy_is_quoted_with_what_it_is_to(text: str, quote: str) -> None:
    [found] = [each for each in of(text, "note") if each.label == "allergy"]
    assert text[found.start : found.end] == quote
