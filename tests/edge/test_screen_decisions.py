"""What a touch leads to, what is shown, and what is never shown."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from tests.fakes.bedside import RESTING, speech

from forge_edge.dialogue import reminding
from forge_edge.dialogue.conversation import ACCEPTED, NO_HUB, NOBODYS_ROOM, REOPENED, WHO, Conversation, Dialogue
from forge_edge.dialogue.reminders import Watched
from forge_edge.errors import TapInvalidError
from forge_edge.forms import touch
from forge_edge.messages import NothingHeard, RoomState, WakeHeard
from forge_edge.observations import CrisisObserved, FormObserved, RequestObserved, RiskAnswerObserved
from forge_edge.screen import calls, captions, light, taps
from forge_edge.screen.captions import Captions
from forge_edge.screen.decisions import MOVED_ON, Outcome, decide
from forge_edge.screen.light import Night, Wish
from forge_edge.screen.memory import FORM_SECONDS, ScreenMemory
from forge_edge.screen.room import doing, facts
from forge_edge.screen.shown import Asked, Shown, Sight, asked, shown
from forge_edge.screen.taps import Ask, BeginForm, InForm, Mute, Quiet, Said, Tap
from forge_edge.speech.grammar import requests
from forge_edge.speech.wishes import EXERCISES
from forge_shared.clock import SystemClock
from forge_shared.events import Envelope, RequestCode
from forge_shared.forms.questionnaire import Questionnaire, installed
from forge_shared.ids import new_id
from forge_shared.plan import Reminder, RoomPlan, Secret
from forge_shared.wire import LanePosition

EPOCH = new_id()
NOW = datetime(2026, 3, 1, 21, 30, tzinfo=UTC)
FORM = installed()["phq-9"]
DIALOGUE = Dialogue(installed(), "phq-9", screen=True)
SEVERAL_DAYS = "LA6569-3"


class Bed:
    """A patient at the screen; the core's part is played by the decisions alone."""

    def __init__(self, **conversation: object) -> None:
        self.conversation = Conversation.model_validate(conversation)
        self.memory = ScreenMemory(SystemClock())
        self.observed: list[object] = []
        self.outcome = Outcome(self.conversation)
        self.sight: Sight | None = None

    def touches(self, tap: Tap, *, hub: bool = True) -> tuple[str, ...]:
        """Touch something; return what is spoken."""
        self.outcome = decide(DIALOGUE, self.conversation, tap, self.asked, now=NOW, new_id=new_id(), hub=hub)
        self.memory.tapped(self.outcome)
        self.conversation = self.outcome.conversation
        reaction = self.outcome.reaction
        if reaction is None:
            return ()
        self.observed += reaction.observations
        self.conversation = reaction.conversation
        return self.outcome.said(reaction.instruction.say) if reaction.instruction else ()

    def says(self, text: str) -> tuple[str, ...]:
        heard = speech(text, self.conversation.turn)
        reaction = DIALOGUE.speech(self.conversation, heard, now=NOW, new_id=new_id(), hub=True)
        self.conversation = reaction.conversation
        self.observed += reaction.observations
        return reaction.instruction.say if reaction.instruction else ()

    def is_silent(self) -> tuple[str, ...]:
        reaction = DIALOGUE.nothing(self.conversation, NothingHeard(turn=self.conversation.turn), hub=True)
        self.conversation = reaction.conversation
        return reaction.instruction.say if reaction.instruction else ()

    def answers(self, code: str) -> tuple[str, ...]:
        return self.touches(InForm(touch.Answer((code,)), self.question.name))

    @property
    def shown(self) -> Shown:
        ears = RoomState(state="waiting")
        known = facts(
            self.conversation,
            DIALOGUE,
            self.memory,
            ears,
            hearing="ok",
            deaf=False,
            staff="reached",
            now=NOW,
            by_word=False,
            sight=self.sight,
        )
        return shown(known, None, self.memory.captions(self.conversation), "day", self.memory.note)

    @property
    def asked(self) -> Asked | None:
        return self.shown.asked

    @property
    def question(self) -> Asked:
        assert self.asked is not None
        return self.asked


def by_voice(answered: int) -> Bed:
    """A PHQ-9 that was begun by voice, with so many questions answered and the next one asked."""
    bed = Bed()
    bed.conversation = DIALOGUE.wake(bed.conversation, WakeHeard(word="hey_jarvis", score=1.0)).conversation
    bed.says("i want to fill in my form")
    for _ in range(answered):
        bed.says("not at all")
        bed.says("yes")
    return bed


