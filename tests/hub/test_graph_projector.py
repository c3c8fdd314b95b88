"""What each event changes in the graph: the same log always gives the same graph, in whatever steps it is applied."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs
from tests.fakes.records import sqlite_records
from tests.fakes.word_tagger import WORDS, word_taggers

from forge_hub.graph import questions
from forge_hub.graph.embedded import EmbeddedGraphStore
from forge_hub.graph.ports import Edge, GraphBatch, GraphStore, Node, NodeRef, Snapshot
from forge_hub.graph.projection import LEAST_EVENTS, GraphProjection
from forge_hub.graph.projector import batch_of
from forge_hub.graph.vocabulary import VOCABULARY
from forge_hub.mind.inference import Inference, inference_id
from forge_hub.mind.ledger import Inferences
from forge_hub.mind.taggers import Taggers, installed
from forge_hub.records.database import Database
from forge_hub.records.log import Logged
from forge_shared.events import (
    Envelope,
    EventData,
    FormRecorded,
    InferenceReviewed,
    RequestMade,
    SessionEnded,
    SessionStarted,
    UtteranceCorrected,
    UtteranceSaid,
    source_of,
)

BEGAN = datetime(2026, 1, 1, 9, tzinfo=UTC)
FORM = "http://loinc.org/q/44249-1|2.0"
SAID = (
    "I am such a failure and so sad, it is awful.",
    "My children are always calm.",
    "I was happy, it was awful.",
    "The tray is on the table.",
)
LATENCY = timedelta(hours=1)
"""How long each event of these tests was on its way to the hub."""


def identifier(number: int) -> str:
    return f"00000000-0000-7000-8000-{number:012d}"


def event(position: int, data: EventData, subject: str = "p-1") -> Logged:
    at = BEGAN + timedelta(seconds=position)
    envelope = Envelope(
        id=identifier(position),
        source=source_of("site", "room-1"),
        type=data.type_name(),
        time=at,
        subject=subject,
        epoch=identifier(0),
        lane=data.lane,
        sequence=position,
        data=data.model_dump(mode="json"),
    )
    return Logged(position, envelope, data, at + LATENCY)


def said(position: int, text: str, session: int = 900, subject: str = "p-1") -> Logged:
    data = UtteranceSaid(session=identifier(session), speaker="unknown", text=text, redactions={}, confidence=0.9)
    return event(position, data, subject)


def corrected(position: int, utterance: int, text: str, subject: str = "p-1") -> Logged:
    data = UtteranceCorrected(
        utterance=identifier(utterance), session=identifier(900), speaker="patient", text=text, by="c-1"
    )
    return event(position, data, subject)


def inference(utterance: int, text: str, word: str) -> str:
    """The id of what the word taggers find at a word of an utterance."""
    framework, label = WORDS[word]
    start = text.index(word)
    found = Inference(framework, label, start, start + len(word), 0.8, "words", "1")
    return inference_id(identifier(utterance), found)


def reviewed(position: int, key: str, verdict: str, instead: str | None = None, subject: str = "p-1") -> Logged:
    data = InferenceReviewed.model_validate({"inference": key, "verdict": verdict, "instead": instead, "by": "c-1"})
    return event(position, data, subject)


def form(position: int, *, total: int | None, response: int = 800) -> Logged:
    data = FormRecorded(
        response=identifier(response),
        questionnaire=FORM,
        status="stopped" if total is None else "completed",
        answers=(),
        total=total,
        re_prompts=0,
        started_at=BEGAN,
    )
    return event(position, data)


def a_day() -> list[Logged]:
    return [
        event(1, RequestMade(request="water", mode="voice")),
        event(2, SessionStarted(session=identifier(900), consent=identifier(901))),
        *(said(number, text) for number, text in enumerate(SAID, start=3)),
        event(7, SessionEnded(session=identifier(900), reason="asked")),
        form(8, total=None),
        form(9, total=14),
        event(10, SessionStarted(session=identifier(902), consent=identifier(903)), "p-2"),
        said(11, SAID[0], 902, "p-2"),
        reviewed(12, inference(3, SAID[0], "failure"), "wrong"),
        reviewed(13, inference(3, SAID[0], "sad"), "other", "grief"),
        corrected(14, 4, "My children are always happy and calm."),
        reviewed(15, inference(4, "My children are always happy and calm.", "happy"), "right"),
        corrected(16, 4, "My children are happy and calm."),
        *(
            said(17 + number, f"I am clingy, distant, worthless, {'always sad' if number % 2 else ''}", 904)
            for number in range(12)
        ),
        event(29, SessionEnded(session=identifier(904), reason="asked")),
        said(30, "I forgot: I was always sad there.", 900),
    ]


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = sqlite_records(tmp_path_factory.mktemp("records"))
    yield database
    database.close()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GraphStore]:
    store = EmbeddedGraphStore(tmp_path_factory.mktemp("graph") / "graph.lbdb")
    yield store
    store.close()


Apply = Callable[..., Snapshot]


@pytest.fixture
def apply(store: GraphStore, tmp_path: Path) -> Iterator[Apply]:
    """Derive the graph from events in an empty store with empty records, by taggers that know words."""
    opened: list[Database] = []

    def derive(events: Sequence[Logged], taggers: Taggers | None = None) -> Snapshot:
        opened.append(sqlite_records(tmp_path, f"records-{len(opened)}.db"))
        store.clear()
        GraphProjection(store, Inferences(opened[-1], taggers or word_taggers())).apply(events)
        return store.snapshot()

    yield derive
    for database in opened:
        database.close()


def edges_of(graph: Snapshot, start: str, *labels: str) -> list[Edge]:
    return [edge for edge in graph.edges if edge.start.key == start and (not labels or edge.label in labels)]


def node_of(graph: Snapshot, label: str, key: str) -> Node:
    [found] = [node for node in graph.nodes if node.ref == NodeRef(label, key)]
    return found


def test_an_event_of_no_concern_only_moves_the_position() -> None:
    assert batch_of(event(5, RequestMade(request="nurse", mode="touch"))) == GraphBatch((), (), 5)


def test_an_utterance_hangs_on_its_person_and_session_and_carries_its_tags(apply: Apply, store: GraphStore) -> None:
    apply(a_day()[:6])
    fused = store.fusion(identifier(3))
    assert fused.text == SAID[0]
    assert [SAID[0][found.start : found.end] for found in (*fused.distortions, *fused.emotions)] == ["failure", "sad"]
    assert fused.sentiment is not None
    assert (fused.sentiment.quadrant, fused.sentiment.valence) == ("unpleasant_activated", -0.8)
    near = {node.ref.label: node.key for node in store.neighbourhood(identifier(3)).nodes}
    assert near["Persona"] == "p-1"
    assert near["Session"] == identifier(900)


def test_what_was_said_and_when_the_hub_knew_it_are_two_times(apply: Apply) -> None:
    graph = apply(a_day())
    at, known_at = "2026-01-01T09:00:03.000000+00:00", "2026-01-01T10:00:03.000000+00:00"
    utterance = node_of(graph, "Utterance", identifier(3)).properties
    assert (utterance["at"], utterance["known_at"]) == (at, known_at)
    [felt] = edges_of(graph, identifier(3), "HAS_SENTIMENT")
    assert (felt.properties["at"], felt.properties["known_at"]) == (at, known_at)
    [decided] = edges_of(graph, identifier(3), "HAS_DISTORTION")
    assert (decided.properties["at"], decided.properties["known_at"]) == (at, "2026-01-01T09:00:12.000000+00:00")


def test_what_has_no_feeling_and_no_pattern_has_no_tag(apply: Apply, store: GraphStore) -> None:
    apply([said(6, SAID[3])])
    fused = store.fusion(identifier(6))
    assert (fused.text, fused.distortions, fused.sentiment) == (SAID[3], (), None)


def test_the_founding_examples_with_the_taggers_of_the_hub(apply: Apply, store: GraphStore) -> None:
    fails, loves = "I always mess things up. Everyone probably thinks I'm a failure.", "I have always loved my sister"
    apply([said(1, fails), said(2, loves)], installed())
    fused = store.fusion(identifier(1))
    assert fused.distortions
    assert all(fails[found.start : found.end] for found in fused.distortions)
    assert fused.sentiment is not None
    assert store.fusion(identifier(2)).distortions == ()


def test_a_clinicians_word_changes_the_state_of_an_inference_and_its_label(apply: Apply, store: GraphStore) -> None:
    graph = apply(a_day())
    [rejected] = edges_of(graph, identifier(3), "HAS_DISTORTION")
    assert rejected.properties["state"] == "rejected"
    [renamed] = edges_of(graph, identifier(3), "TRIGGERS_EMOTION")
    assert (renamed.end.key, renamed.properties["state"]) == ("grief", "approved")
    assert store.fusion(identifier(3)).distortions == ()
    assert store.ask(questions.evidence_of("p-1", "distortion", "labelling")) == []


def test_a_quadrant_that_a_clinician_has_put_in_its_place_has_no_figures(apply: Apply, store: GraphStore) -> None:
    graph = apply([*a_day(), reviewed(31, inference(3, SAID[0], "awful"), "other", "neutral")])
    [felt] = edges_of(graph, identifier(3), "HAS_SENTIMENT")
    assert (felt.end.key, felt.properties.get("valence")) == ("neutral", None)
    assert store.ask(questions.person_series("p-1"))[0].valence is None


def test_a_corrected_utterance_has_its_new_words_and_only_what_follows_from_them(apply: Apply) -> None:
    graph = apply(a_day()[:13])
    before = {edge.end.key for edge in edges_of(graph, identifier(4))}
    assert before == {"generativity_vs_stagnation", "overgeneralisation", "pleasant_deactivated"}
    graph = apply(a_day())
    utterance = node_of(graph, "Utterance", identifier(4)).properties
    assert (utterance["text"], utterance["corrected_by"]) == ("My children are happy and calm.", "c-1")
    assert "overgeneralisation" not in {edge.end.key for edge in edges_of(graph, identifier(4))}
    assert utterance["at"] == "2026-01-01T09:00:04.000000+00:00", "when it was said stays"


def test_a_word_on_what_is_not_there_or_anothers_changes_nothing(apply: Apply) -> None:
    expected = apply(a_day())
    strangers = [
        corrected(31, 77, "Nobody said this."),
        corrected(32, 3, "Somebody else's words.", "p-2"),
        reviewed(33, "0" * 32, "wrong"),
        reviewed(34, inference(3, SAID[0], "awful"), "wrong", subject="p-2"),
    ]
    assert apply([*a_day(), *strangers]) == expected


def test_a_label_that_no_vocabulary_has_is_left_out_and_said(apply: Apply) -> None:
    made_up = word_taggers({"tray": ("distortion", "tray_thinking"), "table": ("emotion", "joy")})
    with capture_logs() as logs:
        graph = apply([said(6, SAID[3])], made_up)
    assert [edge.end.key for edge in edges_of(graph, identifier(6))] == ["joy"]
    assert [entry["event"] for entry in logs] == ["inference.label-unknown"]
    unknown = reviewed(31, inference(3, SAID[0], "sad"), "other", "made_up")
    [emotion] = edges_of(apply([*a_day(), unknown]), identifier(3), "TRIGGERS_EMOTION")
    assert (emotion.end.key, emotion.properties["state"]) == ("sadness", "rejected")


def test_a_session_that_has_ended_has_the_pattern_that_a_hand_count_gives(apply: Apply, store: GraphStore) -> None:
    apply(a_day()[:6])
    assert store.ask(questions.pattern(identifier(900))) is None, "it goes on"
    apply(a_day()[:7])
    found = store.ask(questions.pattern(identifier(900)))
    assert found is not None
    assert (found["utterances"], found["readings"]) == (4, 3)
    assert found["avg_valence"] == pytest.approx((-0.8 + 0.5 - 0.8) / 3)
    assert (found["labelling_rate"], found["overgeneralisation_rate"]) == (0.25, 0.25)
    assert found["dominant_emotion"] == "joy"
    apply(a_day())
    found = store.ask(questions.pattern(identifier(900)))
    assert found is not None
    assert (found["utterances"], found["labelling_rate"], found["overgeneralisation_rate"]) == (5, 0.0, 0.2)


def test_a_person_has_what_follows_from_enough_evidence_and_nothing_else(apply: Apply, store: GraphStore) -> None:
    graph = apply(a_day())
    style = edges_of(graph, "p-1", "HAS_ATTACHMENT")
    assert [(edge.end.key, edge.properties["evidence"]) for edge in style] == [("anxious_preoccupied", 12)]
    [schema] = edges_of(graph, "p-1", "HAS_SCHEMA")
    assert (schema.end.key, schema.properties["evidence"], schema.properties["weight"]) == (
        "defectiveness_shame",
        12,
        12 / 17,
    )
    assert not edges_of(graph, "p-1", "HAS_TRAIT"), "twenty utterances are needed"
    [strongest, *_] = store.ask(questions.correlations("p-1"))
    assert (strongest.distortion, strongest.other, strongest.evidence) == ("overgeneralisation", "sadness", 17)
    assert 0.8 < strongest.weight <= 1
    assert not edges_of(graph, "p-2", "HAS_SCHEMA", "CORRELATED_WITH")


def test_two_people_share_vocabulary_and_nothing_else(apply: Apply, store: GraphStore) -> None:
    graph = apply(a_day())
    one, other = store.neighbourhood(identifier(3)), store.neighbourhood(identifier(11))
    shared = {node.label for node in one.nodes if node in other.nodes}
    assert shared == {"Distortion", "Sentiment"}
    personal = {edge.start.label for edge in graph.edges if edge.label != "CAN_REPHRASE_USING"}
    assert personal.isdisjoint(VOCABULARY)


def test_a_form_resumed_and_completed_is_one_response_with_its_last_state(apply: Apply) -> None:
    graph = apply([form(8, total=None), form(9, total=14)])
    assert node_of(graph, "FormResponse", identifier(800)).properties == {
        "questionnaire": FORM,
        "total": 14,
        "status": "completed",
        "at": "2026-01-01T09:00:09.000000+00:00",
        "known_at": "2026-01-01T10:00:09.000000+00:00",
    }


def test_an_utterance_committed_before_its_session_is_not_lost(apply: Apply) -> None:
    day = a_day()
    assert apply(day) == apply([*day[2:6], day[1], *day[6:]])


@given(cuts=st.sets(st.integers(1, len(a_day()) - 1), max_size=6), again=st.booleans(), known=st.booleans())
@settings(max_examples=10, deadline=None)
def test_any_steps_and_any_repetition_give_the_same_graph(
    store: GraphStore, records: Database, cuts: set[int], *, again: bool, known: bool
) -> None:
    projection = GraphProjection(store, Inferences(records, word_taggers()))
    if known:  # as when the graph is derived anew: what clinicians said later is on file already
        store.clear()
        projection.apply(a_day())
    events = a_day()
    store.clear()
    bounds = [0, *sorted(cuts), len(events)]
    for first, last in pairwise(bounds):
        for _ in range(2 if again else 1):
            projection.apply(events[first:last])
    stepwise = store.snapshot()
    assert store.position() == events[-1].position
    store.clear()
    projection.apply(events)
    assert store.snapshot() == stepwise


def test_a_new_graph_with_new_records_is_the_same(apply: Apply) -> None:
    assert apply(a_day()) == apply(a_day())


def test_without_consent_to_inference_an_utterance_stands_without_any(store: GraphStore, records: Database) -> None:
    store.clear()
    events = [
        event(1, SessionStarted(session=identifier(900), consent=identifier(1))),
        said(2, SAID[0]),
        event(3, SessionEnded(session=identifier(900), reason="asked")),
    ]
    asked: list[tuple[str, datetime]] = []

    def may_infer(subject: str, at: datetime) -> bool:
        asked.append((subject, at))
        return False

    GraphProjection(store, Inferences(records, word_taggers(), lambda _: may_infer)).apply(events)
    counts = store.counts()
    assert set(asked) == {("p-1", BEGAN + timedelta(seconds=2))}
    assert counts["Utterance"] == 1
    assert counts["PatternSummary"] == counts["HAS_DISTORTION"] == 0
    assert store.fusion(identifier(2)).distortions == ()


class SlowClock:
    """Seconds that a test lets pass."""

    def __init__(self, seconds_each: float) -> None:
        self.seconds_each = seconds_each
        self._now = 0.0

    def __call__(self) -> float:
        self._now += self.seconds_each
        return self._now


def test_a_step_is_as_long_as_the_taggers_allow(store: GraphStore, records: Database) -> None:
    store.clear()
    clock = SlowClock(seconds_each=20.0)
    projection = GraphProjection(store, Inferences(records, word_taggers()), clock)
    projection.apply(a_day())
    assert projection.most == LEAST_EVENTS
    clock.seconds_each = 0.0
    projection.apply(a_day())
    assert projection.most == 2 * LEAST_EVENTS
