"""What became of a model release in a room."""

from typing import Annotated, Literal

from pydantic import Field

from forge_shared.events.data import EventData
from forge_shared.events.vocabulary import Code
from forge_shared.releases import ReleaseRole, ReleaseVersion, Sha256


class ReleaseChanged(EventData):
    """A room serves another release in a role than before, or would not: what ran when is read from these.

    Attributes:
        outcome: ``on-trial``: it serves from now on, watched; ``committed``: it did well; ``rolled-back``: it was taken
            back and what served before serves again; ``refused``: it never served.
        sha256: Digest of the packed release; None: the role's own model, which came with the node, serves again.
        rollout: On whose behalf: id of a roll-out, or "manual".
        reason: Why it was taken back or refused, a code; absent otherwise.
    """

    noun_verb = "release.changed"
    version = 1
    lane = "record"

    role: ReleaseRole
    outcome: Literal["on-trial", "committed", "rolled-back", "refused"]
    release: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}-[0-9.]{5,32}\.tar$")]
    """The release's TUF target path, as `Manifest.target` names it."""
    release_version: ReleaseVersion | None
    sha256: Sha256 | None
    rollout: Code
    reason: Code | None = None