def test_a_call_by_touch_is_one_by_touch_and_is_told_as_far_as_it_is_true() -> None:
    bed = Bed()
    assert bed.touches(Ask("nurse")) == ("I am telling the staff that you asked for a nurse.",)
    assert bed.touches(Ask("pain"), hub=False) == (NO_HUB,)
    assert bed.observed == [RequestObserved("nurse", "touch"), RequestObserved("pain", "touch")]


def test_a_call_in_the_middle_of_a_form_leaves_the_form_where_it_was() -> None:
    bed = by_voice(2)
    before = bed.question
    said = bed.touches(Ask("nurse"))
    assert said[0] == "I am telling the staff that you asked for a nurse."
    assert bed.question == before


def test_a_form_begun_by_voice_is_finished_by_touch_and_back_and_is_one_response_with_both_modes() -> None:
    bed = by_voice(3)
    response = bed.conversation.interview.response if bed.conversation.interview else ""
    assert bed.question.text == f"{FORM.questions[3].prefix} {FORM.questions[3].text}"
    for _ in range(3):
        said = bed.answers(SEVERAL_DAYS)
        assert bed.conversation.activity == "form", "an answer may be spoken again"
        assert any(FORM.questions[3].text not in one for one in said)
    bed.says("several days")
    assert bed.question.kind == "confirm", "what was said last is confirmed by a finger"
    bed.touches(InForm(touch.Confirm(right=True), bed.question.name))
    while (question := bed.asked) is not None:
        action = touch.Confirm(right=True) if question.answer else touch.Answer((question.choices[1].value,))
        bed.touches(InForm(action, question.name))
    finished = [one for one in bed.observed if isinstance(one, FormObserved)]
    assert [one.response for one in finished] == [response]
    assert [answer.mode for answer in finished[0].answers] == ["voice"] * 3 + ["touch"] * 3 + ["voice"] + ["touch"] * 3
    risk = [one for one in bed.observed if isinstance(one, RiskAnswerObserved)]
    assert [one.mode for one in risk] == ["touch"]


def test_the_question_that_follows_a_touch_is_read_aloud_unless_the_patient_wants_it_quiet() -> None:
    bed = Bed()
    said = " ".join(bed.touches(BeginForm()))
    assert "Over the last" in said
    assert FORM.questions[0].text in said
    assert FORM.questions[1].text in " ".join(bed.answers(SEVERAL_DAYS))
    assert bed.touches(Quiet(quiet=True)) == ()
    assert bed.answers(SEVERAL_DAYS) == ()
    assert FORM.questions[2].text in " ".join(bed.touches(InForm(touch.Repeat(), bed.question.name))), "when asked to"
    assert bed.touches(Ask("nurse"))[:1] == (), "what is called is read on the screen"


def test_who_answers_by_touch_is_not_asked_to_speak_and_keeps_the_question_on_the_screen() -> None:
    bed = Bed()
    bed.touches(BeginForm())
    assert bed.is_silent() == ()
    assert bed.conversation.activity == "idle"
    question = bed.question
    bed.answers(SEVERAL_DAYS)
    assert bed.question != question
    assert not bed.memory.is_form_left(SystemClock().monotonic_seconds() + FORM_SECONDS - 1)
    assert bed.memory.is_form_left(SystemClock().monotonic_seconds() + FORM_SECONDS + 1)


def test_a_touch_that_was_meant_for_another_question_answers_nothing() -> None:
    bed = by_voice(1)
    old = bed.question
    bed.says("not at all")
    bed.says("yes")
    before = bed.conversation
    assert bed.touches(InForm(touch.Answer((SEVERAL_DAYS,)), old.name)) == ()
    assert bed.touches(Said("yes", old.name)) == ()
    assert bed.conversation == before
    assert bed.shown.note == MOVED_ON


def test_a_form_that_is_put_off_by_touch_leaves_the_screen() -> None:
    bed = Bed()
    bed.touches(BeginForm())
    bed.touches(InForm(touch.Pause(), bed.question.name))
    assert bed.asked is None
    assert bed.conversation.interview is not None
    bed.touches(BeginForm())
    assert bed.question.text.endswith(FORM.questions[0].text)


