"""What may be said at each point of a conversation, and what it means.

Every phrase means exactly one thing, and what is not in the table means nothing: no number words alone (a grammar
hears "two" in a cough), no paraphrase that the form's author did not write down. An answer that is understood is still
read back before it is stored.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Literal

from forge_edge.speech.ports import Grammar
from forge_shared.errors import FormInvalidError
from forge_shared.forms.questionnaire import Item, Questionnaire

Kind = Literal["answer", "command", "request", "confirmation"]

_OPENERS = ("um", "uh", "oh", "well", "i think", "i would say", "i guess", "probably", "maybe", "it was")
_CLOSERS = ("i think", "i would say", "i guess", "please", "really", "probably")
"""Small words that people put around an answer. Each makes a phrase of its own, so that the set stays closed."""

_NUMBER_WORDS = frozenset(
    (
        *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
        *("oh", "to", "too", "for", "won", "ate"),
    )
)

COMMANDS: Mapping[str, tuple[str, ...]] = {
    "repeat": (
        *("repeat", "repeat that", "repeat please", "repeat the question", "please repeat that", "please repeat"),
        *("can you repeat that", "could you repeat that", "could you repeat the question", "say that again"),
        *("say it again", "say that again please", "can you say that again", "could you say that again"),
        *("one more time please", "what was the question", "i did not hear that", "i didn't hear that", "pardon"),
    ),
    "back": (
        *("back", "go back", "go back please", "please go back", "can we go back", "previous question"),
        *("the previous question", "go back one", "go back to the last question", "back to the previous question"),
    ),
    "correct": (
        *("change my answer", "i want to change my answer", "can i change my answer", "that was wrong"),
        *("correct my answer", "my last answer was wrong", "i made a mistake", "change my last answer"),
    ),
    "skip": (
        *("skip", "skip this question", "skip this one", "skip that", "skip it", "skip please", "next question"),
        *("i would rather not answer", "i'd rather not answer", "i don't want to answer that"),
        *("i do not want to answer that", "can we skip this one", "please skip this question"),
    ),
    "stop": (
        *("stop", "please stop", "stop please", "stop now", "stop the questions", "stop it", "i want to stop"),
        *("can we stop", "stop the form", "let's stop", "i would like to stop", "i'd like to stop", "stop asking"),
    ),
    "help": (
        *("help", "help me", "i need help", "please help", "please help me", "help please", "can you help me"),
        *("i don't understand", "i do not understand", "i don't understand the question"),
    ),
}
"""Everything that steers a form, by command."""

CONFIRMATIONS: Mapping[str, tuple[str, ...]] = {
    "yes": (
        *("yes", "yes please", "yes that is right", "yes that's right", "that's right", "that is right", "correct"),
        *("that is correct", "that's correct", "yes that is correct", "yes that's correct", "yes it is", "yes i am"),
        *("yeah", "yeah that's right", "oh yes", "um yes", "yes i do", "yes i did"),
    ),
    "no": (
        *("no", "no that is wrong", "no that's wrong", "that's wrong", "that is wrong", "no it is not", "no it isn't"),
        *("no that's not right", "no that is not right", "that's not right", "that is not right", "not right"),
        *("no that's not correct", "no that is not correct", "no i am not", "no i'm not", "oh no", "um no", "nope"),
        *("no thank you", "no thanks", "wrong", "no i did not", "no i didn't"),
    ),
}

REQUESTS: Mapping[str, tuple[str, ...]] = {
    "water": (
        *("water", "water please", "some water", "some water please", "i need water", "i need some water"),
        *("i want water", "i want some water", "i would like some water", "i'd like some water"),
        *("i would like a glass of water", "a glass of water please", "can i have some water"),
        *("can i have some water please", "could i have some water", "could i have some water please"),
        *("can i have a glass of water", "could i have a glass of water", "could i have a glass of water please"),
        *("can i get some water", "may i have some water", "i am thirsty", "i'm thirsty", "i am very thirsty"),
        *("i'm very thirsty", "can i have a drink", "can i have a drink please", "something to drink please"),
        *("can you bring me some water", "could you bring me some water", "please bring me some water"),
    ),
    "nurse": (
        *("nurse", "nurse please", "call the nurse", "please call the nurse", "call a nurse", "please call a nurse"),
        *("call the nurse please", "i need a nurse", "i need the nurse", "i need my nurse", "i want the nurse"),
        *("can you call the nurse", "could you call the nurse", "can you call a nurse", "could you call a nurse"),
        *("can you get the nurse", "could you get the nurse", "i want to see a nurse", "i would like to see a nurse"),
        *("can someone come", "can somebody come", "i need someone to come", "send the nurse", "get the nurse"),
        *("can a nurse come", "could a nurse come", "can the nurse come", "could the nurse come"),
    ),
    "pain": (
        *("pain", "i am in pain", "i'm in pain", "i have pain", "i am in a lot of pain", "i'm in a lot of pain"),
        *("i have a lot of pain", "i have got pain", "it hurts", "it hurts a lot", "it really hurts", "i hurt"),
        *("i am hurting", "i'm hurting", "the pain is bad", "the pain is very bad", "the pain is getting worse"),
        *("i need something for the pain", "can i have something for the pain", "something for the pain please"),
        *("i need a painkiller", "can i have a painkiller", "i need pain relief", "i feel pain"),
    ),
    "help": (
        *("help", "help me", "i need help", "please help me", "please help", "help please", "can you help me"),
        *("could you help me", "somebody help me", "someone help me", "i need some help", "i need help please"),
    ),
    "form": (
        *("i want to fill in my form", "i want to fill in the form", "i would like to fill in my form"),
        *("i'd like to fill in my form", "fill in my form", "fill in the form", "can i fill in my form"),
        *("start my form", "start the form", "let's do the form", "let's do my form", "do the form", "my form"),
        *("i want to do my form", "i want to do the form", "start the questionnaire", "start the questions"),
        *("continue my form", "continue the form", "go on with my form", "i want to continue my form"),
    ),
}

DISMISSALS: tuple[str, ...] = (
    *("stop", "please stop", "stop please", "stop it", "never mind", "cancel", "nothing", "nothing thank you"),
    *("no thank you", "go away", "be quiet", "stop listening"),
)
"""What ends a conversation that was begun by mistake."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a phrase means.

    Attributes:
        kind: What sort of thing was said.
        code: An answer option's code; a command (repeat, back, correct, skip, stop, help); a request (water, nurse,
            pain, help, form); a confirmation (yes, no).
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


