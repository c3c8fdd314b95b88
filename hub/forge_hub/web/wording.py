"""Alerts, rooms and times in plain words. Pure: codes in, words out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from forge_hub.alerts.marks import stored_mark
from forge_hub.records.schema import Alert
from forge_hub.web import camera_wording as camera
from forge_shared import topics
from forge_shared.forms.questionnaire import Item, Questionnaire

_REQUESTS = {
    "water": "Asks for water",
    "nurse": "Asks for a nurse",
    "pain": "Is in pain",
    "help": "Calls for help",
    "toilet": "Needs the toilet",
    "blanket": "Is cold, or asks for a blanket",
    "light": "Asks about the light",
    "temperature": "Is too hot or too cold",
    "music": "Asks for music",
    "menu": "Asks about the meals",
}
_DANGERS = {
    "help": "Calls for help",
    "chest-pain": "Speaks of pain in the chest",
    "breathing": "Says that they cannot breathe",
    "overdose": "Speaks of an overdose",
    "wish-to-die": "Speaks of wanting to die",
    "self-harm": "Speaks of hurting themselves",
    "violence": "Speaks of violence",
    "abuse": "Speaks of being mistreated",
    "stroke-collapse": "Speaks of a stroke or a collapse",
    "bleeding": "Speaks of bleeding",
}
"""By category of `forge_language.danger.catalogue.Category`."""
_REASONS_OF_MENTION = {
    "negated": "denied",
    "past": "in the past",
    "over": "over by now",
    "quoted": "quoted",
    "reported": "somebody else's words",
    "third-person": "about somebody else",
    "conditional": "only supposed",
    "question": "asked in general",
    "unreal": "in a story, a dream or a figure of speech",
    "resembles": "no phrase alone raises it, the whole resembles it",
    "unlike": "a phrase names it, the whole resembles harmless talk",
}
"""By `forge_language.crisis.Ground`."""
_URGENCY = {"urgent": "Go now. The room does not judge the danger; a person must.", "staff": "Somebody must look in."}
_REMINDERS = {
    "medication": "A medication reminder was not confirmed",
    "drink": "A reminder to drink was not confirmed",
    "move": "A reminder to move was not confirmed",
    "appointment": "A reminder of an appointment was not confirmed",
}
_REASONS = {
    "stopped": "It was switched off.",
    "process-died": "Its program ended.",
    "source-silent": "Nothing arrives from the device.",
    "source-failed": "The device failed.",
}
_LOST = {
    "offline": "Its device is not connected.",
    "silent": "Its device says nothing.",
    "canary": "Its test alarm does not come through.",
}
_REVIEWS = {
    None: "Read back: pending",
    "confirmed": "Read back: confirmed",
    "corrected": "Read back: corrected by the person",
    "not-reviewed": "Read back: not possible",
}
_MODES = {
    "voice": "by voice",
    "touch": "by touch",
    "text": "in writing",
    "staff": "by the staff for them",
    "unknown": "way of answering unknown",
}
_SIGNATURES = {
    "room": "Signed by the room.",
    "missing": "Not signed.",
    "wrong": "Its signature is wrong: it may have been altered, or comes from elsewhere.",
}
_UNREADABLE = {
    "event.unknown": "Its type or version is not known to this hub: the room may be newer.",
    "event.invalid": "It is damaged, or its contents do not fit its type.",
    "event.too-large": "It is larger than an event may be.",
    "topic.invalid": "Its address names no event of this site.",
}
TECHNICAL = frozenset({"sense-lost", "unreadable-alarm"})
"""Kinds of alerts that say something of a device and nothing of a person."""

SEVERITIES = {"critical": "Critical", "high": "High", "normal": "Normal"}


@dataclass(frozen=True, slots=True)
class AlertView:
    """An alert as the board shows it.

    Attributes:
        title: What happened, in plain words.
        notes: Further short sentences, such as whether an answer was confirmed.
        severity: ``critical``, ``high`` or ``normal``.
        taken_by: Username of the person who took it.
        count: How many calls of the same kind it stands for.
        taken_back_at: When the room took it back, before anybody had taken it.
        markable: Whether a person may say what it was, with a cause.
        mark: What a person said that it was.
    """

    id: str
    title: str
    notes: tuple[str, ...]
    severity: str
    severity_word: str
    room: str
    late: bool
    happened_at: datetime
    is_open: bool
    taken_by: str | None
    taken_at: datetime | None
    count: int = 1
    taken_back_at: datetime | None = None
    markable: bool = False
    mark: str = ""


def view_of(
    alert: Alert, forms: Mapping[str, Questionnaire], names: Mapping[str, str], *, clinical: bool = True
) -> AlertView:
    """Return an alert in words.

    Args:
        alert: The stored alert.
        forms: Questionnaires by id.
        names: Usernames by account id.
        clinical: Whether the reader may know what a person asked for or answered; else only that someone is needed.
    """
    title, notes = _words(alert, forms) if clinical or alert.kind in TECHNICAL else ("Someone is needed here", ())
    mark = stored_mark(alert.verdict, alert.verdict_reason)
    return AlertView(
        id=alert.id,
        title=title,
        notes=notes,
        severity=alert.severity if alert.severity in SEVERITIES else "high",
        severity_word=SEVERITIES.get(alert.severity, "High"),
        room=room_name(alert.node),
        late=alert.late,
        happened_at=alert.happened_at,
        is_open=alert.state == "open",
        taken_by=names.get(alert.accepted_by or "", "someone") if alert.state != "open" else None,
        taken_at=alert.accepted_at,
        count=alert.count,
        taken_back_at=alert.closed_at if alert.state == "closed" and alert.cause == "withdrawn" else None,
        markable=clinical and alert.kind == "danger" and alert.state != "open",
        mark=mark.words() if mark else "",
    )


def room_name(node: str) -> str:
    """Return a node's name as a person would say it: ``room-12`` becomes "Room 12". Transcripts come from no room."""
    if node == topics.TRANSCRIPTS:
        return "No room, from transcripts"
    words = node.replace("-", " ")
    return words[:1].upper() + words[1:]


