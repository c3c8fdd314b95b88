"""Who works with the hub, what was consented to, and who did what."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from forge_hub.records.schema.base import Base


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


class Consent(Base):
    """The statement that a person agreed to a purpose, and its withdrawal. Not derived from events."""

    __tablename__ = "consent"

    id: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(index=True)
    purpose: Mapped[str]
    stated_by: Mapped[str] = mapped_column(ForeignKey("account.id"))
    stated_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by: Mapped[str | None]


class Audit(Base):
    """Who did or read what, and when. ``object`` is an id of ours."""

    __tablename__ = "audit"

    id: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    account: Mapped[str]
    action: Mapped[str]
    object: Mapped[str]
