"""What a roll-out decides: who is first, when rooms are told and what is waited for, what ran when."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forge_hub.errors import ReleaseError
from forge_hub.releases.history import Change, ran
from forge_hub.releases.observed import Did, Now, Said, observe
from forge_hub.releases.rings import MOST_FIRST, Candidate, check_shares, in_rings
from forge_hub.releases.rollout import RINGS, Plan, RoomState
from forge_hub.releases.stages import Known, Situation, Standing, Step, next_step
from forge_hub.releases.windows import is_open, window_of, words_of
from forge_shared.releases import Hardware

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday
HARDWARE: Sequence[Hardware] = ("x86", "orin-nano", "pi-5")
candidates = st.integers(1, 30).flatmap(
    lambda count: st.lists(
        st.tuples(st.sampled_from(HARDWARE), st.booleans(), st.booleans()), min_size=count, max_size=count
    )
)


def rooms_of(drawn_rooms: Sequence[tuple[Hardware, bool, bool]]) -> list[Candidate]:
    return [Candidate(f"room-{n}", *each) for n, each in enumerate(drawn_rooms)]


@settings(max_examples=60)
@given(candidates, st.sampled_from([RINGS, (100,), (50, 100), (1, 2, 3, 100)]), st.text(max_size=5))
def test_the_first_ring_is_of_one_to_ten_rooms_and_every_room_is_in_one(
    drawn_rooms: list[tuple[Hardware, bool, bool]], shares: tuple[int, ...], seed: str
) -> None:
    rooms = rooms_of(drawn_rooms)
    kept, rings = in_rings(rooms, shares, seed)
    assert rings.keys() == {room.node for room in rooms}
    first = [room for room in rooms if rings[room.node] == 1]
    assert 1 <= len(first) <= MOST_FIRST
    assert max(rings.values()) <= len(kept)
    assert kept[-1] == 100
    if len(first) >= len({room.hardware for room in rooms}):
        assert {room.hardware for room in first} == {room.hardware for room in rooms}, "what fails may fail on one"


def test_a_release_that_did_well_here_may_go_to_all_rooms_at_once() -> None:
    rooms = [Candidate(f"room-{n}", "x86") for n in range(100)]
    assert set(in_rings(rooms, (100,), "s", is_proven=True)[1].values()) == {1}
    shares, rings = in_rings(rooms, (100,), "s")
    assert (len(shares), list(rings.values()).count(1)) == (2, MOST_FIRST)


def test_rooms_that_are_away_or_raise_nothing_are_not_the_ones_to_try() -> None:
    rooms = [Candidate(f"room-{n}", "x86", is_ready=n > 20, is_telling=n > 60) for n in range(100)]
    first = {node for node, ring in in_rings(rooms, RINGS, "s")[1].items() if ring == 1}
    assert all(int(node.split("-")[1]) > 60 for node in first)
    assert first != {node for node, ring in in_rings(rooms, RINGS, "other")[1].items() if ring == 1}, "it is drawn"


@pytest.mark.parametrize("shares", [(), (0, 100), (50, 25, 100), (5, 50), (100, 100)])
def test_rings_that_do_not_rise_to_all_rooms_are_refused(shares: tuple[int, ...]) -> None:
    with pytest.raises(ReleaseError):
        check_shares(shares)


def test_hours_are_written_and_read_by_the_site_s_own_clock() -> None:
    window = window_of("mon-fri 09:00-16:00")
    assert words_of(window) == "mon,tue,wed,thu,fri 09:00-16:00"
    assert window_of(words_of(window)) == window
    vienna = ZoneInfo("Europe/Vienna")
    assert is_open(window, datetime(2026, 3, 2, 14, 59, tzinfo=UTC), vienna)
    assert not is_open(window, datetime(2026, 3, 2, 15, 0, tzinfo=UTC), vienna), "it is four in Vienna"
    assert not is_open(window, datetime(2026, 3, 7, 10, tzinfo=UTC), vienna), "a Saturday"
    assert is_open(None, NOON, UTC)


def test_a_window_over_midnight_belongs_to_the_day_on_which_it_begins() -> None:
    window = window_of("fri 22:00-05:00")
    assert is_open(window, datetime(2026, 3, 6, 23, tzinfo=UTC), UTC)
    assert is_open(window, datetime(2026, 3, 7, 4, 59, tzinfo=UTC), UTC)
    assert not is_open(window, datetime(2026, 3, 7, 23, tzinfo=UTC), UTC)
    assert not is_open(window, datetime(2026, 3, 6, 4, tzinfo=UTC), UTC)
    assert is_open(window_of("sat,sun 00:00-00:00"), datetime(2026, 3, 7, 13, tzinfo=UTC), UTC), "all day"
    assert window_of("sat-mon 01:00-02:00").days == {5, 6, 0}


@pytest.mark.parametrize("text", ["", "09:00", "someday 09:00-10:00", "mon tue 09:00-10:00", "29:00-30:00"])
def test_hours_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(ReleaseError):
        window_of(text)


def situation(state: str = "running", ring: int = 1, *, is_time: bool = True, hours: float = 48) -> Situation:
    plan = Plan(shares=(10, 100), soak_hours=24, evidence_hours=100, trial_hours=72)
    begun = NOON - timedelta(days=30)
    return Situation(state, ring, NOON - timedelta(hours=hours), plan, NOON, is_time, begun)  # type: ignore[arg-type]


def standing(node: str, ring: int, state: RoomState, *, hours: float = 30, **changes: bool) -> Standing:
    at = NOON - timedelta(hours=hours)
    return Standing(node, ring, state, at, at if state in {"on-trial", "kept"} else None, **changes)


def test_the_next_ring_waits_for_rooms_for_time_in_use_and_for_evidence() -> None:
    others = [standing("b", 2, "planned")]
    assert next_step(situation(), [standing("a", 1, "on-trial"), *others], Known()).waits_for == "rooms"
    assert next_step(situation(), [standing("a", 1, "kept", hours=23), *others], Known()).waits_for == "soak"
    kept = [standing("a", 1, "kept"), *others]
    assert next_step(situation(), kept, Known(is_enough=False)).waits_for == "evidence"
    assert next_step(situation(hours=101), kept, Known(is_enough=False)).direct == ("b",), "no longer than it may wait"
    opened = next_step(situation(), kept, Known())
    assert (opened.ring, opened.passed, opened.direct) == (2, 1, ("b",))


def test_a_room_that_is_off_for_a_day_does_not_hold_a_ring_but_half_of_them_do() -> None:
    off = standing("a", 1, "directed", hours=25)
    assert next_step(situation(), [off, standing("b", 1, "kept"), standing("c", 2, "planned")], Known()).ring == 2
    assert next_step(situation(), [off, standing("c", 2, "planned")], Known()).waits_for == "rooms"


def test_a_trial_that_does_not_end_is_given_up_once_and_then_holds_no_ring_in_which_others_are_judged() -> None:
    quiet, kept, last = standing("a", 1, "on-trial", hours=71), standing("b", 1, "kept"), standing("c", 2, "planned")
    waits = next_step(situation(), [quiet, kept, last], Known())
    assert (waits.waits_for, waits.given_up, waits.ring) == ("rooms", (), 1)
    quiet = replace(quiet, serves_since=NOON - timedelta(hours=72))
    tired = next_step(situation(), [quiet, kept, last], Known())
    assert (tired.given_up, tired.ring) == (("a",), 1), "it is noted before anything follows from it"
    rooms = [replace(quiet, is_given_up=True), kept, last]
    opened = next_step(situation(), rooms, Known())
    assert (opened.passed, opened.direct, opened.given_up, opened.pause) == (1, ("c",), (), None)
    assert next_step(situation(), rooms, Known(is_enough=False)).waits_for == "evidence"
    assert next_step(situation(), rooms, Known(bad="slow")).withdraw == "slow"


def test_who_resumes_a_roll_out_lets_it_wait_for_trials_anew() -> None:
    quiet, kept = standing("a", 1, "on-trial", hours=500), standing("b", 1, "kept")
    resumed = replace(situation(), resumed_at=NOON - timedelta(hours=71))
    assert next_step(resumed, [quiet, kept], Known()).given_up == ()
    later = replace(resumed, resumed_at=NOON - timedelta(hours=72))
    assert next_step(later, [quiet, kept], Known()).given_up == ("a",)
    assert next_step(replace(later, state="paused"), [quiet, kept], Known()) == Step(1), "nothing is decided meanwhile"


def given_up(node: str) -> Standing:
    return standing(node, 1, "on-trial", hours=80, is_given_up=True)


@pytest.mark.parametrize(
    ("others", "pauses"),
    [
        ([], True),
        ([standing("f", 1, "failed")], True),
        ([standing("f", 1, "failed"), standing("k", 1, "kept")], False),
        ([standing("f", 1, "failed"), standing("g", 1, "failed"), standing("k", 1, "kept")], True),
        ([standing("d", 1, "directed", hours=25)], True),
        ([standing("d", 1, "directed", hours=23)], False),
        ([standing("t", 1, "on-trial")], False),
    ],
)
def test_a_ring_in_which_too_few_could_be_judged_pauses_the_roll_out_and_says_so(
    others: list[Standing],
    pauses: bool,  # noqa: FBT001 (drawn)
) -> None:
    step = next_step(situation(), [given_up("a"), given_up("b"), *others, standing("z", 2, "planned")], Known())
    assert (step.pause is not None) is pauses
    if step.pause is not None:
        assert (step.ring, step.direct, step.passed) == (1, (), None)
        assert "ring 1" in step.pause
        assert "2 did not end their trial within 72 hours" in step.pause


def test_the_last_ring_is_done_without_the_rooms_that_it_gave_up() -> None:
    rooms = [given_up("a"), standing("k", 1, "kept"), replace(given_up("b"), ring=2), standing("l", 2, "kept")]
    assert next_step(situation(ring=2), rooms, Known()).is_done


def test_a_locked_room_is_told_later_and_holds_only_the_last_ring() -> None:
    locked = standing("a", 1, "planned", is_locked=True)
    step = next_step(situation(), [locked, standing("b", 1, "kept"), standing("c", 2, "planned")], Known())
    assert step.direct == ("c",)
    last = next_step(situation(ring=2), [locked, standing("b", 1, "kept"), standing("c", 2, "kept")], Known())
    assert (last.direct, last.is_done) == ((), False)
    free = standing("a", 1, "planned")
    assert next_step(situation(ring=2), [free, standing("c", 2, "kept")], Known()).direct == ("a",)


def test_a_room_that_is_locked_before_it_took_the_release_is_told_what_it_had() -> None:
    rooms = [standing("a", 1, "directed", is_locked=True), standing("b", 1, "on-trial", is_locked=True)]
    for state in ("running", "paused"):
        assert next_step(situation(state), rooms, Known()).recall == ("a",), "what serves is left alone"


states = st.sampled_from(
    ["planned", "directed", "on-trial", "kept", "failed", "returning", "returned", "left-out"],
)
standings = st.lists(
    st.builds(
        lambda *drawn: drawn,
        st.integers(1, 3),
        states,
        st.floats(0, 100),
        st.booleans(),
        st.booleans(),
    ),
    max_size=12,
)


@settings(max_examples=150)
@given(
    standings,
    st.sampled_from(["running", "paused", "stopped", "withdrawn", "done"]),
    st.integers(0, 3),
    st.booleans(),
    st.sampled_from([None, "it is bad"]),
    st.booleans(),
)
def test_whatever_rooms_say_no_room_is_told_beyond_its_ring_or_when_it_may_not_be(  # noqa: PLR0913 (what is drawn)
    drawn_rooms: list[tuple[int, RoomState, float, bool, bool]],
    state: str,
    ring: int,
    is_time: bool,  # noqa: FBT001 (drawn)
    bad: str | None,
    is_enough: bool,  # noqa: FBT001 (drawn)
) -> None:
    rooms = [
        standing(f"r{n}", at, of, hours=hours, is_locked=lock, is_given_up=gave_up and of == "on-trial")
        for n, (at, of, hours, lock, gave_up) in enumerate(drawn_rooms)
    ]
    plan = Plan(shares=(5, 50, 100))
    begun = NOON - timedelta(days=30)
    at = Situation(state, ring, NOON if ring else None, plan, NOON, is_time, begun)  # type: ignore[arg-type]
    step = next_step(at, rooms, Known(bad, is_enough))
    told = [room for room in rooms if room.node in step.direct]
    assert all(room.ring <= step.ring and room.state == "planned" and not room.is_locked for room in told)
    assert ring <= step.ring <= ring + 1
    if state != "running" or not is_time or bad is not None:
        assert not told
    if state in {"stopped", "withdrawn", "done"}:
        assert step == Step(ring), "nothing follows the end"
    elif bad is not None:
        assert step.withdraw == bad
    if step.ring > ring > 0:
        assert not any(room.state == "on-trial" and not room.is_given_up and room.ring <= ring for room in rooms)
        mine = [room for room in rooms if room.ring == ring and room.state != "left-out"]
        assert not mine or any(room.state == "kept" for room in mine), "nothing follows from what nobody has judged"
    if step.pause is not None:
        assert (step.ring, told, step.is_done) == (ring, [], False)


def change(hour: float, outcome: str, release: str, serves: str | None = None) -> Change:
    digest = (serves or release) * 64 if serves != "own" else None
    return Change(NOON + timedelta(hours=hour), outcome, release, "1.0.0", digest, "r")


def test_a_room_that_goes_back_to_its_own_model_runs_none_of_the_earlier_releases() -> None:
    kept = [
        change(1, "on-trial", "a"),
        change(2, "committed", "a"),
        change(3, "on-trial", "c"),
        change(4, "committed", "c"),
    ]
    at = NOON + timedelta(hours=6)
    assert ran("room-12", "pose", at, [*kept, change(5, "rolled-back", "c", "own")]).release is None
    assert ran("room-12", "pose", at, [*kept, change(5, "rolled-back", "c", "a")]).release == "a"


def test_what_ran_in_a_room_at_a_moment_is_known() -> None:
    changes = [
        change(1, "on-trial", "a"),
        change(2, "committed", "a"),
        change(3, "refused", "b"),
        change(4, "on-trial", "c"),
        change(5, "rolled-back", "c", "a"),
        change(6, "rolled-back", "a", "own"),
    ]

    def served(hour: float) -> tuple[str | None, bool]:
        found = ran("room-12", "pose", NOON + timedelta(hours=hour), changes)
        return found.release, found.on_trial

    asked = [served(hour) for hour in (0.5, 1, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5)]
    none = (None, False)
    assert asked == [none, ("a", True), ("a", True), ("a", False), ("a", False), ("c", True), ("a", False), none]
    assert ran("room-12", "pose", NOON, changes).since is None


def test_what_a_room_did_follows_from_the_log_and_its_twin_fills_in_what_it_need_not_say() -> None:
    told = Now("directed", NOON)
    later = NOON + timedelta(hours=1)
    trial, kept = Did("on-trial", "new", None, later), Did("committed", "new", None, later + timedelta(hours=1))
    assert observe(told, "new", "old", [trial], None) == Now("on-trial", later, later)
    after = observe(told, "new", "old", [trial, kept], None)
    assert after == Now("kept", kept.at, later)
    assert observe(after, "new", "old", [trial, kept], None) == after, "read again it is the same"
    failed = observe(told, "new", "old", [Did("refused", "new", "golden-differs", later)], None)
    assert failed == Now("failed", later, None, "golden-differs")
    assert observe(told, "new", "old", [], Said("new", None, "serving", later)).state == "kept", "it had it already"
    assert observe(told, "new", "old", [], Said("new", None, "serving", NOON - timedelta(hours=1))) == told
    back = Now("returning", NOON)
    for did, said in (
        ([Did("rolled-back", "new", "withdrawn", later)], None),
        ([Did("committed", "old", None, later)], None),
        ([], Said("old", None, "serving", later)),
    ):
        assert observe(back, "new", "old", did, said).state == "returned"
    assert observe(back, "new", "old", [], Said("new", None, "serving", later)) == back


def test_a_room_that_will_not_have_a_release_and_told_so_before_has_failed_by_its_twin() -> None:
    told, later = Now("directed", NOON), NOON + timedelta(hours=1)
    refused = Said("old", "new", "refused", later, refusal="golden-differs")
    assert observe(told, "new", "old", [], refused) == Now("failed", later, None, "golden-differs")
    assert observe(told, "new", "old", [], Said("old", "new", "refused", later)) == told, "on another's behalf"
    assert observe(told, "other", "old", [], refused) == told


def test_a_room_that_never_took_a_release_is_back_as_soon_as_it_is_heard_again() -> None:
    back, before, later = Now("returning", NOON), NOON - timedelta(days=3), NOON + timedelta(hours=1)
    silent = Said("old", None, "serving", before, heard_at=before)
    assert observe(back, "new", "old", [], silent) == back
    assert observe(back, "new", "old", [], replace(silent, heard_at=later)) == Now("returned", later)
    assert observe(back, "new", "old", [], Said("new", None, "serving", before, heard_at=later)) == back
