"""Somebody is in danger: it is told at once, in any state, and the room says only what is true."""

from datetime import timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.edge.test_conversation import NOW, PROMISES, Room

from forge_edge.anonymiser import Anonymiser
from forge_edge.dialogue import crisis, fall_check, reminding
from forge_edge.dialogue.conversation import NO_HUB, TELLING, Conversation
from forge_edge.dialogue.reminders import Watched
from forge_edge.dialogue.sentences import CALLING, OFFER_HELP
from forge_edge.dialogue.turn import Activity
from forge_edge.messages import SpeechHeard
from forge_edge.observations import CrisisMentioned, CrisisObserved, RequestObserved, SessionOpened, UtteranceHeard
from forge_language.danger.catalogue import Category
from forge_language.encoder.package import encoder
from forge_shared.clock import SystemClock
from forge_shared.events import CrisisHeard, CrisisNoted
from forge_shared.ids import new_id
from forge_shared.plan import Reminder, RoomPlan

URGENT = "i cannot breathe"
GRAVE = "i want to die"


def dangers(room: Room) -> list[tuple[str, str]]:
    return [(seen.category, seen.priority) for seen in room.observed if isinstance(seen, CrisisObserved)]


def reminded(room: Room) -> Room:
    reminder = Reminder(id="pills", kind="medication", times=(NOW.time(),))
    watched = Watched(reminder=reminder, settled=NOW - timedelta(minutes=1))
    room.now = room.now.model_copy(update={"reminders": (watched,)})
    plan = RoomPlan(time_zone="UTC", reminders=(reminder,))
    reaction = reminding.tick(room.now, plan, now=NOW, deaf=False)
    assert reaction is not None
    return room.take(reaction)


def in_state(state: str) -> Room:  # noqa: PLR0911 (one return for each state)
    room = Room()
    match state:
        case "request":
            return room.wake()
        case "form":
            return room.in_form(2)
        case "read-back":
            return room.in_form(2).hear("several days")
        case "resume":
            return room.in_form(2).nothing().nothing().wake()
        case "who":
            room.now = Conversation(speaker="asked")
            return room.wake().hear("fill in my form")
        case "exercise":
            return room.wake().hear("box breathing")
        case "fall":
            return room.take(fall_check.asked(room.in_form(2).now))
        case "remind":
            return reminded(room)
        case "doubt":
            return room.wake().hear("mumble").hear("water", accepted=False)
    return room


STATES = ["idle", "request", "form", "read-back", "resume", "who", "doubt", "exercise", "remind", "fall"]


def hear(room: Room, text: str, *, turn: int | None, accepted: bool = False, **beside: str) -> Room:
    heard = SpeechHeard(
        turn=turn,
        text=text,
        accepted=accepted,
        confidence=0.4,
        engine="test",
        ended_monotonic_seconds=1.0,
        **beside,
    )
    return room.take(room.dialogue.speech(room.now, heard, now=NOW, new_id=new_id(), hub=room.hub))


def test_every_state_of_the_dialogue_is_tried_here() -> None:
    assert {in_state(state).now.activity for state in STATES} >= set(get_args(Activity)) - {
        "exercise",
        "word",
        "remind",
    }


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize(("words", "sentence"), [(URGENT, CALLING), (GRAVE, TELLING)])
def test_in_every_state_danger_is_told_first_said_truthfully_and_the_room_goes_on(
    state: str, words: str, sentence: str
) -> None:
    room = in_state(state)
    before, told = room.now, len(room.observed)
    hear(room, words, turn=None if state == "idle" else room.now.turn)
    assert isinstance(room.observed[told], CrisisObserved)
    assert room.instruction.say[0] == sentence
    assert room.now.activity == ("idle" if state in {"exercise", "fall"} else before.activity)
    if before.interview is not None:
        assert room.now.interview is not None
        assert room.now.interview.answers == before.interview.answers
        assert room.now.interview.pending == before.interview.pending


