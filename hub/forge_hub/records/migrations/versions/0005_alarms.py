"""What becomes of an alert, who is told, who is on duty, and how fast an alert climbs."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply. Alerts that are open now are rung by the new engine; those that were taken stay taken."""
    time = sa.DateTime(timezone=True)
    with op.batch_alter_table("alert") as alert:
        alert.add_column(sa.Column("incident", sa.String(), nullable=False, server_default=""))
        alert.add_column(sa.Column("count", sa.Integer(), nullable=False, server_default="1"))
        alert.add_column(sa.Column("level", sa.Integer(), nullable=False, server_default="0"))
        for name in ("due_at", "delivered_at", "seen_at", "attended_at", "closed_at"):
            alert.add_column(sa.Column(name, time, nullable=True))
        alert.add_column(sa.Column("cause", sa.String(), nullable=True))
        alert.create_index("ix_alert_due", ["state", "due_at"])
        alert.create_index("ix_alert_incident", ["incident", "state"])
    op.create_table(
        "alert_step",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("alert", sa.String(), nullable=False),
        sa.Column("at", time, nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=True),
        sa.Column("level", sa.Integer(), nullable=True),
        sa.Column("detail", sa.String(), nullable=True),
        sa.Column("event_id", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["alert"], ["alert.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["account"], ["account.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("event_id"),
    )
    op.create_index("ix_alert_step_alert", "alert_step", ["alert", "at"])
    op.create_table(
        "delivery",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("alert", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", time, nullable=False),
        sa.Column("made_at", time, nullable=False),
        sa.Column("error", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["alert"], ["alert.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_delivery_due", "delivery", ["state", "due_at"])
    op.create_table(
        "shift",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("ward", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("starts_minute", sa.Integer(), nullable=False),
        sa.Column("ends_minute", sa.Integer(), nullable=False),
        sa.Column("weekdays", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["ward"], ["ward.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "duty",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("ward", sa.String(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("begins_at", time, nullable=False),
        sa.Column("ends_at", time, nullable=False),
        sa.ForeignKeyConstraint(["account"], ["account.id"]),
        sa.ForeignKeyConstraint(["ward"], ["ward.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_duty_ends", "duty", ["ends_at"])
    op.create_table(
        "escalation_plan",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("ward", sa.String(), nullable=True),
        sa.Column("shift", sa.String(), nullable=True),
        sa.Column("priority", sa.String(), nullable=False),
        sa.Column("second_level_seconds", sa.Integer(), nullable=False),
        sa.Column("third_level_seconds", sa.Integer(), nullable=False),
        sa.Column("everyone_seconds", sa.Integer(), nullable=False),
        sa.Column("acceptance_seconds", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["ward"], ["ward.id"]),
        sa.ForeignKeyConstraint(["shift"], ["shift.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("ward", "shift", "priority"),
    )
