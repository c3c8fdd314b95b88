"""What became of a call for the staff, as far as the room knows. Pure.

The screen never says more than is known: stored here, at the hub, taken by a person, given back, or not come through.
"""

from dataclasses import dataclass, replace
from typing import Literal

from forge_shared.events import Envelope, RequestCode
from forge_shared.wire import LanePosition

State = Literal["telling", "told", "coming", "again", "unreached"]
"""The call is stored in the room; the hub has it; a person has taken it; that person gave it back; or nobody can be
told now."""

AGAIN_SECONDS = 15.0
"""A second touch within this time is the same call. Ours: a hand that shakes, or somebody who is afraid, touches
several times; whoever touches later wants to be heard again."""

SHOWN_SECONDS = 900.0
"""How long a call that nothing more is heard of stays on the screen. Ours; the hub's escalation has run by then."""


@dataclass(frozen=True, slots=True)
class Call:
    """The newest call of this room. Moments are monotonic seconds.

    Attributes:
        request: What was asked for.
        state: What is known of it.
        made_seconds: When it was made.
        changed_seconds: When its state changed last.
        envelope: Its newest event; None where it could not even be stored.
        events: Ids of all its events: it may have been asked for again.
    """

    request: RequestCode
    state: State
    made_seconds: float
    changed_seconds: float
    envelope: Envelope | None
    events: tuple[str, ...] = ()


def made(request: RequestCode, envelope: Envelope | None, now: float, *, hub: bool, before: Call | None = None) -> Call:
    """Return a call that was just made; ``before`` is the one that was known."""
    earlier = before.events if before is not None and before.request == request else ()
    events = earlier if envelope is None else (*earlier, envelope.id)
    return Call(request, "telling" if hub and envelope is not None else "unreached", now, now, envelope, events)


def is_same(before: Call | None, request: RequestCode, now: float) -> bool:
    """Tell whether asking for this now only repeats a call on its way, so that nobody is called twice."""
    return before is not None and before.request == request and now - before.made_seconds < AGAIN_SECONDS


def acknowledged(before: Call, position: LanePosition, now: float) -> Call:
    """The hub has everything up to a position."""
    envelope = before.envelope
    if envelope is None or before.state not in ("telling", "unreached"):
        return before
    if (position.epoch, position.lane) != (envelope.epoch, envelope.lane) or position.sequence < envelope.sequence:
        return before
    return replace(before, state="told", changed_seconds=now)


def overdue(before: Call, now: float) -> Call:
    """The hub has not confirmed the call in time."""
    return replace(before, state="unreached", changed_seconds=now) if before.state == "telling" else before


def accepted(before: Call, event: str, now: float) -> Call:
    """A person has taken the alert of an event."""
    return replace(before, state="coming", changed_seconds=now) if _is_of(before, event) else before


def reopened(before: Call, event: str, now: float) -> Call:
    """That person gave it back or did not come in time."""
    return replace(before, state="again", changed_seconds=now) if _is_of(before, event) else before


def is_over(call: Call, now: float) -> bool:
    """Tell whether a call needs to be shown no more."""
    return now - call.changed_seconds > SHOWN_SECONDS


def _is_of(call: Call, event: str) -> bool:
    return event in call.events
