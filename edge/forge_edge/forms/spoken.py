"""What may be said to each question of a form, whatever its type, and what is written for it.

A kind of answer that has too many values for one grammar is asked for in parts: a date's day and month, then its year.
No grammar has more than `MOST_PHRASES` ways of answering: what lies beyond them is answered on the screen.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import ceil, floor

from forge_edge.forms import numerals, steps
from forge_edge.forms.asked import AskedForm, shown
from forge_edge.forms.state import FormState
from forge_edge.speech.grammar import (
    CALLS,
    COMMANDS,
    Meaning,
    Vocabulary,
    add,
    confirmation,
    normalised,
    vocabulary_of,
)
from forge_edge.speech.wishes import VOICE_WISHES
from forge_shared.forms import elements, entry
from forge_shared.forms.elements import AnswerOption, Quantity, Value
from forge_shared.forms.questionnaire import Item

MOST_PHRASES = 800
"""Ways of answering in one grammar. Ours: all days of a year, each said in two ways, are 732."""
MOST_FLAT_TENTHS = 40
"""Whole numbers up to which a decimal is said in one: a body's temperature is, its weight is asked for in parts."""
_MOST_NUMBERS = 300
"""Whole numbers that are understood where a form sets no limits: from its lowest, or 0."""
_YEARS_BEFORE, _YEARS_AFTER = 125, 10
"""Years that are understood where a form sets no limits: those that somebody alive may have to name."""
MOST_READ_OUT = 12
"""Options that are read out; a longer list is only waited for."""

ONLY_YEAR = "i only know the year"
NOTHING_AFTER = "nothing"
YES = ("yes", "yes please", "yes i do", "yes i am", "yes i have")
NO = ("no", "no thank you", "no i do not", "no i am not", "no i have not")
FORM_COMMANDS: Mapping[str, tuple[str, ...]] = {
    "decline": ("i don't want to answer", "i do not want to answer", "i'd rather not answer"),
    "pause": ("pause", "let us pause", "i need a break"),
}
"""Commands of a question beside those of `forge_edge.speech.grammar.COMMANDS`."""
KEEP = {"keep": ("keep it", "leave it as it is")}
DONE = {"done": ("no", "that is all", "nothing else", "no thank you")}

_UNITS: Mapping[str, tuple[str, ...]] = {
    "cm": ("centimetres", "centimeters"),
    "m": ("metres", "meters"),
    "mm": ("millimetres", "millimeters"),
    "kg": ("kilograms", "kilos"),
    "g": ("grams",),
    "[lb_av]": ("pounds",),
    "[in_i]": ("inches",),
    "[ft_i]": ("feet",),
    "Cel": ("degrees celsius", "celsius"),
    "[degF]": ("degrees fahrenheit", "fahrenheit"),
    "mL": ("millilitres", "milliliters"),
    "L": ("litres", "liters"),
    "mg": ("milligrams",),
    "min": ("minutes",),
    "h": ("hours",),
    "d": ("days",),
    "wk": ("weeks",),
    "mo": ("months",),
    "a": ("years",),
    "%": ("percent",),
}
"""How units are said, by their code. Source: UCUM, the codes; the words are ours."""

_SHORTEST_TOPIC = 5
_MOST_TOPICS = 2
_TOPICLESS = frozenset({"about", "after", "because", "before", "being", "could", "doing", "having", "often",
                        "other", "please", "problems", "really", "should", "their", "there", "these", "thing", "things",
                        "those", "today", "weeks", "where", "which", "while", "would", "yourself"})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Slot:
    """One part of an answer: what the room says to ask for it, and the phrases with what is written for each."""

    prompt: str
    phrases: Mapping[str, str]


