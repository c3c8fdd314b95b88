"""A form filled in by writing: pure decisions over one line at a time, for any FHIR R4 Questionnaire.

The commands are those of the voice: repeat, back, skip, stop and help, and with them decline, keep and change. An
answer that is also a command's word is written with an equals sign before it.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from forge_edge.forms import steps
from forge_edge.forms.asked import AskedForm, Passage, hints, shown, titled
from forge_edge.forms.state import FormState, How
from forge_edge.forms.steps import Move, Step
from forge_shared.errors import AnswerUnfitError
from forge_shared.forms import entry
from forge_shared.forms.elements import Value

_LITERAL = "="
_COMMAND = "/"
"""Before a word, these say that it is an answer, or that it is a command."""

HELP = (
    "Write your answer. You can also write: repeat; back; skip; decline, with a reason if you like; keep, to leave what"
    " is there; change, with a question's number, to answer it anew; stop. Write = before an answer that is one of"
    " these words."
)


def begin(form: AskedForm, response: str, now: datetime) -> Step:
    """Start the form."""
    title = (form.form.title, "Write help to learn what else you can write.")
    return _onward(form, steps.begun(form, response, now, "text"), title)


def hear(form: AskedForm, before: FormState, line: str, *, now: datetime) -> Step:
    """Take one line. After the end it changes nothing."""
    if before.at is None:
        return Step(before)
    # An answer that was heard and is being read back waits no longer: whoever writes sees the question itself.
    put_off = steps.taken_back(before, "not-reviewed")
    state = put_off.state.model_copy(update={"led": "text", "adding": False})
    step = _taken(form, state, form.passage(state), line.strip(), now)
    return replace(step, observations=(*put_off.observations, *step.observations))


def prompt(form: AskedForm, state: FormState) -> tuple[str, ...]:
    """Return the lines that ask what is being asked; the form is not over."""
    asked = form.passage(state)
    if asked.kind == "more":
        return (f"Is there another one for: {asked.item.text or asked.item.link_id}? [yes or no]",)
    item = asked.item
    beside = " ".join(hints(item))
    held = form.filling(state).values(asked.place)
    now = f" [now: {'; '.join(shown(value) for value in held)}]" if held else ""
    needed = " (needed)" if item.required else ""
    lines = [f"{titled(item)}{f' ({beside})' if beside else ''}{needed} [{entry.expected(item)}]{now}"]
    numbered = not any(option.display.isdigit() for option in item.answer_option)
    for number, option in enumerate(item.answer_option, 1):
        lines.append(f"  {number}. {option.display}" if numbered else f"  {option.display}")
    return tuple(lines)


def _taken(form: AskedForm, state: FormState, asked: Passage, text: str, now: datetime) -> Step:
    if text.startswith(_LITERAL) and asked.kind == "ask":
        return _answer(form, state, asked, text[1:].strip(), now)
    command, _, rest = text.removeprefix(_COMMAND).partition(" ")
    word = command.casefold().rstrip(".!")
    # Whoever sees an option "Stop" and writes stop has chosen it; /stop is the command.
    if text.startswith(_COMMAND) or not _is_option(asked, text):
        done = _command(form, state, asked, (word, rest.strip()), now)
        if done is not None:
            return done
    if asked.kind == "more":
        return _more(form, state, text)
    return _answer(form, state, asked, text, now) if text else _nothing(form, state, asked, now)


def _command(  # noqa: PLR0911, C901 (one return for each command)
    form: AskedForm, state: FormState, asked: Passage, said: tuple[str, str], now: datetime
) -> Step | None:
    word, rest = said
    if rest and word not in ("decline", "change"):
        return None
    if word in ("repeat", "again"):
        return Step(state, prompt(form, state))
    if word == "help":
        return Step(state, (HELP, *prompt(form, state)))
    if word == "stop":
        move = steps.stopped(form, state)
        return Step(move.state, ("The form is stopped. Your answers are kept.",), move.observations)
    if word == "back":
        move_back = steps.back(form, state)
        if move_back is None:
            return _again(form, state, "This is the first question.")
        return _onward(form, move_back, ("Going back.",))
    if word == "keep" and asked.kind == "ask":
        return _keep(form, state, asked, now)
    if word == "skip":
        return _more(form, state, "no") if asked.kind == "more" else _skip(form, state, asked, now)
    if word == "decline" and asked.kind == "ask":
        reason = rest[: entry.LONGEST_CHARACTERS]
        return _onward(form, steps.left_out(form, state, "declined", _how(form), now, reason=reason))
    if word == "change" and rest:
        return _change(form, state, rest)
    return None


def _is_option(asked: Passage, text: str) -> bool:
    words = text.casefold()
    options = asked.item.answer_option if asked.kind == "ask" else ()
    return any(words in (option.display.casefold(), option.code.casefold()) for option in options)


def _answer(form: AskedForm, state: FormState, asked: Passage, text: str, now: datetime) -> Step:
    try:
        values = entry.read(asked.item, text, form.zone)
    except AnswerUnfitError as error:
        return _again(form, state, str(error))
    return _take(form, state, values, now)


def _take(form: AskedForm, state: FormState, values: Sequence[Value], now: datetime) -> Step:
    """Store what was written: who writes sees it, so that nothing is read back."""
    try:
        held = steps.taken(form, state, values, _how(form))
    except AnswerUnfitError as error:
        return _again(form, state, str(error))
    told = held.state.risk_key is not None
    review = held.state.model_copy(update={"risk_key": None})
    return replace(_onward(form, steps.stored(form, review, now).after(*held.observations)), told=told)


def _nothing(form: AskedForm, state: FormState, asked: Passage, now: datetime) -> Step:
    held = form.filling(state).values(asked.place)
    return _keep(form, state, asked, now) if held else _skip(form, state, asked, now)


def _keep(form: AskedForm, state: FormState, asked: Passage, now: datetime) -> Step:
    held = form.filling(state).values(asked.place)
    if not held:
        return _again(form, state, "There is no answer yet.")
    if state.entry(asked.place) is not None:
        return _onward(form, steps.onward(form, state))
    return _take(form, state, held, now)


def _skip(form: AskedForm, state: FormState, asked: Passage, now: datetime) -> Step:
    if asked.item.required:
        return _again(form, state, "This question needs an answer. If you do not want to give one, write decline.")
    return _onward(form, steps.left_out(form, state, "skipped", _how(form), now))


def _more(form: AskedForm, state: FormState, text: str) -> Step:
    word = text.casefold().rstrip(".!")
    if word in ("", "no", "n", "nope", "done"):
        return _onward(form, steps.repeated(form, state, again=False))
    if word in ("yes", "y", "yup", "another"):
        return _onward(form, steps.repeated(form, state, again=True))
    return _again(form, state, "Please answer yes or no.")


def _change(form: AskedForm, state: FormState, name: str) -> Step:
    words = name.casefold().rstrip(".")
    for passage in reversed(steps.answered_before(form, state)):
        item = passage.item
        if words in (item.link_id.casefold(), item.prefix.casefold().rstrip("."), item.text.casefold()):
            return _onward(form, steps.moved_to(state, passage.key), ("Let us change that.",))
    return _again(form, state, "There is no answer to a question of that name.")


def _how(form: AskedForm) -> How:
    return How(mode="text", language=form.form.language)


def _again(form: AskedForm, state: FormState, sentence: str) -> Step:
    return Step(state, (sentence, *prompt(form, state)))


def _onward(form: AskedForm, move: Move, before: tuple[str, ...] = ()) -> Step:
    said = (*before, *move.passed)
    if move.state.at is None:
        return Step(move.state, (*said, "Thank you. The form is complete."), move.observations)
    state = steps.asked_once_more(form, move.state)
    return Step(state, (*said, *prompt(form, state)), move.observations)
