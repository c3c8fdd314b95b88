"""A form answered by touch: what a finger can do, and what a screen shows. Pure, over the state that the voice uses.

A screen draws `view(form, state)` and sends what was tapped as one of the actions to `touched(form, state, action,
now=...)`; the step that comes back holds the next state, and what was observed, which must be committed first (a risk
answer raises its alarm in the very step it is tapped). A form begun by voice goes on here at the same question, and
back: an answer that was heard and is being read back is `View.heard`, and `Confirm` settles it.

In a room the conversation keeps the state, so a screen calls `Dialogue.touched` and `Dialogue.shown` (and
`Dialogue.touched_begin` to start), which do the same and keep the ears in step.

Answers are entered as text, whatever the question's type, each in its own string: an option by its code, yes or no,
``12``, ``12.5``, ``36.6 Cel``, ``2024-02-29``, ``14:30``, or own words. What does not fit comes back as
`Step.refused`, and nothing has changed. A risk item's answer is confirmed once more before it is stored.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from forge_edge.forms import steps
from forge_edge.forms.asked import AskedForm, Passage, hints, shown
from forge_edge.forms.state import FormState, How
from forge_edge.forms.steps import Move, Step
from forge_shared.errors import AnswerUnfitError
from forge_shared.events import Mode
from forge_shared.forms import elements, entry
from forge_shared.forms.elements import Quantity, Value
from forge_shared.forms.filling import Filling, Place

FIRST = "This is the first question."
NEEDED = "This question needs an answer. If you do not want to give one, choose that you do not want to answer."


@dataclass(frozen=True, slots=True)
class Answer:
    """These answers were entered, each as text; several only where the question takes several."""

    entered: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Confirm:
    """The answer that is shown as heard or chosen is right, or is not."""

    right: bool


@dataclass(frozen=True, slots=True)
class More:
    """Another one of a repeating group shall be filled in, or not."""

    another: bool


@dataclass(frozen=True, slots=True)
class Back:
    """To the question before; in a read-back, to its question."""


@dataclass(frozen=True, slots=True)
class Repeat:
    """Read the question out once more."""


@dataclass(frozen=True, slots=True)
class Keep:
    """Leave the answer that stands there and go on."""


@dataclass(frozen=True, slots=True)
class Skip:
    """Leave this question out."""


@dataclass(frozen=True, slots=True)
class Decline:
    """The person does not want to answer this; the reason, in their own words, stays in the room."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait; the form goes on later at the same question."""


@dataclass(frozen=True, slots=True)
class Stop:
    """End the form; what is stored is kept."""


@dataclass(frozen=True, slots=True)
class GoTo:
    """To a question that was answered or left out before: one of `View.before`."""

    place: Place


Action = Answer | Confirm | More | Back | Repeat | Keep | Skip | Decline | Pause | Stop | GoTo


@dataclass(frozen=True, slots=True)
class Option:
    """One answer of a choice: what to send, and what to show."""

    code: str
    display: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Before:
    """A question that can be gone back to, with what is stored; no answers: it was left out."""

    place: Place
    prefix: str
    text: str
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class View:
    """What a screen shows of a form. All texts of the form are verbatim.

    Attributes:
        title: The form's title.
        kind: A question, whether a group is filled in once more, or that the form is over.
        place: Where the question stands.
        prefix: The question's number as the form prints it; may be empty.
        text: The question.
        above: Texts of the groups it stands in, outermost first.
        hints: Texts right below the question.
        type: FHIR's type of the question.
        options: The answers to choose from; beside them own words where ``type`` is ``open-choice``.
        expected: In a few words, what an answer looks like.
        units: Units of a quantity, the codes to send after the number.
        lowest: The least that is taken, None where there is no limit; as text.
        highest: The most.
        several: Whether it takes several answers at once.
        required: Whether it cannot be skipped, only declined.
        held: What is stored here already, or what the form holds before it is asked, in words.
        heard: The answer that waits to be confirmed, in words; None where none does.
        heard_by: The way it came.
        reached: How many questions are answered or left out.
        of: How many there are as far as is known: answers can open further ones.
        before: The questions that can be gone back to, in reading order.
        can_go_back: Whether there is a question before this one.
    """

    title: str
    kind: Literal["question", "more", "over"]
    place: Place = ()
    prefix: str = ""
    text: str = ""
    above: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    type: str = ""
    options: tuple[Option, ...] = ()
    expected: str = ""
    units: tuple[str, ...] = ()
    lowest: str | None = None
    highest: str | None = None
    several: bool = False
    required: bool = False
    held: tuple[str, ...] = ()
    heard: str | None = None
    heard_by: Mode | None = None
    reached: int = 0
    of: int = 0
    before: tuple[Before, ...] = ()
    can_go_back: bool = False


