"""What stands in the place of an event that is no more."""

from typing import Annotated, Literal

from pydantic import Field

from forge_shared.events.data import EventData


class EventsWithheld(EventData):
    """A tombstone: this place in the sequence was given up so that alarms could be kept on a full disk."""

    noun_verb = "events.withheld"
    version = 1
    lane = "record"

    reason: Literal["disk-full"]
    withheld_type: Annotated[str, Field(pattern=r"^[a-z0-9.]{1,100}$")]


class EventErased(EventData):
    """What the hub puts in the place of an event whose person was erased, or whose time to be kept is over.

    No node sends it. It may stand in either lane: the place in the sequence is all that is left.
    """

    noun_verb = "event.erased"
    version = 1
    lane = "record"
