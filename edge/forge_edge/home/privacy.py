"""The privacy that Home Assistant asks for: it closes the room's senses for a while, and never for good.

What opens again is the room's own decision: consents and the patient's own switch stand.
"""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from forge_shared.events import UtcDatetime
from forge_shared.files import replace
from forge_shared.logs import get_logger
from forge_shared.model import Frozen

LONGEST: Final = timedelta(hours=1)
"""How long senses stay closed that nobody opens again. Ours: longer than washing, dressing or a visit takes; a room
that is forgotten closed would watch over nobody. Asking again begins anew."""
FILE: Final = "privacy.json"

log = get_logger()


class Privacy(Frozen):
    """Closed senses.

    Attributes:
        ends: When they are opened again at the latest.
        muted: Whether it is by this that the room is muted; else the patient had muted it before.
    """

    ends: UtcDatetime
    muted: bool

    def left_seconds(self, now: datetime) -> float:
        """Return how long it still lasts, from 0 to `LONGEST`, however the clock was set meanwhile."""
        return min(max(self.ends - now, timedelta()), LONGEST).total_seconds()


def load(folder: Path) -> Privacy | None:
    """Return what a node that was stopped had closed; None: nothing."""
    try:
        return Privacy.model_validate_json((folder / FILE).read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError):
        log.warning("privacy.unreadable")
        return None


def keep(folder: Path, privacy: Privacy | None) -> None:
    """Remember what is closed, so that a restart does not open it."""
    try:
        if privacy is None:
            (folder / FILE).unlink(missing_ok=True)
        else:
            replace(folder / FILE, privacy.model_dump_json().encode(), mode=0o600)
    except OSError:
        log.exception("privacy.not-saved")  # it holds until the next start
