"""Parts of the graph as they are: one utterance's evidence, what is around a node, one person's part, the whole."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Literal

from forge_hub.graph.batches import canonical, present
from forge_hub.graph.cypher import Run
from forge_hub.graph.ports import MOST_NODES, Edge, Finding, Fusion, Node, NodeRef, Sentiment, Subgraph
from forge_hub.graph.schema import EDGES, KEY, NODES, EdgeShape
from forge_hub.graph.vocabulary import EVIDENCE_OF, VOCABULARY
from forge_hub.mind.inference import Framework

EDGES_EACH = 3
"""Edges read for each neighbour that is wanted, since two nodes may have several between them. Ours."""

FUSED = ("HAS_DISTORTION", "TRIGGERS_EMOTION", "HAS_SENTIMENT", "REFLECTS_STAGE")

_ORDER = ("ordinal", "at", KEY)
"""What orders the utterances of a session; the last is unique."""

_SPOKEN: Mapping[str, str] = {"Persona": "SAID", "Session": "INCLUDES"}
"""Edges to utterances, of which there may be thousands, by the label that they start at."""

_Way = Literal["out", "in"]

_FINDING = ("start", "end", "confidence", "source", "inference", "state")


def fusion(run: Run, utterance_id: str) -> Fusion:
    """Return what the passes said of one utterance."""
    every = run(
        f"MATCH (u:Utterance {{{KEY}: $id}}) OPTIONAL MATCH (u)-[e:{'|'.join(FUSED)}]->(v) "
        f"RETURN u.text, LABEL_OF(e), v.{KEY}, {_columns('e', ('valence', 'arousal', *_FINDING))}",
        id=utterance_id,
    )
    if not every:
        return Fusion(utterance_id)
    rows = [row for row in every if row[-1] != "rejected"]
    sentiments = [Sentiment(*row[2:]) for row in rows if row[1] == "HAS_SENTIMENT"]
    stages = _findings(rows, "REFLECTS_STAGE")
    return Fusion(
        utterance=utterance_id,
        text=every[0][0],
        distortions=_findings(rows, "HAS_DISTORTION"),
        emotions=_findings(rows, "TRIGGERS_EMOTION"),
        stage=max(stages, key=lambda stage: (stage.state == "approved", stage.confidence, stage.id), default=None),
        sentiment=max(
            sentiments, key=lambda felt: (felt.state == "approved", felt.confidence, felt.quadrant), default=None
        ),
    )


def neighbourhood(
    run: Run,
    node: NodeRef,
    *,
    person: str | None = None,
    frameworks: Collection[Framework] | None = None,
    limit: int = MOST_NODES,
) -> Subgraph:
    """Return a node and what is next to it; see `forge_hub.graph.ports.GraphStore.neighbourhood`."""
    centre = _nodes(run, node.label, [node.key])
    if not centre:
        return Subgraph()
    nodes, edges = list(centre), list[Edge]()
    allowed = _allowed(frameworks)
    for match, way, ends in _ways(node, person):
        labels = [
            label
            for label, shape in EDGES.items()
            if (label in allowed or not _touches_vocabulary(label))
            and not ends.isdisjoint(_there(shape, node, way))
            and _SPOKEN.get(node.label) != label
        ]
        if labels:
            _add_around(run, node, match, way, labels, (nodes, edges), {"person": person, "limit": limit})
    if node.label == "Utterance":
        _add_context(run, node, nodes, edges)
    if room := max(0, limit + 1 - len({each.ref for each in nodes})):
        _add_said(run, node, nodes, edges, room)
    kept = {each.ref for each in _nearest(nodes, node, limit)}
    return canonical(
        (each for each in nodes if each.ref in kept),
        (each for each in edges if each.start in kept and each.end in kept),
    )


def snapshot(run: Run, person: str | None = None) -> Subgraph:
    """Return the whole graph, or one person's part of it with the vocabulary that it touches."""
    edges: list[Edge] = []
    for label, shape in EDGES.items():
        for start, end in shape.between:
            found = _path(start) if person is not None else f"MATCH (a:{start})"
            if found is None:
                continue
            columns = [f"a.{KEY}", f"b.{KEY}", *_each("e", shape.properties)]
            statement = f"{found} MATCH (a)-[e:{label}]->(b:{end}) RETURN {', '.join(columns)}"
            rows = run(statement, person=person) if person is not None else run(statement)
            edges += [_edge(label, NodeRef(start, row[0]), NodeRef(end, row[1]), row[2:]) for row in rows]
    if person is None:
        return canonical((node for label in NODES for node in _nodes(run, label, None)), edges)
    wanted = {end for edge in edges for end in (edge.start, edge.end)} | {NodeRef("Persona", person)}
    distortions = sorted(ref.key for ref in wanted if ref.label == "Distortion")
    answers = (
        run(
            f"MATCH (a:Distortion)-[:CAN_REPHRASE_USING]->(b:Strategy) WHERE a.{KEY} IN $keys RETURN a.{KEY}, b.{KEY}",
            keys=distortions,
        )
        if distortions
        else []
    )
    for start_key, end_key in answers:
        edges.append(Edge("CAN_REPHRASE_USING", NodeRef("Distortion", start_key), NodeRef("Strategy", end_key)))
        wanted.add(NodeRef("Strategy", end_key))
    nodes = [
        each
        for label in NODES
        if (keys := sorted(ref.key for ref in wanted if ref.label == label))
        for each in _nodes(run, label, keys)
    ]
    return canonical(nodes, edges)


