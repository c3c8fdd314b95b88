"""The tables.

What projections derive from `EventLog` can be dropped and rebuilt: people, forms, sessions, utterances, inferences.
`Alert` cannot: who took an alert stands nowhere else. Nor can `Quarantine`, whose messages never entered the log, nor
the tables of access, consent and audit. `Room` is filled again by what the rooms repeat.
"""

from forge_hub.records.schema.access import (
    Account,
    Assignment,
    Consent,
    DeviceToken,
    Emergency,
    PendingSignIn,
    RecoveryCode,
    SecondFactor,
    SetupLink,
    WebSession,
)
from forge_hub.records.schema.alerts import Alert, AlertStep, Delivery
from forge_hub.records.schema.audit import Audit, AuditHead
from forge_hub.records.schema.base import Base, UtcTime
from forge_hub.records.schema.clinical import FormAnswer, FormResponse, Person, Session, Utterance
from forge_hub.records.schema.erasures import Erasure
from forge_hub.records.schema.fleet import EnrolmentClaim, NodeCertificate, Room
from forge_hub.records.schema.log import EventLog, Inbox, LanePosition, ProjectionCursor, Quarantine
from forge_hub.records.schema.mind import Inference, Inferred
from forge_hub.records.schema.places import Bed, Ward
from forge_hub.records.schema.releases import (
    ReleaseChange,
    ReleaseFigure,
    Rollout,
    RolloutRing,
    RolloutRoom,
    RoomDirector,
    RoomGroup,
    RoomLock,
    RoomRelease,
    RoomWish,
)
from forge_hub.records.schema.roster import Duty, EscalationPlan, Shift
from forge_hub.records.schema.stays import DesiredTwin, RoomPresence, Stay, StayMove, TwinRevision

__all__ = [
    "Account",
    "Alert",
    "AlertStep",
    "Assignment",
    "Audit",
    "AuditHead",
    "Base",
    "Bed",
    "Consent",
    "Delivery",
    "DesiredTwin",
    "DeviceToken",
    "Duty",
    "Emergency",
    "EnrolmentClaim",
    "Erasure",
    "EscalationPlan",
    "EventLog",
    "FormAnswer",
    "FormResponse",
    "Inbox",
    "Inference",
    "Inferred",
    "LanePosition",
    "NodeCertificate",
    "PendingSignIn",
    "Person",
    "ProjectionCursor",
    "Quarantine",
    "RecoveryCode",
    "ReleaseChange",
    "ReleaseFigure",
    "Rollout",
    "RolloutRing",
    "RolloutRoom",
    "Room",
    "RoomDirector",
    "RoomGroup",
    "RoomLock",
    "RoomPresence",
    "RoomRelease",
    "RoomWish",
    "SecondFactor",
    "Session",
    "SetupLink",
    "Shift",
    "Stay",
    "StayMove",
    "TwinRevision",
    "UtcTime",
    "Utterance",
    "Ward",
    "WebSession",
]