def reason_words(code: str) -> str:
    """Return why a message could not be read."""
    return _UNREADABLE.get(code, f"It could not be read ({code}).")


def signature_words(verdict: str | None) -> str:
    """Return in words whether a form was signed by its room."""
    return _SIGNATURES.get(verdict or "", "")


def mode_words(mode: str) -> str:
    """Return how something was entered."""
    return _MODES.get(mode, mode)


def ago(then: datetime, now: datetime) -> str:
    """Return how long ago a moment was, to a precision that helps whoever acts on it.

    The script ``static/board.js`` says the same as time goes on.
    """
    seconds = int((now - then).total_seconds())
    if seconds < 10:  # noqa: PLR2004 (a clock's jitter is no information)
        return "just now"
    for limit, unit, name in ((60, 1, "s"), (3600, 60, "min"), (86_400, 3600, "h")):
        if seconds < limit:
            return f"{seconds // unit} {name} ago"
    return f"{seconds // 86_400} d ago"


_MACHINE_TROUBLES: Mapping[str, str] = {
    "machine.hot": "Its machine is hot: is its fan running, and is there air around it?",
    "machine.throttled": "Its machine is slowed down for heat or power: it hears and sees later.",
    "power.low": "Its power supply is too weak: it may restart at any moment.",
    "memory.low": "Its memory is nearly full.",
    "storage.worn": "Its storage is nearly worn out: exchange it before it fails.",
}


