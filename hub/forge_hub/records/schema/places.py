"""Where people lie and who looks after them."""

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from forge_hub.records.schema.base import Base


class Ward(Base):
    """A ward. Its ``id`` is a name as topics carry them, ``name`` is what people call it."""

    __tablename__ = "ward"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]


class Bed(Base):
    """A bed of a ward, and the node of the room it stands in. Several beds may share one node."""

    __tablename__ = "bed"

    id: Mapped[str] = mapped_column(primary_key=True)
    ward: Mapped[str] = mapped_column(ForeignKey("ward.id"))
    name: Mapped[str]
    node: Mapped[str | None] = mapped_column(index=True)
