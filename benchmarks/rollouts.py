"""Bad releases that are withdrawn before they reach the second ring, and good ones that reach every room.

A hundred simulated rooms (`tests/fakes/fleet.py`) under the real records, catalogue, engine and verdicts; time is
lapsed. Each release is rolled out in its own seeded fleet, by the hub's rule and, as a baseline, by counting failed
rooms alone, as roll-outs do that never look at what a release does in the room. How often the rule for false alerts
errs is counted over many more first rings, without store and catalogue (`--rules`).
"""

import argparse
import json
import logging
import statistics
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import structlog
from tests.fakes.alert_counts import RATE_PER_DAY, drawn, told_after_hours
from tests.fakes.fleet import GOOD, Behaviour, Fleet

from forge_hub.releases import engine
from forge_hub.releases.rollout import Found
from forge_hub.releases.verdicts import FAILED_COUNT, Evidence, judge

CASES: Mapping[str, Behaviour] = {
    "latency x2": Behaviour(latency=2.0),
    "false alerts x3": Behaviour(alerts=3.0),
    "golden differs on pi-5": Behaviour(golden_wrong_on=frozenset({"pi-5"})),
    "good": GOOD,
}
LONGEST_HOURS = 24.0 * 60
STEP_MINUTES = 120.0
TARGET = "fall-pose-1.0.0.tar"
SHM = Path("/dev/shm")  # noqa: S108 (a folder in memory: thousands of small files are written)


@dataclass(frozen=True, slots=True)
class Ended:
    """How one roll-out ended. ``ring``: the newest that was opened."""

    state: str
    ring: int
    hours: float
    served: int
    rooms: int


def count_failed(evidence: Evidence) -> list[Found]:
    """Return the baseline's verdict: enough rooms said that they failed."""
    failed = sum(room.state == "failed" for room in evidence.tried)
    finding = "bad" if failed >= FAILED_COUNT else "good"
    return [Found("failures", "all", finding, failed, FAILED_COUNT, len(evidence.tried), f"{failed} room(s) failed")]  # type: ignore[arg-type]


def roll_out(seed: int, behaviour: Behaviour, rule: Callable[[Evidence], list[Found]], rooms: int) -> Ended:
    """Roll one release out in a fleet of its own until it is done or withdrawn."""
    with tempfile.TemporaryDirectory(dir=SHM if SHM.is_dir() else None) as folder, patch.object(engine, "judge", rule):
        fleet = Fleet(Path(folder), seed, rooms=rooms, behaviours={TARGET: behaviour})
        begun = fleet.clock.now()
        started = fleet.rollouts.start(fleet.publish("1.0.0"), account="benchmark", why="measured")
        fleet.passes(LONGEST_HOURS, step_minutes=STEP_MINUTES, until=lambda: fleet.rollouts.state(started).is_final)
        state = fleet.rollouts.state(started)
        hours = (fleet.clock.now() - begun).total_seconds() / 3600
        ring = max((each.number for each in state.rings if each.state != "waiting"), default=0)
        served = len(fleet.serving(TARGET))
        fleet.database.close()
    return Ended(state.state, ring, hours, served, rooms)


def measure(name: str, behaviour: Behaviour, seeds: range, rooms: int, *, baseline: bool) -> None:
    """Print the figure of one kind of release."""
    ended = [roll_out(seed, behaviour, count_failed if baseline else judge, rooms) for seed in seeds]
    line = {
        "figure": "roll-outs",
        "release": name,
        "rule": "failed rooms alone" if baseline else "the hub's",
        "runs": len(ended),
        "withdrawn_before_ring_2": sum(each.state == "withdrawn" and each.ring == 1 for each in ended),
        "withdrawn_later": sum(each.state == "withdrawn" and each.ring > 1 for each in ended),
        "reached_every_room": sum(each.state == "done" for each in ended),
        "hours_median": round(statistics.median(each.hours for each in ended), 1),
        "hours_most": round(max(each.hours for each in ended), 1),
    }
    print(json.dumps(line), flush=True)


def measure_rule(ratio: float, runs: int) -> None:
    """Print how often the rule for false alerts errs, and after how long it tells, over many first rings."""
    told = [told_after_hours(drawn(seed, ratio)) for seed in range(runs)]
    line = {
        "figure": "false alerts in a first ring of 5",
        "times_as_many": ratio,
        "false_alerts_a_day_and_room": RATE_PER_DAY,
        "runs": runs,
        **{verdict: sum(each == verdict for each, _ in told) for verdict in ("bad", "good", "open")},
        "hours_median": statistics.median(hours for _, hours in told),
        "hours_p95": sorted(hours for _, hours in told)[int(0.95 * runs)],
    }
    print(json.dumps(line), flush=True)


def main() -> None:
    """Print every figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20, help="roll-outs of each kind (default: 20)")
    parser.add_argument("--first", type=int, default=0, help="the first seed (default: 0)")
    parser.add_argument("--rooms", type=int, default=100, help="rooms of a fleet (default: 100)")
    parser.add_argument("--only", choices=sorted(CASES), help="one kind of release")
    parser.add_argument("--rules", type=int, default=1000, help="runs of the rule for false alerts alone; 0: none")
    parser.add_argument("--no-baseline", action="store_true")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    seeds = range(options.first, options.first + options.seeds)
    for name, behaviour in CASES.items() if options.seeds else ():
        if options.only in {None, name}:
            measure(name, behaviour, seeds, options.rooms, baseline=False)
            if not options.no_baseline:
                measure(name, behaviour, seeds, options.rooms, baseline=True)
    if options.rules:
        for ratio in (1.0, 2.0, 3.0):
            measure_rule(ratio, options.rules)


if __name__ == "__main__":
    main()
