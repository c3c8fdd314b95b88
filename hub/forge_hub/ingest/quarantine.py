"""Messages that could not be read: kept with their reason, counted as received, never dropped in silence."""

from datetime import datetime

from sqlalchemy.orm import Session as Transaction

from forge_hub.alerts.raising import Origin, store_alert
from forge_hub.alerts.rules import AlertDraft
from forge_hub.ingest.reading import LARGEST_PAYLOAD_BYTES, Arrived
from forge_hub.records.schema import Quarantine
from forge_shared.errors import ForgeError
from forge_shared.ids import new_id
from forge_shared.logs import get_logger
from forge_shared.topics import EventAddress

log = get_logger()


def put_into_quarantine(
    transaction: Transaction, message: Arrived, address: EventAddress | None, error: ForgeError, now: datetime
) -> None:
    """Keep a message that cannot be read. In the alarm lane it raises an alert."""
    entry = Quarantine(
        id=new_id(),
        received_at=now,
        topic=_storable(message.topic)[:300],
        reason=_storable(f"{error.code}: {error}")[:500],
        payload=message.payload[:LARGEST_PAYLOAD_BYTES],
        node=address.node if address else None,
        lane=address.lane if address else None,
    )
    transaction.add(entry)
    log.warning("event.quarantined", node=entry.node, lane=entry.lane, reason=error.code)
    if address is not None and address.lane == "alarm":
        # An alarm that cannot be read is still an alarm.
        draft = AlertDraft("unreadable-alarm", "high", {"reason": error.code})
        store_alert(transaction, draft, Origin(entry.id, address.node, None, now), now)


def _storable(text: str) -> str:
    """Return text that PostgreSQL stores: no zero characters, no halves of surrogate pairs."""
    return text.encode(errors="replace").decode().replace("\x00", "\N{REPLACEMENT CHARACTER}")
