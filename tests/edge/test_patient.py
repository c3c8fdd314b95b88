from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from forge_edge.audio import patient as mind
from forge_edge.audio.patient import Patient, PatientScript, Phase, Says
from forge_edge.errors import NodeConfigError
from forge_edge.forms import interview as interviews
from forge_edge.forms.asked import AskedForm
from forge_edge.observations import FormObserved
from forge_edge.speech.grammar import Meaning, normalised
from forge_shared.forms.questionnaire import installed

FORMS = installed()
PHQ9 = FORMS["phq-9"]
ASKED = AskedForm(PHQ9)
LINKS = [item.link_id for item in PHQ9.questions]
WORDS = [option.display.lower() for option in PHQ9.questions[0].answer_option]
DIFFICULTY = "somewhat difficult"


def script(*wants: dict[str, object]) -> PatientScript:
    return PatientScript.model_validate({"wants": wants})


def form_want(ordinals: Sequence[int], changes: Sequence[dict[str, str]] = ()) -> dict[str, object]:
    answers = {link: WORDS[ordinal] for link, ordinal in zip(LINKS, ordinals, strict=False)}
    return {"kind": "form", "answers": {**answers, LINKS[9]: DIFFICULTY}, "changes": changes}


def called(patient: Patient) -> Patient:
    patient, says = mind.proceed(patient)
    assert says == Says("okay nabu", "wake")
    return mind.hear_tone(patient)[0]


def fill_in(patient: Patient, mishearings: Sequence[int | None] = ()) -> tuple[Patient, dict[str, str]]:
    """Let the patient talk to the room's own interview; each answer is misheard as the next option number, or not."""
    heard_wrong = list(mishearings)
    step = interviews.begin(ASKED, "response", datetime.now(UTC))
    for _ in range(300):
        patient, says = mind.react(patient, " ".join(step.say))
        if step.interview is None:
            record = step.observations[-1]
            assert isinstance(record, FormObserved)
            return patient, {answer.link_id: answer.code for answer in record.answers if answer.code}
        assert says is not None
        meaning: Meaning | None = interviews.vocabulary(ASKED, step.interview).meaning(normalised(says.text))
        if meaning is not None and meaning.kind == "answer" and heard_wrong:
            ordinal = heard_wrong.pop()
            options = PHQ9.question(step.interview.current).answer_option  # type: ignore[union-attr]  # it is asked
            meaning = None if ordinal is None else Meaning("answer", options[ordinal].code)
        step = interviews.hear(ASKED, step.interview, meaning, now=datetime.now(UTC))
    raise AssertionError("the form did not end")


def meant(ordinals: Sequence[int]) -> dict[str, str]:
    scored = {link: PHQ9.questions[0].answer_option[o].code for link, o in zip(LINKS, ordinals, strict=False)}
    difficulty = PHQ9.questions[9].answer_option[1].code
    return {**scored, LINKS[9]: difficulty} if any(ordinals) else scored


ORDINALS = st.lists(st.integers(0, 3), min_size=9, max_size=9)


@settings(deadline=None)
@given(ordinals=ORDINALS)
def test_a_patient_who_is_understood_fills_in_the_form_without_a_re_prompt(ordinals: list[int]) -> None:
    patient, codes = fill_in(called(mind.begin(script(form_want(ordinals)), FORMS)))
    assert patient.phase is Phase.DONE
    assert patient.re_prompts == 0
    assert codes == meant(ordinals)


@settings(deadline=None)
@given(ordinals=ORDINALS, mishearings=st.lists(st.none() | st.integers(0, 3), max_size=3))
def test_a_misheard_patient_insists_until_the_record_is_what_they_meant(
    ordinals: list[int], mishearings: list[int | None]
) -> None:
    patient, codes = fill_in(called(mind.begin(script(form_want(ordinals)), FORMS)), mishearings)
    assert patient.phase is Phase.DONE
    assert codes == meant(ordinals)
    assert patient.re_prompts <= len(mishearings)


