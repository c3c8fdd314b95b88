"""The stays of people in beds, what the rooms' nodes are told of them, and the state that staff give a room."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from forge_hub.records.schema.base import Base

_OPEN = text("until IS NULL")


class Stay(Base):
    """One stay of one person, known by a pseudonym of its own. Who the person is stands in the identity store only.

    ``watch`` is what the camera watches for, as `forge_shared.plan.Watch` in JSON; None: staff have set nothing.
    """

    __tablename__ = "stay"

    id: Mapped[str] = mapped_column(primary_key=True)
    pseudonym: Mapped[str] = mapped_column(unique=True)
    admitted_at: Mapped[datetime]
    discharged_at: Mapped[datetime | None]
    watch: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), default=None)


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
    """What a node was last told, as `TwinDesired` in JSON. ``revision`` rises with every change, whose id is ``word``.

    ``plan_since`` is the revision at which what is set for the room was set; None: that was before revisions were kept.
    """

    __tablename__ = "desired_twin"

    node: Mapped[str] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(BigInteger)
    wanted: Mapped[dict[str, Any]]
    word: Mapped[str | None] = mapped_column(default=None)
    plan_since: Mapped[int | None] = mapped_column(BigInteger, default=None)


class TwinRevision(Base):
    """A revision of what a node was told: who brought it about, when, why, and which members of the twin were others.

    ``plan`` is what was set for the room, as `RoomPlan` in JSON, in the revision at which it was set, and ``subject``
    whose plan that is; ``plan_since`` names that revision. ``back_to`` is the revision whose plan was taken back.
    """

    __tablename__ = "twin_revision"

    node: Mapped[str] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    word: Mapped[str | None]
    at: Mapped[datetime]
    account: Mapped[str]
    reason: Mapped[str]
    back_to: Mapped[int | None] = mapped_column(BigInteger)
    parts: Mapped[str]
    plan_since: Mapped[int] = mapped_column(BigInteger)
    plan: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    subject: Mapped[str | None] = mapped_column(index=True)
