"""The tables.

What projections derive from `EventLog` can be dropped and rebuilt: people, forms, sessions, utterances. `Alert` cannot:
who took an alert stands nowhere else. Nor can `Quarantine`, whose messages never entered the log, nor the tables of
access, consent and audit. `Room` is filled again by what the rooms repeat.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, ForeignKey, Index, String, TypeDecorator, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class UtcTime(TypeDecorator[datetime]):
    """An aware time, stored in UTC. SQLite forgets time zones; this puts UTC back."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive times and convert to UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 (SQLAlchemy's signature)
        """Return the time as aware UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """The metadata that Alembic compares with."""

    type_annotation_map = {datetime: UtcTime, dict[str, Any]: JSON, str: String}  # noqa: RUF012 (SQLAlchemy's way)


class EventLog(Base):
    """Every event once, in the order of commit. The source of all projections."""

    __tablename__ = "event_log"
    __table_args__ = (UniqueConstraint("node", "epoch", "lane", "sequence"),)

    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    event_id: Mapped[str] = mapped_column(unique=True)
    node: Mapped[str]
    epoch: Mapped[str]
    lane: Mapped[str]
    sequence: Mapped[int] = mapped_column(BigInteger)
    type: Mapped[str]
    subject: Mapped[str]
    time: Mapped[datetime]
    received_at: Mapped[datetime]
    envelope: Mapped[dict[str, Any]]


class LanePosition(Base):
    """The highest sequence without a gap that is committed of one (node, epoch, lane): what is acknowledged."""

    __tablename__ = "lane_position"

    node: Mapped[str] = mapped_column(primary_key=True)
    epoch: Mapped[str] = mapped_column(primary_key=True)
    lane: Mapped[str] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(BigInteger)


class Inbox(Base):
    """What arrived beyond a gap: kept, not acknowledged, and logged in order when the gap closes.

    The alert of an alarm is raised at once. ``logged`` marks what needs no logging any more: it is in quarantine.
    """

    __tablename__ = "inbox"

    node: Mapped[str] = mapped_column(primary_key=True)
    epoch: Mapped[str] = mapped_column(primary_key=True)
    lane: Mapped[str] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    received_at: Mapped[datetime]
    payload: Mapped[bytes]
    logged: Mapped[bool]


class Quarantine(Base):
    """A message that could not be read, with the reason. It counts as received and is never dropped in silence."""

    __tablename__ = "quarantine"

    id: Mapped[str] = mapped_column(primary_key=True)
    received_at: Mapped[datetime]
    topic: Mapped[str]
    reason: Mapped[str]
    payload: Mapped[bytes]
    node: Mapped[str | None]
    lane: Mapped[str | None]


class ProjectionCursor(Base):
    """How far a projection of this database has read the event log."""

    __tablename__ = "projection_cursor"

    name: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int]


class Person(Base):
    """A person, known by the pseudonym of a stay."""

    __tablename__ = "person"

    pseudonym: Mapped[str] = mapped_column(primary_key=True)
    node: Mapped[str]
    first_seen: Mapped[datetime]


class Room(Base):
    """The last known state of a room's node. What is not known is ``unknown``."""

    __tablename__ = "room"

    node: Mapped[str] = mapped_column(primary_key=True)
    connection: Mapped[str]
    hearing: Mapped[str]
    sight: Mapped[str]
    activity: Mapped[str]
    session_on: Mapped[bool]
    pending_events: Mapped[int]
    version: Mapped[str]
    seen_at: Mapped[datetime]


class Alert(Base):
    """Something that a person must answer. ``detail`` holds codes only."""

    __tablename__ = "alert"
    __table_args__ = (Index("ix_alert_state", "state", "raised_at"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    event_id: Mapped[str] = mapped_column(unique=True)
    node: Mapped[str]
    subject: Mapped[str | None]
    kind: Mapped[str]
    severity: Mapped[str]
    detail: Mapped[dict[str, Any]]
    late: Mapped[bool]
    happened_at: Mapped[datetime]
    raised_at: Mapped[datetime]
    state: Mapped[str]
    accepted_by: Mapped[str | None] = mapped_column(ForeignKey("account.id"))
    accepted_at: Mapped[datetime | None]
    review: Mapped[str | None]


class FormResponse(Base):
    """A questionnaire that was completed or stopped. ``total`` is the hub's own scoring."""

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


class FormAnswer(Base):
    """One answer with its provenance."""

    __tablename__ = "form_answer"

    response: Mapped[str] = mapped_column(ForeignKey("form_response.id"), primary_key=True)
    link_id: Mapped[str] = mapped_column(primary_key=True)
    ordinal: Mapped[int]
    code: Mapped[str]
    mode: Mapped[str]
    times_asked: Mapped[int]
    corrected: Mapped[bool]


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
    """One pseudonymised utterance of a recorded session."""

    __tablename__ = "utterance"

    id: Mapped[str] = mapped_column(primary_key=True)
    session: Mapped[str] = mapped_column(index=True)
    subject: Mapped[str] = mapped_column(index=True)
    text: Mapped[str]
    redactions: Mapped[dict[str, Any]]
    confidence: Mapped[float]
    at: Mapped[datetime]


class Consent(Base):
    """A clinician's statement that a person agreed to a purpose. Not derived from events."""

    __tablename__ = "consent"

    id: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(index=True)
    purpose: Mapped[str]
    stated_by: Mapped[str] = mapped_column(ForeignKey("account.id"))
    stated_at: Mapped[datetime]


class Account(Base):
    """A person who works with the hub."""

    __tablename__ = "account"

    id: Mapped[str] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(unique=True)
    role: Mapped[str]
    password_hash: Mapped[str]
    created_at: Mapped[datetime]


class SetupLink(Base):
    """A one-time link to make an account of a given role; only the token's hash is kept."""

    __tablename__ = "setup_link"

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[str]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class WebSession(Base):
    """A signed-in browser; only the token's hash is kept."""

    __tablename__ = "web_session"

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    account: Mapped[str] = mapped_column(ForeignKey("account.id"))
    csrf_token: Mapped[str]
    expires_at: Mapped[datetime]


class Audit(Base):
    """Who did or read what, and when. ``object`` is an id of ours."""

    __tablename__ = "audit"

    id: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    account: Mapped[str]
    action: Mapped[str]
    object: Mapped[str]
