"""The graph in Cypher that Ladybug and Neo4j both understand; each adapter adds connections and transactions.

Labels and property names come from the schema, never from data; data travel as parameters.
"""

from collections.abc import Mapping
from typing import Any, Literal, Protocol

from forge_hub.graph.batches import END, KEY, START, Rows, canonical, edge_rows, node_rows, present
from forge_hub.graph.errors import GraphRefusedError
from forge_hub.graph.ports import Edge, Finding, Fusion, GraphBatch, Node, NodeRef, Sentiment, Subgraph
from forge_hub.graph.schema import EDGES, NODES, TAGS, VERSION

CURSOR = "ForgeCursor"
"""Label of the one node that holds the projection's position and the schema's version; not part of the graph."""

Dialect = Literal["ladybug", "neo4j"]

_LABEL_OF_EDGE: Mapping[Dialect, str] = {"ladybug": "label", "neo4j": "type"}
_TAG_PROPERTIES = ("start", "end", "confidence", "source", "valence", "arousal")
_ORDER = ("ordinal", "at", "id")
"""What orders the utterances of a session; the last is unique."""


class Run(Protocol):
    """Runs one statement in the adapter's current transaction and returns its rows."""

    def __call__(self, statement: str, **parameters: Any) -> list[list[Any]]:  # noqa: ANN401 (whatever Cypher takes)
        """Run it."""


def write(run: Run, batch: GraphBatch) -> None:
    """Merge a batch and move the position, in the caller's transaction.

    Nodes first and edges by a statement of their own: where one statement merges both out of a list, Ladybug 0.22 keeps
    only the first edge of each new node.

    Raises:
        GraphRefusedError: Something outside the schema, or an edge whose ends do not exist.
    """
    nodes, edges = node_rows(batch), edge_rows(batch)
    for rows in nodes:
        run(_merge_nodes(rows), rows=rows.rows)
    for rows in edges:
        [[written]] = run(_merge_edges(rows), rows=rows.rows)
        if written != len(rows.rows):
            raise GraphRefusedError(f"{rows.label} between nodes that are not there")
    run(
        f"MERGE (c:{CURSOR} {{name: 'graph'}}) SET c.position = $position, c.version = $version",
        position=max(batch.position, position(run)),
        version=VERSION,
    )


def position(run: Run) -> int:
    """Return the projection's position."""
    rows = run(f"MATCH (c:{CURSOR} {{name: 'graph'}}) RETURN c.position")
    return int(rows[0][0]) if rows else 0


def version(run: Run) -> int | None:
    """Return the version of the schema that the store was written with, ``None`` for an empty store."""
    rows = run(f"MATCH (c:{CURSOR} {{name: 'graph'}}) RETURN c.version")
    return int(rows[0][0]) if rows else None


def fusion(run: Run, dialect: Dialect, utterance_id: str) -> Fusion:
    """Return what the passes said of one utterance."""
    rows = run(
        f"MATCH (u:Utterance {{id: $id}}) OPTIONAL MATCH (u)-[t:{'|'.join(TAGS)}]->(v) "
        f"RETURN u.text, {_LABEL_OF_EDGE[dialect]}(t), v.id, {_columns('t', _TAG_PROPERTIES)}",
        id=utterance_id,
    )
    if not rows:
        return Fusion(utterance_id)
    sentiments = [Sentiment(row[2], row[7], row[8], *row[3:7]) for row in rows if row[1] == "FEELS"]
    stages = _findings(rows, "REFLECTS_STAGE")
    return Fusion(
        utterance=utterance_id,
        text=rows[0][0],
        distortions=_findings(rows, "SHOWS_DISTORTION"),
        emotions=_findings(rows, "SHOWS_EMOTION"),
        stage=max(stages, key=lambda stage: (stage.confidence, stage.id), default=None),
        sentiment=max(sentiments, key=lambda felt: (felt.confidence, felt.quadrant), default=None),
    )


def neighbourhood(run: Run, dialect: Dialect, utterance_id: str) -> Subgraph:
    """Return an utterance and what is next to it."""
    utterance = list(NODES["Utterance"].properties)
    rows = run(
        f"MATCH (u:Utterance {{id: $id}}) OPTIONAL MATCH (s:Session)-[:HAS_UTTERANCE]->(u) "
        f"OPTIONAL MATCH (p:Person)-[:HAD_SESSION]->(s) "
        f"RETURN p.pseudonym, s.id, s.started_at, {_columns('u', utterance)}",
        id=utterance_id,
    )
    nodes: list[Node] = []
    edges: list[Edge] = []
    for person, session, started_at, *values in rows:
        nodes.append(_node("Utterance", utterance_id, utterance, values))
        if session is not None:
            nodes.append(_node("Session", session, ["started_at"], [started_at]))
            edges.append(Edge("HAS_UTTERANCE", NodeRef("Session", session), NodeRef("Utterance", utterance_id)))
        if person is not None:
            nodes.append(Node("Person", person))
            edges.append(Edge("HAD_SESSION", NodeRef("Person", person), NodeRef("Session", session)))
    for before in (True, False):
        for session, key, *values in run(_beside(before=before), id=utterance_id):
            nodes.append(_node("Utterance", key, utterance, values))
            edges.append(Edge("HAS_UTTERANCE", NodeRef("Session", session), NodeRef("Utterance", key)))
    tags = run(
        f"MATCH (u:Utterance {{id: $id}})-[t:{'|'.join(TAGS)}]->(v) "
        f"RETURN {_LABEL_OF_EDGE[dialect]}(t), v.id, {_columns('t', _TAG_PROPERTIES)}",
        id=utterance_id,
    )
    for label, key, *values in tags:
        end = NodeRef(EDGES[label].end, key)
        nodes.append(Node(end.label, end.key))
        properties = present(dict(zip(_TAG_PROPERTIES, values, strict=True)))
        edges.append(Edge(label, NodeRef("Utterance", utterance_id), end, properties))
    return canonical(nodes, edges)


