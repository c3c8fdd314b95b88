"""Every revision of what a room was told, with who, why and when; an id of each, and since when its plan stands."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("desired_twin", sa.Column("word", sa.String(), nullable=True))
    op.add_column("desired_twin", sa.Column("plan_since", sa.BigInteger(), nullable=True))
    op.create_table(
        "twin_revision",
        sa.Column("node", sa.String(), primary_key=True),
        sa.Column("revision", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("word", sa.String(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("back_to", sa.BigInteger(), nullable=True),
        sa.Column("parts", sa.String(), nullable=False),
        sa.Column("plan_since", sa.BigInteger(), nullable=False),
        sa.Column("plan", sa.JSON(), nullable=True),
        sa.Column("subject", sa.String(), nullable=True),
    )
    op.create_index("ix_twin_revision_subject", "twin_revision", ["subject"])
