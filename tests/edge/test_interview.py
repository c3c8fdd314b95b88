"""The interview: what is stored was confirmed, and a risk item never passes in silence."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forge_edge.anonymiser import Anonymiser
from forge_edge.forms import interview as interviews
from forge_edge.forms.asked import AskedForm
from forge_edge.forms.state import FormState
from forge_edge.forms.steps import Step
from forge_edge.observations import FormObserved, Observation, RiskAnswerObserved, RiskReviewObserved
from forge_edge.speech.grammar import Meaning
from forge_shared.clock import SystemClock
from forge_shared.events import FormRecorded
from forge_shared.forms import scoring
from forge_shared.forms.questionnaire import Questionnaire, installed
from forge_shared.ids import new_id

FORM = installed()["phq-9"]
ASKED = AskedForm(FORM)
LINKS = [item.link_id for item in FORM.questions]
RISK = "44260-8"
NOT_AT_ALL, SEVERAL, MORE_THAN_HALF, NEARLY_EVERY = "LA6568-5", "LA6569-3", "LA6570-1", "LA6571-9"
YES, NO = Meaning("confirmation", "yes"), Meaning("confirmation", "no")
STARTED = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
SILENCE, RESUME, RESTART = "silence", "resume", "restart"


def answer(code: str) -> Meaning:
    return Meaning("answer", code)


def command(name: str) -> Meaning:
    return Meaning("command", name)


class Room:
    """One interview and everything that was said and observed in it."""

    def __init__(self, form: Questionnaire = FORM) -> None:
        self.form = ASKED if form is FORM else AskedForm(form)
        self.said: list[str] = []
        self.observed: list[Observation] = []
        self.paused = False
        self._interview: FormState | None = None
        self._take(interviews.begin(self.form, new_id(), STARTED))

    @property
    def interview(self) -> FormState:
        assert self._interview is not None, "the interview is over"
        return self._interview

    @property
    def over(self) -> bool:
        return self._interview is None

    def hear(self, *meanings: Meaning | None) -> "Room":
        for meaning in meanings:
            self._take(interviews.hear(self.form, self.interview, meaning, now=STARTED))
        return self

    def silence(self) -> "Room":
        self._take(interviews.silence(self.form, self.interview))
        return self

    def resume(self) -> "Room":
        self._take(interviews.resume(self.form, self.interview))
        return self

    def answer(self, *codes: str) -> "Room":
        for code in codes:
            self.hear(answer(code), YES)
        return self

    def to_item_9(self) -> "Room":
        return self.answer(*[SEVERAL] * 8)

    def of(self, kind: type[Observation]) -> list[Any]:
        return [observation for observation in self.observed if isinstance(observation, kind)]

    @property
    def result(self) -> FormObserved:
        (form,) = self.of(FormObserved)
        assert isinstance(form, FormObserved)
        return form

    def _take(self, step: Step) -> None:
        self._interview, self.paused = step.interview, step.paused
        self.said = list(step.say)
        self.observed += step.observations


@pytest.fixture
def room() -> Room:
    return Room()


def test_items_are_read_out_verbatim(room: Room) -> None:
    spoken = [" ".join(room.said)]
    for _ in LINKS:
        room.hear(answer(SEVERAL if room.interview.current != "69722-7" else "LA6572-7"), YES)
        spoken.append(" ".join(room.said))
    assert FORM.item[0].text in spoken[0]
    assert room.over
    for item, words in zip(FORM.questions, spoken, strict=False):
        assert item.text in words


def test_an_answer_is_read_back_in_the_options_own_words_and_not_yet_stored(room: Room) -> None:
    room.hear(answer(MORE_THAN_HALF))
    assert room.said == ["I heard: More than half the days. Is that right?"]
    assert room.interview.answers == ()


def test_yes_stores_the_answer_that_was_read_back_and_goes_on(room: Room) -> None:
    room.answer(MORE_THAN_HALF)
    assert room.interview.codes == {LINKS[0]: MORE_THAN_HALF}
    assert room.interview.current == LINKS[1]


@pytest.mark.parametrize("reply", [NO, None, command("repeat"), command("help"), command("back"), answer(NOT_AT_ALL)])
def test_nothing_but_a_yes_stores_an_answer(room: Room, reply: Meaning | None) -> None:
    room.hear(answer(SEVERAL), reply)
    assert room.interview.answers == ()
    assert room.interview.current == LINKS[0]


def test_silence_at_a_read_back_stores_nothing(room: Room) -> None:
    room.hear(answer(SEVERAL)).silence().silence()
    assert room.paused
    assert room.interview.answers == ()
    assert room.interview.pending is None


def test_a_yes_without_a_read_back_stores_nothing(room: Room) -> None:
    room.hear(YES)
    assert room.interview.answers == ()
    assert room.interview.current == LINKS[0]


def test_doubt_is_asked_again_and_counted(room: Room) -> None:
    room.hear(None, None)
    assert room.interview.re_prompts == 2
    assert dict(room.interview.asked)[(("phq-9", 0), (LINKS[0], 0))] == 3
    room.answer(SEVERAL)
    assert room.interview.answers[0].times_asked == 3


def test_a_form_without_trouble_has_no_re_prompt_and_the_sum_of_its_answers(room: Room) -> None:
    room.answer(*[NOT_AT_ALL, SEVERAL, MORE_THAN_HALF, NEARLY_EVERY] * 2, NOT_AT_ALL, "LA6573-5")
    assert room.over
    assert room.result.status == "completed"
    assert (room.result.total, room.result.re_prompts) == (12, 0)
    assert [given.link_id for given in room.result.answers] == LINKS


def test_the_difficulty_is_not_asked_when_nothing_bothers(room: Room) -> None:
    room.answer(*[NOT_AT_ALL] * 9)
    assert room.over
    assert room.result.total == 0
    assert len(room.result.answers) == 9


def test_a_skipped_question_leaves_the_total_empty(room: Room) -> None:
    room.hear(command("skip")).answer(*[SEVERAL] * 8)
    assert room.over
    assert room.result.total is None
    assert room.result.skipped == (LINKS[0],)


def test_going_back_corrects_the_stored_answer_and_marks_it(room: Room) -> None:
    room.answer(SEVERAL, SEVERAL).hear(command("back"))
    assert room.interview.current == LINKS[1]
    assert room.interview.codes[LINKS[1]] == SEVERAL, "until another answer is confirmed the old one stands"
    room.answer(NEARLY_EVERY)
    (first, second) = room.interview.answers
    assert (first.code, first.corrected) == (SEVERAL, False)
    assert (second.code, second.corrected) == (NEARLY_EVERY, True)
    assert room.interview.current == LINKS[2]


def test_going_back_twice_does_not_ask_again_what_lies_between(room: Room) -> None:
    room.answer(SEVERAL, SEVERAL, SEVERAL).hear(command("back"), command("back"))
    assert room.interview.current == LINKS[1]
    room.answer(NOT_AT_ALL)
    assert room.interview.current == LINKS[3]


def test_going_back_in_a_read_back_asks_the_same_question(room: Room) -> None:
    room.answer(SEVERAL).hear(answer(SEVERAL), command("correct"))
    assert room.interview.current == LINKS[1]
    assert room.interview.pending is None


def test_a_skipped_question_can_be_gone_back_to_and_answered(room: Room) -> None:
    room.hear(command("skip"), command("back")).answer(SEVERAL)
    assert room.interview.skipped == ()
    assert room.interview.codes == {LINKS[0]: SEVERAL}


def test_a_question_that_is_never_understood_is_left_out_and_said_so(room: Room) -> None:
    room.hear(*[None] * interviews.TRIES)
    assert room.interview.skipped == (LINKS[0],)
    assert "leave this question out" in room.said[0]


def test_stopping_keeps_what_was_confirmed_and_gives_no_total(room: Room) -> None:
    room.answer(SEVERAL, SEVERAL).hear(answer(NEARLY_EVERY), command("stop"))
    assert room.over
    assert room.result.status == "stopped"
    assert [given.code for given in room.result.answers] == [SEVERAL, SEVERAL]
    assert room.result.total is None


def test_after_two_silences_the_room_waits_and_can_go_on_at_the_same_question(room: Room) -> None:
    room.answer(SEVERAL).silence().silence()
    assert room.paused
    room.resume()
    assert room.interview.current == LINKS[1]
    assert FORM.questions[1].text in " ".join(room.said)


def test_help_names_the_options_and_the_call_button(room: Room) -> None:
    room.hear(command("help"))
    words = " ".join(room.said)
    assert "several days" in words
    assert "call button" in words


# The risk item.


def test_a_question_is_answered_or_skipped_and_never_both(room: Room) -> None:
    room.answer(SEVERAL).hear(command("back"), command("skip"))
    assert not set(room.interview.codes) & set(room.interview.skipped)


def test_a_question_is_skipped_at_most_once(room: Room) -> None:
    room.hear(command("skip"), command("back"), command("skip"))
    assert room.interview.skipped == (LINKS[0],)


def test_an_ordeal_of_read_backs_that_are_never_understood_has_an_end(room: Room) -> None:
    for _ in range(5):
        room.hear(answer(SEVERAL), *[None] * interviews.TRIES)
    assert room.interview.current != LINKS[0]


_PHQ_OPTIONS = (NOT_AT_ALL, SEVERAL, MORE_THAN_HALF, NEARLY_EVERY)
_OPTIONS = sorted({option.code for item in FORM.questions for option in item.answer_option})
_SAID = st.one_of(
    st.sampled_from([YES, YES, NO, None, SILENCE, RESUME, RESTART]),
    st.sampled_from([command(name) for name in ("repeat", "back", "correct", "skip", "help")]),
    st.sampled_from([command("stop")]),
    st.sampled_from(_OPTIONS),
)
_FIRST_ANSWERS = st.lists(st.sampled_from(range(4)), max_size=10)


def code_of(state: FormState) -> str:
    """The option that is being read back."""
    assert state.pending is not None
    (value,) = state.pending.values
    assert value.value_coding is not None
    return value.value_coding.code


class Witness(Room):
    """A room beside which someone writes down every answer that was confirmed, and checks each step."""

    def __init__(self) -> None:
        super().__init__()
        self.confirmed: dict[str, str] = {}

    def meets(self, said: Meaning | str | None) -> None:
        before, alarms = self.interview, len(self.of(RiskAnswerObserved))
        if said == SILENCE:
            self.silence()
        elif said == RESUME:
            self.resume()
        elif said == RESTART:
            self._interview = FormState.model_validate_json(before.model_dump_json())
            assert self._interview == before
        else:
            meaning = _possible(before, said)
            if meaning == YES and before.pending is not None:
                self.confirmed[before.current] = code_of(before)
            self.hear(meaning)
            if self._interview is not None:
                # Who skips a question takes its answer back.
                self.confirmed = {k: v for k, v in self.confirmed.items() if k not in self.interview.skipped}
            elif self.result.skipped:
                self.confirmed = {k: v for k, v in self.confirmed.items() if k not in self.result.skipped}
            if meaning is not None and meaning.kind == "answer" and before.pending is None:
                self.check_read_back(before.current, meaning.code, alarms)
        if self._interview is not None:
            assert self.interview.codes == self.confirmed
            assert self.said

    def check_read_back(self, link_id: str, code: str, alarms_before: int) -> None:
        question = FORM.question(link_id)
        assert question is not None
        option = question.option(code)
        assert option is not None
        assert self.said == [f"I heard: {option.display}. Is that right?"]
        is_risk = link_id == RISK and code != NOT_AT_ALL
        assert len(self.of(RiskAnswerObserved)) == alarms_before + is_risk

    def check_result(self) -> None:
        result = self.result
        assert {given.link_id: given.code for given in result.answers} == self.confirmed
        assert result.total == (scoring.total(FORM, self.confirmed) if result.status == "completed" else None)
        event = Anonymiser("p-1", SystemClock()).event_of(result)
        assert event is not None
        assert isinstance(event.data, FormRecorded)
        assert RISK not in result.skipped or self.of(RiskAnswerObserved), "a risk item that was skipped was told"


def _possible(interview: FormState, said: Meaning | str | None) -> Meaning | None:
    """Any text stands for an option; only those of the current question can be heard."""
    if not isinstance(said, str):
        return said
    question = FORM.question(interview.current)
    assert question is not None
    return answer(said if question.option(said) else question.answer_option[0].code)


@settings(max_examples=300, deadline=None)
@given(first=_FIRST_ANSWERS, script=st.lists(_SAID, max_size=60))
def test_whatever_is_said_only_what_was_confirmed_is_stored(
    first: Sequence[int], script: Sequence[Meaning | str | None]
) -> None:
    room = Witness()
    beginning = [said for place in first for said in (_PHQ_OPTIONS[place], YES)]
    for said in (*beginning, *script):
        if room.over:
            break
        room.meets(said)
    if room.over:
        room.check_result()
    keys = [risk.key for risk in room.of(RiskAnswerObserved) if risk.answer is not None]
    assert len(set(keys)) == len(keys)
    assert {review.key for review in room.of(RiskReviewObserved)} <= set(keys)


def test_a_doubtful_answer_is_read_back_only_after_it_was_asked_again(room: Room) -> None:
    first = interviews.hear(ASKED, room.interview, now=STARTED, meaning=None, guess=answer(SEVERAL))
    assert "did not understand" in first.say[0]
    assert first.interview is not None
    second = interviews.hear(ASKED, first.interview, now=STARTED, meaning=None, guess=answer(SEVERAL))
    assert second.say == ("I heard: Several days. Is that right?",)
    assert second.interview is not None
    assert second.interview.answers == (), "a guess is stored only after a yes, as any answer"


def test_a_doubtful_yes_is_no_yes(room: Room) -> None:
    room.hear(answer(SEVERAL))
    assert interviews.hear(ASKED, room.interview, now=STARTED, meaning=None, guess=YES).interview is not None
    assert interviews.hear(ASKED, room.interview, now=STARTED, meaning=None, guess=YES).interview.answers == ()  # type: ignore[union-attr]  # asserted above


def test_a_doubtful_command_is_followed_only_where_it_takes_nothing_away(room: Room) -> None:
    room.answer(SEVERAL).hear(None)
    back = interviews.hear(ASKED, room.interview, now=STARTED, meaning=None, guess=command("back")).interview
    assert back is not None
    assert back.current == LINKS[0]
    for taking in ("skip", "stop"):
        after = interviews.hear(ASKED, room.interview, now=STARTED, meaning=None, guess=command(taking)).interview
        assert after is not None
        assert after.current == LINKS[1]


def test_guessed_commands_do_not_keep_a_question_open_for_ever(room: Room) -> None:
    interview: FormState | None = room.interview
    for _ in range(interviews.TRIES):
        assert interview is not None
        interview = interviews.hear(ASKED, interview, now=STARTED, meaning=None, guess=command("repeat")).interview
    assert interview is not None
    assert interview.skipped == (LINKS[0],)
