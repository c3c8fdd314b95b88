"""Words for model releases and what rooms do with them. Pure."""

from collections.abc import Mapping
from typing import Final

ROLES: Final[Mapping[str, str]] = {
    "wake-word": "Wake word",
    "transcriber": "Speech to text",
    "voice": "Voice",
    "pose": "Pose",
    "language-model": "Language model",
}
"""What a model does in a room, by its role."""


ROOM_STATES: Final[Mapping[str, str]] = {
    "planned": "not told yet",
    "directed": "told",
    "on-trial": "on trial",
    "kept": "keeps it",
    "failed": "failed",
    "returning": "goes back",
    "returned": "went back",
    "left-out": "left out",
}
ROOM_ICONS: Final[Mapping[str, str]] = {
    "planned": "closed",
    "directed": "clock",
    "on-trial": "clock",
    "kept": "ok",
    "failed": "lost",
    "returning": "clock",
    "returned": "closed",
    "left-out": "closed",
}
DOING: Final[Mapping[str, str]] = {
    "fetching": "fetches it",
    "waiting": "has it, and waits until nobody needs the room",
    "proving": "tries its golden inputs",
}
STATES: Final[Mapping[str, str]] = {
    "running": "runs",
    "paused": "paused",
    "stopped": "stopped",
    "withdrawn": "withdrawn",
    "done": "done",
}
STATE_ICONS: Final[Mapping[str, str]] = {
    "running": "clock",
    "paused": "closed",
    "stopped": "closed",
    "withdrawn": "lost",
    "done": "ok",
}
STATE_TONES: Final[Mapping[str, str]] = {
    "running": "running",
    "paused": "unknown",
    "stopped": "closed",
    "withdrawn": "lost",
    "done": "ok",
}
WAITS: Final[Mapping[str, str]] = {
    "window": "waits for its hours",
    "rooms": "waits for rooms",
    "soak": "waits until it has been in use long enough",
    "evidence": "waits until enough is known of it",
}
"""Why a ring has not passed."""

REASONS: Final[Mapping[str, str]] = {
    "hardware": "it is not made for this machine",
    "has-it": "it has it already",
    "golden-differs": "its golden inputs gave another output here",
    "latency": "it was slower than its limit",
    "memory": "it took more memory than its limit",
    "temperature": "the device became hotter than its limit",
    "false-alerts": "it raised more false alerts than its limit",
    "inference-failed": "it failed while it served",
    "starts": "it did not start",
    "disk-full": "the room's disk has no room for it",
    "wrong-bytes": "what was fetched is not what was approved",
    "endless-data": "the server sent more than the release is long",
    "not-approved": "it is not approved by the site's people",
    "repositories-disagree": "the two signed lists do not agree on it",
    "clock-behind": "the room's clock is behind",
    "another-role": "it is for another role than was said",
    "two-for-one-role": "two releases were named for one role",
    "no-release": "what was fetched is no release",
    "no-manifest": "what was fetched has no manifest",
    "missing-file": "a file of the release is missing",
    "unlisted-file": "it holds a file that its manifest does not name",
    "release-not-understood": "the room's software does not understand it",
    "trial-closed": "not waited for any more: its camera or microphone is closed, so its trial does not end",
    "trial-lost": "not waited for any more: its camera or microphone does not work, so its trial does not end",
    "trial-away": "not waited for any more: it is out of touch, so its trial does not end",
    "trial-unused": "not waited for any more: the release was used too little there to end its trial",
}
"""Why a room refused a release or took it back, by the room's code, and why the hub waits for its trial no more."""


def refusal_words(code: str) -> str:
    """Return why a room is in its state; an unknown code is shown as it is."""
    return REASONS.get(code, code)


def role_words(role: str) -> str:
    """Return what a model does in a room."""
    return ROLES.get(role, role)


def size_words(size_bytes: float) -> str:
    """Return a size as people read it: decimal units (IEC 80000-13), three digits."""
    if size_bytes < 1000:  # noqa: PLR2004 (the units' base)
        return f"{size_bytes:.0f} bytes"
    for unit in ("kB", "MB"):
        size_bytes /= 1000
        if size_bytes < 999.5:  # noqa: PLR2004 (what three digits still show)
            return f"{size_bytes:.3g} {unit}"
    return f"{size_bytes / 1000:.3g} GB"


def lasting_words(seconds: float) -> str:
    """Return how long something lasts."""
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= length:
            count = f"{seconds / length:.3g}"
            return f"{count} {unit}{'' if count == '1' else 's'}"
    return f"{seconds:.0f} seconds"