def vocabulary(form: AskedForm, state: FormState) -> Vocabulary:
    """Return what may be said now. An answer's meaning has the text that is written for it as its code."""
    asked = form.passage(state)
    if state.pending is not None or asked.kind == "more":
        return confirmation()
    phrases: dict[str, Meaning] = {}
    item = asked.item
    slot = next_slot(form, item, state)
    if slot is not None:
        for phrase, written in slot.phrases.items():
            phrases.setdefault(phrase, Meaning("answer", written))
    if state.adding:
        add(phrases, "command", DONE)
    elif form.filling(state).values(asked.place):
        add(phrases, "command", KEEP)
    add(phrases, "command", COMMANDS)
    add(phrases, "command", FORM_COMMANDS)
    add(phrases, "request", CALLS)
    add(phrases, "wish", VOICE_WISHES)
    for number, earlier in enumerate(steps.answered_before(form, state)):
        for name in _names(form, earlier.item):
            phrases.setdefault(name, Meaning("command", f"{CHANGE}{number}"))
    return vocabulary_of(f"{form.form.id}/{item.link_id}/{len(state.parts)}", phrases)


CHANGE = "change/"
"""Before the number of a question in `steps.answered_before`: the command to answer it anew."""


def is_sayable(form: AskedForm, item: Item) -> bool:
    """Tell whether a voice can answer ``item`` here: by a grammar, or in own words where they are taken down."""
    if item.type in ("string", "text"):
        return form.dictation
    return _first_slot(item, _THIS_YEAR) is not None


def next_slot(form: AskedForm, item: Item, state: FormState) -> Slot | None:
    """Return the part of the answer that is asked for next; None where a grammar cannot take it."""
    if not is_sayable(form, item) or item.type in ("string", "text"):
        return None
    return _slot(item, state.parts, state.started_at.year)


def follows(item: Item, parts: tuple[str, ...], year: int) -> Slot | None:
    """Return what else must be said after ``parts``; None when the answer is whole."""
    return _slot(item, parts, year)


def assembled(item: Item, parts: tuple[str, ...]) -> str:
    """Return the answer as it would be written, of all its parts."""
    if item.type == "date":
        return _date(parts)
    if item.type == "dateTime":
        return f"{_date(parts[:2])} {numerals.time_of_day(parts[2], parts[3])}"
    if item.type == "time":
        return numerals.time_of_day(parts[0], parts[1])
    if item.type in ("decimal", "quantity"):
        number = parts[0]
        unit = ""
        for part in parts[1:]:
            if part.startswith("."):
                number += part
            elif part:
                unit = part
        return f"{number} {unit}".strip()
    return parts[0]


def in_words(value: Value) -> str:
    """Return an answer as it is read back."""
    if value.value_date is not None:
        return numerals.date_in_words(value.value_date)
    if value.value_date_time is not None:
        day, _, clock = value.value_date_time.partition("T")
        return f"{numerals.date_in_words(day)}{f', {clock[:5]}' if clock else ''}"
    if value.value_time is not None:
        return value.value_time[:5]
    if value.value_quantity is not None:
        return _quantity_in_words(value.value_quantity)
    return shown(value)


def expectation(form: AskedForm, item: Item, state: FormState) -> str:
    """Return the sentence that says how to answer; empty where the question says it itself."""
    if item.answer_option:
        words = [_ways(option)[0] if option.display.isdigit() else option.display.lower() for option in _sayable(item)]
        if len(words) > MOST_READ_OUT:
            return "Please say your answer."
        listed = f"{', '.join(words[:-1])}, or {words[-1]}" if len(words) > 1 else words[0]
        return f"Please answer: {listed}."
    if item.type in ("string", "text"):
        return "Please say it in your own words."
    slot = next_slot(form, item, state)
    return slot.prompt if slot is not None else ""


_THIS_YEAR = 2000
"""Any year will do to find out whether a question can be answered by voice at all."""


def _first_slot(item: Item, year: int) -> Slot | None:
    return _slot(item, (), year)


