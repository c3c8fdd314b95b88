"""A questionnaire asked by voice: pure decisions over what was understood.

Items are read out verbatim. Every answer is read back and stored only when the person says that it is right. A question
that a voice cannot answer here is offered on the screen where there is one, and otherwise left out, with the reason.
"""

from dataclasses import replace
from datetime import datetime

from forge_edge.forms import spoken, steps
from forge_edge.forms.asked import AskedForm, hints
from forge_edge.forms.state import Absent, FormState, How, Pending
from forge_edge.forms.steps import Move, Step
from forge_edge.speech.grammar import Meaning, Vocabulary
from forge_shared.errors import AnswerUnfitError
from forge_shared.forms import elements, entry
from forge_shared.forms.elements import Value
from forge_shared.forms.questionnaire import Item

TRIES = 4
"""Misunderstandings in a row of one question or read-back before the room does something else. Ours."""
READ_BACKS = 4
"""Read-backs of one question that were not confirmed before it is left unanswered. Ours: more would be an ordeal."""
_HARMLESS = frozenset({"repeat", "back", "correct", "help"})
"""Commands after which a question is asked again, and nothing else."""
SILENCES = 2
"""Times nobody answers before the room waits to be called again."""
LONGEST_SAID = 800
"""Characters of a sentence that the room says at once; a voice takes a thousand."""


def begin(form: AskedForm, response: str, started_at: datetime) -> Step:
    """Start a form at its first question."""
    move = steps.begun(form, response, started_at, "voice")
    introduction = (
        f"We will go through the {form.form.title} together.",
        "After each question I repeat what I heard, and you tell me whether it is right.",
        "You can also say: repeat, go back, skip, or stop.",
    )
    return _onward(form, move, started_at, introduction)


def resume(form: AskedForm, state: FormState) -> Step:
    """Go on where the interview was interrupted: the current question is asked again."""
    fresh = steps.taken_back(state, "not-reviewed")
    heard = fresh.state.model_copy(update={"misunderstood": 0, "silences": 0, "led": "voice"})
    step = _ask(form, heard, before=("Let us go on.",))
    return replace(step, observations=(*fresh.observations, *step.observations))


def vocabulary(form: AskedForm, state: FormState) -> Vocabulary:
    """Return what may be said now."""
    return spoken.vocabulary(form, state)


def takes_dictation(form: AskedForm, state: FormState) -> bool:
    """Tell whether the current question is answered in own words, which an engine here takes down."""
    if state.at is None or state.at[0] != "ask" or state.pending is not None:
        return False
    return form.dictation and form.passage(state).item.type in ("string", "text")


def ask_again(form: AskedForm, state: FormState) -> Step:
    """Say once more what the room is waiting for."""
    return _plain(form, state)


def hear(  # noqa: PLR0911, PLR0913 (one return for each thing that may have been said; what is known of it)
    form: AskedForm,
    before: FormState,
    meaning: Meaning | None,
    *,
    now: datetime,
    guess: Meaning | None = None,
    how: How | None = None,
) -> Step:
    """Take what was understood; None means that something was said and not understood.

    A guess that the engine did not trust is not acted on. But when the same question was not understood before, a
    guessed answer is read back, as any answer is, and a command that takes nothing away is followed: better that than
    to ask in vain again.

    Args:
        form: The form.
        before: Where it stands.
        meaning: What was understood. Of a question in own words, an answer whose code is what was said.
        now: Time of the decision.
        guess: What the engine would have said if it had to.
        how: Which engine heard it, how surely, in which language.
    """
    state = before.model_copy(update={"led": "voice"})
    heard = how or How(mode="voice", language=form.form.language)
    if meaning is None and guess is not None and state.pending is None and state.misunderstood > 0:
        if guess.kind == "answer":
            return _answer(form, state, guess.code, heard, now)
        counted = state.model_copy(update={"misunderstood": state.misunderstood + 1})
        if guess.kind == "command" and guess.code in _HARMLESS and counted.misunderstood < TRIES:
            return _command(form, counted, guess.code, now)
    if meaning is None:
        return _not_understood(form, state, now)
    if meaning.kind == "command":
        return _command(form, state, meaning.code, now)
    if state.pending is None and meaning.kind == "answer":
        return _answer(form, state, meaning.code, heard, now)
    if meaning.kind == "confirmation" and state.pending is not None:
        return _store(form, state, now) if meaning.code == "yes" else _unconfirmed(form, state, "corrected", now)
    if meaning.kind == "confirmation" and form.passage(state).kind == "more":
        return _onward(form, steps.repeated(form, state, again=meaning.code == "yes"), now)
    return _not_understood(form, state, now)


