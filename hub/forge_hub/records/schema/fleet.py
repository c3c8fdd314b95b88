"""The rooms' nodes."""

from datetime import datetime

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from forge_hub.records.schema.base import Base


class Room(Base):
    """The last known state of a room's node. What is not known is ``unknown``.

    ``capture`` holds the purposes that the node says are on, separated by spaces; None: nobody keeps consents there.
    ``troubles`` holds the codes of what is wrong with its machine, separated by spaces. ``clock_error_seconds`` is by
    how much its machine's clock is ahead of the hub's; None: not known. ``hardware`` is the profile that it was probed
    as; None likewise.
    """

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
    twin_revision: Mapped[int | None] = mapped_column(BigInteger)
    capture: Mapped[str | None]
    troubles: Mapped[str | None]
    clock_error_seconds: Mapped[float | None]
    hardware: Mapped[str | None]


class NodeCertificate(Base):
    """A client certificate that the authority signed for a node. It is in force until its end or ``revoked_at``."""

    __tablename__ = "node_certificate"

    serial: Mapped[str] = mapped_column(primary_key=True)
    node: Mapped[str] = mapped_column(index=True)
    certificate: Mapped[str]
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class EnrolmentClaim(Base):
    """A claim on a node's identity, used once; only the secret's hash is kept."""

    __tablename__ = "enrolment_claim"

    secret_hash: Mapped[str] = mapped_column(primary_key=True)
    node: Mapped[str]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
