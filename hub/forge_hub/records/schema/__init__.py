"""The tables.

What projections derive from `EventLog` can be dropped and rebuilt: people, forms, sessions, utterances. `Alert` cannot:
who took an alert stands nowhere else. Nor can `Quarantine`, whose messages never entered the log, nor the tables of
access, consent and audit. `Room` is filled again by what the rooms repeat.
"""

from forge_hub.records.schema.access import Account, Audit, Consent, SetupLink, WebSession
from forge_hub.records.schema.alerts import Alert
from forge_hub.records.schema.base import Base, UtcTime
from forge_hub.records.schema.clinical import FormAnswer, FormResponse, Person, Session, Utterance
from forge_hub.records.schema.erasures import Erasure
from forge_hub.records.schema.fleet import Room
from forge_hub.records.schema.log import EventLog, Inbox, LanePosition, ProjectionCursor, Quarantine
from forge_hub.records.schema.places import Bed, Ward

__all__ = [
    "Account",
    "Alert",
    "Audit",
    "Base",
    "Bed",
    "Consent",
    "Erasure",
    "EventLog",
    "FormAnswer",
    "FormResponse",
    "Inbox",
    "LanePosition",
    "Person",
    "ProjectionCursor",
    "Quarantine",
    "Room",
    "Session",
    "SetupLink",
    "UtcTime",
    "Utterance",
    "Ward",
    "WebSession",
]
