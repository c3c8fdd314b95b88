"""A form filled in by writing: pure decisions over one line at a time, for any FHIR R4 Questionnaire.

The commands are those of the voice: repeat, back, skip, stop and help, and with them decline, keep and change. An
answer that is also a command's word is written with an equals sign before it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from typing import Literal

from forge_edge.forms.expressions import FhirPath
from forge_shared.errors import AnswerUnfitError
from forge_shared.forms import elements, entry
from forge_shared.forms.elements import Coding, Quantity, Value
from forge_shared.forms.filling import Filling, Place
from forge_shared.forms.questionnaire import Item, Questionnaire

MOST_REPETITIONS = 50
"""Times a group is offered again where the form sets no limit. Ours."""

_LITERAL = "="
_COMMAND = "/"
"""Before a word, these say that it is an answer, or that it is a command."""

HELP = (
    "Write your answer. You can also write: repeat; back; skip; decline, with a reason if you like; keep, to leave what"
    " is there; change, with a question's number, to answer it anew; stop. Write = before an answer that is one of"
    " these words."
)


@dataclass(frozen=True, slots=True)
class Passage:
    """One thing on the way through a form: a text that is said, a question, or whether a group is filled in again."""

    kind: Literal["say", "ask", "more"]
    place: Place
    item: Item
    number: int = 0


Key = tuple[str, Place, int]


@dataclass(frozen=True)
class Written:
    """Where somebody stands who fills in a form by writing.

    Attributes:
        filling: The answers so far.
        past: What was said, asked and answered, in this order.
        current: What is being asked; None when the form is over.
        status: How the form ended, or that it did not.
    """

    filling: Filling
    past: tuple[Key, ...] = ()
    current: Passage | None = None
    status: Literal["in-progress", "completed", "stopped"] = "in-progress"


@dataclass(frozen=True, slots=True)
class Turn:
    """What follows: where the person stands now, and the lines to show."""

    state: Written
    say: tuple[str, ...]


class WrittenForm:
    """The rules of filling in one form by writing. Pure: it keeps no state of its own.

    Args:
        form: The form.
        expressions: Evaluates the form's expressions.
        zone: Time zone of a time that names none.
    """

    def __init__(self, form: Questionnaire, expressions: FhirPath, zone: tzinfo) -> None:
        self._form = form
        self._expressions = expressions
        self._zone = zone

    def begin(self) -> Turn:
        """Start the form."""
        title = (self._form.title, "Write help to learn what else you can write.")
        return self._go_on(Written(Filling(self._form).settled(self._expressions)), title)

    def hear(self, state: Written, line: str) -> Turn:
        """Take one line. After the end it changes nothing."""
        asked = state.current
        if asked is None:
            return Turn(state, ())
        text = line.strip()
        if text.startswith(_LITERAL) and asked.kind == "ask":
            return self._answer(state, asked, text[1:].strip())
        command, _, rest = text.removeprefix(_COMMAND).partition(" ")
        word = command.casefold().rstrip(".!")
        # Whoever sees an option "Stop" and writes stop has chosen it; /stop is the command.
        if text.startswith(_COMMAND) or not self._is_option(asked, text):
            done = self._command(state, asked, word, rest.strip())
            if done is not None:
                return done
        if asked.kind == "more":
            return self._more(state, asked, text)
        return self._answer(state, asked, text) if text else self._nothing(state, asked)

    def _command(self, state: Written, asked: Passage, word: str, rest: str) -> Turn | None:  # noqa: PLR0911 (one return for each command)
        if rest and word not in ("decline", "change"):
            return None
        if word in ("repeat", "again"):
            return Turn(state, self._prompt(state, asked))
        if word == "help":
            return Turn(state, (HELP, *self._prompt(state, asked)))
        if word == "stop":
            return Turn(
                replace(state, current=None, status="stopped"), ("The form is stopped. Your answers are kept.",)
            )
        if word == "back":
            return self._back(state, asked)
        if word == "keep" and asked.kind == "ask":
            return self._keep(state, asked)
        if word == "skip":
            return self._more(state, asked, "no") if asked.kind == "more" else self._skip(state, asked)
        if word == "decline" and asked.kind == "ask":
            declined = state.filling.decline(asked.place, rest[: entry.LONGEST_CHARACTERS])
            return self._passed(state, asked, declined)
        if word == "change" and rest:
            return self._change(state, asked, rest)
        return None

    def _is_option(self, asked: Passage, text: str) -> bool:
        words = text.casefold()
        options = asked.item.answer_option if asked.kind == "ask" else ()
        return any(words in (option.display.casefold(), option.code.casefold()) for option in options)

    def _answer(self, state: Written, asked: Passage, text: str) -> Turn:
        try:
            values = entry.read(asked.item, text, self._zone)
        except AnswerUnfitError as error:
            return Turn(state, (str(error), *self._prompt(state, asked)))
        return self._take(state, asked, values)

    def _take(self, state: Written, asked: Passage, values: Sequence[Value]) -> Turn:
        answered = state.filling.answer(asked.place, values)
        for extension in (*self._form.extension, *asked.item.extension):
            if extension.url != elements.CONSTRAINT or extension.part("severity") == "warning":
                continue
            expression = extension.part("expression")
            if isinstance(expression, str) and not self._expressions.is_met(expression, answered, asked.place):
                human = extension.part("human") or "This does not fit. Please answer again."
                return Turn(state, (str(human), *self._prompt(state, asked)))
        return self._passed(state, asked, answered)

    def _nothing(self, state: Written, asked: Passage) -> Turn:
        return self._keep(state, asked) if state.filling.values(asked.place) else self._skip(state, asked)

    def _keep(self, state: Written, asked: Passage) -> Turn:
        held = state.filling.values(asked.place)
        if not held:
            return Turn(state, ("There is no answer yet.", *self._prompt(state, asked)))
        try:
            entry.check(asked.item, held)
        except AnswerUnfitError as error:
            return Turn(state, (str(error), *self._prompt(state, asked)))
        return self._take(state, asked, held)

    def _skip(self, state: Written, asked: Passage) -> Turn:
        if asked.item.required:
            needed = "This question needs an answer. If you do not want to give one, write decline."
            return Turn(state, (needed, *self._prompt(state, asked)))
        return self._passed(state, asked, state.filling.answer(asked.place, ()))

    def _more(self, state: Written, asked: Passage, text: str) -> Turn:
        word = text.casefold().rstrip(".!")
        if word in ("", "no", "n", "nope", "done"):
            return self._passed(state, asked, state.filling)
        if word in ("yes", "y", "yup", "another"):
            return self._passed(state, asked, state.filling.repeat(asked.place, asked.number + 1))
        return Turn(state, ("Please answer yes or no.", *self._prompt(state, asked)))

    def _back(self, state: Written, asked: Passage) -> Turn:
        past = list(state.past)
        while past:
            kind, place, number = past.pop()
            if kind == "say":
                continue
            filling = state.filling
            if kind == "more" and filling.repetitions.get(place, 1) > number:
                filling = filling.repeat(place, number)
            return self._go_on(replace(state, filling=filling, past=tuple(past)), ("Going back.",))
        return Turn(state, ("This is the first question.", *self._prompt(state, asked)))

    def _change(self, state: Written, asked: Passage, name: str) -> Turn:
        words = name.casefold().rstrip(".")
        for key in reversed(state.past):
            kind, place, _ = key
            item = self._item(place)
            names = (item.link_id.casefold(), item.prefix.casefold().rstrip("."), item.text.casefold())
            if kind == "ask" and words in names and state.filling.is_enabled(place, self._expressions):
                kept = tuple(other for other in state.past if other != key)
                return self._go_on(replace(state, past=kept), ("Let us change that.",))
        return Turn(state, ("There is no answer to a question of that name.", *self._prompt(state, asked)))

    def _passed(self, state: Written, asked: Passage, filling: Filling) -> Turn:
        past = (*state.past, _key(asked))
        return self._go_on(replace(state, filling=filling.settled(self._expressions), past=past), ())

    def _go_on(self, state: Written, before: tuple[str, ...]) -> Turn:
        said = list(before)
        past = list(state.past)
        done = set(past)
        for passage in self._passages((), self._form.item, state.filling):
            if _key(passage) in done:
                continue
            if passage.kind == "say":
                past.append(_key(passage))
                said += [_titled(passage.item)] if passage.item.text else []
                continue
            following = replace(state, past=tuple(past), current=passage)
            return Turn(following, (*said, *self._prompt(following, passage)))
        ended = replace(state, past=tuple(past), current=None, status="completed")
        return Turn(ended, (*said, "Thank you. The form is complete."))

    def _passages(self, above: Place, items: Sequence[Item], filling: Filling) -> Iterator[Passage]:
        """Yield what comes on the way through ``items``, in reading order."""
        for place, item in filling.children(above, items):
            if item.is_hidden or not filling.is_enabled(place, self._expressions):
                continue
            if item.is_asked:
                yield Passage("ask", place, item)
            elif not item.is_question:
                yield Passage("say", place, item)
            yield from self._passages(place, _below(item), filling)
            if item.type == "group" and item.repeats:
                first, number = (*place[:-1], (item.link_id, 0)), place[-1][1] + 1
                most = elements.first(item.extension, elements.MAX_OCCURS) or MOST_REPETITIONS
                if _asks(item) and number < most:
                    yield Passage("more", first, item, number)

    def _prompt(self, state: Written, asked: Passage) -> tuple[str, ...]:
        if asked.kind == "more":
            return (f"Is there another one for: {asked.item.text or asked.item.link_id}? [yes or no]",)
        item = asked.item
        hints = " ".join(below.text for below in item.item if below.type == "display" and below.text)
        held = state.filling.values(asked.place)
        now = f" [now: {'; '.join(_shown(value) for value in held)}]" if held else ""
        needed = " (needed)" if item.required else ""
        lines = [f"{_titled(item)}{f' ({hints})' if hints else ''}{needed} [{entry.expected(item)}]{now}"]
        numbered = not any(option.display.isdigit() for option in item.answer_option)
        for number, option in enumerate(item.answer_option, 1):
            lines.append(f"  {number}. {option.display}" if numbered else f"  {option.display}")
        return tuple(lines)

    def _item(self, place: Place) -> Item:
        return next(item for item in self._form.walk() if item.link_id == place[-1][0])


def _key(passage: Passage) -> Key:
    return passage.kind, passage.place, passage.number


def _below(item: Item) -> tuple[Item, ...]:
    """Return what is asked below ``item``; the texts right below a question are shown with it."""
    return tuple(one for one in item.item if not (item.is_question and one.type == "display"))


def _asks(item: Item) -> bool:
    return any(one.is_asked or _asks(one) for one in item.item)


def _titled(item: Item) -> str:
    text = item.text or ("" if any(one.text for one in item.item) else item.link_id)
    return f"{item.prefix} {text}".strip() if item.prefix else text


def _shown(value: Value) -> str:
    content = value.content
    if isinstance(content, Coding):
        return content.display or content.code
    if isinstance(content, Quantity):
        return f"{content.value:g} {content.unit or content.code}".strip()
    if isinstance(content, bool):
        return "yes" if content else "no"
    return str(content)
