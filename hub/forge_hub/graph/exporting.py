"""The graph, or one person's part of it, as a file."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Literal

from forge_hub.errors import HubConfigError, NotFoundError
from forge_hub.graph.exchange import cypher_of, graph_json
from forge_hub.graph.ports import GraphStore, Subgraph
from forge_shared.files import replace

Format = Literal["json", "cypher"]

WRITERS: Final[Mapping[str, Callable[[Subgraph], str]]] = {"json": graph_json, "cypher": cypher_of}


def export(graph: GraphStore, target: Path, form: str, person: str | None) -> Mapping[str, Any]:
    """Write the graph into a file that only its owner reads. Blocks on the store and the disk.

    Args:
        graph: The graph.
        target: The file; its folder exists.
        form: ``json``, of the published schema, or ``cypher``.
        person: Pseudonym of the person whose part is wanted; None: everything.

    Returns:
        The file's name and the number of its nodes and edges.

    Raises:
        NotFoundError: The graph has nobody of that pseudonym.
        HubConfigError: There is no such format, or the file cannot be written.
        GraphError: The graph cannot be read.
    """
    writer = WRITERS.get(form)
    if writer is None:
        raise HubConfigError("the graph is exported as json or cypher")
    part = graph.snapshot(person)
    if person is not None and not part.nodes:
        raise NotFoundError("the graph has nobody of that pseudonym")
    try:
        replace(target, writer(part).encode(), mode=0o600)
    except OSError as error:
        raise HubConfigError(f"cannot write {target.name} ({type(error).__name__})") from None
    return {"file": str(target), "nodes": len(part.nodes), "edges": len(part.edges)}
