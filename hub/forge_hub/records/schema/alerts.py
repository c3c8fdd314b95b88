"""What a person must answer, what became of it, and who was told."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from forge_hub.records.schema.base import Base


class Alert(Base):
    """Something that a person must answer. ``detail`` holds codes only.

    ``level`` is the last level that was rung, 0 before the first; ``due_at`` the end of the running timer; ``count`` is
    of the events of one ``incident`` that it stands for. ``cause`` is how it was closed; ``verdict`` and
    ``verdict_reason`` are what a person said that it was, which may be corrected.
    """

    __tablename__ = "alert"
    __table_args__ = (
        Index("ix_alert_state", "state", "raised_at"),
        Index("ix_alert_due", "state", "due_at"),
        Index("ix_alert_incident", "incident", "state"),
        Index("ix_alert_kind", "kind", "happened_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    event_id: Mapped[str] = mapped_column(unique=True)
    node: Mapped[str]
    subject: Mapped[str | None]
    kind: Mapped[str]
    severity: Mapped[str]
    detail: Mapped[dict[str, Any]]
    late: Mapped[bool]
    happened_at: Mapped[datetime]
    raised_at: Mapped[datetime]
    state: Mapped[str]
    accepted_by: Mapped[str | None] = mapped_column(ForeignKey("account.id"))
    accepted_at: Mapped[datetime | None]
    review: Mapped[str | None]
    incident: Mapped[str] = mapped_column(default="")
    count: Mapped[int] = mapped_column(default=1)
    level: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime | None] = mapped_column(default=None)
    delivered_at: Mapped[datetime | None] = mapped_column(default=None)
    seen_at: Mapped[datetime | None] = mapped_column(default=None)
    attended_at: Mapped[datetime | None] = mapped_column(default=None)
    closed_at: Mapped[datetime | None] = mapped_column(default=None)
    cause: Mapped[str | None] = mapped_column(default=None)
    verdict: Mapped[str | None] = mapped_column(default=None)
    verdict_reason: Mapped[str | None] = mapped_column(default=None)
    marked_by: Mapped[str | None] = mapped_column(default=None)
    marked_at: Mapped[datetime | None] = mapped_column(default=None)


class AlertStep(Base):
    """One thing that happened to an alert: who, when, what. ``event_id`` names an event that was merged into it."""

    __tablename__ = "alert_step"
    __table_args__ = (Index("ix_alert_step_alert", "alert", "at"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    alert: Mapped[str] = mapped_column(ForeignKey("alert.id", ondelete="CASCADE"))
    at: Mapped[datetime]
    what: Mapped[str]
    account: Mapped[str | None] = mapped_column(ForeignKey("account.id"))
    level: Mapped[int | None]
    detail: Mapped[str | None]
    event_id: Mapped[str | None] = mapped_column(unique=True)


class Delivery(Base):
    """A message to one channel about one ring of an alert, written with the ring and before anything is sent."""

    __tablename__ = "delivery"
    __table_args__ = (Index("ix_delivery_due", "state", "due_at"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    alert: Mapped[str] = mapped_column(ForeignKey("alert.id", ondelete="CASCADE"))
    channel: Mapped[str]
    level: Mapped[int]
    state: Mapped[str]
    attempts: Mapped[int]
    due_at: Mapped[datetime]
    made_at: Mapped[datetime]
    error: Mapped[str | None]
