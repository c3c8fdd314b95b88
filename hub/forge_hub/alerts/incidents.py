"""One incident that a camera follows is one alert, in whatever order its stages come. Pure: what is known, one stage.

A suspicion may be looked at, a confirmation rings again, and what the room takes back before it was sure closes by
itself unless a person has taken it. Nothing about a confidence ever closes an alert.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from forge_hub.alerts.escalation import PRIORITIES, priority_of
from forge_hub.alerts.rules import AlertDraft, Severity
from forge_hub.alerts.states import State
from forge_shared.events import DangerStage

_URGENCY: tuple[Severity, ...] = ("critical", "high", "normal")
_SEEN, _TAKEN_BACK, _OVER = "seen_at", "taken_back_at", "over_at"
"""Moments in an alert's detail, ISO 8601: of the newest sign of danger, of its withdrawal, of its end."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What is stored of an incident.

    Attributes:
        detail: The alert's.
        taken: Whether a person has ever accepted or attended it.
        closed_at: When it was closed; None: it is not.
    """

    state: State
    severity: str
    late: bool
    detail: Mapping[str, Any]
    taken: bool = False
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage as it arrives. ``draft`` is of those that mean danger; ``late`` is as of any alert."""

    stage: DangerStage
    happened_at: datetime
    draft: AlertDraft | None = None
    late: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of the alert.

    Attributes:
        rings: It rings anew, as more urgent.
        reopens: It was closed and is open again.
        closes: It closes by itself.
    """

    severity: str
    late: bool
    detail: dict[str, Any]
    rings: bool = False
    reopens: bool = False
    closes: bool = False


def first(stage: Stage) -> dict[str, Any]:
    """Return the detail of an alert whose first known stage this is, one that means danger."""
    return {**(stage.draft.detail if stage.draft else {}), _SEEN: _text(stage.happened_at)}


def after(known: Standing, stage: Stage) -> Outcome:
    """Return what a further stage of an incident does to its alert."""
    if stage.draft is not None:
        return _danger(known, stage, stage.draft)
    mark = _TAKEN_BACK if stage.stage == "withdrawn" else _OVER
    closes = (
        stage.stage == "withdrawn"
        and known.state == "open"
        and not known.taken
        and known.detail.get("stage") != "confirmed"
        and stage.happened_at >= _moment(known.detail, _SEEN, stage.happened_at)
    )
    detail = {**known.detail, mark: _text(stage.happened_at)}
    return Outcome(known.severity, known.late, detail, closes=closes)


def _danger(known: Standing, stage: Stage, draft: AlertDraft) -> Outcome:
    severity = min(known.severity, draft.severity, key=_rank)
    seen = max(stage.happened_at, _moment(known.detail, _SEEN, stage.happened_at))
    is_less = known.detail.get("stage") == "confirmed" and stage.stage == "suspected"
    detail = {**known.detail, **({} if is_less else draft.detail), _SEEN: _text(seen)}
    if _reopens(known, stage):
        now = _text(stage.happened_at)
        past = {name for name in (_TAKEN_BACK, _OVER) if detail.get(name, now) <= now}
        detail = {name: said for name, said in detail.items() if name not in past}
        return Outcome(severity, stage.late, detail, rings=True, reopens=True)
    # A late stage is no news: it makes the alert what it is, but it does not ring as if it had just happened.
    is_more_urgent = _place(severity, late=stage.late) < _place(known.severity, late=known.late)
    return Outcome(severity, known.late and stage.late, detail, rings=known.state == "open" and is_more_urgent)


def _reopens(known: Standing, stage: Stage) -> bool:
    """Tell whether a closed alert is open again: what came after the answer is never swallowed by it."""
    if known.closed_at is None:
        return False
    if known.taken:
        return stage.happened_at > known.closed_at
    # It had closed by itself. Danger that was confirmed stands, whenever that came to be known.
    return stage.stage == "confirmed" or stage.happened_at > _moment(known.detail, _TAKEN_BACK, known.closed_at)


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _moment(detail: Mapping[str, Any], name: str, otherwise: datetime) -> datetime:
    said = detail.get(name)
    return datetime.fromisoformat(said) if isinstance(said, str) else otherwise


def _rank(severity: str) -> int:
    return _URGENCY.index(severity) if severity in _URGENCY else 0


def _place(severity: str, *, late: bool) -> int:
    return PRIORITIES.index(priority_of(severity, late=late))
