"""What is on the screen now: one thing at a time, decided from what the core knows. Pure.

Nothing is shown of the patient that they did not just say, ask for or answer. At rest there is no form and no name;
a form is on the screen only while it is being answered.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from forge_edge.dialogue import reminders
from forge_edge.dialogue.conversation import ACCEPTED, NO_HUB, REOPENED, WHO, Conversation
from forge_edge.dialogue.reminders import Watched
from forge_edge.dialogue.sentences import WORD
from forge_edge.forms.touch import View
from forge_edge.screen.calls import Call
from forge_edge.screen.calls import State as CallState
from forge_edge.screen.captions import Captions
from forge_edge.screen.light import Light
from forge_edge.watching import Drawing
from forge_shared.events import RequestCode

Doing = Literal["starting", "waiting", "listening", "thinking", "speaking", "muting", "muted", "lost", "closed"]
"""What the room's ears do. ``muting``: the microphone was asked to be off and has not said that it is; ``closed``: the
room may not listen, or its sound has ended."""

DOING_WORDS: Mapping[Doing, str] = {
    "starting": "Starting. I cannot hear yet",
    "waiting": "Ready",
    "listening": "Listening",
    "thinking": "One moment",
    "speaking": "Speaking",
    "muting": "Switching the microphone off",
    "muted": "Muted. I hear nothing",
    "lost": "I cannot hear. Please touch",
    "closed": "Not listening. Please touch",
}

Sight = Literal["starting", "ok", "lost", "closed"]
"""What the room's camera does. ``closed``: nobody may be looked at, or its recording is at its end."""

SIGHT_WORDS: Mapping[Sight, str] = {
    "starting": "The camera is starting",
    "ok": "The camera is on",
    "lost": "The camera cannot see",
    "closed": "The camera is off",
}

CALL_WORDS: Mapping[CallState, str] = {
    "telling": "I am telling the staff.",
    "told": "The staff have the message. Nobody has answered yet.",
    "coming": ACCEPTED,
    "again": REOPENED,
    "unreached": NO_HUB,
}
"""Help is promised in one state only: a person has taken the call."""

CALLED_FOR: Mapping[RequestCode, str] = {
    "nurse": "You called the nurse",
    "water": "You asked for water",
    "pain": "You said that you are in pain",
    "help": "You asked for help",
    "toilet": "You need the toilet",
    "blanket": "You asked for a blanket",
    "light": "You asked about the light",
    "temperature": "You asked about the temperature",
    "music": "You asked for music",
    "menu": "You asked about your meals",
}
WISHES: Mapping[RequestCode, str] = {
    "water": "I would like some water",
    "toilet": "I need the toilet",
    "pain": "I am in pain",
    "blanket": "I would like a blanket",
}
"""What can be asked for beside the nurse, with the words on its button."""

