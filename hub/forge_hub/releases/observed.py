"""What a room has done about what it was told, from what it says. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from forge_hub.releases.rollout import RoomState


@dataclass(frozen=True, slots=True)
class Said:
    """What a room's twin says of the role.

    Attributes:
        serving: The release that serves; None: the model that came with the node.
        next: The one that it does something about; None: none.
        state: What it does, as in `forge_shared.wire.RoomRelease`.
        at: When it said so first.
        refusal: Why it will not have ``next`` on this roll-out's behalf, a code; None: it did not say that.
        heard_at: Of its newest twin, in which this still held; None: as ``at``.
    """

    serving: str | None
    next: str | None
    state: str
    at: datetime
    refusal: str | None = None
    heard_at: datetime | None = None

    @property
    def held_at(self) -> datetime:
        """The newest moment of which it is known."""
        return max(self.at, self.heard_at or self.at)

    def keeps(self, target: str) -> bool:
        """Tell whether a release serves there and is on trial no more."""
        return (self.serving, self.state) == (target, "serving")


@dataclass(frozen=True, slots=True)
class Did:
    """One thing that became of a release of the role in the room, logged since the room was told."""

    outcome: str
    release: str
    reason: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Now:
    """How a room is. ``serves_since``: since when it serves the release; None: it does not."""

    state: RoomState
    since: datetime
    serves_since: datetime | None = None
    reason: str | None = None


def observe(now: Now, target: str, before: str | None, did: Sequence[Did], said: Said | None) -> Now:
    """Return how a room is by everything it said since it was told; the same where nothing follows.

    Args:
        now: How it was.
        target: The roll-out's release.
        before: What the room had.
        did: In the order of the log.
        said: Its newest twin; None: it has said nothing of this role.
    """
    match now.state:
        case "directed" | "on-trial" | "kept":
            for one in did:
                if one.release == target:
                    now = _after(now, one)
            if now.state == "directed" and said is not None and said.at >= now.since and said.keeps(target):
                return Now("kept", said.at, said.at)  # it had the release already: nothing became of it
            if now.state == "directed" and said is not None and said.next == target and said.refusal is not None:
                # It told what became of it when it refused it first, to another roll-out, and tells that once.
                return Now("failed", max(now.since, said.at), reason=said.refusal)
            return now
        case "returning":
            gone = any(one.release == target and one.outcome in {"rolled-back", "refused"} for one in did)
            back = any(one.release == before and one.outcome in {"on-trial", "committed"} for one in did)
            away = said is not None and said.held_at >= now.since and target not in {said.serving, said.next}
            last = did[-1].at if did else said.held_at if said is not None else now.since
            return Now("returned", last) if gone or back or away else now
        case _:
            return now


def why_given_up(sense: str, *, is_online: bool) -> str:
    """Return why a trial does not end, a code for people.

    Args:
        sense: How the room's camera stands, or for a role that hears or speaks its microphone, as
            `forge_shared.wire.TwinReported` says it.
        is_online: Whether the room is in touch.
    """
    if not is_online:
        return "trial-away"
    return {"closed": "trial-closed", "ok": "trial-unused"}.get(sense, "trial-lost")


def _after(now: Now, did: Did) -> Now:
    match did.outcome:
        case "on-trial":
            return now if now.state == "on-trial" else Now("on-trial", did.at, did.at)
        case "committed":
            return now if now.state == "kept" else Now("kept", did.at, now.serves_since or did.at)
        case _:
            return Now("failed", did.at, reason=did.reason or did.outcome)
