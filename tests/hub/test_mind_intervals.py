import math

import pytest

from forge_hub.mind.intervals import LEAST, Sums, mean, mean_difference, share, share_difference, student


@pytest.mark.parametrize(
    ("freedom", "quantile"), [(1, 12.706), (2, 4.303), (3, 3.182), (4, 2.776), (9, 2.262), (30, 2.042), (1000, 1.962)]
)
def test_students_quantiles_are_those_of_the_tables(freedom: int, quantile: float) -> None:
    assert student(freedom) == pytest.approx(quantile, abs=0.012)


def test_a_mean_has_the_interval_that_is_reckoned_by_hand() -> None:
    found = mean(Sums.of([0.1, 0.2, 0.3, 0.4, 0.5]))
    assert found is not None
    # s = sqrt(.025), standard error .0707, t of 4 degrees 2.776.
    assert found.value == pytest.approx(0.3)
    assert found.n == 5
    assert found.high - found.value == pytest.approx(2.776 * math.sqrt(0.025 / 5), abs=0.001)


def test_a_mean_of_one_value_says_nothing_of_how_sure_it_is() -> None:
    assert mean(Sums.of([0.4])) is None


def test_an_interval_stays_on_the_scale() -> None:
    found = mean(Sums.of([-1.0, 1.0]))
    assert found is not None
    assert (found.low, found.high) == (-1.0, 1.0)


def test_a_share_has_wilsons_interval() -> None:
    found = share(2, 10)
    assert found is not None
    # Wilson (1927) for 2 of 10: .0567 to .5098.
    assert [found.low, found.high] == pytest.approx([0.0567, 0.5098], abs=1e-4)
    assert share(0, 0) is None


def test_a_difference_of_shares_has_newcombes_interval() -> None:
    # Newcombe (1998), table II, (a): 56/70 - 48/80 = .2, method 10: .0524 to .3339.
    found = share_difference((48, 80), (56, 70))
    assert found is not None
    assert found.value == pytest.approx(0.2)
    assert [found.low, found.high] == pytest.approx([0.0524, 0.3339], abs=1e-4)
    assert found.is_told


def test_nothing_is_compared_with_too_few() -> None:
    few, many = Sums.of([0.1] * (LEAST - 1)), Sums.of([0.9] * 50)
    assert mean_difference(few, many) is None
    assert share_difference((1, LEAST - 1), (30, 50)) is None


def test_two_means_differ_by_welch() -> None:
    found = mean_difference(Sums.of([0.0, 0.2] * 10), Sums.of([0.5, 0.7] * 10))
    assert found is not None
    assert found.value == pytest.approx(0.5)
    # Both variances .010526, standard error .03244, 38 degrees: 2.024.
    assert found.high - found.value == pytest.approx(2.024 * math.sqrt(2 * 0.010526 / 20), abs=0.001)
    assert found.is_told


def test_the_same_twice_is_no_difference() -> None:
    found = mean_difference(Sums.of([0.0, 0.4] * 10), Sums.of([0.0, 0.4] * 10))
    assert found is not None
    assert not found.is_told