Hand = Literal["touch", "staff"]
"""Whose hand it is: the patient's, or that of a member of the staff who answers for them."""


def begin(form: AskedForm, response: str, now: datetime, *, hand: Hand = "touch") -> Step:
    """Start a form on the screen."""
    return _next(form, steps.begun(form, response, now, hand))


def touched(form: AskedForm, state: FormState, action: Action, *, now: datetime, hand: Hand = "touch") -> Step:  # noqa: PLR0911 (one return for each action)
    """Take what was tapped. What does not fit what is being asked changes nothing, and so does all after the end."""
    if state.at is None:
        return Step(state)
    led = state.model_copy(update={"led": hand})
    match action:
        case Back():
            return _back(form, led)
        case Confirm() if led.pending is not None:
            return _confirm(form, led, now, right=action.right)
        case GoTo() if (known := _known(form, led, action.place)) is not None:
            return _next(form, steps.moved_to(led, known.key))
        case Pause():
            move = steps.paused(form, led)
            return Step(move.state, (), move.observations, paused=True)
        case Stop():
            move = steps.stopped(form, led)
            return Step(move.state, (), move.observations)
        case Repeat():
            return _next(form, Move(led))
        case _ if form.passage(led).kind == "more":
            return _of_group(form, led, action)
        case _:
            return _of_question(form, led, action, now)


def view(form: AskedForm, state: FormState) -> View:
    """Return what a screen shows of a form now."""
    filling = form.filling(state)
    known = {stored.place for stored in state.entries}
    places = [passage.place for passage in form.passages(filling) if passage.kind == "ask"]
    reached = sum(place in known for place in places)
    before = tuple(
        Before(one.place, one.item.prefix, one.item.text, tuple(shown(value) for value in filling.given[one.place]))
        for one in steps.answered_before(form, state)
        if state.at is None or one.place != state.at[1]
    )
    if state.at is None:
        return View(form.form.title, "over", before=before, reached=reached, of=len(places))
    asked = form.passage(state)
    item = asked.item
    base = View(
        form.form.title,
        "more" if asked.kind == "more" else "question",
        place=asked.place,
        prefix=item.prefix,
        text=item.text or item.link_id,
        above=tuple(text for link_id, _ in asked.place[:-1] if (text := form.items[link_id].text)),
        before=before,
        can_go_back=steps.back(form, state) is not None,
        reached=reached,
        of=len(places),
    )
    if asked.kind == "more":
        return base
    pending = state.pending
    return replace(
        _with_answers(base, asked, filling),
        heard=_heard(pending.values) if pending else None,
        heard_by=pending.how.mode if pending else None,
    )


def _with_answers(base: View, asked: Passage, filling: Filling) -> View:
    item = asked.item
    held = filling.values(asked.place)
    codes = {option.code for option in item.answer_option if option.value in held}
    lowest, highest = (elements.first(item.extension, url) for url in (elements.MIN_VALUE, elements.MAX_VALUE))
    return replace(
        base,
        hints=hints(item),
        type=item.type,
        options=tuple(Option(option.code, option.display, option.code in codes) for option in item.answer_option),
        expected=entry.expected(item),
        units=tuple(unit.code or unit.display for unit in entry.units(item)),
        lowest=_limit(lowest),
        highest=_limit(highest),
        several=item.repeats,
        required=item.required,
        held=tuple(shown(value) for value in held),
    )


