"""A call that nobody answers is made again, and the room says that nobody has answered."""

from forge_edge.dialogue import calls
from forge_edge.dialogue.sentences import UNANSWERED
from forge_edge.observations import CanaryDue, CrisisObserved, RequestObserved

WATER = RequestObserved("water", "voice")
HELP = RequestObserved("help", "voice")
DANGER = CrisisObserved("breathing", "urgent", 0.9, "voice")


def test_a_call_is_made_again_when_everyone_has_been_rung_for_it_in_vain_and_sooner_where_it_is_urgent() -> None:
    waiting = calls.made(calls.made((), WATER, "e-1", 0.0), HELP, "e-2", 0.0)
    assert calls.due(waiting, 119.0)[1] == ()
    waiting, again = calls.due(waiting, 120.0)
    assert again == (HELP,)
    waiting = calls.made(waiting, HELP, "e-3", 120.0)
    assert calls.due(waiting, 130.0)[1] == ()
    assert set(calls.due(waiting, 480.0)[1]) == {HELP, WATER}


def test_whichever_event_of_a_call_a_person_accepts_it_is_answered() -> None:
    waiting = calls.made(calls.made((), DANGER, "e-1", 0.0), DANGER, "e-2", 120.0)
    for event in ("e-1", "e-2"):
        assert calls.accepted(waiting, event) == ()
    assert calls.accepted(waiting, "e-9") == waiting


def test_a_call_is_made_three_times_and_then_left_to_the_hub() -> None:
    waiting, now, made = calls.made((), DANGER, "e-0", 0.0), 0.0, 1
    for number in range(1, 20):
        now += 121.0
        waiting, again = calls.due(waiting, now)
        for observation in again:
            made += 1
            waiting = calls.made(waiting, observation, f"e-{number}", now)
    assert made == calls.TIMES
    assert waiting == ()


def test_only_calls_of_a_person_are_waited_for() -> None:
    assert calls.made((), CanaryDue(), "e-1", 0.0) == ()


def test_the_sentence_points_to_the_call_button_and_promises_nothing() -> None:
    assert "call button" in UNANSWERED
    assert "coming" not in UNANSWERED
