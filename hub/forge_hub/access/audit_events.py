"""Entries of the audit as FHIR R4 AuditEvents in the shape of IHE's Basic Audit Log Patterns (BALP 1.1.3).

Reads, creations, updates and deletions follow the profiles ``IHE.BasicAudit.Read``, ``Create``, ``Update`` and
``Delete``, with their ``Patient…`` forms where a person is concerned. BALP has none for signing in; those follow DICOM
PS3.15 section A.5.3.12 (User Authentication), as the example in FHIR R4 does. The profiles are of what succeeded: a
refusal keeps the pattern with another outcome and claims no profile, and so does a list, whose query is not kept.
"""

from datetime import UTC
from typing import Any

from forge_hub.records.schema import Audit

PROFILES = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit."
CHAIN = "https://personaforge.org/fhir/StructureDefinition/audit-chain"

_TYPES = "http://terminology.hl7.org/CodeSystem/audit-event-type"
_INTERACTIONS = "http://hl7.org/fhir/restful-interaction"
_DICOM = "http://dicom.nema.org/resources/ontology/DCM"
_PARTICIPATION = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
_PROVENANCE = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
_ENTITY_TYPES = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
_ENTITY_ROLES = "http://terminology.hl7.org/CodeSystem/object-role"
_SOURCE_TYPES = "http://terminology.hl7.org/CodeSystem/security-source-type"

_OUTCOMES = {"done": "0", "refused": "4", "failed": "8"}
"""FHIR R4 audit-event-outcome: success, minor failure (as HTTP's 4xx), serious failure (as HTTP's 5xx)."""

_INTERACTION_OF = {
    "read": "read",
    "list": "search-type",
    "export": "read",
    "make": "create",
    "begin": "create",
    "import": "create",
    "state": "create",
    "invite": "create",
    "end": "update",
    "erase": "delete",
    "remove": "delete",
    "delete": "delete",
}
"""FHIR's interaction by the verb of an action; every other verb changes something that exists."""

_PROFILE_OF = {"read": "Read", "create": "Create", "update": "Update", "delete": "Delete"}
_ACTION_OF = {"read": "R", "search-type": "E", "create": "C", "update": "U", "delete": "D"}
_LOGIN = {"session.begin": ("110122", "Login"), "session.end": ("110123", "Logout")}


def audit_event(entry: Audit, site: str) -> dict[str, Any]:
    """Return an entry as an AuditEvent.

    Args:
        entry: The entry.
        site: Name of the site, the event's source.
    """
    login = _LOGIN.get(entry.action)
    verb = entry.action.split(".")[1] if "." in entry.action else entry.action
    interaction = _INTERACTION_OF.get(verb, "update")
    event: dict[str, Any] = {
        "resourceType": "AuditEvent",
        "id": entry.id,
        "extension": [
            {
                "url": CHAIN,
                "extension": [
                    {"url": "position", "valueInteger": entry.position},
                    {"url": "sha256", "valueString": entry.hash},
                    {"url": "action", "valueCode": entry.action},
                ],
            }
        ],
        "recorded": entry.at.astimezone(UTC).isoformat(timespec="milliseconds"),
        "outcome": _OUTCOMES[entry.outcome],
        "source": {
            "site": site,
            "observer": {"display": "forge-hub"},
            "type": [{"system": _SOURCE_TYPES, "code": "4", "display": "Application Server"}],
        },
        "entity": [_data(entry)],
    }
    if login is not None:
        event["type"] = {"system": _DICOM, "code": "110114", "display": "User Authentication"}
        event["subtype"] = [{"system": _DICOM, "code": login[0], "display": login[1]}]
        event["action"] = "E"
    else:
        profile = _PROFILE_OF.get(interaction)
        if profile is not None and entry.outcome == "done":
            event["meta"] = {"profile": [f"{PROFILES}{'Patient' if entry.subject else ''}{profile}"]}
        event["type"] = {"system": _TYPES, "code": "rest", "display": "Restful Operation"}
        event["subtype"] = [{"system": _INTERACTIONS, "code": interaction, "display": interaction}]
        event["action"] = _ACTION_OF[interaction]
    event["agent"] = _agents(entry, interaction)
    if entry.subject:
        event["entity"].append(
            {
                "what": {"reference": f"Patient/{entry.subject}"},
                "type": {"system": _ENTITY_TYPES, "code": "1", "display": "Person"},
                "role": {"system": _ENTITY_ROLES, "code": "1", "display": "Patient"},
            }
        )
    if entry.reason or entry.statement:
        event["outcomeDesc"] = ": ".join(part for part in (entry.reason, entry.statement) if part)
    return event


def _agents(entry: Audit, interaction: str) -> list[dict[str, Any]]:
    # What flows to the client in a read flows from it in a change; BALP names the two ends accordingly.
    source = {"system": _DICOM, "code": "110153", "display": "Source Role ID"}
    destination = {"system": _DICOM, "code": "110152", "display": "Destination Role ID"}
    reads = interaction in {"read", "search-type"}
    at_client, at_server = (destination, source) if reads else (source, destination)
    if interaction == "delete":
        at_client = {"system": _DICOM, "code": "110150", "display": "Application"}
        at_server = {"system": _PROVENANCE, "code": "custodian", "display": "Custodian"}
    role = ("IRCP", "information recipient") if reads else ("AUT", "author (originator)")
    address = entry.address or "127.0.0.1"
    return [
        {
            "type": {"coding": [at_client]},
            "who": {"display": "browser" if entry.address else "hub"},
            "requestor": False,
            "network": {"address": address, "type": "2"},
        },
        {
            "type": {"coding": [at_server]},
            "who": {"display": "forge-hub"},
            "requestor": False,
            "network": {"address": "forge-hub", "type": "1"},
        },
        {
            "type": {"coding": [{"system": _PARTICIPATION, "code": role[0], "display": role[1]}]},
            "who": {"identifier": {"system": "https://personaforge.org/account", "value": entry.account}},
            "requestor": True,
        },
    ]


def _data(entry: Audit) -> dict[str, Any]:
    return {
        "what": {"identifier": {"system": "https://personaforge.org/id", "value": entry.object}},
        "type": {"system": _ENTITY_TYPES, "code": "2", "display": "System Object"},
        "role": {"system": _ENTITY_ROLES, "code": "4", "display": "Domain Resource"},
    }
