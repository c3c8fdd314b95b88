"""Event log to graph, as a projection."""

from collections.abc import Sequence

from forge_hub.graph.ports import GraphStore
from forge_hub.graph.projector import batch_of, merge
from forge_hub.records.log import Logged


class GraphProjection:
    """Keeps the graph up to date. Implements `forge_hub.projection.Projection`; the cursor lives in the graph."""

    name = "graph"
    lane = None

    def __init__(self, store: GraphStore) -> None:
        self._store = store

    def position(self) -> int:
        """Return the position of the last event that was applied."""
        return self._store.position()

    def apply(self, events: Sequence[Logged]) -> None:
        """Merge events into the graph; repeating it changes nothing."""
        self._store.apply(merge([batch_of(event.position, event.envelope, event.data) for event in events]))
