"""What the hub asks of a graph store, whichever database keeps it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from forge_hub.graph.schema import Value
from forge_hub.mind.inference import Framework

Answer = TypeVar("Answer")


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


@dataclass(frozen=True, slots=True, order=True)
class Outdated:
    """Edges that no longer hold: what was inferred from an utterance, or computed of a persona.

    ``inference`` names the one inference of the utterance that is meant; None: all.
    """

    node: NodeRef
    inference: str | None = None


@dataclass(frozen=True, slots=True)
class GraphBatch:
    """What some events change in the graph, and the position in the event log up to which that is.

    What is ``replaced`` is removed before anything is merged.
    """

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    position: int
    replaced: tuple[Outdated, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """A vocabulary node that a pass found in an utterance.

    ``start`` and ``end`` are code points of its text, half-open; ``confidence`` is in [0, 1]. ``inference`` is its id
    in the records; ``state`` is "hypothesis" or, once a clinician has said so, "approved".
    """

    id: str
    start: int
    end: int
    confidence: float
    source: str
    inference: str = ""
    state: str = "hypothesis"


@dataclass(frozen=True, slots=True)
class Sentiment:
    """Where on the circumplex an utterance lies: valence and arousal in [-1, 1], ``quadrant`` a vocabulary id.

    Where a clinician put it into another quadrant there are no figures. The rest is as with `Finding`.
    """

    quadrant: str
    valence: float | None
    arousal: float | None
    start: int
    end: int
    confidence: float
    source: str
    inference: str = ""
    state: str = "hypothesis"


@dataclass(frozen=True, slots=True)
class Fusion:
    """What the passes said of one utterance and no clinician refused, ordered by place in the text.

    ``text`` is ``None`` when the graph does not hold the utterance, or not yet. Where several passes placed it at a
    stage or on the circumplex, the approved one is given, else the surest.
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

MOST_NODES = 300
"""Most neighbours that are returned of one node. Ours: a drawing of more is a blot."""


@dataclass(frozen=True, slots=True)
class Question(Generic[Answer]):
    """A named query that every store answers alike: one statement of Cypher, its parameters, and what rows mean.

    Made by the functions of `forge_hub.graph.questions` only.
    """

    name: str
    statement: str
    parameters: Mapping[str, Any]
    answer: Callable[[Sequence[Sequence[Any]]], Answer]


class GraphStore(Protocol):
    """A property graph of the closed schema in `forge_hub.graph.schema`, derived from the event log.

    It holds the shared vocabulary from its beginning and takes no node into it that is not on its lists.

    Threads: every method may be called from any thread and blocks until it is done; writes are one at a time. Every
    method ends within a time limit of the adapter's. A method that raises has changed nothing, except that `clear` may
    have cleared in part, the position first. Every method raises `GraphUnavailableError` when the store cannot be
    reached or is closed, and `GraphError` when the database fails. No error message repeats a stored value.
    """

    def apply(self, batch: GraphBatch) -> None:
        """Remove what is replaced, merge the nodes, then the edges, then move the position forward, all or nothing.

        Applying a batch again changes nothing, so a crash at any point is healed by repeating it. Of several nodes with
        one identity in a batch the later wins, property by property; of several edges the later. The position never
        moves back.

        Raises:
            GraphRefusedError: Something outside the schema, or an edge whose ends are neither here nor in the store.
        """

    def position(self) -> int:
        """Return the position in the event log up to which the graph is complete; 0 when it is empty."""

    def clear(self) -> None:
        """Remove everything but the vocabulary and set the position to 0."""

    def ask(self, question: Question[Answer]) -> Answer:
        """Return the answer to one of `forge_hub.graph.questions`."""

    def fusion(self, utterance_id: str) -> Fusion:
        """Return text, distortions, emotions, stage and sentiment of one utterance, by one query."""

    def neighbourhood(
        self,
        node: NodeRef | str,
        *,
        person: str | None = None,
        frameworks: Collection[Framework] | None = None,
        limit: int = MOST_NODES,
    ) -> Subgraph:
        """Return a node with what is next to it: of an utterance also its person and the utterances beside it.

        Args:
            node: Where to open; a text is the id of an utterance.
            person: Whose persons' nodes are shown around a node of the vocabulary; None: nobody's, only vocabulary.
            frameworks: Which vocabularies are shown; None: all.
            limit: Most nodes besides the one itself, vocabulary and sessions before utterances.

        Empty when the graph does not hold the node.
        """

    def snapshot(self, person: str | None = None) -> Snapshot:
        """Return the whole graph in canonical order, properties that are absent left out.

        Args:
            person: Only what this person's part of the graph is, with the vocabulary that it touches.
        """

    def counts(self) -> Mapping[str, int]:
        """Return how many nodes and edges there are of every label of the schema."""

    def close(self) -> None:
        """Let go of the store. Doing it twice is harmless."""
