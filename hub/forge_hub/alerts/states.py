"""What can happen to an alert, and what follows. Pure: a standing and an answer in, the new standing out.

An alert is ``open`` until a person accepts it or says that they attended, ``accepted`` until that person is there,
``attended`` until someone says what it was, and then ``closed``. That it was raised, rung, delivered, seen or declined
are steps on the way that change who is asked next but not who answers for it: only a person's acceptance does.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

State = Literal["open", "accepted", "attended", "closed"]
Answer = Literal["accept", "decline", "attend", "close"]
"""What a person can do about an alert."""

STATES: dict[State, str] = {
    "open": "nobody answers for it: it rings, and rings further up",
    "accepted": "a person is on the way; this expires",
    "attended": "a person is or was with the patient",
    "closed": "over, with a cause",
}

CAUSES: dict[str, str] = {
    "real": "Someone needed help",
    "false": "Nothing had happened",
    "drill": "A drill or a test",
    "duplicate": "The same as another alert",
    "unclear": "It cannot be told",
}
"""What a person can say an alert was. ``real`` over ``real`` and ``false`` is the share shown on the board."""

OWN_CAUSES: dict[str, str] = {
    "resolved": "what raised it is over",
    "withdrawn": "the room took back what it only suspected, before anybody had taken it",
    "delivered": "a canary reached an open page",
    "no-page": "a canary reached the hub while no page was open",
}
"""Causes that the software gives. Of alerts about a person it closes only an unconfirmed suspicion of the camera."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an alert stands.

    Attributes:
        state: See `STATES`.
        holder: Account of the person who accepted or attended it.
        due_at: When the next decision is due: the next level, or the end of an acceptance. None: no timer runs.
    """

    state: State
    holder: str | None = None
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """An answer that changed something.

    Attributes:
        standing: The new standing.
        step: What is written down: ``accepted``, ``declined``, ``withdrawn``, ``attended`` or ``closed``.
        promise: What the room may now be told: that someone is coming, or that nobody is any more.
    """

    standing: Standing
    step: str
    promise: Literal["made", "taken-back"] | None = None


def answered(  # noqa: PLR0913 (what one decision depends on)
    before: Standing, answer: Answer, by: str, now: datetime, *, acceptance: timedelta, all_declined: bool = False
) -> Change | None:
    """Return what an answer changes, or None when it changes nothing.

    Of two people who accept, the first has it. Declining what one has accepted gives it back, and it rings at once.

    Args:
        before: Where the alert stands.
        answer: What the person did.
        by: The person's account.
        now: Time of the decision.
        acceptance: How long an acceptance holds without the person being there.
        all_declined: Whether with this answer everyone who is asked now has declined: it then rings further at once.
    """
    match before.state, answer:
        case "open", "accept":
            return Change(Standing("accepted", by, now + acceptance), "accepted", "made")
        case "open", "decline":
            return Change(replace(before, due_at=now) if all_declined else before, "declined")
        case "accepted", "decline" if before.holder == by:
            return Change(Standing("open", None, now), "withdrawn", "taken-back")
        case (("open" | "accepted"), "attend"):
            return Change(Standing("attended", by), "attended")
        case (("accepted" | "attended"), "close"):
            return Change(Standing("closed", before.holder), "closed")
        case _:
            return None


def state_of(stored: str) -> State:
    """Return a stored state; one that this version does not know needs nobody any more."""
    match stored:
        case "open" | "accepted" | "attended":
            return stored
        case _:
            return "closed"
