"""Forgetting what was kept long enough, in the log and in what was derived from it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from sqlalchemy import delete, or_, select, update

from forge_hub.records.database import Database
from forge_hub.records.erasures import emptied
from forge_hub.records.log import cursor
from forge_hub.records.schema import Alert, EventLog, FormAnswer, FormResponse, Utterance
from forge_shared.events import TYPE_PREFIX, Envelope

Kept = Literal["utterances", "forms"]

_TYPES: Mapping[Kept, tuple[str, ...]] = {
    # What a danger or a mention of one was is something that was said.
    "utterances": (
        f"{TYPE_PREFIX}.utterance.said.",
        f"{TYPE_PREFIX}.crisis.heard.",
        f"{TYPE_PREFIX}.crisis.noted.",
    ),
    # The answer to a form's risk item is an answer too.
    "forms": (f"{TYPE_PREFIX}.form.recorded.", f"{TYPE_PREFIX}.risk.answered."),
}
BATCH = 500
"""Events forgotten in one transaction, so that writers wait but shortly."""


def forget_received_before(database: Database, kind: Kept, before: datetime) -> int:
    """Empty events of a kind that the hub received before a moment, and delete what was derived from them.

    The hub's own time counts: a room's clock may have been wrong. An alarm that has not rung yet is left for later.

    Returns:
        The number of events emptied.
    """
    types = or_(*(EventLog.type.startswith(prefix, autoescape=True) for prefix in _TYPES[kind]))
    total = 0
    while True:
        with database.begin() as transaction:
            has_rung = or_(EventLog.lane != "alarm", EventLog.position <= cursor(transaction, "alerts"))
            old = (
                select(EventLog)
                .where(types, EventLog.received_at < before, has_rung)
                .order_by(EventLog.position)
                .limit(BATCH)
            )
            rows = list(transaction.scalars(old))
            if not rows:
                return total
            for row in rows:
                kept = emptied(Envelope.model_validate(row.envelope), row.subject)
                row.type, row.envelope = kept.type, kept.model_dump(mode="json")
            events = [row.event_id for row in rows]
            responses = select(FormResponse.id).where(FormResponse.event_id.in_(events))
            transaction.execute(delete(Utterance).where(Utterance.id.in_(events)))
            transaction.execute(delete(FormAnswer).where(FormAnswer.response.in_(responses)))
            transaction.execute(delete(FormResponse).where(FormResponse.event_id.in_(events)))
            transaction.execute(update(Alert).where(Alert.event_id.in_(events)).values(detail={}))
        total += len(rows)
