"""The sole maker of what leaves the room.

Every outbound event is made here, field by field, from an allow-list of observations. There is no path for audio,
frames or keypoints at all. Words leave only while a recorded session is on, redacted; what cannot be classified is
withheld.
"""

import re
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from typing import Final

from forge_edge.observations import (
    CanaryDue,
    CrisisMentioned,
    CrisisObserved,
    DangerObserved,
    FormObserved,
    Observation,
    ReleaseObserved,
    ReminderUnanswered,
    RequestObserved,
    RiskAnswerObserved,
    RiskReviewObserved,
    SenseObserved,
    SessionClosed,
    SessionOpened,
    UtteranceHeard,
)
from forge_language.redaction import Surrogates, redact
from forge_shared import signatures
from forge_shared.clock import Clock
from forge_shared.errors import SignatureError
from forge_shared.events import (
    CanarySent,
    CrisisHeard,
    CrisisNoted,
    DangerSeen,
    EventData,
    FormRecorded,
    FormSignature,
    ReleaseChanged,
    ReminderMissed,
    RequestMade,
    RiskAnswered,
    RiskReviewed,
    SenseChanged,
    SessionEnded,
    SessionStarted,
    UtteranceSaid,
)
from forge_shared.ids import new_id
from forge_shared.logs import get_logger

_SEAL: Final = object()
_REMEMBERED_RISKS = 32
"""Risk answers whose review may still come; a form has one or two risk items."""

_LEFTOVER = re.compile(r"\d{4,}|\d[\d\s().-]{5,}\d|@|https?:|www\.|[^\s\]]{30,}", re.IGNORECASE)
"""Shapes that a redacted text must not hold: numbers, addresses, and words too long for speech (encoded data).

If it does, the redactor missed something, and the whole utterance is withheld.
"""

WITHHELD = "[WITHHELD]"

Sign = Callable[[bytes], str]
"""Returns a detached JWS over what it is given (`forge_shared.signatures`). Raises SignatureError."""

log = get_logger()


class AnonymousEvent:
    """An event that may leave the room. Only the anonymiser can make one."""

    __slots__ = ("data", "id", "subject", "time")

    def __init__(self, seal: object, *, data: EventData, event_id: str, subject: str, time: datetime) -> None:
        if seal is not _SEAL:
            raise TypeError("only the anonymiser makes anonymous events")
        self.data: Final = data
        self.id: Final = event_id
        self.subject: Final = subject
        self.time: Final = time