@pytest.mark.parametrize("state", STATES)
def test_a_separate_hearing_for_safety_counts_whatever_the_grammar_was_forced_to_hear(state: str) -> None:
    room = in_state(state)
    hear(room, "several days", turn=None if state == "idle" else room.now.turn, accepted=True, safety=URGENT)
    assert dangers(room) == [("breathing", "urgent")]


def test_what_was_taken_down_beside_the_question_is_judged_for_danger_and_is_no_answer() -> None:
    room = Room().in_form(1)
    answered = len(room.now.interview.answers) if room.now.interview is not None else 0
    hear(room, "", turn=room.now.turn, accepted=False, words=GRAVE)
    assert dangers(room) == [("wish-to-die", "staff")]
    hear(room, "", turn=room.now.turn, accepted=False, words="nearly every day")
    assert room.now.interview is not None
    assert len(room.now.interview.answers) == answered
    assert room.now.interview.pending is None


def test_danger_that_is_said_to_an_older_question_is_told_too() -> None:
    room = Room().in_form(1)
    hear(room, GRAVE, turn=room.now.turn - 1)
    assert dangers(room) == [("wish-to-die", "staff")]
    assert room.now.activity == "form"


@pytest.mark.parametrize("speaker", ["assumed", "asked", "unknown"])
def test_a_visitor_or_an_unknown_person_is_heard_like_anyone(speaker: str) -> None:
    room = Room()
    room.now = Conversation.model_validate({"speaker": speaker})
    hear(room.wake(), URGENT, turn=room.now.turn)
    assert dangers(room) == [("breathing", "urgent")]


def test_without_a_hub_the_room_points_to_the_call_button_and_the_alarm_is_kept() -> None:
    room = Room(hub=False).wake()
    hear(room, URGENT, turn=room.now.turn)
    assert room.instruction.say == (NO_HUB,)
    assert dangers(room) == [("breathing", "urgent")]


@pytest.mark.parametrize("sentence", [CALLING, TELLING])
def test_no_sentence_promises_that_somebody_comes(sentence: str) -> None:
    assert not any(promise in sentence.lower() for promise in PROMISES)
    assert "call button" in sentence


def test_who_repeats_themselves_is_one_call_a_minute_and_is_answered_each_time() -> None:
    room = Room().wake()
    for _ in range(5):
        hear(room, GRAVE, turn=None)
        assert room.instruction.say[0] == TELLING
    assert len(dangers(room)) == 1


def test_what_gets_graver_is_told_again_and_another_danger_is_another_call() -> None:
    raised: tuple[crisis.Raised, ...] = (crisis.Raised(category="breathing", priority="staff", at=NOW),)
    graver = crisis.assess([URGENT], raised, mode="voice", now=NOW, hub=True, recorded=False)
    assert graver is not None
    assert len(graver.observations) == 1
    other = crisis.assess([GRAVE], graver.raised, mode="voice", now=NOW, hub=True, recorded=False)
    assert other is not None
    assert len(other.observations) == 1


@pytest.mark.parametrize("seconds", [61, -5])
def test_after_a_minute_or_when_the_clock_was_set_back_the_same_danger_is_told_again(seconds: int) -> None:
    first = crisis.assess([GRAVE], (), mode="voice", now=NOW, hub=True, recorded=False)
    assert first is not None
    later = NOW + timedelta(seconds=seconds)
    again = crisis.assess([GRAVE], first.raised, mode="voice", now=later, hub=True, recorded=False)
    assert again is not None
    assert len(again.observations) == 1


def test_of_two_hearings_the_graver_counts() -> None:
    danger = crisis.assess([GRAVE, URGENT], (), mode="voice", now=NOW, hub=True, recorded=False)
    assert danger is not None
    assert danger.sentence == CALLING


@pytest.mark.parametrize(
    "words", ["no", "yup", "stop", "go on", "most days", "not once", "later", "and one more thing", "i do not know"]
)
def test_what_people_say_to_the_room_all_day_is_no_danger_out_of_turn_either(words: str) -> None:
    room = Room()
    room.take(room.dialogue.session(room.now, new_id()))
    hear(room, words, turn=None)
    hear(room.wake(), words, turn=room.now.turn - 1)
    assert dangers(room) == []


