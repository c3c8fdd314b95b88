import pytest
from hypothesis import given
from hypothesis import strategies as st

from forge_edge.speech.agreement import LEAST_ACCEPTED, AgreementRule, Claim
from forge_edge.speech.evidence import Evidence
from forge_edge.speech.phones import PhraseScores
from forge_edge.speech.third_hearing import LEAST_ALONE, RULE, ThirdClaim, candidates, decide_third, third_claim

EVIDENCE = Evidence(-0.1, -0.5, -0.3, -0.2, 0.0, 2.1, 0.4, 0.2, 2.4, 1.1)
SENSES = {"yes": "answer:yes", "yup": "answer:yes", "no": "answer:no", "alexa": "decoy:alexa"}
SCORES = PhraseScores({"yes": 5.0, "yup": 1.0, "no": -2.0, "alexa": -9.0}, 4)
FIRST = Claim("yes", "answer:yes", EVIDENCE, own=5.0, rival=-2.0, exact=5.0, heard=4)


def third(compared: dict[str, float], free: float = -1.0, claim: Claim | None = FIRST) -> ThirdClaim:
    made = third_claim(compared, free, claim=claim, probability=0.9, scores=SCORES, senses=SENSES)
    assert made is not None
    return made


def rule(logit: float) -> AgreementRule:
    return AgreementRule(weights=(0.0,) * len(RULE.weights), bias=logit)


def test_what_is_compared_are_the_first_choice_what_was_written_and_the_likeliest_of_each_sense() -> None:
    assert candidates(FIRST, "no", SCORES, SENSES) == ("yes", "no", "alexa", "yup")
    assert candidates(None, "something else", SCORES, SENSES)[0] == "yes"
    many = {f"word {index}": float(-index) for index in range(100)}
    assert len(candidates(FIRST, None, PhraseScores(many, 9), {phrase: phrase for phrase in many})) <= 12


def test_another_wording_of_the_same_sense_is_no_rival() -> None:
    claim = third({"yes": -9.0, "yup": -2.0, "no": -9.0}, free=-1.0)
    assert (claim.phrase, claim.sense, claim.agrees) == ("yup", "answer:yes", True)
    assert (claim.ahead, claim.behind) == (7.0, 1.0)
    assert (claim.own, claim.lead) == (5.0 / 4, 7.0 / 4)


def test_whisper_is_outvoted_where_the_other_two_hear_something_else_clearly() -> None:
    assert third({"yes": -6.0, "no": -5.0}).sense == "answer:yes"
    assert third({"yes": -6.0, "no": -5.0}).ahead == -1.0
    assert third({"yes": -26.0, "no": -5.0}).sense == "answer:no"


def test_nothing_compared_is_nothing_heard() -> None:
    assert third_claim({}, 0.0, claim=None, probability=0.0, scores=SCORES, senses=SENSES) is None
    assert decide_third(None).reason == "nothing-heard"


def test_where_the_first_hearing_chose_otherwise_more_is_asked_for() -> None:
    other = third({"no": -1.0, "yes": -25.0})
    assert not other.agrees
    doubted = decide_third(other, rule(2.0))
    assert (doubted.accepted, doubted.doubted, doubted.reason) == (False, True, "disagreement")
    assert decide_third(other, rule(6.0)).accepted
    assert decide_third(third({"yes": -1.0, "no": -5.0}), rule(2.0)).accepted


def test_a_decoy_is_refused_however_sure_everybody_is() -> None:
    decision = decide_third(third({"alexa": -0.1, "yes": -29.0}), rule(9.0))
    assert (decision.accepted, decision.doubted, decision.reason) == (False, False, "decoy")


@pytest.mark.parametrize("step", [0, 1, 2])
def test_the_shipped_rule_trusts_more_what_fits_better(step: int) -> None:
    worse, better = [
        ({"yes": -8.0, "no": -2.0}, {"yes": -8.0, "no": -8.0}),
        ({"yes": -8.0, "no": -14.0}, {"yes": -2.0, "no": -14.0}),
        ({"no": -2.0, "yes": -28.0}, {"yes": -2.0, "no": -28.0}),
    ][step]
    assert decide_third(third(worse)).confidence < decide_third(third(better)).confidence


@given(
    st.dictionaries(st.sampled_from(sorted(SENSES)), st.floats(-60, 0), min_size=1),
    st.floats(-60, 0),
    st.floats(0, 1),
    st.sampled_from([FIRST, None]),
    st.floats(-10, 10),
)
def test_nothing_is_accepted_without_probability(
    compared: dict[str, float], free: float, probability: float, claim: Claim | None, logit: float
) -> None:
    made = third_claim(compared, free, claim=claim, probability=probability, scores=SCORES, senses=SENSES)
    for decision in (decide_third(made), decide_third(made, rule(logit))):
        assert 0 <= decision.confidence <= 1
        assert not (decision.accepted and decision.doubted)
        assert made is not None
        assert not decision.accepted or decision.confidence >= (LEAST_ACCEPTED if made.agrees else LEAST_ALONE)
