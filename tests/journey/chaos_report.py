"""What was made beside what arrived, and whether every alert rang and climbed when it should."""

import dataclasses
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any

from forge_hub.alerts.escalation import DEFAULT_PLANS, Priority, priority_of
from forge_hub.alerts.escalation import Plan as Escalation

if TYPE_CHECKING:
    from tests.journey.chaos_world import World

IN_TIME_SECONDS = 5.0
"""A ring later than this after its timer ended counts as late: the engine looks every second. Ours."""
PERSONAL = "('request', 'risk-answer')"
STEPS = f"""
SELECT s.alert, s.what, s.level, s.at, a.severity, a.late
FROM alert_step AS s JOIN alert AS a ON a.id = s.alert WHERE a.kind IN {PERSONAL} ORDER BY s.alert, s.id
"""  # noqa: S608 (a constant of ours)
EVENTS = f"""
SELECT event_id FROM alert WHERE kind IN {PERSONAL}
UNION ALL SELECT event_id FROM alert_step WHERE what = 'merged'
"""  # noqa: S608 (the same)
STEADY: Mapping[Priority, Escalation] = {
    priority: dataclasses.replace(DEFAULT_PLANS["high"], acceptance_seconds=60) for priority in DEFAULT_PLANS
}
"""The default plan of high priority for all, with acceptances that expire within the run."""
FAST: Mapping[Priority, Escalation] = {priority: Escalation(5, 10, 20, 15) for priority in ("high", "medium", "low")}
"""For the short form, which has no minutes to wait."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How much happens: in all, not for each room."""

    alerts: int = 10_000
    records: int = 50_000
    rooms: int = 50
    strikes: int = 50
    seed: int = 20261121
    power: bool = False
    per_second: float = 5.0
    disk_megabytes: int = 2000
    longest_seconds: float = 3000.0
    escalation: Mapping[Priority, Escalation] = field(default_factory=lambda: STEADY)


