"""How the node says it is."""

from forge_edge import desired
from forge_edge.dialogue.conversation import Conversation
from forge_edge.room_clock import RoomClock
from forge_shared.wire import RoomTrouble, TwinReported

_ACTIVITIES = {
    "idle": "idle",
    "request": "listening",
    "doubt": "listening",
    "exercise": "listening",
    "remind": "listening",
}
"""What the room is doing, as it is told; everything else is part of a form."""


def reported(  # noqa: PLR0913 (what a report is made of, by keyword)
    conversation: Conversation,
    *,
    hearing: str,
    speaks: bool,
    told: desired.Held,
    version: str,
    pending_events: int,
    troubles: tuple[RoomTrouble, ...],
    clock: RoomClock,
) -> TwinReported:
    """Return the node's report of this moment.

    Args:
        conversation: Where the dialogue stands; nothing that was said leaves with it.
        hearing: State of the ears.
        speaks: Whether the room is saying something.
        told: How the hub wants the node to be.
        version: The node's version.
        pending_events: How much waits to be sent.
        troubles: What is wrong with the disk.
        clock: The room's time, which knows whether the machine's is wrong.
    """
    activity = _ACTIVITIES.get(conversation.activity, "form")
    return TwinReported.model_validate(
        {
            "hearing": hearing,
            "sight": "closed",
            "activity": "speaking" if speaks and activity == "idle" else activity,
            "session_on": conversation.session is not None,
            "pending_events": pending_events,
            "version": version,
            "at": clock.now(),
            "revision": None if told is None else told.revision,
            "capture": desired.capture(told, hearing),
            "troubles": (*troubles, *(["clock.wrong"] if clock.is_wrong else [])),
            "clock_error_seconds": clock.error_seconds(),
        }
    )
