"""Batches made fit to be written: checked, one entry per identity, in rows of one shape per statement. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from forge_hub.graph.errors import GraphRefusedError
from forge_hub.graph.ports import Edge, GraphBatch, Node, NodeRef, Outdated, Subgraph
from forge_hub.graph.schema import EDGES, INFERRED, PERSONAL, Value, edge_values, node_values

NODE, START, END, INFERENCE = "node_key", "start_key", "end_key", "inference"
"""Columns that hold the key of a node, the keys of an edge's ends, and the id of an inference."""

DERIVED: Mapping[str, tuple[str, ...]] = {"Utterance": INFERRED, "Persona": PERSONAL}
"""The edges that may be outdated, by the label of the node that they start at."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Nodes or edges of one label that set and remove the same properties: one statement writes them all.

    No row holds ``None``: Ladybug infers the types of a list of rows from their values and keeps the plan for the next
    list that looks alike. ``between`` are the labels of an edge's ends; ``fresh`` edges start at a node that has none
    of the kind, since what it had was removed before.
    """

    label: str
    properties: tuple[str, ...]
    removed: tuple[str, ...]
    rows: list[dict[str, Value]]
    between: tuple[str, str] = ("", "")
    fresh: bool = False


def merged(batches: Iterable[GraphBatch]) -> GraphBatch:
    """Return one batch that does what the given ones do one after the other; the position is the highest."""
    nodes: dict[NodeRef, Node] = {}
    edges: dict[NodeRef, dict[object, Edge]] = defaultdict(dict)
    replaced: dict[Outdated, None] = {}
    position = 0
    for batch in batches:
        position = max(position, batch.position)
        for outdated in batch.replaced:
            replaced[outdated] = None
            kept = {key: edge for key, edge in edges[outdated.node].items() if not _is_outdated(edge, outdated)}
            edges[outdated.node] = kept
        for node in batch.nodes:
            before = nodes.get(node.ref)
            nodes[node.ref] = (
                Node(node.label, node.key, {**before.properties, **node.properties}) if before is not None else node
            )
        for edge in batch.edges:
            edges[edge.start][_identity(edge)] = edge
    every = tuple(edge for starting in edges.values() for edge in starting.values())
    return GraphBatch(tuple(nodes.values()), every, position, tuple(replaced))


def node_rows(batch: GraphBatch) -> list[Rows]:
    """Return a batch's nodes, each identity once, by label and properties; the key is the column `NODE`.

    One identity must not appear twice in a statement: Ladybug then keeps the first of the two values.

    Raises:
        GraphRefusedError: A node is outside the schema.
    """
    grouped: dict[tuple[str, tuple[str, ...], tuple[str, ...]], Rows] = {}
    for node in merged([batch]).nodes:
        values = node_values(node.label, node.key, node.properties)
        given = present(values)
        group = (node.label, tuple(sorted(given)), tuple(sorted(set(values) - set(given))))
        grouped.setdefault(group, Rows(*group, [])).rows.append({NODE: node.key, **given})
    return list(grouped.values())


def edge_rows(batch: GraphBatch) -> list[Rows]:
    """Return a batch's edges, each identity once, by label, ends and properties; the ends' keys are `START` and `END`.

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
    cleared = {outdated.node for outdated in batch.replaced if outdated.inference is None}
    grouped: dict[tuple[object, ...], Rows] = {}
    for edge in merged([GraphBatch((), tuple(checked), batch.position)]).edges:
        given = present(edge.properties)
        between = (edge.start.label, edge.end.label)
        names, absent = tuple(given), tuple(name for name in edge.properties if name not in given)
        fresh = edge.start in cleared and edge.label in DERIVED[edge.start.label]
        rows = grouped.setdefault(
            (edge.label, between, names, fresh), Rows(edge.label, names, absent, [], between, fresh=fresh)
        )
        rows.rows.append({START: edge.start.key, END: edge.end.key, **given})
    return list(grouped.values())


def outdated_rows(batch: GraphBatch) -> list[Rows]:
    """Return what a batch replaces, by the label of the node: whole nodes, and single inferences by `INFERENCE`.

    Raises:
        GraphRefusedError: Nothing is ever derived from a node of such a label.
    """
    grouped: dict[tuple[str, bool], Rows] = {}
    for outdated in batch.replaced:
        if outdated.node.label not in DERIVED:
            raise GraphRefusedError("nothing is derived from a node of this label")
        one = outdated.inference is not None
        rows = grouped.setdefault((outdated.node.label, one), Rows(outdated.node.label, (), (), []))
        row: dict[str, Value] = {NODE: outdated.node.key}
        rows.rows.append(row | {INFERENCE: outdated.inference} if one else row)
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


def _is_outdated(edge: Edge, outdated: Outdated) -> bool:
    if edge.label not in DERIVED.get(outdated.node.label, ()):
        return False
    return outdated.inference is None or edge.properties.get(INFERENCE) == outdated.inference


def _identity(edge: Edge) -> tuple[object, ...]:
    shape = EDGES.get(edge.label)
    names = shape.identity if shape is not None else ()
    return (edge.label, edge.start, edge.end, *(edge.properties.get(name) for name in names))
