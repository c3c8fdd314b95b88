"""What condemns a release, what clears it, and what says nothing of it."""

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.alert_counts import drawn, told_after_hours

from forge_hub.releases.evidence import Exposure, Usual, exceeds, trend_of, usual_of, weigh
from forge_hub.releases.rollout import Found, RoomState
from forge_hub.releases.verdicts import Evidence, Figures, OtherRoom, TriedRoom, judge


def tried(count: int, *, state: RoomState = "kept", **changes: object) -> list[TriedRoom]:
    return [TriedRoom(f"room-{n}", "x86", state, **changes) for n in range(count)]  # type: ignore[arg-type]


def bad(found: Sequence[Found]) -> list[tuple[str, str]]:
    return [(each.measure, each.group) for each in found if each.finding == "bad"]


def test_a_release_is_withdrawn_when_enough_rooms_and_enough_of_them_failed() -> None:
    failed = tried(2, state="failed", reason="restarts")
    assert bad(judge(Evidence([*failed, *tried(5)]))) == [("failures", "all"), ("failures", "x86")]
    assert not bad(judge(Evidence([*failed, *tried(20)]))), "two of twenty-two have reasons of their own"
    assert not bad(judge(Evidence([failed[0], *tried(3)]))), "one is one room's"
    assert bad(judge(Evidence(failed[:1]))), "a site of one room has no second"


def test_a_room_whose_trial_was_given_up_counts_neither_as_good_nor_as_failed() -> None:
    failed = tried(2, state="failed", reason="restarts")
    silent = tried(20, state="on-trial")
    assert not bad(judge(Evidence([*failed, *silent])))
    unjudged = [replace(room, is_given_up=True) for room in silent]
    assert ("failures", "all") in bad(judge(Evidence([*failed, *unjudged])))
    assert not bad(judge(Evidence(unjudged)))


def test_a_golden_that_is_wrong_on_one_profile_is_enough_unless_it_was_right_there() -> None:
    wrong = TriedRoom("pi", "pi-5", "failed", "golden-differs")
    assert ("golden", "pi-5") in bad(judge(Evidence([wrong, *tried(9)])))
    right = TriedRoom("other-pi", "pi-5", "on-trial")
    assert not bad(judge(Evidence([wrong, right, *tried(9)]))), "then it is the room that is broken"


def test_rooms_that_fall_silent_with_a_release_have_failed_unless_the_network_has() -> None:
    rooms = tried(3, state="on-trial", is_lost=True)
    assert ("failures", "all") in bad(judge(Evidence(rooms, [OtherRoom(f"o{n}") for n in range(10)])))
    others = [OtherRoom(f"o{n}", is_lost=n < 4) for n in range(10)]
    assert not bad(judge(Evidence(rooms, others)))


def test_a_release_that_is_twice_as_slow_is_seen_beside_the_room_itself() -> None:
    slow = tried(4, before=Figures(latency_ms=50), now=Figures(latency_ms=100))
    assert ("latency", "all") in bad(judge(Evidence(slow)))
    others = [OtherRoom(f"o{n}", Figures(latency_ms=60), Figures(latency_ms=115)) for n in range(5)]
    assert not bad(judge(Evidence(slow, others))), "everything became slower"
    assert not bad(judge(Evidence(tried(4, now=Figures(latency_ms=100))))), "nothing to compare with"
    one = [slow[0], *tried(4, before=Figures(latency_ms=50), now=Figures(latency_ms=52))]
    assert not bad(judge(Evidence(one)))


def test_memory_and_heat_are_compared_likewise() -> None:
    before = Figures(memory_mb=400, temperature_celsius=50)
    assert ("memory", "all") in bad(judge(Evidence(tried(3, before=before, now=Figures(memory_mb=700)))))
    hot = tried(3, before=before, now=Figures(temperature_celsius=61.5))
    assert ("temperature", "all") in bad(judge(Evidence(hot)))
    summer = [OtherRoom(f"o{n}", before, Figures(temperature_celsius=55)) for n in range(4)]
    assert not bad(judge(Evidence(hot, summer)))


@pytest.mark.parametrize(
    ("measure", "now"),
    [
        ("latency", Figures(latency_ms=900)),
        ("memory", Figures(memory_mb=4000)),
        ("temperature", Figures(temperature_celsius=95)),
    ],
)
def test_where_what_served_before_was_not_measured_the_verdict_says_so_and_condemns_nothing(
    measure: str, now: Figures
) -> None:
    found = [each for each in judge(Evidence(tried(4, now=now))) if each.measure == measure]
    assert [(each.group, each.finding, each.rooms, each.against) for each in found] == [("all", "open", 4, None)]
    assert "insufficient evidence" in found[0].words
    assert not [each for each in judge(Evidence(tried(4))) if each.measure == measure], "nor is it measured now"


