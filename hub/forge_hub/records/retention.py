"""Forgetting what was kept long enough, in the log and in what was derived from it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

from sqlalchemy import ColumnElement, and_, delete, func, literal, or_, select, update
from sqlalchemy.orm import Session as Transaction
from sqlalchemy.orm import aliased

from forge_hub.records.database import Database
from forge_hub.records.erasures import emptied
from forge_hub.records.log import cursor
from forge_hub.records.schema import (
    Alert,
    AlertStep,
    EventLog,
    FormAnswer,
    FormResponse,
    Inference,
    Inferred,
    Utterance,
)
from forge_shared.events import TYPE_PREFIX, Envelope

Kept = Literal["utterances", "forms", "camera"]

_DANGER, _SENSE = f"{TYPE_PREFIX}.danger.seen.", f"{TYPE_PREFIX}.sense.changed."
_TYPES: Mapping[Kept, tuple[str, ...]] = {
    # What a danger or a mention of one was is something that was said.
    "utterances": (
        f"{TYPE_PREFIX}.utterance.said.",
        f"{TYPE_PREFIX}.utterance.corrected.",
        f"{TYPE_PREFIX}.crisis.heard.",
        f"{TYPE_PREFIX}.crisis.noted.",
    ),
    # The answer to a form's risk item is an answer too.
    "forms": (f"{TYPE_PREFIX}.form.recorded.", f"{TYPE_PREFIX}.risk.answered."),
    "camera": (_DANGER, _SENSE),
}
BATCH = 500
"""Events forgotten in one transaction, so that writers wait but shortly."""


def forget_received_before(database: Database, kind: Kept, before: datetime) -> int:
    """Empty events of a kind that the hub received before a moment, and delete what was derived from them.

    The hub's own time counts: a room's clock may have been wrong. An alarm that has not rung yet is left for later.
    Of a camera everything stays that belongs to an alarm which is open, or was closed since; and the last thing that a
    room said of its sight, which still holds.

    Returns:
        The number of events emptied.
    """
    types = or_(*(EventLog.type.startswith(prefix, autoescape=True) for prefix in _TYPES[kind]))
    over = and_(*_of_cameras_and_over(before)) if kind == "camera" else literal(value=True)
    total = 0
    while True:
        with database.begin() as transaction:
            has_rung = or_(EventLog.lane != "alarm", EventLog.position <= cursor(transaction, "alerts"))
            old = (
                select(EventLog)
                .where(types, EventLog.received_at < before, has_rung, over)
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
            transaction.execute(delete(Inference).where(Inference.utterance.in_(events)))
            transaction.execute(delete(Inferred).where(Inferred.utterance.in_(events)))
            transaction.execute(delete(FormAnswer).where(FormAnswer.response.in_(responses)))
            transaction.execute(delete(FormResponse).where(FormResponse.event_id.in_(events)))
            transaction.execute(update(Alert).where(Alert.event_id.in_(events)).values(detail={}))
            if kind == "camera":
                _forget_marks(transaction, events)
        total += len(rows)


def _of_cameras_and_over(before: datetime) -> Sequence[ColumnElement[bool]]:
    """Return what must hold of an event of a camera, or of another sense, for it to be forgotten."""
    later = aliased(EventLog)
    sight = EventLog.envelope[("data", "sense")].as_string() == "sight"
    newer = (
        select(later.position)
        .where(
            later.node == EventLog.node,
            later.type.startswith(_SENSE, autoescape=True),
            later.envelope[("data", "sense")].as_string() == "sight",
            later.position > EventLog.position,
        )
        .correlate(EventLog)
    )
    incident = EventLog.node + "::danger:" + func.coalesce(EventLog.envelope[("data", "incident")].as_string(), "")
    matters = or_(Alert.state != "closed", Alert.closed_at >= before)
    alarm = select(Alert.id).where(matters, or_(Alert.event_id == EventLog.event_id, Alert.incident == incident))
    return (
        or_(EventLog.type.startswith(_DANGER, autoescape=True), and_(sight, newer.exists())),
        ~alarm.correlate(EventLog).exists(),
    )


def _forget_marks(transaction: Transaction, events: Sequence[str]) -> None:
    """Forget what staff said of the alarms of these events, and which stages they had. That there was one stays."""
    alerts = select(Alert.id).where(Alert.event_id.in_(events))
    of_them = AlertStep.alert.in_(alerts)
    transaction.execute(delete(AlertStep).where(of_them, AlertStep.what == "marked"))
    transaction.execute(update(AlertStep).where(of_them, AlertStep.what == "stage").values(detail=None))
    transaction.execute(
        update(AlertStep)
        .where(AlertStep.alert.in_(alerts.where(Alert.verdict.is_not(None))), AlertStep.what == "closed")
        .values(detail="unclear")
    )
    marked = (Alert.event_id.in_(events), Alert.verdict.is_not(None))
    gone = {"verdict": None, "verdict_reason": None, "marked_by": None, "marked_at": None, "cause": "unclear"}
    transaction.execute(update(Alert).where(*marked).values(gone))
