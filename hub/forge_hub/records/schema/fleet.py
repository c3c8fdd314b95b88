"""The rooms' nodes."""

from datetime import datetime

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from forge_hub.records.schema.base import Base


class Room(Base):
    """The last known state of a room's node. What is not known is ``unknown``.

    ``capture`` holds the purposes that the node says are on, separated by spaces; None: nobody keeps consents there.
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
