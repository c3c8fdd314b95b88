"""What the hub asks of a graph store, whichever database keeps it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from forge_hub.graph.schema import Value


@dataclass(frozen=True, slots=True, order=True)
class NodeRef:
    """A node by its label and the value of its key property."""

    label: str
    key: str


@dataclass(frozen=True, slots=True)
class Node:
    """A node. Properties that are not given keep the value they have in the store; ``None`` removes one."""

    label: str
    key: str
    properties: Mapping[str, Value] = field(default_factory=dict)

    @property
    def ref(self) -> NodeRef:
        """The node's identity."""
        return NodeRef(self.label, self.key)


@dataclass(frozen=True, slots=True)
class Edge:
    """An edge with all the properties of its label."""

    label: str
    start: NodeRef
    end: NodeRef
    properties: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GraphBatch:
    """What some events add to the graph, and the position in the event log up to which that is."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    position: int


@dataclass(frozen=True, slots=True)
class Finding:
    """A vocabulary node that a pass found in an utterance.

    ``start`` and ``end`` are code points of its text, half-open; ``confidence`` is in [0, 1].
    """

    id: str
    start: int
    end: int
    confidence: float
    source: str


@dataclass(frozen=True, slots=True)
class Sentiment:
    """Where on the circumplex an utterance lies: valence and arousal in [-1, 1], ``quadrant`` a vocabulary id."""

    quadrant: str
    valence: float
    arousal: float
    start: int
    end: int
    confidence: float
    source: str


@dataclass(frozen=True, slots=True)
class Fusion:
    """Everything that the passes said of one utterance, ordered by place in the text.

    ``text`` is ``None`` when the graph does not hold the utterance, or not yet. Where several passes placed it at a
    stage or on the circumplex, the surest one is given.
    """

    utterance: str
    text: str | None = None
    distortions: tuple[Finding, ...] = ()
    emotions: tuple[Finding, ...] = ()
    stage: Finding | None = None
    sentiment: Sentiment | None = None


@dataclass(frozen=True, slots=True)
class Subgraph:
    """Some nodes and the edges between them, sorted; equal graphs give equal values."""

    nodes: tuple[Node, ...] = ()
    edges: tuple[Edge, ...] = ()


Snapshot = Subgraph
"""The whole graph."""


class GraphStore(Protocol):
    """A property graph of the closed vocabulary in `forge_hub.graph.schema`, derived from the event log.

    Threads: every method may be called from any thread and blocks until it is done; writes are one at a time. Every
    method ends within a time limit of the adapter's. A method that raises has changed nothing, except that `clear` may
    have cleared in part, the position first. Every method raises `GraphUnavailableError` when the store cannot be
    reached or is closed, and `GraphError` when the database fails. No error message repeats a stored value.
    """

    def apply(self, batch: GraphBatch) -> None:
        """Merge the nodes, then the edges, then move the position forward, all or nothing.

        Applying a batch again changes nothing, so a crash at any point is healed by repeating it. Of several nodes with
        one identity in a batch the later wins, property by property; of several edges the later. The position never
        moves back.

        Raises:
            GraphRefusedError: Something outside the schema, or an edge whose ends are neither here nor in the store.
        """

    def position(self) -> int:
        """Return the position in the event log up to which the graph is complete; 0 when it is empty."""

    def clear(self) -> None:
        """Remove everything and set the position to 0."""

    def fusion(self, utterance_id: str) -> Fusion:
        """Return text, distortions, emotions, stage and sentiment of one utterance, by one query."""

    def neighbourhood(self, utterance_id: str) -> Subgraph:
        """Return an utterance, its person, its session, the utterances before and after it, its vocabulary nodes.

        Empty when the graph does not hold the utterance.
        """

    def snapshot(self) -> Snapshot:
        """Return the whole graph in canonical order, properties that are absent left out."""

    def counts(self) -> Mapping[str, int]:
        """Return how many nodes and edges there are of every label of the schema."""

    def close(self) -> None:
        """Let go of the store. Doing it twice is harmless."""
