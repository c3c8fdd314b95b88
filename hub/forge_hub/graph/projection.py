"""Event log to graph, as a projection."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from forge_hub.graph.ports import GraphBatch, GraphStore
from forge_hub.graph.projector import batch_of, merge
from forge_hub.projection import catch_up
from forge_hub.records.database import Database
from forge_hub.records.log import Logged
from forge_hub.stays.consents import Consents
from forge_shared.clock import SystemClock
from forge_shared.events import UtteranceSaid

MayInfer = Callable[[str, datetime], bool]
"""Tells whether feelings may be inferred from what a person said at a time."""


class GraphProjection:
    """Keeps the graph up to date. Implements `forge_hub.projection.Projection`; the cursor lives in the graph.

    Args:
        store: The graph.
        inferences: Returns, for the people of a batch, whether feelings may be inferred; None: always.
    """

    name = "graph"
    lane = None

    def __init__(self, store: GraphStore, inferences: Callable[[Collection[str]], MayInfer] | None = None) -> None:
        self._store = store
        self._inferences = inferences

    def position(self) -> int:
        """Return the position of the last event that was applied."""
        return self._store.position()

    def apply(self, events: Sequence[Logged]) -> None:
        """Merge events into the graph; repeating it changes nothing."""
        speakers = {event.envelope.subject for event in events if isinstance(event.data, UtteranceSaid)}
        may_infer = self._inferences(speakers) if self._inferences is not None and speakers else None
        self._store.apply(merge([_batch_of(event, may_infer) for event in events]))


def rebuild(database: Database, graph: GraphStore) -> int:
    """Drop the graph and derive it anew from the event log; return the number of events applied."""
    graph.clear()
    return catch_up(database, GraphProjection(graph, Consents(database, SystemClock()).inferences))


def _batch_of(event: Logged, may_infer: MayInfer | None) -> GraphBatch:
    infers = True
    if may_infer is not None and isinstance(event.data, UtteranceSaid):
        infers = may_infer(event.envelope.subject, event.envelope.time)
    return batch_of(event.position, event.envelope, event.data, infers=infers)
