"""Alarms are found without passing a backlog of records."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_index("ix_event_log_lane", "event_log", ["lane", "position"])
