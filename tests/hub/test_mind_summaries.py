"""Summaries are figures that a clinician can check by hand."""

import math
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.mind_rows import BEGUN, felt, found, said

from forge_hub.mind.summaries import correlations, pearson, phi, summarise
from forge_language.taxonomy import DISTORTIONS

FOUR = [said(f"u{number}", minute=number) for number in range(4)]


def test_rates_are_shares_of_the_person_s_utterances() -> None:
    about = [
        found("u0", "distortion", "overgeneralisation"),
        found("u0", "distortion", "overgeneralisation", start=6),  # twice in one utterance counts once
        found("u1", "distortion", "overgeneralisation"),
        found("u1", "distortion", "labelling"),
        found("u9", "distortion", "labelling"),  # of somebody else's words
    ]
    summary = summarise(FOUR, about)
    assert summary.utterances == 4
    assert summary.rates["overgeneralisation_rate"] == 0.5
    assert summary.rates["labelling_rate"] == 0.25
    assert set(summary.rates) == {f"{label}_rate" for label in DISTORTIONS}
    assert summary.counts == {"distortion.labelling": 1, "distortion.overgeneralisation": 2}


def test_the_mean_is_over_what_was_read_and_no_reading_is_unknown() -> None:
    summary = summarise(FOUR, [felt("u0", -0.5, 0.25), felt("u1", 0.25, 0.75)])
    assert (summary.avg_valence, summary.avg_arousal, summary.readings) == (-0.125, 0.5, 2)
    assert summarise(FOUR, []).avg_valence is None


def test_of_two_readings_the_surer_one_counts_and_a_refused_one_never() -> None:
    about = [felt("u0", -0.5, 0, 0.3, method="vader"), felt("u0", 0.5, 0, 0.9, method="head")]
    assert summarise(FOUR, about).avg_valence == 0.5
    about[1].verdict = "wrong"
    assert summarise(FOUR, about).avg_valence == -0.5


def test_a_clinician_s_word_goes_before_the_method_s() -> None:
    about = [
        found("u0", "distortion", "labelling", verdict="wrong"),
        found("u1", "distortion", "labelling", verdict="other", instead="blaming"),
        found("u2", "distortion", "labelling", 0.01, verdict="right"),
        found("u3", "distortion", "labelling", 0.01),  # an alternative that nobody asserted
        found("u3", "distortion", "mind_reading", verdict="other", instead="realistic_appraisal"),
    ]
    rates, counts = summarise(FOUR, about).rates, summarise(FOUR, about).counts
    assert counts == {"distortion.blaming": 1, "distortion.labelling": 1}
    assert (rates["labelling_rate"], rates["blaming_rate"], rates["mind_reading_rate"]) == (0.25, 0.25, 0.0)


def test_what_the_clinician_says_is_not_the_person_s() -> None:
    both = [*FOUR, said("c0", speaker="clinician"), said("x0", speaker="unknown"), said("x1", speaker=None)]
    summary = summarise(both, [found("c0", "distortion", "labelling"), felt("c0", -1, 1)])
    assert (summary.utterances, summary.rates["labelling_rate"], summary.avg_valence) == (6, 0.0, None)


def test_the_dominant_emotion_is_that_of_most_utterances_and_neutral_only_where_there_is_no_other() -> None:
    neutral = [found(f"u{number}", "emotion", "neutral") for number in range(3)]
    assert summarise(FOUR, neutral).dominant_emotion == "neutral"
    felt_so = [*neutral, found("u0", "emotion", "sadness"), found("u1", "emotion", "fear")]
    assert summarise(FOUR, felt_so).dominant_emotion == "fear"
    assert summarise(FOUR, [*felt_so, found("u2", "emotion", "sadness")]).dominant_emotion == "sadness"
    assert summarise(FOUR, []).dominant_emotion is None


