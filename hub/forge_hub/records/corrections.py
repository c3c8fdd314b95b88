"""What clinicians have put right in what was said, as the log holds it. Blocks on the database."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from forge_hub.records.database import Database
from forge_hub.records.schema import EventLog, Utterance
from forge_shared import topics
from forge_shared.events import UtteranceCorrected


@dataclass(frozen=True, slots=True)
class Correction:
    """A correction in the log: the id of its event, and when it was made."""

    event: str
    at: datetime


def last_corrections(database: Database, subject: str) -> Mapping[str, Correction]:
    """Return the last correction of each of a person's utterances that has one.

    The log is asked and not the tables: they follow it, and two people may save within that time.
    """
    corrected = select(EventLog.event_id, EventLog.time, EventLog.envelope[("data", "utterance")].as_string()).where(
        EventLog.node == topics.HUB,
        EventLog.subject == subject,
        EventLog.type == UtteranceCorrected.type_name(),
    )
    with database.read() as transaction:
        rows = transaction.execute(corrected.order_by(EventLog.position)).all()
    return {utterance: Correction(event_id, at) for event_id, at, utterance in rows}


def rows_of(database: Database, subject: str, session: str) -> list[Utterance]:
    """Return what was said in a session of a person, in order."""
    query = select(Utterance).where(Utterance.session == session, Utterance.subject == subject)
    with database.read() as transaction:
        return list(transaction.scalars(query.order_by(Utterance.ordinal, Utterance.at, Utterance.id)))
