"""Which events a person must answer, and how urgently. Pure: an event in, a draft out.

A language model never takes part, and nothing about a draft depends on how sure the software is that someone is fine.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from forge_shared.events import (
    CanarySent,
    CrisisHeard,
    DangerKind,
    DangerSeen,
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
    "danger": "the camera saw a fall, no movement, getting up, leaving, absence or a stranger: one alert an incident",
    "reminder-missed": "a reminder that staff had planned, such as for medication, was not confirmed in the room",
    "risk-answer": "a form's risk item was answered with more than its lowest option; raised before it is read back",
    "risk-unanswered": "a form's risk item was skipped, not understood, or met with silence: no answer never reassures",
    "sense-lost": "a room can no longer hear or see; closes by itself when it can again",
    "unreadable-alarm": "a message in the alarm lane could not be read: an alarm that cannot be read is still an alarm",
    "canary": "a room proves every ten minutes that an alarm reaches an open page; never shown, closes by itself",
    "monitoring-lost": "a room is offline, silent, or its canary does not come through; closes itself when it is back",
    "nobody-listening": "a ward's rooms are watched but no page is open and nobody can be reached; closes by itself",
}
"""Every kind of alert and what raises it."""

AlertKind = Literal[
    "request",
    "crisis",
    "danger",
    "reminder-missed",
    "risk-answer",
    "risk-unanswered",
    "sense-lost",
    "unreadable-alarm",
    "canary",
    "monitoring-lost",
    "nobody-listening",
]
FROM_A_PERSON: frozenset[str] = frozenset({"request", "crisis", "danger", "risk-answer", "risk-unanswered"})
"""Kinds with a person behind them. Software closes one of them in a single case: the camera's suspicion that the room
took back before it was confirmed and before anybody took it (`forge_hub.alerts.incidents`).
"""
_HEARD_BY_WHOM_IT_CONCERNS: frozenset[DangerKind] = frozenset({"fall", "immobile"})
"""Dangers in which the person lies there and may hear it. Whoever only gets up, or is not there, asked for nobody."""

_REQUEST_SEVERITY: dict[str, Severity] = {"help": "critical", "pain": "high", "nurse": "high", "toilet": "high"}
"""Every other request is ``normal``. The toilet is high: who is not helped in time goes alone, and falls. Half of the
falls in one hospital had to do with it (Hitcho et al., J Gen Intern Med 2004; 19: 732-739).
"""
DANGERS: dict[DangerKind, tuple[Severity, Severity]] = {
    "fall": ("high", "critical"),
    "immobile": ("high", "critical"),
    "bed_exit": ("high", "high"),
    "left_room": ("high", "high"),
    "absent_long": ("high", "high"),
    "bed_edge": ("normal", "normal"),
    "extra_person": ("normal", "normal"),
}
"""Severity of what the camera saw while it is suspected, and once it is confirmed.

A long lie on the floor is itself a harm: half of those who lay for an hour or more were dead within six months (Wild
et al., BMJ 1981; 282: 266-268). So a confirmed fall is critical, and so is a person who does not move, who may be
without breath; a suspected one may be looked at by whoever is near. Getting up, leaving and absence are watched for
only in whom they are dangerous, and are a prompt matter: the fall has not happened yet. Who sits at the edge of the bed
may only be sitting, and a stranger at night is most often a visitor: both are for awareness. A ward that is called for
nothing stops listening.
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
        case DangerSeen(stage="suspected" | "confirmed"):
            return _seen(data)
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


def is_promised(kind: str, detail: Mapping[str, Any]) -> bool:
    """Tell whether the room may say that someone is coming once a person has taken an alert."""
    return kind in FROM_A_PERSON and (kind != "danger" or detail.get("danger") in _HEARD_BY_WHOM_IT_CONCERNS)


def _seen(data: DangerSeen) -> AlertDraft:
    suspected, confirmed = DANGERS[data.kind]
    detail: dict[str, Any] = {"danger": data.kind, "stage": data.stage, "zone": data.zone}
    if data.confirmed_by is not None:
        detail["confirmed_by"] = data.confirmed_by
    return AlertDraft("danger", confirmed if data.stage == "confirmed" else suspected, detail)