@pytest.mark.parametrize("words", ["help", "help me", "i need help", "i cannot breathe", "i want to die"])
def test_a_call_is_never_taken_for_something_that_is_said_all_day(words: str) -> None:
    assert words not in crisis.ordinary()


def test_a_request_that_is_understood_is_one_call_and_not_two() -> None:
    room = Room().wake().hear("help me")
    assert [type(seen) for seen in room.observed] == [RequestObserved]


def test_a_guess_that_a_grammar_was_forced_to_is_no_danger() -> None:
    room = Room().wake()
    hear(room, "help me", turn=room.now.turn)
    assert room.observed == []


def test_an_answer_to_a_form_is_an_answer() -> None:
    room = Room().in_form(8).hear("nearly every day", "yes")
    assert dangers(room) == []


def test_a_denied_danger_is_a_coded_note_in_a_recorded_session_and_nothing_without_one() -> None:
    room = Room().wake()
    hear(room, "i do not want to die", turn=None)
    assert room.observed == []
    room.take(room.dialogue.session(room.now, new_id()))
    hear(room, "i do not want to die", turn=None)
    assert [type(seen) for seen in room.observed] == [CrisisMentioned, UtteranceHeard]
    assert not any("staff" in sentence for sentence in room.instruction.say)


DOUBTFUL = "i had the steroid tablets first thing so that's why i'm chatty"


@pytest.mark.skipif(encoder()[0] is None, reason="the encoder's package is not installed")
def test_what_only_resembles_danger_calls_nobody_unasked_and_the_room_offers_to_call() -> None:
    room = in_state("idle")
    reaction = room.dialogue.written(room.now, DOUBTFUL, mode="touch", now=NOW, hub=True)
    assert reaction is not None
    assert reaction.observations == ()
    assert reaction.instruction is not None
    assert reaction.instruction.say == (OFFER_HELP,)


def test_danger_said_in_a_recorded_session_is_told_and_taken_down() -> None:
    room = Room()
    room.take(room.dialogue.session(room.now, new_id()))
    hear(room, GRAVE, turn=None)
    assert [type(seen) for seen in room.observed] == [CrisisObserved, UtteranceHeard]


@pytest.mark.parametrize("state", ["idle", "request", "form"])
def test_what_is_written_or_touched_is_judged_like_what_is_said(state: str) -> None:
    room = in_state(state)
    before = room.now
    reaction = room.dialogue.written(before, GRAVE, mode="touch", now=NOW, hub=True)
    assert reaction is not None
    (seen,) = reaction.observations[:1]
    assert isinstance(seen, CrisisObserved)
    assert (seen.category, seen.priority, seen.mode) == ("wish-to-die", "staff", "touch")
    assert reaction.conversation.activity == before.activity
    assert room.dialogue.written(before, "water please", mode="touch", now=NOW, hub=True) is None


def test_what_leaves_the_room_is_codes_and_never_the_words() -> None:
    anonymiser = Anonymiser("p-1", SystemClock())
    event = anonymiser.event_of(CrisisObserved("wish-to-die", "staff", 0.9, "voice"))
    assert event is not None
    assert event.data == CrisisHeard(category="wish-to-die", priority="staff", confidence=0.9, mode="voice")
    note = CrisisMentioned("wish-to-die", ("negated",), 0.7, "voice")
    assert anonymiser.event_of(note) is None, "no session, no note"
    session = new_id()
    anonymiser.event_of(SessionOpened(session, new_id()))
    noted = anonymiser.event_of(note)
    assert noted is not None
    assert noted.data == CrisisNoted(
        session=session, category="wish-to-die", reasons=("negated",), confidence=0.7, mode="voice"
    )


@given(st.sampled_from(get_args(Category)), st.sampled_from(["staff", "urgent"]))
def test_every_danger_that_is_known_can_be_told(category: str, priority: crisis.Grave) -> None:
    assert CrisisHeard(category=category, priority=priority, confidence=0.5, mode="voice").category == category