def _path(start: str) -> str | None:
    """How a person's nodes of a label are reached from the persona."""
    match start:
        case "Persona":
            return f"MATCH (a:Persona {{{KEY}: $person}})"
        case "Session":
            return f"MATCH (:Persona {{{KEY}: $person}})-[:HAD_SESSION]->(a:Session)"
        case "Utterance":
            return f"MATCH (:Persona {{{KEY}: $person}})-[:SAID]->(a:Utterance)"
        case _:
            return None


def _allowed(frameworks: Collection[Framework] | None) -> frozenset[str]:
    """Labels of the edges to shared nodes that the frameworks use."""
    if frameworks is None:
        return frozenset(EDGES)
    own = {"stage": "IN_LIFE_STAGE", "attachment": "HAS_ATTACHMENT", "trait": "HAS_TRAIT", "schema": "HAS_SCHEMA"}
    found = {EVIDENCE_OF[each][0] for each in frameworks} | {own[each] for each in frameworks if each in own}
    if "distortion" in frameworks:
        found |= {"CAN_REPHRASE_USING", "CORRELATED_WITH"}
    return frozenset(found)


def _ways(node: NodeRef, person: str | None) -> list[tuple[str, _Way, frozenset[str]]]:
    """Return how a node's neighbours are matched: a pattern for the edges ``{}``, its direction, labels over there.

    Around a node of the vocabulary there is everybody: from there, one person's part is found from the persona on.
    """
    here = f"(n:{node.label} {{{KEY}: $key}})"
    if node.label not in VOCABULARY:
        every = frozenset(NODES)
        return [(f"MATCH {here}-[e:{{}}]->(m)", "out", every), (f"MATCH {here}<-[e:{{}}]-(m)", "in", every)]
    shared = frozenset(VOCABULARY)
    ways: list[tuple[str, _Way, frozenset[str]]] = [
        (f"MATCH {here}-[e:{{}}]->(m)", "out", shared),
        (f"MATCH {here}<-[e:{{}}]-(m)", "in", shared),
    ]
    if person is not None:
        persona = f"Persona {{{KEY}: $person}}"
        ways.append((f"MATCH (m:{persona})-[e:{{}}]->{here}", "in", frozenset({"Persona"})))
        ways.append((f"MATCH (:{persona})-[:SAID]->(m:Utterance)-[e:{{}}]->{here}", "in", frozenset({"Utterance"})))
    return ways


def _there(shape: EdgeShape, node: NodeRef, way: _Way) -> set[str]:
    """Labels of the nodes at the other end of edges of a shape."""
    if way == "out":
        return {end for start, end in shape.between if start == node.label}
    return {start for start, end in shape.between if end == node.label}


def _touches_vocabulary(label: str) -> bool:
    return any(end in VOCABULARY for _, end in EDGES[label].between)


def _add_around(  # noqa: PLR0913 (the parts of one statement)
    run: Run,
    node: NodeRef,
    match: str,
    way: _Way,
    labels: Sequence[str],
    found: tuple[list[Node], list[Edge]],
    parameters: Mapping[str, Any],
) -> None:
    """Add a node's neighbours by some edges, utterances last, the first by key."""
    there = sorted(set().union(*(_there(EDGES[label], node, way) for label in labels)))
    properties = sorted({name for label in there for name in NODES[label].properties})
    carried = sorted({name for label in labels for name in EDGES[label].properties})
    columns = ["LABEL_OF(e)", "KIND_OF(m)", f"m.{KEY}", *_each("m", properties), *_each("e", carried)]
    statement = (
        f"{match.replace('{}', '|'.join(labels))} RETURN {', '.join(columns)} "
        f"ORDER BY CASE WHEN KIND_OF(m) = 'Utterance' THEN 1 ELSE 0 END, m.{KEY} "
        f"LIMIT {EDGES_EACH * int(parameters['limit'])}"
    )
    scope = {"person": parameters["person"]} if "$person" in statement else {}
    for label, kind, key, *values in run(statement, key=node.key, **scope):
        given = dict(zip(properties, values[: len(properties)], strict=True))
        other = _node(kind, key, list(NODES[kind].properties), [given[name] for name in NODES[kind].properties])
        borne = dict(zip(carried, values[len(properties) :], strict=True))
        ends = (node, other.ref) if way == "out" else (other.ref, node)
        found[0].append(other)
        found[1].append(_edge(label, *ends, [borne[name] for name in EDGES[label].properties]))


