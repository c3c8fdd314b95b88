"""The events that leave a room, and the envelope they travel in (CloudEvents 1.0, structured JSON).

Every field is typed and coded; the only free text is `UtteranceSaid.text`, which exists only for a session that was
consented to and is on, and only after redaction. A type's newest version is its class here; the version before is read
and lifted by `envelope`. Types are never reused for another meaning.
"""

from forge_shared.events.alarms import (
    CanarySent,
    CrisisHeard,
    CrisisNoted,
    DangerSeen,
    ReminderMissed,
    RequestMade,
    RiskAnswered,
    RiskReviewed,
    SenseChanged,
)
from forge_shared.events.data import TYPE_PREFIX, EventData
from forge_shared.events.envelope import READABLE_TYPES, TYPES, Envelope, read_data, read_envelope, source_of
from forge_shared.events.form_answers import (
    AbsentAnswer,
    AbsentReason,
    AnswerValue,
    EarlierAnswer,
    FormAnswer,
    FormRecorded,
    FormSignature,
)
from forge_shared.events.releases import ReleaseChanged
from forge_shared.events.sessions import (
    InferenceReviewed,
    SessionEnded,
    SessionStarted,
    UtteranceCorrected,
    UtteranceSaid,
)
from forge_shared.events.tombstones import EventErased, EventsWithheld
from forge_shared.events.vocabulary import (
    MOST_AGE_SECONDS,
    MOST_ITEMS,
    Code,
    DangerKind,
    DangerStage,
    Identifier,
    Mode,
    Pseudonym,
    ReminderKind,
    RequestCode,
    SenseReason,
    SessionEnd,
    Speaker,
    SpokenText,
    UtcDatetime,
    Zone,
)

__all__ = [
    "MOST_AGE_SECONDS",
    "MOST_ITEMS",
    "READABLE_TYPES",
    "TYPES",
    "TYPE_PREFIX",
    "AbsentAnswer",
    "AbsentReason",
    "AnswerValue",
    "CanarySent",
    "Code",
    "CrisisHeard",
    "CrisisNoted",
    "DangerKind",
    "DangerSeen",
    "DangerStage",
    "EarlierAnswer",
    "Envelope",
    "EventData",
    "EventErased",
    "EventsWithheld",
    "FormAnswer",
    "FormRecorded",
    "FormSignature",
    "Identifier",
    "InferenceReviewed",
    "Mode",
    "Pseudonym",
    "ReleaseChanged",
    "ReminderKind",
    "ReminderMissed",
    "RequestCode",
    "RequestMade",
    "RiskAnswered",
    "RiskReviewed",
    "SenseChanged",
    "SenseReason",
    "SessionEnd",
    "SessionEnded",
    "SessionStarted",
    "Speaker",
    "SpokenText",
    "UtcDatetime",
    "UtteranceCorrected",
    "UtteranceSaid",
    "Zone",
    "read_data",
    "read_envelope",
    "source_of",
]
