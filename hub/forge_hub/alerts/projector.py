"""Event log to alerts."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session as Transaction

from forge_hub.alerts.age import happened_at, is_late
from forge_hub.alerts.incidents import Stage
from forge_hub.alerts.raising import Origin, sense_is_back, store_alert, store_stage
from forge_hub.alerts.rules import draft_of
from forge_hub.records.database import Database
from forge_hub.records.log import Logged, TableProjection
from forge_hub.records.schema import Alert
from forge_shared.clock import Clock
from forge_shared.events import DangerSeen, Envelope, EventData, RiskReviewed, SenseChanged


class AlertProjection(TableProjection):
    """Stores an alert for every event that asks for one."""

    name = "alerts"
    lane = "alarm"

    def __init__(self, database: Database, clock: Clock) -> None:
        super().__init__(database)
        self._clock = clock

    def apply_one(self, transaction: Transaction, event: Logged) -> None:
        """Store what follows from one event."""
        if isinstance(event.data, RiskReviewed):
            own = (Alert.event_id == event.data.risk_event, Alert.node == event.envelope.node)
            alert = transaction.scalar(select(Alert).where(*own))
            if alert is not None:
                alert.review = event.data.outcome
            return
        raise_alert(transaction, event.envelope, event.data, self._clock.now(), received_at=event.received_at)


def raise_alert(
    transaction: Transaction, envelope: Envelope, data: EventData, now: datetime, *, received_at: datetime
) -> bool:
    """Store what an event means for the alerts, once however often it comes; tell whether something changed."""
    draft = draft_of(data)
    happened, late = happened_at(envelope, received_at), is_late(envelope, received_at)
    origin = Origin(envelope.id, envelope.node, envelope.subject, happened, late=late)
    match data:
        case DangerSeen():
            return store_stage(transaction, data.incident, Stage(data.stage, happened, draft, late), origin, now)
        case SenseChanged() if draft is None:
            return sense_is_back(transaction, envelope.node, data.sense, happened, now)
        case SenseChanged() if draft is not None:
            draft = replace(draft, detail={**draft.detail, "lost_at": happened.isoformat()})
    return draft is not None and store_alert(transaction, draft, origin, now)
