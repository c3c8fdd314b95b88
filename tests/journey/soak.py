"""Hours in a room in which things happen all the time, accelerated: ``python -m tests.journey.soak --hours 8``.

A hub, its broker and one node as real processes. The patient asks for water and coughs, a visitor and a television
talk, the microphone is unplugged, switched off and muted in mid-speech, and the broker is killed again and again.
Prints a report as JSON and ends with 1 if something did not hold.
"""

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.fakes.namespace import Namespace
from tests.journey.world import Site, until

ROOM = "room-1"
NODE = Path(__file__).parents[1] / "fakes" / "soak_node.py"
FIRST_RESTART_SECONDS = 3.0
"""Soon enough for the shortest run."""
BROKER_LIVES_SECONDS, BROKER_IS_GONE_SECONDS = 30.0, 3.0
HUB_STARTS_SECONDS = 300.0
"""On a machine that is busy with the accelerated room."""
LOG_LINES_A_MINUTE = 10
GROWTH = 1.25
"""Memory after the first quarter and at the end, of at least an hour: caches are full by then."""
LEAST_HOURS = 1.0
LONGEST_SECONDS = {"listening": 60.0, "speaking": 60.0, "deciding": 20.0}


@dataclass
class Report:
    """What an accelerated day has shown."""

    simulated_hours: float = 0.0
    wall_minutes: float = 0.0
    happened: dict[str, int] = field(default_factory=dict)
    broker_restarts: int = 0
    asked_for_water: int = 0
    stored: dict[str, int] = field(default_factory=dict)
    longest_seconds: dict[str, float] = field(default_factory=dict)
    log_lines_a_minute: float = 0.0
    memory_growth: float = 0.0
    core_memory_growth: float = 0.0
    finished: bool = False
    broker_port: int = 0

    def wrong(self) -> list[str]:
        """Return what did not hold, in words."""
        found = []
        if not self.finished:
            found.append("the room did not come to its end")
        if set(self.stored) - {"water"}:
            found.append("something was stored that nobody asked for")
        if self.stored.get("water", 0) > self.asked_for_water:
            found.append("water was stored more often than it was asked for")
        if self.stored.get("water", 0) < 0.7 * self.asked_for_water:
            found.append("the room did not listen any more")
        found += [
            f"{state} hung"
            for state, longest in LONGEST_SECONDS.items()
            if self.longest_seconds.get(state, 0) > longest
        ]
        if self.log_lines_a_minute >= LOG_LINES_A_MINUTE:
            found.append("too much is logged")
        if self.simulated_hours >= LEAST_HOURS and max(self.memory_growth, self.core_memory_growth) > GROWTH:
            found.append("memory grows")
        return found


def soak(  # noqa: PLR0913 (what may differ between one day and another, by keyword)
    folder: Path,
    *,
    hours: float,
    seed: int,
    limit_seconds: float,
    speed: float | None = None,
    network: Namespace | None = None,
) -> Report:
    """Let a day pass, in a network of its own if there is one, and report it."""
    report, started = Report(), time.monotonic()
    core_kb: list[int] = []
    environment = {"FORGE_HUB_BROKER_HOST": network.here} if network else {}
    with Site(folder, hub_environment=environment) as site:
        report.broker_port = site.broker_port
        script = folder / f"{ROOM}.script.json"
        script.write_text(json.dumps({"hours": hours, "seed": seed, "speed": speed}), encoding="utf-8")
        command = [sys.executable, str(NODE), str(script)]
        site.start_room_program(
            ROOM, network.inside(command) if network else command, FORGE_EDGE_CANARY_MINUTES="2"
        )  # fmt: skip
        outcome_file = folder / f"{ROOM}.script.outcome.json"
        outcome: dict[str, Any] = {}
        restart_at = time.monotonic() + FIRST_RESTART_SECONDS
        while time.monotonic() - started < limit_seconds and not outcome.get("happened", {}).get("done"):
            time.sleep(0.5)
            if outcome_file.exists():
                outcome = json.loads(outcome_file.read_bytes())
            core_kb.append(_resident_kb(site.room_pid(ROOM)))
            if time.monotonic() >= restart_at:
                site.kill_hub()
                time.sleep(BROKER_IS_GONE_SECONDS)
                site.launch_hub()
                until("the hub", site.hub_is_up, seconds=HUB_STARTS_SECONDS)
                report.broker_restarts += 1
                restart_at = time.monotonic() + BROKER_LIVES_SECONDS
        _await_delivery(site)
        events = site.records("SELECT envelope FROM event_log WHERE node = ? AND type LIKE '%.request.made.%'", ROOM)
        report.stored = dict(Counter(json.loads(envelope)["data"]["request"] for (envelope,) in events))
        log = (folder / f"{ROOM}.log").read_text(encoding="utf-8")
    report.simulated_hours = round(outcome.get("simulated_seconds", 0) / 3600, 2)
    report.wall_minutes = round((time.monotonic() - started) / 60, 1)
    report.happened = outcome.get("happened", {})
    report.asked_for_water = report.happened.get("asked", 0)
    report.longest_seconds = outcome.get("longest_seconds", {})
    report.log_lines_a_minute = round(len(log.splitlines()) / max(report.simulated_hours * 60, 1), 2)
    report.memory_growth = _growth([kb for _, kb in outcome.get("ears_resident_kb", [])])
    report.core_memory_growth = _growth(core_kb)
    report.finished = bool(report.happened.get("done"))
    return report


def _await_delivery(site: Site) -> None:
    deadline = time.monotonic() + 60
    while site.pending(ROOM) and time.monotonic() < deadline:
        time.sleep(0.2)


def _growth(values: list[int]) -> float:
    return round(values[-1] / max(values[: max(1, len(values) // 4)]), 2) if values else 0.0


def _resident_kb(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))


def main() -> int:
    """Run from the command line; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=8.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--limit-minutes", type=float, default=180.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report = soak(
            Path(folder), hours=options.hours, seed=options.seed, limit_seconds=60 * options.limit_minutes
        )  # fmt: skip
    print(json.dumps({"figure": "soak", **asdict(report), "wrong": report.wrong()}))
    return 1 if report.wrong() else 0


if __name__ == "__main__":
    sys.exit(main())
