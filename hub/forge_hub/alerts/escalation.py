"""Who is asked next, and when. Pure: where an alert stands, who is on duty and a time in, a decision out.

The first level is rung at once. Who does not accept in time is not waited for: the next level is rung as well, and at
last everyone, again and again, until a person accepts. A level with nobody on duty is passed over at once.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from forge_hub.alerts.states import State

Priority = Literal["high", "medium", "low"]
PRIORITIES: tuple[Priority, ...] = ("high", "medium", "low")
_PRIORITY: dict[str, Priority] = {"critical": "high", "high": "medium", "normal": "low"}

LEVELS = (1, 2, 3)
"""Levels that a person can be on duty at."""
EVERYONE = 4
"""Beyond the last level: everyone, on duty or not."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How fast an alert climbs. Seconds after it first rang; each is larger than the one before.

    Attributes:
        second_level_seconds: When the second level is rung.
        third_level_seconds: When the third is.
        everyone_seconds: When everyone is; rung again after as long, until someone accepts.
        acceptance_seconds: How long an acceptance holds without the person being there.
    """

    second_level_seconds: float
    third_level_seconds: float
    everyone_seconds: float
    acceptance_seconds: float

    def seconds_at(self, level: int) -> float:
        """Return how long a level is given before the next one is rung."""
        match level:
            case 1:
                return self.second_level_seconds
            case 2:
                return self.third_level_seconds - self.second_level_seconds
            case 3:
                return self.everyone_seconds - self.third_level_seconds
            case _:
                return self.everyone_seconds


DEFAULT_PLANS: Mapping[Priority, Plan] = {
    "high": Plan(30, 60, 120, 180),
    "medium": Plan(60, 120, 240, 300),
    "low": Plan(120, 240, 480, 900),
}
"""Plans where a ward has set none.

The priorities are those of IEC 60601-1-8:2006+A2:2020, clause 6.1.2: high asks for an immediate response, medium for a
prompt one, low for awareness. The seconds are ours: the standard sets none for calls that are passed on.
"""


@dataclass(frozen=True, slots=True)
class PlanRule:
    """A plan that a ward has set. What is None holds for every ward, or at any time."""

    ward: str | None
    shift: str | None
    priority: Priority
    plan: Plan


@dataclass(frozen=True, slots=True)
class Situation:
    """What a decision depends on.

    Attributes:
        level: The last level that was rung; 0 before the first.
        due_at: When the running timer ends.
        on_duty: Accounts on duty for the alert's ward now, by level.
        declined: Who has declined since it was last given to someone.
    """

    state: State
    level: int
    due_at: datetime | None
    plan: Plan
    on_duty: Mapping[int, frozenset[str]]
    declined: frozenset[str]


@dataclass(frozen=True, slots=True)
class Ring:
    """An alert is rung at a level. ``passed`` are levels where nobody was to be asked; ``expired`` an acceptance."""

    level: int
    due_at: datetime
    passed: tuple[int, ...] = ()
    expired: bool = False


def priority_of(severity: str, *, late: bool) -> Priority:
    """Return the priority of an alert. One that arrived late stands, but does not ring as if it had just happened."""
    return "low" if late else _PRIORITY.get(severity, "high")


def decide(situation: Situation, now: datetime) -> Ring | None:
    """Return whom to ring now, or None while the running timer has not ended."""
    if situation.state not in {"open", "accepted"}:
        return None
    is_new = situation.state == "open" and situation.level == 0
    if not is_new and (situation.due_at is None or situation.due_at > now):
        return None
    passed = []
    level = situation.level
    while level < EVERYONE:
        level += 1
        if level == EVERYONE or situation.on_duty.get(level, frozenset()) - situation.declined:
            break
        passed.append(level)
    due_at = now + timedelta(seconds=situation.plan.seconds_at(level))
    return Ring(level, due_at, tuple(passed), expired=situation.state == "accepted")


def everyone_declined(level: int, on_duty: Mapping[int, frozenset[str]], declined: frozenset[str]) -> bool:
    """Tell whether nobody who has been rung so far is left to accept. Everyone cannot have declined."""
    rung = frozenset[str]().union(*(on_duty.get(each, frozenset()) for each in range(1, level + 1)))
    return 0 < level < EVERYONE and rung <= declined


def plan_for(rules: Iterable[PlanRule], *, ward: str | None, shift: str | None, priority: Priority) -> Plan:
    """Return the plan that fits best: ward and shift, then ward, then shift, then the one for all, then the default."""
    fitting = [
        rule
        for rule in rules
        if rule.priority == priority and rule.ward in {None, ward} and rule.shift in {None, shift}
    ]
    best = max(fitting, key=lambda rule: (rule.ward is not None, rule.shift is not None), default=None)
    return best.plan if best else DEFAULT_PLANS[priority]
