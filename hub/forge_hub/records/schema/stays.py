"""The stays of people in beds, what the rooms' nodes are told of them, and the state that staff give a room."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from forge_hub.records.schema.base import Base

_OPEN = text("until IS NULL")


class Stay(Base):
    """One stay of one person, known by a pseudonym of its own. Who the person is stands in the identity store only."""

    __tablename__ = "stay"

    id: Mapped[str] = mapped_column(primary_key=True)
    pseudonym: Mapped[str] = mapped_column(unique=True)
    admitted_at: Mapped[datetime]
    discharged_at: Mapped[datetime | None]


class StayMove(Base):
    """That a stay has, or had, a bed. The store itself refuses two stays in one bed and one stay in two beds."""

    __tablename__ = "stay_move"
    __table_args__ = (
        Index("ux_stay_move_bed", "bed", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index("ux_stay_move_stay", "stay", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    stay: Mapped[str] = mapped_column(ForeignKey("stay.id"))
    bed: Mapped[str] = mapped_column(ForeignKey("bed.id"))
    since: Mapped[datetime]
    until: Mapped[datetime | None]


class RoomPresence(Base):
    """What staff say about who is in a room: several people live in it, visitors are there now."""

    __tablename__ = "room_presence"

    node: Mapped[str] = mapped_column(primary_key=True)
    shared: Mapped[bool]
    visitors: Mapped[bool]


class DesiredTwin(Base):
    """What a node was last told, as `TwinDesired` in JSON. ``revision`` rises with every change."""

    __tablename__ = "desired_twin"

    node: Mapped[str] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(BigInteger)
    wanted: Mapped[dict[str, Any]]
