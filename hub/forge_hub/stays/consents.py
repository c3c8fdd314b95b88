"""What each person consents to, purpose by purpose, and the same as FHIR R4 Consent. Blocks on the store."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select

from forge_hub.access import audit
from forge_hub.errors import StayError
from forge_hub.records.database import Database
from forge_hub.records.schema import Consent, Stay
from forge_shared.clock import Clock
from forge_shared.ids import new_id
from forge_shared.wire import PURPOSES, Purpose

INFERENCE: Purpose = "emotion-inference"
SESSION: Purpose = "recorded-session"

_SYSTEM = "https://personaforge.org/fhir/CodeSystem/consent-purpose"
_SCOPES = "http://terminology.hl7.org/CodeSystem/consentscope"
_ACTIONS = "http://terminology.hl7.org/CodeSystem/consentaction"
_LOINC = "http://loinc.org"
_CONSENT_DOCUMENT = "59284-0"
"""LOINC 59284-0, "Consent Document": the example binding of Consent.category in FHIR R4 (4.0.1)."""


class Consents:
    """The consents on file. Default deny: what nobody has stated is not consented to."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def state(self, subject: str) -> dict[Purpose, Consent | None]:
        """Return the newest statement of each purpose; it holds while ``withdrawn_at`` is None."""
        query = select(Consent).where(Consent.subject == subject).order_by(Consent.stated_at, Consent.id)
        found: dict[Purpose, Consent | None] = dict.fromkeys(PURPOSES)
        with self._database.read() as transaction:
            for consent in transaction.scalars(query):
                for purpose in PURPOSES:
                    if purpose == consent.purpose:
                        found[purpose] = consent
        return found

    def active(self, subject: str, purpose: Purpose) -> Consent | None:
        """Return the consent to a purpose that holds now."""
        consent = self.state(subject)[purpose]
        return consent if consent is not None and consent.withdrawn_at is None else None

    def grant(self, subject: str, purpose: Purpose, account: str) -> Consent:
        """File that a person consents to a purpose; one that holds already is returned as it is."""
        held = self.active(subject, purpose)
        if held is not None:
            return held
        now = self._clock.now()
        consent = Consent(id=new_id(), subject=subject, purpose=purpose, stated_by=account, stated_at=now)
        with self._database.begin() as transaction:
            transaction.add(consent)
            audit.write(transaction, now, account, "consent.state", consent.id, subject=subject)
        return consent

    def covering(self, subject: str, purpose: Purpose, at: datetime) -> Consent | None:
        """Return a consent to a purpose that holds now and held at a time."""
        query = select(Consent).where(
            Consent.subject == subject, Consent.purpose == purpose, Consent.withdrawn_at.is_(None)
        )
        with self._database.read() as transaction:
            held = transaction.scalars(query.order_by(Consent.stated_at, Consent.id))
            return next((each for each in held if since(each) <= at), None)

    def find(self, consent_id: str) -> Consent | None:
        """Return a consent by its id."""
        with self._database.read() as transaction:
            return transaction.get(Consent, consent_id)

    def state_since(self, subject: str, purpose: Purpose, account: str, at: datetime, reason: str) -> Consent:
        """File that a person consents to a purpose since an earlier time; one that covers it is returned as it is.

        Args:
            subject: The person.
            purpose: To what.
            account: Id of the account that states it.
            at: Since when.
            reason: On what the statement rests, a code; it stands in the audit.
        """
        held = self.covering(subject, purpose, at)
        if held is not None:
            return held
        now = self._clock.now()
        consent = Consent(
            id=new_id(), subject=subject, purpose=purpose, stated_by=account, stated_at=now, holds_from=min(at, now)
        )
        with self._database.begin() as transaction:
            transaction.add(consent)
            audit.write(transaction, now, account, "consent.state", consent.id, subject=subject, reason=reason)
        return consent

    def withdraw(self, subject: str, purpose: Purpose, account: str) -> None:
        """File that a person withdraws consent to a purpose.

        Raises:
            StayError: There is none to withdraw.
        """
        now = self._clock.now()
        query = select(Consent).where(
            Consent.subject == subject, Consent.purpose == purpose, Consent.withdrawn_at.is_(None)
        )
        with self._database.begin() as transaction:
            held = list(transaction.scalars(query))
            if not held:
                raise StayError("there is no consent to withdraw")
            for consent in held:
                consent.withdrawn_at, consent.withdrawn_by = now, account
                audit.write(transaction, now, account, "consent.withdraw", consent.id, subject=subject)

    def inferences(self, subjects: Collection[str]) -> Callable[[str, datetime], bool]:
        """Read once what holds for these people; what is returned tells whether feelings may be inferred.

        It is given a person and when they said something. A person without a stay is in a room for which nobody keeps
        consents beside that of the recorded session.
        """
        query = select(Consent).where(Consent.subject.in_(subjects), Consent.purpose == INFERENCE)
        consents: dict[str, list[Consent]] = defaultdict(list)
        with self._database.read() as transaction:
            staying = frozenset(transaction.scalars(select(Stay.pseudonym).where(Stay.pseudonym.in_(subjects))))
            for consent in transaction.scalars(query):
                consents[consent.subject].append(consent)

        def may_infer(subject: str, at: datetime) -> bool:
            return subject not in staying or any(
                since(each) <= at and (each.withdrawn_at is None or at < each.withdrawn_at)
                for each in consents[subject]
            )

        return may_infer


def since(consent: Consent) -> datetime:
    """Return since when a consent holds."""
    return consent.stated_at if consent.holds_from is None else min(consent.holds_from, consent.stated_at)


def as_fhir(consent: Consent) -> Mapping[str, Any]:
    """Return a consent as a FHIR R4 (4.0.1) Consent resource. The patient is the pseudonym, never a name.

    Source: https://hl7.org/fhir/R4/consent.html; ``policyRule`` or ``policy`` is asked for by its invariant ppc-1.
    """
    provision: dict[str, Any] = {
        "type": "permit",
        "period": {"start": since(consent).isoformat()},
        "action": [{"coding": [{"system": _ACTIONS, "code": "collect"}, {"system": _ACTIONS, "code": "use"}]}],
        "purpose": [{"system": _SYSTEM, "code": consent.purpose}],
    }
    if consent.withdrawn_at is not None:
        provision["period"]["end"] = consent.withdrawn_at.isoformat()
    return {
        "resourceType": "Consent",
        "id": consent.id,
        "status": "active" if consent.withdrawn_at is None else "inactive",
        "scope": {"coding": [{"system": _SCOPES, "code": "patient-privacy"}]},
        "category": [{"coding": [{"system": _LOINC, "code": _CONSENT_DOCUMENT}]}],
        "patient": {"identifier": {"system": "urn:personaforge:pseudonym", "value": consent.subject}},
        "dateTime": consent.stated_at.isoformat(),
        "policyRule": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "OPTIN"}]},
        "provision": provision,
    }