def test_rooms_that_did_not_measure_what_they_had_are_named_beside_those_that_did() -> None:
    slow = tried(2, before=Figures(latency_ms=50), now=Figures(latency_ms=100))
    new = tried(3, now=Figures(latency_ms=100))
    (found,) = [each for each in judge(Evidence([*slow, *new])) if (each.measure, each.group) == ("latency", "all")]
    assert (found.finding, found.rooms) == ("bad", 2)
    assert found.words.endswith("; 3 more did not measure what they had before")


def exposure(alerts_before: int, alerts: int, hours: float, daily: tuple[int, ...] = ()) -> Exposure:
    return Exposure("room", 28 * 24.0, alerts_before, hours, alerts, daily)


USUAL = Usual(shape=1.5, hours=45.0, dispersion=1.0)


def test_three_times_the_false_alerts_condemn_as_many_as_before_clear_and_little_says_nothing() -> None:
    assert weigh(USUAL, [exposure(28, 12, 72) for _ in range(3)], 1.0).verdict == "bad"
    assert weigh(USUAL, [exposure(28, 3, 72) for _ in range(5)], 1.0).verdict == "good"
    assert weigh(USUAL, [exposure(28, 3, 24)], 1.0).verdict == "open"
    assert weigh(USUAL, [exposure(28, 0, 0)], 1.0).verdict == "open"


def test_what_rooms_without_the_release_raise_too_excuses_it_and_never_accuses() -> None:
    rooms = [exposure(28, 12, 72) for _ in range(3)]
    usual = usual_of([exposure(28, 0, 0) for _ in range(20)])
    assert usual is not None
    trend = trend_of(usual, [exposure(28, 9, 72) for _ in range(50)])
    assert trend > 2.5
    assert weigh(usual, rooms, trend).verdict != "bad"
    quiet = trend_of(usual, [exposure(28, 0, 72) for _ in range(50)])
    assert weigh(usual, [exposure(28, 4, 72) for _ in range(3)], quiet).verdict != "bad"


def test_rooms_whose_days_scatter_need_more_evidence() -> None:
    steady = usual_of([exposure(28, 0, 0, (1,) * 28) for _ in range(10)])
    scattered = usual_of([exposure(28, 0, 0, (0, 0, 0, 4) * 7) for _ in range(10)])
    assert steady is not None
    assert scattered is not None
    assert steady.dispersion == 1.0
    assert scattered.dispersion > 2.5
    assert usual_of([]) is None
    assert usual_of([exposure(0, 0, 0)]) is not None, "none seen is not none there"


def test_a_release_s_own_limit_on_false_alerts_is_held_against_all_its_rooms() -> None:
    assert exceeds(0.02, [exposure(0, 10, 72)], 1.0)
    assert not exceeds(0.2, [exposure(0, 10, 72)], 1.0)
    found = judge(Evidence(tried(1, alerts=exposure(28, 10, 72)), raises_alerts=True, alerts_per_hour=0.02))
    assert ("false-alerts", "all") in bad(found)


def test_a_room_that_was_not_watched_with_the_release_says_nothing_of_it_whatever_came_from_there() -> None:
    unwatched = tried(1, alerts=exposure(28, 5, 0))
    for limit in (None, 0.02):
        found = judge(Evidence(unwatched, raises_alerts=True, alerts_per_hour=limit))
        assert [each.finding for each in found if each.measure == "false-alerts"] == ["open"]


def test_a_role_that_raises_alerts_waits_until_its_rooms_were_watched() -> None:
    (found,) = [each for each in judge(Evidence(tried(2), raises_alerts=True)) if each.measure == "false-alerts"]
    assert found.finding == "open"


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 30), st.floats(1, 500)), min_size=1, max_size=8))
def test_more_alerts_never_make_a_release_look_better(rooms: list[tuple[int, int, float]]) -> None:
    order = ["good", "open", "bad"]
    fewer = weigh(USUAL, [exposure(*room) for room in rooms], 1.0)
    more = weigh(USUAL, [exposure(before, now + 3, hours) for before, now, hours in rooms], 1.0)
    assert order.index(more.verdict) >= order.index(fewer.verdict)
    assert math.isfinite(more.expected)


def test_in_ten_drawn_first_rings_each_the_rule_does_not_err() -> None:
    assert [told_after_hours(drawn(seed, 1.0))[0] for seed in range(10)].count("bad") == 0
    assert [told_after_hours(drawn(seed, 3.0))[0] for seed in range(10)].count("good") == 0
