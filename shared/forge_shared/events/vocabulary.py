"""The closed vocabularies and bounded types that events are made of."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, Field, PlainSerializer

_YEARS = range(1970, 9999)
"""Years that every store can hold in every time zone; a clock that was never set begins in 1970."""


def _within_range(at: datetime) -> datetime:
    if at.year not in _YEARS:
        raise ValueError("a time that no store can hold")
    return at


MOST_ITEMS = 600
"""Answers of a form, or kinds of redactions, in one event. Ours: more than the longest questionnaire in wide use
(MMPI-2, 567 items). Without it, and an end at the first fault, one message of 64 KiB keeps the hub busy for seconds.
"""
MOST_AGE_SECONDS = 10**9
"""Thirty years: longer than a machine runs without a new start, and short enough for any store's arithmetic."""

Mode = Literal["voice", "touch", "text", "staff", "unknown"]
"""How a person entered something; ``staff``: a member of the staff did it for them. Modes shift scores, so each answer
keeps its own."""

SenseReason = Literal[
    "started",
    "stopped",
    "process-died",
    "source-silent",
    "source-failed",
    "recovered",
    "consent-withdrawn",
    "picture-black",
    "picture-covered",
    "picture-frozen",
    "picture-moved",
]
"""Why a sense changed. Withdrawn consent closes it at once; nothing is broken then. The camera's own reasons came
later, within version 1, as the later ones of `RequestCode`."""

Speaker = Literal["patient", "clinician", "unknown"]
"""Who said something, as far as it is known."""

DangerKind = Literal["fall", "bed_exit", "bed_edge", "left_room", "absent_long", "extra_person", "immobile"]
"""What a camera may show of danger."""

DangerStage = Literal["suspected", "confirmed", "withdrawn", "over"]
"""How far it is: not sure yet; sure; taken back, since the person is well or said so; or at its end."""

Zone = Literal["bed", "chair", "door", "bathroom_door", "floor", "unknown"]
"""Where in the room, as staff drew it over the picture; ``floor`` is whatever is none of the others."""

SessionEnd = Literal["asked", "time-limit", "restart", "consent-withdrawn", "stay-ended"]
"""Why a recorded session ended."""

RequestCode = Literal["water", "nurse", "pain", "help", "toilet", "blanket", "light", "temperature", "music", "menu"]
"""What a person in the room may ask of the staff.

From "toilet" on they came later, within version 2: a hub that does not know one of these sets it aside as an alarm that
it cannot read, which calls somebody too; under a version of its own it would no longer read the first four either.
"""

ReminderKind = Literal["medication", "drink", "move", "appointment", "other"]
"""What a reminder reminds of."""

Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9./_-]{0,63}$")]
"""A code of a closed vocabulary (LOINC, a link id); too narrow to hold a sentence."""

Canonical = Annotated[str, Field(pattern=r"^https?://[A-Za-z0-9./_-]{1,200}(\|[A-Za-z0-9.-]{1,20})?$")]
"""A FHIR canonical: URL, bar, version."""

Identifier = Annotated[str, Field(pattern=r"^[0-9a-f-]{36}$")]
Pseudonym = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
Probability = Annotated[float, Field(ge=0, le=1)]
UtcDatetime = Annotated[
    AwareDatetime,
    AfterValidator(_within_range),
    PlainSerializer(lambda at: at.astimezone(UTC).isoformat(), when_used="json"),
]
SpokenText = Annotated[
    str, Field(min_length=1, max_length=2000, pattern=r"^[^\u0000-\u0008\u000b-\u001f\u007f-\u009f]*$")
]
"""Words without control characters but tab and newline: PostgreSQL stores no zero character."""
