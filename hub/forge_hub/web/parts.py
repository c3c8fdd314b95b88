"""What the pages are given by the composition root."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, tzinfo

from forge_hub.alerts.board import AlertBoard
from forge_hub.fleet.commands import RoomCommands
from forge_hub.graph.ports import GraphStore
from forge_hub.records.database import Database
from forge_shared.clock import Clock
from forge_shared.forms.questionnaire import Questionnaire


@dataclass(frozen=True, slots=True)
class Parts:
    """The hub's parts as the pages see them.

    Attributes:
        health: State of each part by name: ``ok``, or a short reason. Shown on ``/healthz``.
        zone: The site's time zone, in which shifts are kept.
        https: Whether the site is reached by HTTPS, so that cookies may be marked Secure.
    """

    site: str
    database: Database
    board: AlertBoard
    graph: GraphStore
    rooms: RoomCommands
    forms: Mapping[str, Questionnaire]
    clock: Clock
    health: Callable[[], Mapping[str, str]]
    https: bool
    zone: tzinfo = UTC