def test_what_does_not_fit_is_said_on_the_screen_and_changes_nothing() -> None:
    bed = Bed()
    bed.touches(BeginForm())
    before = bed.question
    bed.answers("no-such-code")
    assert bed.question == before
    assert bed.shown.note != ""
    bed.answers(SEVERAL_DAYS)
    assert bed.shown.note == ""


def test_at_rest_there_is_no_form_and_no_answer_on_the_screen() -> None:
    bed = by_voice(2)
    bed.is_silent()
    bed.is_silent()
    assert bed.conversation.activity == "idle"
    assert bed.conversation.interview is not None
    assert bed.asked is None


def test_where_others_may_be_it_is_asked_who_touches_and_no_answer_is_shown() -> None:
    bed = Bed(speaker="asked")
    assert bed.touches(BeginForm()) == (WHO,)
    bed.touches(Said("yes", bed.question.name))
    bed.answers(SEVERAL_DAYS)
    bed.touches(InForm(touch.Back(), bed.question.name))
    assert not any(one.chosen for one in bed.question.choices)
    bed.says("several days")
    assert bed.question.kind == "confirm"
    assert bed.question.answer == ""
    refused = Bed(speaker="asked")
    refused.touches(BeginForm())
    refused.touches(Said("no", refused.question.name))
    assert refused.conversation.interview is None
    assert Bed(speaker="unknown").touches(BeginForm()) == (NOBODYS_ROOM,)


def test_what_is_written_in_own_words_is_looked_through_for_danger_and_is_an_answer_all_the_same() -> None:
    form = {
        "resourceType": "Questionnaire",
        "id": "f",
        "url": "https://example.org/f",
        "version": "1",
        "title": "F",
        "status": "active",
        "item": [
            {"linkId": "a", "text": "How was your night?", "type": "text"},
            {"linkId": "b", "text": "Did you sleep?", "type": "boolean"},
        ],
    }
    dialogue = Dialogue({"f": Questionnaire.model_validate(form)}, "f", screen=True)
    begun = dialogue.wish_by_touch(Conversation(), now=NOW, new_id=new_id()).conversation
    view = dialogue.forms.shown(begun)
    question = asked(replace(RESTING, conversation=begun, form=view))
    assert question is not None
    tap = InForm(touch.Answer(("I want to kill myself",)), question.name)
    outcome = decide(dialogue, begun, tap, question, now=NOW, new_id=new_id(), hub=True)
    assert outcome.reaction is not None
    assert isinstance(outcome.reaction.observations[0], CrisisObserved)
    assert outcome.reaction.observations[0].mode == "touch"
    assert outcome.reaction.instruction is not None
    assert "staff" in outcome.reaction.instruction.say[0]
    shown_next = dialogue.forms.shown(outcome.reaction.conversation)
    assert shown_next is not None
    assert shown_next.text == "Did you sleep?"


def test_an_exercise_is_steered_by_touch_and_its_words_stay_to_be_read() -> None:
    bed = Bed()
    bed.conversation = DIALOGUE.wake(bed.conversation, WakeHeard(word="hey_jarvis", score=1.0)).conversation
    bed.says(next(phrase for phrase, meaning in requests().meanings.items() if meaning.code in EXERCISES))
    assert bed.conversation.activity == "exercise"
    first = bed.question
    bed.touches(Said("go-on", first.name))
    assert bed.question.text != first.text
    bed.touches(Said("stop", bed.question.name))
    assert bed.asked is None


def test_what_can_be_asked_for_has_words_on_the_screen() -> None:
    for request in get_args(RequestCode):
        call = calls.made(request, None, 0.0, hub=False)
        assert shown(RESTING, call, Captions(), "day", "").call_title


def test_a_call_that_was_asked_for_again_is_taken_by_whichever_of_its_alerts_a_person_took() -> None:
    first, second = envelope(1), envelope(2)
    call = calls.made("nurse", second, 9.0, hub=True, before=calls.made("nurse", first, 0.0, hub=True))
    assert calls.accepted(call, first.id, 10.0).state == "coming"
    assert calls.made("pain", second, 9.0, hub=True, before=call).events == (second.id,)


