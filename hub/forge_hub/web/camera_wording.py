"""What a camera saw, and that it sees nothing, in plain words. Pure: codes in, words out."""

from collections.abc import Mapping
from typing import Any

from forge_hub.alerts.marks import NONE, stored_mark

_SEEN = {
    ("fall", "suspected"): "Possible fall",
    ("fall", "confirmed"): "Fell and has not got up",
    ("immobile", "suspected"): "May not be moving",
    ("immobile", "confirmed"): "Does not move",
    ("bed_exit", "suspected"): "May be getting out of bed",
    ("bed_exit", "confirmed"): "Got out of bed",
    ("bed_edge", "suspected"): "May be sitting at the edge of the bed",
    ("bed_edge", "confirmed"): "Sits at the edge of the bed",
    ("left_room", "suspected"): "May have left the room",
    ("left_room", "confirmed"): "Left the room",
    ("absent_long", "suspected"): "May have been away from the room for long",
    ("absent_long", "confirmed"): "Has been away from the room for long",
    ("extra_person", "suspected"): "Somebody else may be in the room",
    ("extra_person", "confirmed"): "Somebody else is in the room",
}
"""By kind and stage of `forge_shared.events.DangerSeen`."""
KINDS = {
    "fall": "Fall",
    "bed_exit": "Out of bed",
    "bed_edge": "Edge of the bed",
    "left_room": "Left the room",
    "absent_long": "Long away",
    "extra_person": "Somebody else",
    "immobile": "No movement",
}
"""Short names by `forge_shared.events.DangerKind`."""
_ZONES = {
    "bed": "In the bed.",
    "chair": "At the chair.",
    "door": "At the door.",
    "bathroom_door": "At the bathroom door.",
    "floor": "On the floor.",
}
_CONFIRMED_BY = {
    "voice": "The person called for help when the room asked.",
    "silence": "The room asked and nobody answered.",
    "time": "It has lasted.",
}
_BLIND = {
    "picture-covered": "the camera is covered",
    "picture-black": "the picture is black",
    "picture-frozen": "the picture stands still",
    "picture-moved": "the camera was moved",
    "source-silent": "the camera sends nothing",
    "source-failed": "the camera is gone",
    "process-died": "its program ended",
    "stopped": "it was switched off",
}
_BLIND_REMEDY = {
    "picture-covered": "Take away what covers it.",
    "picture-black": "Look whether it is covered, dark, or broken.",
    "picture-frozen": "It shows the same moment again and again: take its plug out and put it in again.",
    "picture-moved": "Turn it back, or draw the zones anew.",
    "source-silent": "Look at its cable.",
    "source-failed": "Look at its cable.",
}


def danger(detail: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    """Return title and notes of an alert of kind ``danger``."""
    stage = str(detail.get("stage"))
    notes = [_ZONES.get(str(detail.get("zone")), ""), _CONFIRMED_BY.get(str(detail.get("confirmed_by")), "")]
    if stage == "suspected":
        notes.append("Seen by the camera, not confirmed: look in.")
    if detail.get("taken_back_at"):
        notes.append("The room took it back: the person is up, or said that they are all right. Nobody has checked.")
    if detail.get("over_at"):
        notes.append("The camera no longer sees it.")
    return _SEEN.get((str(detail.get("danger")), stage), "The camera saw danger"), tuple(note for note in notes if note)


def blind(reason: str) -> tuple[str, tuple[str, ...]]:
    """Return title and notes of a room that cannot see, and why."""
    why, remedy = _BLIND.get(reason), _BLIND_REMEDY.get(reason)
    notes = ("Falls are not seen now.", *((remedy,) if remedy else ()))
    return f"The room cannot see: {why}" if why else "The room cannot see", notes


_STEPS = {
    "raised": "Raised",
    "accepted": "Taken",
    "declined": "Declined",
    "withdrawn": "Given back",
    "expired": "Nobody came in time",
    "attended": "Somebody was there",
    "closed": "Closed",
}
_RAISED = {"more-urgent": "Rang again, as more urgent", "again": "Rang again: danger after it was closed"}
_STAGES = {
    "suspected": "The camera suspects it",
    "confirmed": "Confirmed",
    "withdrawn": "The room took it back: the person is up, or said that they are all right",
    "over": "The camera no longer sees it",
}


def step(what: str, detail: str | None) -> str | None:
    """Return in words what happened to an alarm of a camera; None for what tells its reader nothing."""
    match what:
        case "raised" if detail:
            return _RAISED.get(detail)
        case "stage":
            return _STAGES.get(detail or "")
        case "closed" if detail == "withdrawn":
            return "Closed by itself"
        case "marked" if detail == NONE:
            return "The mark was taken back"
        case "marked":
            verdict, _, reason = (detail or "").partition(".")
            mark = stored_mark(verdict, reason or None)
            return f"Marked {mark.words()}" if mark else None
        case _:
            return _STEPS.get(what)
