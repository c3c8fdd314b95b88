"""The named queries: one place, the same answers from Ladybug and from a real Neo4j server, equal to a hand count."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fakes.neo4j_server import Neo4jServer

from forge_hub.graph import questions
from forge_hub.graph.batches import merged
from forge_hub.graph.embedded import EmbeddedGraphStore
from forge_hub.graph.neo4j import Neo4jGraphStore
from forge_hub.graph.ports import Edge, GraphBatch, GraphStore, Node, NodeRef, Outdated
from forge_hub.graph.questions import Change, Correlated, Frequency, Mood
from forge_hub.graph.schema import Value
from forge_hub.graph.vocabulary import VOCABULARY

PERSONA = NodeRef("Persona", "p-1")


@pytest.fixture(params=["ladybug", "neo4j"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[GraphStore]:
    opened: GraphStore
    if request.param == "ladybug":
        opened = EmbeddedGraphStore(tmp_path / "graph.lbdb")
    else:
        server: Neo4jServer = request.getfixturevalue("server")
        opened = Neo4jGraphStore(server.uri, server.user, server.password)
    opened.clear()
    opened.apply(merged([*two_people(), figures()]))
    yield opened
    opened.close()


def long_talk(utterances: int) -> list[GraphBatch]:
    """Return what a third person said, no two utterances with the same figures."""
    batches = []
    for number in range(utterances):
        key, day, share = f"w-{number:03}", 1 + number % 4, number / utterances
        batches.append(said(key, day, number % 60, f"Word {number}."))
        felt: dict[str, Value] = {"valence": share, "arousal": -share, "confidence": 1 - share}
        quadrant = sorted(VOCABULARY["Sentiment"])[number % 5]
        batches.append(found(key, "HAS_SENTIMENT", quadrant, day, **felt))
        if number % 3 == 0:
            emotion = sorted(VOCABULARY["Emotion"])[number % 7]
            batches.append(found(key, "TRIGGERS_EMOTION", emotion, day, confidence=(1 + share) / 2))
    return batches


def at(day: int, minute: int = 0) -> str:
    return f"2026-01-{day:02d}T09:{minute:02d}:00.000000+00:00"


def said(key: str, day: int, minute: int, text: str, speaker: str = "patient") -> GraphBatch:
    person = {"u": "p-1", "v": "p-2", "w": "p-3"}[key[0]]
    persona, session = NodeRef("Persona", person), NodeRef("Session", f"{person}-day-{day}")
    utterance = Node(
        "Utterance",
        key,
        {"text": text, "at": at(day, minute), "known_at": at(day, minute + 1), "ordinal": minute, "speaker": speaker},
    )
    return GraphBatch(
        (Node("Persona", person), Node("Session", session.key, {"started_at": at(day)}), utterance),
        (
            Edge("HAD_SESSION", persona, session),
            Edge("SAID", persona, utterance.ref),
            Edge("INCLUDES", session, utterance.ref),
        ),
        1,
    )


def found(utterance: str, label: str, end: str, day: int, **changes: Value) -> GraphBatch:
    ends = {"HAS_DISTORTION": "Distortion", "TRIGGERS_EMOTION": "Emotion", "HAS_SENTIMENT": "Sentiment"}
    ends |= {"NOTES": "Note", "REFLECTS_STAGE": "LifeStage", "REFLECTS_SCHEMA": "Schema"}
    properties: dict[str, Value] = {
        "inference": f"{utterance}-{end}",
        "start": 0,
        "end": 6,
        "confidence": 0.6,
        "source": "words-1",
        "state": "hypothesis",
        "at": at(day),
        "known_at": at(day, 30),
    }
    edge = Edge(label, NodeRef("Utterance", utterance), NodeRef(ends[label], end), properties | changes)
    return GraphBatch((), (edge,), 1)


def two_people() -> list[GraphBatch]:
    return [
        said("u-1", 1, 0, "Always wrong, a failure."),
        said("u-2", 1, 1, "Good day in the garden."),
        said("u-3", 3, 0, "Peanuts make me ill, always."),
        said("u-4", 3, 1, "Really always?", speaker="clinician"),
        said("v-1", 1, 0, "Always sad."),
        found("u-1", "HAS_DISTORTION", "overgeneralisation", 1),
        found("u-1", "HAS_DISTORTION", "labelling", 1, state="rejected", known_at=at(9)),
        found("u-1", "TRIGGERS_EMOTION", "sadness", 1, confidence=0.7),
        found("u-1", "TRIGGERS_EMOTION", "fear", 1, confidence=0.9),
        found("u-1", "HAS_SENTIMENT", "unpleasant_activated", 1, valence=-0.5, arousal=0.5),
        found("u-1", "REFLECTS_STAGE", "industry_vs_inferiority", 1),
        found("u-2", "HAS_SENTIMENT", "pleasant_deactivated", 1, valence=0.5, arousal=-0.5, confidence=0.4),
        found("u-2", "HAS_DISTORTION", "labelling", 1, confidence=0.1),
        found("u-3", "HAS_DISTORTION", "overgeneralisation", 3, state="approved", confidence=0.1, known_at=at(10)),
        found("u-3", "NOTES", "allergy", 3),
        found("u-4", "HAS_DISTORTION", "overgeneralisation", 3),
        found("v-1", "HAS_DISTORTION", "overgeneralisation", 1),
        found("v-1", "TRIGGERS_EMOTION", "sadness", 1),
        GraphBatch(
            (Node("FormResponse", "f-1", {"at": at(2), "known_at": at(2, 5)}),),
            (Edge("COMPLETED", PERSONA, NodeRef("FormResponse", "f-1")),),
            1,
        ),
    ]


def figures() -> GraphBatch:
    pattern: dict[str, Value] = {
        "session": "p-1-day-1",
        "since": at(1),
        "until": at(1, 1),
        "known_at": at(9),
        "utterances": 2,
        "avg_valence": 0.0,
        "overgeneralisation_rate": 0.5,
    }
    together: dict[str, Value] = {"evidence": 12, "at": at(3), "known_at": at(9), "low": -0.9, "high": 0.9}
    return GraphBatch(
        (Node("PatternSummary", "p-1-day-1", pattern),),
        (
            Edge("HAS_PATTERN", NodeRef("Session", "p-1-day-1"), NodeRef("PatternSummary", "p-1-day-1")),
            Edge(
                "CORRELATED_WITH",
                PERSONA,
                NodeRef("Distortion", "labelling"),
                {**together, "other": "fear", "weight": 0.3},
            ),
            Edge(
                "CORRELATED_WITH",
                PERSONA,
                NodeRef("Distortion", "labelling"),
                {**together, "other": "valence", "weight": -0.6},
            ),
        ),
        1,
    )


def test_a_series_has_every_utterance_of_the_person_with_what_was_felt(store: GraphStore) -> None:
    assert store.ask(questions.person_series("p-1")) == [
        Mood("u-1", "p-1-day-1", at(1), -0.5, 0.5, 0.6, (("fear", 0.9), ("sadness", 0.7))),
        Mood("u-2", "p-1-day-1", at(1, 1), 0.5, -0.5, 0.4, ()),
        Mood("u-3", "p-1-day-3", at(3), None, None, None, ()),
    ]
    assert [mood.utterance for mood in store.ask(questions.person_series("p-1", since=at(2), until=at(4)))] == ["u-3"]
    assert store.ask(questions.person_series("nobody")) == []


def test_frequencies_leave_out_what_is_rejected_or_too_unsure_and_say_out_of_how_many(store: GraphStore) -> None:
    assert store.ask(questions.distortion_frequency("p-1")) == [
        Frequency("2026-01-01", "overgeneralisation", 1, 2),
        Frequency("2026-01-03", "overgeneralisation", 1, 1),
    ]
    assert store.ask(questions.distortion_frequency("p-1", since=at(1, 1), until=at(2))) == [
        Frequency("2026-01-01", "", 0, 1)
    ]


def test_what_changed_since_goes_by_when_the_hub_knew_not_by_when_it_was_said(store: GraphStore) -> None:
    assert store.ask(questions.changed_since("p-1", at(4))) == [
        Change("HAS_DISTORTION", "u-3", "overgeneralisation", "approved", at(3), at(10)),
        Change("pattern", "p-1-day-1", "", "", at(1, 1), at(9)),
        Change("HAS_DISTORTION", "u-1", "labelling", "rejected", at(1), at(9)),
    ]
    kinds = [change.kind for change in store.ask(questions.changed_since("p-1", ""))]
    assert (kinds.count("utterance"), kinds.count("form"), kinds.count("NOTES")) == (4, 1, 1)
    assert store.ask(questions.changed_since("p-1", at(10))) == []


def test_the_pattern_of_a_session_and_of_all_sessions(store: GraphStore) -> None:
    pattern = store.ask(questions.pattern("p-1-day-1"))
    assert pattern is not None
    assert (pattern["utterances"], pattern["overgeneralisation_rate"]) == (2, 0.5)
    assert store.ask(questions.pattern("p-1-day-3")) is None
    assert [trend.session for trend in store.ask(questions.trends("p-1"))] == ["p-1-day-1"]


def test_evidence_is_quoted_in_the_order_in_which_it_was_said_and_is_the_persons_own(store: GraphStore) -> None:
    evidence = store.ask(questions.evidence_of("p-1", "distortion", "overgeneralisation"))
    assert [(quote.utterance, quote.words, quote.state) for quote in evidence] == [
        ("u-1", "Always", "hypothesis"),
        ("u-3", "Peanut", "approved"),
    ]
    assert store.ask(questions.evidence_of("p-1", "distortion", "labelling")) == []


def test_notes_are_found_again(store: GraphStore) -> None:
    [note] = store.ask(questions.notes_of("p-1"))
    assert (note.label, note.utterance, note.session) == ("allergy", "u-3", "p-1-day-3")
    assert store.ask(questions.notes_of("p-2")) == []


def test_correlations_come_strongest_first(store: GraphStore) -> None:
    assert store.ask(questions.correlations("p-1")) == [
        Correlated("labelling", "valence", -0.6, -0.9, 0.9, 12),
        Correlated("labelling", "fear", 0.3, -0.9, 0.9, 12),
    ]


def test_in_a_long_series_every_figure_stays_with_its_utterance(store: GraphStore) -> None:
    store.apply(merged(long_talk(240)))
    series = store.ask(questions.person_series("p-3"))
    assert len(series) == 240
    assert [mood.at for mood in series] == sorted(mood.at for mood in series)
    for mood in series:
        number = int(mood.utterance[2:])
        share = number / 240
        assert (mood.session, mood.valence, mood.arousal) == (f"p-3-day-{1 + number % 4}", share, -share)
        assert mood.confidence == 1 - share
        assert mood.emotions == (
            ((sorted(VOCABULARY["Emotion"])[number % 7], (1 + share) / 2),) if number % 3 == 0 else ()
        )


@pytest.mark.parametrize(
    ("label", "key", "person"),
    [
        ("Persona", "p-2", "p-2"),
        ("Session", "p-2-day-1", "p-2"),
        ("Utterance", "v-1", "p-2"),
        ("FormResponse", "f-1", "p-1"),
        ("PatternSummary", "p-1-day-1", "p-1"),
        ("Emotion", "sadness", None),
        ("Utterance", "nothing", None),
    ],
)
def test_whose_a_node_is_can_be_asked_before_it_is_shown(
    store: GraphStore, label: str, key: str, person: str | None
) -> None:
    assert store.ask(questions.owner(NodeRef(label, key))) == person


def test_a_neighbourhood_opens_from_any_node(store: GraphStore) -> None:
    whole = store.snapshot()
    for node in whole.nodes:
        near = store.neighbourhood(node.ref, person="p-1")
        assert node in near.nodes
        assert all(each in whole.nodes for each in near.nodes)
        assert all(edge in whole.edges for edge in near.edges)
    persona = {node.key for node in store.neighbourhood(PERSONA).nodes}
    assert {"p-1-day-1", "p-1-day-3", "u-1", "u-4", "f-1", "labelling"} <= persona


def test_around_the_vocabulary_only_the_one_person_asked_for_is_shown(store: GraphStore) -> None:
    word = NodeRef("Distortion", "overgeneralisation")
    personal = {node.key for node in store.neighbourhood(word, person="p-1").nodes if node.label not in VOCABULARY}
    assert personal == {"u-1", "u-3", "u-4"}
    alone = store.neighbourhood(word)
    assert {node.label for node in alone.nodes} == {"Distortion", "Strategy"}
    labelling = store.neighbourhood(NodeRef("Distortion", "labelling"), person="p-1")
    assert {edge.label for edge in labelling.edges} == {"HAS_DISTORTION", "CORRELATED_WITH", "CAN_REPHRASE_USING"}


def test_a_neighbourhood_may_be_of_some_frameworks_and_has_a_size(store: GraphStore) -> None:
    felt = store.neighbourhood("u-1", frameworks=["emotion", "stage"])
    assert {edge.label for edge in felt.edges if edge.start.key == "u-1"} == {"TRIGGERS_EMOTION", "REFLECTS_STAGE"}
    assert {node.key for node in store.neighbourhood("u-1", frameworks=[]).nodes} == {"u-1", "u-2", "p-1", "p-1-day-1"}
    few = store.neighbourhood(PERSONA, limit=3)
    assert len(few.nodes) == 4
    assert not [node for node in few.nodes if node.label == "Utterance"], "what leads on comes before words"


def test_one_persons_part_holds_all_of_them_and_nothing_of_another(store: GraphStore) -> None:
    part, whole = store.snapshot("p-1"), store.snapshot()
    keys = {node.key for node in part.nodes if node.label not in VOCABULARY}
    assert keys == {"p-1", "p-1-day-1", "p-1-day-3", "u-1", "u-2", "u-3", "u-4", "f-1"}
    assert set(map(repr, part.nodes)) <= set(map(repr, whole.nodes))
    assert set(map(repr, part.edges)) <= set(map(repr, whole.edges))
    assert {edge.start.key for edge in part.edges if edge.label == "CAN_REPHRASE_USING"} == {
        "labelling",
        "overgeneralisation",
    }
    assert [node.ref for node in store.snapshot("nobody").nodes] == []


def test_what_is_outdated_goes_before_anything_new_comes(store: GraphStore) -> None:
    one = Outdated(NodeRef("Utterance", "u-1"), "u-1-labelling")
    store.apply(GraphBatch((), (), 2, (one,)))
    left = {finding.id for finding in (*store.fusion("u-1").distortions, *store.fusion("u-1").emotions)}
    assert left == {"overgeneralisation", "sadness", "fear"}
    anew = found("u-1", "TRIGGERS_EMOTION", "joy", 1)
    store.apply(GraphBatch((), anew.edges, 3, (Outdated(NodeRef("Utterance", "u-1")), Outdated(PERSONA))))
    fused = store.fusion("u-1")
    assert ([finding.id for finding in fused.emotions], fused.distortions, fused.stage) == (["joy"], (), None)
    assert store.ask(questions.correlations("p-1")) == []
    assert store.fusion("v-1").distortions, "another's stays"
    assert store.ask(questions.owner(NodeRef("Utterance", "u-1"))) == "p-1"
