"""What Home Assistant asks of the room, read from what arrives. Pure."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, cast

from forge_edge.errors import HomeCommandError
from forge_edge.home.device import ACKNOWLEDGE, DISPLAY, IDENTIFY, MOST_LETTERS, PRIVACY, PROFILE
from forge_edge.home.state import PROFILES
from forge_edge.home.state import Profile as ProfileName

STALE_SECONDS: Final = 30.0
"""What was asked longer ago does nothing, nor what is dated so far ahead. Ours: the patience of whoever pressed, and
more than clocks differ that are set by the network."""
MOST_BYTES: Final = 4_096


@dataclass(frozen=True, slots=True)
class Privacy:
    """The room's senses shall be closed, or be again as the room itself decides."""

    closed: bool


@dataclass(frozen=True, slots=True)
class Identify:
    """The room shall show which one it is."""


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """Somebody at the room has seen what it warns of. It takes no alert: that is done at the hub, by name."""


@dataclass(frozen=True, slots=True)
class Profile:
    """The room shall behave so."""

    name: ProfileName


@dataclass(frozen=True, slots=True)
class Display:
    """This shall be on the room's screen; empty: no more. Never in a log: it may name a person."""

    text: str = field(repr=False)


HomeCommand = Privacy | Identify | Acknowledge | Profile | Display


def read(name: str, payload: bytes, *, retained: bool, now: datetime) -> HomeCommand:
    """Return what is asked.

    Args:
        name: The last part of the topic.
        payload: A JSON object with ``value`` and ``at``; what has no ``at`` is taken for asked now.
        retained: Whether a broker had kept it, so that nobody knows when it was asked.
        now: The room's time.

    Raises:
        HomeCommandError: It is too old, or nothing that the room can be asked for.
    """
    if retained:
        raise HomeCommandError("retained")
    if len(payload) > MOST_BYTES:
        raise HomeCommandError("too-long")
    value, at = _parts(payload)
    if at is not None and abs((now - at).total_seconds()) > STALE_SECONDS:
        raise HomeCommandError("expired")
    if name == PRIVACY and value in ("ON", "OFF"):
        return Privacy(closed=value == "ON")
    if name == IDENTIFY:
        return Identify()
    if name == ACKNOWLEDGE:
        return Acknowledge()
    if name == PROFILE and value in PROFILES:
        return Profile(cast("ProfileName", value))
    if name == DISPLAY and len(value) <= MOST_LETTERS and value.isprintable():
        return Display(value.strip())
    raise HomeCommandError("unknown")


def _parts(payload: bytes) -> tuple[str, datetime | None]:
    """Return the value and when it was asked; a payload that is no JSON object is the value itself."""
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        raise HomeCommandError("unreadable") from None
    try:
        parts = json.loads(text)
    except (ValueError, RecursionError):
        return text, None
    if not isinstance(parts, dict):
        return text, None
    value, at = parts.get("value"), parts.get("at")
    if not isinstance(value, str):
        raise HomeCommandError("unreadable")
    try:
        asked = None if at is None else datetime.fromisoformat(at)
    except (ValueError, TypeError):
        raise HomeCommandError("unreadable") from None
    return value, asked if asked is None or asked.tzinfo is not None else asked.replace(tzinfo=UTC)
