"""What a person must answer."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from forge_hub.records.schema.base import Base


class Alert(Base):
    """Something that a person must answer. ``detail`` holds codes only."""

    __tablename__ = "alert"
    __table_args__ = (Index("ix_alert_state", "state", "raised_at"),)

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
