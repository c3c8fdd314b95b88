"""What the room reads aloud is heard as it is meant: doses, times, dates, ranges, telephone numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forge_edge.speech.spoken_text import cardinal, digits, number, ordinal, spoken

DIGITS = set("0123456789")


@pytest.mark.parametrize(
    ("written", "heard"),
    [
        ("500 mg", "five hundred milligrams"),
        ("500mg", "five hundred milligrams"),
        ("1 mg", "one milligram"),
        ("2.5 mg", "two point five milligrams"),
        ("0.05 mg", "zero point zero five milligrams"),
        ("Take 10 ml twice.", "Take ten millilitres twice."),
        ("1,500 ml a day", "one thousand five hundred millilitres a day"),
        ("100 mcg", "one hundred micrograms"),
        ("37.5 °C", "thirty-seven point five degrees"),
        ("98 % oxygen", "ninety-eight per cent oxygen"),
        ("72 bpm", "seventy-two beats per minute"),
        ("120/80 mmHg", "one hundred and twenty over eighty"),
        ("2-3 tablets", "two to three tablets"),
        ("10\N{EN DASH}15 min", "ten to fifteen minutes"),
        ("It is 8:30.", "It is eight thirty."),
        ("at 08:00", "at eight o'clock"),
        ("at 8:05 pm", "at eight oh five p m"),
        ("at 12:00", "at twelve o'clock"),
        ("2026-03-01", "the first of March twenty twenty-six"),
        ("Today is Sunday, 1 March 2026.", "Today is Sunday, the first of March twenty twenty-six."),
        ("on 22 May", "on the twenty-second of May"),
        ("2026-13-45", "two zero two six, one three, four five"),
        ("call 0800 111 222", "call zero eight zero zero, one one one, two two two"),
        ("+44 20 7946 0958", "four four, two zero, seven nine four six, zero nine five eight"),
        ("room 123456", "room one two three four five six"),
        ("room 12", "room twelve"),
        ("the 3rd of 4", "the third of four"),
        ("the 21st", "the twenty-first"),
        ("question 7.", "question seven."),
        ("007", "zero zero seven"),
        ("B12", "B twelve"),
    ],
)
def test_it_is_spoken_as_a_nurse_would_say_it(written: str, heard: str) -> None:
    assert spoken(written) == heard


@pytest.mark.parametrize("text", ["I heard: several days. Is that right?", "", "mg and ml", "Page the a m shift."])
def test_a_sentence_without_numbers_stays_as_it_is(text: str) -> None:
    assert spoken(text) == text


@given(st.text(max_size=60))
def test_no_digit_is_left_to_the_engine_and_nothing_fails(text: str) -> None:
    said = spoken(text)
    assert not DIGITS & set(said)
    assert spoken(said) == said


@given(st.integers(0, 999_999_999))
def test_a_number_in_words_is_that_number(value: int) -> None:
    assert of_words(cardinal(value)) == value
    assert of_words(number(f"{value:,}")) == value


@given(st.integers(0, 999_999_999))
def test_an_ordinal_differs_from_its_number_in_the_last_word_only(value: int) -> None:
    plain, placed = cardinal(value).replace("-", " ").split(), ordinal(value).replace("-", " ").split()
    assert placed[:-1] == plain[:-1]
    assert placed[-1] != plain[-1]


@given(st.from_regex(r"[0-9]{1,12}", fullmatch=True))
def test_digits_are_read_one_by_one(written: str) -> None:
    assert len(digits(written).split()) == len(written)


@given(st.decimals(min_value=0, max_value=9999, places=2))
def test_a_decimal_dose_keeps_each_of_its_digits(dose: object) -> None:
    whole, _, fraction = f"{dose:.2f}".partition(".")
    assert spoken(f"{whole}.{fraction} mg") == f"{cardinal(int(whole))} point {digits(fraction)} milligrams"


def of_words(words: str) -> int:
    names = {cardinal(value): value for value in (*range(20), *range(20, 100, 10))}
    total = part = 0
    for word in words.replace("-", " ").replace(" and ", " ").split():
        if word == "hundred":
            part *= 100
        elif word in ("thousand", "million"):
            total, part = total + part * {"thousand": 1000, "million": 1_000_000}[word], 0
        else:
            part += names[word]
    return total + part
