"""What hints amount to for a person: with an interval, with their evidence, or not at all."""

from datetime import timedelta

import pytest
from tests.fakes.mind_rows import BEGUN, found, said

from forge_hub.mind.arc import turning_points
from forge_hub.mind.inference import Framework
from forge_hub.mind.person import notes_before, profile_of, score
from forge_hub.mind.summaries import PatternSummary
from forge_hub.mind.taggers.notes import NoteTagger
from forge_hub.records.schema import Inference, Utterance
from forge_language.taxonomy import INSUFFICIENT_EVIDENCE

TWENTY = [said(f"u{number:02}", minute=number) for number in range(20)]


def hints(framework: Framework, *labels: str) -> list[Inference]:
    """Return one hint an utterance, from the first on."""
    return [found(f"u{number:02}", framework, label, 0.3) for number, label in enumerate(labels)]


def test_four_quoted_utterances_name_no_attachment_style_and_five_do() -> None:
    four = hints("attachment", "anxiety_high", "anxiety_high", "anxiety_high", "avoidance_low")
    assert profile_of(TWENTY, four).attachment.name == INSUFFICIENT_EVIDENCE
    five = hints("attachment", "anxiety_high", "anxiety_high", "anxiety_high", "avoidance_low", "avoidance_low")
    known = profile_of(TWENTY, five).attachment
    assert (known.name, known.n_evidence) == ("anxious_preoccupied", 5)
    assert known.anxiety.high_evidence == ("u00", "u01", "u02")
    assert known.avoidance.low_evidence == ("u03", "u04")


def test_an_axis_that_nothing_hints_at_names_no_style() -> None:
    one_axis = hints("attachment", *["anxiety_high"] * 6)
    known = profile_of(TWENTY, one_axis).attachment
    assert known.name == INSUFFICIENT_EVIDENCE
    assert (known.avoidance.value, known.avoidance.low, known.avoidance.high) == (0.5, 0.0, 1.0)


def test_a_refused_hint_is_no_evidence_and_a_replaced_one_is_evidence_of_the_other() -> None:
    five = hints("attachment", "anxiety_high", "anxiety_high", "anxiety_high", "avoidance_low", "avoidance_low")
    five[0].verdict = "wrong"
    assert profile_of(TWENTY, five).attachment.n_evidence == 4
    five[0].verdict, five[0].instead = "other", "avoidance_high"
    known = profile_of(TWENTY, five).attachment
    assert known.avoidance.high_evidence == ("u00",)
    assert known.n_evidence == 5


def test_a_score_is_the_middle_of_wilson_s_interval() -> None:
    # 8 of 10: (.8 + .19207) / 1.38415 = .71674; reach 1.96 / 1.38415 * sqrt(.016 + .0096037) = .22658.
    known = score([f"h{n}" for n in range(8)], ["l0", "l1"])
    assert known.value == pytest.approx(0.71674, abs=1e-4)
    assert (known.low, known.high) == pytest.approx((0.49016, 0.94332), abs=1e-4)


def test_ten_of_ten_is_not_certainty_and_no_hint_is_everything_between() -> None:
    assert score(["a"] * 10, []).value < 0.9
    assert score(["a"] * 10, []).low == pytest.approx(10 / (10 + 1.96**2), abs=1e-4)
    assert score([], []).value == 0.5


def test_there_are_no_traits_before_twenty_turns_and_five_from_then_on() -> None:
    some = hints("trait", "sociability_low", "assertiveness_low", "anxiety_high")
    assert profile_of(TWENTY[:19], some).traits == {}
    traits = profile_of(TWENTY, some).traits
    assert list(traits) == ["openness", "conscientiousness", "extraversion", "agreeableness", "neuroticism"]
    assert traits["extraversion"].low_evidence == ("u00", "u01")
    assert traits["extraversion"].value < 0.5 < traits["neuroticism"].value
    assert all(0 <= each.low <= each.value <= each.high <= 1 for each in traits.values())


def test_what_the_clinician_says_makes_no_turn_and_no_evidence() -> None:
    spoken = [*TWENTY[:19], said("c0", minute=30, speaker="clinician")]
    assert profile_of(spoken, [found("c0", "trait", "anxiety_high")]).traits == {}


