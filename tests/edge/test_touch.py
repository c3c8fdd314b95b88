"""A form answered by touch, and by touch and voice in turns."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.edge.test_conversation import NOW, Room
from tests.edge.test_spoken_forms import form_of, limits, units

from forge_edge.forms import interview as interviews
from forge_edge.forms import touch
from forge_edge.forms.asked import AskedForm
from forge_edge.forms.recorded import response
from forge_edge.forms.state import FormState
from forge_edge.forms.steps import Step
from forge_edge.forms.touch import (
    Action,
    Answer,
    Back,
    Confirm,
    Decline,
    GoTo,
    Keep,
    More,
    Pause,
    Repeat,
    Skip,
    Stop,
    View,
)
from forge_edge.observations import FormObserved, RiskAnswerObserved, RiskReviewObserved
from forge_shared.forms import elements
from forge_shared.forms.questionnaire import installed

PHQ9 = AskedForm(installed()["phq-9"])
NONE, SEVERAL = "LA6568-5", "LA6569-3"


class Screen:
    """A screen, and the finger on it."""

    def __init__(self, form: AskedForm) -> None:
        self.form = form
        self.step: Step = touch.begin(form, "r", NOW)
        self.observed: list[Any] = list(self.step.observations)

    @property
    def view(self) -> View:
        return touch.view(self.form, self.step.state)

    def tap(self, *actions: Action) -> "Screen":
        for action in actions:
            self.step = touch.touched(self.form, self.step.state, action, now=NOW)
            self.observed += self.step.observations
        return self

    def enter(self, *answers: str) -> "Screen":
        return self.tap(*[Answer((answer,)) for answer in answers])


def test_a_screen_shows_the_question_verbatim_with_its_answers_and_how_far_one_is() -> None:
    view = Screen(PHQ9).enter(SEVERAL).view
    assert (view.prefix, view.text) == ("2", "Feeling down, depressed, or hopeless")
    assert view.above == (PHQ9.form.item[0].text,)
    assert view.options[0].display == "Not at all"
    assert (view.reached, view.of, view.can_go_back, view.required) == (1, 9, True, True)
    assert [(before.prefix, before.answers) for before in view.before] == [("1", ("Several days",))]


def test_a_tap_is_an_answer_and_needs_no_reading_back() -> None:
    screen = Screen(PHQ9).enter(SEVERAL)
    (entry,) = screen.step.state.entries
    assert (entry.code, entry.how.mode, entry.how.engine) == (SEVERAL, "touch", None)


def test_a_tapped_risk_answer_raises_its_alarm_at_once_and_is_confirmed_before_it_is_stored() -> None:
    screen = Screen(PHQ9).enter(*[NONE] * 8, SEVERAL)
    (risk,) = screen.observed
    assert (risk.answer, risk.mode) == (SEVERAL, "touch")
    assert (screen.view.heard, screen.view.heard_by) == ("Several days", "touch")
    screen.tap(Confirm(right=True))
    assert screen.step.told
    assert screen.observed[1] == RiskReviewObserved(risk.key, "confirmed")
    assert "44260-8" in screen.step.state.codes


@pytest.mark.parametrize("action", [Decline(), Pause(), Stop(), Skip()])
def test_a_risk_item_that_is_left_on_the_screen_never_reassures(action: Action) -> None:
    screen = Screen(PHQ9).enter(*[NONE] * 8).tap(action)
    refused = screen.step.refused is not None
    assert [seen.answer for seen in screen.observed if isinstance(seen, RiskAnswerObserved)] == [None] * (not refused)


def test_a_zero_that_is_taken_for_another_answer_leaves_both_in_the_record() -> None:
    screen = Screen(PHQ9).enter(*[NONE] * 8, SEVERAL).tap(Confirm(right=False)).enter(NONE).tap(Confirm(right=True))
    reviews = [seen.outcome for seen in screen.observed if isinstance(seen, RiskReviewObserved)]
    assert reviews == ["corrected"]
    assert screen.step.state.codes["44260-8"] == NONE


def test_what_does_not_fit_is_refused_in_words_and_changes_nothing() -> None:
    extension = limits(minValue={"valueInteger": 1}, maxValue={"valueInteger": 9})
    screen = Screen(form_of({"linkId": "a", "type": "integer", "required": True, "extension": extension}))
    before = screen.step.state
    for wrong in ("12", "many", ""):
        assert screen.enter(wrong).step.refused is not None
        assert screen.step.state == before.model_copy(update={"led": "touch"})
    assert screen.tap(Skip()).step.refused == touch.NEEDED
    assert (screen.view.lowest, screen.view.highest) == ("1", "9")
    assert screen.enter("9").view.kind == "over"


def test_several_answers_are_given_at_once() -> None:
    screen = Screen(AskedForm(installed()["admission"])).enter("Jo", "en")
    assert screen.view.several
    assert screen.tap(Answer(("glasses", "none"))).step.refused is not None
    screen.tap(Answer(("glasses", "dentures")), Back())
    assert screen.view.held == ("Glasses", "Dentures")
    assert [option.code for option in screen.view.options if option.chosen] == ["glasses", "dentures"]


def test_every_kind_of_answer_is_entered_as_text() -> None:
    kinds = {"boolean": "yes", "decimal": "2.5", "date": "2024-02-29", "time": "14:30", "text": "own words"}
    items = [{"linkId": kind, "type": kind} for kind in kinds]
    quantity = {"linkId": "quantity", "type": "quantity", "extension": units("cm", "[in_i]")}
    screen = Screen(form_of(*items, quantity)).enter(*kinds.values())
    assert screen.view.units == ("cm", "[in_i]")
    (form,) = screen.enter("170 cm").observed
    assert [answer.values[0].kind for answer in form.answers] == [
        *("boolean", "decimal", "date", "time", "words", "quantity")
    ]
    assert form.modes == ("touch",)


def test_groups_are_repeated_and_questions_gone_to_by_touch() -> None:
    group = {"linkId": "g", "type": "group", "repeats": True, "item": [{"linkId": "a", "type": "integer"}]}
    screen = Screen(form_of(group, {"linkId": "b", "type": "boolean"})).enter("1")
    assert screen.view.kind == "more"
    screen.tap(More(another=True)).enter("2").tap(More(another=False))
    first = screen.view.before[0].place
    screen.tap(GoTo(first)).enter("3")
    assert screen.view.text == "What?"
    assert screen.step.state.current == "b"
    assert [before.answers for before in screen.view.before] == [("3",), ("2",)]
    entry = screen.step.state.entry(first)
    assert entry is not None
    assert [earlier.values[0].value_integer for earlier in entry.earlier] == [1]


def test_going_back_and_keeping_leaves_the_answer_as_it_was_given() -> None:
    screen = Screen(PHQ9).enter(SEVERAL)
    before = screen.step.state.entries
    assert screen.tap(Back(), Keep()).step.state.entries == before


def test_a_member_of_the_staff_answers_in_their_own_mode() -> None:
    state = touch.begin(PHQ9, "r", NOW, hand="staff").state
    step = touch.touched(PHQ9, state, Answer((NONE,)), now=NOW, hand="staff")
    assert step.state.entries[0].how.mode == "staff"


def test_a_reason_to_decline_stays_in_the_room() -> None:
    form = form_of({"linkId": "a", "type": "boolean"})
    screen = Screen(form).tap(Decline("my ex might read it"))
    assert "my ex" in str(response(form, screen.step.state, NOW))
    assert "my ex" not in repr(screen.observed)


# Voice and touch in turns.


def test_a_form_begun_by_voice_is_finished_by_touch_and_gives_one_response_with_both_modes() -> None:
    room = Room().in_form(4)
    while room.now.interview is not None:
        view = room.dialogue.forms.shown(room.now)
        assert view is not None
        action = Confirm(right=True) if view.heard else Answer((view.options[0].code,))
        room.take(room.dialogue.forms.touched(room.now, action, now=NOW))
    (form,) = [seen for seen in room.observed if isinstance(seen, FormObserved)]
    assert form.modes == ("voice", "touch")
    assert [answer.mode for answer in form.answers] == ["voice"] * 4 + ["touch"] * 6
    assert form.total == 4


def test_after_a_tap_the_room_is_silent_and_understands_the_next_answer() -> None:
    room = Room().in_form(1)
    room.take(room.dialogue.forms.touched(room.now, Answer((SEVERAL,)), now=NOW))
    assert room.said == ""
    assert "several days" in room.phrases
    room.hear("nearly every day", "yes")
    assert room.now.interview is not None
    assert [entry.how.mode for entry in room.now.interview.entries] == ["voice", "touch", "voice"]


def test_who_answers_on_the_screen_is_not_asked_to_speak() -> None:
    room = Room().in_form(1)
    room.take(room.dialogue.forms.touched(room.now, Answer((SEVERAL,)), now=NOW)).nothing()
    assert room.said == ""
    assert room.now.interview is not None


def test_what_was_heard_is_confirmed_by_touch_and_stays_an_answer_by_voice() -> None:
    room = Room().in_form().hear("several days")
    view = room.dialogue.forms.shown(room.now)
    assert view is not None
    assert (view.heard, view.heard_by) == ("Several days", "voice")
    room.take(room.dialogue.forms.touched(room.now, Confirm(right=True), now=NOW))
    assert room.now.interview is not None
    (entry,) = room.now.interview.entries
    assert (entry.how.mode, entry.how.engine, entry.how.confidence) == ("voice", "test", 0.8)


def test_a_form_is_begun_on_the_screen() -> None:
    room = Room()
    room.take(room.dialogue.forms.touched_begin(room.now, "pain", now=NOW, new_id="r"))
    view = room.dialogue.forms.shown(room.now)
    assert view is not None
    assert view.title == installed()["pain"].title


_ACTIONS = st.one_of(
    st.builds(lambda n: Answer((str(n),)), st.integers(0, 3)),
    st.sampled_from(["option", "option", "say", "yes", "goto"]),
    st.sampled_from([Confirm(right=True), Confirm(right=False), More(another=True), More(another=False)]),
    st.sampled_from([Back(), Repeat(), Keep(), Skip(), Decline("why"), Pause()]),
)


@settings(max_examples=60, deadline=None)
@given(name=st.sampled_from(sorted(installed())), script=st.lists(_ACTIONS, max_size=50))
def test_voice_and_touch_share_one_state_and_no_stored_answer_disappears(name: str, script: list[Any]) -> None:
    form = _FORMS[name]
    step = interviews.begin(form, "r", NOW)
    for said in script:
        state = FormState.model_validate_json(step.state.model_dump_json())
        if state.at is None:
            break
        before = {entry.place: entry for entry in state.entries}
        step = _next(form, state, said)
        view = touch.view(form, step.state)
        assert view.kind == "over" or view.text
        for place, entry in before.items():
            kept = step.state.entry(place)
            if kept is None:
                assert form.passage(state).kind == "more"
            elif kept.values != entry.values and not set(entry.values) <= set(kept.values):
                assert kept.earlier[-1].values == entry.values
        written = response(form, step.state, datetime.now(UTC))
        assert written["status"] == step.state.status
    modes = {entry.how.mode for entry in step.state.entries}
    assert modes <= {"voice", "touch"}


_FORMS = {name: AskedForm(form) for name, form in installed().items()}


def _next(form: AskedForm, state: FormState, said: Any) -> Step:
    view = touch.view(form, state)
    if said == "option":
        said = Answer((view.options[0].code,)) if view.options else Answer(("1",))
    if said == "goto":
        said = GoTo(view.before[0].place) if view.before else Repeat()
    if said in ("say", "yes"):
        vocabulary = interviews.vocabulary(form, state)
        kind = "answer" if said == "say" else "confirmation"
        meaning = next((one for one in vocabulary.meanings.values() if one.kind == kind), None)
        return interviews.hear(form, state, meaning, now=NOW)
    return touch.touched(form, state, said, now=NOW)


def test_the_shown_extension_names_the_modes_of_a_response() -> None:
    screen = Screen(form_of({"linkId": "a", "type": "boolean"})).enter("yes")
    assert response(screen.form, screen.step.state, NOW)["extension"] == [
        {"url": elements.RESPONSE_MODE, "valueCode": "touch"}
    ]
