"""The room's dialogue: what it does about what it heard, and what it never says."""

import ast
import inspect
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forge_edge import dialogue as dialogue_package
from forge_edge import listening as listening_module
from forge_edge import reactions as reactions_module
from forge_edge import room as room_module
from forge_edge.dialogue.conversation import (
    ACCEPTED,
    NO_HUB,
    REOPENED,
    SESSION_OFF,
    SESSION_ON,
    Conversation,
    Dialogue,
    Reaction,
)
from forge_edge.dialogue.reach import HUB_BACK, HUB_GONE
from forge_edge.forms import interview as interview_module
from forge_edge.messages import Instruction, NothingHeard, SpeechHeard, WakeHeard
from forge_edge.observations import FormObserved, Observation, RequestObserved, RiskAnswerObserved, UtteranceHeard
from forge_edge.speech.grammar import REQUESTS
from forge_shared.forms.questionnaire import installed
from forge_shared.ids import new_id

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
FORMS = installed()
ROOM = (room_module, reactions_module, listening_module)
"""What makes a room speak beside its dialogue."""
DIALOGUE = [path.read_text(encoding="utf-8") for path in sorted(Path(dialogue_package.__path__[0]).glob("*.py"))]
PROMISES = ("on the way", "on its way", "coming", "will come", "be there", "be with you", "help is", "do not worry")


class Room:
    """A dialogue and the ears of its room, which hear exactly what the test says."""

    def __init__(self, *, hub: bool = True) -> None:
        self.dialogue = Dialogue(FORMS, "phq-9")
        self.hub = hub
        self.now = Conversation()
        self.last = self.dialogue.start(self.now)
        self.observed: list[Observation] = []
        self.take(self.last)

    @property
    def said(self) -> str:
        return " ".join(self.last.instruction.say) if self.last.instruction else ""

    @property
    def instruction(self) -> Instruction:
        assert self.last.instruction is not None, "the ears were told nothing"
        return self.last.instruction

    @property
    def phrases(self) -> tuple[str, ...]:
        listen = self.last.instruction.listen if self.last.instruction else None
        return listen.phrases if listen else ()

    def take(self, reaction: Reaction) -> "Room":
        self.last, self.now = reaction, reaction.conversation
        self.observed += reaction.observations
        return self

    def wake(self) -> "Room":
        return self.take(self.dialogue.wake(self.now, WakeHeard(word="hey_jarvis", score=0.9)))

    def hear(self, *texts: str, accepted: bool = True) -> "Room":
        for text in texts:
            self.take(self.speech(text, turn=self.now.turn, accepted=accepted))
        return self

    def half_hear(self, text: str) -> "Room":
        heard = self.heard(text, turn=self.now.turn, accepted=False).model_copy(update={"doubted": True})
        return self.take(self.dialogue.speech(self.now, heard, now=NOW, new_id=new_id(), hub=self.hub))

    def dictate(self, text: str) -> "Room":
        return self.take(self.speech(text, turn=None))

    def speech(self, text: str, *, turn: int | None, accepted: bool = True) -> Reaction:
        heard = self.heard(text, turn=turn, accepted=accepted)
        return self.dialogue.speech(self.now, heard, now=NOW, new_id=new_id(), hub=self.hub)

    @staticmethod
    def heard(text: str, *, turn: int | None, accepted: bool) -> SpeechHeard:
        return SpeechHeard(
            turn=turn, text=text, accepted=accepted, confidence=0.8, engine="test", ended_monotonic_seconds=1.0
        )

    def nothing(self) -> "Room":
        return self.take(self.dialogue.nothing(self.now, NothingHeard(turn=self.now.turn), hub=self.hub))

    def restart(self) -> "Room":
        restored = Conversation.model_validate_json(self.now.model_dump_json())
        assert restored == self.now
        return self.take(self.dialogue.start(restored))

    def in_form(self, answers: int = 0) -> "Room":
        return self.wake().hear("i want to fill in my form", *["several days", "yes"] * answers)


@pytest.fixture
def room() -> Room:
    return Room()


def test_the_wake_word_is_answered_by_a_tone_and_a_listening_ear(room: Room) -> None:
    room.wake()
    assert room.instruction.tone
    assert "water please" in room.phrases
    assert room.said == ""


@pytest.mark.parametrize("request_code", ["water", "nurse", "pain", "help"])
def test_a_request_is_observed_and_the_room_says_no_more_than_that_it_tells(room: Room, request_code: str) -> None:
    room.wake().hear(REQUESTS[request_code][0])
    assert [seen.request for seen in room.observed if isinstance(seen, RequestObserved)] == [request_code]
    assert "I am telling the staff" in room.said
    assert room.now.activity == "idle"


@pytest.mark.parametrize("request_code", ["water", "nurse", "pain", "help"])
def test_without_a_hub_the_room_says_so_and_still_keeps_the_request(request_code: str) -> None:
    room = Room(hub=False).wake().hear(REQUESTS[request_code][0])
    assert room.said == NO_HUB
    assert "call button" in NO_HUB
    assert len(room.observed) == 1


