"""Inferences with a clinician's word on them, and utterances that come from transcripts and may be corrected."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply. The projections fill the new tables when the graph is derived anew."""
    op.add_column("utterance", sa.Column("ordinal", sa.BigInteger(), nullable=True))
    for name in ("speaker", "question", "original", "corrected_by"):
        op.add_column("utterance", sa.Column(name, sa.String(), nullable=True))
    op.add_column("utterance", sa.Column("corrected_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "inferred",
        sa.Column("utterance", sa.String(), primary_key=True),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("session", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taggers", sa.String(), nullable=False),
    )
    op.create_index("ix_inferred_subject", "inferred", ["subject"])
    op.create_table(
        "inference",
        sa.Column("id", sa.String(), primary_key=True),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("utterance", "subject", "session")),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("framework", "label")),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("start", "end")),
        sa.Column("confidence", sa.Float(), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("method", "version")),
        *(sa.Column(name, sa.Float(), nullable=True) for name in ("valence", "arousal")),
        *(sa.Column(name, sa.String(), nullable=True) for name in ("verdict", "instead", "decided_by")),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
    )
    op.create_index("ix_inference_subject", "inference", ["subject", "framework", "at"])
    op.create_index("ix_inference_utterance", "inference", ["utterance"])
    op.create_index("ix_inference_session", "inference", ["session"])
