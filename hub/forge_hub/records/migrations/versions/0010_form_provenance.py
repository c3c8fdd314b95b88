"""A form says in which ways it was answered and who signed it; an answer says all that is known of how it came."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("form_response", sa.Column("modes", sa.JSON(), nullable=True))
    op.add_column("form_response", sa.Column("absent", sa.JSON(), nullable=True))
    op.add_column("form_response", sa.Column("signature", sa.String(), nullable=True))
    op.add_column("form_answer", sa.Column("detail", sa.JSON(), nullable=True))
