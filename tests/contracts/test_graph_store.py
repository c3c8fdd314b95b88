"""What every graph store promises, held by both: Ladybug, and a real Neo4j server."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import neo4j
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from tests.fakes.cut_line import cut_line
from tests.fakes.neo4j_server import Neo4jServer

from forge_hub.graph.batches import merged
from forge_hub.graph.embedded import EmbeddedGraphStore
from forge_hub.graph.errors import GraphRefusedError, GraphUnavailableError
from forge_hub.graph.neo4j import Neo4jGraphStore
from forge_hub.graph.ports import (
    Edge,
    Finding,
    Fusion,
    GraphBatch,
    GraphStore,
    Node,
    NodeRef,
    Outdated,
    Sentiment,
    Subgraph,
)
from forge_hub.graph.schema import EDGES, NODES, EdgeShape, NodeShape, Value
from forge_hub.graph.vocabulary import STRATEGIES, VOCABULARY

Opener = Callable[[], GraphStore]

PERSON = NodeRef("Persona", "p-1")
SESSION = NodeRef("Session", "s-1")
SAID = NodeRef("Utterance", "u-001")
SAID_AT, KNOWN_AT = "2026-01-01T00:00:02.000000+00:00", "2026-01-01T00:00:05.000000+00:00"
SPAN: dict[str, Value] = {
    "inference": "i-1",
    "start": 2,
    "end": 9,
    "confidence": 0.75,
    "source": "patterns-1",
    "state": "hypothesis",
    "at": SAID_AT,
    "known_at": KNOWN_AT,
}
FELT: dict[str, Value] = {**SPAN, "source": "lexicon-1", "valence": -0.5, "arousal": 0.25}


@pytest.fixture(params=["ladybug", "neo4j"])
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Opener:
    if request.param == "ladybug":
        return lambda: EmbeddedGraphStore(tmp_path / "graph.lbdb")
    server: Neo4jServer = request.getfixturevalue("server")
    return lambda: Neo4jGraphStore(server.uri, server.user, server.password)


@pytest.fixture
def store(opener: Opener) -> Iterator[GraphStore]:
    store = opener()
    store.clear()
    yield store
    store.close()


def utterance(number: int, text: str = "words") -> Node:
    properties: dict[str, Value] = {
        "text": text,
        "at": f"2026-01-01T00:00:{number % 60:02d}+00:00",
        "ordinal": number,
        "speaker": "patient",
    }
    return Node("Utterance", f"u-{number:03d}", properties)


def conversation(size: int, position: int = 1) -> GraphBatch:
    said = [utterance(number) for number in range(1, size + 1)]
    return GraphBatch(
        (Node("Persona", "p-1"), Node("Session", "s-1", {"started_at": "2026-01-01T00:00:00+00:00"}), *said),
        (
            Edge("HAD_SESSION", PERSON, SESSION),
            *(Edge("INCLUDES", SESSION, node.ref) for node in said),
            *(Edge("SAID", PERSON, node.ref) for node in said),
        ),
        position,
    )


def tagged() -> GraphBatch:
    said = NodeRef("Utterance", "u-002")
    words = [("Distortion", "mind_reading"), ("Distortion", "labelling"), ("Emotion", "sadness")]
    words += [("LifeStage", "integrity_vs_despair"), ("Sentiment", "unpleasant_activated")]
    labels = ["HAS_DISTORTION", "HAS_DISTORTION", "TRIGGERS_EMOTION", "REFLECTS_STAGE"]
    edges = [Edge(label, said, NodeRef(*word), SPAN) for label, word in zip(labels, words[:4], strict=True)]
    return GraphBatch((), (*edges, Edge("HAS_SENTIMENT", said, NodeRef(*words[4]), FELT)), 2)


def personal(graph: Subgraph) -> Subgraph:
    """What a graph has beside the vocabulary that every store holds."""
    return Subgraph(
        tuple(node for node in graph.nodes if node.label not in VOCABULARY),
        tuple(edge for edge in graph.edges if edge.label != "CAN_REPHRASE_USING"),
    )


def test_an_empty_graph_stands_at_the_beginning_of_the_log(store: GraphStore) -> None:
    assert store.position() == 0
    assert personal(store.snapshot()) == Subgraph()
    shared = {label: len(keys) for label, keys in VOCABULARY.items()}
    counted = {**shared, "CAN_REPHRASE_USING": len(STRATEGIES)}
    assert store.counts() == dict.fromkeys([*NODES, *EDGES], 0) | counted


def test_the_vocabulary_is_there_from_the_beginning_with_the_answer_to_each_distortion(store: GraphStore) -> None:
    graph = store.snapshot()
    assert {node.ref for node in graph.nodes} == {
        NodeRef(label, key) for label, keys in VOCABULARY.items() for key in keys
    }
    answers = {edge.start.key: edge.end.key for edge in graph.edges}
    assert answers["labelling"] == "define_terms"
    assert answers.keys() == VOCABULARY["Distortion"]


def test_four_hundred_new_nodes_with_an_edge_each_arrive_with_all_four_hundred(store: GraphStore) -> None:
    store.apply(conversation(400))
    assert store.counts()["Utterance"] == 400
    assert store.counts()["INCLUDES"] == 400


def test_several_edges_of_each_new_node_all_arrive(store: GraphStore) -> None:
    said = [utterance(number) for number in range(100)]
    word = NodeRef("Emotion", "joy")
    edges = [
        Edge("TRIGGERS_EMOTION", node.ref, word, {**SPAN, "inference": f"i-{number}"})
        for node in said
        for number in range(4)
    ]
    store.apply(GraphBatch((*said, Node(word.label, word.key)), tuple(edges), 1))
    assert store.counts()["TRIGGERS_EMOTION"] == 400
    assert store.counts()["Emotion"] == len(VOCABULARY["Emotion"])


def test_what_was_written_is_read_back_and_the_position_moves_with_it(store: GraphStore) -> None:
    batch = conversation(3, position=17)
    store.apply(batch)
    assert store.position() == 17
    found = personal(store.snapshot())
    assert {node.ref: node.properties for node in found.nodes} == {node.ref: node.properties for node in batch.nodes}
    assert len(found.edges) == len(batch.edges)


def test_applying_a_batch_again_changes_nothing(store: GraphStore) -> None:
    for batch in (conversation(5), tagged()):
        store.apply(batch)
    before = store.snapshot()
    for batch in (tagged(), conversation(5), tagged()):
        store.apply(batch)
    assert store.snapshot() == before
    assert store.position() == 2


def test_the_position_never_moves_back(store: GraphStore) -> None:
    store.apply(GraphBatch((), (), 9))
    store.apply(GraphBatch((), (), 4))
    assert store.position() == 9


def test_properties_that_are_not_given_stay_and_none_removes_one(store: GraphStore) -> None:
    form: dict[str, Value] = {"questionnaire": "q", "total": 9, "status": "stopped", "at": "t"}
    store.apply(GraphBatch((Node("FormResponse", "f-1", form),), (), 1))
    store.apply(GraphBatch((Node("FormResponse", "f-1", {"status": "completed"}),), (), 2))
    assert personal(store.snapshot()).nodes == (Node("FormResponse", "f-1", {**form, "status": "completed"}),)
    store.apply(GraphBatch((Node("FormResponse", "f-1", {"total": None}),), (), 3))
    assert "total" not in personal(store.snapshot()).nodes[0].properties


def test_of_one_node_twice_in_a_batch_the_later_values_win(store: GraphStore) -> None:
    session = [Node("Session", "s-1", {"started_at": at}) for at in ("early", "late")]
    store.apply(GraphBatch((*session, Node("Session", "s-1")), (), 1))
    assert personal(store.snapshot()).nodes == (Node("Session", "s-1", {"started_at": "late"}),)


def test_of_one_edge_twice_in_a_batch_the_later_confidence_wins(store: GraphStore) -> None:
    store.apply(conversation(2))
    store.apply(tagged())
    said, word = NodeRef("Utterance", "u-002"), NodeRef("Emotion", "sadness")
    edges = [Edge("TRIGGERS_EMOTION", said, word, {**SPAN, "confidence": sure}) for sure in (0.1, 0.9)]
    store.apply(GraphBatch((), tuple(edges), 3))
    assert [finding.confidence for finding in store.fusion("u-002").emotions] == [0.9]


def test_fusion_returns_text_distortions_emotions_stage_and_sentiment_together(store: GraphStore) -> None:
    store.apply(merged([conversation(3), tagged()]))
    assert store.fusion("u-002") == Fusion(
        utterance="u-002",
        text="words",
        distortions=(
            Finding("labelling", 2, 9, 0.75, "patterns-1", "i-1"),
            Finding("mind_reading", 2, 9, 0.75, "patterns-1", "i-1"),
        ),
        emotions=(Finding("sadness", 2, 9, 0.75, "patterns-1", "i-1"),),
        stage=Finding("integrity_vs_despair", 2, 9, 0.75, "patterns-1", "i-1"),
        sentiment=Sentiment("unpleasant_activated", -0.5, 0.25, 2, 9, 0.75, "lexicon-1", "i-1"),
    )


def test_fusion_of_an_untagged_or_unknown_utterance_is_empty(store: GraphStore) -> None:
    store.apply(conversation(1))
    assert store.fusion("u-001") == Fusion("u-001", text="words")
    assert store.fusion("nobody") == Fusion("nobody")


def test_a_neighbourhood_has_person_session_the_utterances_beside_and_the_words(store: GraphStore) -> None:
    store.apply(merged([conversation(5), tagged()]))
    near = store.neighbourhood("u-002")
    keys = {node.key for node in near.nodes}
    assert {"p-1", "s-1", "u-001", "u-002", "u-003", "sadness", "unpleasant_activated"} <= keys
    assert keys.isdisjoint({"u-004", "u-005"})
    spoken = {"HAD_SESSION", "SAID", "INCLUDES"}
    assert {edge.label for edge in near.edges} == spoken | {edge.label for edge in tagged().edges}
    whole = store.snapshot()
    assert all(node in whole.nodes for node in near.nodes)
    assert all(edge in whole.edges for edge in near.edges)
    assert store.neighbourhood("nobody") == Subgraph()


def test_nothing_of_another_person_is_in_a_neighbourhood(store: GraphStore) -> None:
    other = NodeRef("Utterance", "v-1")
    theirs = GraphBatch(
        (Node("Persona", "p-2"), Node("Session", "s-2"), Node("Utterance", "v-1", {"ordinal": 2})),
        (
            Edge("HAD_SESSION", NodeRef("Persona", "p-2"), NodeRef("Session", "s-2")),
            Edge("INCLUDES", NodeRef("Session", "s-2"), other),
            Edge("TRIGGERS_EMOTION", other, NodeRef("Emotion", "sadness"), SPAN),
        ),
        3,
    )
    store.apply(merged([conversation(3), tagged(), theirs]))
    assert {"p-2", "s-2", "v-1"}.isdisjoint({node.key for node in store.neighbourhood("u-002").nodes})


@pytest.mark.parametrize(
    "batch",
    [
        GraphBatch((Node("Diagnosis", "x"),), (), 5),
        GraphBatch((Node("Persona", "p-9", {"name": "x"}),), (), 5),
        GraphBatch((Node("Persona", ""),), (), 5),
        GraphBatch((Node("Utterance", "u-9", {"ordinal": "1"}),), (), 5),
        GraphBatch((Node("Utterance", "u-9", {"ordinal": 2**63}),), (), 5),
        GraphBatch((Node("Utterance", "u-9", {"text": "\ud800"}),), (), 5),
        GraphBatch((), (Edge("LOVES", PERSON, PERSON),), 5),
        GraphBatch((), (Edge("HAD_SESSION", SESSION, PERSON),), 5),
        GraphBatch((), (Edge("TRIGGERS_EMOTION", PERSON, NodeRef("Emotion", "joy"), SPAN),), 5),
        GraphBatch((), (Edge("TRIGGERS_EMOTION", SAID, NodeRef("Emotion", "joy")),), 5),
        GraphBatch((), (Edge("TRIGGERS_EMOTION", SAID, NodeRef("Emotion", "joy"), SPAN | {"state": "sure"}),), 5),
        GraphBatch((Node("Emotion", "happyness"),), (), 5),
        GraphBatch((), (Edge("TRIGGERS_EMOTION", SAID, NodeRef("Emotion", "happyness"), SPAN),), 5),
        GraphBatch((Node("PatternSummary", "q", {"dominant_emotion": "happyness"}),), (), 5),
        GraphBatch((), (), 5, (Outdated(NodeRef("Emotion", "joy")),)),
        GraphBatch(
            (),
            (Edge("HAS_SENTIMENT", SAID, NodeRef("Sentiment", "neutral"), FELT | {"valence": float("nan")}),),
            5,
        ),
        GraphBatch(
            (Node("Persona", "p-9"),), (Edge("HAD_SESSION", NodeRef("Persona", "p-9"), NodeRef("Session", "no")),), 5
        ),
    ],
)
def test_what_is_outside_the_schema_or_hangs_in_the_air_is_refused_whole(store: GraphStore, batch: GraphBatch) -> None:
    store.apply(conversation(1))
    before = store.snapshot()
    with pytest.raises(GraphRefusedError):
        store.apply(batch)
    assert store.snapshot() == before
    assert store.position() == 1


def test_hostile_text_is_stored_as_it_is(store: GraphStore) -> None:
    text = "'}) DETACH DELETE n // \"`$rows\\ \u2028 naïve 😀 \x00 {id: 1}"
    store.apply(GraphBatch((utterance(1, text), Node("Session", text)), (), 1))
    assert store.fusion("u-001").text == text
    assert Node("Session", text) in store.snapshot().nodes


def test_clearing_leaves_nothing_and_a_rebuild_gives_the_same_graph(store: GraphStore) -> None:
    batches = [conversation(7), tagged()]
    for batch in batches:
        store.apply(batch)
    before = store.snapshot()
    store.clear()
    assert (store.position(), personal(store.snapshot())) == (0, Subgraph())
    store.apply(merged(batches))
    assert store.snapshot() == before


def test_what_was_applied_is_there_when_the_store_is_opened_again(store: GraphStore, opener: Opener) -> None:
    store.apply(merged([conversation(4), tagged()]))
    before = store.snapshot()
    store.close()
    again = opener()
    try:
        assert again.snapshot() == before
        assert again.position() == 2
    finally:
        again.close()


def test_a_closed_store_says_so_and_closing_twice_is_harmless(store: GraphStore) -> None:
    store.close()
    store.close()
    with pytest.raises(GraphUnavailableError):
        store.position()
    with pytest.raises(GraphUnavailableError):
        store.apply(GraphBatch((), (), 1))


def test_threads_may_read_and_write_at_once(store: GraphStore) -> None:
    failures: list[BaseException] = []

    def write(first: int) -> None:
        try:
            for number in range(first, first + 10):
                said = utterance(number)
                store.apply(GraphBatch((Node("Session", "s-1"), said), (Edge("INCLUDES", SESSION, said.ref),), number))
                assert store.fusion(said.key).text == "words"
                store.neighbourhood(said.key)
        except BaseException as error:  # noqa: BLE001 (handed to the test's own thread)
            failures.append(error)

    threads = [threading.Thread(target=write, args=(first,)) for first in (0, 100, 200, 300)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert failures == []
    assert store.counts()["INCLUDES"] == 40
    assert store.counts()["Session"] == 1
    assert store.position() == 309


def test_a_graph_of_another_schema_is_emptied_and_its_constraints_go(server: Neo4jServer) -> None:
    auth = (server.user, server.password.get_secret_value())
    before = Neo4jGraphStore(server.uri, server.user, server.password)
    before.clear()
    before.close()
    with neo4j.GraphDatabase.driver(server.uri, auth=auth) as driver:
        for statement in (
            "CREATE CONSTRAINT forge_person FOR (n:Person) REQUIRE n.pseudonym IS UNIQUE",
            "MERGE (c:ForgeCursor {name: 'graph'}) SET c.version = 1, c.position = 7",
            "CREATE (:Person {pseudonym: 'p-1'})-[:HAD_SESSION]->(:Session {id: 's-1'})",
            "MERGE (:Ward {name: 'not ours'})",
        ):
            driver.execute_query(statement)
        store = Neo4jGraphStore(server.uri, server.user, server.password)
        assert (store.position(), personal(store.snapshot())) == (0, Subgraph())
        store.close()
        left = driver.execute_query("MATCH (n) WHERE n:Person OR n:Session OR n:Ward RETURN labels(n)").records
        assert [record[0] for record in left] == [["Ward"]]
        driver.execute_query("MATCH (n:Ward) DELETE n")
        names = driver.execute_query("SHOW CONSTRAINTS YIELD name").records
        assert "forge_person" not in {record[0] for record in names}


def test_a_word_that_somebody_else_put_into_the_vocabulary_empties_the_graph(server: Neo4jServer) -> None:
    auth = (server.user, server.password.get_secret_value())
    store = Neo4jGraphStore(server.uri, server.user, server.password)
    store.apply(conversation(1))
    store.close()
    with neo4j.GraphDatabase.driver(server.uri, auth=auth) as driver:
        driver.execute_query("CREATE (:Emotion {id: 'happyness'})")
    store = Neo4jGraphStore(server.uri, server.user, server.password)
    assert (store.position(), personal(store.snapshot())) == (0, Subgraph())
    store.close()


def test_a_server_that_goes_away_is_unavailable_and_is_found_again(server: Neo4jServer) -> None:
    with cut_line(urlsplit(server.uri).port or 7687) as line:
        store = Neo4jGraphStore(f"bolt://127.0.0.1:{line.port}", server.user, server.password)
        store.clear()
        line.cut()
        with pytest.raises(GraphUnavailableError):
            store.apply(conversation(1))
        line.mend()
        assert store.position() == 0
        store.apply(conversation(1))
        assert store.position() == 1
        store.close()


def test_a_wrong_password_is_named_as_the_reason_and_not_repeated(server: Neo4jServer) -> None:
    with pytest.raises(GraphUnavailableError, match="password") as refusal:
        Neo4jGraphStore(server.uri, server.user, SecretStr("wrong-horse"))
    assert "wrong-horse" not in str(refusal.value)
    assert refusal.value.__cause__ is None


KEYS = st.sampled_from(["a", "b", "c", "d"])
VALUES: dict[str, st.SearchStrategy[Value]] = {
    "text": st.text(st.characters(codec="utf-8"), max_size=12),
    "integer": st.integers(-(2**63), 2**63 - 1) | st.integers(0, 300),
    "number": st.floats(-1, 1) | st.integers(-1, 1),
}


def values(shape: NodeShape | EdgeShape, name: str) -> st.SearchStrategy[Value]:
    closed = shape.closed.get(name)
    return st.sampled_from(sorted(closed)) if closed else VALUES[shape.properties[name]]


def keys(label: str) -> st.SearchStrategy[str]:
    return st.sampled_from(sorted(VOCABULARY.get(label, "abcd"))[:4])


@st.composite
def nodes(draw: st.DrawFn) -> Node:
    label = draw(st.sampled_from(sorted(NODES)))
    shape = NODES[label]
    names = draw(st.sets(st.sampled_from(sorted(shape.properties)))) if shape.properties else set[str]()
    return Node(label, draw(keys(label)), {name: draw(values(shape, name) | st.none()) for name in sorted(names)})


@st.composite
def edges(draw: st.DrawFn) -> Edge:
    label = draw(st.sampled_from(sorted(EDGES)))
    shape = EDGES[label]
    properties = {
        name: draw(values(shape, name) | st.none() if name in shape.optional else values(shape, name))
        for name in shape.properties
    }
    if draw(st.booleans()) and "inference" in shape.identity:
        properties |= {"inference": "i"}
    start, end = draw(st.sampled_from(shape.between))
    return Edge(label, NodeRef(start, draw(keys(start))), NodeRef(end, draw(keys(end))), properties)


@st.composite
def outdated(draw: st.DrawFn) -> Outdated:
    if draw(st.booleans()):
        return Outdated(NodeRef("Persona", draw(KEYS)))
    return Outdated(NodeRef("Utterance", draw(KEYS)), draw(st.none() | st.just("i")))


@st.composite
def batches(draw: st.DrawFn) -> GraphBatch:
    some = draw(st.lists(nodes(), max_size=12))
    between = draw(st.lists(edges(), max_size=6))
    if draw(st.integers(0, 3)):
        some += [Node(end.label, end.key) for edge in between for end in (edge.start, edge.end)]
    replaced = draw(st.lists(outdated(), max_size=3))
    return GraphBatch(tuple(some), tuple(between), draw(st.integers(0, 2**40)), tuple(replaced))


@pytest.fixture(scope="module")
def both(server: Neo4jServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[GraphStore, GraphStore]]:
    ladybug = EmbeddedGraphStore(tmp_path_factory.mktemp("ladybug") / "graph.lbdb")
    remote = Neo4jGraphStore(server.uri, server.user, server.password)
    yield ladybug, remote
    ladybug.close()
    remote.close()


@pytest.mark.slow
@given(st.lists(batches(), min_size=1, max_size=4))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_both_stores_do_the_same_with_any_batches(
    both: tuple[GraphStore, GraphStore], given_batches: list[GraphBatch]
) -> None:
    for store in both:
        store.clear()
    for batch in given_batches:
        outcomes = []
        for store in both:
            try:
                store.apply(batch)
                outcomes.append("applied")
            except GraphRefusedError:
                outcomes.append("refused")
        assert outcomes[0] == outcomes[1]
    ladybug, remote = both
    assert ladybug.snapshot() == remote.snapshot()
    assert ladybug.counts() == remote.counts()
    assert ladybug.position() == remote.position()
    for key in ("a", "b", "c", "d"):
        assert ladybug.fusion(key) == remote.fusion(key)
        for label in set(NODES) - set(VOCABULARY):
            node = NodeRef(label, key)
            assert ladybug.neighbourhood(node) == remote.neighbourhood(node)
        assert ladybug.snapshot(key) == remote.snapshot(key)
