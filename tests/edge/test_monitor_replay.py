"""Replay: the same looks give the same findings, and whatever is looked at, findings are well formed."""

import json
import math
from collections.abc import Iterator
from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.fakes.days import Day, make_day
from tests.fakes.looks import EVERYTHING, ROOM, Stage, judged, looks_of

from forge_edge.monitor.findings import Answer, Finding
from forge_edge.monitor.looks import Keypoints, Look, Measures
from forge_edge.monitor.monitor import Monitor
from forge_edge.monitor.zones import Zones
from forge_shared.plan import Watch

EARLY, LATE = 1.0, 3.0
"""Seconds before an incident begins and after it ended or was due, in which a finding is about it."""


@pytest.fixture(scope="module")
def morning() -> Day:
    return make_day(1, hours=0.75, from_hour=7.75)


def written(found: list[Finding]) -> bytes:
    return "\n".join(json.dumps(asdict(finding)) for finding in found).encode()


def test_the_same_looks_give_the_same_findings_byte_for_byte(morning: Day) -> None:
    zones = Zones.read(morning.zones)
    first, again = (written(judged(looks_of(morning.arrays), zones)) for _ in range(2))
    assert first == again
    assert first


def test_a_log_says_the_same_whenever_it_is_replayed(morning: Day) -> None:
    zones, looks = Zones.read(morning.zones), looks_of(morning.arrays)
    later = [replace(look, at_s=look.at_s + 4096.0) for look in looks]
    one, other = judged(looks, zones), judged(later, zones)
    assert [(finding.kind, finding.stage, finding.zone, finding.incident) for finding in one] == [
        (finding.kind, finding.stage, finding.zone, finding.incident) for finding in other
    ]
    assert [finding.at_s + 4096 for finding in one] == pytest.approx([finding.at_s for finding in other])


@pytest.mark.parametrize(("seed", "hour"), [(2, 7), (3, 14), (4, 23), (5, 10), (6, 2), (7, 17)])
def test_an_hour_of_a_simulated_day_holds_what_happened_in_it_and_no_more_than_one_false_alarm(
    seed: int, hour: int
) -> None:
    day = make_day(seed, hours=1, from_hour=hour)
    limits = day.limits
    kinds = tuple(kind for kind in EVERYTHING.kinds if kind != "bed_exit" or limits.bed_exit)
    found = [
        finding
        for finding in judged(looks_of(day.arrays), Zones.read(day.zones), Watch(kinds=kinds))
        if finding.stage in {"suspected", "confirmed"}
    ]
    whole = [line for line in day.incidents if max(line.until_s, line.due_s) + LATE < 3600 * (hour + 1)]
    for line in whole:
        assert any(
            finding.kind == line.kind and line.at_s - EARLY <= finding.at_s <= max(line.until_s, line.due_s) + LATE
            for finding in found
        ), f"{line.kind} at {line.at_s:.0f}"
    false = {
        (finding.kind, finding.incident)
        for finding in found
        if not any(
            (finding.kind == line.kind or finding.kind in line.allows)
            and line.at_s - 5 <= finding.at_s <= max(line.until_s, line.due_s) + 10
            for line in day.truth
        )
    }
    assert len(false) <= 1


LEGAL = {
    None: {"suspected", "confirmed"},
    "suspected": {"confirmed", "withdrawn", "over"},
    "confirmed": {"over", "confirmed"},
}


def check(found: list[Finding]) -> None:
    before: dict[int, Finding] = {}
    for finding in found:
        last = before.get(finding.incident)
        assert last is None or last.kind == finding.kind
        assert finding.stage in LEGAL.get(last.stage if last else None, set()), "nothing follows an end"
        assert math.isfinite(finding.at_s)
        assert finding.began_s <= finding.at_s
        assert 0 <= finding.confidence <= 1
        assert (finding.cause is not None) == (finding.kind == "blind")
        before[finding.incident] = finding
    times = [finding.at_s for finding in found]
    assert times == sorted(times)
    numbers = list(dict.fromkeys(finding.incident for finding in found))
    assert numbers == list(range(1, len(numbers) + 1))


def people_of(stage: Stage) -> list[Keypoints]:
    """Return people in all postures at all places, as they are seen."""
    found = []
    for place in ("mat", "bed", "chair", "door", "bathroom_door", "edge"):
        for posture in ("stand", "sit", "supine", "edge"):
            room = Stage()
            somebody = room.somebody(place)
            somebody.take(posture, 0.1)
            somebody.wait(1, "awake")
            found += list(room.looks(0.5)[4].people)
    assert stage.room.zones == Stage().room.zones
    return found


STAGE = Stage()
PEOPLE = people_of(STAGE)
NOBODY = np.full((33, 4), np.nan, np.float32)
measures = st.builds(
    Measures,
    luma=st.floats(0, 255),
    contrast=st.floats(0, 127),
    motion=st.sampled_from([0.0, 0.6, 20.0]),
    scene=st.integers(0, 2**64 - 1),
)
any_numbers = st.integers(0, 2**32).map(
    lambda seed: np.random.default_rng(seed).uniform(-2, 3, (33, 4)).astype(np.float32)
)
somebody = st.one_of(st.sampled_from(PEOPLE), st.sampled_from(PEOPLE), st.just(NOBODY), any_numbers)
gap = st.one_of(st.just(0.0), st.just(0.1), st.floats(0, 2), st.floats(0, 3600))
run = st.tuples(
    st.integers(1, 30),
    gap,
    st.lists(somebody, max_size=4),
    st.one_of(st.none(), st.just(ROOM), measures),
    st.one_of(st.none(), st.floats(0, 86_399)),
    st.booleans(),
    st.sampled_from([None, None, None, "well", "hurt", "silence"]),
)


def played(runs: list[tuple[int, float, list[Keypoints], Measures | None, float | None, bool, Answer | None]],
           zones: Zones) -> Iterator[Finding]:  # fmt: skip
    monitor, at_s = Monitor(EVERYTHING, zones), 0.0
    for count, passed_s, people, picture, day_s, looked, answer in runs:
        for number in range(count):
            at_s += passed_s if number == 0 else 0.2
            yield from monitor.tick(at_s)
            yield from monitor.see(Look(at_s, tuple(people), picture, day_s=day_s, looked=looked))
        if answer is not None:
            yield from monitor.answered(at_s, answer)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(runs=st.lists(run, max_size=25), drawn=st.booleans())
def test_whatever_is_looked_at_nothing_fails_and_the_findings_are_well_formed(
    runs: list[tuple[int, float, list[Keypoints], Measures | None, float | None, bool, Answer | None]], *, drawn: bool
) -> None:
    zones = STAGE.zones if drawn else Zones({})
    found = list(played(runs, zones))
    check(found)
    assert written(found) == written(list(played(runs, zones)))
