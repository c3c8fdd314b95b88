"""Exercises are led step by step, can be interrupted by anything, and are never the answer to somebody in danger."""

import ast
import inspect

import pytest
from tests.edge.test_conversation import PROMISES, Room
from tests.edge.test_crisis_dialogue import hear

from forge_edge.dialogue import crisis, exercise, sentences
from forge_edge.dialogue.sentences import (
    CALLING,
    DIZZY,
    EXERCISE_PAUSED,
    EXERCISE_STOPPED,
    EXERCISE_UNCLEAR,
    NO_EXERCISE,
    SENDING,
)
from forge_edge.observations import CrisisObserved, RequestObserved
from forge_edge.speech.grammar import jsgf
from forge_edge.speech.wishes import EXERCISES

SHIPPED = exercise.exercises()
BREATHING = [each for each in SHIPPED.values() if each.kind == "breathing"]


def started(words: str = "box breathing") -> Room:
    return Room().wake().hear(words)


def test_every_exercise_can_be_asked_for_and_every_wish_has_its_exercise() -> None:
    assert {f"exercise/{name}" for name in SHIPPED} == {code for code in EXERCISES if code.startswith("exercise/")}
    kinds = [each.kind for each in SHIPPED.values()]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {
        "breathing": 3, "grounding": 1, "body-scan": 1, "cbt": 4, "act": 3
    }  # fmt: skip


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_every_exercise_names_its_source_ends_and_promises_nothing(name: str) -> None:
    each = SHIPPED[name]
    assert any(character.isdigit() for character in each.source), "a citation has a year"
    assert each.pause_seconds < 600
    assert not any(promise in step.say.lower() for step in each.steps for promise in PROMISES)
    assert any("stop" in step.say for step in each.steps[:3])


@pytest.mark.parametrize("each", BREATHING, ids=lambda each: each.id)
def test_every_breathing_exercise_begins_with_what_to_do_when_dizzy(each: exercise.Exercise) -> None:
    assert "dizzy" in each.steps[0].say
    assert "stop" in each.steps[0].say


def test_the_breaths_are_as_long_as_their_names_say() -> None:
    box, four, paced = (SHIPPED[name] for name in ("box-breathing", "breathing-4-7-8", "paced-breathing"))
    assert [step.pause_seconds for step in box.round] == [4, 4, 4, 4]
    assert [step.pause_seconds for step in four.round] == [4, 7, 8]
    # Saying "in" and "out" takes half a second each.
    assert 60 / (sum(step.pause_seconds for step in paced.round) + 1.0) == pytest.approx(6, abs=0.1)


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_an_undisturbed_exercise_says_each_step_once_and_rests(name: str) -> None:
    each = SHIPPED[name]
    room = started(EXERCISES[f"exercise/{name}"][0])
    said = [room.instruction.say[-1]]
    while room.now.activity == "exercise":
        assert room.instruction.listen is not None
        assert room.instruction.listen.patience_seconds == each.steps[len(said) - 1].pause_seconds
        room.nothing()
        said += room.instruction.say
    assert said == [step.say for step in each.steps]
    assert (room.now.activity, room.now.exercise, room.observed) == ("idle", None, [])


@pytest.mark.parametrize("steps", [0, 1, 5, 12])
def test_stop_ends_it_at_any_step(steps: int) -> None:
    room = started("body scan")
    for _ in range(steps):
        room.nothing()
    room.hear("stop")
    assert (room.said, room.now.activity, room.now.exercise) == (EXERCISE_STOPPED, "idle", None)


def test_it_can_be_paused_and_goes_on_where_it_was_also_after_a_restart() -> None:
    room = started().nothing().nothing()
    step = room.instruction.say
    room.hear("pause")
    assert room.said == EXERCISE_PAUSED
    room.restart()
    assert room.said == ""
    room.wake().hear("go on")
    assert room.instruction.say == step
    assert Room().wake().hear("go on").said == NO_EXERCISE


def test_the_wake_word_interrupts_it_and_it_can_be_taken_up_again() -> None:
    room = started().nothing().wake()
    assert room.instruction.tone
    assert "go on" in room.phrases
    room.nothing().wake().hear("go on")
    assert room.now.activity == "exercise"


@pytest.mark.parametrize("code", ["nurse", "water", "toilet"])
def test_a_request_is_passed_on_at_once_and_the_exercise_waits(code: str) -> None:
    words = {"nurse": "call the nurse", "water": "i am thirsty", "toilet": "i need the toilet"}[code]
    room = started().nothing().hear(words)
    assert [seen.request for seen in room.observed if isinstance(seen, RequestObserved)] == [code]
    assert room.said == SENDING[code]
    assert room.now.exercise is not None
    assert room.now.activity == "idle"


def test_danger_ends_it_and_is_told() -> None:
    room = started().nothing()
    hear(room, "i cannot breathe", turn=room.now.turn)
    assert isinstance(room.observed[0], CrisisObserved)
    assert (room.said, room.now.activity, room.now.exercise) == (CALLING, "idle", None)


def test_no_sentence_to_somebody_in_danger_speaks_of_an_exercise() -> None:
    used = {node.id for node in ast.walk(ast.parse(inspect.getsource(crisis))) if isinstance(node, ast.Name)}
    named = [name for name in vars(sentences) if name.isupper() and name in used]
    assert set(named) == {"CALLING", "TELLING", "NO_HUB", "OFFER_HELP"}
    for name in named:
        assert not {"exercise", "breathe", "relax", "calm"} & set(getattr(sentences, name).lower().split())


def test_who_feels_dizzy_is_told_to_stop_and_asked_whether_they_need_somebody() -> None:
    room = started().nothing().hear("i feel dizzy")
    assert room.said == DIZZY
    assert (room.now.exercise, room.now.activity) == (None, "request")
    room.hear("nurse")
    assert len(room.observed) == 1


def test_a_loud_breath_disturbs_nothing_and_going_on_not_understanding_asks() -> None:
    room = started()
    room.hear("mumble", accepted=False).hear("mumble", accepted=False)
    assert room.instruction.say == (SHIPPED["box-breathing"].steps[2].say,)
    room.hear("mumble", accepted=False)
    assert room.said == EXERCISE_UNCLEAR
    room.nothing()
    assert room.said == EXERCISE_PAUSED
    room.wake().hear("go on")
    assert room.now.activity == "exercise"


def test_the_voice_can_be_changed_in_between() -> None:
    room = started().nothing()
    step = room.instruction.say
    room.hear("speak more slowly")
    assert room.instruction.say[-1:] == step
    assert room.instruction.voice.rate < 1


def test_the_list_is_read_and_one_of_it_can_be_chosen() -> None:
    room = Room().wake().hear("what exercises are there")
    assert all(each.title in room.said for each in SHIPPED.values())
    assert room.hear("body scan").now.activity == "exercise"


def test_what_may_be_said_meanwhile_is_a_grammar() -> None:
    assert "stop" in jsgf(exercise.vocabulary().grammar)