def _of_group(form: AskedForm, state: FormState, action: Action) -> Step:
    match action:
        case More():
            return _next(form, steps.repeated(form, state, again=action.another))
        case Skip():
            return _next(form, steps.repeated(form, state, again=False))
    return Step(state)


def _of_question(form: AskedForm, state: FormState, action: Action, now: datetime) -> Step:
    asked = form.passage(state)
    match action:
        case Answer():
            return _answer(form, state, asked, action.entered, now)
        case Keep():
            return _keep(form, state, asked, now)
        case Skip() if asked.item.required:
            return Step(state, refused=NEEDED)
        case Skip():
            return _next(form, steps.left_out(form, state, "skipped", _how(form, state), now))
        case Decline():
            reason = action.reason.strip()[: entry.LONGEST_CHARACTERS]
            return _next(form, steps.left_out(form, state, "declined", _how(form, state), now, reason=reason))
    return Step(state)


def _limit(limit: object) -> str | None:
    if limit is None:
        return None
    number = limit.value if isinstance(limit, Quantity) else limit
    return f"{number:.15g}" if isinstance(number, float) else str(number)


def _heard(values: tuple[Value, ...]) -> str:
    return ", ".join(shown(value) for value in values)


def _how(form: AskedForm, state: FormState) -> How:
    return How(mode=state.led, language=form.form.language)


def _answer(form: AskedForm, state: FormState, asked: Passage, entered: tuple[str, ...], now: datetime) -> Step:
    given = tuple(one.strip() for one in entered if one.strip())
    if not given:
        return Step(state, refused="Please give an answer.")
    try:
        values = tuple(dict.fromkeys(entry.read_one(asked.item, one, form.zone) for one in given))
        # What a voice began to say, or to add to, is replaced by what is on the screen.
        move = steps.taken(form, state.model_copy(update={"adding": False}), values, _how(form, state))
    except AnswerUnfitError as error:
        return Step(state, refused=str(error))
    if asked.item.is_risk:
        return Step(move.state, (), move.observations)
    return _next(form, steps.stored(form, move.state, now).after(*move.observations))


def _confirm(form: AskedForm, state: FormState, now: datetime, *, right: bool) -> Step:
    if not right:
        return _next(form, steps.taken_back(state, "corrected"))
    told = state.risk_key is not None
    return replace(_next(form, steps.stored(form, state, now)), told=told)


def _back(form: AskedForm, state: FormState) -> Step:
    if state.pending is not None:
        return _next(form, steps.taken_back(state, "not-reviewed"))
    move = steps.back(form, state)
    return _next(form, move) if move is not None else Step(state, refused=FIRST)


def _keep(form: AskedForm, state: FormState, asked: Passage, now: datetime) -> Step:
    held = form.filling(state).values(asked.place)
    if not held:
        return Step(state, refused="There is no answer yet.")
    if state.entry(asked.place) is not None and state.pending is None:
        return _next(form, steps.onward(form, state))
    try:
        move = steps.taken(form, state, held, _how(form, state))
    except AnswerUnfitError as error:
        return Step(state, refused=str(error))
    return _next(form, steps.stored(form, move.state, now).after(*move.observations))


def _known(form: AskedForm, state: FormState, place: Place) -> Passage | None:
    return next((passage for passage in steps.answered_before(form, state) if passage.place == place), None)


def _next(form: AskedForm, move: Move) -> Step:
    state = move.state
    if state.at is not None and state.pending is None:
        state = steps.asked_once_more(form, state)
    return Step(state, move.passed, move.observations)
