"""Event log to CSV, as two projections: what was said, and after the graph has filed them, the inferences."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import ClassVar

from sqlalchemy import select

from forge_hub.passes.tables import COLUMNS, Row, TableFolder, cell, ordered
from forge_hub.records.database import Database
from forge_hub.records.log import BATCH, Logged
from forge_hub.records.schema import Inference
from forge_shared.events import Envelope, InferenceReviewed, UtteranceCorrected, UtteranceSaid
from forge_shared.topics import Lane

Session = tuple[str, str]
"""Pseudonym and id."""


class SaidTables:
    """Keeps the CSV of what was said. Implements `forge_hub.projection.Projection`; its cursor lies beside the files.

    It follows the log alone, so that comparing it with the tables proves something.
    """

    name: ClassVar[str] = "said-csv"
    lane: ClassVar[Lane] = "record"
    most: ClassVar[int] = BATCH

    def __init__(self, folder: TableFolder) -> None:
        self._folder = folder

    def position(self) -> int:
        """Return the position of the last event that was applied."""
        return self._folder.position("said")

    def apply(self, events: Sequence[Logged]) -> None:
        """Write what follows from events; repeating it changes nothing."""
        touched: dict[Session, dict[str, Row]] = {}
        for event in events:
            match event.data:
                case UtteranceSaid():
                    rows = self._rows(touched, (event.envelope.subject, event.data.session))
                    rows[event.envelope.id] = said_row(event.envelope, event.data)
                case UtteranceCorrected():
                    rows = self._rows(touched, (event.envelope.subject, event.data.session))
                    if event.data.utterance in rows:
                        _correct(rows[event.data.utterance], event.envelope.time, event.data)
        for (person, session), rows in touched.items():
            if rows:
                self._folder.write(person, session, "said", ordered(rows.values()))
        self._folder.move("said", events[-1].position)

    def _rows(self, touched: dict[Session, dict[str, Row]], session: Session) -> dict[str, Row]:
        if session not in touched:
            touched[session] = self._folder.read(*session, "said")
        return touched[session]


class InferredTables:
    """Keeps the CSV of inferences, out of what is on file. It must not overtake the projection that files them."""

    name: ClassVar[str] = "inferred-csv"
    lane: ClassVar[Lane] = "record"
    most: ClassVar[int] = BATCH

    def __init__(self, folder: TableFolder, database: Database) -> None:
        self._folder = folder
        self._database = database

    def position(self) -> int:
        """Return the position of the last event that was applied."""
        return self._folder.position("inferred")

    def apply(self, events: Sequence[Logged]) -> None:
        """Write anew the files of the sessions that events concern; repeating it changes nothing."""
        touched: set[Session] = set()
        reviewed: set[str] = set()
        for event in events:
            if isinstance(event.data, UtteranceSaid | UtteranceCorrected):
                touched.add((event.envelope.subject, event.data.session))
            elif isinstance(event.data, InferenceReviewed):
                reviewed.add(event.data.inference)
        with self._database.read() as transaction:
            if reviewed:
                about = select(Inference.subject, Inference.session).where(Inference.id.in_(reviewed))
                touched.update((row.subject, row.session) for row in transaction.execute(about))
            for person, session in sorted(touched):
                of_session = select(Inference).where(Inference.session == session, Inference.subject == person)
                found = transaction.scalars(of_session.order_by(Inference.utterance, Inference.id))
                self._folder.write(person, session, "inferred", [inferred_row(each) for each in found])
        self._folder.move("inferred", events[-1].position)


def said_row(envelope: Envelope, data: UtteranceSaid) -> Row:
    """Return an utterance as a row."""
    return {
        "utterance": envelope.id,
        "person": envelope.subject,
        "session": data.session,
        "ordinal": cell(envelope.sequence),
        "at": written(envelope.time),
        "speaker": data.speaker,
        "question": cell(data.question),
        "text": data.text,
        "redactions": cell(data.redactions),
        "confidence": cell(data.confidence),
        "original": "",
        "corrected_by": "",
        "corrected_at": "",
    }


def inferred_row(inference: Inference) -> Row:
    """Return an inference as a row."""
    values: Mapping[str, object] = {
        **{name: getattr(inference, name) for name in COLUMNS["inferred"][1:-1]},
        "inference": inference.id,
        "decided_at": None if inference.decided_at is None else written(inference.decided_at),
    }
    return {name: cell(value) for name, value in values.items()}


def written(at: datetime) -> str:
    """Return a time in UTC, always of the same length."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _correct(row: Row, at: datetime, data: UtteranceCorrected) -> None:
    row["original"] = row["original"] or row["text"]
    row.update(text=data.text, speaker=data.speaker, question=cell(data.question))
    row.update(corrected_by=data.by, corrected_at=written(at))