def _add_context(run: Run, node: NodeRef, nodes: list[Node], edges: list[Edge]) -> None:
    """Add the utterances directly before and after an utterance in its session, and whose session it is."""
    properties = list(NODES["Utterance"].properties)
    for before in (True, False):
        for session, key, *values in run(_beside(before=before), id=node.key):
            nodes.append(_node("Utterance", key, properties, values))
            edges.append(Edge("INCLUDES", NodeRef("Session", session), NodeRef("Utterance", key)))
    rows = run(
        f"MATCH (u:Utterance {{{KEY}: $id}})<-[:INCLUDES]-(s:Session)<-[:HAD_SESSION]-(p:Persona) "
        f"RETURN s.{KEY}, p.{KEY}",
        id=node.key,
    )
    for session, persona in rows:
        nodes.append(Node("Persona", persona))
        edges.append(Edge("HAD_SESSION", NodeRef("Persona", persona), NodeRef("Session", session)))
        edges += [
            Edge("SAID", NodeRef("Persona", persona), each.ref)
            for each in nodes
            if each.label == "Utterance" and each.ref != node
        ]


def _add_said(run: Run, node: NodeRef, nodes: list[Node], edges: list[Edge], room: int) -> None:
    """Add what a persona said or a session includes, the newest, as far as there is room."""
    label = _SPOKEN.get(node.label)
    if label is None:
        return
    names = list(NODES["Utterance"].properties)
    rows = run(
        f"MATCH (n:{node.label} {{{KEY}: $key}})-[:{label}]->(m:Utterance) RETURN {_columns('m', [KEY, *names])} "
        f"ORDER BY m.at DESC, m.{KEY} LIMIT {int(room)}",
        key=node.key,
    )
    for key, *values in rows:
        nodes.append(_node("Utterance", key, names, values))
        edges.append(Edge(label, node, NodeRef("Utterance", key)))


def _nearest(nodes: Sequence[Node], centre: NodeRef, limit: int) -> list[Node]:
    """Return the node itself and at most ``limit`` others: persona, session and vocabulary before utterances."""
    others = {each.ref: each for each in nodes if each.ref != centre}
    ranked = sorted(others.values(), key=lambda each: (each.label == "Utterance", each.ref))
    return [each for each in nodes if each.ref == centre][:1] + ranked[:limit]


def _beside(*, before: bool) -> str:
    """The statement that finds the utterance directly before or after one of the same session."""
    sign, direction = ("<", "DESC") if before else (">", "ASC")
    ordinal, at, key = _ORDER
    return (
        f"MATCH (u:Utterance {{{KEY}: $id}})<-[:INCLUDES]-(s:Session)-[:INCLUDES]->(w:Utterance) "
        f"WHERE w.{ordinal} {sign} u.{ordinal} OR (w.{ordinal} = u.{ordinal} AND (w.{at} {sign} u.{at} "
        f"OR (w.{at} = u.{at} AND w.{key} {sign} u.{key}))) "
        f"RETURN s.{KEY}, w.{KEY}, {_columns('w', NODES['Utterance'].properties)} "
        f"ORDER BY {', '.join(f'w.{name} {direction}' for name in _ORDER)} LIMIT 1"
    )


def _nodes(run: Run, label: str, keys: Sequence[str] | None) -> list[Node]:
    names = list(NODES[label].properties)
    columns = _columns("n", [KEY, *names])
    if keys is None:
        rows = run(f"MATCH (n:{label}) RETURN {columns}")
    else:
        rows = run(f"UNWIND $keys AS key MATCH (n:{label} {{{KEY}: key}}) RETURN {columns}", keys=list(keys))
    return [_node(label, key, names, values) for key, *values in rows]


def _columns(variable: str, names: Iterable[str]) -> str:
    return ", ".join(_each(variable, names))


def _each(variable: str, names: Iterable[str]) -> list[str]:
    return [f"{variable}.`{name}`" for name in names]


def _node(label: str, key: str, names: Sequence[str], values: Sequence[Any]) -> Node:
    return Node(label, key, present(dict(zip(names, values, strict=True))))


def _edge(label: str, start: NodeRef, end: NodeRef, values: Sequence[Any]) -> Edge:
    properties: Mapping[str, Any] = dict(zip(EDGES[label].properties, values, strict=True))
    return Edge(label, start, end, present(properties))


def _findings(rows: Sequence[Sequence[Any]], label: str) -> tuple[Finding, ...]:
    found = [Finding(row[2], *row[5:]) for row in rows if row[1] == label]
    return tuple(sorted(found, key=lambda finding: (finding.start, finding.end, finding.id, finding.source)))
