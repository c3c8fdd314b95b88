"""Reading from the records what `forge_hub.alerts.trust` computes with."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, time, timedelta, tzinfo
from typing import Literal

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session as Transaction

from forge_hub.alerts.age import happened_at
from forge_hub.alerts.marks import stored_mark
from forge_hub.alerts.trust import Alarm, Away, RoomTrust, SightChange, trust_of
from forge_hub.records.database import Database
from forge_hub.records.schema import Alert, EventLog
from forge_shared.events import Envelope, SenseChanged, read_data

DAYS = 7
MOST_DAYS = 31
"""Ours: the page shows a week, and at most what a ward looks back on in one meeting."""
ERASED = "unknown"
"""Kind of an alarm whose person was erased: that staff were called stays, what for does not."""


def read_trust(database: Database, now: datetime, zone: tzinfo, days: int = DAYS) -> tuple[datetime, list[RoomTrust]]:
    """Return since when, and how far each room's alarms can be trusted. Blocks on the store.

    Args:
        database: The records.
        now: End of the time that is looked at.
        zone: The site's time zone.
        days: Local days, today among them, from 1 to 31.
    """
    first = now.astimezone(zone).date() - timedelta(days=days - 1)
    since = datetime.combine(first, time(), tzinfo=zone).astimezone(now.tzinfo)
    with database.read() as transaction:
        alarms = list(_alarms(transaction, since))
        sight = list(senses(transaction, since))
        away = list(absences(transaction, since, sight))
    until = now + timedelta(microseconds=1)
    return since, trust_of(alarms, sight, away, since=since, until=until, zone=zone)


def _alarms(transaction: Transaction, since: datetime) -> Iterator[Alarm]:
    for alert in transaction.scalars(select(Alert).where(Alert.kind == "danger", Alert.happened_at >= since)):
        mark = stored_mark(alert.verdict, alert.verdict_reason)
        kind = str(alert.detail.get("danger", ERASED))
        is_back = alert.cause == "withdrawn"
        yield Alarm(alert.node, kind, alert.happened_at, mark.verdict if mark else None, is_back)


def senses(
    transaction: Transaction, since: datetime, sense: Literal["sight", "hearing"] = "sight"
) -> Iterator[SightChange]:
    """Yield what rooms said of a sense, and for each the last thing before, in the order of the log."""
    of_sense = (
        EventLog.type == SenseChanged.type_name(),
        EventLog.envelope[("data", "sense")].as_string() == sense,
    )
    before = select(func.max(EventLog.position)).where(*of_sense, EventLog.received_at < since).group_by(EventLog.node)
    query = select(EventLog.envelope, EventLog.received_at).where(
        *of_sense, or_(EventLog.received_at >= since, EventLog.position.in_(before))
    )
    for stored, received_at in transaction.execute(query.order_by(EventLog.position)):
        envelope = Envelope.model_validate(stored)
        data = read_data(envelope.type, envelope.data)
        if isinstance(data, SenseChanged):
            yield SightChange(envelope.node, happened_at(envelope, received_at), data.state)


def absences(transaction: Transaction, since: datetime, sight: Sequence[SightChange]) -> Iterator[Away]:
    """Yield when rooms were out of touch; ``sight`` is what they said of a sense.

    One whose alert a person closed need not be back: it counts as away until it says something of its sight again.
    """
    lost = select(Alert).where(Alert.kind == "monitoring-lost", or_(Alert.closed_at.is_(None), Alert.closed_at > since))
    gone = select(Alert).where(Alert.kind == "monitoring-lost", Alert.closed_at <= since, Alert.cause != "resolved")
    said: Mapping[str, list[datetime]] = {change.node: [] for change in sight}
    for change in sight:
        said[change.node].append(change.at)
    for alert in (*transaction.scalars(lost), *transaction.scalars(gone)):
        until = alert.closed_at
        if until is not None and alert.cause != "resolved":
            closed = until
            until = next((at for at in said.get(alert.node, []) if at > closed), None)
        yield Away(alert.node, alert.raised_at, until)
