"""Who speaks is checked before a personal form where others may be in the room."""

from datetime import time
from importlib import resources
from pathlib import Path

import pytest
from tests.edge.test_conversation import NOW, Room

from forge_edge import desired, room_files
from forge_edge.dialogue import identity
from forge_edge.dialogue.conversation import WHO, Conversation, Dialogue
from forge_edge.dialogue.sentences import NOT_THE_PIN, NOT_THE_WORD, WORD
from forge_edge.errors import NodeConfigError
from forge_edge.observations import RequestObserved
from forge_edge.speech.agreed_words import AGREED_WORDS
from forge_edge.speech.grammar import agreement
from forge_shared.forms.questionnaire import installed
from forge_shared.ids import new_id
from forge_shared.plan import Reminder, RoomPlan, Secret
from forge_shared.wire import TwinDesired

PLAN = RoomPlan(agreed_word=Secret.of("cinnamon"), staff_pin=Secret.of("4711"))


def asked(plan: RoomPlan = PLAN) -> Room:
    room = Room()
    room.dialogue = Dialogue(installed(), "phq-9", plan)
    room.now = Conversation(speaker="asked")
    return room.wake().hear("fill in my form")


def touched(room: Room, pin: str) -> Room:
    return room.take(room.dialogue.vouched(room.now, pin, now=NOW, new_id=new_id()))


@pytest.mark.parametrize("words", ["cinnamon", "the word is cinnamon"])
def test_the_agreed_word_opens_the_form(words: str) -> None:
    room = asked()
    assert room.said == WORD
    assert room.hear(words).now.activity == "form"


def test_after_three_wrong_words_the_form_stays_closed() -> None:
    room = asked().hear("lavender").hear("penguin", accepted=True)
    assert room.said == WORD
    room.hear("volcano")
    assert (room.said, room.now.activity, room.now.interview) == (NOT_THE_WORD, "idle", None)


def test_a_guess_of_the_recogniser_is_no_word_and_one_that_was_freely_heard_is() -> None:
    assert asked().hear("cinnamon", accepted=False).now.activity == "who"
    own = RoomPlan(agreed_word=Secret.of("zeppelin"))
    assert asked(own).hear("zeppelin", accepted=False).now.activity == "form"


@pytest.mark.parametrize("words", ["no", "never mind", "i do not know it"])
def test_who_does_not_know_it_is_let_go(words: str) -> None:
    room = asked().hear(words)
    assert (room.said, room.now.activity) == (NOT_THE_WORD, "idle")


def test_a_call_for_help_needs_no_word() -> None:
    room = asked().hear("please help me")
    assert [type(seen) for seen in room.observed] == [RequestObserved]


def test_without_an_agreed_word_the_plain_question_stays() -> None:
    assert asked(RoomPlan()).said == WHO


def test_staff_vouch_with_their_pin_and_a_wrong_one_opens_nothing() -> None:
    room = touched(asked(), "0000")
    assert (room.instruction.say[0], room.now.activity) == (NOT_THE_PIN, "who")
    assert touched(room, "4711").now.activity == "form"


def test_a_touch_opens_no_form_where_a_word_is_agreed_on() -> None:
    room = asked()
    reaction = room.dialogue.wish_by_touch(room.now, now=NOW, new_id=new_id())
    assert (reaction.conversation.activity, reaction.conversation.interview) == ("who", None)
    room.hear("yes")
    assert room.now.interview is None


def test_guessing_the_pin_ends_also_when_the_form_is_asked_for_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "PIN_TRIES", 3)
    room = asked()
    for _ in range(identity.PIN_TRIES):
        touched(room, "0000")
    assert touched(room, "4711").now.activity == "who"
    room.nothing().nothing().wake().hear("fill in my form")
    assert touched(room, "4711").now.activity == "who"
    assert room.hear("cinnamon").now.wrong_pins == 0


def test_a_pin_where_nobody_asked_for_one_does_nothing() -> None:
    room = Room().wake()
    room.dialogue = Dialogue(installed(), "phq-9", PLAN)
    assert touched(room, "4711").now.activity == "request"
    assert touched(asked(RoomPlan()), "4711").now.activity == "who"


def test_every_agreed_word_can_be_heard_and_is_unlike_every_request() -> None:
    dictionary = Path(str(resources.files("pocketsphinx"))) / "model" / "en-us" / "cmudict-en-us.dict"
    known = {line.split()[0] for line in dictionary.read_text(encoding="utf-8").splitlines() if line}
    assert set(AGREED_WORDS) <= known
    assert len(set(AGREED_WORDS)) == len(AGREED_WORDS) == 40
    meanings = agreement().meanings
    assert {meanings[word].code for word in AGREED_WORDS} == set(AGREED_WORDS)


def test_the_hubs_plan_goes_before_the_rooms_own_file(tmp_path: Path) -> None:
    own = RoomPlan(ambience=True)
    assert desired.plan(None, own) is own
    assert desired.plan(TwinDesired(revision=1, subject="p-1"), own) is own
    assert desired.plan(TwinDesired(revision=1, subject="p-1", plan=PLAN), own) == PLAN
    told = TwinDesired(revision=1, subject="p-1", plan=PLAN)
    desired.save(tmp_path / "desired.json", told)
    assert desired.load(tmp_path / "desired.json") == told


def test_another_persons_word_and_reminders_do_not_outlive_their_stay() -> None:
    reminder = Reminder(id="pills", kind="medication", times=(time(8),))
    of_one = PLAN.model_copy(update={"subject": "p-1", "reminders": (reminder,), "ambience": True})
    assert desired.plan(TwinDesired(revision=1, subject="p-1", plan=of_one), RoomPlan()) == of_one
    for subject in ("p-2", None):
        left = desired.plan(TwinDesired(revision=2, subject=subject, plan=of_one), RoomPlan())
        assert (left.reminders, left.agreed_word, left.ambience) == ((), None, True)


def test_a_plan_that_cannot_be_read_is_named_without_what_it_holds(tmp_path: Path) -> None:
    assert room_files.room_plan(None) == RoomPlan()
    path = tmp_path / "plan.json"
    path.write_text(PLAN.model_dump_json())
    assert room_files.room_plan(path) == PLAN
    path.write_text('{"quiet": {"begins": "planted words"}}')
    with pytest.raises(NodeConfigError, match=r"quiet\.begins") as failed:
        room_files.room_plan(path)
    assert "planted" not in str(failed.value)
    with pytest.raises(NodeConfigError, match="cannot read"):
        room_files.room_plan(tmp_path / "none.json")
