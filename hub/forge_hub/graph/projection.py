"""Event log to graph, as a projection."""

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence

from forge_hub.graph import questions
from forge_hub.graph.figures import figures_of
from forge_hub.graph.ports import GraphBatch, GraphStore
from forge_hub.graph.projector import batch_of, decided, merge
from forge_hub.graph.questions import Uttered
from forge_hub.mind.ledger import Inferences, Said
from forge_hub.mind.taggers import installed
from forge_hub.projection import catch_up
from forge_hub.records.database import Database
from forge_hub.records.log import BATCH, Logged
from forge_hub.stays.consents import Consents
from forge_shared.clock import SystemClock
from forge_shared.events import InferenceReviewed, SessionEnded, SessionStarted, UtteranceCorrected, UtteranceSaid
from forge_shared.logs import get_logger

STEP_SECONDS = 1.0
"""How long a step should take: a hub that is told to stop waits for the step it is in. Ours: taggers may be slow, and
the number of events in a step follows what the last one took.
"""
LEAST_EVENTS = 10

log = get_logger()


class GraphProjection:
    """Keeps the graph up to date. Implements `forge_hub.projection.Projection`; the cursor lives in the graph.

    Args:
        store: The graph.
        inferences: What is inferred from utterances; it is filed before it enters the graph.
        monotonic: Seconds of a clock that only runs forward.
    """

    name = "graph"
    lane = None

    def __init__(
        self, store: GraphStore, inferences: Inferences, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._inferences = inferences
        self._monotonic = monotonic
        self._most = BATCH // 10

    @property
    def most(self) -> int:
        """How many events the next step may have."""
        return self._most

    def position(self) -> int:
        """Return the position of the last event that was applied."""
        return self._store.position()

    def apply(self, events: Sequence[Logged]) -> None:
        """Merge events into the graph; repeating it changes nothing.

        What follows from sessions that have ended is reckoned out of the graph itself once the events are in it, and
        only then does the position move: a kill in between repeats both.
        """
        began = self._monotonic()
        changes = _Changes(self._store, self._inferences, events)
        batch = merge(changes.batches)
        if changes.people:
            self._store.apply(GraphBatch(batch.nodes, batch.edges, 0, batch.replaced))
            figures = [self._figures(person, changes.ended) for person in sorted(changes.people)]
            batch = merge([GraphBatch((), (), batch.position), *figures])
        self._store.apply(batch)
        took = max(self._monotonic() - began, 1e-3)
        self._most = max(LEAST_EVENTS, min(BATCH, int(len(events) * STEP_SECONDS / took), 2 * self._most))

    def _figures(self, person: str, sessions: Collection[str]) -> GraphBatch:
        said = self._store.ask(questions.said_in_ended(person))
        return figures_of(person, said, self._inferences.on_file(said), sessions)


class _Changes:
    """What a step's events change: ``batches``, and of whom (``people``) which ``ended`` sessions."""

    def __init__(self, store: GraphStore, inferences: Inferences, events: Sequence[Logged]) -> None:
        self._store = store
        self._inferences = inferences
        said = [_said(each, each.data) for each in events if isinstance(each.data, UtteranceSaid)]
        self._inferred = inferences.of(said) if said else {}
        self._known: dict[str, Uttered] = {}
        self._touched: dict[str, set[str]] = defaultdict(set)
        self.batches = [self._batch(each) for each in events]
        self.ended = {each.data.session for each in events if isinstance(each.data, SessionEnded)}
        if unsure := self._touched.keys() - self.ended:
            before: set[str] = store.ask(questions.ended(unsure))
            self.ended |= before
        self.people = {person for session in self.ended for person in self._touched[session]}

    def _batch(self, event: Logged) -> GraphBatch:
        person = event.envelope.subject
        match event.data:
            case SessionStarted() | SessionEnded():
                self._touched[event.data.session].add(person)
            case UtteranceSaid():
                data, envelope = event.data, event.envelope
                self._touched[data.session].add(person)
                self._known[envelope.id] = Uttered(
                    envelope.id, data.session, person, envelope.time, data.speaker, "", ""
                )
                return batch_of(event, self._inferred.get(envelope.id, ()))
            case UtteranceCorrected():
                return self._corrected(event, event.data)
            case InferenceReviewed():
                return self._reviewed(event, event.data)
            case _:
                pass
        return batch_of(event)

    def _corrected(self, event: Logged, data: UtteranceCorrected) -> GraphBatch:
        before = self._uttered(data.utterance)
        if before is None or before.subject != event.envelope.subject:
            log.warning("correction.without-utterance", utterance=data.utterance)
            return GraphBatch((), (), event.position)
        self._touched[before.session].add(before.subject)
        said = Said(before.id, before.session, before.subject, before.at, data.text)
        inferred = self._inferences.of([said], anew=True)
        return batch_of(event, inferred.get(before.id, ()))

    def _reviewed(self, event: Logged, data: InferenceReviewed) -> GraphBatch:
        review = event.envelope.subject, event.envelope.time, data
        for utterance in self._inferences.decide([review]):
            known = self._uttered(utterance)
            if known is None:
                continue
            self._touched[known.session].add(known.subject)
            for each in self._inferences.on_file([known]).get(utterance, ()):
                if each.id == data.inference:
                    return decided(event.position, each)
        return GraphBatch((), (), event.position)

    def _uttered(self, utterance: str) -> Uttered | None:
        """Return an utterance of this step, or of the graph."""
        return self._known.get(utterance) or self._store.ask(questions.uttered(utterance))


def rebuild(database: Database, graph: GraphStore) -> int:
    """Drop the graph and derive it anew from the event log; return the number of events applied."""
    graph.clear()
    return catch_up(database, GraphProjection(graph, inferences_of(database)))


def inferences_of(database: Database) -> Inferences:
    """Return the inferences of this hub: its own taggers, and what people consent to."""
    return Inferences(database, installed(), Consents(database, SystemClock()).inferences)


def _said(event: Logged, data: UtteranceSaid) -> Said:
    return Said(event.envelope.id, data.session, event.envelope.subject, event.envelope.time, data.text)
