"""How the node says it is."""

from collections.abc import Sequence

from forge_edge import desired
from forge_edge.dialogue.conversation import Conversation
from forge_edge.room_clock import RoomClock
from forge_shared.releases import Hardware
from forge_shared.wire import RoomRelease, RoomTrouble, TwinReported

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
    sight: str,
    speaks: bool,
    told: desired.Held,
    version: str,
    pending_events: int,
    troubles: tuple[RoomTrouble, ...],
    clock: RoomClock,
    hardware: Hardware | None = None,
    releases: Sequence[RoomRelease] = (),
) -> TwinReported:
    """Return the node's report of this moment.

    Args:
        conversation: Where the dialogue stands; nothing that was said leaves with it.
        hearing: State of the ears.
        sight: State of the eyes.
        speaks: Whether the room is saying something.
        told: How the hub wants the node to be.
        version: The node's version.
        pending_events: How much waits to be sent.
        troubles: What is wrong with the disk, the machine, and with what came in the hub's name.
        releases: What the room has in each role of a model.
        clock: The room's time, which knows whether the machine's is wrong.
        hardware: Profile of the machine.
    """
    activity = _ACTIVITIES.get(conversation.activity, "form")
    return TwinReported.model_validate(
        {
            "hearing": hearing,
            "sight": sight,
            "activity": "speaking" if speaks and activity == "idle" else activity,
            "session_on": conversation.session is not None,
            "pending_events": pending_events,
            "version": version,
            "at": clock.now(),
            "revision": None if told is None else told.revision,
            "word": None if told is None else told.word,
            "capture": desired.capture(told, hearing=hearing, sight=sight),
            "troubles": (*troubles, *(["clock.wrong"] if clock.is_wrong else [])),
            "clock_error_seconds": clock.error_seconds(),
            "hardware": hardware,
            "releases": tuple(releases),
        }
    )
