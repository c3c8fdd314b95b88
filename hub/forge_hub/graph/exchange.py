"""The graph as JSON, which is read back only where it fits the schema, and as Cypher that any store of ours can run."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from forge_hub.graph.batches import END, NODE, START, canonical, edge_rows, node_rows, present
from forge_hub.graph.errors import GraphRefusedError
from forge_hub.graph.ports import Edge, GraphBatch, Node, NodeRef, Subgraph
from forge_hub.graph.schema import (
    EDGES,
    INT64,
    KEY,
    NODES,
    VERSION,
    EdgeShape,
    Kind,
    NodeShape,
    Value,
    edge_values,
    node_values,
)

FORMAT: Final = f"org.personaforge.graph.v{VERSION}"
"""What a document says it is; of another version none is read."""

_JSON_TYPES: Mapping[Kind, Mapping[str, Any]] = {
    "text": {"type": "string"},
    "integer": {"type": "integer", "minimum": INT64.start, "maximum": INT64.stop - 1},
    "number": {"type": "number"},
}


def graph_json(graph: GraphBatch | Subgraph) -> str:
    """Return nodes and edges as a document of the published schema, one a line; equal graphs give equal text.

    What a batch replaces and its position are not part of it.

    Raises:
        GraphRefusedError: Something is outside the schema.
    """
    checked = _checked(graph)
    nodes = [_line({"label": node.label, "id": node.key, "properties": node.properties}) for node in checked.nodes]
    edges = [
        _line(
            {
                "label": edge.label,
                "start": {"label": edge.start.label, "id": edge.start.key},
                "end": {"label": edge.end.label, "id": edge.end.key},
                "properties": edge.properties,
            }
        )
        for edge in checked.edges
    ]
    return f'{{"format": "{FORMAT}",\n"nodes": [{_lines(nodes)}],\n"edges": [{_lines(edges)}]}}\n'


def read_graph_json(text: str | bytes) -> GraphBatch:
    """Return the batch that a document holds; its position is 0.

    Raises:
        GraphRefusedError: It is no such document, or something in it is outside the schema: the message says the place
            and the reason and repeats no value.
    """
    try:
        document = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise GraphRefusedError("this is no JSON") from None
    parts = _members(document, "the document", {"format", "nodes", "edges"})
    if parts["format"] != FORMAT:
        raise GraphRefusedError(f"the document's format is not {FORMAT}")
    nodes = [_read_node(item, f"node {place}") for place, item in enumerate(_items(parts["nodes"], "nodes"), start=1)]
    edges = [_read_edge(item, f"edge {place}") for place, item in enumerate(_items(parts["edges"], "edges"), start=1)]
    return GraphBatch(tuple(nodes), tuple(edges), 0)


def cypher_of(graph: GraphBatch | Subgraph) -> str:
    """Return statements, one a line, that write nodes and edges into a store with our tables or constraints.

    Running them again changes nothing. Every text is a literal that no text can leave.

    Raises:
        GraphRefusedError: Something is outside the schema.
    """
    checked = _checked(graph)
    lines = [f"// {FORMAT}"]
    for node in checked.nodes:
        changes = ", ".join(f"n.`{name}` = {_literal(value)}" for name, value in node.properties.items())
        merge = f"MERGE (n:{node.label} {{{KEY}: {_literal(node.key)}}})"
        lines.append(f"{merge} SET {changes};" if changes else f"{merge};")
    for edge in checked.edges:
        shape = EDGES[edge.label]
        identity = ", ".join(f"`{name}`: {_literal(edge.properties[name])}" for name in shape.identity)
        changes = ", ".join(
            f"e.`{name}` = {_literal(value)}" for name, value in edge.properties.items() if name not in shape.identity
        )
        lines.append(
            f"MATCH (a:{edge.start.label} {{{KEY}: {_literal(edge.start.key)}}}) "
            f"MATCH (b:{edge.end.label} {{{KEY}: {_literal(edge.end.key)}}}) "
            f"MERGE (a)-[e:{edge.label}{f' {{{identity}}}' if identity else ''}]->(b)"
            f"{f' SET {changes}' if changes else ''};"
        )
    return "\n".join(lines) + "\n"


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of the document: closed labels, closed vocabularies, nothing besides."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Graph",
        "description": "Nodes and edges of the knowledge graph. See hub/forge_hub/graph/schema.py.",
        "type": "object",
        "additionalProperties": False,
        "required": ["format", "nodes", "edges"],
        "properties": {
            "format": {"const": FORMAT},
            "nodes": {"type": "array", "items": {"oneOf": [_node_schema(*each) for each in NODES.items()]}},
            "edges": {
                "type": "array",
                "items": {
                    "oneOf": [
                        _edge_schema(label, shape, *ends) for label, shape in EDGES.items() for ends in shape.between
                    ]
                },
            },
        },
    }


def _checked(graph: GraphBatch | Subgraph) -> Subgraph:
    batch = GraphBatch(tuple(graph.nodes), tuple(graph.edges), 0)
    nodes = [
        Node(rows.label, str(row[NODE]), {name: row[name] for name in rows.properties})
        for rows in node_rows(batch)
        for row in rows.rows
    ]
    edges = [
        Edge(
            rows.label,
            NodeRef(rows.between[0], str(row[START])),
            NodeRef(rows.between[1], str(row[END])),
            {name: row[name] for name in rows.properties},
        )
        for rows in edge_rows(batch)
        for row in rows.rows
    ]
    return canonical(nodes, edges)


def _read_node(item: object, place: str) -> Node:
    parts = _members(item, place, {"label", "id", "properties"})
    ref, properties = _ref(parts, place), _properties(parts["properties"], place)
    try:
        return Node(ref.label, ref.key, present(node_values(ref.label, ref.key, properties)))
    except GraphRefusedError as error:
        raise GraphRefusedError(f"{place}: {error}") from None


def _read_edge(item: object, place: str) -> Edge:
    parts = _members(item, place, {"label", "start", "end", "properties"})
    start = _ref(_members(parts["start"], place, {"label", "id"}), place)
    end = _ref(_members(parts["end"], place, {"label", "id"}), place)
    properties, label = _properties(parts["properties"], place), parts["label"]
    if not isinstance(label, str):
        raise GraphRefusedError(f"{place}: its label is no text")
    try:
        values = edge_values(label, start.label, end.label, properties)
        node_values(start.label, start.key, {})
        node_values(end.label, end.key, {})
    except GraphRefusedError as error:
        raise GraphRefusedError(f"{place}: {error}") from None
    return Edge(label, start, end, present(values))


def _ref(parts: Mapping[str, object], place: str) -> NodeRef:
    label, key = parts["label"], parts["id"]
    if not isinstance(label, str) or not isinstance(key, str):
        raise GraphRefusedError(f"{place}: label and id are texts")
    return NodeRef(label, key)


def _properties(found: object, place: str) -> dict[str, Value]:
    if not isinstance(found, dict):
        raise GraphRefusedError(f"{place}: its properties are no object")
    for value in found.values():
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise GraphRefusedError(f"{place}: a property is neither text nor number")
    return found


def _members(found: object, place: str, names: set[str]) -> dict[str, object]:
    if not isinstance(found, dict) or set(found) != names:
        raise GraphRefusedError(f"{place} has exactly: {', '.join(sorted(names))}")
    return found


def _items(found: object, name: str) -> list[object]:
    if not isinstance(found, list):
        raise GraphRefusedError(f"the document's {name} are no list")
    return found


def _no_number(_: str) -> float:
    raise ValueError


def _line(entry: Mapping[str, object]) -> str:
    return json.dumps(entry, ensure_ascii=False, sort_keys=True, allow_nan=False)


def _lines(entries: Iterable[str]) -> str:
    text = ",\n".join(entries)
    return f"\n{text}\n" if text else ""


def _literal(value: Value) -> str:
    r"""Return a Cypher literal of a value.

    Neo4j reads ``\uXXXX`` anywhere in a statement before it knows what is text, so a quote is never written that way,
    and a backslash of the text is kept from a following ``u`` by ending the literal between them.
    """
    if not isinstance(value, str):
        return repr(value)
    escaped = "".join(_ESCAPES.get(character, character) for character in value)
    return "'" + escaped + "'"


_ESCAPES: Final[Mapping[str, str]] = {
    "\\": "\\\\' + '",
    "'": "\\'",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    **{chr(code): f"\\u{code:04x}" for code in (*range(9), 11, 12, *range(14, 32), 127, 0x85, 0x2028, 0x2029)},
}
"""What would end a line or a literal, or what a terminal would act on."""


def _node_schema(label: str, shape: NodeShape) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["label", "id", "properties"],
        "properties": {"label": {"const": label}, "id": _key_schema(shape), "properties": _carried(shape)},
    }


def _edge_schema(label: str, shape: EdgeShape, start: str, end: str) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["label", "start", "end", "properties"],
        "properties": {
            "label": {"const": label},
            "start": _end_schema(start),
            "end": _end_schema(end),
            "properties": _carried(shape, sorted(set(shape.properties) - shape.optional)),
        },
    }


def _end_schema(label: str) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["label", "id"],
        "properties": {"label": {"const": label}, "id": _key_schema(NODES[label])},
    }


def _key_schema(shape: NodeShape) -> dict[str, Any]:
    return {"type": "string", "minLength": 1} if shape.keys is None else {"enum": sorted(shape.keys)}


def _carried(shape: NodeShape | EdgeShape, required: Iterable[str] = ()) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(required),
        "properties": {
            name: {"enum": sorted(shape.closed[name])} if name in shape.closed else dict(_JSON_TYPES[kind])
            for name, kind in shape.properties.items()
        },
    }
