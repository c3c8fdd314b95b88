"""What may be said at each point of a conversation, and what it means.

Every phrase means exactly one thing, and what is not in the table means nothing: no number words alone (a grammar
hears "two" in a cough) except where every option is a number, no paraphrase that neither the form's author nor the
language's catalogue wrote down. An answer that is understood is still read back before it is stored.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from forge_edge.speech.agreed_words import AGREED_WORDS
from forge_edge.speech.ports import Grammar
from forge_edge.speech.wishes import DURING_EXERCISE, MORE_REQUESTS, TO_FALL_CHECK, TO_REMINDER, VOICE_WISHES, WISHES
from forge_edge.speech.wordings import Wordings, wordings
from forge_shared.errors import FormInvalidError
from forge_shared.forms.questionnaire import Item, Questionnaire

Kind = Literal["answer", "command", "request", "confirmation", "wish", "word"]

_NUMBER_WORDS = frozenset(
    (
        *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
        *("oh", "to", "too", "for", "won", "ate"),
    )
)

COMMANDS: Mapping[str, tuple[str, ...]] = {
    "repeat": ("repeat", "repeat that", "repeat the question", "please repeat the question"),
    "back": ("back", "go back", "go back to the last question"),
    "correct": ("change my answer", "correct my answer"),
    "skip": ("skip", "skip this question"),
    "stop": ("stop", "i want to stop"),
    "help": ("help", "what can i say", "i do not understand"),
}
"""Everything that steers a form, by command.

