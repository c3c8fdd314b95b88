"""What every store in Cypher answers in the same words; where and in which transaction is the store's own affair."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection
from typing import TypeVar

from forge_hub.graph import cypher, reading
from forge_hub.graph.ports import MOST_NODES, Answer, Fusion, NodeRef, Question, Snapshot, Subgraph
from forge_hub.mind.inference import Framework

Result = TypeVar("Result")


class CypherAnswers(ABC):
    """The reading half of a `forge_hub.graph.ports.GraphStore`."""

    @abstractmethod
    def _read(self, work: Callable[[cypher.Run], Result]) -> Result:
        """Return what ``work`` returns, in a transaction that reads."""

    def position(self) -> int:
        """Return the position in the event log up to which the graph is complete."""
        return self._read(cypher.position)

    def ask(self, question: Question[Answer]) -> Answer:
        """Return the answer to a question."""
        return self._read(lambda run: question.answer(run(question.statement, **question.parameters)))

    def fusion(self, utterance_id: str) -> Fusion:
        """Return what the passes said of one utterance."""
        return self._read(lambda run: reading.fusion(run, utterance_id))

    def neighbourhood(
        self,
        node: NodeRef | str,
        *,
        person: str | None = None,
        frameworks: Collection[Framework] | None = None,
        limit: int = MOST_NODES,
    ) -> Subgraph:
        """Return a node with what is next to it."""
        at = NodeRef("Utterance", node) if isinstance(node, str) else node
        return self._read(lambda run: reading.neighbourhood(run, at, person=person, frameworks=frameworks, limit=limit))

    def snapshot(self, person: str | None = None) -> Snapshot:
        """Return the whole graph, or one person's part of it, in canonical order."""
        return self._read(lambda run: reading.snapshot(run, person))

    def counts(self) -> dict[str, int]:
        """Return the number of nodes and edges of every label."""
        return self._read(cypher.counts)