def silence(form: AskedForm, state: FormState) -> Step:
    """Nobody answered."""
    waited = state.model_copy(update={"silences": state.silences + 1, "re_prompts": state.re_prompts + 1})
    if waited.silences < SILENCES:
        return _again(form, waited, "Sorry, I did not hear you.")
    move = steps.paused(form, waited)
    return Step(move.state, ("I will wait. Call me when you want to go on.",), move.observations, paused=True)


def stop(form: AskedForm, state: FormState) -> Step:
    """End the form before its end; what was confirmed is kept."""
    move = steps.stopped(form, state)
    return Step(move.state, ("I have stopped the form. Your answers so far are kept.",), move.observations)


def _ask(form: AskedForm, state: FormState, *, before: tuple[str, ...] = (), with_options: bool = True) -> Step:
    counted = steps.asked_once_more(form, state)
    asked = form.passage(counted)
    item = asked.item
    if asked.kind == "more":
        text = _sentence(item.text or item.link_id)
        return Step(counted, (*before, f"Is there another one for this? {text} Please say yes or no."))
    if counted.parts and (slot := spoken.follows(item, counted.parts, counted.started_at.year)) is not None:
        return Step(counted, (*before, slot.prompt))
    if counted.adding:
        return Step(counted, (*before, "Is there anything else? Say it, or say: no, that is all."))
    number = f"Question {item.prefix.rstrip('.)')}. " if item.prefix else ""
    question = f"{number}{_sentence(item.text or item.link_id)}"
    if with_options:
        how = spoken.expectation(form, item, counted) if spoken.is_sayable(form, item) else _ON_SCREEN
        question = f"{question} {how}".strip()
    held = form.filling(counted).values(asked.place)
    if held and counted.entry(asked.place) is None:
        question = f"{question} Now it says: {_words(held)}. You can say: keep it."
    return Step(counted, (*before, *_short(question), *(_sentence(hint) for hint in hints(item))))


_ON_SCREEN = "I cannot take this answer by voice. You can give it on the screen, or say: skip."


def _plain(form: AskedForm, state: FormState) -> Step:
    if state.pending is not None:
        return Step(state, _short(_heard(state.pending)))
    return _ask(form, state)


def _again(form: AskedForm, state: FormState, sorry: str) -> Step:
    if state.pending is not None:
        return Step(state, (f"{sorry} Please say yes or no. {_heard(state.pending)}",))
    step = _ask(form, state)
    return replace(step, say=(f"{sorry} {step.say[0]}", *step.say[1:]))


def _not_understood(form: AskedForm, state: FormState, now: datetime) -> Step:
    counted = state.model_copy(
        update={"misunderstood": state.misunderstood + 1, "re_prompts": state.re_prompts + 1, "silences": 0}
    )
    if counted.misunderstood < TRIES:
        return _again(form, counted, "Sorry, I did not understand.")
    if counted.pending is not None:
        return _unconfirmed(form, counted, "not-reviewed", now)
    return _give_up(form, counted, now)


def _answer(form: AskedForm, state: FormState, written: str, how: How, now: datetime) -> Step:
    """Take one part of an answer, or all of it: what is whole is read back."""
    item = form.passage(state).item
    parts = (*state.parts, written)
    held = state.model_copy(update={"parts": parts, "misunderstood": 0, "silences": 0})
    if not item.answer_option and spoken.follows(item, parts, state.started_at.year) is not None:
        return _ask(form, held)
    try:
        values = (_chosen(item, written) or entry.read_one(item, spoken.assembled(item, parts), form.zone),)
        move = steps.taken(form, state, values, how)
    except AnswerUnfitError as error:
        again = state.model_copy(update={"parts": (), "misunderstood": state.misunderstood + 1})
        if again.misunderstood >= TRIES:
            return _give_up(form, again, now)
        return _ask(form, again, before=(str(error),))
    held_now = move.state.pending
    return Step(move.state, _short(_heard(held_now)) if held_now is not None else (), move.observations)


