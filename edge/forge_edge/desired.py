"""How the hub wants this node to be, and what follows from it. Pure, but for the file that remembers it."""

import contextlib
from pathlib import Path

from pydantic import ValidationError

from forge_edge.dialogue.conversation import Speaker
from forge_shared.files import replace
from forge_shared.logs import get_logger
from forge_shared.plan import RoomPlan
from forge_shared.wire import PURPOSES, Purpose, TwinDesired

log = get_logger()

Held = TwinDesired | None
"""What the node was told last; None: nobody keeps stays for its room."""


def is_news(held: Held, told: TwinDesired) -> bool:
    """Tell whether a message is newer than what the node has. A broker repeats the same one at every connection."""
    return held is None or told.revision > held.revision


def ends_stay(held: Held, told: TwinDesired) -> bool:
    """Tell whether the room is not the same person's any more, so that the node must forget whom it knew."""
    return held is None or held.subject != told.subject


def of_stays(told: Held) -> Held:
    """Return what was told of who is in the room; None where the hub keeps no stays for it."""
    return told if told is not None and told.stays else None


def is_deaf(told: Held) -> bool:
    """Tell whether nobody may be listened to: there is someone in the room, and no consent to voice."""
    known = of_stays(told)
    return known is not None and known.consents is not None and "voice" not in known.consents


def may_watch(told: Held, *, of_site: bool) -> bool:
    """Tell whether a camera may be open: where stays are kept, only with the consent of whoever is in the room.

    Args:
        told: What the hub wants; None: nothing was told yet, as where it keeps no stays for the room.
        of_site: Whether there is a hub that will tell: until then nobody knows who is in the room.
    """
    known = of_stays(told)
    if known is None:
        return not of_site
    return known.consents is None or "camera" in known.consents


def may_record(told: Held) -> bool:
    """Tell whether a recorded session may be on: where stays are kept, only with the consent of the one who has it."""
    if of_stays(told) is None or told is None:
        return True
    return told.subject is not None and not is_deaf(told) and "recorded-session" in (told.consents or ())


def speaker(told: Held) -> Speaker:
    """Return what is known of who speaks."""
    if of_stays(told) is None or told is None:
        return "assumed"
    if told.subject is None:
        return "unknown"
    return "asked" if told.shared or told.visitors else "assumed"


def capture(told: Held, *, hearing: str, sight: str) -> tuple[Purpose, ...] | None:
    """Return the purposes that are on in the room: voice and camera only while it hears or sees, or will again."""
    if told is None or told.consents is None:
        return None
    is_on = {purpose: purpose in told.consents for purpose in PURPOSES}
    is_on |= {"voice": hearing != "closed", "camera": sight != "closed"}
    return tuple(purpose for purpose in PURPOSES if is_on[purpose])


def plan(told: Held, own: RoomPlan) -> RoomPlan:
    """Return what the staff have set for the room: what the hub says, else what the room's own file does."""
    plan = own if told is None or told.plan is None else told.plan
    return plan.of_stay(None if told is None else told.subject)


def load(path: Path) -> Held:
    """Return what the node was told last. Where that cannot be read nobody is listened to until it is told again."""
    with contextlib.suppress(FileNotFoundError):
        try:
            return TwinDesired.model_validate_json(path.read_bytes())
        except ValidationError:
            log.warning("twin.unreadable")
            return TwinDesired(revision=0, subject=None, consents=())
    return None


def save(path: Path, told: TwinDesired) -> None:
    """Remember what the node was told.

    Raises:
        OSError: It could not be written.
    """
    replace(path, told.model_dump_json().encode(), mode=0o600)