@settings(deadline=None)
@given(ordinals=ORDINALS, after=st.integers(1, 7), back=st.integers(0, 2), answer=st.integers(0, 3))
def test_a_patient_who_changes_their_mind_goes_back_and_the_new_answer_counts(
    ordinals: list[int], after: int, back: int, answer: int
) -> None:
    item = max(0, after - back)
    change = {"after": LINKS[after], "item": LINKS[item], "answer": WORDS[answer]}
    patient, codes = fill_in(called(mind.begin(script(form_want(ordinals, [change])), FORMS)))
    ordinals[item] = answer
    assert patient.phase is Phase.DONE
    assert patient.re_prompts == 0
    assert codes == meant(ordinals)


def test_a_denial_that_was_taken_for_a_yes_makes_the_patient_go_back() -> None:
    patient = called(mind.begin(script(form_want([0] * 9)), FORMS))
    patient, _ = mind.react(patient, f"Question 1. {PHQ9.questions[0].text}.")
    patient, says = mind.react(patient, "I heard: Several days. Is that right?")
    assert says == Says(mind.NO, "no")
    patient, says = mind.react(patient, f"Question 2. {PHQ9.questions[1].text}.")
    assert says == Says("go back", "change")
    patient, says = mind.react(patient, f"Let us go back. Question 1. {PHQ9.questions[0].text}.")
    assert says == Says("not at all", f"{LINKS[0]}=LA6568-5")
    assert patient.re_prompts == 1


def test_a_request_is_done_when_the_room_answers_it_and_repeated_when_it_is_sorry() -> None:
    patient = called(mind.begin(script({"kind": "request", "says": "water"}), FORMS))
    patient, says = mind.react(patient, "Sorry, I did not understand. You can say: water, nurse, pain, help.")
    assert (says, patient.re_prompts) == (Says("water", "request"), 1)
    patient, says = mind.react(patient, "I am telling the staff that you would like some water.")
    assert (says, patient.phase) == (None, Phase.DONE)


def test_a_patient_calls_again_when_the_room_has_stopped_listening() -> None:
    patient = called(mind.begin(script({"kind": "request", "says": "water"}), FORMS))
    _, says = mind.react(patient, "Sorry, I did not understand. If you need someone, press the call button.")
    assert says == Says("okay nabu", "wake")


def test_a_patient_whom_nobody_answers_gives_up_after_three_more_calls() -> None:
    patient, _ = mind.proceed(mind.begin(script({"kind": "request", "says": "water"}), FORMS))
    calls = 0
    while not patient.has_finished:
        patient, says = mind.grow_impatient(patient)
        calls += says is not None
    assert (calls, patient.phase) == (mind.WAKE_REPEATS, Phase.GAVE_UP)


def test_a_patient_who_is_never_understood_gives_up() -> None:
    patient = called(mind.begin(script({"kind": "request", "says": "water"}), FORMS))
    for _ in range(mind.TRIES + 1):
        patient, _ = mind.react(patient, "Sorry, I did not understand. You can say: water.")
    assert patient.phase is Phase.GAVE_UP


def test_a_form_that_was_interrupted_is_continued() -> None:
    patient, _ = mind.proceed(mind.begin(script(form_want([1] * 9)), FORMS))
    patient, says = mind.react(patient, "Do you want to continue your form? Please say yes or no.")
    assert says == Says("yes", "yes")
    _, says = mind.react(patient, f"Let us go on. Question 4. {PHQ9.questions[3].text}. Please answer: not at all.")
    assert says == Says("several days", f"{LINKS[3]}=LA6569-3")


def test_wants_follow_each_other_and_talk_needs_no_wake_word() -> None:
    patient = mind.begin(script({"kind": "wait", "seconds": 5}, {"kind": "talk", "says": ["one", "two"]}), FORMS)
    assert mind.pause_seconds(patient) == 5
    said = []
    while not patient.has_finished:
        patient, says = mind.proceed(patient)
        said += [says.text] if says else []
    assert said == ["one", "two"]
    assert patient.phase is Phase.DONE


@pytest.mark.parametrize("want", [
    {"kind": "form", "form": "nope", "answers": {}},
    {"kind": "form", "answers": {"1-8": "not at all"}},
    {"kind": "form", "answers": {"44250-9": "now and then"}},
])  # fmt: skip
def test_a_script_that_names_what_does_not_exist_is_refused(want: dict[str, object]) -> None:
    with pytest.raises(NodeConfigError):
        mind.begin(script(want), FORMS)


def test_a_script_with_an_unknown_want_is_refused() -> None:
    with pytest.raises(ValidationError):
        script({"kind": "dance"})