def _chosen(item: Item, code: str) -> Value | None:
    option = item.option(code)
    return option.value if option is not None else None


def _unconfirmed(form: AskedForm, state: FormState, outcome: steps.Outcome, now: datetime) -> Step:
    back = steps.taken_back(state, outcome)
    again = back.state.model_copy(
        update={"misunderstood": 0, "unconfirmed": state.unconfirmed + 1, "re_prompts": state.re_prompts + 1}
    )
    if again.unconfirmed >= READ_BACKS:
        step = _give_up(form, again, now)
        return replace(step, observations=(*back.observations, *step.observations))
    step = _ask(form, again)
    return replace(step, say=(f"Sorry. {step.say[0]}", *step.say[1:]), observations=back.observations)


def _store(form: AskedForm, state: FormState, now: datetime) -> Step:
    item = form.passage(state).item
    told = state.risk_key is not None
    if item.repeats and not _is_full(form, state):
        move = steps.stored(form, state, now, more=True)
        return replace(_ask(form, move.state), observations=move.observations, told=told)
    step = _onward(form, steps.stored(form, state, now), now, with_options=None if item.answer_option else True)
    return replace(step, told=told)


def _is_full(form: AskedForm, state: FormState) -> bool:
    """Tell whether a question that takes several answers takes no more with the one that is held."""
    asked = form.passage(state)
    held = state.entry(asked.place)
    pending = state.pending.values if state.pending is not None else ()
    values = {*(held.values if held is not None and state.adding else ()), *pending}
    most = elements.first(asked.item.extension, elements.MAX_OCCURS)
    if isinstance(most, int) and len(values) >= most:
        return True
    options = [option for option in asked.item.answer_option if option.value in values]
    return any(option.is_exclusive for option in options) or (
        asked.item.type == "choice" and len(options) == len(asked.item.answer_option)
    )


def _command(form: AskedForm, state: FormState, command: str, now: datetime) -> Step:  # noqa: PLR0911 (one return for each command)
    asked = form.passage(state)
    if command == "stop":
        return stop(form, state)
    if command == "pause":
        move = steps.paused(form, state)
        return Step(move.state, ("I will wait. Call me when you want to go on.",), move.observations, paused=True)
    if command == "skip" and asked.kind == "more":
        return _onward(form, steps.repeated(form, state, again=False), now)
    if command in ("skip", "decline") and asked.kind == "ask":
        return _leave_out(form, state, "declined" if command == "decline" else "skipped", now)
    if command == "done" and state.adding:
        return _enough(form, state, now)
    if command == "keep":
        return _keep(form, state, now)
    if command in ("back", "correct"):
        return _back(form, state)
    if command.startswith(spoken.CHANGE):
        known = steps.answered_before(form, state)
        move = steps.moved_to(state, known[int(command.removeprefix(spoken.CHANGE))].key)
        step = _ask(form, move.state, before=("Let us change that.",))
        return replace(step, observations=move.observations)
    if command == "help":
        return _help(form, state)
    return _plain(form, state)


def _help(form: AskedForm, state: FormState) -> Step:
    asked = form.passage(state)
    how = spoken.expectation(form, asked.item, state) if asked.kind == "ask" else ""
    explanation = (
        f"{how} You can also say: repeat, go back, skip, I don't want to answer, pause, or stop."
        " If you need a person, press the call button, or say stop, and then call me and say nurse."
    )
    step = _plain(form, state)
    return replace(step, say=(explanation.strip(), *step.say))


def _enough(form: AskedForm, state: FormState, now: datetime) -> Step:
    """Go on from a question with several answers, if there are as many as it needs."""
    asked = form.passage(state)
    held = state.entry(asked.place)
    try:
        entry.check(asked.item, held.values if held is not None else ())
    except AnswerUnfitError:
        least = elements.first(asked.item.extension, elements.MIN_OCCURS)
        return _ask(form, state, before=(f"This question needs at least {least} answers.",))
    return _onward(form, steps.onward(form, state), now)