MOST_BUTTONS = 12
"""Whole numbers between two near limits are buttons, such as pain from 0 to 10."""
Kind = Literal["yes-no", "word", "choice", "several", "number", "text", "confirm"]
"""How a question is answered; a ``word`` is said to the room, or a member of the staff vouches for who is there."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the core knows at this moment.

    Attributes:
        conversation: Where the dialogue stands.
        doing: What the ears do.
        staff: Whether the staff can be told something; ``alone``: this room has no hub.
        form: The question of the form that is being answered.
        now: The time in the room; None where it is not known to be right.
        audible: Whether the loudspeaker worked when it was last used.
        mutable: Whether there is anything to mute.
        by_word: Whether who speaks is known by an agreed word, which is said and not touched.
        sight: What the camera does; None: the room has none.
        draws: Whether staff can draw zones and masks here: there are eyes that are open, and a PIN.
        drawing: The page that was opened for it.
    """

    conversation: Conversation
    doing: Doing
    staff: Literal["reached", "gone", "alone"]
    form: View | None
    now: datetime | None
    audible: bool
    mutable: bool
    by_word: bool = False
    sight: Sight | None = None
    draws: bool = False
    drawing: Drawing | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """A button: what it sends, what stands on it, whether it is what was answered before."""

    value: str
    words: str
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """The one thing that is asked. ``name`` tells this moment's question from every other.

    Attributes:
        name: Sent back with the answer: a touch that was meant for another question does nothing.
        kind: How it is answered.
        text: The question, verbatim.
        above: What belongs to it and stands before it.
        hints: What stands below it.
        answer: The answer that is to be confirmed.
        choices: The answers to choose from.
        own_words: Whether own words are an answer beside them.
        type: FHIR's type of the answer.
        units: Units of a quantity.
        lowest: The least that is taken.
        highest: The most.
        held: What was answered before, as text to begin with.
        step: How far the form has come, in words.
        share: The same in percent; None outside of a form.
        of_form: Whether it is part of a form: then it can be left, skipped and so on.
        can_go_back: Whether there is a question before it.
        can_skip: Whether it may be left out.
        reminds: Whether it is a reminder, to be confirmed or put off.
    """

    name: str
    kind: Kind
    text: str
    above: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    answer: str = ""
    choices: tuple[Choice, ...] = ()
    own_words: bool = False
    type: str = ""
    units: tuple[str, ...] = ()
    lowest: str = ""
    highest: str = ""
    held: str = ""
    step: str = ""
    share: int | None = None
    of_form: bool = False
    can_go_back: bool = False
    can_skip: bool = False
    reminds: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """Everything that is on the screen."""

    doing: Doing
    doing_words: str
    sight: Sight | None
    sight_words: str
    staff: Literal["reached", "gone", "alone"]
    recorded: bool
    light: Light
    call: Call | None
    call_title: str
    call_words: str
    asked: Asked | None
    captions: Captions
    note: str
    clock: str
    day: str
    audible: bool
    muted: bool
    quiet: bool
    mutable: bool
    listens: bool
    draws: bool


def shown(facts: Facts, call: Call | None, captions: Captions, light: Light, note: str) -> Shown:
    """Return what is on the screen."""
    conversation = facts.conversation
    question = asked(facts)
    # What stands there as the question need not stand there twice.
    texts = [facts.form.text] if facts.form is not None else [question.text, *question.above] if question else []
    said = tuple(one for one in captions.said if not any(text and (text in one or one in text) for text in texts))
    captions = replace(captions, said=said)
    return Shown(
        doing=facts.doing,
        doing_words=DOING_WORDS[facts.doing],
        sight=facts.sight,
        sight_words=SIGHT_WORDS[facts.sight] if facts.sight else "",
        staff=facts.staff,
        recorded=conversation.session is not None,
        light=light,
        call=call,
        call_title=CALLED_FOR[call.request] if call else "",
        call_words=CALL_WORDS[call.state] if call else "",
        asked=question,
        captions=captions,
        note=note,
        clock=facts.now.strftime("%H:%M") if facts.now else "",
        day=facts.now.strftime("%A, %-d %B") if facts.now else "",
        audible=facts.audible,
        muted=conversation.muted,
        quiet=conversation.quiet,
        mutable=facts.mutable,
        listens=conversation.activity == "request",
        draws=facts.draws,
    )


def asked(facts: Facts) -> Asked | None:  # noqa: PLR0911 (one return for each thing that may be asked)
    """Return what is being asked, if anything is."""
    conversation = facts.conversation
    match conversation.activity:
        case "form" | "idle" if facts.form is not None:
            return _of_form(facts.form, conversation)
        case "remind" | "idle" if (due := _reminded(conversation)) is not None:
            return _of_reminder(due)
        case "who" if facts.by_word:
            return Asked(_name("word", "", ""), "word", WORD, choices=(Choice("no", "No"),))
        case "who":
            return _yes_no("who", WHO.removesuffix(" Please say yes or no."), conversation)
        case "resume":
            return _yes_no("resume", "Do you want to continue your form?", conversation)
        case "doubt" if conversation.doubted:
            return _yes_no("doubt", f"Did you say: {conversation.doubted}?", conversation)
        case "exercise" if conversation.exercise is not None:
            # What to do now was just said; it stays to be read while the person does it.
            words = " ".join(conversation.last_said)
            steps = (Choice("go-on", "Go on"), Choice("stop-exercise", "Stop"), Choice("dizzy", "I feel dizzy"))
            return Asked(_name("exercise", conversation.exercise.id, ""), "yes-no", words, choices=steps)
    return None


