"""Pass C: what the log made of a run in the graph, as checked JSON and as Cypher. It knows neither files nor log."""

from dataclasses import dataclass
from typing import Protocol

from forge_hub.passes.errors import PassError
from forge_hub.passes.runs import RunFolder
from forge_hub.passes.steps import Beat, Step


@dataclass(frozen=True, slots=True)
class Drawn:
    """The graph of a chunk.

    Attributes:
        document: JSON of the published schema.
        statements: The same as Cypher.
        nodes: How many.
        edges: How many.
    """

    document: str
    statements: str
    nodes: int
    edges: int


class GraphDesk(Protocol):
    """What the graph is asked through: here, or in the hub that serves. Every method blocks and may be repeated."""

    def load(self, run: str, beat: Beat) -> None:
        """Wait until graph and inferences hold everything that the log does; ``beat`` is called now and then."""

    def draw(self, run: str, chunk: int) -> Drawn:
        """Return the part of the graph that a chunk's utterances are.

        Raises:
            GraphRefusedError: Something in it is outside the schema; the message says what.
            PassError: The graph lacks an utterance of the chunk.
        """


@dataclass(frozen=True, slots=True)
class PassC:
    """Draws a run's graph. Its tools: the run's folder, and the desk at the graph."""

    folder: RunFolder
    desk: GraphDesk
    step: Step

    def run(self) -> tuple[int, int]:
        """Write the graph of each chunk; return how many nodes and edges were written, shared ones in each.

        What clinicians correct changes the graph, so all of it is written anew each time: without a change the same
        bytes.

        Raises:
            RunStoppedError: It was stopped.
            GraphRefusedError: Something is outside the schema.
            PassError: Pass B is not at its end.
        """
        if "b" not in self.folder.progress.done:
            raise PassError("pass b has not come to its end: do it first")
        run, chunks = self.folder.run, self.folder.chunks()
        self.step("c", 1, chunks)
        self.desk.load(run.id, lambda: self.step("c", 1, chunks))
        nodes = edges = 0
        for number in range(1, chunks + 1):
            self.step("c", number, chunks)
            drawn = self.desk.draw(run.id, number)
            self.folder.write_graph(number, drawn.document, drawn.statements)
            self.folder.note("c", number)
            nodes, edges = nodes + drawn.nodes, edges + drawn.edges
        self.folder.note("c", chunks, done=True)
        return nodes, edges