def answers(form: Questionnaire, item: Item) -> Vocabulary:
    """Return what may be said after a question: its options as the form words them, and the commands of a form.

    Raises:
        FormInvalidError: An option cannot be spoken: it has no words, or only numbers.
    """
    phrases: dict[str, Meaning] = {}
    for option in item.answer_option:
        ways = [words for words in (normalised(spoken) for spoken in option.spoken) if words]
        if not ways:
            raise FormInvalidError(f"{form.id}, item {item.link_id}: option {option.code} has no words to be said")
        for phrase in chain.from_iterable(_with_small_words(words) for words in ways):
            phrases.setdefault(phrase, Meaning("answer", option.code))
    _add(phrases, "command", COMMANDS)
    return _vocabulary(f"{form.id}/{item.link_id}", phrases)


def confirmation() -> Vocabulary:
    """Return what may be said when an answer has been read back."""
    phrases: dict[str, Meaning] = {}
    _add(phrases, "confirmation", CONFIRMATIONS)
    _add(phrases, "command", COMMANDS)
    return _vocabulary("confirmation", phrases)


def requests() -> Vocabulary:
    """Return what may be asked of the room."""
    phrases: dict[str, Meaning] = {}
    _add(phrases, "request", REQUESTS)
    _add(phrases, "command", {"stop": DISMISSALS})
    return _vocabulary("requests", phrases)


def normalised(text: str) -> str:
    """Return ``text`` as a phrase: lower case words of letters and inner apostrophes, single spaces.

    Empty where words alone would change the meaning (digits) or a noise would do (a number word alone).
    """
    words = " ".join(re.findall(r"[a-z]+(?:'[a-z]+)*", text.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")))
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


def _with_small_words(words: str) -> Iterable[str]:
    yield words
    yield from (f"{opener} {words}" for opener in _OPENERS)
    yield from (f"{words} {closer}" for closer in _CLOSERS)


def _add(phrases: dict[str, Meaning], kind: Kind, table: Mapping[str, tuple[str, ...]]) -> None:
    for code, ways in table.items():
        for words in ways:
            phrases.setdefault(words, Meaning(kind, code))


def _vocabulary(name: str, phrases: dict[str, Meaning]) -> Vocabulary:
    return Vocabulary(Grammar(name, tuple(phrases)), phrases)