def trouble_words(trouble: str, clock_error_seconds: float | None) -> str:
    """Return what is wrong with a room's machine, with the code under which the manual has it."""
    match trouble:
        case "disk.full":
            words = "Its disk is full: alarms are kept, records are thinned."
        case "disk.failed":
            words = "Its disk cannot be written: what it has not sent is lost when it goes off."
        case "word.refused":
            words = "Something came in the hub's name that the hub has not signed; it was not done. Look at the broker."
        case "clock.wrong" if clock_error_seconds is not None:
            way = "ahead" if clock_error_seconds > 0 else "behind"
            words = f"Its clock is {_span(abs(clock_error_seconds))} {way}; it goes by the hub's."
        case _:
            words = _MACHINE_TROUBLES.get(trouble, "Its machine reports a trouble.")
    return f"{words} ({trouble})"


def _span(seconds: float) -> str:
    for limit, unit, name in ((120, 1, "s"), (7200, 60, "min"), (172_800, 3600, "h"), (63_072_000, 86_400, "days")):
        if seconds < limit:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds / 31_557_600:.0f} years"


def form_of(canonical: str, forms: Mapping[str, Questionnaire]) -> Questionnaire | None:
    """Return the installed form that a response refers to."""
    return next((form for form in forms.values() if form.canonical == canonical), None)


def _words(  # noqa: PLR0911 (one arm for each kind)
    alert: Alert, forms: Mapping[str, Questionnaire]
) -> tuple[str, tuple[str, ...]]:
    detail = alert.detail
    match alert.kind:
        case "request":
            return _REQUESTS.get(str(detail.get("request")), "Asks for someone"), _how(detail)
        case "crisis":
            title = _DANGERS.get(str(detail.get("category")), "Speaks of danger")
            return title, (_URGENCY.get(str(detail.get("priority")), _URGENCY["urgent"]), *_how(detail))
        case "danger":
            return camera.danger(detail)
        case "reminder-missed":
            return _REMINDERS.get(str(detail.get("reminder")), "A reminder was not confirmed"), ("Nobody answered it.",)
        case "risk-answer" | "risk-unanswered":
            return _risk(alert, forms)
        case "sense-lost":
            return _sense(detail)
        case "unreadable-alarm":
            return "An alarm from this room could not be read", ("Look in on the room.",)
        case "monitoring-lost":
            reason = _LOST.get(str(detail.get("reason")))
            return "This room is not watched now", (reason, "Look in on the room.") if reason else ()
        case "nobody-listening":
            return "Nobody is listening", ("Rooms are watched, but no page is open and nobody can be reached.",)
        case _:
            return "Something in this room needs someone", ()


def danger_words(category: str, reasons: Iterable[str]) -> str:
    """Return a danger that an utterance names, and why that is less than an alarm, if it is."""
    less = ", ".join(_REASONS_OF_MENTION.get(reason, reason) for reason in reasons)
    named = _DANGERS.get(category, "Speaks of danger")
    return f"{named} ({less})" if less else named


def _how(detail: Mapping[str, Any]) -> tuple[str, ...]:
    return {"voice": ("By voice.",), "touch": ("By touch.",)}.get(str(detail.get("mode")), ())


def _sense(detail: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    if detail.get("sense") == "sight":
        return camera.blind(str(detail.get("reason")))
    reason = _REASONS.get(str(detail.get("reason")))
    return "The room cannot hear", (reason,) if reason else ()


def _risk(alert: Alert, forms: Mapping[str, Questionnaire]) -> tuple[str, tuple[str, ...]]:
    form = form_of(str(alert.detail.get("questionnaire")), forms)
    item = form.question(str(alert.detail.get("link_id"))) if form else None
    name = f"{form.title} item {_number(item)}" if form and item else "A risk question"
    if alert.kind == "risk-unanswered":
        return f"{name} was not answered", ("No answer does not mean no risk.",)
    option = item.option(str(alert.detail.get("answer"))) if item else None
    answer = option.display if option else "above the lowest answer"
    return f"{name} answered: {answer}", (_REVIEWS.get(alert.review, _REVIEWS[None]),)


def _number(item: Item) -> str:
    return item.prefix.rstrip(".") or item.link_id
