"""The ``update`` entities of a room: one for each role that has or may have a release. Pure.

Source: Home Assistant, integration "MQTT Update", JSON state.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from forge_shared import home
from forge_shared.releases import ReleaseRole

NAMES: Final[Mapping[ReleaseRole, str]] = {
    "wake-word": "Wake word model",
    "transcriber": "Speech to text model",
    "voice": "Voice model",
    "pose": "Pose model",
    "language-model": "Language model",
}
BUILT_IN: Final = "built-in"
"""What stands for a version where the model serves that came with the node."""
INSTALL: Final = b"INSTALL"

Doing = Literal["serving", "asked", "fetching", "waiting", "proving", "on-trial", "refused"]
"""As `forge_shared.wire.RoomRelease.state`; ``asked``: the room was told, or is to be, and says nothing of it yet."""
_SUMMARIES: Final[Mapping[Doing, str]] = {
    "serving": "Installing starts a roll-out for this room. The room takes it when nobody needs it.",
    "asked": "A roll-out is under way. The room is told when its turn has come.",
    "fetching": "The room is fetching it.",
    "waiting": "The room has it and waits until nobody needs it.",
    "proving": "The room is trying it on recorded examples.",
    "on-trial": "In use and watched. It is taken back by itself if it does badly.",
    "refused": "The room did not take it, and runs what it had.",
}
_BUSY: Final[frozenset[Doing]] = frozenset({"asked", "fetching", "waiting", "proving"})


@dataclass(frozen=True, slots=True)
class Standing:
    """How a role stands in a room.

    Attributes:
        installed: Version that serves; None: the model that came with the node.
        latest: The newest version that the room could have, or is being given; None: none but what serves.
        name: Name of the release; None: there is none.
        doing: What the room is doing about it.
        percentage: Of what it fetches.
        reason: Why it was refused, or waits; a code.
    """

    installed: str | None
    latest: str | None
    name: str | None
    doing: Doing = "serving"
    percentage: int | None = None
    reason: str | None = None


def announcement(site: str, node: str, version: str, roles: Collection[ReleaseRole]) -> bytes:
    """Return the discovery payload of a room's models; of roles that are not among ``roles`` the entity goes."""
    entities: dict[str, home.Payload] = {
        role: _entity(site, node, role) if role in roles else {"p": "update"} for role in NAMES
    }
    return home.announcement(site, node, version, entities)


def state(standing: Standing) -> bytes:
    """Return the state of one role's entity."""
    installed = standing.installed or BUILT_IN
    reason = f" Reason: {standing.reason}." if standing.reason else ""
    return home.message(
        {
            "installed_version": installed,
            "latest_version": standing.latest or installed,
            "title": standing.name or "Model that came with the room",
            "release_summary": (_SUMMARIES[standing.doing] + reason)[:255],
            "in_progress": standing.doing in _BUSY,
            "update_percentage": standing.percentage if standing.doing == "fetching" else None,
        }
    )


def _entity(site: str, node: str, role: ReleaseRole) -> home.Payload:
    return home.entity(
        site,
        node,
        "update",
        f"model-{role}",
        NAMES[role],
        stat_t=home.model_state(node, role),
        cmd_t=home.install(node, role),
        pl_inst=INSTALL.decode(),
        ret=False,
        qos=1,
    )
