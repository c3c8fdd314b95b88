"""The graph as JSON and as Cypher: what fits the schema comes back as it was, what does not is refused, and why."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import neo4j
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.contracts.test_graph_store import SAID_AT, SPAN, conversation, tagged
from tests.fakes.neo4j_server import Neo4jServer

from forge_hub.graph.batches import canonical, merged
from forge_hub.graph.cypher import vocabulary
from forge_hub.graph.embedded import EmbeddedGraphStore
from forge_hub.graph.errors import GraphRefusedError
from forge_hub.graph.exchange import cypher_of, graph_json, json_schema, read_graph_json
from forge_hub.graph.neo4j import Neo4jGraphStore
from forge_hub.graph.ports import Edge, GraphBatch, Node, NodeRef, Question, Subgraph

PUBLISHED = json.loads((Path(__file__).parents[2] / "docs" / "schemas" / "graph.json").read_text())
HOSTILE = (
    "'}) DETACH DELETE n; // \"`$rows \n\r\t\u2028\u2029\x85 na\u00efve \U0001f600 \x00\x1f {id: 1}",
    "\\u0027}) DETACH DELETE n //",
    "\\\\u0027 \\' \\\\' ' + n.text + '",
    "\\",
    "';\nMATCH (n) DETACH DELETE n;\n//",
)


def conversation_tagged() -> GraphBatch:
    return merged([conversation(3), tagged()])


def changed(**parts: Any) -> str:
    """A document with one node and one edge, changed."""
    node = {"label": "Utterance", "id": "u-1", "properties": {"text": "words"}}
    edge = {
        "label": "TRIGGERS_EMOTION",
        "start": {"label": "Utterance", "id": "u-1"},
        "end": {"label": "Emotion", "id": "joy"},
        "properties": dict(SPAN),
    }
    node |= parts.get("node", {})
    edge |= parts.get("edge", {})
    return json.dumps(
        {"format": "org.personaforge.graph.v2", "nodes": [node], "edges": [edge]} | parts.get("whole", {})
    )


def test_what_is_written_as_json_comes_back_the_same_and_byte_for_byte() -> None:
    batch = conversation_tagged()
    text = graph_json(batch)
    again = read_graph_json(text)
    assert canonical(again.nodes, again.edges) == canonical(batch.nodes, batch.edges)
    assert graph_json(again) == text == graph_json(GraphBatch(batch.nodes[::-1], batch.edges[::-1], 7))


def test_the_published_schema_is_that_of_the_code_and_takes_what_is_written() -> None:
    assert json_schema() == PUBLISHED
    jsonschema.Draft202012Validator.check_schema(PUBLISHED)
    jsonschema.validate(json.loads(graph_json(merged([vocabulary(), conversation_tagged()]))), PUBLISHED)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ("[]", "exactly"),
        ("{}", "exactly"),
        (changed(whole={"format": "org.personaforge.graph.v1"}), "format"),
        (changed(whole={"nodes": {}}), "no list"),
        (changed(whole={"more": 1}), "exactly"),
        (changed(node={"label": "Diagnosis"}), "node 1: a node label outside the schema"),
        (changed(node={"label": 7}), "node 1"),
        (changed(node={"id": ""}), "without a key"),
        (changed(node={"properties": {"name": "x"}}), "property outside the schema"),
        (changed(node={"properties": {"text": None}}), "neither text nor number"),
        (changed(node={"properties": {"ordinal": 2**63}}), "Utterance.ordinal"),
        (changed(node={"properties": {"ordinal": True}}), "neither text nor number"),
        (changed(node={"properties": {"text": "\ud800"}}), "no Unicode"),
        (changed(node={"label": "Emotion", "id": "happyness", "properties": {}}), "outside the vocabulary"),
        (changed(edge={"label": "LOVES"}), "edge 1: an edge label outside the schema"),
        (changed(edge={"label": "HAS_DISTORTION"}), "HAS_DISTORTION leads from Utterance to Distortion and nowhere"),
        (changed(edge={"start": {"label": "Persona", "id": "p-1"}}), "TRIGGERS_EMOTION leads from Utterance"),
        (changed(edge={"end": {"label": "Emotion", "id": "happyness"}}), "outside the vocabulary"),
        (changed(edge={"properties": {}}), "TRIGGERS_EMOTION lacks"),
        (changed(edge={"properties": SPAN | {"state": "certain"}}), "outside the vocabulary"),
        (changed(edge={"properties": SPAN | {"confidence": float("nan")}}), "no JSON"),
        (changed(edge={"start": "u-1"}), "exactly"),
    ],
)
def test_a_document_outside_the_schema_is_refused_with_place_and_reason(text: str, reason: str) -> None:
    with pytest.raises(GraphRefusedError, match=reason) as refusal:
        read_graph_json(text)
    assert "happyness" not in str(refusal.value)
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return
    if "NaN" not in text and "ud800" not in text:
        assert not jsonschema.Draft202012Validator(PUBLISHED).is_valid(document)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda each: (
            st.lists(each)
            | st.dictionaries(
                st.sampled_from(["format", "nodes", "edges", "label", "id", "start", "end", "properties"]), each
            )
        ),
    )
)
def test_whatever_is_no_graph_is_refused_and_nothing_else_happens(document: Any) -> None:
    with pytest.raises(GraphRefusedError):
        read_graph_json(json.dumps(document))


@pytest.fixture(scope="module")
def stores(
    server: Neo4jServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[EmbeddedGraphStore, Neo4jGraphStore]]:
    ladybug = EmbeddedGraphStore(tmp_path_factory.mktemp("ladybug") / "graph.lbdb")
    remote = Neo4jGraphStore(server.uri, server.user, server.password)
    yield ladybug, remote
    ladybug.close()
    remote.close()


def load(stores: tuple[EmbeddedGraphStore, Neo4jGraphStore], server: Neo4jServer, text: str) -> list[Subgraph]:
    """Run the statements in both databases as somebody would who has only the text, and return both graphs."""
    statements = [line for line in text.splitlines() if not line.startswith("//")]
    ladybug, remote = stores
    for store in stores:
        store.clear()
    for statement in statements:
        ladybug.ask(Question("loading", statement, {}, list))
    auth = (server.user, server.password.get_secret_value())
    with neo4j.GraphDatabase.driver(server.uri, auth=auth) as driver, driver.session() as session:
        for statement in statements:
            session.run(statement).consume()
    return [ladybug.snapshot(), remote.snapshot()]


def test_the_graph_as_cypher_makes_the_same_graph_in_both_databases(
    stores: tuple[EmbeddedGraphStore, Neo4jGraphStore], server: Neo4jServer
) -> None:
    batch = merged([vocabulary(), conversation_tagged()])
    expected = canonical(batch.nodes, batch.edges)
    text = cypher_of(batch)
    assert load(stores, server, text) == [expected, expected]
    assert load(stores, server, text + text) == [expected, expected]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_leaves_its_literal(
    stores: tuple[EmbeddedGraphStore, Neo4jGraphStore], server: Neo4jServer, text: str
) -> None:
    batch = merged([vocabulary(), hostile(text)])
    expected = canonical(batch.nodes, batch.edges)
    assert len(cypher_of(batch).splitlines()) == len(batch.nodes) + len(batch.edges) + 1
    assert load(stores, server, cypher_of(batch)) == [expected, expected]


@pytest.mark.slow
@given(st.text(st.characters(codec="utf-8"), min_size=1) | st.text("\\u0027'\"`;\n\x00ab", min_size=1))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_survives_both_databases(
    stores: tuple[EmbeddedGraphStore, Neo4jGraphStore], server: Neo4jServer, text: str
) -> None:
    graphs = load(stores, server, cypher_of(GraphBatch((Node("Session", text, {"started_at": text}),), (), 0)))
    assert [Node("Session", text, {"started_at": text}) in graph.nodes for graph in graphs] == [True, True]


def hostile(text: str) -> GraphBatch:
    said, word = NodeRef("Utterance", text), NodeRef("Emotion", "joy")
    properties = {**SPAN, "inference": text, "source": text, "at": SAID_AT, "start": -(2**63), "confidence": 1e-17}
    return GraphBatch(
        (Node(said.label, said.key, {"text": text}),), (Edge("TRIGGERS_EMOTION", said, word, properties),), 1
    )