@dataclass(slots=True)
class Outcome:
    """What was found afterwards.

    Attributes:
        hub_was_away: From when to when it could not ring, in seconds since 1970.
        told_and_lost: Events of which a room had been told that they are safe, and which are not in the log.
        waits: By how many seconds each ring or answer came after the timer that asked for it, without the time in which
            the hub was away.
        unanswered: Alerts that nobody had accepted at the end; they ring, and climbed in time.
        ended_at: When it was over, in seconds since 1970.
    """

    plan: Plan
    seconds: float = 0.0
    ended_at: float = 0.0
    produced: Counter[str] = field(default_factory=Counter)
    committed: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    told_and_lost: int = 0
    twice: int = 0
    lanes_out_of_order: int = 0
    alarms_shown: int = 0
    alarms_shown_twice: int = 0
    alerts: int = 0
    unanswered: int = 0
    waits: list[float] = field(default_factory=list)
    steps: Counter[str] = field(default_factory=Counter)
    quarantined: int = 0
    new_epochs: int = 0
    strikes: Counter[str] = field(default_factory=Counter)
    hub_was_away: list[tuple[float, float]] = field(default_factory=list)
    not_done: list[str] = field(default_factory=list)

    @property
    def late(self) -> int:
        """How many rings came too late."""
        return sum(wait > IN_TIME_SECONDS for wait in self.waits)

    @property
    def well(self) -> bool:
        """Whether what was made arrived once and in order, and every alert was accepted or climbed in time."""
        faults = (
            self.lost,
            self.told_and_lost,
            self.twice,
            self.lanes_out_of_order,
            self.alarms_shown_twice,
            self.quarantined,
            self.new_epochs,
            self.late,
        )
        return not any(faults) and self.produced == self.committed and self.alarms_shown == self.produced["alarm"]

    def report(self) -> dict[str, Any]:
        """Return the report as JSON holds it."""
        return {
            "figure": "chaos",
            "form": "power" if self.plan.power else "failures",
            "well": self.well,
            "rooms": self.plan.rooms,
            "seed": self.plan.seed,
            "seconds": round(self.seconds, 1),
            "produced": dict(self.produced),
            "committed": dict(self.committed),
            "lost": self.lost,
            "told_and_lost": self.told_and_lost,
            "twice": self.twice,
            "lanes_out_of_order": self.lanes_out_of_order,
            "alarms_shown": self.alarms_shown,
            "alarms_shown_twice": self.alarms_shown_twice,
            "alerts": self.alerts,
            "steps": dict(self.steps),
            "unanswered": self.unanswered,
            "late_rings": self.late,
            "longest_wait_s": round(max(self.waits, default=0.0), 2),
            "hub_away_s": round(sum(end - begin for begin, end in self.hub_was_away), 1),
            "quarantined": self.quarantined,
            "new_epochs": self.new_epochs,
            "strikes": dict(self.strikes),
            "not_done": self.not_done,
        }

    def table(self) -> str:
        """Return the report as a table for docs/benchmarks.md."""
        struck = ", ".join(f"{name} {count}" for name, count in sorted(self.strikes.items()))
        steps = ", ".join(f"{name} {self.steps[name]}" for name in ("rung", "declined", "expired", "accepted"))
        waits = f"{len(self.waits)} / {self.late} / {max(self.waits, default=0.0):.1f}"
        rows = [
            ("form", "power" if self.plan.power else "failures"),
            ("rooms", self.plan.rooms),
            ("alarms made / committed", f"{self.produced['alarm']} / {self.committed['alarm']}"),
            ("records made / committed", f"{self.produced['record']} / {self.committed['record']}"),
            ("lost / told safe and lost / twice", f"{self.lost} / {self.told_and_lost} / {self.twice}"),
            ("lanes out of order", self.lanes_out_of_order),
            ("alarms shown / shown twice / alerts", f"{self.alarms_shown} / {self.alarms_shown_twice} / {self.alerts}"),
            ("steps of alerts", steps),
            ("timers that ended / late / longest wait in s", waits),
            ("alerts nobody had accepted at the end", self.unanswered),
            ("strikes", struck),
            ("seconds", round(self.seconds)),
            ("not done here", ", ".join(self.not_done) or "nothing"),
        ]
        return "\n".join(["| what | value |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)])


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened to an alert. ``at`` in seconds since 1970."""

    what: str
    level: int
    at: float


def examine(world: "World") -> None:
    """Compare what was made with what is in the log, and the log with the alerts."""
    outcome, site = world.outcome, world.site
    for name in world.names:
        (epoch,) = world.ask(name, "SELECT id FROM epoch")[0]
        # No hub was restored, so no node may have come to believe it.
        ((epochs,),) = site.records("SELECT count(DISTINCT epoch) FROM event_log WHERE node = ?", name)
        outcome.new_epochs += epochs - 1
        for lane, last in world.positions(name).items():
            query = "SELECT sequence FROM event_log WHERE node = ? AND epoch = ? AND lane = ? ORDER BY position"
            logged = [sequence for (sequence,) in site.records(query, name, epoch, lane)]
            outcome.produced[lane] += last
            outcome.committed[lane] += len(logged)
            outcome.lost += len(set(range(1, last + 1)) - set(logged))
            outcome.lanes_out_of_order += logged != sorted(logged)
        told = {json.loads(line)[2] for line in (world.told / f"{name}.jsonl").read_text().splitlines()}
        known = {event for (event,) in site.records("SELECT event_id FROM event_log WHERE node = ?", name)}
        outcome.told_and_lost += len(told - known)
    ((rows, ids),) = site.records("SELECT count(*), count(DISTINCT event_id) FROM event_log")
    outcome.twice = rows - ids
    shown = [event for (event,) in site.records(EVENTS)]
    outcome.alarms_shown, outcome.alarms_shown_twice = len(set(shown)), len(shown) - len(set(shown))
    ((outcome.alerts, outcome.unanswered),) = site.records(
        f"SELECT count(*), count(*) FILTER (WHERE state = 'open') FROM alert WHERE kind IN {PERSONAL}"  # noqa: S608 (a constant of ours)
    )
    ((outcome.quarantined,),) = site.records("SELECT count(*) FROM quarantine")
    for _, of_alert in groupby(site.records(STEPS), key=lambda row: row[0]):
        rows_of = list(of_alert)
        plan = world.plan.escalation[priority_of(rows_of[0][4], late=bool(rows_of[0][5]))]
        steps = [Step(what, level or 0, _seconds(at)) for _, what, level, at, _, _ in rows_of]
        outcome.steps.update(step.what for step in steps)
        outcome.waits += waits(steps, plan, outcome.hub_was_away, outcome.ended_at)


def waits(
    steps: Sequence[Step], plan: Escalation, away: Sequence[tuple[float, float]], ended: float | None = None
) -> list[float]:
    """Return by how many seconds each ring or answer came after the end of the timer that asked for it, at least 0.

    Args:
        steps: What happened to one alert, in order.
        plan: How fast it climbs.
        away: When nobody could ring.
        ended: When the run did: a timer that had ended by then and asked for nothing yet counts as well.
    """

    def wait(since: float, at: float) -> float:
        return max(0.0, at - since - sum(max(0.0, min(at, end) - max(since, begin)) for begin, end in away))

    found = []
    due: float | None = None
    for step in steps:
        if due is not None and step.what in {"rung", "accepted", "attended", "closed"}:
            found.append(wait(due, step.at))
        match step.what:
            case "raised" | "withdrawn":
                due = step.at
            case "rung":
                due = step.at + plan.seconds_at(step.level)
            case "accepted":
                due = step.at + plan.acceptance_seconds
            case "attended" | "closed":
                due = None
    if ended is not None and due is not None and ended > due:
        found.append(wait(due, ended))
    return found


def _seconds(stored: str) -> float:
    return datetime.fromisoformat(stored).replace(tzinfo=UTC).timestamp()
