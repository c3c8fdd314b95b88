"""Roll-outs of model releases: whom they reach, what each room was told, what it says, and what ran in it when."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from forge_hub.records.schema.base import Base


class RoomGroup(Base):
    """That a room is in a group that roll-outs name. A group without rooms does not exist."""

    __tablename__ = "room_group"

    name: Mapped[str] = mapped_column(primary_key=True)
    node: Mapped[str] = mapped_column(primary_key=True)


class RoomLock(Base):
    """That no new release may be told to a room before ``until``; a clinician asked for it."""

    __tablename__ = "room_lock"

    node: Mapped[str] = mapped_column(primary_key=True)
    until: Mapped[datetime]
    made_by: Mapped[str]
    made_at: Mapped[datetime]


class Rollout(Base):
    """A release on its way into rooms. ``plan`` is `forge_hub.releases.rollout.Plan` in JSON, ``state`` its `State`.

    ``ring`` counts from 1 and is the newest that was opened; 0: none is. ``role``, ``target`` and ``version`` are the
    release's. ``reason`` says why the state is what it is: a code, or a finding of the hub's own.
    """

    __tablename__ = "rollout"
    __table_args__ = (Index("ix_rollout_state", "state", "started_at"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    target: Mapped[str]
    role: Mapped[str]
    version: Mapped[str]
    plan: Mapped[dict[str, Any]]
    state: Mapped[str]
    ring: Mapped[int]
    started_at: Mapped[datetime]
    started_by: Mapped[str]
    why: Mapped[str]
    changed_at: Mapped[datetime]
    changed_by: Mapped[str]
    reason: Mapped[str | None]
    findings: Mapped[dict[str, Any]]


class RolloutRing(Base):
    """A ring of a roll-out that was opened; the next opens only once it has passed."""

    __tablename__ = "rollout_ring"

    rollout: Mapped[str] = mapped_column(ForeignKey("rollout.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    opened_at: Mapped[datetime]
    passed_at: Mapped[datetime | None]


class RolloutRoom(Base):
    """A room of a roll-out. ``state`` is `forge_hub.releases.rollout.RoomState`.

    ``before`` is the target that the room had in this role, None: the model that came with the node. ``baseline`` holds
    the figures of what served when the roll-out began, as `forge_hub.releases.verdicts.Figures` in JSON. ``told_at`` is
    the end of the event log when the room was told last: what it did about it is logged after that. ``reason``: why it
    failed or is left out; of one on trial why its trial is not waited for any more.
    """

    __tablename__ = "rollout_room"
    __table_args__ = (Index("ix_rollout_room_node", "node", "rollout"),)

    rollout: Mapped[str] = mapped_column(ForeignKey("rollout.id", ondelete="CASCADE"), primary_key=True)
    node: Mapped[str] = mapped_column(primary_key=True)
    ring: Mapped[int]
    hardware: Mapped[str | None]
    before: Mapped[str | None]
    state: Mapped[str]
    since: Mapped[datetime]
    directed_at: Mapped[datetime | None]
    serves_since: Mapped[datetime | None]
    reason: Mapped[str | None]
    baseline: Mapped[dict[str, Any]]
    told_at: Mapped[int]


class RoomWish(Base):
    """What a room shall have in a role; ``target`` None: the model that came with the node."""

    __tablename__ = "room_wish"

    node: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)
    target: Mapped[str | None]
    rollout: Mapped[str]
    since: Mapped[datetime]


class RoomDirector(Base):
    """How far a room's director metadata are: ``wished`` counts changes, ``signed`` is what stands in them.

    ``version`` is that of the metadata, which the room's desired twin carries.
    """

    __tablename__ = "room_director"

    node: Mapped[str] = mapped_column(primary_key=True)
    wished: Mapped[int]
    signed: Mapped[int]
    version: Mapped[int | None]


class RoomRelease(Base):
    """What a room last said of one role, as `forge_shared.wire.RoomRelease` in JSON."""

    __tablename__ = "room_release"

    node: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)
    said: Mapped[dict[str, Any]]
    said_at: Mapped[datetime]


class ReleaseFigure(Base):
    """The last figures of a release that served in a room; ``release`` empty: the model that came with the node."""

    __tablename__ = "release_figure"

    node: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)
    release: Mapped[str] = mapped_column(primary_key=True)
    latency_ms: Mapped[float | None]
    memory_mb: Mapped[float | None]
    temperature_celsius: Mapped[float | None]
    at: Mapped[datetime]


class ReleaseChange(Base):
    """What became of a release in a room; derived from the event log, as `forge_shared.events.ReleaseChanged`."""

    __tablename__ = "release_change"
    __table_args__ = (Index("ix_release_change_room", "node", "role", "at"),)

    event_id: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int]
    node: Mapped[str]
    role: Mapped[str]
    at: Mapped[datetime]
    outcome: Mapped[str]
    release: Mapped[str]
    version: Mapped[str | None]
    sha256: Mapped[str | None]
    rollout: Mapped[str]
    reason: Mapped[str | None]