Few ways of saying each: every further phrase is one more that sound may be taken for. On fourteen synthetic voices the
tables of up to twenty ways that stood here before were heard right in about half of the cases, these in 94 %.
"""

CALLS: Mapping[str, tuple[str, ...]] = {
    "nurse": ("call the nurse", "i need a nurse"),
    "pain": ("i am in pain",),
    "help": ("i need help", "help me", "please help me"),
    "toilet": ("i need the toilet",),
}
"""Calls for a person that are understood in the middle of a form too."""

REQUESTS: Mapping[str, tuple[str, ...]] = {
    "water": (
        *("water please", "water", "some water please", "can i have some water", "could i have some water"),
        *("i need some water", "i would like some water", "i am thirsty"),
    ),
    "nurse": ("nurse please", "nurse", *CALLS["nurse"], "i need the nurse", "can you call the nurse"),
    "pain": (*CALLS["pain"], "pain", "it hurts", "i have pain"),
    "help": (*CALLS["help"], "help", "can you help me"),
    "form": (
        *("i want to fill in my form", "fill in my form", "i want to fill in the form", "start my form"),
        *("continue my form", "i want to do my form"),
    ),
    **MORE_REQUESTS,
}

DISMISSALS: tuple[str, ...] = ("stop", "never mind", "cancel", "nothing thank you")
"""What ends a conversation that was begun by mistake."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a phrase means.

    Attributes:
        kind: What sort of thing was said.
        code: An answer option's code; a command (repeat, back, correct, skip, stop, help); a request (water, nurse,
            pain, help, form); a confirmation (yes, no); a wish that the room fulfils itself (`wishes.WISHES`);
            an agreed word.
    """

    kind: Kind
    code: str


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """A grammar with the one meaning of each of its phrases."""

    grammar: Grammar
    meanings: Mapping[str, Meaning]

    def meaning(self, phrase: str) -> Meaning | None:
        """Return what ``phrase`` means; None if it is not of this vocabulary."""
        return self.meanings.get(phrase)


DICTATION = Grammar("dictation", ())
"""Without a phrase: whatever is said is taken down."""


def answers(form: Questionnaire, item: Item, words: Wordings | None = None) -> Vocabulary:
    """Return what may be said after a question: its options as the form and the catalogue word them, and the commands.

    The author's wording beats a command and the catalogue; a command beats the catalogue. A wording that two options
    claim with equal right means neither.

    Args:
        form: The form.
        item: One of its questions.
        words: The language's catalogue; English where none is given.

    Raises:
        FormInvalidError: An option cannot be spoken: it has no words, or only numbers among options that are not.
    """
    catalogue = words or wordings()
    numeric = all(option.display.strip().isdigit() for option in item.answer_option)
    authored: dict[str, set[str]] = {}
    further: dict[str, set[str]] = {}
    for option in item.answer_option:
        ways = [spoken for way in option.spoken if (spoken := normalised(way))]
        more = catalogue.of_number(option.display.strip()) if numeric else catalogue.further(_words(option.display))
        if not ways and not (numeric and more):
            raise FormInvalidError(f"{form.id}, item {item.link_id}: option {option.code} has no words to be said")
        for claims, phrases in ((authored, ways), (further, more)):
            for phrase in phrases:
                claims.setdefault(phrase, set()).add(option.code)
    meanings = {phrase: Meaning("answer", codes.pop()) for phrase, codes in authored.items() if len(codes) == 1}
    silent = {option.code for option in item.answer_option} - {meaning.code for meaning in meanings.values()}
    if silent and not numeric:
        raise FormInvalidError(f"{form.id}, item {item.link_id}: option {min(silent)} has no words of its own")
    add(meanings, "command", COMMANDS)
    add(meanings, "request", CALLS)
    add(meanings, "wish", VOICE_WISHES)
    for phrase, codes in further.items():
        if len(codes) == 1 and phrase not in authored:
            meanings.setdefault(phrase, Meaning("answer", codes.pop()))
    return vocabulary_of(f"{form.id}/{item.link_id}", meanings)


def confirmation(words: Wordings | None = None) -> Vocabulary:
    """Return what may be said when an answer has been read back."""
    phrases: dict[str, Meaning] = {}
    add(phrases, "confirmation", (words or wordings()).confirmations)
    add(phrases, "command", COMMANDS)
    add(phrases, "request", CALLS)
    add(phrases, "wish", VOICE_WISHES)
    return vocabulary_of("confirmation", phrases)


def resumption() -> Vocabulary:
    """Return what may be said when the room asks whether to go on with a form: yes, no, or a request in several words.

    A bare "nurse" is left out: two of fourteen synthetic voices saying "yes" were heard as it.
    """
    phrases: dict[str, Meaning] = {}
    add(phrases, "confirmation", wordings().confirmations)
    several = {code: tuple(words for words in ways if " " in words) for code, ways in REQUESTS.items()}
    add(phrases, "request", several)
    add(phrases, "wish", VOICE_WISHES)
    add(phrases, "command", {"stop": DISMISSALS})
    return vocabulary_of("resumption", phrases)


def agreement() -> Vocabulary:
    """Return what may be said when the room asks for the agreed word: any of them, a denial, a request."""
    phrases: dict[str, Meaning] = {}
    add(phrases, "word", {word: (word, f"the word is {word}") for word in AGREED_WORDS})
    add(phrases, "confirmation", {"no": ("no", "no thank you", "i do not know it")})
    add(phrases, "command", {"stop": DISMISSALS})
    add(phrases, "wish", VOICE_WISHES)
    add(phrases, "request", {code: tuple(words for words in ways if " " in words) for code, ways in REQUESTS.items()})
    return vocabulary_of("agreement", phrases)


def reminding() -> Vocabulary:
    """Return what may be said to a reminder: done, later, no; the voice, and a request in several words."""
    phrases: dict[str, Meaning] = {}
    add(phrases, "command", TO_REMINDER)
    add(phrases, "command", {"refused": DISMISSALS})
    add(phrases, "wish", VOICE_WISHES)
    add(phrases, "request", {code: tuple(words for words in ways if " " in words) for code, ways in REQUESTS.items()})
    return vocabulary_of("reminder", phrases)


def fall_check() -> Vocabulary:
    """Return what may be said when the room asks whether somebody who may have fallen is all right."""
    phrases: dict[str, Meaning] = {}
    add(phrases, "command", TO_FALL_CHECK)
    add(phrases, "confirmation", wordings().confirmations)
    add(phrases, "wish", VOICE_WISHES)
    add(phrases, "request", REQUESTS)
    return vocabulary_of("fall-check", phrases)


def exercising() -> Vocabulary:
    """Return what may be said during an exercise: what steers it, the voice, and a request in several words."""
    phrases: dict[str, Meaning] = {}
    add(phrases, "command", DURING_EXERCISE)
    add(phrases, "wish", VOICE_WISHES)
    add(phrases, "request", {code: tuple(words for words in ways if " " in words) for code, ways in REQUESTS.items()})
    return vocabulary_of("exercise", phrases)


def requests() -> Vocabulary:
    """Return what may be asked of the room."""
    phrases: dict[str, Meaning] = {}
    add(phrases, "request", REQUESTS)
    add(phrases, "wish", WISHES)
    add(phrases, "command", {"stop": DISMISSALS})
    return vocabulary_of("requests", phrases)


def normalised(text: str) -> str:
    """Return ``text`` as a phrase: lower case words of letters and inner apostrophes, single spaces.

    Empty where words alone would change the meaning (digits) or a noise would do (a number word alone).
    """
    words = _words(text)
    return "" if words in _NUMBER_WORDS or any(character.isdigit() for character in text) else words


def jsgf(grammar: Grammar) -> str:
    """Return ``grammar`` in the JSpeech Grammar Format, one public rule with every phrase as an alternative.

    Raises:
        ValueError: A phrase is empty or is more than lower-case words; nothing in it could then be format syntax.

    Source: JSpeech Grammar Format, W3C Note, 5 June 2000.
    """
    for phrase in grammar.phrases:
        if not re.fullmatch(r"[a-z]+(?:'[a-z]+)*(?: [a-z]+(?:'[a-z]+)*)*", phrase):
            raise ValueError("a phrase of a grammar is made of lower-case words")
    if not grammar.phrases:
        raise ValueError("a grammar needs a phrase")
    alternatives = "\n  | ".join(grammar.phrases)
    return f"#JSGF V1.0;\ngrammar said;\npublic <said> =\n  {alternatives}\n  ;\n"


def _words(text: str) -> str:
    return " ".join(re.findall(r"[a-z]+(?:'[a-z]+)*", text.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")))


def add(phrases: dict[str, Meaning], kind: Kind, table: Mapping[str, tuple[str, ...]]) -> None:
    """Add a table's ways of saying things to ``phrases``; what means something there already goes on meaning it."""
    for code, ways in table.items():
        for words in ways:
            phrases.setdefault(words, Meaning(kind, code))


def vocabulary_of(name: str, phrases: Mapping[str, Meaning]) -> Vocabulary:
    """Return the vocabulary of ``phrases``, its grammar called ``name``."""
    senses = tuple(f"{meaning.kind}:{meaning.code}" for meaning in phrases.values())
    return Vocabulary(Grammar(name, tuple(phrases), senses), phrases)
