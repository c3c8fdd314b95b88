"""Patterns and profiles are reckoned from what is on file where they are shown; their tables go."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.drop_table("pattern_summary")
    op.drop_table("profile")
