"""Event log to records: people, form responses, recorded sessions, utterances."""

from collections.abc import Mapping, Sequence

from sqlalchemy.orm import Session as Transaction

from forge_hub.records.database import Database
from forge_hub.records.log import Logged, cursor, move_cursor
from forge_hub.records.schema import FormAnswer, FormResponse, Person, Session, Utterance
from forge_shared.errors import ResponseInvalidError
from forge_shared.events import Envelope, FormRecorded, SessionEnded, SessionStarted, UtteranceSaid
from forge_shared.forms import scoring
from forge_shared.forms.questionnaire import Questionnaire
from forge_shared.logs import get_logger

log = get_logger()


class RecordsProjection:
    """Files events as records. Implements `forge_hub.projection.Projection`.

    Args:
        database: Where records are kept.
        forms: Questionnaires by id; a response is scored here again, and a total that differs from the room's is
            stored as the hub's with a warning in the log.
    """

    name = "records"

    def __init__(self, database: Database, forms: Mapping[str, Questionnaire]) -> None:
        self._database = database
        self._forms = {form.canonical: form for form in forms.values()}

    def position(self) -> int:
        """Return the position of the last event that was applied."""
        with self._database.read() as transaction:
            return cursor(transaction, self.name)

    def apply(self, events: Sequence[Logged]) -> None:
        """Store records and cursor in one transaction."""
        with self._database.begin() as transaction:
            for event in events:
                self._apply(transaction, event)
            move_cursor(transaction, self.name, events[-1].position)

    def _apply(self, transaction: Transaction, event: Logged) -> None:
        envelope = event.envelope
        if transaction.get(Person, envelope.subject) is None:
            transaction.add(Person(pseudonym=envelope.subject, node=envelope.node, first_seen=envelope.time))
        match event.data:
            case FormRecorded():
                self._form(transaction, envelope, event.data)
            case SessionStarted():
                transaction.merge(
                    Session(
                        id=event.data.session,
                        subject=envelope.subject,
                        node=envelope.node,
                        consent=event.data.consent,
                        started_at=envelope.time,
                        ended_at=None,
                        end_reason=None,
                    )
                )
            case SessionEnded():
                session = transaction.get(Session, event.data.session)
                if session is not None:
                    session.ended_at, session.end_reason = envelope.time, event.data.reason
            case UtteranceSaid():
                transaction.merge(
                    Utterance(
                        id=envelope.id,
                        session=event.data.session,
                        subject=envelope.subject,
                        text=event.data.text,
                        redactions=dict(event.data.redactions),
                        confidence=event.data.confidence,
                        at=envelope.time,
                    )
                )
            case _:
                return
        transaction.flush()

    def _form(self, transaction: Transaction, envelope: Envelope, data: FormRecorded) -> None:
        form = self._forms.get(data.questionnaire)
        answers = {answer.link_id: answer.code for answer in data.answers}
        total = data.total
        if form is None:
            log.warning("form.unknown", questionnaire=data.questionnaire)
        else:
            try:
                total = scoring.total(form, answers)
            except ResponseInvalidError as error:
                log.warning("form.answers-do-not-fit", questionnaire=data.questionnaire, reason=error.code)
            if data.status == "completed" and total != data.total:
                log.warning("form.totals-differ", questionnaire=data.questionnaire)
        transaction.merge(
            FormResponse(
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
            )
        )
        transaction.flush()
        for ordinal, answer in enumerate(data.answers):
            transaction.merge(
                FormAnswer(
                    response=data.response,
                    link_id=answer.link_id,
                    ordinal=ordinal,
                    code=answer.code,
                    mode=answer.mode,
                    times_asked=answer.times_asked,
                    corrected=answer.corrected,
                )
            )
