"""A simulated patient's mind: what they want, and what they say to what the room says. Pure.

The room is understood by text patterns only, so that a patient is answered by the shipped dialogue and by nothing else.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Annotated, Literal

from pydantic import Field

from forge_edge.errors import NodeConfigError
from forge_shared.forms.elements import AnswerOption
from forge_shared.forms.questionnaire import Item, Questionnaire
from forge_shared.model import Frozen

WAKE_REPEATS = 3
"""How often the wake word is said again without progress, before the patient gives up."""

TRIES = 8
"""How often in a row the patient repeats the same thing that the room does not understand, before they give up."""

BETWEEN_WANTS_SECONDS = 2.0
BETWEEN_SENTENCES_SECONDS = 1.5
"""Longer than the silence that ends an utterance, so that each sentence is heard as one."""

SLOWEST_WORDS_PER_MINUTE = 80
"""espeak-ng speaks no slower."""

YES = "yes, that is right"
NO = "no, that is wrong"
CONTINUE = "yes"

_SORRY = re.compile(r"(^|[.?!] )sorry\b")
_DOUBT = re.compile(r"did you say: (.*?)\?")
_READ_BACK = re.compile(r"i heard: (.*?)\. is that right")

Spoken = Annotated[str, Field(min_length=1, max_length=300)]


class Voice(Frozen):
    """A synthetic voice. ``pitch`` is 0 to 99 and used by espeak-ng only."""

    engine: Literal["espeak-ng", "flite"] = "espeak-ng"
    voice: Annotated[str, Field(min_length=1, max_length=40)] = "en-gb"
    words_per_minute: Annotated[int, Field(ge=SLOWEST_WORDS_PER_MINUTE, le=320)] = 160
    pitch: Annotated[int, Field(ge=0, le=99)] = 50


class Noise(Frozen):
    """The room's noise: its level below the patient's speech (None: quiet), and the seed of everything random."""

    snr_db: Annotated[float, Field(ge=-20, le=80)] | None = None
    seed: Annotated[int, Field(ge=0)] = 0


class Request(Frozen):
    """Wake the room and ask for something."""

    kind: Literal["request"]
    says: Spoken


class Talk(Frozen):
    """Say sentences without the wake word, as in a recorded session."""

    kind: Literal["talk"]
    says: Annotated[tuple[Spoken, ...], Field(min_length=1)]


class Await(Frozen):
    """Keep silent until the room says something of its own accord, as when a recorded session is switched on."""

    kind: Literal["await"]
    hears: Spoken


class Wait(Frozen):
    """Keep silent for a while."""

    kind: Literal["wait"]
    seconds: Annotated[float, Field(ge=0, le=3600)]


class Change(Frozen):
    """A change of mind: after item ``after`` is confirmed, go back to ``item`` and answer it anew."""

    after: str
    item: str
    says: Spoken = "go back"
    answer: Spoken


class Form(Frozen):
    """Wake the room and fill in a form. ``answers`` are spoken phrases by link id; what is missing is skipped.

    Once item ``touches_after`` is confirmed they say nothing more and go on at the screen.
    """

    kind: Literal["form"]
    says: Spoken = "i want to fill in my form"
    form: str = "phq-9"
    answers: Mapping[str, Spoken]
    changes: tuple[Change, ...] = ()
    touches_after: str | None = None


Want = Annotated[Request | Talk | Await | Wait | Form, Field(discriminator="kind")]


class PatientScript(Frozen):
    """A simulated patient: voice, wake word, room noise, and what they want, in order."""

    voice: Voice = Voice()
    wake_word: Spoken = "okay nabu"
    noise: Noise = Noise()
    wants: tuple[Want, ...] = ()


class Phase(Enum):
    """Where a patient stands."""

    RESTING = "resting"  # about to do the next thing by themselves
    WAKING = "waking"  # has said the wake word, waits for the tone
    ASKED = "asked"  # has said what they want, waits for an answer
    ANSWERING = "answering"  # is in a form
    LISTENING = "listening"  # waits for the room to say something of its own accord
    DONE = "done"  # has nothing left to want
    GAVE_UP = "gave-up"  # the room did not answer, or never understood


@dataclass(frozen=True, slots=True)
class Says:
    """What a patient says, and what they mean by it.

    Attributes:
        text: The words.
        meaning: ``wake``, ``request``, ``talk``, ``form``, ``yes``, ``no``, ``change``, ``skip``, or
            ``<link id>=<option code>``.
    """

    text: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Patient:
    """A patient's state of mind.

    Attributes:
        script: What they came with.
        forms: The forms they know, by id.
        phase: Where they stand.
        want: Index of the current want.
        sentence: Index of the next sentence of a talk.
        answers: What they mean to answer, by link id, after changes of mind.
        changes: Changes of mind still to come.
        item: The item that was asked last.
        confirmed: The item whose read-back they confirmed last.
        denied: The item whose read-back they denied, until they confirm it.
        going_back_to: The item they want to have asked again.
        last: What they said last.
        excused: The next question is a repetition that is already counted, or that they asked for.
        re_prompts: Times the room asked again because it did not understand or misheard.
        tries: Repetitions in a row of the same thing.
        wakes: Times the wake word had to be said again before the want made progress.
    """

    script: PatientScript
    forms: Mapping[str, Questionnaire]
    phase: Phase = Phase.RESTING
    want: int = 0
    sentence: int = 0
    answers: Mapping[str, str] | None = None
    changes: tuple[Change, ...] = ()
    item: str | None = None
    confirmed: str | None = None
    denied: str | None = None
    going_back_to: str | None = None
    last: Says | None = None
    excused: bool = False
    re_prompts: int = 0
    tries: int = 0
    wakes: int = 0

    @property
    def waits_for_room(self) -> bool:
        """Whether it is the room's turn."""
        return self.phase in (Phase.WAKING, Phase.ASKED, Phase.ANSWERING)

    @property
    def has_finished(self) -> bool:
        """Whether they will say nothing more."""
        return self.phase in (Phase.DONE, Phase.GAVE_UP)


