"""What a person said that an alert was, with a cause, and what the camera watches for in a stay."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply. What alerts were closed as until now is what people said that they were."""
    for name in ("verdict", "verdict_reason", "marked_by"):
        op.add_column("alert", sa.Column(name, sa.String(), nullable=True))
    op.add_column("alert", sa.Column("marked_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("stay", sa.Column("watch", sa.JSON(), nullable=True))
    op.create_index("ix_alert_kind", "alert", ["kind", "happened_at"])
    op.create_index("ix_event_log_type", "event_log", ["type", "position"])
    op.execute("UPDATE alert SET verdict = cause, marked_at = closed_at WHERE cause IN ('real', 'false')")
    op.execute("UPDATE alert SET verdict = 'test', marked_at = closed_at WHERE cause = 'drill'")