def test_a_stage_needs_five_utterances_and_a_leader() -> None:
    themes = ["industry_vs_inferiority"] * 3 + ["integrity_vs_despair"] * 2
    assert profile_of(TWENTY, hints("stage", *themes[:4])).stage.stage == INSUFFICIENT_EVIDENCE
    known = profile_of(TWENTY, hints("stage", *themes)).stage
    assert (known.stage, known.by_clinician) == ("industry_vs_inferiority", False)
    assert list(known.evidence) == ["industry_vs_inferiority", "integrity_vs_despair"]
    assert known.evidence["integrity_vs_despair"] == ("u03", "u04")
    tied = hints("stage", *themes, "integrity_vs_despair")
    assert profile_of(TWENTY, tied).stage.stage == INSUFFICIENT_EVIDENCE


def test_the_stage_that_a_clinician_sets_goes_before_what_patterns_count() -> None:
    themes = hints("stage", *["industry_vs_inferiority"] * 6)
    themes[0].verdict, themes[0].instead = "other", "identity_vs_role_confusion"
    known = profile_of(TWENTY, themes).stage
    assert (known.stage, known.by_clinician) == ("identity_vs_role_confusion", True)


def test_schemas_come_with_their_utterances_and_what_was_approved() -> None:
    beliefs = hints("schema", "failure", "failure", "subjugation", "failure")
    beliefs[1].verdict = "right"
    beliefs[3].verdict = "wrong"
    first, second = profile_of(TWENTY, beliefs).schemas
    assert (first.label, first.evidence, first.approved) == ("failure", ("u00", "u01"), 1)
    assert (second.label, second.evidence, second.approved) == ("subjugation", ("u02",), 0)


def test_the_overall_level_of_defences_is_their_mean_and_is_not_given_for_few() -> None:
    four = hints("defence", "humour", "humour", "denial", "acting_out")
    assert profile_of(TWENTY, four).defences.overall is None
    five = hints("defence", "humour", "humour", "denial", "acting_out", "repression")
    known = profile_of(TWENTY, five).defences
    assert known.overall == (7 + 7 + 3 + 1 + 5) / 5
    assert (known.lowest, known.highest, known.n_evidence) == (1, 7, 5)


def test_an_allergy_said_once_is_found_in_the_next_session() -> None:
    text = "oh and i'm allergic to penicillin"
    spoken: list[Utterance] = [*TWENTY, said("a0", session="s1", minute=25, text=text)]
    [tag] = NoteTagger().infer([text])[0]
    filed = [found("a0", "note", tag.label, tag.confidence, start=tag.start, end=tag.end)]
    notes = profile_of(spoken, filed).notes
    [known] = notes_before(notes, BEGUN + timedelta(days=7))
    assert (known.label, text[known.start : known.end]) == ("allergy", "i'm allergic to penicillin")
    assert notes_before(notes, BEGUN) == []
    filed[0].verdict = "wrong"
    assert profile_of(spoken, filed).notes == ()


def sessions_with(*valences: float | None) -> list[PatternSummary]:
    return [
        PatternSummary("p-1", f"s{n}", BEGUN + timedelta(days=n), BEGUN, 5, valence, 0.0, None, {}, {})
        for n, valence in enumerate(valences)
    ]


@pytest.mark.parametrize(
    ("valences", "turns"),
    [
        ((-0.5, -0.5, -0.5, 0.5, 0.5, 0.5), [("s3", "rise")]),
        ((0.5, 0.4, 0.5, -0.2, -0.1, -0.2), [("s3", "fall")]),
        ((-0.5, -0.5, None, 0.5, 0.5), [("s3", "rise")]),  # what was not read is passed over
        ((-0.5, -0.5, -0.5, -0.3, -0.3, -0.3), []),  # too small a step
        ((-0.5, -0.5, -0.5, 0.5, -0.5, -0.5), []),  # it did not last
        ((-0.5, 0.5, -0.5, 0.5, -0.5, 0.5), []),  # it goes up and down
        ((-0.5, 0.5, 0.5), []),  # too few before it
        ((), []),
    ],
)
def test_a_turning_point_is_a_large_step_that_lasts(
    valences: tuple[float | None, ...], turns: list[tuple[str, str]]
) -> None:
    assert [(each.after, each.turn) for each in turning_points(sessions_with(*valences))] == turns


def test_student_s_t_decides_whether_a_step_is_larger_than_the_noise() -> None:
    # Means -.4 and .1, variances .04 each, six sessions: t = .5 / (.2 * sqrt(2 / 3)) = 3.06 > 2.776.
    [turn] = turning_points(sessions_with(-0.6, -0.2, -0.4, 0.1, 0.3, -0.1))
    assert (turn.before, turn.after, turn.step) == ("s2", "s3", 0.5)
    # Variances .0625: t = .5 / (.25 * sqrt(2 / 3)) = 2.45.
    assert turning_points(sessions_with(-0.65, -0.15, -0.4, 0.1, 0.35, -0.15)) == []