def _reminded(conversation: Conversation) -> Watched | None:
    open_ones = (each for each in conversation.reminders if each.due_at is not None)
    return next((each for each in open_ones if each.reminder.id == conversation.reminder), None)


def _of_reminder(due: Watched) -> Asked:
    name = _name("remind", due.reminder.id, str(due.due_at))
    answers = (Choice("done", "Done"), Choice("later", "Later"), Choice("refused", "No"))
    return Asked(
        name, "yes-no", "Is it done?", above=(reminders.sentence(due.reminder),), choices=answers, reminds=True
    )


def _yes_no(kind: str, text: str, conversation: Conversation) -> Asked:
    name = _name(kind, conversation.doubted or "", "")
    return Asked(name, "yes-no", text, choices=(Choice("yes", "Yes"), Choice("no", "No")))


def _of_form(form: View, conversation: Conversation) -> Asked | None:
    if form.kind == "over":
        return None
    alone = conversation.speaker == "assumed"
    response = conversation.interview.response if conversation.interview else ""
    name = _name(response, repr(form.place), f"{form.kind}/{form.heard}")
    number = f"{form.prefix} " if form.prefix and not form.text.startswith(form.prefix) else ""
    base = Asked(
        name=name,
        kind="text",
        text=f"{number}{form.text}",
        above=form.above,
        hints=form.hints,
        type=form.type,
        step=f"{min(form.reached + 1, form.of)} of {form.of}" if form.of else "",
        share=round(100 * form.reached / form.of) if form.of else None,
        of_form=True,
        can_go_back=form.can_go_back or form.heard is not None,
        can_skip=not form.required,
    )
    return _with_answers(base, form, alone=alone)


def _with_answers(base: Asked, form: View, *, alone: bool) -> Asked:
    """Add how the question is answered; what was answered before is for the patient's eyes alone."""
    held = form.held if alone else ()
    if form.kind == "more":
        words = (Choice("another", "Yes"), Choice("no-more", "No"))
        return replace(base, kind="yes-no", text=f"Is there another one for: {form.text}?", choices=words)
    if form.heard is not None:
        return replace(base, kind="confirm", answer=form.heard if alone else "")
    if form.options:
        kind: Kind = "several" if form.several else "choice"
        choices = tuple(Choice(one.code, one.display, one.chosen and alone) for one in form.options)
        return replace(base, kind=kind, choices=choices, own_words=form.type == "open-choice")
    if form.type == "boolean":
        choices = tuple(Choice(word, word.capitalize(), word in held) for word in ("yes", "no"))
        return replace(base, kind="choice", choices=choices)
    numbers = _few_numbers(form)
    if numbers:
        return replace(base, kind="choice", choices=tuple(Choice(one, one, one in held) for one in numbers))
    return replace(
        base,
        kind="number" if form.type in ("integer", "decimal", "quantity") else "text",
        units=form.units,
        lowest=form.lowest or "",
        highest=form.highest or "",
        held=held[0] if len(held) == 1 and form.type != "quantity" else "",
    )


def _few_numbers(form: View) -> tuple[str, ...]:
    limits = (form.lowest or "", form.highest or "")
    if form.type != "integer" or form.several or not all(limit.lstrip("-").isdigit() for limit in limits):
        return ()
    lowest, highest = int(limits[0]), int(limits[1])
    return tuple(str(number) for number in range(lowest, highest + 1)) if highest - lowest < MOST_BUTTONS else ()


def _name(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