def test_what_is_not_accepted_is_a_guess_and_does_nothing(room: Room) -> None:
    room.wake().hear("water", accepted=False)
    assert room.observed == []
    assert "did not understand" in room.said


def test_a_probable_answer_is_read_back_and_stored_only_after_a_yes(room: Room) -> None:
    room.wake().hear("i want to fill in my form").half_hear("several days")
    assert room.said == "I heard: Several days. Is that right?"
    room.half_hear("yes")
    assert room.now.interview is not None
    assert not room.now.interview.answers
    room.hear("no").half_hear("several days").hear("yes")
    stored = room.now.interview
    assert stored is not None
    assert [answer.code for answer in stored.answers] == ["LA6569-3"]


def test_a_probable_command_is_not_followed(room: Room) -> None:
    room.wake().hear("i want to fill in my form").half_hear("stop")
    assert room.now.activity == "form"
    assert room.now.interview is not None


def test_what_is_not_understood_twice_ends_at_the_call_button(room: Room) -> None:
    room.wake().hear("colourless green", "ideas sleep")
    assert "call button" in room.said
    assert room.now.activity == "idle"
    assert room.observed == []


def test_silence_after_the_wake_word_ends_the_conversation(room: Room) -> None:
    room.wake().nothing()
    assert (room.now.activity, room.said) == ("idle", "")


def test_never_mind_ends_the_conversation(room: Room) -> None:
    room.wake().hear("never mind")
    assert (room.now.activity, room.observed) == ("idle", [])


def test_every_turn_has_a_number_of_its_own_and_an_answer_to_an_older_one_is_not_taken(room: Room) -> None:
    room.wake()
    room.take(room.speech("water please", turn=room.now.turn - 1))
    assert room.observed == []


def test_a_form_is_filled_from_its_wake_word_to_its_total(room: Room) -> None:
    room.in_form(9).hear("somewhat difficult", "yes")
    (form,) = [seen for seen in room.observed if isinstance(seen, FormObserved)]
    assert (form.status, form.total) == ("completed", 9)
    assert room.now.interview is None
    assert room.now.activity == "idle"


def test_a_risk_answer_is_observed_the_moment_it_is_heard(room: Room) -> None:
    room.in_form(8).hear("nearly every day")
    assert isinstance(room.observed[-1], RiskAnswerObserved)
    assert "Is that right?" in room.said


def test_silence_pauses_a_form_and_the_wake_word_offers_to_go_on(room: Room) -> None:
    room.in_form(3).nothing().nothing()
    assert room.phrases == ()
    room.wake()
    assert "continue your form" in room.said
    room.hear("yes")
    assert "several days" in room.phrases
    assert room.now.interview is not None
    assert len(room.now.interview.answers) == 3


def test_a_form_survives_a_restart(room: Room) -> None:
    room.in_form(5).hear("several days").restart()
    assert "continue your form" in room.said
    room.hear("yes")
    assert room.now.interview is not None
    assert len(room.now.interview.answers) == 5


def test_a_restart_does_not_take_the_answer_that_was_being_read_back(room: Room) -> None:
    room.in_form(2).hear("nearly every day").restart().hear("yes", "yes")
    assert room.now.interview is not None
    assert len(room.now.interview.answers) == 2


def test_a_form_that_is_no_longer_installed_is_put_away_at_the_start(room: Room) -> None:
    room.in_form(1)
    reaction = Dialogue({}, "phq-9").start(room.now)
    assert reaction.conversation.interview is None


def test_no_to_going_on_ends_the_form_and_listens_for_a_request(room: Room) -> None:
    room.in_form(2).nothing().nothing().wake().hear("no")
    (form,) = [seen for seen in room.observed if isinstance(seen, FormObserved)]
    assert (form.status, len(form.answers)) == ("stopped", 2)
    assert room.now.activity == "request"
    room.hear("water please")
    assert isinstance(room.observed[-1], RequestObserved)


@pytest.mark.parametrize("words", ["help me", "call the nurse", "it hurts"])
def test_a_call_for_help_is_heard_while_a_form_waits(room: Room, words: str) -> None:
    room.in_form(2).nothing().nothing().wake().hear(words)
    assert any(isinstance(seen, RequestObserved) for seen in room.observed)


def test_help_in_a_form_names_the_call_button(room: Room) -> None:
    room.in_form(2).hear("help me")
    assert "call button" in room.said


def test_without_a_hub_a_confirmed_risk_answer_is_not_said_to_reach_the_staff() -> None:
    room = Room(hub=False).in_form(8).hear("nearly every day", "yes")
    assert "letting the staff know" not in room.said
    assert NO_HUB in room.said


def test_a_session_is_said_when_it_goes_on_and_when_it_goes_off(room: Room) -> None:
    room.take(room.dialogue.session(room.now, new_id()))
    assert room.said == SESSION_ON
    assert room.instruction.dictation
    room.take(room.dialogue.session(room.now, None))
    assert room.said == SESSION_OFF
    assert not room.instruction.dictation


def test_a_session_that_goes_on_in_mid_form_does_not_lose_the_risk_answer_just_given(room: Room) -> None:
    room.in_form(8)
    asked = room.now.turn
    room.take(room.dialogue.session(room.now, new_id()))
    room.take(room.speech("nearly every day", turn=asked))
    assert any(isinstance(seen, RiskAnswerObserved) for seen in room.observed)


