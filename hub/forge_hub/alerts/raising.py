"""Storing an alert and what happens to it, inside the transaction of whoever found out."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session as Transaction

from forge_hub.alerts import incidents
from forge_hub.alerts.escalation import PRIORITIES, priority_of
from forge_hub.alerts.rules import AlertDraft
from forge_hub.alerts.states import state_of
from forge_hub.records.schema import Alert, AlertStep
from forge_shared.ids import new_id


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an alert comes from: the event's id, its node and pseudonym, when it happened, and whether it is late."""

    event_id: str
    node: str
    subject: str | None
    happened_at: datetime
    late: bool = False


def write_step(  # noqa: PLR0913 (the fields of one row, by keyword)
    transaction: Transaction,
    alert: str,
    what: str,
    at: datetime,
    *,
    account: str | None = None,
    level: int | None = None,
    detail: str | None = None,
    event_id: str | None = None,
) -> None:
    """Write down that something happened to an alert. ``detail`` is a code."""
    transaction.add(
        AlertStep(
            id=new_id(), alert=alert, at=at, what=what, account=account, level=level, detail=detail, event_id=event_id
        )
    )


def store_alert(transaction: Transaction, draft: AlertDraft, origin: Origin, now: datetime) -> bool:
    """Store an alert, once however often its event comes; tell whether something changed.

    An event of an incident that is still open is counted with it. It rings again only when it is more urgent. Once a
    person answers for an alert, the next event is a new alert: what came after the answer is never swallowed by it.
    """
    if _is_known(transaction, origin.event_id):
        return False
    incident = incident_of(draft, origin)
    open_one = transaction.scalars(
        select(Alert)
        .where(Alert.incident == incident, Alert.state == "open")
        .order_by(Alert.raised_at)
        .limit(1)
        .with_for_update()
    ).first()
    if open_one is not None and open_one.incident:
        _merge(transaction, open_one, draft, origin, now)
    else:
        _raise(transaction, draft, origin, incident, now)
    transaction.flush()
    return True


def store_stage(transaction: Transaction, incident: str, stage: incidents.Stage, origin: Origin, now: datetime) -> bool:
    """Store a stage of what a camera follows, once however often its event comes; tell whether something changed.

    One incident has one alert from its first sign of danger to its end. Taking back what nobody knows of changes
    nothing and is not remembered: where it has overtaken its own beginning, the log brings both again, in order.

    Args:
        transaction: In which it happens.
        incident: The same for all stages of one incident of this room.
        stage: What arrived.
        origin: Where it comes from.
        now: The hub's time.
    """
    key = f"{origin.node}::danger:{incident}"
    _hold(transaction, key)
    if _is_known(transaction, origin.event_id):
        return False
    query = select(Alert).where(Alert.incident == key).with_for_update()
    alert = transaction.scalars(query.execution_options(populate_existing=True)).first()
    if alert is not None:
        _follow(transaction, alert, stage, origin, now)
    elif stage.draft is not None:
        draft = AlertDraft(stage.draft.kind, stage.draft.severity, incidents.first(stage))
        _raise(transaction, draft, origin, key, now)
    else:
        return False
    transaction.flush()
    return True


def sense_is_back(transaction: Transaction, node: str, sense: str, happened_at: datetime, now: datetime) -> bool:
    """Close the alerts of a sense that a room has again, or that was switched off on purpose; tell if there were any.

    One that was lost again since then stays open: it may have rung out of its turn.
    """
    own = (Alert.kind == "sense-lost", Alert.node == node, Alert.state != "closed")
    closed = False
    for alert in transaction.scalars(select(Alert).where(*own).with_for_update()).all():
        if alert.detail.get("sense") == sense and _lost_at(alert) <= happened_at:
            close_by_itself(transaction, alert, "resolved", now)
            closed = True
    return closed


def close_by_itself(transaction: Transaction, alert: Alert, cause: str, now: datetime) -> None:
    """Close an alert that needs nobody any more. ``cause`` is one of `forge_hub.alerts.states.OWN_CAUSES`."""
    alert.state, alert.cause, alert.closed_at, alert.due_at = "closed", cause, now, None
    write_step(transaction, alert.id, "closed", now, detail=cause)


