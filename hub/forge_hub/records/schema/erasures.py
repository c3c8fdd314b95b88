"""That people were erased. It holds no pseudonym, so that it can outlive them."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from forge_hub.records.schema.base import Base


class Erasure(Base):
    """A person who was erased: what arrives of them later, or comes back from a backup, is erased again.

    Attributes:
        person_hash: SHA-256 of the pseudonym.
        replacement: The random one-off id that stands for the subject where a row must stay.
        counts: Rows erased by table.
    """

    __tablename__ = "erasure"

    person_hash: Mapped[str] = mapped_column(primary_key=True)
    replacement: Mapped[str] = mapped_column(unique=True)
    erased_at: Mapped[datetime]
    erased_by: Mapped[str]
    reason: Mapped[str]
    counts: Mapped[dict[str, Any]]