def snapshot(run: Run) -> Subgraph:
    """Return the whole graph."""
    nodes = []
    for label, shape in NODES.items():
        names = list(shape.properties)
        rows = run(f"MATCH (n:{label}) RETURN {_columns('n', [shape.key, *names])}")
        nodes += [_node(label, key, names, values) for key, *values in rows]
    edges = []
    for label, edge in EDGES.items():
        columns = [f"a.{NODES[edge.start].key}", f"b.{NODES[edge.end].key}", *_each("e", edge.properties)]
        rows = run(f"MATCH (a:{edge.start})-[e:{label}]->(b:{edge.end}) RETURN {', '.join(columns)}")
        for start, end, *values in rows:
            properties = dict(zip(edge.properties, values, strict=True))
            edges.append(Edge(label, NodeRef(edge.start, start), NodeRef(edge.end, end), properties))
    return canonical(nodes, edges)


def counts(run: Run) -> dict[str, int]:
    """Return the number of nodes and edges of every label."""
    found = {label: run(f"MATCH (n:{label}) RETURN count(n)")[0][0] for label in NODES}
    return found | {label: run(f"MATCH ()-[e:{label}]->() RETURN count(e)")[0][0] for label in EDGES}


def _merge_nodes(rows: Rows) -> str:
    changes = [f"n.`{name}` = row.`{name}`" for name in rows.properties]
    changes += [f"n.`{name}` = NULL" for name in rows.removed]
    merge = f"UNWIND $rows AS row MERGE (n:{rows.label} {{{NODES[rows.label].key}: row.{KEY}}})"
    return f"{merge} SET {', '.join(changes)}" if changes else merge


def _merge_edges(rows: Rows) -> str:
    shape = EDGES[rows.label]
    identity = ", ".join(f"`{name}`: row.`{name}`" for name in shape.identity)
    changes = ", ".join(f"e.`{name}` = row.`{name}`" for name in rows.properties if name not in shape.identity)
    return (
        f"UNWIND $rows AS row MATCH (a:{shape.start} {{{NODES[shape.start].key}: row.{START}}}) "
        f"MATCH (b:{shape.end} {{{NODES[shape.end].key}: row.{END}}}) "
        f"MERGE (a)-[e:{rows.label}{f' {{{identity}}}' if identity else ''}]->(b) "
        f"{f'SET {changes} ' if changes else ''}RETURN count(*)"
    )


def _beside(*, before: bool) -> str:
    """The statement that finds the utterance directly before or after one of the same session."""
    sign, direction = ("<", "DESC") if before else (">", "ASC")
    ordinal, at, key = _ORDER
    return (
        "MATCH (u:Utterance {id: $id})<-[:HAS_UTTERANCE]-(s:Session)-[:HAS_UTTERANCE]->(w:Utterance) "
        f"WHERE w.{ordinal} {sign} u.{ordinal} OR (w.{ordinal} = u.{ordinal} AND (w.{at} {sign} u.{at} "
        f"OR (w.{at} = u.{at} AND w.{key} {sign} u.{key}))) "
        f"RETURN s.id, w.id, {_columns('w', NODES['Utterance'].properties)} "
        f"ORDER BY {', '.join(f'w.{name} {direction}' for name in _ORDER)} LIMIT 1"
    )


def _columns(variable: str, names: Mapping[str, object] | list[str] | tuple[str, ...]) -> str:
    return ", ".join(_each(variable, names))


def _each(variable: str, names: Mapping[str, object] | list[str] | tuple[str, ...]) -> list[str]:
    return [f"{variable}.`{name}`" for name in names]


def _node(label: str, key: str, names: list[str], values: list[Any]) -> Node:
    return Node(label, key, present(dict(zip(names, values, strict=True))))


def _findings(rows: list[list[Any]], label: str) -> tuple[Finding, ...]:
    found = [Finding(row[2], *row[3:7]) for row in rows if row[1] == label]
    return tuple(sorted(found, key=lambda finding: (finding.start, finding.end, finding.id, finding.source)))