Turn = tuple[Patient, Says | None]


def begin(script: PatientScript, forms: Mapping[str, Questionnaire]) -> Patient:
    """Return a patient before their first want.

    Raises:
        NodeConfigError: The script names a form, an item or an answer that does not exist.
    """
    for want in script.wants:
        if isinstance(want, Form):
            _check(want, forms)
    return Patient(script, forms, phase=Phase.RESTING if script.wants else Phase.DONE)


def pause_seconds(patient: Patient) -> float:
    """Return how long a resting patient is silent before `proceed`."""
    want = patient.script.wants[patient.want]
    if isinstance(want, Wait):
        return want.seconds
    return BETWEEN_SENTENCES_SECONDS if isinstance(want, Talk) and patient.sentence else BETWEEN_WANTS_SECONDS


def proceed(patient: Patient) -> Turn:
    """Do the next thing by oneself; only while resting."""
    want = patient.script.wants[patient.want]
    if isinstance(want, Wait):
        return _satisfied(patient), None
    if isinstance(want, Await):
        return replace(patient, phase=Phase.LISTENING), None
    if isinstance(want, Talk):
        says = Says(want.says[patient.sentence], "talk")
        more = patient.sentence + 1 < len(want.says)
        return replace(patient, sentence=patient.sentence + 1, last=says) if more else _satisfied(patient), says
    if isinstance(want, Form):
        patient = replace(patient, answers=want.answers, changes=want.changes)
    return _wake(replace(patient, wakes=0))


def grow_impatient(patient: Patient) -> Turn:
    """The room has been silent for too long, or has stopped listening: say the wake word again, or give up."""
    if patient.wakes >= WAKE_REPEATS:
        return replace(patient, phase=Phase.GAVE_UP), None
    return _wake(replace(patient, wakes=patient.wakes + 1))


def hear_tone(patient: Patient) -> Turn:
    """The room says that it listens: a patient who called it says what they want."""
    want = _want(patient)
    if patient.phase is not Phase.WAKING or not isinstance(want, Request | Form):
        return patient, None
    return _say(replace(patient, phase=Phase.ASKED), Says(want.says, want.kind))


def react(patient: Patient, heard: str) -> Turn:  # noqa: PLR0911 (one return for each thing a room may say)
    """Answer what the room said.

    Args:
        patient: The state of mind before.
        heard: Everything the room said since the patient spoke last, sentences joined by a space.

    Returns:
        The state of mind after, and what to say, if anything.
    """
    text = " ".join(heard.lower().split())
    want = _want(patient)
    if isinstance(want, Await) and want.hears.lower() in text:
        return _satisfied(patient), None
    if not patient.waits_for_room or not text:
        return patient, None
    sorry = _SORRY.search(text) is not None
    doubt = _DOUBT.search(text)
    if doubt is not None and patient.phase is Phase.ASKED and isinstance(want, Request | Form):
        right = doubt[1] == " ".join(re.findall(r"[a-z']+", want.says.lower()))
        counted = replace(patient, re_prompts=patient.re_prompts + 1, excused=True)
        return _say(counted, Says(YES, "yes") if right else Says(NO, "no"))
    if isinstance(want, Form):
        return _react_in_form(patient, want, text, sorry=sorry)
    if patient.phase is not Phase.ASKED:
        return patient, None
    if not sorry:
        return _satisfied(patient), None
    counted = replace(patient, re_prompts=patient.re_prompts + 1)
    # A room that makes no offer has stopped listening.
    return _repeat(counted) if "you can say" in text else grow_impatient(counted)


def _react_in_form(patient: Patient, want: Form, text: str, *, sorry: bool) -> Turn:
    read_back = _READ_BACK.search(text)
    asked = _asked_item(patient.forms[want.form], text)
    if sorry and not patient.excused:
        patient = replace(patient, re_prompts=patient.re_prompts + 1, excused=True)
    if read_back is not None:
        return _confirm(patient, want, read_back[1])
    if asked is not None:
        return _answer(replace(patient, phase=Phase.ANSWERING, wakes=0), want, asked, sorry=sorry)
    if "do you want to continue your form" in text:
        return _say(replace(patient, phase=Phase.ANSWERING, excused=True), Says(CONTINUE, "yes"))
    return _react_to_an_end(patient, text, sorry=sorry)


