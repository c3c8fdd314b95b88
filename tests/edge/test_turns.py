"""Whose turn it is, decided: no sound, no threads, no clock."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from forge_edge import turns
from forge_edge.acts import Act, Acts, Decode, Hush, Speak, Tell
from forge_edge.audio.activity import CHUNK_SECONDS
from forge_edge.audio.pace import DEFAULT_SECONDS, LONGEST_SECONDS, Pace
from forge_edge.messages import Hearing, Instruction, Listen, NothingHeard, SpeechHeard, WakeHeard
from forge_edge.turns import Deafness, State, Turns

LISTEN = Listen(grammar="g", phrases=("yes", "no", "several days"), patience_seconds=8.0)
WAKE = WakeHeard(word="okay_nabu", score=0.9)
QUESTION = Instruction(turn=1, say=("How are you?",), listen=LISTEN)


def speech(text: str = "yes", *, accepted: bool = True) -> SpeechHeard:
    return SpeechHeard(
        turn=1, text=text, accepted=accepted, confidence=0.9, engine="sure", ended_monotonic_seconds=0.0
    )  # fmt: skip


class Room:
    """A machine and the time of its room."""

    def __init__(self) -> None:
        self.turns = Turns()
        self.now = 0.0
        self.acts: list[Act] = []

    def do(self, acts: Acts) -> None:
        self.acts.extend(acts)

    def hear(self, seconds: float, probability: float, *, voiced: bool = True) -> list[Decode]:
        found: list[Decode] = []
        for _ in range(round(seconds / CHUNK_SECONDS)):
            acts = self.turns.heard(probability, self.now, self.now, voiced=voiced)
            self.now += CHUNK_SECONDS
            self.do((*acts, *self.turns.tick(self.now)))
            found.extend(act for act in acts if isinstance(act, Decode))
        return found

    def state(self) -> State:
        return self.turns.state

    def told(self) -> list[object]:
        return [act.perception for act in self.acts if isinstance(act, Tell)]


@pytest.fixture
def room() -> Room:
    return Room()


def listening(room: Room) -> Room:
    room.do(room.turns.instructed(Instruction(turn=1, listen=LISTEN), room.now))
    assert room.state() is State.LISTENING
    return room


def test_the_turn_goes_round(room: Room) -> None:
    room.do(room.turns.heard(0.9, 0.0, 0.0, voiced=True, woke=WAKE))
    assert room.state() is State.DECIDING
    room.do(room.turns.instructed(QUESTION, 0.1))
    assert room.state() is State.SPEAKING
    room.do(room.turns.played(1.0))
    assert room.state() is State.LISTENING
    room.now = 1.0
    room.hear(0.5, 0.9)
    (probe, decode) = room.hear(1.0, 0.0)
    assert (probe.final, decode.final) == (False, True)
    room.do(room.turns.decoded(decode, speech(), room.now))
    assert room.state() is State.DECIDING
    room.do(room.turns.instructed(Instruction(turn=2), room.now))
    assert room.state() is State.WAITING
    assert room.told() == [WAKE, speech()]


def test_a_whole_answer_is_taken_in_the_first_pause(room: Room) -> None:
    listening(room).hear(0.5, 0.9)
    (probe,) = room.hear(0.35, 0.0)
    room.do(room.turns.decoded(probe, speech(), room.now))
    assert room.state() is State.DECIDING
    assert room.told() == [speech()]


@pytest.mark.parametrize(
    ("heard", "is_whole"), [(speech(accepted=False), True), (speech("no"), False), (None, True)]
)  # fmt: skip
def test_what_is_not_whole_waits_for_the_end_of_the_utterance(
    room: Room, heard: SpeechHeard | None, *, is_whole: bool
) -> None:
    listening(room).hear(0.5, 0.9)
    (probe,) = room.hear(0.35, 0.0)
    room.do(room.turns.decoded(probe, heard, room.now, is_whole=is_whole))
    assert room.state() is State.LISTENING
    room.hear(0.3, 0.9)
    assert [decode.final for decode in room.hear(1.0, 0.0)] == [False, True]


def test_an_answer_that_more_could_follow_is_taken_a_little_later(room: Room) -> None:
    listening(room).hear(0.5, 0.9)
    (probe,) = room.hear(0.35, 0.0)
    room.do(room.turns.decoded(probe, speech("no"), room.now, is_whole=False))
    assert room.state() is State.LISTENING
    assert room.hear(0.2, 0.0) == []
    assert room.told() == [speech("no")]


def test_a_noise_is_no_answer_and_buys_no_time(room: Room) -> None:
    listening(room)
    for _ in range(3):
        room.hear(0.3, 0.9)
        decode = room.hear(1.0, 0.0)[-1]
        assert decode.short
        room.do(room.turns.decoded(decode, None, room.now, is_noise=True))
        assert room.state() is State.LISTENING
    room.hear(8.0 - room.now + 0.2, 0.0)
    assert room.told() == [NothingHeard(turn=1)]


def test_noises_without_end_do_not_keep_a_turn_open(room: Room) -> None:
    listening(room)
    while room.state() is State.LISTENING:
        room.hear(0.3, 0.9)
        for decode in room.hear(1.0, 0.0):
            if decode.final:
                room.do(room.turns.decoded(decode, None, room.now, is_noise=True))
    assert room.told() == [NothingHeard(turn=1)]
    assert room.now < 40


def test_slow_speakers_are_given_more_time_and_the_next_person_is_not(room: Room) -> None:
    listening(room)
    for _ in range(3):
        room.hear(0.6, 0.9)
        room.hear(0.6, 0.0)
    room.hear(0.6, 0.9)
    decode = room.hear(1.0, 0.0)[-1]
    assert decode.final
    room.do(room.turns.decoded(decode, speech(), room.now))
    assert room.turns.pace.end_silence_seconds > 0.8
    listening(room).hear(0.6, 0.9)
    assert not any(found.final for found in room.hear(0.8, 0.0))
    room.do(room.turns.instructed(Instruction(turn=3), room.now))
    assert room.turns.pace == Pace()


def test_who_goes_on_after_being_cut_off_is_given_more_time(room: Room) -> None:
    listening(room).hear(0.6, 0.9)
    assert room.hear(0.8, 0.0)[-1].final
    room.hear(0.3, 0.0)
    room.hear(0.3, 0.9)
    assert room.turns.pace.end_silence_seconds > 1.3


@given(st.lists(st.floats(0, 20)))
def test_the_silence_that_ends_an_utterance_stays_within_its_bounds(pauses: list[float]) -> None:
    pace = Pace()
    for pause in pauses:
        pace = pace.after(pause)
        assert DEFAULT_SECONDS <= pace.end_silence_seconds <= LONGEST_SECONDS
        assert pace.probe_silence_seconds < pace.end_silence_seconds


def test_only_speech_with_a_voice_interrupts_a_question(room: Room) -> None:
    room.do(room.turns.instructed(QUESTION, room.now))
    room.hear(0.6, 0.9, voiced=False)
    assert room.state() is State.SPEAKING
    room.hear(0.2, 0.0)
    room.hear(0.2, 0.9)
    assert room.state() is State.LISTENING
    assert any(isinstance(act, Hush) for act in room.acts)


def test_the_wake_word_of_who_interrupts_is_followed(room: Room) -> None:
    room.do(room.turns.instructed(QUESTION, room.now))
    room.hear(0.3, 0.9)
    assert room.turns.awaits_wake_word
    room.do(room.turns.heard(0.9, room.now, room.now, voiced=True, woke=WAKE))
    assert room.told() == [WAKE]


def test_what_is_said_next_waits_until_the_room_has_finished_and_the_newest_counts(room: Room) -> None:
    room.do(room.turns.instructed(Instruction(turn=1, say=("One.",)), 0.0))
    room.do(room.turns.instructed(Instruction(turn=2, say=("Two.",)), 0.0))
    room.do(room.turns.instructed(Instruction(turn=3, say=("Three.",)), 0.0))
    room.do(room.turns.played(1.0))
    assert [act.sentences for act in room.acts if isinstance(act, Speak)] == [("One.",), ("Three.",)]


def test_why_a_room_is_deaf_is_said_as_it_changes(room: Room) -> None:
    room.do(room.turns.deafen("lost", 0.0))
    room.do(room.turns.deafen("lost", 0.0))
    room.do(room.turns.deafen("muted", 0.0))
    assert room.state() is State.MUTED
    room.do(room.turns.undeafen("lost", 0.0))
    room.do(room.turns.undeafen("muted", 0.0))
    assert [(said.state, said.reason) for said in room.told() if isinstance(said, Hearing)] == [
        ("lost", "source-failed"),
        ("closed", "stopped"),
        ("ok", "recovered"),
    ]


def test_a_switched_off_microphone_that_is_looked_for_again_is_told_once(room: Room) -> None:
    room.do(room.turns.deafen("silent", 0.0))
    told = len(room.told())
    for _ in range(3):
        room.do(room.turns.deafen("silent", 0.0))
    assert len(room.told()) == told == 1


def test_dictation_begins_anew_after_an_hour_of_silence(room: Room) -> None:
    room.do(room.turns.instructed(Instruction(turn=1, dictation=True), 0.0))
    room.hear(turns.DICTATION_SECONDS + 1, 0.0)
    room.hear(1.0, 0.9)
    assert [decode.listen for decode in room.hear(1.0, 0.0)] == [None]


class AnyRoom(RuleBasedStateMachine):
    """Whatever happens in whatever order, no state outlasts its limit."""

    def __init__(self) -> None:
        super().__init__()
        self.room = Room()
        self.decodes: list[Decode] = []
        self.speaking = False

    @rule(seconds=st.floats(0.1, 3.0), probability=st.sampled_from([0.0, 0.4, 0.9]), voiced=st.booleans())
    def hears(self, seconds: float, probability: float, voiced: bool) -> None:  # noqa: FBT001 (drawn by name)
        for decode in self.room.hear(seconds, probability, voiced=voiced):
            self.room.do(self.room.turns.decoded(decode, None, self.room.now, is_noise=not decode.final))

    @rule(turn=st.integers(1, 9), says=st.booleans(), listens=st.booleans(), guarded=st.booleans())
    def instructs(self, turn: int, says: bool, listens: bool, guarded: bool) -> None:  # noqa: FBT001 (drawn by name)
        say, listen = ("Words.",) if says else (), LISTEN if listens else None
        self.room.do(
            self.room.turns.instructed(Instruction(turn=turn, say=say, listen=listen, guarded=guarded), self.room.now)
        )

    @rule()
    def wakes(self) -> None:
        self.room.do(self.room.turns.heard(0.9, self.room.now, self.room.now, voiced=True, woke=WAKE))

    @rule(seconds=st.floats(0.0, 30.0))
    def begins_a_sentence(self, seconds: float) -> None:
        self.room.turns.began(seconds, self.room.now)

    @rule()
    def has_spoken(self) -> None:
        self.room.do(self.room.turns.played(self.room.now))

    @rule(why=st.sampled_from(["muted", "silent", "lost"]), deaf=st.booleans())
    def loses_its_hearing(self, why: Deafness, deaf: bool) -> None:  # noqa: FBT001 (drawn by name)
        change = self.room.turns.deafen if deaf else self.room.turns.undeafen
        self.room.do(change(why, self.room.now))

    @precondition(lambda self: self.room.turns.state is not State.WAITING)
    @rule()
    def is_left_alone(self) -> None:
        """Nothing happens but time: after the longest chain of limits the room is at rest."""
        turns_before = self.room.turns
        for _ in range(4):  # speaking, what waited to be said, listening, deciding
            self.room.hear(60.0, 0.0)
        assert turns_before._doing is State.WAITING  # noqa: SLF001 (a deaf room shows that it is deaf)

    @invariant()
    def a_deaf_room_shows_it(self) -> None:
        if not self.room.turns.hears:
            assert self.room.turns.state in (State.MUTED, State.LOST)


def test_no_order_of_events_leaves_a_room_hanging() -> None:
    run_state_machine_as_test(AnyRoom, settings=settings(max_examples=25, stateful_step_count=15, deadline=None))
