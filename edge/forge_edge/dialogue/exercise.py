"""Exercises that the room leads through, step by step: breathing, grounding, a body scan, short ones of CBT and ACT.

Each is a file with its source; the words are our own. The room says a step and waits as long as the step asks for;
whatever is said meanwhile is heard, and anything but noise interrupts. An exercise is never what the room answers to
somebody in danger. Pure, but for reading the files.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Annotated, Literal

from pydantic import Field

from forge_edge.speech.grammar import Vocabulary, exercising
from forge_shared.model import Frozen

MISHEARD = 3
"""Utterances in a row that are not understood before the room asks whether to go on: a breath is no word. Ours."""

Words = Annotated[str, Field(min_length=1, max_length=300)]


class Step(Frozen):
    """One sentence, and the silence after it."""

    say: Words
    pause_seconds: Annotated[float, Field(ge=1, le=60)]


class Exercise(Frozen):
    """One exercise.

    Attributes:
        kind: What sort of exercise.
        source: Whose idea it is: a citation. The words are ours.
        caution: What is said first; every breathing exercise has one.
        round: Steps that are repeated ``rounds`` times.
    """

    id: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$")]
    title: Words
    kind: Literal["breathing", "grounding", "body-scan", "cbt", "act"]
    source: Annotated[str, Field(min_length=20, max_length=400)]
    caution: Words | None = None
    opening: tuple[Step, ...] = ()
    rounds: Annotated[int, Field(ge=1, le=40)] = 1
    round: Annotated[tuple[Step, ...], Field(min_length=1)]
    closing: tuple[Step, ...] = ()

    @property
    def steps(self) -> tuple[Step, ...]:
        """All steps in order."""
        caution = (Step(say=self.caution, pause_seconds=1.0),) if self.caution else ()
        return (*caution, *self.opening, *(self.round * self.rounds), *self.closing)

    @property
    def pause_seconds(self) -> float:
        """How long its silences last together; what is said comes on top."""
        return sum(step.pause_seconds for step in self.steps)


class Progress(Frozen):
    """Where an exercise stands: the step that was said last, and utterances in a row that were not understood."""

    id: str
    place: int = 0
    misheard: int = 0


@dataclass(frozen=True, slots=True)
class Stage:
    """What to say now, and how long to wait for anything else to be said. No progress: the exercise is over."""

    progress: Progress | None
    say: tuple[str, ...] = ()
    pause_seconds: float = 1.0


@lru_cache
def exercises() -> Mapping[str, Exercise]:
    """Return the shipped exercises by id."""
    folder = resources.files("forge_edge.dialogue") / "exercises"
    read = [Exercise.model_validate_json(file.read_bytes()) for file in folder.iterdir() if file.name.endswith(".json")]
    return {each.id: each for each in sorted(read, key=lambda each: each.id)}


def vocabulary() -> Vocabulary:
    """Return what may be said during an exercise."""
    return exercising()


def begin(exercise: Exercise) -> Stage:
    """Start with the first step."""
    first = exercise.steps[0]
    return Stage(Progress(id=exercise.id), (f"{exercise.title}.", first.say), first.pause_seconds)


def proceed(exercise: Exercise, progress: Progress) -> Stage:
    """Go on to the next step; after the last there is nothing to say."""
    place = progress.place + 1
    if place >= len(exercise.steps):
        return Stage(None)
    step = exercise.steps[place]
    return Stage(Progress(id=exercise.id, place=place, misheard=progress.misheard), (step.say,), step.pause_seconds)


def again(exercise: Exercise, progress: Progress) -> Stage:
    """Say the present step once more."""
    step = exercise.steps[min(progress.place, len(exercise.steps) - 1)]
    return Stage(progress.model_copy(update={"misheard": 0}), (step.say,), step.pause_seconds)