def _react_to_an_end(patient: Patient, text: str, *, sorry: bool) -> Turn:
    if "thank you. you have answered" in text:
        return _satisfied(patient), None
    if "call me when you want" in text or "if you need someone" in text:
        return grow_impatient(patient)
    if sorry and patient.phase is not Phase.WAKING:
        return _repeat(replace(patient, excused=False))
    return patient, None


def _confirm(patient: Patient, want: Form, display: str) -> Turn:
    item = patient.forms[want.form].question(patient.item or "")
    meant = option_meant(item, (patient.answers or {}).get(item.link_id, "")) if item else None
    if item is not None and meant is not None and patient.going_back_to is None and meant.display.lower() == display:
        settled = replace(patient, confirmed=item.link_id, denied=None, excused=False)
        return _say(settled, Says(YES, "yes"))
    counted = patient.re_prompts if patient.excused else patient.re_prompts + 1
    return _say(replace(patient, denied=patient.item, re_prompts=counted, excused=True), Says(NO, "no"))


def _answer(patient: Patient, want: Form, item: Item, *, sorry: bool) -> Turn:
    repeated = item.link_id == patient.item and not patient.excused and patient.going_back_to is None
    patient = replace(patient, re_prompts=patient.re_prompts + repeated, excused=False)
    if want.touches_after is not None and patient.confirmed == want.touches_after:
        return replace(patient, phase=Phase.LISTENING, item=item.link_id), None
    order = [question.link_id for question in patient.forms[want.form].questions]
    place = order.index(item.link_id)
    if patient.denied is not None and not sorry and order.index(patient.denied) < place:
        # The room took the "no" for a "yes" and went on.
        patient = replace(patient, going_back_to=patient.denied, denied=None)
    change = next((change for change in patient.changes if change.after == patient.confirmed), None)
    if change is not None and item.link_id != change.after:
        patient = replace(
            patient,
            changes=tuple(other for other in patient.changes if other is not change),
            answers={**(patient.answers or {}), change.item: change.answer},
            going_back_to=change.item,
        )
    target = patient.going_back_to
    if target is not None and order.index(target) < place:
        words = next((change.says for change in want.changes if change.item == target), "go back")
        return _say(replace(patient, item=item.link_id), Says(words, "change"))
    answering = replace(patient, item=item.link_id, going_back_to=None)
    phrase = (patient.answers or {}).get(item.link_id)
    option = option_meant(item, phrase or "")
    if phrase is None or option is None:
        return _say(answering, Says("skip", "skip"))
    return _say(answering, Says(phrase, f"{item.link_id}={option.code}"))


def _asked_item(form: Questionnaire, text: str) -> Item | None:
    found = [item for item in form.questions if " ".join(item.text.lower().split()) in text]
    return max(found, key=lambda item: len(item.text), default=None)


def option_meant(item: Item, phrase: str) -> AnswerOption | None:
    """Return the option of ``item`` that a spoken phrase means: the one with the longest words that stand in it."""
    words = f" {' '.join(re.findall(r'[a-z]+', phrase.lower()))} "
    spoken = [(len(way), option) for option in item.answer_option for way in option.spoken if f" {way} " in words]
    return max(spoken, key=lambda pair: pair[0], default=(0, None))[1]


def _check(want: Form, forms: Mapping[str, Questionnaire]) -> None:
    form = forms.get(want.form)
    if form is None:
        raise NodeConfigError("the patient's script names a form that is not installed")
    spoken = [*want.answers.items(), *((change.item, change.answer) for change in want.changes)]
    for link_id, phrase in spoken:
        item = form.question(link_id)
        if item is None or option_meant(item, phrase) is None:
            raise NodeConfigError(
                f"the patient's script: {link_id[:64]} is no item, or its answer is none of its options"
            )


def _want(patient: Patient) -> Request | Talk | Await | Wait | Form | None:
    return None if patient.has_finished else patient.script.wants[patient.want]


def _wake(patient: Patient) -> Turn:
    says = Says(patient.script.wake_word, "wake")
    return replace(patient, phase=Phase.WAKING, last=says, going_back_to=None), says


def _repeat(patient: Patient) -> Turn:
    if patient.last is None:
        return patient, None
    return _say(patient, patient.last)


def _say(patient: Patient, says: Says) -> Turn:
    tries = patient.tries + 1 if says == patient.last else 0
    if tries > TRIES:
        return replace(patient, phase=Phase.GAVE_UP), None
    return replace(patient, last=says, tries=tries), says


def _satisfied(patient: Patient) -> Patient:
    following = patient.want + 1
    phase = Phase.RESTING if following < len(patient.script.wants) else Phase.DONE
    return Patient(
        patient.script, patient.forms, phase=phase, want=following, re_prompts=patient.re_prompts, last=patient.last
    )