def test_a_session_that_goes_on_in_mid_form_leaves_the_form_listening(room: Room) -> None:
    room.in_form(3)
    room.take(room.dialogue.session(room.now, new_id()))
    assert room.now.activity == "form"
    assert room.last.instruction is None, "the ears go on listening"
    assert room.last.later == (SESSION_ON,)


def test_words_are_taken_down_only_in_a_session(room: Room) -> None:
    room.dictate("my name is planted")
    assert room.observed == []
    room.take(room.dialogue.session(room.now, new_id())).dictate("i slept badly")
    assert [seen.text for seen in room.observed if isinstance(seen, UtteranceHeard)] == ["i slept badly"]
    room.take(room.dialogue.session(room.now, None)).dictate("and one more thing")
    assert len(room.observed) == 1


def test_an_empty_transcript_is_not_taken_down(room: Room) -> None:
    room.take(room.dialogue.session(room.now, new_id())).dictate("")
    assert room.observed == []


def sentences() -> list[str]:
    """Return every text in the code of those parts that make the room speak, without their documentation."""
    texts = []
    for source in (*DIALOGUE, *(inspect.getsource(module) for module in (interview_module, *ROOM))):
        tree = ast.parse(source)
        documentation = {
            id(node.value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        }
        texts += [
            node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation
        ]
    return texts


def test_no_sentence_but_that_of_an_accepted_alert_promises_that_help_is_coming() -> None:
    assert {NO_HUB, HUB_GONE, HUB_BACK, REOPENED} <= set(sentences())
    assert [text for text in sentences() if any(promise in text.lower() for promise in PROMISES)] == [ACCEPTED]


def test_only_an_accepted_alert_makes_the_room_say_that_help_is_coming() -> None:
    named = [node for source in DIALOGUE for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)]
    used = [node.ctx for node in named if node.id == "ACCEPTED"]
    assert [type(use) for use in used] == [ast.Store], "the dialogue defines it and says it nowhere"
    sources = [inspect.getsource(module) for module in ROOM]
    arms = [
        case
        for source in sources
        for case in ast.walk(ast.parse(source))
        if isinstance(case, ast.match_case) and "say(ACCEPTED)" in ast.unparse(case)
    ]
    assert [ast.unparse(arm.pattern) for arm in arms] == ["AlertAccepted()"]
    assert sum(source.count("say(ACCEPTED)") for source in sources) == 1


_DONE = st.sampled_from(["wake", "nothing", "restart", "dictate", "session on", "session off"])
_TEXT = st.sampled_from(
    [
        *(
            "yes",
            "no",
            "stop",
            "skip",
            "go back",
            "repeat",
            "help me",
            "water please",
            "never mind",
            "colourless green",
        ),
        *("not at all", "several days", "nearly every day", "i want to fill in my form", "i want to fill in my form"),
    ]
)


@settings(max_examples=200, deadline=None)
@given(script=st.lists(st.one_of(_DONE, _TEXT, _TEXT), max_size=60), hub=st.booleans())
def test_whatever_happens_the_room_promises_nothing_and_never_stands_mute_in_a_form(
    script: list[str],
    hub: bool,  # noqa: FBT001 (Hypothesis passes it)
) -> None:
    room = Room(hub=hub)
    acts: dict[str, Callable[[], Room]] = {
        "wake": room.wake,
        "nothing": room.nothing,
        "restart": room.restart,
        "dictate": lambda: room.dictate("planted words"),
        "session on": lambda: room.take(room.dialogue.session(room.now, new_id())),
        "session off": lambda: room.take(room.dialogue.session(room.now, None)),
    }
    for deed in script:
        turn, session = room.now.turn, room.now.session
        seen = len(room.observed)
        if deed in acts:
            acts[deed]()
        else:
            room.hear(deed)
        if room.last.instruction is None:
            assert deed in ("session on", "session off")
            assert room.now.turn == turn, "the ears go on listening to the same turn"
            continue
        assert room.now.turn == room.last.instruction.turn > turn
        assert not any(promise in room.said.lower() for promise in PROMISES)
        assert (room.last.instruction.listen is None) == (room.now.activity == "idle")
        if any(isinstance(new, UtteranceHeard) for new in room.observed[seen:]):
            assert session is not None


def test_a_request_that_is_doubtful_twice_is_asked_about_and_passed_on_after_a_yes(room: Room) -> None:
    room.wake().hear("water please", accepted=False).hear("water please", accepted=False)
    assert room.said == "Did you say: water please? Please say yes or no."
    assert room.observed == []
    room.hear("yes")
    assert [seen.request for seen in room.observed if isinstance(seen, RequestObserved)] == ["water"]


@pytest.mark.parametrize("reply", ["no", "never mind"])
def test_a_doubtful_request_without_a_yes_is_none(room: Room, reply: str) -> None:
    room.wake().hear("water please", accepted=False).hear("water please", accepted=False).hear(reply)
    assert room.observed == []
    assert "call button" in room.said
