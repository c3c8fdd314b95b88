"""What the alerts cost the people who answer them, per ward. Pure, but for `read_burden`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from statistics import median

from sqlalchemy import func, select

from forge_hub.alerts.standing import read_duties
from forge_hub.records.database import Database
from forge_hub.records.schema import Alert, AlertStep, Duty, Ward

BURDEN_OVER = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Handled:
    """An alert of a ward. ``accepted_at`` is the first acceptance, ``verdict`` what a person said it was."""

    ward: str | None
    raised_at: datetime
    accepted_at: datetime | None
    verdict: str | None


@dataclass(frozen=True, slots=True)
class Served:
    """A duty in a ward."""

    ward: str
    begins_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Burden:
    """The burden of one ward. What cannot be told is None.

    Attributes:
        ward: The ward, None for rooms that belong to none.
        alerts: How many alerts were raised.
        nurse_hours: Hours of duty, summed over people.
        per_nurse_hour: Alerts per hour of duty.
        seconds_to_accept: Median from raised to the first acceptance.
        share_real: Real over real and false, in [0, 1]; tests and what cannot be told count for neither.
    """

    ward: str | None
    alerts: int
    nurse_hours: float
    per_nurse_hour: float | None
    seconds_to_accept: float | None
    share_real: float | None


def burden_of(
    handled: Iterable[Handled], served: Iterable[Served], *, since: datetime, until: datetime
) -> list[Burden]:
    """Return the burden of every ward that had an alert or a duty between two moments, by ward."""
    alerts: dict[str | None, list[Handled]] = {}
    for each in handled:
        if since <= each.raised_at < until:
            alerts.setdefault(each.ward, []).append(each)
    seconds: dict[str | None, float] = {}
    for duty in served:
        worked = (min(duty.ends_at, until) - max(duty.begins_at, since)).total_seconds()
        if worked > 0:
            seconds[duty.ward] = seconds.get(duty.ward, 0.0) + worked
    wards = sorted({*alerts, *seconds}, key=lambda ward: (ward is None, ward or ""))
    return [_one(ward, alerts.get(ward, []), seconds.get(ward, 0.0) / 3600) for ward in wards]


def read_burden(database: Database, now: datetime, zone: tzinfo) -> list[tuple[str, Burden]]:
    """Return the burden of the last seven days with the wards' names. Blocks on the store."""
    since = now - BURDEN_OVER
    first = (
        select(AlertStep.alert, func.min(AlertStep.at).label("at"))
        .where(AlertStep.what.in_(("accepted", "attended")))
        .group_by(AlertStep.alert)
        .subquery()
    )
    query = select(Alert, first.c.at).outerjoin(first, first.c.alert == Alert.id)
    with database.read() as transaction:
        duties = read_duties(transaction, now, zone)
        names = {ward.id: ward.name for ward in transaction.scalars(select(Ward))}
        rows = transaction.execute(query.where(Alert.raised_at >= since, Alert.kind != "canary"))
        handled = [Handled(duties.ward_of(alert), alert.raised_at, at, alert.verdict) for alert, at in rows]
        past = transaction.scalars(select(Duty).where(Duty.ends_at > since))
        served = [Served(duty.ward, duty.begins_at, duty.ends_at) for duty in past]
    burdens = burden_of(handled, served, since=since, until=now + timedelta(microseconds=1))
    return [(names.get(each.ward or "", each.ward or "No ward"), each) for each in burdens]


def _one(ward: str | None, alerts: Sequence[Handled], hours: float) -> Burden:
    waits = [(each.accepted_at - each.raised_at).total_seconds() for each in alerts if each.accepted_at is not None]
    judged = [each.verdict for each in alerts if each.verdict in {"real", "false"}]
    return Burden(
        ward=ward,
        alerts=len(alerts),
        nurse_hours=hours,
        per_nurse_hour=len(alerts) / hours if hours else None,
        seconds_to_accept=median(waits) if waits else None,
        share_real=judged.count("real") / len(judged) if judged else None,
    )
