"""Who works with the hub, who may see whom, and what was consented to."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from forge_hub.records.schema.base import Base


class Account(Base):
    """A person who works with the hub, or the device in a patient's hands: then ``node`` is the room it is bound to."""

    __tablename__ = "account"

    id: Mapped[str] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(unique=True)
    role: Mapped[str]
    password_hash: Mapped[str]
    created_at: Mapped[datetime]
    node: Mapped[str | None]


class DeviceToken(Base):
    """What a patient's device shows instead of a password; only the token's hash is kept."""

    __tablename__ = "device_token"

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    account: Mapped[str] = mapped_column(ForeignKey("account.id"))
    made_at: Mapped[datetime]


class SecondFactor(Base):
    """The secret of an account's one-time codes, sealed with the hub's key file.

    ``confirmed`` once a code of it was shown; ``last_step`` is the time step of the last code that was used.
    """

    __tablename__ = "second_factor"

    account: Mapped[str] = mapped_column(ForeignKey("account.id"), primary_key=True)
    sealed_secret: Mapped[str]
    confirmed: Mapped[bool]
    last_step: Mapped[int]


class RecoveryCode(Base):
    """A code for whoever has lost the means to make one-time codes; works once, only its hash is kept."""

    __tablename__ = "recovery_code"

    code_hash: Mapped[str] = mapped_column(primary_key=True)
    account: Mapped[str] = mapped_column(ForeignKey("account.id"), index=True)


class Assignment(Base):
    """A clinician looks after a person, from one moment until another or until further notice."""

    __tablename__ = "assignment"

    id: Mapped[str] = mapped_column(primary_key=True)
    account: Mapped[str] = mapped_column(ForeignKey("account.id"), index=True)
    subject: Mapped[str] = mapped_column(index=True)
    since: Mapped[datetime]
    until: Mapped[datetime | None]
    made_by: Mapped[str]


class Emergency(Base):
    """A clinician opened the record of a person whom they are not assigned to. Someone else reviews it."""

    __tablename__ = "emergency"

    id: Mapped[str] = mapped_column(primary_key=True)
    account: Mapped[str] = mapped_column(ForeignKey("account.id"), index=True)
    subject: Mapped[str]
    reason: Mapped[str]
    statement: Mapped[str]
    begun_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    verdict: Mapped[str | None]
    reviewed_by: Mapped[str | None] = mapped_column(ForeignKey("account.id"))
    reviewed_at: Mapped[datetime | None]


class SetupLink(Base):
    """A one-time link to make an account of a given role; only the token's hash is kept."""

    __tablename__ = "setup_link"

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[str]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class PendingSignIn(Base):
    """A browser whose password was right and whose one-time code is awaited; only the token's hash is kept."""

    __tablename__ = "pending_sign_in"

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    account: Mapped[str] = mapped_column(ForeignKey("account.id"))
    csrf_token: Mapped[str]
    expires_at: Mapped[datetime]
    attempts: Mapped[int]


class WebSession(Base):
    """A signed-in browser; only the token's hash is kept."""

    __tablename__ = "web_session"

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(unique=True)
    account: Mapped[str] = mapped_column(ForeignKey("account.id"))
    csrf_token: Mapped[str]
    begun_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    address: Mapped[str]


class Consent(Base):
    """The statement that a person agreed to a purpose, and its withdrawal. Not derived from events.

    ``holds_from`` is since when it holds where that is earlier than the statement: for the transcript of a session that
    was held before anybody stated it here.
    """

    __tablename__ = "consent"

    id: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(index=True)
    purpose: Mapped[str]
    stated_by: Mapped[str] = mapped_column(ForeignKey("account.id"))
    stated_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by: Mapped[str | None]
    holds_from: Mapped[datetime | None]
