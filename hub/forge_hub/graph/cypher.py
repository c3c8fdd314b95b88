"""The graph in Cypher that Ladybug and Neo4j both understand; each adapter adds connections and transactions.

Labels and property names come from the schema, never from data; data travel as parameters. ``LABEL_OF(e)`` stands for
the label of an edge and ``KIND_OF(n)`` for that of a node, which the two databases ask for differently.
"""

import re
from functools import lru_cache
from typing import Any, Literal, Protocol

from forge_hub.graph.batches import DERIVED, END, INFERENCE, NODE, START, Rows, edge_rows, node_rows, outdated_rows
from forge_hub.graph.errors import GraphRefusedError
from forge_hub.graph.ports import Edge, GraphBatch, Node, NodeRef
from forge_hub.graph.schema import EDGES, KEY, NODES, VERSION
from forge_hub.graph.vocabulary import STRATEGIES, VOCABULARY

CURSOR = "ForgeCursor"
"""Label of the one node that holds the projection's position and the schema's version; not part of the graph."""

Dialect = Literal["ladybug", "neo4j"]

_WORDS: dict[Dialect, tuple[str, str]] = {
    "ladybug": (r"label(\1)", r"label(\1)"),
    "neo4j": (r"type(\1)", r"head(labels(\1))"),
}


class Run(Protocol):
    """Runs one statement in the adapter's current transaction and returns its rows."""

    def __call__(self, statement: str, **parameters: Any) -> list[list[Any]]:  # noqa: ANN401 (whatever Cypher takes)
        """Run it."""


@lru_cache(maxsize=512)
def spoken(statement: str, dialect: Dialect) -> str:
    """Return a statement in the words of one database."""
    edge, node = _WORDS[dialect]
    return re.sub(r"KIND_OF\((\w+)\)", node, re.sub(r"LABEL_OF\((\w+)\)", edge, statement))


def vocabulary() -> GraphBatch:
    """Return the shared nodes and what is between them: what every store holds from its beginning."""
    nodes = tuple(Node(label, key) for label, keys in VOCABULARY.items() for key in sorted(keys))
    answers = tuple(
        Edge("CAN_REPHRASE_USING", NodeRef("Distortion", distortion), NodeRef("Strategy", strategy))
        for distortion, strategy in STRATEGIES.items()
    )
    return GraphBatch(nodes, answers, 0)


def write(run: Run, dialect: Dialect, batch: GraphBatch) -> None:
    """Remove what a batch replaces, merge it and move the position, in the caller's transaction.

    Nodes first and edges by a statement of their own: where one statement merges both out of a list, Ladybug 0.22 keeps
    only the first edge of each new node.

    Raises:
        GraphRefusedError: Something outside the schema, or an edge whose ends do not exist.
    """
    nodes, edges, outdated = node_rows(batch), edge_rows(batch), outdated_rows(batch)
    for rows in outdated:
        _remove(run, rows)
    for rows in nodes:
        if dialect == "neo4j":
            run(_merge_nodes(rows), rows=rows.rows)
        else:
            _create_or_change(run, rows)
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


def is_foreign(run: Run) -> bool:
    """Tell whether a shared node is there that no vocabulary knows: somebody else has written into the store."""
    return any(
        run(f"MATCH (n:{label}) WHERE NOT n.{KEY} IN $keys RETURN count(n)", keys=sorted(keys))[0][0]
        for label, keys in VOCABULARY.items()
    )


def counts(run: Run) -> dict[str, int]:
    """Return the number of nodes and edges of every label."""
    found = {label: run(f"MATCH (n:{label}) RETURN count(n)")[0][0] for label in NODES}
    return found | {label: run(f"MATCH ()-[e:{label}]->() RETURN count(e)")[0][0] for label in EDGES}


def _remove(run: Run, rows: Rows) -> None:
    """Remove edges of one node after the other: for a list of nodes, Ladybug 0.22 reads every edge that there is."""
    one = f" WHERE e.{INFERENCE} = ${INFERENCE}" if INFERENCE in rows.rows[0] else ""
    statement = f"MATCH (a:{rows.label} {{{KEY}: ${NODE}}})-[e:{'|'.join(DERIVED[rows.label])}]->(){one} DELETE e"
    known = _known(run, rows)
    for row in rows.rows:
        if row[NODE] in known:
            run(statement, **row)


def _known(run: Run, rows: Rows) -> set[object]:
    """Return which of the nodes there are."""
    keys = sorted({str(row[NODE]) for row in rows.rows})
    found = run(f"UNWIND $keys AS key MATCH (n:{rows.label} {{{KEY}: key}}) RETURN n.{KEY}", keys=keys)
    return {key for (key,) in found}


def _create_or_change(run: Run, rows: Rows) -> None:
    """Merge nodes in Ladybug 0.22, whose MERGE of a list reads every node of the label, unlike MATCH and CREATE.

    One transaction writes at a time there, so nobody makes a node in between.
    """
    label, known = rows.label, _known(run, rows)
    old = [row for row in rows.rows if row[NODE] in known]
    new = [row for row in rows.rows if row[NODE] not in known]
    changes = _changes("n", rows, ())
    if old and changes:
        run(f"UNWIND $rows AS row MATCH (n:{label} {{{KEY}: row.{NODE}}}) SET {changes}", rows=old)
    if new:
        given = "".join(f", `{name}`: row.`{name}`" for name in rows.properties)
        run(f"UNWIND $rows AS row CREATE (n:{label} {{{KEY}: row.{NODE}{given}}})", rows=new)


def _merge_nodes(rows: Rows) -> str:
    merge = f"UNWIND $rows AS row MERGE (n:{rows.label} {{{KEY}: row.{NODE}}})"
    changes = _changes("n", rows, ())
    return f"{merge} SET {changes}" if changes else merge


def _merge_edges(rows: Rows) -> str:
    """Fresh edges are created: to merge one, Ladybug 0.22 reads all that lead to the same shared node."""
    start, end = rows.between
    names = rows.properties if rows.fresh else EDGES[rows.label].identity
    told_apart = ", ".join(f"`{name}`: row.`{name}`" for name in names)
    changes = "" if rows.fresh else _changes("e", rows, names)
    return (
        f"UNWIND $rows AS row MATCH (a:{start} {{{KEY}: row.{START}}}) MATCH (b:{end} {{{KEY}: row.{END}}}) "
        f"{'CREATE' if rows.fresh else 'MERGE'} "
        f"(a)-[e:{rows.label}{f' {{{told_apart}}}' if told_apart else ''}]->(b) "
        f"{f'SET {changes} ' if changes else ''}RETURN count(*)"
    )


def _changes(variable: str, rows: Rows, identity: tuple[str, ...]) -> str:
    given = [f"{variable}.`{name}` = row.`{name}`" for name in rows.properties if name not in identity]
    return ", ".join([*given, *(f"{variable}.`{name}` = NULL" for name in rows.removed)])
