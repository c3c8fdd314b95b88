"""Are you all right? Only clear words of being well take a suspected fall back, and nothing untrue is said."""

import pytest
from tests.edge.test_conversation import PROMISES, Room

from forge_edge.dialogue import fall_check
from forge_edge.dialogue.conversation import NO_HUB
from forge_edge.dialogue.sentences import ALREADY_TOLD, ARE_YOU_ALL_RIGHT, GLAD, TELLING_OF_FALL
from forge_edge.observations import CrisisObserved, RequestObserved
from forge_edge.speech.wishes import TO_FALL_CHECK


def asked(*, hub: bool = True, answers: int | None = None) -> Room:
    room = Room(hub=hub)
    if answers is not None:
        room.in_form(answers)
    return room.take(fall_check.asked(room.now))


def calls(room: Room) -> list[str]:
    return [seen.request for seen in room.observed if isinstance(seen, RequestObserved)]


def test_the_room_asks_and_listens_long_enough_for_who_is_dazed() -> None:
    room = asked()
    assert room.instruction.say == (ARE_YOU_ALL_RIGHT,)
    assert room.instruction.tone
    assert room.instruction.listen is not None
    assert room.instruction.listen.patience_seconds >= 6
    assert {"i am fine", "yes", "no", "help"} <= set(room.phrases)


@pytest.mark.parametrize("words", [*TO_FALL_CHECK["fine"], "yes"])
def test_who_says_that_they_are_fine_is_believed(words: str) -> None:
    room = asked().hear(words)
    assert room.last.after_fall == "well"
    assert room.instruction.say == (GLAD,)
    assert room.now.activity == "idle"


@pytest.mark.parametrize("words", [*TO_FALL_CHECK["hurt"], "no"])
def test_who_is_not_fine_is_told_to_the_staff(words: str) -> None:
    room = asked().hear(words)
    assert room.last.after_fall == "hurt"
    assert room.instruction.say == (TELLING_OF_FALL,)
    assert room.now.activity == "idle"


def test_who_calls_for_help_has_fallen_and_calls() -> None:
    room = asked().hear("help")
    assert room.last.after_fall == "hurt"
    assert len(calls(room)) == 1


@pytest.mark.parametrize("words", ["i cannot breathe", "i want to die"])
def test_who_names_a_danger_instead_has_not_said_that_they_are_fine(words: str) -> None:
    room = asked().hear(words)
    assert any(isinstance(seen, CrisisObserved) for seen in room.observed)
    assert room.last.after_fall == "hurt"
    assert room.now.activity == "idle"


def test_silence_is_no_reassurance() -> None:
    room = asked().nothing()
    assert room.last.after_fall == "silence"
    assert room.instruction.say == (TELLING_OF_FALL,)


@pytest.mark.parametrize("words", ["", "mumble", "several days", "the weather is fine today"])
def test_what_was_not_understood_is_no_reassurance(words: str) -> None:
    assert asked().hear(words, accepted=False).last.after_fall == "hurt"
    assert asked().hear("i am fine", accepted=False).last.after_fall == "hurt", "nor is what was hardly heard"


def test_what_was_said_to_an_older_question_is_no_answer() -> None:
    room = asked()
    room.take(room.speech("yes", turn=room.now.turn - 1))
    assert room.last.after_fall is None
    assert room.now.activity == "fall"
    assert room.instruction.say == (ARE_YOU_ALL_RIGHT,)


def test_the_question_can_be_asked_for_again() -> None:
    room = asked().hear("what did you say")
    assert room.last.after_fall is None
    assert room.now.activity == "fall"
    assert ARE_YOU_ALL_RIGHT in room.said


@pytest.mark.parametrize("words", ["i am fine", "no", "help", None])
def test_a_form_is_kept_and_offered_again(words: str | None) -> None:
    room = asked(answers=3)
    before = room.now.interview
    assert before is not None
    room = room.nothing() if words is None else room.hear(words)
    assert room.now.interview is not None
    assert room.now.interview.answers == before.answers
    room.wake().hear("yes")
    assert room.now.activity == "form"
    assert room.now.interview is not None
    assert room.now.interview.answers == before.answers


def test_a_room_that_is_restarted_while_it_asks_does_not_take_that_for_an_answer() -> None:
    room = asked().restart()
    assert room.last.after_fall is None


@pytest.mark.parametrize("words", ["no", "i can't get up", None])
def test_without_a_hub_the_room_says_so_and_points_to_the_call_button(words: str | None) -> None:
    room = asked(hub=False)
    room = room.nothing() if words is None else room.hear(words)
    assert room.instruction.say == (NO_HUB,)
    assert room.last.after_fall in {"hurt", "silence"}, "it is told when the hub is back"


def test_who_says_that_they_are_fine_when_staff_know_already_is_told_so_and_not_that_it_is_taken_back() -> None:
    for hub, sentence in ((True, ALREADY_TOLD), (False, NO_HUB)):
        said = asked(hub=hub).hear("i am fine").last
        late = fall_check.too_late(said, hub=hub)
        assert late.instruction is not None
        assert late.instruction.say == (sentence,)
        assert late.conversation.last_said == (sentence,), "and it is said again if they ask"
        assert late.after_fall == "well"


def test_who_got_up_meanwhile_is_not_asked_any_longer_and_nobody_is_said_to_be_told() -> None:
    room = asked()
    room.take(fall_check.got_up(room.now))
    assert room.now.activity == "idle"
    assert room.last.after_fall is None
    assert TELLING_OF_FALL not in room.said


def test_nothing_that_is_said_promises_that_somebody_comes() -> None:
    for sentence in (ALREADY_TOLD, ARE_YOU_ALL_RIGHT, GLAD, TELLING_OF_FALL):
        assert not any(promise in sentence.lower() for promise in PROMISES)
