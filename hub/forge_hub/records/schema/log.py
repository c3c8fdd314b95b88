"""What came from the rooms: the event log and what surrounds it."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from forge_hub.records.schema.base import Base


class EventLog(Base):
    """Every event once, in the order of commit. The source of all projections."""

    __tablename__ = "event_log"
    __table_args__ = (
        UniqueConstraint("node", "epoch", "lane", "sequence"),
        # For those who follow one lane: alarms are found without passing a backlog of records.
        Index("ix_event_log_lane", "lane", "position"),
        Index("ix_event_log_type", "type", "position"),
    )

    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    event_id: Mapped[str] = mapped_column(unique=True)
    node: Mapped[str]
    epoch: Mapped[str]
    lane: Mapped[str]
    sequence: Mapped[int] = mapped_column(BigInteger)
    type: Mapped[str]
    subject: Mapped[str]
    time: Mapped[datetime]
    received_at: Mapped[datetime]
    envelope: Mapped[dict[str, Any]]


class LanePosition(Base):
    """The highest sequence without a gap that is committed of one (node, epoch, lane): what is acknowledged."""

    __tablename__ = "lane_position"

    node: Mapped[str] = mapped_column(primary_key=True)
    epoch: Mapped[str] = mapped_column(primary_key=True)
    lane: Mapped[str] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(BigInteger)


class Inbox(Base):
    """What arrived beyond a gap: kept, not acknowledged, and logged in order when the gap closes.

    The alert of an alarm is raised at once. ``logged`` marks what needs no logging any more: it is in quarantine.
    """

    __tablename__ = "inbox"

    node: Mapped[str] = mapped_column(primary_key=True)
    epoch: Mapped[str] = mapped_column(primary_key=True)
    lane: Mapped[str] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    received_at: Mapped[datetime]
    payload: Mapped[bytes]
    logged: Mapped[bool]


class Quarantine(Base):
    """A message that could not be read, with the reason. It counts as received and is never dropped in silence."""

    __tablename__ = "quarantine"

    id: Mapped[str] = mapped_column(primary_key=True)
    received_at: Mapped[datetime]
    topic: Mapped[str]
    reason: Mapped[str]
    payload: Mapped[bytes]
    node: Mapped[str | None]
    lane: Mapped[str | None]


class ProjectionCursor(Base):
    """How far a projection of this database has read the event log."""

    __tablename__ = "projection_cursor"

    name: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int]
