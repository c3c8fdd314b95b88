import pytest
from hypothesis import given
from hypothesis import strategies as st

from forge_edge.speech.agreement import (
    LEAST_ACCEPTED,
    LEAST_CERTAIN,
    LEAST_LEAD,
    MOST_BEHIND,
    AgreementRule,
    Claim,
    claimed,
    decide,
)
from forge_edge.speech.evidence import Evidence
from forge_edge.speech.phones import OTHER, PHONES, PhoneChannel, PhraseScores, spelling
from forge_edge.speech.ports import Grammar
from forge_edge.speech.twofold import shipped

EVIDENCE = Evidence(-0.1, -0.5, -0.3, -0.2, 0.0, 2.1, 0.4, 0.2, 2.4, 1.1)
GIVEN = Grammar("g", ("yes", "yup", "no"), ("answer:yes", "answer:yes", "answer:no"))
SENSES = {phrase: GIVEN.sense(phrase) for phrase in GIVEN.phrases}
CERTAIN = AgreementRule(weights=(0.0,) * 19, bias=4.0)
CHANNEL = PhoneChannel(shipped().channel)
WORDS: dict[str, list[tuple[str, ...]]] = {
    "yes": [("Y", "EH", "S")],
    "no": [("N", "OW")],
    "several": [("S", "EH", "V", "R", "AH", "L")],
}


def claim(own: float = 5.0, rival: float = -5.0, sense: str = "answer:yes") -> Claim:
    return Claim("yes", sense, EVIDENCE, own=own, rival=rival, exact=own, heard=6)


def rule(probability_logit: float) -> AgreementRule:
    return AgreementRule(weights=(0.0,) * 19, bias=probability_logit)


def test_what_both_hearings_find_probable_is_accepted() -> None:
    decision = decide(claim(), CERTAIN)
    assert decision.accepted
    assert decision.reason == "agreed"


@pytest.mark.parametrize("own", [5.0, 5.0 + LEAST_LEAD / 2, 2.0])
def test_what_the_second_hearing_takes_for_something_else_is_asked_about(own: float) -> None:
    decision = decide(claim(own=own, rival=5.0), rule(3.0))
    assert not decision.accepted
    assert decision.doubted
    assert decision.reason == "disagreement"


def test_a_certain_word_may_be_a_little_behind_and_no_more() -> None:
    assert decide(claim(own=5.0, rival=5.0 + MOST_BEHIND), rule(5.0)).accepted
    behind = decide(claim(own=5.0, rival=5.5 + MOST_BEHIND), rule(5.0))
    assert (behind.accepted, behind.doubted) == (False, True)


def test_a_decoy_is_neither_accepted_nor_asked_about() -> None:
    decision = decide(claim(sense="decoy:alexa"), CERTAIN)
    assert not decision.accepted
    assert not decision.doubted


@pytest.mark.parametrize(("logit", "reason"), [(0.0, "unsure"), (-4.0, "unlike")])
def test_what_is_less_probable_is_asked_about_or_refused(logit: float, reason: str) -> None:
    decision = decide(claim(), rule(logit))
    assert (decision.accepted, decision.doubted, decision.reason) == (False, reason == "unsure", reason)


def test_nothing_heard_by_either_is_nothing() -> None:
    assert decide(None, CERTAIN).reason == "nothing-heard"
    assert claimed("", None, PhraseScores({"yes": 1.0}, 3), GIVEN, SENSES) is None
    assert claimed("yes", EVIDENCE, PhraseScores({"yes": 1.0}, 0), GIVEN, SENSES) is None


def test_another_wording_of_the_same_sense_is_no_disagreement() -> None:
    made = claimed("yes", EVIDENCE, PhraseScores({"yes": 1.0, "yup": 4.0, "no": -2.0}, 3), GIVEN, SENSES)
    assert made is not None
    assert (made.own, made.rival, made.exact) == (4.0, -2.0, 1.0)
    assert made.agreed


@given(st.floats(-30, 30), st.floats(-30, 30), st.lists(st.floats(-2, 2), min_size=19, max_size=19), st.floats(-10, 10))
def test_nothing_is_accepted_without_agreement_and_probability(
    own: float, rival: float, weights: list[float], bias: float
) -> None:
    made = claim(own, rival)
    decision = decide(made, AgreementRule(weights=tuple(weights), bias=bias))
    assert 0 <= decision.confidence <= 1
    assert not (decision.accepted and decision.doubted)
    if decision.accepted:
        assert own - rival >= (-MOST_BEHIND if decision.confidence >= LEAST_CERTAIN else LEAST_LEAD)
        assert decision.confidence >= LEAST_ACCEPTED


@pytest.mark.parametrize("phrase", list(WORDS))
def test_phones_as_they_are_written_in_the_dictionary_mean_their_word(phrase: str) -> None:
    scores = CHANNEL.scores(WORDS[phrase][0], spelling(WORDS))
    assert max(scores.ratios, key=lambda word: scores.ratios[word]) == phrase
    assert scores.ratios[phrase] > 0


@given(st.lists(st.sampled_from((*PHONES, OTHER, "SIL", "+NSN+")), max_size=40))
def test_any_phones_can_be_compared(heard: list[str]) -> None:
    scores = CHANNEL.scores(heard, spelling(WORDS))
    assert all(-10_000 < ratio < 10_000 for ratio in scores.ratios.values())
    assert scores.heard == sum(sign in {*PHONES, OTHER} for sign in heard)


def test_the_channels_tables_are_probabilities() -> None:
    tables = shipped().channel
    for row in (*tables.emissions, tables.insertions, *tables.background):
        assert sum(row) == pytest.approx(1, abs=1e-3)
        assert min(row) >= 0