def _slot(item: Item, parts: tuple[str, ...], year: int) -> Slot | None:  # noqa: PLR0911 (one return for each type)
    if item.type in ("choice", "open-choice"):
        return _options_slot(item) if not parts else None
    match item.type:
        case "boolean" if not parts:
            return Slot("Please answer yes or no.", {**dict.fromkeys(YES, "yes"), **dict.fromkeys(NO, "no")})
        case "integer" if not parts:
            return _number_slot(item)
        case "decimal" | "quantity":
            return _decimal_slot(item, parts)
        case "date" if len(parts) < 2:  # noqa: PLR2004 (day and month; year)
            return _date_slot(item, parts, year)
        case "dateTime" if len(parts) < 4:  # noqa: PLR2004 (day and month; year; time; part of the day)
            return _date_slot(item, parts, year) if len(parts) < 2 else _time_slot(parts[2:])  # noqa: PLR2004 (as above)
        case "time" if len(parts) < 2:  # noqa: PLR2004 (time; part of the day)
            return _time_slot(parts)
    return None


def _options_slot(item: Item) -> Slot | None:
    options = _sayable(item)
    if not options or (item.is_risk and len(options) < len(item.answer_option)):
        return None
    said = Counter(words for option in item.answer_option for words in set(_ways(option)))
    phrases: dict[str, str] = {}
    for option in options:
        for words in _ways(option):
            if said[words] == 1:
                phrases[words] = option.code
    return Slot("", phrases) if len(phrases) <= MOST_PHRASES else None


def _ways(option: AnswerOption) -> list[str]:
    ways = [words for words in (normalised(said) for said in option.spoken) if words]
    number = re.fullmatch(r"\d{1,3}", option.display)
    # A grammar hears a number word alone in a cough.
    return ways or ([f"number {said}" for said in numerals.whole(int(number[0]))] if number is not None else [])


def _sayable(item: Item) -> list[AnswerOption]:
    """Return the options that have words which no other option has."""
    said = Counter(words for option in item.answer_option for words in set(_ways(option)))
    return [option for option in item.answer_option if any(said[words] == 1 for words in _ways(option))]


def _limits(item: Item) -> tuple[float | None, float | None]:
    found = []
    for url in (elements.MIN_VALUE, elements.MAX_VALUE):
        limit = elements.first(item.extension, url)
        number = limit.value if isinstance(limit, Quantity) else limit
        found.append(float(number) if isinstance(number, int | float) else None)
    return found[0], found[1]


def _range(item: Item) -> range:
    """Return the whole numbers that are understood, within the form's limits."""
    lowest, highest = _limits(item)
    first = max(ceil(lowest), -numerals.LARGEST) if lowest is not None else min(0, floor(highest or 0))
    last = (
        min(floor(highest), numerals.LARGEST) if highest is not None else min(first + _MOST_NUMBERS, numerals.LARGEST)
    )
    return range(first, min(last, first + _MOST_NUMBERS) + 1)


def _number_slot(item: Item) -> Slot | None:
    phrases = _numbers(_range(item))
    return Slot("Please say a number.", phrases) if phrases else None


def _numbers(numbers: Iterable[int]) -> dict[str, str]:
    phrases: dict[str, str] = {}
    for number in numbers:
        ways = numerals.signed(number)
        phrases |= dict.fromkeys(ways, str(number))
    return phrases


