"""Event log to alerts."""

from sqlalchemy import select
from sqlalchemy.orm import Session as Transaction

from forge_hub.alerts.rules import draft_of, is_late
from forge_hub.records.database import Database
from forge_hub.records.log import Logged, TableProjection
from forge_hub.records.schema import Alert, EventLog
from forge_shared.clock import Clock
from forge_shared.events import RiskAnswered, RiskReviewed
from forge_shared.ids import new_id


class AlertProjection(TableProjection):
    """Stores an alert for every event that asks for one."""

    name = "alerts"

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
        draft = draft_of(event.data)
        if draft is None:
            return
        now = self._clock.now()
        transaction.add(
            Alert(
                id=new_id(),
                event_id=event.envelope.id,
                node=event.envelope.node,
                subject=event.envelope.subject,
                kind=draft.kind,
                severity=draft.severity,
                detail=draft.detail,
                late=is_late(event.envelope, now),
                happened_at=event.envelope.time,
                raised_at=now,
                state="open",
                accepted_by=None,
                accepted_at=None,
                review=_earlier_review(transaction, event) if isinstance(event.data, RiskAnswered) else None,
            )
        )
        transaction.flush()


def _earlier_review(transaction: Transaction, alarm: Logged) -> str | None:
    """Return the outcome of a review that was logged ahead of its alarm, as happens over a gap in the lane."""
    query = select(EventLog.envelope).where(
        EventLog.node == alarm.envelope.node,
        EventLog.type == RiskReviewed.type_name(),
        EventLog.position < alarm.position,
        EventLog.envelope["data"]["risk_event"].as_string() == alarm.envelope.id,
    )
    envelope = transaction.scalars(query.order_by(EventLog.position.desc()).limit(1)).first()
    return None if envelope is None else str(envelope["data"]["outcome"])
