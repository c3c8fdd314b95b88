"""What a person must come for, or must know at once: requests, risk, danger, senses; and the proof of it."""

from typing import Annotated, Literal

from pydantic import Field

from forge_shared.events.data import EventData
from forge_shared.events.vocabulary import (
    MOST_AGE_SECONDS,
    Canonical,
    Code,
    DangerKind,
    DangerStage,
    Identifier,
    Mode,
    Probability,
    ReminderKind,
    RequestCode,
    SenseReason,
    UtcDatetime,
    Zone,
)


class RequestMade(EventData):
    """A person in the room asked for something that staff must bring or do."""

    noun_verb = "request.made"
    version = 2
    lane = "alarm"

    request: RequestCode
    mode: Mode


class RiskAnswered(EventData):
    """A form's risk item was answered other than with its lowest option, or could not be answered.

    Sent the moment it is heard, before it is read back; `RiskReviewed` follows. ``answer`` is absent when the item was
    skipped or not understood: no answer never reassures.
    """

    noun_verb = "risk.answered"
    version = 1
    lane = "alarm"

    questionnaire: Canonical
    link_id: Code
    answer: Code | None
    ordinal: Annotated[int, Field(ge=0, le=100)] | None
    mode: Mode


class RiskReviewed(EventData):
    """The answer that raised an alarm was read back: the person confirmed or corrected it. The alarm stands."""

    noun_verb = "risk.reviewed"
    version = 1
    lane = "alarm"

    risk_event: Identifier
    outcome: Literal["confirmed", "corrected", "not-reviewed"]


class CrisisHeard(EventData):
    """What somebody in the room said, wrote or touched means that a person must come: what danger, and how soon.

    Never the words. Sent before anything else is done.
    """

    noun_verb = "crisis.heard"
    version = 1
    lane = "alarm"

    category: Code
    priority: Literal["staff", "urgent"]
    confidence: Probability
    mode: Mode


class CrisisNoted(EventData):
    """In a recorded session a danger was named that is denied, past, quoted or somebody else's; never the words."""

    noun_verb = "crisis.noted"
    version = 1
    lane = "record"

    session: Identifier
    category: Code
    reasons: Annotated[tuple[Code, ...], Field(max_length=20)]
    confidence: Probability
    mode: Mode


class ReminderMissed(EventData):
    """The room reminded of something that the staff had planned, and nobody in the room confirmed it in time."""

    noun_verb = "reminder.missed"
    version = 1
    lane = "alarm"

    kind: ReminderKind
    due_at: UtcDatetime
    times_said: Annotated[int, Field(ge=0, le=100)]


class SenseChanged(EventData):
    """A microphone or camera stopped or resumed. Unknown is a state."""

    noun_verb = "sense.changed"
    version = 1
    lane = "alarm"

    sense: Literal["hearing", "sight"]
    state: Literal["ok", "lost", "closed"]
    reason: SenseReason


class DangerSeen(EventData):
    """What a camera showed over time means danger, or no longer does. Never a picture and never where in it.

    Attributes:
        incident: The same for every step of one incident.
        lasted_seconds: For how long it has been so.
        confirmed_by: What made it sure; absent unless it is confirmed.
        masks: Version of the privacy masks that were burnt into the pictures before anything looked at them.
        zones: Version of the zones that it was judged by; absent from rooms that do not say it yet.
    """

    noun_verb = "danger.seen"
    version = 1
    lane = "alarm"

    incident: Identifier
    kind: DangerKind
    stage: DangerStage
    zone: Zone
    lasted_seconds: Annotated[float, Field(ge=0, le=MOST_AGE_SECONDS)]
    confidence: Probability
    confirmed_by: Literal["time", "voice", "silence"] | None = None
    masks: Code
    zones: Code | None = None


class CanarySent(EventData):
    """A room proves that an alarm of it would come through; nobody is called by it."""

    noun_verb = "canary.sent"
    version = 1
    lane = "alarm"
