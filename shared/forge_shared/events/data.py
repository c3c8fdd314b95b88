"""What every event type has."""

from typing import ClassVar

from forge_shared.model import Frozen
from forge_shared.topics import Lane

TYPE_PREFIX = "org.personaforge"


class EventData(Frozen):
    """The data of one event type. Subclasses name their type, its version and its lane."""

    noun_verb: ClassVar[str]
    version: ClassVar[int]
    lane: ClassVar[Lane]

    @classmethod
    def type_name(cls) -> str:
        """Return the CloudEvents type, such as ``org.personaforge.request.made.v2``."""
        return f"{TYPE_PREFIX}.{cls.noun_verb}.v{cls.version}"
