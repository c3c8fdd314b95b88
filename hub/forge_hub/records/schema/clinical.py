"""What is known of people, derived from the event log."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from forge_hub.records.schema.base import Base


class Person(Base):
    """A person, known by the pseudonym of a stay."""

    __tablename__ = "person"

    pseudonym: Mapped[str] = mapped_column(primary_key=True)
    node: Mapped[str]
    first_seen: Mapped[datetime]


class FormResponse(Base):
    """A questionnaire that was completed or stopped. ``total`` is the hub's own scoring.

    Attributes:
        modes: Every way in which any of it was entered.
        absent: Questions without an answer, each with the reason.
        signature: ``room``, ``missing`` or ``wrong``.
    """

    __tablename__ = "form_response"

    id: Mapped[str] = mapped_column(primary_key=True)
    event_id: Mapped[str]
    subject: Mapped[str] = mapped_column(index=True)
    node: Mapped[str]
    questionnaire: Mapped[str]
    status: Mapped[str]
    total: Mapped[int | None]
    re_prompts: Mapped[int]
    started_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    modes: Mapped[list[str] | None] = mapped_column(JSON)
    absent: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON)
    signature: Mapped[str | None]


class FormAnswer(Base):
    """One answer with its provenance.

    Attributes:
        code: The option's code, or the answer in words where it is no single option.
        detail: All that was sent of it: one entry for each repetition of the groups that it stands in.
    """

    __tablename__ = "form_answer"

    response: Mapped[str] = mapped_column(ForeignKey("form_response.id"), primary_key=True)
    link_id: Mapped[str] = mapped_column(primary_key=True)
    ordinal: Mapped[int]
    code: Mapped[str]
    mode: Mapped[str]
    times_asked: Mapped[int]
    corrected: Mapped[bool]
    detail: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON)


class Session(Base):
    """A recorded session that was consented to."""

    __tablename__ = "session"

    id: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(index=True)
    node: Mapped[str]
    consent: Mapped[str]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str | None]


class Utterance(Base):
    """One pseudonymised utterance of a recorded session or of a transcript.

    Attributes:
        ordinal: Its place in the session.
        speaker: ``patient``, ``clinician`` or ``unknown``; None: from before this was kept.
        question: What it answers, where a transcript says so.
        original: What was filed first, once a person has corrected it.
        corrected_by: The account.
    """

    __tablename__ = "utterance"

    id: Mapped[str] = mapped_column(primary_key=True)
    session: Mapped[str] = mapped_column(index=True)
    subject: Mapped[str] = mapped_column(index=True)
    text: Mapped[str]
    redactions: Mapped[dict[str, Any]]
    confidence: Mapped[float]
    at: Mapped[datetime]
    ordinal: Mapped[int | None] = mapped_column(BigInteger)
    speaker: Mapped[str | None]
    question: Mapped[str | None]
    original: Mapped[str | None]
    corrected_by: Mapped[str | None]
    corrected_at: Mapped[datetime | None]
