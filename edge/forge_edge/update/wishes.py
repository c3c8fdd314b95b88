"""What a person at the node's command line wants of a node that runs, left in a file of its state folder."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, get_args

from forge_shared.files import replace
from forge_shared.releases import ReleaseRole

FILE: Final = "release-wish.json"
_ROLES: Final[tuple[ReleaseRole, ...]] = get_args(ReleaseRole)


@dataclass(frozen=True, slots=True)
class Wish:
    """``check``: look now what the room shall have. ``back``: let a role go back to what did well before."""

    act: Literal["check", "back"]
    role: ReleaseRole | None = None


def leave(folder: Path, wish: Wish) -> None:
    """Leave a wish; one that was not seen yet is replaced.

    Raises:
        OSError: It could not be written.
    """
    replace(folder / FILE, json.dumps({"act": wish.act, "role": wish.role}).encode(), mode=0o600)


def take(folder: Path) -> Wish | None:
    """Return what is wished and take it away; None: nothing, or nothing that can be read."""
    path = folder / FILE
    try:
        said = json.loads(path.read_bytes())
    except (OSError, ValueError):
        said = None
    path.unlink(missing_ok=True)
    match said:
        case {"act": "check"}:
            return Wish("check")
        case {"act": "back", "role": role} if role in _ROLES:
            return Wish("back", role)
    return None
