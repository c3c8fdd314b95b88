"""Event log to records: people, form responses, recorded sessions, utterances."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from sqlalchemy import insert, select
from sqlalchemy.orm import Session as Transaction

from forge_hub.records.answer_rows import answer_rows
from forge_hub.records.database import Database
from forge_hub.records.form_signatures import verdict
from forge_hub.records.log import Logged, TableProjection
from forge_hub.records.schema import Consent, FormAnswer, FormResponse, Person, Session, Utterance
from forge_shared import topics
from forge_shared.errors import ResponseInvalidError
from forge_shared.events import (
    Envelope,
    EventErased,
    FormRecorded,
    SessionEnded,
    SessionStarted,
    UtteranceCorrected,
    UtteranceSaid,
)
from forge_shared.forms import scoring
from forge_shared.forms.questionnaire import Questionnaire
from forge_shared.logs import get_logger

log = get_logger()


class RecordsProjection(TableProjection):
    """Files events as records.

    Args:
        database: Where records are kept.
        forms: Questionnaires by id; a completed response is scored here again, and a total that differs from the
            room's is stored as the hub's with a warning in the log. Without a form of that name the room's stands.
        authority_pem: The site's authority, by which rooms' signatures are checked.
    """

    name = "records"

    def __init__(
        self, database: Database, forms: Mapping[str, Questionnaire], authority_pem: bytes | None = None
    ) -> None:
        super().__init__(database)
        self._authority_pem = authority_pem
        self._forms = {form.canonical: form for form in forms.values()}

    def apply_all(self, transaction: Transaction, events: Sequence[Logged]) -> None:
        """Store what follows from a batch: what is known already is asked for once, new answers go in together."""
        self._known = _Known.of(transaction, events)
        self._answers: list[dict[str, Any]] = []
        super().apply_all(transaction, events)
        self._write_answers(transaction)

    def apply_one(self, transaction: Transaction, event: Logged) -> None:
        """Store what follows from one event of the batch."""
        envelope = event.envelope
        if isinstance(event.data, EventErased):
            return
        if envelope.node != topics.HUB:
            self._meet(transaction, envelope)
        match event.data:
            case FormRecorded():
                self._form(transaction, envelope, event.data)
                return
            case SessionStarted():
                self._session_started(transaction, envelope, event.data)
            case SessionEnded():
                session = transaction.get(Session, event.data.session)
                if session is not None and _is_own(session, envelope):
                    session.ended_at, session.end_reason = envelope.time, event.data.reason
            case UtteranceSaid():
                said = Utterance(
                    id=envelope.id,
                    session=event.data.session,
                    subject=envelope.subject,
                    text=event.data.text,
                    redactions=dict(event.data.redactions),
                    confidence=event.data.confidence,
                    at=envelope.time,
                    # The node's own count orders a session even where its wall clock was set back meanwhile.
                    ordinal=envelope.sequence,
                    speaker=event.data.speaker,
                    question=event.data.question,
                )
                if envelope.id in self._known.utterances:
                    transaction.merge(said)
                else:
                    transaction.add(said)
                return
            case UtteranceCorrected():
                _correct(transaction, envelope, event.data)
            case _:
                return
        transaction.flush()

    def _meet(self, transaction: Transaction, envelope: Envelope) -> None:
        """File the person of an event, or the room of a person whom only transcripts told of."""
        if envelope.subject not in self._known.people:
            self._known.people[envelope.subject] = envelope.node
            transaction.add(Person(pseudonym=envelope.subject, node=envelope.node, first_seen=envelope.time))
        elif self._known.people[envelope.subject] in topics.RESERVED and envelope.node not in topics.RESERVED:
            self._known.people[envelope.subject] = envelope.node
            transaction.flush()
            known = transaction.get_one(Person, envelope.subject)
            known.node, known.first_seen = envelope.node, envelope.time

    def _session_started(self, transaction: Transaction, envelope: Envelope, data: SessionStarted) -> None:
        session = transaction.get(Session, data.session)
        if session is not None and not _is_own(session, envelope):
            return
        consent = transaction.get(Consent, data.consent)
        if consent is None or consent.subject != envelope.subject:
            # The session is kept all the same: what a room recorded must be seen to be questioned.
            log.warning("session.consent-unknown", node=envelope.node, session=data.session)
        transaction.merge(
            Session(
                id=data.session,
                subject=envelope.subject,
                node=envelope.node,
                consent=data.consent,
                started_at=envelope.time,
                ended_at=None,
                end_reason=None,
            )
        )

    def _form(self, transaction: Transaction, envelope: Envelope, data: FormRecorded) -> None:
        form = self._forms.get(data.questionnaire)
        total = data.total if form is None else _total(form, data)
        if form is None:
            log.warning("form.unknown", questionnaire=data.questionnaire)
        response = FormResponse(
            id=data.response,
            event_id=envelope.id,
            subject=envelope.subject,
            node=envelope.node,
            questionnaire=data.questionnaire,
            status=data.status,
            total=total,
            re_prompts=data.re_prompts,
            started_at=data.started_at,
            recorded_at=envelope.time,
            modes=list(data.modes) or sorted({answer.mode for answer in data.answers}),
            absent=[absent.model_dump(mode="json") for absent in data.absent],
            signature=verdict(envelope, data, self._authority_pem),
        )
        answers = answer_rows(data)
        if data.response not in self._known.responses:
            self._known.responses.add(data.response)
            transaction.add(response)
            self._answers += answers.values()
            return
        self._write_answers(transaction)
        transaction.merge(response)
        transaction.flush()
        for answer in answers.values():
            transaction.merge(FormAnswer(**answer))

    def _write_answers(self, transaction: Transaction) -> None:
        transaction.flush()
        if self._answers:
            transaction.execute(insert(FormAnswer), self._answers)
            self._answers = []


@dataclass(frozen=True, slots=True)
class _Known:
    """What the store holds already of a batch: people by pseudonym with their nodes, and ids."""

    people: dict[str, str]
    responses: set[str]
    utterances: set[str]

    @classmethod
    def of(cls, transaction: Transaction, events: Sequence[Logged]) -> Self:
        people = select(Person.pseudonym, Person.node)
        subjects = {event.envelope.subject for event in events}
        responses = {event.data.response for event in events if isinstance(event.data, FormRecorded)}
        said = {event.envelope.id for event in events if isinstance(event.data, UtteranceSaid)}
        return cls(
            {row.pseudonym: row.node for row in transaction.execute(people.where(Person.pseudonym.in_(subjects)))},
            set(transaction.scalars(select(FormResponse.id).where(FormResponse.id.in_(responses)))),
            set(transaction.scalars(select(Utterance.id).where(Utterance.id.in_(said)))),
        )


def _correct(transaction: Transaction, envelope: Envelope, data: UtteranceCorrected) -> None:
    said = transaction.get(Utterance, data.utterance)
    if said is None or said.subject != envelope.subject:
        log.warning("correction.without-utterance", utterance=data.utterance)
        return
    said.original = said.text if said.original is None else said.original
    said.text, said.speaker, said.question = data.text, data.speaker, data.question
    said.corrected_by, said.corrected_at = data.by, envelope.time


def _is_own(session: Session, envelope: Envelope) -> bool:
    """Tell whether a session is of the room and the person that an event comes from; warn where it is not."""
    own = (session.node, session.subject) == (envelope.node, envelope.subject)
    if not own:
        log.warning("session.not-its-own", node=envelope.node, session=session.id)
    return own


def _total(form: Questionnaire, data: FormRecorded) -> int | None:
    """Return the hub's own total: None for a form that was stopped or whose answers do not fit it."""
    if data.status != "completed":
        return None
    try:
        choices = {answer.link_id: answer.code for answer in data.answers if answer.code is not None}
        total = scoring.total(form, choices)
    except ResponseInvalidError as error:
        log.warning("form.answers-do-not-fit", questionnaire=data.questionnaire, reason=error.code)
        return None
    if total != data.total:
        log.warning("form.totals-differ", questionnaire=data.questionnaire)
    return total