def test_a_member_of_the_staff_vouches_for_who_is_there_and_the_number_is_never_shown() -> None:
    plan = RoomPlan(agreed_word=Secret.of("marigold"), staff_pin=Secret.of("4711"))
    dialogue = Dialogue(installed(), "phq-9", plan, screen=True)
    who = dialogue.wish_by_touch(Conversation(speaker="asked"), now=NOW, new_id=new_id()).conversation
    question = asked(replace(RESTING, conversation=who, by_word=True))
    assert question is not None
    for pin, activity in (("0815", "who"), ("4711", "form")):
        tap = taps.read({"do": ["pin"], "pin": [pin], "to": [question.name]})
        assert pin not in repr(tap)
        outcome = decide(dialogue, who, tap, question, now=NOW, new_id=new_id(), hub=True)
        assert outcome.reaction is not None
        assert outcome.reaction.conversation.activity == activity
        who = outcome.reaction.conversation


def test_mute_and_quiet_are_kept_with_the_conversation() -> None:
    bed = Bed()
    bed.touches(Mute(muted=True))
    bed.touches(Quiet(quiet=True))
    assert (bed.conversation.muted, bed.conversation.quiet) == (True, True)
    assert (bed.shown.muted, bed.shown.quiet) == (True, True)


@pytest.mark.parametrize(
    ("state", "hearing", "muted", "deaf", "expected"),
    [
        ("waiting", "ok", True, False, "muting"),
        ("muted", "closed", True, False, "muted"),
        ("waiting", "lost", True, False, "muted"),
        ("muted", "closed", False, False, "starting"),
        ("closed", "closed", True, False, "muted"),
        ("waiting", "lost", False, False, "lost"),
        ("speaking", "ok", False, True, "closed"),
        ("deciding", "ok", False, False, "thinking"),
        ("closed", "starting", False, False, "starting"),
    ],
)
def test_muted_is_shown_once_the_ears_say_so_and_not_before(
    state: str,
    hearing: str,
    muted: bool,  # noqa: FBT001 (pytest fills it in)
    deaf: bool,  # noqa: FBT001 (the same)
    expected: str,
) -> None:
    assert doing(state, hearing, muted=muted, deaf=deaf) == expected


@pytest.mark.parametrize(
    ("sight", "words"),
    [
        ("starting", "The camera is starting"),
        ("ok", "The camera is on"),
        ("lost", "The camera cannot see"),
        ("closed", "The camera is off"),
        (None, ""),
    ],
)
def test_the_screen_says_what_the_camera_does_and_nothing_where_there_is_none(sight: Sight | None, words: str) -> None:
    bed = Bed()
    bed.sight = sight
    assert (bed.shown.sight, bed.shown.sight_words) == (sight, words)


def test_captions_are_gone_soon_and_hold_nothing_of_what_is_not_the_patients() -> None:
    alone = Conversation(turn=3)
    seen = captions.heard(Captions(), speech("water please", 3), alone, 10.0)
    seen = captions.said(seen, ("I am telling the staff.",), alone, alone, 10.5)
    assert (seen.heard, seen.said) == ("water please", ("I am telling the staff.",))
    assert captions.at(seen, alone, 10.5 + captions.LINGER_SECONDS + 1) == Captions()
    assert captions.heard(seen, speech("what a visitor tells", None), alone, 11.0) == seen, "dictation is not shown"
    assert captions.heard(seen, speech("late", 2), alone, 11.0) == seen
    unsure = captions.heard(Captions(), speech("i want to die", 3, accepted=False), alone, 11.0)
    assert unsure.heard == captions.NOT_UNDERSTOOD
    shared = Conversation(turn=3, speaker="asked", activity="form")
    heard = captions.heard(Captions(), speech("nearly every day", 3), shared, 11.0)
    said = captions.said(heard, ("I heard: Nearly every day. Is that right?",), shared, shared, 11.0)
    assert (said.heard, said.said) == ("", ())


def envelope(sequence: int) -> Envelope:
    return Envelope(
        id=new_id(),
        source="/sites/ward/nodes/room-1",
        type="org.personaforge.request.made.v2",
        time=NOW,
        subject="p-1",
        epoch=EPOCH,
        lane="alarm",
        sequence=sequence,
        data={},
    )