def _decimal_slot(item: Item, parts: tuple[str, ...]) -> Slot | None:
    numbers = _range(item)
    places = elements.first(item.extension, elements.MAX_DECIMAL_PLACES)
    exact = item.type == "decimal" and places != 0
    flat = exact and len(numbers) <= MOST_FLAT_TENTHS
    if not parts:
        phrases = _numbers(numbers)
        if flat:
            lowest, highest = _limits(item)
            for number in numbers:
                for tenth in range(1, 10):
                    exactly = Decimal(f"{number}.{tenth}")
                    if (
                        number >= 0
                        and (highest is None or exactly <= Decimal(str(highest)))
                        and (lowest is None or exactly >= Decimal(str(lowest)))
                    ):
                        phrases[f"{numerals.whole(number)[0]} point {numerals.digit(tenth)}"] = str(exactly)
        prompt = "Please say a number." if flat or not exact else "Please say the whole number first."
        return Slot(prompt, phrases) if phrases else None
    if exact and not flat and len(parts) == 1:
        digits = {numerals.digit(n): f".{n}" for n in range(10)}
        prompt = "And after the point? Please say one digit, or: nothing."
        return Slot(prompt, {**digits, NOTHING_AFTER: "", "no": ""})
    units = entry.units(item)
    if item.type == "quantity" and len(units) > 1 and len(parts) == 1:
        words = {said: unit.code or unit.display for unit in units for said in _unit_words(unit.code, unit.display)}
        named = [next(iter(_unit_words(unit.code, unit.display)), unit.display) for unit in units]
        return Slot(f"In which unit? Please say: {', or '.join(named)}.", words) if words else None
    return None


def _unit_words(code: str, display: str) -> tuple[str, ...]:
    words = normalised(display)
    return _UNITS.get(code, (words,) if words else ())


def _quantity_in_words(quantity: Quantity) -> str:
    words = _UNITS.get(quantity.code, (quantity.unit or quantity.code,))
    return f"{quantity.value:.15g} {words[0]}".strip()


def _date_slot(item: Item, parts: tuple[str, ...], year: int) -> Slot:
    if not parts:
        partial = {ONLY_YEAR: ""} if item.type == "date" else {}
        return Slot("Please say the day and the month first.", {**dict(numerals.days()), **partial})
    first, last = year - _YEARS_BEFORE, year + _YEARS_AFTER
    lowest, highest = (elements.first(item.extension, url) for url in (elements.MIN_VALUE, elements.MAX_VALUE))
    if isinstance(lowest, str) and lowest[:4].isdigit():
        first = max(first, int(lowest[:4]))
    if isinstance(highest, str) and highest[:4].isdigit():
        last = min(last, int(highest[:4]))
    return Slot("And the year?", {said: str(one) for one in range(first, last + 1) for said in numerals.year(one)})


def _time_slot(parts: tuple[str, ...]) -> Slot:
    if not parts:
        return Slot("Please say the time, such as: half past ten.", dict(numerals.times()))
    said = {part: part for part in numerals.PARTS_OF_DAY}
    also = {f"in the {part}": part for part in numerals.PARTS_OF_DAY[:3]}
    return Slot("In the morning, in the afternoon, in the evening, or at night?", {**said, **also, "at night": "night"})


def _date(parts: tuple[str, ...]) -> str:
    return f"{parts[1]}-{parts[0]}" if parts[0] else parts[1]


def _names(form: AskedForm, item: Item) -> list[str]:
    """Return how a question that was answered is named: by its number first, then by what it is about."""
    names = []
    number = re.fullmatch(r"\D*(\d{1,3})\D*", item.prefix)
    if number is not None:
        said = numerals.whole(int(number[1]))[0]
        names += [f"change question {said}", f"change my answer to question {said}"]
    return [*names, *(f"change my answer about {topic}" for topic in _topics(form, item))]


def _topics(form: AskedForm, item: Item) -> list[str]:
    """Return the words that a question is named by: its author's, or long words that no other question has."""
    if item.is_risk:
        return []  # what it is about is said as what it is: a call for help
    given = [normalised(e.value_string) for e in item.extension if e.url == elements.SPOKEN_AS and e.value_string]
    others = {word for one in form.items.values() if one is not item and one.is_asked for word in _words(one.text)}
    own = sorted({word for word in _words(item.text) if word not in others}, key=lambda word: (-len(word), word))
    return [topic for topic in given if topic] or own[:_MOST_TOPICS]


def _words(text: str) -> set[str]:
    words = re.findall(r"[a-z]+", text.lower())
    return {word for word in words if len(word) >= _SHORTEST_TOPIC and word not in _TOPICLESS}
