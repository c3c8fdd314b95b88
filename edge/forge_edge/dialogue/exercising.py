"""The turns of an exercise: what is said next, and what interrupts it. Pure."""

from forge_edge.dialogue import exercise
from forge_edge.dialogue.sentences import (
    DIZZY,
    EXERCISE_PAUSED,
    EXERCISE_STOPPED,
    EXERCISE_UNCLEAR,
    NO_EXERCISE,
)
from forge_edge.dialogue.turn import Conversation, Reaction, listening, resting
from forge_edge.speech.grammar import requests

UNCLEAR_PATIENCE_SECONDS = 15.0
CHOICE_PATIENCE_SECONDS = 15.0


def wished(before: Conversation, code: str) -> Reaction:
    """React to a wish for an exercise, for the list of them, or to go on with one."""
    shipped = exercise.exercises()
    if code == "exercises":
        titles = "; ".join(each.title for each in shipped.values())
        say = (f"There are these: {titles}. Which one would you like?",)
        return listening(before, "request", say, requests(), CHOICE_PATIENCE_SECONDS)
    if code != "go-on":
        return _at(before, exercise.begin(shipped[code.removeprefix("exercise/")]))
    paused = _current(before)
    if paused is None:
        return resting(before.model_copy(update={"exercise": None}), say=(NO_EXERCISE,))
    return _at(before, exercise.again(*paused))


def heard(before: Conversation, command: str | None) -> Reaction:
    """React to what was said during an exercise; None: nothing that was understood, which may have been a breath."""
    now = _current(before)
    if now is None or command == "stop":
        return stopped(before, EXERCISE_STOPPED)
    if command == "pause":
        return resting(before, say=(EXERCISE_PAUSED,))
    if command == "dizzy":
        after = before.model_copy(update={"exercise": None})
        return listening(after, "request", (DIZZY,), requests(), UNCLEAR_PATIENCE_SECONDS)
    if command == "go-on":
        return _at(before, exercise.proceed(*now) if now[1].misheard < exercise.MISHEARD else exercise.again(*now))
    unclear = now[1].model_copy(update={"misheard": now[1].misheard + 1})
    if unclear.misheard < exercise.MISHEARD:
        return _at(before, exercise.proceed(now[0], unclear))
    after = before.model_copy(update={"exercise": unclear})
    return listening(after, "exercise", (EXERCISE_UNCLEAR,), exercise.vocabulary(), UNCLEAR_PATIENCE_SECONDS)


def silence(before: Conversation) -> Reaction:
    """React to the end of a silence: the next step. If it was asked whether to go on, the room waits."""
    now = _current(before)
    if now is None:
        return resting(before.model_copy(update={"exercise": None}))
    if now[1].misheard >= exercise.MISHEARD:
        return resting(before, say=(EXERCISE_PAUSED,))
    quiet = now[1].model_copy(update={"misheard": 0})
    return _at(before, exercise.proceed(now[0], quiet))


def again(before: Conversation) -> Reaction:
    """Say the present step once more and wait."""
    now = _current(before)
    return resting(before.model_copy(update={"exercise": None})) if now is None else _at(before, exercise.again(*now))


def stopped(before: Conversation, *say: str) -> Reaction:
    """End the exercise."""
    return resting(before.model_copy(update={"exercise": None}), say=say)


def _current(before: Conversation) -> tuple[exercise.Exercise, exercise.Progress] | None:
    progress = before.exercise
    known = None if progress is None else exercise.exercises().get(progress.id)
    return None if progress is None or known is None else (known, progress)


def _at(before: Conversation, stage: exercise.Stage) -> Reaction:
    after = before.model_copy(update={"exercise": stage.progress})
    if stage.progress is None:
        return resting(after)
    return listening(after, "exercise", stage.say, exercise.vocabulary(), stage.pause_seconds)