def test_a_window_has_its_first_moment_and_not_its_last() -> None:
    window = (BEGUN + timedelta(minutes=1), BEGUN + timedelta(minutes=3))
    summary = summarise(FOUR, [found("u3", "distortion", "labelling")], window=window)
    assert (summary.utterances, summary.session, summary.since, summary.until) == (2, None, *window)
    assert summary.rates["labelling_rate"] == 0.0


def test_a_session_s_summary_names_it_and_several_sessions_name_none() -> None:
    assert summarise(FOUR, []).session == "s1"
    assert summarise(FOUR, []).until == BEGUN + timedelta(minutes=3)
    assert summarise([*FOUR, said("v0", session="s2")], []).session is None


def test_a_summary_of_nobody_or_of_two_people_is_refused() -> None:
    with pytest.raises(ValueError, match="one person"):
        summarise([], [])
    with pytest.raises(ValueError, match="one person"):
        summarise([*FOUR, said("v0", subject="p-2")], [])


def test_a_distortion_and_an_emotion_go_together_by_phi() -> None:
    # Of twelve utterances: both 3, the distortion alone 1, the emotion alone 2, neither 6.
    twelve = [said(f"u{number:02}", minute=number) for number in range(12)]
    about = [found(f"u{number:02}", "distortion", "labelling") for number in (0, 1, 2, 3)]
    about += [found(f"u{number:02}", "emotion", "sadness") for number in (0, 1, 2, 4, 5)]
    [one] = correlations(twelve, about)
    assert (one.distortion, one.other, one.n) == ("labelling", "sadness", 12)
    phi = (3 * 6 - 1 * 2) / math.sqrt(4 * 8 * 5 * 7)
    assert one.weight == pytest.approx(phi)
    # Fisher: z = atanh(.4781) = .5205, reach = 1.96 / 3.
    assert one.low == pytest.approx(-0.1320, abs=5e-4)
    assert one.high == pytest.approx(0.8255, abs=5e-4)


def test_a_distortion_and_pleasantness_go_together_over_what_was_read() -> None:
    eleven = [said(f"u{number:02}", minute=number) for number in range(11)]
    valences = (-0.8, -0.6, -0.4, 0.2, 0.2, 0.4, 0.0, -0.2, 0.6, 0.6)  # the eleventh is unknown
    about = [felt(f"u{number:02}", valence, 0.1) for number, valence in enumerate(valences)]
    about += [found(f"u{number:02}", "distortion", "labelling") for number in (0, 1, 2, 10)]
    [one] = correlations(eleven, about)  # arousal never varies
    # Means -0.6 (3) and 9/35 (7), all 0; sum of squares 2.16: r = (m1 - m0) / s * sqrt(p q), s = sqrt(.216).
    expected = (-0.6 - 1.8 / 7) / math.sqrt(0.216) * math.sqrt(0.3 * 0.7)
    assert (one.other, one.n) == ("valence", 10)
    assert one.weight == pytest.approx(expected)


def test_too_few_utterances_or_nothing_that_varies_give_no_correlation() -> None:
    about = [found("u0", "distortion", "labelling"), found("u0", "emotion", "sadness")]
    assert correlations(FOUR, about) == []
    ten = [said(f"u{number}", minute=number) for number in range(10)]
    assert len(correlations(ten, about)) == 1
    assert correlations(ten, [found(f"u{n}", "distortion", "labelling") for n in range(10)]) == []
    assert pearson([1, 1, 1], [1, 2, 3]) is None


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=2, max_size=40))
def test_phi_is_pearson_s_correlation_of_yes_and_no(marks: list[tuple[bool, bool]]) -> None:
    first = {str(place) for place, (mark, _) in enumerate(marks) if mark}
    second = {str(place) for place, (_, mark) in enumerate(marks) if mark}
    expected = pearson([float(mark) for mark, _ in marks], [float(mark) for _, mark in marks])
    found = phi(first, second, len(marks))
    assert found == (None if expected is None else pytest.approx(expected, abs=1e-12))
