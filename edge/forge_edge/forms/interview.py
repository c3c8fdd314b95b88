"""A questionnaire asked by voice: pure decisions over what was understood.

Items are read out verbatim. Every answer is read back and stored only when the person says that it is right. Any answer
to a risk item but its lowest raises an alarm the moment it is heard; so does a risk item that stays unanswered.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from forge_edge.observations import FormObserved, Observation, RiskAnswerObserved, RiskReviewObserved
from forge_edge.speech.grammar import Meaning, Vocabulary, answers, confirmation
from forge_shared.events import FormAnswer
from forge_shared.forms import scoring
from forge_shared.forms.elements import AnswerOption
from forge_shared.forms.questionnaire import Item, Questionnaire
from forge_shared.model import Frozen

TRIES = 4
"""Misunderstandings in a row of one question or read-back before the room does something else. Ours."""
READ_BACKS = 4
"""Read-backs of one question that were not confirmed before it is left unanswered. Ours: more would be an ordeal."""
_HARMLESS = frozenset({"repeat", "back", "correct", "help"})
"""Commands after which a question is asked again, and nothing else."""
SILENCES = 2
"""Times nobody answers before the room waits to be called again."""


class Interview(Frozen):
    """Where an interview stands; saved after every step, so that a restart can resume it.

    Attributes:
        pending: Option code that was heard and is being read back.
        risk_key: Names the risk answer that is being read back.
        times_asked: How often each question was asked.
        corrected: Questions whose stored answer was taken back by the person.
        misunderstood: Misunderstandings in a row.
        unconfirmed: Read-backs of the current question that were not confirmed.
    """

    form_id: str
    canonical: str
    response: str
    started_at: datetime
    current: str
    answers: tuple[FormAnswer, ...] = ()
    skipped: tuple[str, ...] = ()
    corrected: tuple[str, ...] = ()
    times_asked: tuple[tuple[str, int], ...] = ()
    pending: str | None = None
    risk_key: str | None = None
    misunderstood: int = 0
    unconfirmed: int = 0
    silences: int = 0
    re_prompts: int = 0

    @property
    def codes(self) -> dict[str, str]:
        """Stored option codes by link id."""
        return {answer.link_id: answer.code for answer in self.answers}


@dataclass(frozen=True, slots=True)
class Step:
    """What follows: the new state (None when the interview is over), what to say, what was observed.

    ``paused`` means: nobody answers; keep the state and wait to be called. ``told`` means: an answer that raised an
    alarm was confirmed; say first, as far as it is true, that the staff are being told.
    """

    interview: Interview | None
    say: tuple[str, ...]
    observations: tuple[Observation, ...] = ()
    paused: bool = False
    told: bool = False


def begin(form: Questionnaire, response: str, started_at: datetime) -> Step:
    """Start a form at its first question."""
    first = form.questions[0]
    interview = Interview(
        form_id=form.id, canonical=form.canonical, response=response, started_at=started_at, current=first.link_id
    )
    introduction = (
        f"We will go through the {form.title} together.",
        "After each question I repeat what I heard, and you tell me whether it is right.",
        "You can also say: repeat, go back, skip, or stop.",
        *(item.text for item in form.item if item.type == "group" and item.text),
    )
    return _ask(form, interview, before=introduction, with_options=True)


def resume(form: Questionnaire, interview: Interview) -> Step:
    """Go on where the interview was interrupted: the current question is asked again."""
    fresh = interview.model_copy(update={"pending": None, "risk_key": None, "misunderstood": 0, "silences": 0})
    review = _review(interview, "not-reviewed")
    step = _ask(form, fresh, before=("Let us go on.",), with_options=True)
    return Step(step.interview, step.say, (*review, *step.observations))


def vocabulary(form: Questionnaire, interview: Interview) -> Vocabulary:
    """Return what may be said now."""
    return confirmation() if interview.pending else answers(form, _item(form, interview))


def ask_again(form: Questionnaire, interview: Interview) -> Step:
    """Say once more what the room is waiting for."""
    return _plain(form, interview)


def hear(form: Questionnaire, interview: Interview, meaning: Meaning | None, *, guess: Meaning | None = None) -> Step:  # noqa: PLR0911 (one return for each thing that may have been said)
    """Take what was understood; None means that something was said and not understood.

    A guess that the engine did not trust is not acted on. But when the same question was not understood before, a
    guessed answer is read back, as any answer is, and a command that takes nothing away is followed: better that than
    to ask in vain again.
    """
    if meaning is None and guess is not None and interview.pending is None and interview.misunderstood > 0:
        if guess.kind == "answer":
            return _read_back(form, interview, guess.code)
        counted = interview.model_copy(update={"misunderstood": interview.misunderstood + 1})
        if guess.kind == "command" and guess.code in _HARMLESS and counted.misunderstood < TRIES:
            return _command(form, counted, guess.code)
    if meaning is None:
        return _not_understood(form, interview)
    if meaning.kind == "command":
        return _command(form, interview, meaning.code)
    if interview.pending is None and meaning.kind == "answer":
        return _read_back(form, interview, meaning.code)
    if interview.pending is not None and meaning.kind == "confirmation":
        return _store(form, interview) if meaning.code == "yes" else _unconfirmed(form, interview, "corrected")
    return _not_understood(form, interview)


def silence(form: Questionnaire, interview: Interview) -> Step:
    """Nobody answered."""
    waited = interview.model_copy(update={"silences": interview.silences + 1, "re_prompts": interview.re_prompts + 1})
    if waited.silences < SILENCES:
        return _again(form, waited, "Sorry, I did not hear you.")
    # Someone who falls silent at the risk item may be in danger.
    observations = (*_review(interview, "not-reviewed"), *_risk_left_open(form, interview, (interview.current,)))
    paused = waited.model_copy(update={"silences": 0, "pending": None, "risk_key": None})
    return Step(paused, ("I will wait. Call me when you want to go on.",), observations, paused=True)


def stop(form: Questionnaire, interview: Interview) -> Step:
    """End the form before its end; what was confirmed is kept."""
    observations = (
        *_review(interview, "not-reviewed"),
        *_risk_left_open(form, interview, tuple(dict(interview.times_asked))),
        _finished(form, interview, "stopped"),
    )
    return Step(None, ("I have stopped the form. Your answers so far are kept.",), observations)


def _ask(
    form: Questionnaire, interview: Interview, *, before: tuple[str, ...] = (), with_options: bool = False
) -> Step:
    item = _item(form, interview)
    asked = dict(interview.times_asked)
    asked[item.link_id] = asked.get(item.link_id, 0) + 1
    counted = interview.model_copy(update={"times_asked": tuple(asked.items())})
    number = f"Question {item.prefix}. " if item.prefix else ""
    question = f"{number}{_sentence(item.text)}"
    if with_options:
        question = f"{question} Please answer: {_options(item)}."
    return Step(counted, (*before, question))


def _not_understood(form: Questionnaire, interview: Interview) -> Step:
    counted = interview.model_copy(
        update={"misunderstood": interview.misunderstood + 1, "re_prompts": interview.re_prompts + 1, "silences": 0}
    )
    if counted.misunderstood < TRIES:
        return _again(form, counted, "Sorry, I did not understand.")
    if interview.pending is not None:
        return _unconfirmed(form, counted, "not-reviewed")
    return _give_up(form, counted)


def _again(form: Questionnaire, interview: Interview, sorry: str) -> Step:
    if interview.pending is not None:
        return Step(interview, (f"{sorry} Please say yes or no. {_heard(_item(form, interview), interview.pending)}",))
    step = _ask(form, interview, with_options=True)
    return Step(step.interview, (f"{sorry} {step.say[0]}",))


def _read_back(form: Questionnaire, interview: Interview, code: str) -> Step:
    item = _item(form, interview)
    option = _option(item, code)
    observations: tuple[Observation, ...] = ()
    key = None
    if item.is_risk and not _is_lowest(item, option):
        key = f"{interview.response}/{item.link_id}/{dict(interview.times_asked)[item.link_id]}"
        observations = (
            RiskAnswerObserved(
                key=key,
                questionnaire=form.canonical,
                link_id=item.link_id,
                answer=code,
                ordinal=option.ordinal,
                mode="voice",
            ),
        )
    pending = interview.model_copy(update={"pending": code, "risk_key": key, "misunderstood": 0, "silences": 0})
    return Step(pending, (_heard(item, code),), observations)


def _unconfirmed(form: Questionnaire, interview: Interview, outcome: Literal["corrected", "not-reviewed"]) -> Step:
    review = _review(interview, outcome)
    again = interview.model_copy(
        update={
            "pending": None,
            "risk_key": None,
            "misunderstood": 0,
            "unconfirmed": interview.unconfirmed + 1,
            "re_prompts": interview.re_prompts + 1,
        }
    )
    if again.unconfirmed >= READ_BACKS:
        step = _give_up(form, again)
        return Step(step.interview, step.say, (*review, *step.observations))
    step = _ask(form, again, with_options=True)
    return Step(step.interview, (f"Sorry. {step.say[0]}",), (*review, *step.observations))


def _store(form: Questionnaire, interview: Interview) -> Step:
    item = _item(form, interview)
    answer = FormAnswer(
        link_id=item.link_id,
        code=interview.pending or "",
        mode="voice",
        times_asked=dict(interview.times_asked)[item.link_id],
        corrected=item.link_id in interview.corrected,
    )
    kept = tuple(other for other in interview.answers if other.link_id != item.link_id)
    stored = interview.model_copy(
        update={
            "answers": (*kept, answer),
            "skipped": tuple(link for link in interview.skipped if link != item.link_id),
        }
    )
    step = _go_on(form, stored, _review(interview, "confirmed"))
    return Step(step.interview, step.say, step.observations, told=interview.risk_key is not None)


def _command(form: Questionnaire, interview: Interview, command: str) -> Step:
    if command == "stop":
        return stop(form, interview)
    if command == "skip":
        return _leave_out(form, interview)
    if command in ("back", "correct"):
        return _back(form, interview)
    if command == "help":
        item = _item(form, interview)
        explanation = (
            f"You can say: {_options(item)}. Or say: repeat, go back, skip, or stop."
            " If you need a person, press the call button, or say stop, and then call me and say nurse."
        )
        return _with_before(explanation, _plain(form, interview))
    return _plain(form, interview)


def _plain(form: Questionnaire, interview: Interview) -> Step:
    if interview.pending is not None:
        return Step(interview, (_heard(_item(form, interview), interview.pending),))
    return _ask(form, interview, with_options=True)


def _back(form: Questionnaire, interview: Interview) -> Step:
    review = _review(interview, "not-reviewed")
    links = [item.link_id for item in form.questions]
    place = links.index(interview.current)
    # In the middle of a read-back, going back means this question; otherwise the one before it.
    target = interview.current if interview.pending is not None or place == 0 else links[place - 1]
    corrected = (*interview.corrected, target) if target in interview.codes else interview.corrected
    moved = interview.model_copy(
        update={
            "current": target,
            "pending": None,
            "risk_key": None,
            "corrected": corrected,
            "misunderstood": 0,
            "unconfirmed": 0,
        }
    )
    step = _ask(form, moved, before=("Let us go back.",), with_options=True)
    return Step(step.interview, step.say, review)


def _leave_out(form: Questionnaire, interview: Interview) -> Step:
    link_id = interview.current
    review = _review(interview, "not-reviewed")
    left = interview.model_copy(
        update={
            # Who skips a question that was answered before takes that answer back.
            "answers": tuple(answer for answer in interview.answers if answer.link_id != link_id),
            "skipped": (*(link for link in interview.skipped if link != link_id), link_id),
        }
    )
    unanswered = _risk_left_open(form, left, (link_id,))
    return _go_on(form, left, (*review, *unanswered))


def _give_up(form: Questionnaire, interview: Interview) -> Step:
    step = _leave_out(form, interview)
    return Step(step.interview, ("Sorry, we will leave this question out for now.", *step.say), step.observations)


def _go_on(form: Questionnaire, interview: Interview, observations: tuple[Observation, ...]) -> Step:
    done = {*interview.codes, *interview.skipped}
    links = [item.link_id for item in form.questions]
    following = links[links.index(interview.current) + 1 :]
    upcoming = next(
        (
            link
            for link in (*following, *links)
            if link not in done and scoring.is_enabled(form, _by_link(form, link), interview.codes)
        ),
        None,
    )
    if upcoming is None:
        thanks = "Thank you. You have answered all questions."
        if interview.skipped:
            thanks = f"Thank you. You have answered {len(interview.answers)} questions."
        return Step(None, (thanks,), (*observations, _finished(form, interview, "completed")))
    moved = interview.model_copy(
        update={
            "current": upcoming,
            "pending": None,
            "risk_key": None,
            "misunderstood": 0,
            "unconfirmed": 0,
            "silences": 0,
        }
    )
    new_options = _options(_by_link(form, upcoming)) != _options(_item(form, interview))
    step = _ask(form, moved, with_options=new_options)
    return Step(step.interview, step.say, observations)


def _finished(form: Questionnaire, interview: Interview, status: Literal["completed", "stopped"]) -> FormObserved:
    order = [item.link_id for item in form.questions]
    return FormObserved(
        response=interview.response,
        questionnaire=form.canonical,
        status=status,
        answers=tuple(sorted(interview.answers, key=lambda answer: order.index(answer.link_id))),
        skipped=interview.skipped,
        total=scoring.total(form, interview.codes) if status == "completed" else None,
        re_prompts=interview.re_prompts,
        started_at=interview.started_at,
    )


def _review(
    interview: Interview, outcome: Literal["confirmed", "corrected", "not-reviewed"]
) -> tuple[Observation, ...]:
    return () if interview.risk_key is None else (RiskReviewObserved(key=interview.risk_key, outcome=outcome),)


def _risk_left_open(form: Questionnaire, interview: Interview, asked: tuple[str, ...]) -> tuple[Observation, ...]:
    """Return an alarm for every risk item of ``asked`` that has no stored answer: no answer never reassures."""
    return tuple(
        RiskAnswerObserved(
            key=f"{interview.response}/{link_id}/unanswered",
            questionnaire=form.canonical,
            link_id=link_id,
            answer=None,
            ordinal=None,
            mode="voice",
        )
        for link_id in asked
        if _by_link(form, link_id).is_risk and link_id not in interview.codes and interview.risk_key is None
    )


def _is_lowest(item: Item, option: AnswerOption) -> bool:
    return option.ordinal == min(other.ordinal or 0 for other in item.answer_option)


def _with_before(sentence: str, step: Step) -> Step:
    return Step(step.interview, (sentence, *step.say), step.observations)


def _heard(item: Item, code: str) -> str:
    return f"I heard: {_option(item, code).display}. Is that right?"


def _options(item: Item) -> str:
    words = [option.display.lower() for option in item.answer_option]
    return f"{', '.join(words[:-1])}, or {words[-1]}"


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _item(form: Questionnaire, interview: Interview) -> Item:
    return _by_link(form, interview.current)


def _by_link(form: Questionnaire, link_id: str) -> Item:
    return next(item for item in form.questions if item.link_id == link_id)


def _option(item: Item, code: str) -> AnswerOption:
    return next(option for option in item.answer_option if option.code == code)
