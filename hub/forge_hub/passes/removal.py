"""Undoing an import: what a run has brought in is emptied in the log, and everything is derived anew without it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session as Transaction

from forge_hub.access import audit
from forge_hub.graph.ports import GraphStore
from forge_hub.graph.projection import rebuild
from forge_hub.passes.errors import RunUnknownError
from forge_hub.passes.runs import RunFolder, all_runs
from forge_hub.passes.tables import TableFolder
from forge_hub.records.compaction import compact
from forge_hub.records.database import Database
from forge_hub.records.erasures import emptied
from forge_hub.records.schema import Base, EventLog, FormResponse, Inference, Person, Session, Utterance
from forge_shared import topics
from forge_shared.clock import Clock
from forge_shared.events import Envelope, EventErased, InferenceReviewed, UtteranceCorrected, UtteranceSaid


class Remover:
    """Removes what runs have brought in. Blocks; no projection may run meanwhile.

    Args:
        folder: The state folder.
        database: The records.
        graph: Derived anew.
        clock: Dates the audit.
        derive: Brings tables, CSV and whatever else is derived to the end of the log again; None: somebody else does.
    """

    def __init__(
        self,
        folder: Path,
        database: Database,
        graph: GraphStore,
        clock: Clock,
        derive: Callable[[], None] | None = None,
    ) -> None:
        self._folder = folder
        self._database = database
        self._graph = graph
        self._clock = clock
        self._derive = derive

    def remove(self, run: str, by: str) -> Mapping[str, Any]:
        """Remove what a run has brought in; doing it again removes what was left.

        Args:
            run: The run, or the beginning of its id; one whose folder is gone by its whole id.
            by: Who asks, for the audit.

        Returns:
            The run and how many events were emptied.

        Raises:
            RunUnknownError: There is no such run.
            GraphError: The graph could not be derived anew; doing it again goes on.
        """
        own = next((each for each in all_runs(self._folder) if run and each.path.name.startswith(run)), None)
        epoch = RunFolder.open(self._folder, run).path.name if own is not None else run
        with self._database.begin() as transaction:
            events = _empty(transaction, epoch)
            if not events and own is None:
                raise RunUnknownError("there is no such run")
            audit.write(transaction, self._clock.now(), by, "transcript.remove", epoch)
        rebuild(self._database, self._graph)
        compact(self._database)
        TableFolder(self._folder).drop()
        if own is not None:
            own.remove()
        if self._derive is not None:
            self._derive()
        return {"run": epoch, "events": events}


def is_removed(database: Database, run: str) -> bool:
    """Tell whether a run's events were emptied: by a removal, or because their time was over."""
    emptied_ones = select(EventLog.position).where(
        EventLog.node == topics.TRANSCRIPTS, EventLog.epoch == run, EventLog.type == EventErased.type_name()
    )
    with database.read() as transaction:
        return transaction.scalar(emptied_ones.limit(1)) is not None


def _empty(transaction: Transaction, epoch: str) -> int:
    own = list(
        transaction.scalars(select(EventLog).where(EventLog.node == topics.TRANSCRIPTS, EventLog.epoch == epoch))
    )
    said = {row.event_id for row in own if row.type == UtteranceSaid.type_name()}
    sessions = {row.envelope["data"].get("session") for row in own} - {None}
    inferences = set(transaction.scalars(select(Inference.id).where(Inference.session.in_(sessions))))
    rows = [row for row in own if row.type != EventErased.type_name()]
    # What clinicians have put right and decided repeats what was said.
    for row in transaction.scalars(select(EventLog).where(EventLog.node == topics.HUB, _of_people(own))):
        data = row.envelope["data"]
        is_about = (row.type == UtteranceCorrected.type_name() and data["utterance"] in said) or (
            row.type == InferenceReviewed.type_name() and data["inference"] in inferences
        )
        if is_about:
            rows.append(row)
    for row in rows:
        kept = emptied(Envelope.model_validate(row.envelope), row.subject)
        row.type, row.envelope = kept.type, kept.model_dump(mode="json")
    transaction.flush()
    for table in Base.metadata.sorted_tables:
        if {"subject", "session"} <= set(table.columns.keys()):
            transaction.execute(delete(table).where(table.columns["session"].in_(sessions)))
    transaction.execute(delete(Session).where(Session.id.in_(sessions)))
    for person in {row.subject for row in own}:
        _forget_stranger(transaction, person)
    return len(rows)


def _of_people(own: list[EventLog]) -> ColumnElement[bool]:
    return EventLog.subject.in_({row.subject for row in own})


def _forget_stranger(transaction: Transaction, person: str) -> None:
    """Delete a person of whom nothing is on file but what was removed."""
    found = transaction.get(Person, person)
    if found is None or found.node != topics.TRANSCRIPTS:
        return
    counts = [
        transaction.scalar(select(func.count()).select_from(table).where(table.subject == person))
        for table in (Session, Utterance, FormResponse)
    ]
    if not any(counts):
        transaction.delete(found)
