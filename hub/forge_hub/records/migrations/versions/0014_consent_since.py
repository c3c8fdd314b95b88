"""Since when a consent holds that was stated after the fact, for transcripts of earlier sessions."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("consent", sa.Column("holds_from", sa.DateTime(timezone=True), nullable=True))