class Anonymiser:
    """Turns observations into anonymous events. Used from one thread.

    Args:
        subject: The pseudonym of the stay; never a name or a number from outside.
        clock: Stamps the events.
        known_names: Names of this ward's people, redacted wherever they are said.
        sign: Signs forms with the node's key; None for a room that has no certificate.
        surrogates: Whether names, places and organisations get invented words, the same ones within a session.
    """

    def __init__(
        self,
        subject: str,
        clock: Clock,
        *,
        known_names: frozenset[str] = frozenset(),
        sign: Sign | None = None,
        surrogates: bool = False,
    ) -> None:
        self._subject = subject
        self._clock = clock
        self._sign = sign
        self._known_names = known_names
        self._session: str | None = None
        self._wants_surrogates = surrogates
        self._surrogates: Surrogates | None = None
        self._risks: OrderedDict[str, str] = OrderedDict()

    def event_of(self, observation: Observation) -> AnonymousEvent | None:
        """Return what may leave of an observation, or None when nothing may."""
        event_id = new_id()
        data = self._data_of(observation, event_id)
        if data is None:
            return None
        return AnonymousEvent(_SEAL, data=data, event_id=event_id, subject=self._subject, time=self._clock.now())

    def _data_of(self, observation: Observation, event_id: str) -> EventData | None:  # noqa: PLR0911, PLR0912, C901 (one arm per kind)
        match observation:
            case RequestObserved():
                return RequestMade(request=observation.request, mode=observation.mode)
            case RiskAnswerObserved():
                self._remember(observation.key, event_id)
                return RiskAnswered(
                    questionnaire=observation.questionnaire,
                    link_id=observation.link_id,
                    answer=observation.answer,
                    ordinal=observation.ordinal,
                    mode=observation.mode,
                )
            case RiskReviewObserved():
                risk_event = self._risks.pop(observation.key, None)
                return RiskReviewed(risk_event=risk_event, outcome=observation.outcome) if risk_event else None
            case FormObserved():
                return self._form(observation)
            case SenseObserved():
                return SenseChanged(sense=observation.sense, state=observation.state, reason=observation.reason)
            case DangerObserved():
                return DangerSeen(
                    incident=observation.incident,
                    kind=observation.kind,
                    stage=observation.stage,
                    zone=observation.zone,
                    lasted_seconds=observation.lasted_seconds,
                    confidence=observation.confidence,
                    confirmed_by=observation.confirmed_by,
                    masks=observation.masks,
                    zones=observation.zones,
                )
            case CrisisObserved():
                return CrisisHeard(
                    category=observation.category,
                    priority=observation.priority,
                    confidence=observation.confidence,
                    mode=observation.mode,
                )
            case CrisisMentioned():
                return self._mention(observation)
            case ReminderUnanswered():
                return ReminderMissed(
                    kind=observation.kind, due_at=observation.due_at, times_said=observation.times_said
                )
            case CanaryDue():
                return CanarySent()
            case ReleaseObserved():
                return ReleaseChanged(
                    role=observation.role,
                    outcome=observation.outcome,
                    release=observation.release,
                    release_version=observation.release_version,
                    sha256=observation.sha256,
                    rollout=observation.rollout,
                    reason=observation.reason,
                )
            case SessionOpened():
                self._session = observation.session
                self._surrogates = Surrogates() if self._wants_surrogates else None
                return SessionStarted(session=observation.session, consent=observation.consent)
            case SessionClosed():
                self._session = None
                self._surrogates = None
                return SessionEnded(session=observation.session, reason=observation.reason)
            case UtteranceHeard():
                return self._utterance(observation)

    def _form(self, observation: FormObserved) -> FormRecorded:
        form = FormRecorded(
            response=observation.response,
            questionnaire=observation.questionnaire,
            status=observation.status,
            answers=observation.answers,
            skipped=observation.skipped,
            total=observation.total,
            re_prompts=observation.re_prompts,
            started_at=observation.started_at,
            absent=observation.absent,
            modes=observation.modes,
        )
        if self._sign is None:
            return form
        try:
            jws = self._sign(signatures.payload(self._subject, form.model_dump(mode="json")))
        except SignatureError as error:
            # A form without a signature is shown as one; a form that is lost is shown nowhere.
            log.warning("form.unsigned", reason=error.code)
            return form
        return form.model_copy(update={"signature": FormSignature(when=self._clock.now(), jws=jws)})

    def _utterance(self, heard: UtteranceHeard) -> UtteranceSaid | None:
        if self._session is None or not heard.text.strip():
            return None
        try:
            redacted = redact(heard.text, self._known_names, self._surrogates)
        except ValueError:
            # The tagger is not the one that was measured: what it would leave in nobody knows.
            log.error("redactor.refused")  # noqa: TRY400 (the reason is always the same, and a traceback may quote words)
            redacted = None
        passed = redacted if redacted is not None and not _LEFTOVER.search(redacted.text) else None
        return UtteranceSaid(
            session=self._session,
            speaker="unknown",
            text=passed.text[:2000] if passed else WITHHELD,
            redactions=dict(passed.counts) if passed else {"WITHHELD": 1},
            confidence=heard.confidence,
        )

    def _mention(self, heard: CrisisMentioned) -> CrisisNoted | None:
        if self._session is None:
            return None
        return CrisisNoted(
            session=self._session,
            category=heard.category,
            reasons=heard.reasons,
            confidence=heard.confidence,
            mode=heard.mode,
        )

    def _remember(self, key: str, event_id: str) -> None:
        self._risks[key] = event_id
        while len(self._risks) > _REMEMBERED_RISKS:
            self._risks.popitem(last=False)
