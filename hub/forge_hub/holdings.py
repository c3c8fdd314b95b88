"""What a hub holds, by its settings: its records, its graph, who its people are; for how long, and what erases them."""

from collections.abc import Mapping
from pathlib import Path

from forge_hub.erasure import Eraser
from forge_hub.fleet import plans
from forge_hub.graph.ports import GraphStore
from forge_hub.passes import keeping
from forge_hub.records.database import Database
from forge_hub.records.retention import Kept
from forge_hub.settings import HubSettings
from forge_hub.stays.identities import Identities
from forge_shared.clock import Clock


def records_url(settings: HubSettings) -> str:
    """Return the SQLAlchemy URL of the records."""
    if settings.records_url is not None:
        return settings.records_url.get_secret_value()
    return f"sqlite:///{settings.folder / 'records.db'}"


def graph_uri(settings: HubSettings) -> str:
    """Return the URI of the graph."""
    return settings.graph_uri or f"ladybug://{settings.folder / 'graph.lbdb'}"


def plans_folder(settings: HubSettings) -> Path:
    """Return the folder with what is set for each room."""
    return settings.room_plans or settings.folder / plans.FOLDER


def open_identities(settings: HubSettings, database: Database, clock: Clock) -> Identities:
    """Open who the people are.

    Raises:
        IdentityError: The store or its keys cannot be opened.
    """
    url = settings.identities_url
    place = f"sqlite:///{settings.folder / 'identities.db'}" if url is None else url.get_secret_value()
    return Identities(place, settings.folder / "keys", database, clock)


def eraser_of(
    settings: HubSettings, database: Database, graph: GraphStore, folder: Path, identities: Identities
) -> Eraser:
    """Return what erases people from this hub."""
    of_rooms = plans.RoomPlans(plans_folder(settings))

    def forget_files(pseudonym: str) -> int:
        return keeping.forget_person(folder, pseudonym) + of_rooms.forget(pseudonym)

    return Eraser(database, graph, folder, identities.forget_person, forget_files)


def retention_of(settings: HubSettings) -> Mapping[Kept, int]:
    """Return for how many days what is kept; what is not named is kept."""
    given: dict[Kept, int | None] = {
        "utterances": settings.keep_utterances_days,
        "forms": settings.keep_forms_days,
        "camera": settings.keep_camera_days,
    }
    return {kind: days for kind, days in given.items() if days is not None}