def incident_of(draft: AlertDraft, origin: Origin) -> str:
    """Return what two events must share to be the same incident: room, person, kind, and what is asked for.

    An answer to a risk item is never a duplicate: each has its own words and its own review.
    """
    if draft.kind in {"risk-answer", "risk-unanswered", "canary"}:
        return f"event:{origin.event_id}"
    what = next((draft.detail[key] for key in _WHAT if draft.detail.get(key)), "")
    return f"{origin.node}:{origin.subject or ''}:{draft.kind}:{what}"


_WHAT = ("request", "category", "reminder", "sense", "ward")
"""The detail that tells two incidents of one kind apart."""


def _is_known(transaction: Transaction, event_id: str) -> bool:
    first = select(Alert.id).where(Alert.event_id == event_id)
    merged = select(AlertStep.id).where(AlertStep.event_id == event_id)
    return transaction.scalar(first) is not None or transaction.scalar(merged) is not None


def _raise(transaction: Transaction, draft: AlertDraft, origin: Origin, incident: str, now: datetime) -> None:
    alert = Alert(
        id=new_id(),
        event_id=origin.event_id,
        node=origin.node,
        subject=origin.subject,
        kind=draft.kind,
        severity=draft.severity,
        detail=draft.detail,
        late=origin.late,
        happened_at=origin.happened_at,
        raised_at=now,
        state="open",
        accepted_by=None,
        accepted_at=None,
        review=None,
        incident=incident,
    )
    transaction.add(alert)
    transaction.flush()
    write_step(transaction, alert.id, "raised", now)


def _follow(transaction: Transaction, alert: Alert, stage: incidents.Stage, origin: Origin, now: datetime) -> None:
    outcome = incidents.after(
        incidents.Standing(
            state=state_of(alert.state),
            severity=alert.severity,
            late=alert.late,
            detail=alert.detail,
            taken=_was_taken(transaction, alert),
            closed_at=alert.closed_at,
        ),
        stage,
    )
    alert.severity, alert.late, alert.detail = outcome.severity, outcome.late, outcome.detail
    write_step(transaction, alert.id, "stage", now, detail=stage.stage, event_id=origin.event_id)
    if outcome.reopens:
        alert.state, alert.accepted_by, alert.accepted_at, alert.attended_at = "open", None, None, None
        alert.closed_at, alert.cause = None, None
        alert.verdict, alert.verdict_reason, alert.marked_by, alert.marked_at = None, None, None, None
    if outcome.rings:
        alert.level, alert.due_at = 0, None
        write_step(transaction, alert.id, "raised", now, detail="again" if outcome.reopens else "more-urgent")
    if outcome.closes:
        close_by_itself(transaction, alert, "withdrawn", now)


def _was_taken(transaction: Transaction, alert: Alert) -> bool:
    taken = select(AlertStep.id).where(AlertStep.alert == alert.id, AlertStep.what.in_(("accepted", "attended")))
    return alert.accepted_by is not None or transaction.scalars(taken.limit(1)).first() is not None


def _hold(transaction: Transaction, key: str) -> None:
    """Let one at a time look for an incident's alert and make it. SQLite has one writer anyway."""
    if transaction.get_bind().dialect.name == "postgresql":
        transaction.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(key, 0))))


def _lost_at(alert: Alert) -> datetime:
    said = alert.detail.get("lost_at")
    return datetime.fromisoformat(said) if isinstance(said, str) else alert.happened_at


def _merge(transaction: Transaction, alert: Alert, draft: AlertDraft, origin: Origin, now: datetime) -> None:
    before = priority_of(alert.severity, late=alert.late)
    after = priority_of(draft.severity, late=origin.late)
    alert.count += 1
    write_step(transaction, alert.id, "merged", now, event_id=origin.event_id)
    if draft.kind == "sense-lost" and origin.happened_at >= _lost_at(alert):
        alert.detail = draft.detail  # what is wrong with it now
    if PRIORITIES.index(after) < PRIORITIES.index(before):
        alert.severity, alert.late, alert.detail = draft.severity, origin.late, draft.detail
        alert.level, alert.due_at = 0, None
        write_step(transaction, alert.id, "raised", now, detail="more-urgent")