def test_help_is_promised_only_once_a_person_has_taken_this_call() -> None:
    sent = envelope(7)
    call = calls.made("nurse", sent, 0.0, hub=True)
    course = [call]
    course.append(calls.acknowledged(course[-1], LanePosition(epoch=EPOCH, lane="record", sequence=9), 1.0))
    course.append(calls.acknowledged(course[-1], LanePosition(epoch=EPOCH, lane="alarm", sequence=6), 1.0))
    course.append(calls.accepted(course[-1], new_id(), 1.0))
    course.append(calls.overdue(course[-1], 1.0))
    course.append(calls.acknowledged(course[-1], LanePosition(epoch=EPOCH, lane="alarm", sequence=7), 1.0))
    course.append(calls.accepted(course[-1], sent.id, 2.0))
    course.append(calls.reopened(course[-1], sent.id, 3.0))
    words = [shown(RESTING, one, Captions(), "day", "").call_words for one in course]
    assert [one == ACCEPTED for one in words] == [False] * 6 + [True, False]
    assert words[4] == NO_HUB
    assert words[-1] == REOPENED
    assert calls.made("nurse", None, 0.0, hub=True).state == "unreached", "what cannot be stored is not on its way"
    assert calls.made("nurse", sent, 0.0, hub=False).state == "unreached"


def test_a_hand_that_shakes_calls_once() -> None:
    call = calls.made("nurse", envelope(1), 100.0, hub=True)
    assert calls.is_same(call, "nurse", 101.0)
    assert not calls.is_same(call, "pain", 101.0)
    assert not calls.is_same(call, "nurse", 100.0 + calls.AGAIN_SECONDS)
    assert not calls.is_same(None, "nurse", 0.0)


def test_by_night_it_is_dark_unless_the_patient_wants_it_bright_until_morning() -> None:
    night = Night(21, 7)
    late, noon = NOW.replace(hour=23), NOW.replace(hour=12)
    assert [light.shown(now, night, None) for now in (late, noon, None)] == ["night", "day", "day"]
    bright = Wish(dark=False, at_night=True)
    assert [light.shown(now, night, bright) for now in (late, noon)] == ["day", "day"]
    dark = Wish(dark=True, at_night=False)
    assert [light.shown(now, night, dark) for now in (late, noon)] == ["night", "night"]
    assert light.is_night(NOW.replace(hour=3), Night(1, 5))
    assert not light.is_night(late, Night(7, 7))


def test_everything_a_page_can_send_is_read_and_nothing_else() -> None:
    assert taps.read({"do": ["ask-water"]}) == Ask("water")
    assert taps.read({"do": ["yes"], "to": ["q"]}) == Said("yes", "q")
    assert taps.read({"do": ["answer"], "to": ["q"], "with": ["36.6"], "unit": ["Cel"]}) == InForm(
        touch.Answer(("36.6 Cel",)), "q"
    )
    assert taps.read({"do": ["answer"], "to": ["q"]}) == InForm(touch.Answer(()), "q")
    for hostile in ({}, {"do": ["ask-"]}, {"do": ["go-to"]}, {"do": ["mute", "mute"]}):
        with pytest.raises(TapInvalidError):
            taps.read(hostile)


def test_pain_from_0_to_10_is_eleven_buttons_and_a_wide_range_a_field() -> None:
    view = touch.View("P", "question", place=(("p", 0),), text="Pain?", type="integer", lowest="0", highest="10")
    buttons = asked(replace(RESTING, form=view))
    assert buttons is not None
    assert [one.value for one in buttons.choices] == [str(number) for number in range(11)]
    field = asked(replace(RESTING, form=replace(view, highest="1000")))
    assert field is not None
    assert field.kind == "number"


@pytest.mark.parametrize(("code", "settled"), [("done", True), ("later", False)])
@pytest.mark.parametrize("in_silence", [False, True])
def test_a_reminder_is_confirmed_or_put_off_by_touch(code: str, *, settled: bool, in_silence: bool) -> None:
    reminder = Reminder(id="pills", kind="medication", times=(NOW.time(),))
    watched = Watched(reminder=reminder, settled=NOW - timedelta(minutes=1))
    plan = RoomPlan(time_zone="UTC", reminders=(reminder,))
    said = reminding.tick(Conversation(reminders=(watched,)), plan, now=NOW, deaf=False)
    assert said is not None
    bed = Bed()
    bed.conversation = said.conversation
    if in_silence:
        bed.is_silent()
    assert [choice.words for choice in bed.question.choices] == ["Done", "Later", "No"]
    assert "ask the nurse" in bed.question.above[0]
    bed.touches(Said(code=code, question=bed.question.name))
    (after,) = bed.conversation.reminders
    assert (after.due_at is None) is settled
    assert bed.asked is None
    assert bed.observed == []
