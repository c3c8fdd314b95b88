"""Stays, withdrawal of consent, and what the nodes are told of both."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_OPEN = sa.text("until IS NULL")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "stay",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("pseudonym", sa.String(), nullable=False),
        sa.Column("admitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("discharged_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("pseudonym"),
    )
    op.create_table(
        "stay_move",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("stay", sa.String(), nullable=False),
        sa.Column("bed", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["stay"], ["stay.id"]),
        sa.ForeignKeyConstraint(["bed"], ["bed.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    for column in ("bed", "stay"):
        op.create_index(
            f"ux_stay_move_{column}", "stay_move", [column], unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN
        )
    op.create_table(
        "room_presence",
        sa.Column("node", sa.String(), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("visitors", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("node"),
    )
    op.create_table(
        "desired_twin",
        sa.Column("node", sa.String(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("wanted", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("node"),
    )
    op.add_column("consent", sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("consent", sa.Column("withdrawn_by", sa.String(), nullable=True))
    op.add_column("room", sa.Column("twin_revision", sa.BigInteger(), nullable=True))
    op.add_column("room", sa.Column("capture", sa.String(), nullable=True))
