"""What the room makes of simulated days: incidents found of those that were planted, and false alarms.

    python benchmarks/days.py [--seeds 201-210]     some minutes a seed

Each day (24 hours, 20 planted incidents, `tests.fakes.days`) is made into a temporary folder and replayed through the
monitor with the ward's limits and the zones of its room. All kinds are watched for; getting up alone only where it was
agreed. A finding counts for an incident of its kind from 1 s before it began until 3 s after it ended or was due; it
must be confirmed, unless the incident is one that is over before it could be. False is an incident number of the
monitor without any such finding that nothing in the day allows either. Simulated days say nothing about a ward.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tests.fakes.days import Limits, Truth, make_day
from tests.fakes.looks import EVERYTHING, judged, looks_of

from forge_edge.monitor.findings import Finding
from forge_edge.monitor.zones import Zones
from forge_shared.plan import Watch

BEFORE_S, AFTER_S = 1.0, 3.0
"""When a finding is about an incident."""
ALLOWED_BEFORE_S, ALLOWED_AFTER_S = 5.0, 10.0
"""When it is about a stretch of the day that allows it."""


@dataclass(frozen=True)
class Result:
    """What became of one day."""

    planted: int
    missed: tuple[Truth, ...]
    false: tuple[Finding, ...]


def replayed(folder: Path) -> Result:
    """Judge a day that was written."""
    zones = Zones.read(json.loads((folder / "zones.json").read_text(encoding="utf-8")))
    limits = Limits(**json.loads((folder / "patient.json").read_text(encoding="utf-8")))
    lines = (folder / "truth.jsonl").read_text(encoding="utf-8").splitlines()
    truth = [_truth(json.loads(line)) for line in lines]
    with np.load(folder / "day.npz") as arrays:
        looks = looks_of({name: arrays[name] for name in arrays})
    return compared(truth, judged(looks, zones, watch_of(limits)))


def watch_of(limits: Limits) -> Watch:
    """Return what is watched for with a ward's limits."""
    return Watch.model_validate(
        {
            "kinds": tuple(kind for kind in EVERYTHING.kinds if kind != "bed_exit" or limits.bed_exit),
            "night": {"begins": _clock(limits.night_begins_s), "ends": _clock(limits.night_ends_s)},
            "absent_minutes": limits.absent_s / 60,
            "immobile_minutes": limits.immobile_s / 60,
            "visitor_minutes": limits.extra_person_s / 60,
        }
    )


def compared(truth: Sequence[Truth], found: Sequence[Finding]) -> Result:
    """Say which incidents were missed, and which findings are false."""
    incidents = [line for line in truth if line.kind != "benign"]
    told = [finding for finding in found if finding.stage in {"suspected", "confirmed"}]
    missed = tuple(
        line
        for line in incidents
        if not any(
            _is_about(finding, line) and (line.stage == "suspected" or finding.stage == "confirmed") for finding in told
        )
    )
    right = {finding.incident for finding in told if any(_is_about(finding, line) for line in incidents)}
    right |= {finding.incident for finding in told if any(_is_allowed(finding, line) for line in truth)}
    first = {finding.incident: finding for finding in reversed(told)}
    return Result(
        len(incidents), missed, tuple(finding for number, finding in sorted(first.items()) if number not in right)
    )


def _is_about(finding: Finding, line: Truth) -> bool:
    return finding.kind == line.kind and line.at_s - BEFORE_S <= finding.at_s <= max(line.until_s, line.due_s) + AFTER_S


def _is_allowed(finding: Finding, line: Truth) -> bool:
    return (
        finding.kind in line.allows and line.at_s - ALLOWED_BEFORE_S <= finding.at_s <= line.until_s + ALLOWED_AFTER_S
    )


def _truth(line: dict[str, Any]) -> Truth:
    return Truth(**{**line, "allows": tuple(line["allows"])})


def _clock(seconds: float) -> str:
    return f"{int(seconds // 3600):02}:{int(seconds // 60 % 60):02}:{int(seconds % 60):02}"


def _seeds(text: str) -> list[int]:
    first, _, last = text.partition("-")
    return list(range(int(first), int(last or first) + 1))


def main() -> None:
    """Print one JSON line for each day, and one for all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=_seeds, default=_seeds("201-210"), metavar="FIRST-LAST")
    results = []
    for seed in parser.parse_args().seeds:
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as name:
            make_day(seed).write(Path(name))
            result = replayed(Path(name))
        results.append(result)
        line = {
            "figure": "days.day",
            "seed": seed,
            "found": result.planted - len(result.missed),
            "of": result.planted,
            "false": len(result.false),
            "missed": [{"kind": one.kind, "at_s": round(one.at_s)} for one in result.missed],
            "false_alarms": [
                {"kind": one.kind, "stage": one.stage, "at_s": round(one.at_s), "zone": one.zone}
                for one in result.false
            ],
            "seconds": round(time.monotonic() - began, 1),
        }
        print(json.dumps(line), flush=True)
    planted = sum(result.planted for result in results)
    print(
        json.dumps(
            {
                "figure": "days.all",
                "days": len(results),
                "found": planted - sum(len(result.missed) for result in results),
                "of": planted,
                "false": sum(len(result.false) for result in results),
                "most_false_in_a_day": max(len(result.false) for result in results),
                "bound": "20 of 20 found and at most 1 false a day",
            }
        )
    )


if __name__ == "__main__":
    main()
