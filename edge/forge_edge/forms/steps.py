"""What happens to a form in progress, whichever way it is answered: pure moves from one state to the next.

Any answer to a risk item but its lowest raises an alarm the moment it is given; so does a risk item that stays
unanswered. Nothing that was stored is lost: what replaces it keeps it as an earlier value.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from forge_edge.forms.asked import AskedForm, Passage, titled
from forge_edge.forms.recorded import form_observed
from forge_edge.forms.state import Absent, Earlier, Entry, FormState, How, Key, Pending
from forge_edge.observations import Observation, RiskAnswerObserved, RiskReviewObserved
from forge_shared.events import Mode
from forge_shared.forms.elements import Coding, Value
from forge_shared.forms.filling import Place
from forge_shared.forms.questionnaire import Item

Outcome = Literal["confirmed", "corrected", "not-reviewed"]


@dataclass(frozen=True, slots=True)
class Step:
    """What follows: the new state, what to say or show, what was observed.

    Attributes:
        paused: Nobody answers; keep the state and wait to be called.
        told: An answer that raised an alarm was confirmed; say first, as far as it is true, that the staff are told.
        refused: Why what was entered was not taken, in words for the person; they never repeat what was entered.
    """

    state: FormState
    say: tuple[str, ...] = ()
    observations: tuple[Observation, ...] = ()
    paused: bool = False
    told: bool = False
    refused: str | None = None

    @property
    def interview(self) -> FormState | None:
        """The state of a form that goes on; None when it is over."""
        return self.state if self.state.at is not None else None


@dataclass(frozen=True, slots=True)
class Move:
    """A new state, the texts that were passed on the way to its question, and what was observed."""

    state: FormState
    passed: tuple[str, ...] = ()
    observations: tuple[Observation, ...] = ()

    def after(self, *observations: Observation) -> "Move":
        """Return the same with what was observed before."""
        return replace(self, observations=(*observations, *self.observations))


def begun(form: AskedForm, response: str, started_at: datetime, mode: Mode) -> Move:
    """Start a form at its first question."""
    state = FormState(
        form_id=form.form.id, canonical=form.form.canonical, response=response, started_at=started_at, led=mode
    )
    return onward(form, state)


def taken(form: AskedForm, state: FormState, values: Sequence[Value], how: How) -> Move:
    """Hold an answer, not stored yet; an alarm follows at once where it calls for one.

    Raises:
        AnswerUnfitError: It does not fit the question.
    """
    asked = form.passage(state)
    pending = Pending(values=tuple(values), how=how, adds=state.adding)
    form.check(asked.place, _with_stored(state, asked.place, pending), form.filling(state))
    key: str | None = None
    observations: tuple[Observation, ...] = ()
    worst = next((value for value in values if asked.item.is_risk and not is_lowest(asked.item, value)), None)
    if worst is not None:
        key = f"{state.response}/{asked.item.link_id}/{state.risks + 1}"
        observations = (_risk(form, asked.item, key, worst, how.mode),)
    review = review_left_open(state)
    held = {
        "pending": pending,
        "risk_key": key,
        "risks": state.risks + (key is not None),
        "parts": (),
        "misunderstood": 0,
        "silences": 0,
        "led": how.mode,
    }
    return Move(state.model_copy(update=held), (), (*review, *observations))


def stored(form: AskedForm, state: FormState, now: datetime, *, more: bool = False) -> Move:
    """Store the answer that is held and go on; with ``more``, stay for a further answer to the same question."""
    asked = form.passage(state)
    if state.pending is None:
        raise ValueError("no answer is held")
    kept = _kept(state, asked.place, _with_stored(state, asked.place, state.pending), None, state.pending.how, now)
    review = _review(state, "confirmed")
    if more:
        cleared = {"pending": None, "risk_key": None, "adding": True, "misunderstood": 0, "unconfirmed": 0}
        return Move(kept.model_copy(update=cleared), (), review)
    return onward(form, kept).after(*review)


def taken_back(state: FormState, outcome: Outcome) -> Move:
    """Give up the answer that is held; what is stored stands."""
    return Move(state.model_copy(update={"pending": None, "risk_key": None, "parts": ()}), (), _review(state, outcome))


def left_out(  # noqa: PLR0913 (what an entry without an answer is made of)
    form: AskedForm, state: FormState, absent: Absent, how: How, now: datetime, *, reason: str = ""
) -> Move:
    """Leave the question without an answer and go on. Who leaves out what was answered takes that answer back."""
    asked = form.passage(state)
    review = _review(state, "not-reviewed")
    left = _kept(state, asked.place, (), absent, how, now, reason=reason)
    open_risk = risks_left_open(form, left, (asked.place,), how.mode)
    return onward(form, left).after(*review, *open_risk)


def onward(form: AskedForm, state: FormState) -> Move:
    """Go to the next question that is open: those that follow first, then those before. Without one the form ends."""
    filling = form.filling(state)
    answered = {stored.place for stored in state.entries}
    way = list(form.passages(filling))
    keys = [passage.key for passage in way]
    start = keys.index(state.at) + 1 if state.at in keys else 0
    past = list(state.past)
    said: list[str] = []
    moved = state.model_copy(
        update={
            "pending": None,
            "risk_key": None,
            "adding": False,
            "parts": (),
            "misunderstood": 0,
            "unconfirmed": 0,
            "silences": 0,
        }
    )
    for passage in (*way[start:], *way[:start]):
        if passage.key in past or (passage.kind == "ask" and passage.place in answered):
            continue
        if passage.kind == "say":
            past.append(passage.key)
            said += [titled(passage.item)] if passage.item.text else []
            continue
        return Move(moved.model_copy(update={"past": tuple(past), "at": passage.key}), tuple(said))
    ended = moved.model_copy(update={"past": tuple(past), "at": None, "status": "completed"})
    return Move(ended, tuple(said), _recorded(form, ended))


def repeated(form: AskedForm, state: FormState, *, again: bool) -> Move:
    """Fill in a repeating group once more, or not; answers in repetitions that go are taken back with it."""
    asked = form.passage(state)
    repetitions = dict(state.repetitions)
    before = repetitions.get(asked.place, 1)
    times = max(asked.number + 1, before) if again else asked.number
    repetitions[asked.place] = times
    gone = {(*asked.place[:-1], (asked.item.link_id, number)) for number in range(times, before)}
    depth = len(asked.place)
    update = {
        "repetitions": tuple(repetitions.items()),
        "entries": tuple(stored for stored in state.entries if stored.place[:depth] not in gone),
        "past": (*(key for key in state.past if key[1][:depth] not in gone and key != asked.key), asked.key),
    }
    return onward(form, state.model_copy(update=update))


def back(form: AskedForm, state: FormState) -> Move | None:
    """Go to the question before this one; None where this is the first. What is stored for it stands until then."""
    before: list[Passage] = []
    for passage in form.passages(form.filling(state)):
        if passage.key == state.at:
            break
        if passage.kind == "ask" or (passage.kind == "more" and passage.key in state.past):
            before.append(passage)
    return moved_to(state, before[-1].key) if before else None


def moved_to(state: FormState, key: Key) -> Move:
    """Ask something that was passed before once more."""
    review = _review(state, "not-reviewed")
    update = {
        "at": key,
        "pending": None,
        "risk_key": None,
        "adding": False,
        "parts": (),
        "misunderstood": 0,
        "unconfirmed": 0,
        "past": tuple(one for one in state.past if one != key),
    }
    return Move(state.model_copy(update=update), (), review)


def answered_before(form: AskedForm, state: FormState) -> tuple[Passage, ...]:
    """Return the questions that can be gone back to: those with something stored that are shown, in reading order."""
    known = {stored.place for stored in state.entries}
    way = form.passages(form.filling(state))
    return tuple(passage for passage in way if passage.kind == "ask" and passage.place in known)


def asked_once_more(form: AskedForm, state: FormState) -> FormState:
    """Count that the current question is asked."""
    place = form.passage(state).place
    asked = dict(state.asked)
    asked[place] = asked.get(place, 0) + 1
    return state.model_copy(update={"asked": tuple(asked.items())})


def paused(form: AskedForm, state: FormState) -> Move:
    """Wait; who falls silent at a risk item, or puts it off, may be in danger."""
    observations: tuple[Observation, ...] = _review(state, "not-reviewed")
    if state.at is not None and state.at[0] == "ask":
        observations = (*observations, *risks_left_open(form, state, (state.at[1],), state.led))
    waiting = {"pending": None, "risk_key": None, "parts": (), "silences": 0}
    return Move(state.model_copy(update=waiting), (), observations)


def stopped(form: AskedForm, state: FormState) -> Move:
    """End the form before its end; what is stored is kept."""
    left = risks_left_open(form, state, tuple(place for place, _ in state.asked), state.led)
    cleared = {"pending": None, "risk_key": None, "parts": (), "adding": False}
    ended = state.model_copy(update={**cleared, "at": None, "status": "stopped"})
    return Move(ended, (), (*_review(state, "not-reviewed"), *left, *_recorded(form, ended)))


def review_left_open(state: FormState) -> tuple[Observation, ...]:
    """Return that the risk answer that is being read back was neither confirmed nor corrected, if there is one."""
    return _review(state, "not-reviewed")


def risks_left_open(form: AskedForm, state: FormState, places: Sequence[Place], mode: Mode) -> tuple[Observation, ...]:
    """Return an alarm for every risk item of ``places`` that has no stored answer: no answer never reassures."""
    return tuple(
        _risk(form, form.item(place), f"{state.response}/{place[-1][0]}/unanswered", None, mode)
        for place in places
        if form.item(place).is_risk
        and ((held := state.entry(place)) is None or not held.values)
        and state.risk_key is None
    )


def is_lowest(item: Item, value: Value) -> bool:
    """Tell whether an answer to a risk item is its lowest: the option that scores least, a no, a zero."""
    content = value.content
    if isinstance(content, Coding):
        option = item.option(content.code or content.display)
        weights = [other.ordinal for other in item.answer_option if other.ordinal is not None]
        return option is not None and option.ordinal is not None and option.ordinal == min(weights)
    return content is False or (isinstance(content, int | float) and content == 0)


def _recorded(form: AskedForm, state: FormState) -> tuple[Observation, ...]:
    """Return what a room observes of a form that is over; a form that no room can offer is only written."""
    return () if form.obstacle is not None else (form_observed(form, state),)


def _risk(form: AskedForm, item: Item, key: str, value: Value | None, mode: Mode) -> RiskAnswerObserved:
    content = value.content if value is not None else None
    option = item.option(content.code or content.display) if isinstance(content, Coding) else None
    code = option.code if option is not None else ("true" if content is True else None)
    ordinal = option.ordinal if option is not None else None
    return RiskAnswerObserved(
        key=key, questionnaire=form.form.canonical, link_id=item.link_id, answer=code, ordinal=ordinal, mode=mode
    )


def _review(state: FormState, outcome: Outcome) -> tuple[Observation, ...]:
    return () if state.risk_key is None else (RiskReviewObserved(key=state.risk_key, outcome=outcome),)


def _with_stored(state: FormState, place: Place, pending: Pending) -> tuple[Value, ...]:
    """Return what would be stored: a further answer stands beside those that are there."""
    held = state.entry(place)
    if pending.adds and held is not None:
        return tuple(dict.fromkeys((*held.values, *pending.values)))
    return pending.values


def _kept(  # noqa: PLR0913 (what an entry is made of)
    state: FormState,
    place: Place,
    values: tuple[Value, ...],
    absent: Absent | None,
    how: How,
    now: datetime,
    *,
    reason: str = "",
) -> FormState:
    """Return the state with an entry in the place of the one that was there, which it keeps as an earlier one."""
    held = state.entry(place)
    earlier = held.earlier if held is not None else ()
    adds = state.pending is not None and state.pending.adds and bool(values)
    if held is not None and not adds and (held.values, held.absent) != (values, absent):
        earlier = (*earlier, Earlier(values=held.values, absent=held.absent, mode=held.how.mode, at=held.at))
    entry = Entry(
        place=place,
        values=values,
        absent=absent,
        reason=reason,
        how=how,
        at=now,
        times_asked=max(state.times_asked(place), 1),
        earlier=earlier,
    )
    others = [one for one in state.entries if one.place != place]
    return state.model_copy(update={"entries": (*others, entry)})
