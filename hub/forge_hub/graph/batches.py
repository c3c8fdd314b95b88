"""Batches made fit to be written: checked, one entry per identity, in rows of one shape per statement. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from forge_hub.graph.ports import Edge, GraphBatch, Node, NodeRef, Subgraph
from forge_hub.graph.schema import EDGES, Value, edge_values, node_values

KEY, START, END = "node_key", "start_key", "end_key"
"""Columns that hold the key of a node, and the keys of an edge's ends."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Nodes or edges of one label that set and remove the same properties: one statement writes them all.

    No row holds ``None``: Ladybug infers the types of a list of rows from their values and keeps the plan for the next
    list that looks alike.
    """

    label: str
    properties: tuple[str, ...]
    removed: tuple[str, ...]
    rows: list[dict[str, Value]]


def merged(batches: Iterable[GraphBatch]) -> GraphBatch:
    """Return one batch that does what the given ones do one after the other; the position is the highest."""
    nodes: dict[NodeRef, Node] = {}
    edges: dict[object, Edge] = {}
    position = 0
    for batch in batches:
        position = max(position, batch.position)
        for node in batch.nodes:
            before = nodes.get(node.ref)
            nodes[node.ref] = (
                Node(node.label, node.key, {**before.properties, **node.properties}) if before is not None else node
            )
        for edge in batch.edges:
            edges[_identity(edge)] = edge
    return GraphBatch(tuple(nodes.values()), tuple(edges.values()), position)


def node_rows(batch: GraphBatch) -> list[Rows]:
    """Return a batch's nodes, each identity once, by label and properties; the key is the column `KEY`.

    One identity must not appear twice in a statement: Ladybug then keeps the first of the two values.

    Raises:
        GraphRefusedError: A node is outside the schema.
    """
    grouped: dict[tuple[str, tuple[str, ...], tuple[str, ...]], Rows] = {}
    for node in merged([batch]).nodes:
        values = node_values(node.label, node.key, node.properties)
        given = present(values)
        group = (node.label, tuple(sorted(given)), tuple(sorted(set(values) - set(given))))
        grouped.setdefault(group, Rows(*group, [])).rows.append({KEY: node.key, **given})
    return list(grouped.values())


def edge_rows(batch: GraphBatch) -> list[Rows]:
    """Return a batch's edges, each identity once, by label; the ends' keys are the columns `START` and `END`.

    Raises:
        GraphRefusedError: An edge is outside the schema.
    """
    # Checked before they are merged, since only then is it certain that an edge has the properties of its identity.
    checked = [
        Edge(
            edge.label, edge.start, edge.end, edge_values(edge.label, edge.start.label, edge.end.label, edge.properties)
        )
        for edge in batch.edges
    ]
    grouped: dict[str, Rows] = {}
    for edge in merged([GraphBatch((), tuple(checked), batch.position)]).edges:
        rows = grouped.setdefault(edge.label, Rows(edge.label, tuple(EDGES[edge.label].properties), (), []))
        rows.rows.append({START: edge.start.key, END: edge.end.key, **edge.properties})
    return list(grouped.values())


def present(properties: Mapping[str, Value]) -> dict[str, Value]:
    """Return the properties that have a value."""
    return {name: value for name, value in properties.items() if value is not None}


def canonical(nodes: Iterable[Node], edges: Iterable[Edge]) -> Subgraph:
    """Return nodes and edges in the one order that equal graphs share, each once."""
    return Subgraph(
        tuple(node for _, node in sorted({(node.label, node.key): node for node in nodes}.items())),
        # Properties of identity are never absent and of one type per label, hence always comparable.
        tuple(edge for _, edge in sorted({_identity(edge): edge for edge in edges}.items())),
    )


def _identity(edge: Edge) -> tuple[object, ...]:
    shape = EDGES.get(edge.label)
    names = shape.identity if shape is not None else ()
    return (edge.label, edge.start, edge.end, *(edge.properties.get(name) for name in names))
