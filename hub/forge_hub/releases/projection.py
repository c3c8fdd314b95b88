"""Event log to the history of what ran in which room."""

from sqlalchemy.orm import Session as Transaction

from forge_hub.alerts.age import happened_at
from forge_hub.records.log import Logged, TableProjection
from forge_hub.records.schema import ReleaseChange
from forge_shared.events import ReleaseChanged


class ReleaseProjection(TableProjection):
    """Files what became of releases in the rooms, once however often it comes."""

    name = "releases"

    def apply_one(self, transaction: Transaction, event: Logged) -> None:
        """Store one event, if it is of a release."""
        data, envelope = event.data, event.envelope
        if not isinstance(data, ReleaseChanged):
            return
        transaction.merge(
            ReleaseChange(
                event_id=envelope.id,
                position=event.position,
                node=envelope.node,
                role=data.role,
                at=happened_at(envelope, event.received_at),
                outcome=data.outcome,
                release=data.release,
                version=data.release_version,
                sha256=data.sha256,
                rollout=data.rollout,
                reason=data.reason,
            )
        )
