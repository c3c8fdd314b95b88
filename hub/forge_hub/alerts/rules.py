"""Which events a person must answer, and how urgently. Pure: an event in, a draft out.

A language model never takes part, and nothing about a draft depends on how sure the software is that someone is fine.
"""

from dataclasses import dataclass
from typing import Any, Literal

from forge_shared.events import (
    CanarySent,
    CrisisHeard,
    EventData,
    ReminderMissed,
    RequestMade,
    RiskAnswered,
    SenseChanged,
)

Severity = Literal["critical", "high", "normal"]

ALERT_KINDS: dict[str, str] = {
    "request": "someone in the room asked for water, a nurse, help with pain, the toilet, or something else, or help",
    "crisis": "someone in the room said, wrote or touched what means danger: a person must come, now or soon",
    "reminder-missed": "a reminder that staff had planned, such as for medication, was not confirmed in the room",
    "risk-answer": "a form's risk item was answered with more than its lowest option; raised before it is read back",
    "risk-unanswered": "a form's risk item was skipped, not understood, or met with silence: no answer never reassures",
    "sense-lost": "a room can no longer hear or see",
    "unreadable-alarm": "a message in the alarm lane could not be read: an alarm that cannot be read is still an alarm",
    "canary": "a room proves every ten minutes that an alarm reaches an open page; never shown, closes by itself",
    "monitoring-lost": "a room is offline, silent, or its canary does not come through; closes itself when it is back",
    "nobody-listening": "a ward's rooms are watched but no page is open and nobody can be reached; closes by itself",
}
"""Every kind of alert and what raises it."""

AlertKind = Literal[
    "request",
    "crisis",
    "reminder-missed",
    "risk-answer",
    "risk-unanswered",
    "sense-lost",
    "unreadable-alarm",
    "canary",
    "monitoring-lost",
    "nobody-listening",
]
FROM_A_PERSON: frozenset[str] = frozenset({"request", "crisis", "risk-answer", "risk-unanswered"})
"""Kinds with a person behind them who may be told that someone is coming. Software never closes one of them."""

_REQUEST_SEVERITY: dict[str, Severity] = {"help": "critical", "pain": "high", "nurse": "high", "toilet": "high"}
"""Every other request is ``normal``. The toilet is high: who is not helped in time goes alone, and falls. Half of the
falls in one hospital had to do with it (Hitcho et al., J Gen Intern Med 2004; 19: 732-739).
"""
_OWN_LIFE = frozenset({"wish-to-die", "self-harm", "overdose"})
"""Critical also where somebody need not come at once, as any answer but zero to item 9 of a PHQ-9 is."""


@dataclass(frozen=True, slots=True)
class AlertDraft:
    """An alert before it is stored. ``detail`` holds codes only, never free text."""

    kind: AlertKind
    severity: Severity
    detail: dict[str, Any]


def draft_of(data: EventData) -> AlertDraft | None:  # noqa: PLR0911 (one arm per kind of event)
    """Return the alert that an event raises, if it raises one."""
    match data:
        case RequestMade():
            return AlertDraft(
                "request", _REQUEST_SEVERITY.get(data.request, "normal"), {"request": data.request, "mode": data.mode}
            )
        case CrisisHeard():
            critical = data.priority == "urgent" or data.category in _OWN_LIFE
            return AlertDraft(
                "crisis",
                "critical" if critical else "high",
                {"category": data.category, "priority": data.priority, "mode": data.mode},
            )
        case ReminderMissed():
            return AlertDraft(
                "reminder-missed",
                "high" if data.kind == "medication" else "normal",
                {"reminder": data.kind, "due_at": data.due_at.isoformat()},
            )
        case RiskAnswered():
            detail = {
                "questionnaire": data.questionnaire,
                "link_id": data.link_id,
                "answer": data.answer,
                "mode": data.mode,
            }
            # Any non-zero item 9 of the PHQ-9 asks for a clinician's own assessment (Kroenke et al. 2001).
            return (
                AlertDraft("risk-unanswered", "high", detail)
                if data.answer is None
                else AlertDraft("risk-answer", "critical", detail)
            )
        case SenseChanged(state="lost"):
            return AlertDraft("sense-lost", "high", {"sense": data.sense, "reason": data.reason})
        case CanarySent():
            return AlertDraft("canary", "normal", {})
        case _:
            return None