def _keep(form: AskedForm, state: FormState, now: datetime) -> Step:
    asked = form.passage(state)
    if asked.kind != "ask":
        return _plain(form, state)
    if state.pending is None and state.entry(asked.place) is not None:
        return _onward(form, steps.onward(form, state), now)
    held = form.filling(state).values(asked.place)
    if state.pending is not None or not held:
        return _plain(form, state)
    try:
        move = steps.taken(form, state, held, How(mode="voice", language=form.form.language))
    except AnswerUnfitError as error:
        return _ask(form, state, before=(str(error),))
    step = _onward(form, steps.stored(form, move.state, now), now)
    return replace(step, observations=(*move.observations, *step.observations))


def _back(form: AskedForm, state: FormState) -> Step:
    # In the middle of a read-back, or of an answer in parts, going back means this question; else the one before it.
    if state.pending is not None or state.parts or state.adding:
        move = steps.taken_back(state, "not-reviewed")
        fresh = move.state.model_copy(update={"misunderstood": 0, "unconfirmed": 0, "adding": False})
        move = Move(fresh, (), move.observations)
    else:
        move = steps.back(form, state) or Move(state.model_copy(update={"misunderstood": 0, "unconfirmed": 0}))
    step = _ask(form, move.state, before=("Let us go back.",))
    return replace(step, observations=move.observations)


def _leave_out(form: AskedForm, state: FormState, absent: Absent, now: datetime) -> Step:
    unsayable = absent == "skipped" and not spoken.is_sayable(form, form.passage(state).item)
    how = How(mode="voice", language=form.form.language)
    move = steps.left_out(form, state, "unsupported" if unsayable else absent, how, now)
    return _onward(form, move, now, with_options=None)


def _give_up(form: AskedForm, state: FormState, now: datetime) -> Step:
    if form.passage(state).kind == "more":
        step = _onward(form, steps.repeated(form, state, again=False), now)
    else:
        step = _leave_out(form, state, "not-understood", now)
    return replace(step, say=("Sorry, we will leave this question out for now.", *step.say))


def _onward(
    form: AskedForm, move: Move, now: datetime, before: tuple[str, ...] = (), *, with_options: bool | None = True
) -> Step:
    """Ask what comes next; options are read out again only where they are others, with None for ``with_options``."""
    said = [*before, *(sentence for text in move.passed for sentence in _short(_sentence(text)))]
    state, observations = move.state, move.observations
    while state.at is not None and state.at[0] == "ask" and not form.screen:
        item = form.passage(state).item
        if spoken.is_sayable(form, item):
            break
        said += ["This question cannot be answered by voice, so I leave it out:", *_short(_sentence(item.text))]
        how = How(mode="voice", language=form.form.language)
        left = steps.left_out(form, steps.asked_once_more(form, state), "unsupported", how, now)
        said += [sentence for text in left.passed for sentence in _short(_sentence(text))]
        state, observations = left.state, (*observations, *left.observations)
    if state.at is None:
        return Step(state, (*said, _thanks(state)), observations)
    step = _ask(form, state, before=tuple(said), with_options=with_options or _are_new(form, state))
    return replace(step, observations=observations)


def _are_new(form: AskedForm, state: FormState) -> bool:
    """Tell whether the current question's answers are others than those of the question stored last."""
    item = form.passage(state).item
    last = form.item(state.entries[-1].place) if state.entries else None
    if last is None or not item.answer_option:
        return True
    return [option.display for option in item.answer_option] != [option.display for option in last.answer_option]


def _thanks(state: FormState) -> str:
    if state.skipped:
        return f"Thank you. You have answered {len(state.answers)} questions."
    return "Thank you. You have answered all questions."


def _heard(pending: Pending) -> str:
    return f"I heard: {_words(pending.values)}. Is that right?"


def _words(values: tuple[Value, ...]) -> str:
    return ", ".join(spoken.in_words(value).rstrip(".") for value in values)


def _short(text: str) -> tuple[str, ...]:
    """Return a text in pieces that a voice can say, cut between its words."""
    pieces: list[str] = []
    while len(text) > LONGEST_SAID:
        end = text.rfind(" ", 0, LONGEST_SAID)
        end = end if end > 0 else LONGEST_SAID
        pieces.append(text[:end])
        text = text[end:].lstrip()
    return (*pieces, *((text,) if text else ()))


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else f"{text}."
