"""What the psychology layer infers from what people said, and what clinicians say of it."""

from datetime import datetime
from typing import Final

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from forge_hub.records.schema.base import Base
from forge_language.taxonomy import LABELS

LISTED: Final = " OR ".join(
    f"(framework = '{framework}' AND label IN ({', '.join(repr(label) for label in labels)}))"
    for framework, labels in LABELS.items()
)
"""What an inference may be called; a new label is a migration."""


class Inferred(Base):
    """An utterance that the taggers have read, and which ones: whether they found anything or not.

    Attributes:
        taggers: Signature of the taggers and their versions; another one reads the utterance anew.
    """

    __tablename__ = "inferred"

    utterance: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(index=True)
    session: Mapped[str]
    at: Mapped[datetime]
    taggers: Mapped[str]


class Inference(Base):
    """A hypothesis about one utterance with its evidence; a fact only once a clinician has approved it.

    Attributes:
        id: `forge_hub.mind.inference.inference_id`, the same each time it is inferred.
        start: Place of the quote's first code point in the utterance's text.
        end: Place after the quote's last code point.
        confidence: 0 to 1.
        valence: -1 to 1, for the framework "affect" only; so ``arousal``.
        verdict: ``right``, ``wrong`` or ``other``, once a clinician has decided.
        instead: The label that the clinician put in its place.
    """

    __tablename__ = "inference"
    __table_args__ = (
        Index("ix_inference_subject", "subject", "framework", "at"),
        CheckConstraint(LISTED, name="inference_label"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    utterance: Mapped[str] = mapped_column(index=True)
    subject: Mapped[str]
    session: Mapped[str] = mapped_column(index=True)
    at: Mapped[datetime]
    framework: Mapped[str]
    label: Mapped[str]
    start: Mapped[int]
    end: Mapped[int]
    confidence: Mapped[float]
    method: Mapped[str]
    version: Mapped[str]
    valence: Mapped[float | None]
    arousal: Mapped[float | None]
    verdict: Mapped[str | None]
    instead: Mapped[str | None]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
