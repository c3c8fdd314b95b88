from datetime import UTC, datetime, timedelta
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forge_edge.wake.proposal import HIGHEST, LARGEST_STEP, LOOK_BACK, LOWEST, Mark, propose

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)

Kind = Literal["wanted", "false", "missed"]


def marks(kind: Kind, *scores: float | None, days_ago: float = 1.0) -> list[Mark]:
    return [Mark(kind, score, NOW - timedelta(days=days_ago)) for score in scores]


def test_false_wakes_that_somebody_marked_raise_the_threshold_just_above_them() -> None:
    proposal = propose(marks("false", 0.52, 0.55, 0.6) + marks("wanted", 0.95, 0.97, 0.99), 0.5, NOW)
    assert proposal is not None
    assert proposal.threshold == pytest.approx(0.61)
    assert (proposal.spared_false, proposal.spared_missed, proposal.unheard) == (3, 0, 0)
    assert "3 of 3 wakes that nobody wanted" in proposal.reason


def test_calls_that_were_missed_lower_it_just_below_them() -> None:
    proposal = propose(marks("missed", 0.45, 0.42) + marks("wanted", 0.9), 0.5, NOW)
    assert proposal is not None
    assert proposal.threshold == pytest.approx(0.41)
    assert proposal.spared_missed == 2
    assert "2 of 2 calls that were not heard" in proposal.reason


def test_a_call_that_would_be_lost_outweighs_a_false_wake() -> None:
    assert propose(marks("false", 0.6, 0.61, 0.62) + marks("wanted", 0.58, 0.59), 0.5, NOW) is None


def test_one_bad_moment_moves_nothing() -> None:
    assert propose([], 0.5, NOW) is None
    assert propose(marks("false", 0.6, 0.6), 0.5, NOW) is None
    assert propose(marks("missed", 0.45), 0.5, NOW) is None


def test_what_is_old_or_not_yet_does_not_count() -> None:
    old = marks("false", 0.6, 0.6, 0.6, 0.6, days_ago=LOOK_BACK.days + 1)
    to_come = marks("false", 0.6, 0.6, 0.6, 0.6, days_ago=-1)
    assert propose(old + to_come, 0.5, NOW) is None


def test_a_call_of_which_nothing_was_heard_is_counted_and_changes_nothing() -> None:
    assert propose(marks("missed", None, None, None, None), 0.5, NOW) is None
    proposal = propose(marks("missed", None, 0.4, 0.4), 0.5, NOW)
    assert proposal is not None
    assert proposal.unheard == 1


def test_one_proposal_is_a_small_step() -> None:
    proposal = propose(marks("false", *[0.6] * 5, *[0.85] * 5), 0.5, NOW)
    assert proposal is not None
    assert proposal.threshold == pytest.approx(0.61)
    assert propose(marks("false", *[0.85] * 9), 0.5, NOW) is None


@given(
    st.lists(
        st.builds(
            Mark,
            kind=st.sampled_from(("wanted", "false", "missed")),
            score=st.none() | st.floats(0, 1),
            at=st.datetimes(datetime(2026, 2, 1), datetime(2026, 3, 2), timezones=st.just(UTC)),  # noqa: DTZ001 (Hypothesis adds the zone)
        ),
        max_size=30,
    ),
    st.floats(LOWEST, HIGHEST),
)
def test_a_proposal_stays_in_bounds_and_spares_more_than_it_costs(seen: list[Mark], current: float) -> None:
    proposal = propose(seen, current, NOW)
    if proposal is not None:
        assert LOWEST <= proposal.threshold <= HIGHEST
        assert abs(proposal.threshold - current) <= LARGEST_STEP + 0.005
        assert proposal.spared_false + 2 * proposal.spared_missed >= 3
