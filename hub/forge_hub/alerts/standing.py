"""Reading what a decision depends on: who is on duty for an alert's ward now, and the plan that holds there."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo

from sqlalchemy import select
from sqlalchemy.orm import Session as Transaction

from forge_hub.alerts.escalation import Plan, PlanRule, Priority, plan_for, priority_of
from forge_hub.alerts.roster import ShiftTimes, answering, shift_now
from forge_hub.records.schema import Alert, AlertStep, Bed, Duty, EscalationPlan, Shift


@dataclass(frozen=True, slots=True)
class Duties:
    """Wards, shifts, plans and who is on duty, as one moment of the store has them.

    Attributes:
        wards: Ward of each node that stands at a bed.
    """

    now: datetime
    zone: tzinfo
    wards: Mapping[str, str]
    shifts: tuple[ShiftTimes, ...]
    rules: tuple[PlanRule, ...]
    duties: tuple[Duty, ...]

    def ward_of(self, alert: Alert) -> str | None:
        """Return the ward that an alert belongs to, if it belongs to one."""
        named = alert.detail.get("ward")
        return self.wards.get(alert.node) or (str(named) if named else None)

    def on_duty(self, alert: Alert) -> Mapping[int, frozenset[str]]:
        """Return who answers for an alert now, by level."""
        return answering(self.duties, self.ward_of(alert), self.now)

    def plan(self, alert: Alert) -> Plan:
        """Return how fast an alert climbs now."""
        ward = self.ward_of(alert)
        shift = shift_now(self.shifts, ward, self.now.astimezone(self.zone))
        return plan_for(self.rules, ward=ward, shift=shift.id if shift else None, priority=priority(alert))


def priority(alert: Alert) -> Priority:
    """Return the priority of a stored alert."""
    return priority_of(alert.severity, late=alert.late)


def read_duties(transaction: Transaction, now: datetime, zone: tzinfo) -> Duties:
    """Read everything that decisions on alerts need, once for many of them."""
    beds = transaction.execute(select(Bed.node, Bed.ward).where(Bed.node.is_not(None)).order_by(Bed.id.desc()))
    return Duties(
        now=now,
        zone=zone,
        wards={node: ward for node, ward in beds if node is not None},
        shifts=tuple(_times(shift) for shift in transaction.scalars(select(Shift))),
        rules=tuple(_rule(plan) for plan in transaction.scalars(select(EscalationPlan))),
        duties=tuple(transaction.scalars(select(Duty).where(Duty.begins_at <= now, Duty.ends_at > now))),
    )


def declined(transaction: Transaction, alerts: Collection[str]) -> Mapping[str, frozenset[str]]:
    """Return who has declined each alert since it was last without anyone: its raising, or an acceptance that ended.

    Args:
        transaction: Reads once, however many there are.
        alerts: Ids of at most 32,766 alerts (SQLite's limit of parameters, sqlite.org/limits.html).
    """
    query = select(AlertStep.alert, AlertStep.what, AlertStep.account).where(AlertStep.alert.in_(alerts))
    accounts: dict[str, set[str]] = {alert: set() for alert in alerts}
    for alert, what, account in transaction.execute(query.order_by(AlertStep.id)):
        if what in {"raised", "expired"}:
            accounts[alert].clear()
        elif what in {"declined", "withdrawn"} and account:
            accounts[alert].add(account)
    return {alert: frozenset(of_alert) for alert, of_alert in accounts.items()}


def _times(shift: Shift) -> ShiftTimes:
    days = frozenset(int(digit) for digit in shift.weekdays)
    return ShiftTimes(shift.id, shift.ward, shift.starts_minute, shift.ends_minute, days)


def _rule(row: EscalationPlan) -> PlanRule:
    plan = Plan(row.second_level_seconds, row.third_level_seconds, row.everyone_seconds, row.acceptance_seconds)
    return PlanRule(row.ward, row.shift, "high" if row.priority == "high" else _lower(row.priority), plan)


def _lower(name: str) -> Priority:
    return "medium" if name == "medium" else "low"
