"""Who answers, when, and how fast an alert climbs."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from forge_hub.records.schema.base import Base


class Shift(Base):
    """A shift of a ward in local time. ``weekdays`` are digits, Monday is 0; an end not after its start is tomorrow."""

    __tablename__ = "shift"

    id: Mapped[str] = mapped_column(primary_key=True)
    ward: Mapped[str] = mapped_column(ForeignKey("ward.id"))
    name: Mapped[str]
    starts_minute: Mapped[int]
    ends_minute: Mapped[int]
    weekdays: Mapped[str]


class Duty(Base):
    """A person on duty for a ward, at a level, for a time. Kept afterwards: the burden is counted per hour of duty."""

    __tablename__ = "duty"
    __table_args__ = (Index("ix_duty_ends", "ends_at"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    account: Mapped[str] = mapped_column(ForeignKey("account.id"))
    ward: Mapped[str] = mapped_column(ForeignKey("ward.id"))
    level: Mapped[int]
    begins_at: Mapped[datetime]
    ends_at: Mapped[datetime]


class EscalationPlan(Base):
    """How fast an alert of a priority climbs, in a ward or in all, in a shift or at any time. Seconds."""

    __tablename__ = "escalation_plan"
    __table_args__ = (UniqueConstraint("ward", "shift", "priority"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    ward: Mapped[str | None] = mapped_column(ForeignKey("ward.id"))
    shift: Mapped[str | None] = mapped_column(ForeignKey("shift.id"))
    priority: Mapped[str]
    second_level_seconds: Mapped[int]
    third_level_seconds: Mapped[int]
    everyone_seconds: Mapped[int]
    acceptance_seconds: Mapped[int]
