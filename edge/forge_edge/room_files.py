"""What a room has on its disk, and the small files that the core reads or keeps: whose it is, names never passed on."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from forge_edge.dialogue.saved import SavedConversation
from forge_edge.errors import NodeConfigError
from forge_edge.outbox.outboxes import Outboxes
from forge_shared.files import replace
from forge_shared.forms.questionnaire import Questionnaire
from forge_shared.ids import new_id
from forge_shared.logs import get_logger
from forge_shared.plan import RoomPlan

CONVERSATION = "conversation.json"
SUBJECT = "subject"

log = get_logger()


@dataclass(frozen=True, slots=True)
class RoomFiles:
    """What a room has on its disk.

    Attributes:
        folder: Its state folder.
        forms: The installed forms, by name.
        plan: The room's own plan.
        names: Names that are known to be said here.
        saved: The conversation as it was last kept.
        outboxes: What waits to be sent.
    """

    folder: Path
    forms: Mapping[str, Questionnaire]
    plan: RoomPlan
    names: frozenset[str]
    saved: SavedConversation
    outboxes: Outboxes


def pseudonym(folder: Path) -> str:
    """Return the pseudonym of the stay, making one at the first start. It is random and derived from nothing."""
    path = folder / SUBJECT
    with contextlib.suppress(FileNotFoundError):
        return path.read_text(encoding="ascii").strip()
    made = f"p-{new_id()[-12:]}"
    try:
        replace(path, made.encode(), mode=0o600)
    except OSError:
        log.exception("pseudonym.not-saved")  # it holds until the next start, which makes another
    return made


def forget(folder: Path) -> None:
    """Remove what is kept of the person of a stay that ended."""
    for name in (CONVERSATION, SUBJECT):
        try:
            (folder / name).unlink(missing_ok=True)
        except OSError:  # what the hub wants cannot be saved either, so it is told and done again at the next start
            log.exception("stay.not-forgotten")


def room_plan(path: Path | None) -> RoomPlan:
    """Return what the staff have set for the room in its own file; nothing where there is none.

    Raises:
        NodeConfigError: It cannot be read, or it is no plan; the message names the fields, never what they hold.
    """
    if path is None:
        return RoomPlan()
    try:
        return RoomPlan.model_validate_json(path.read_bytes())
    except OSError:
        raise NodeConfigError(f"cannot read the room's plan {path.name}") from None
    except ValidationError as error:
        fields = sorted({".".join(str(part) for part in item["loc"]) or "all of it" for item in error.errors()})
        raise NodeConfigError(f"{path.name} is no plan of a room: see {', '.join(fields)[:200]}") from None


def known_names(path: Path | None) -> frozenset[str]:
    """Return the names that are always redacted.

    Raises:
        NodeConfigError: The list cannot be read.
    """
    if path is None:
        return frozenset()
    try:
        return frozenset(line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
    except (OSError, UnicodeDecodeError):
        raise NodeConfigError(f"cannot read the list of names {path.name}: it must be UTF-8, one name a line") from None
