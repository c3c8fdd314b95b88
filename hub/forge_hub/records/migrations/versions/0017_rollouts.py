"""Roll-outs of model releases: groups, locks, rings, what rooms shall have, what they say, and what ran when."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def _key(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(), primary_key=True) for name in names]


def _text(*names: str, nullable: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(), nullable=nullable) for name in names]


def _time(*names: str, nullable: bool = False) -> list[sa.Column[datetime]]:
    return [sa.Column(name, sa.DateTime(timezone=True), nullable=nullable) for name in names]


def _of_rollout() -> sa.Column[str]:
    return sa.Column("rollout", sa.String(), sa.ForeignKey("rollout.id", ondelete="CASCADE"), primary_key=True)


def upgrade() -> None:
    """Apply."""
    op.add_column("room", sa.Column("hardware", sa.String(), nullable=True))
    op.create_table("room_group", *_key("name", "node"))
    op.create_table("room_lock", *_key("node"), *_time("until"), *_text("made_by"), *_time("made_at"))
    op.create_table(
        "rollout",
        *_key("id"),
        *_text("target", "role", "version", "state", "started_by", "why", "changed_by"),
        *_text("reason", nullable=True),
        *_time("started_at", "changed_at"),
        sa.Column("ring", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.JSON(), nullable=False) for name in ("plan", "findings")),
    )
    op.create_index("ix_rollout_state", "rollout", ["state", "started_at"])
    op.create_table(
        "rollout_ring",
        _of_rollout(),
        sa.Column("number", sa.Integer(), primary_key=True),
        *_time("opened_at"),
        *_time("passed_at", nullable=True),
    )
    op.create_table(
        "rollout_room",
        _of_rollout(),
        *_key("node"),
        sa.Column("ring", sa.Integer(), nullable=False),
        *_text("state"),
        *_text("hardware", "before", "reason", nullable=True),
        *_time("since"),
        *_time("directed_at", "serves_since", nullable=True),
        sa.Column("baseline", sa.JSON(), nullable=False),
        sa.Column("told_at", sa.Integer(), nullable=False),
    )
    op.create_index("ix_rollout_room_node", "rollout_room", ["node", "rollout"])
    op.create_table(
        "room_wish", *_key("node", "role"), *_text("target", nullable=True), *_text("rollout"), *_time("since")
    )
    op.create_table(
        "room_director",
        *_key("node"),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("wished", "signed")),
        sa.Column("version", sa.Integer(), nullable=True),
    )
    op.create_table(
        "room_release", *_key("node", "role"), sa.Column("said", sa.JSON(), nullable=False), *_time("said_at")
    )
    op.create_table(
        "release_figure",
        *_key("node", "role", "release"),
        *(sa.Column(name, sa.Float(), nullable=True) for name in ("latency_ms", "memory_mb", "temperature_celsius")),
        *_time("at"),
    )
    op.create_table(
        "release_change",
        *_key("event_id"),
        sa.Column("position", sa.Integer(), nullable=False),
        *_text("node", "role"),
        *_time("at"),
        *_text("outcome", "release", "rollout"),
        *_text("version", "sha256", "reason", nullable=True),
    )
    op.create_index("ix_release_change_room", "release_change", ["node", "role", "at"])
