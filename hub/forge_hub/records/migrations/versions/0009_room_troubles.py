"""A room says what is wrong with its machine: a full disk, a wrong clock."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("room", sa.Column("troubles", sa.String(), nullable=True))
    op.add_column("room", sa.Column("clock_error_seconds", sa.Float(), nullable=True))
