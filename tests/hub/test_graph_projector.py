"""What each event adds to the graph: the same log always gives the same graph, in whatever steps it is applied."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forge_hub.graph.embedded import EmbeddedGraphStore
from forge_hub.graph.ports import GraphBatch, GraphStore, Node
from forge_hub.graph.projection import GraphProjection
from forge_hub.graph.projector import batch_of, merge
from forge_hub.records.log import Logged
from forge_shared.events import (
    Envelope,
    EventData,
    FormRecorded,
    RequestMade,
    SessionEnded,
    SessionStarted,
    UtteranceSaid,
    source_of,
)

BEGAN = datetime(2026, 1, 1, 9, tzinfo=UTC)
FORM = "http://loinc.org/q/44249-1|2.0"
SAID = (
    "I am such a failure and everyone must think I am worthless.",
    "I will never get better, it will only go wrong.",
    "My daughter came and I was so happy!",
    "The tray is on the table.",
)

Event = tuple[int, Envelope, EventData]


def identifier(number: int) -> str:
    return f"00000000-0000-7000-8000-{number:012d}"


def event(position: int, data: EventData, subject: str = "p-1") -> Event:
    envelope = Envelope(
        id=identifier(position),
        source=source_of("site", "room-1"),
        type=data.type_name(),
        time=BEGAN + timedelta(seconds=position),
        subject=subject,
        epoch=identifier(0),
        lane=data.lane,
        sequence=position,
        data=data.model_dump(mode="json"),
    )
    return position, envelope, data


def said(position: int, text: str, session: int = 900, subject: str = "p-1") -> Event:
    data = UtteranceSaid(session=identifier(session), speaker="unknown", text=text, redactions={}, confidence=0.9)
    return event(position, data, subject)


def form(position: int, *, total: int | None, response: int = 800) -> Event:
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


def a_day() -> list[Event]:
    return [
        event(1, RequestMade(request="water", mode="voice")),
        event(2, SessionStarted(session=identifier(900), consent=identifier(901))),
        *(said(number, text) for number, text in enumerate(SAID, start=3)),
        event(7, SessionEnded(session=identifier(900), reason="asked")),
        form(8, total=None),
        form(9, total=14),
        event(10, SessionStarted(session=identifier(902), consent=identifier(903)), "p-2"),
        said(11, SAID[0], 902, "p-2"),
    ]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GraphStore]:
    store = EmbeddedGraphStore(tmp_path_factory.mktemp("graph") / "graph.lbdb")
    yield store
    store.close()


def test_an_event_of_no_concern_only_moves_the_position() -> None:
    assert batch_of(*event(5, RequestMade(request="nurse", mode="touch"))) == GraphBatch((), (), 5)
    assert batch_of(*event(6, SessionEnded(session=identifier(1), reason="asked"))) == GraphBatch((), (), 6)


def test_an_utterance_hangs_on_its_person_and_session_and_carries_its_tags(store: GraphStore) -> None:
    store.clear()
    store.apply(merge([batch_of(*item) for item in a_day()]))
    fused = store.fusion(identifier(3))
    assert fused.text == SAID[0]
    assert fused.distortions
    assert all(SAID[0][found.start : found.end] for found in fused.distortions)
    assert fused.sentiment is not None
    assert fused.sentiment.quadrant.startswith("unpleasant")
    near = {node.ref.label: node.key for node in store.neighbourhood(identifier(3)).nodes}
    assert near["Person"] == "p-1"
    assert near["Session"] == identifier(900)


def test_what_has_no_feeling_and_no_pattern_has_no_tag(store: GraphStore) -> None:
    store.clear()
    store.apply(batch_of(*said(6, SAID[3])))
    fused = store.fusion(identifier(6))
    assert (fused.text, fused.distortions, fused.sentiment) == (SAID[3], (), None)


def test_two_people_share_vocabulary_and_nothing_else(store: GraphStore) -> None:
    store.clear()
    store.apply(merge([batch_of(*item) for item in a_day()]))
    one, other = store.neighbourhood(identifier(3)), store.neighbourhood(identifier(11))
    shared = {node.label for node in one.nodes if node in other.nodes}
    assert shared == {"Distortion", "Quadrant"}
    assert {edge.start.label for edge in store.snapshot().edges} == {"Person", "Session", "Utterance"}


def test_a_form_resumed_and_completed_is_one_response_with_its_last_state(store: GraphStore) -> None:
    store.clear()
    store.apply(merge([batch_of(*form(8, total=None)), batch_of(*form(9, total=14))]))
    [response] = [node for node in store.snapshot().nodes if node.label == "FormResponse"]
    assert response == Node(
        "FormResponse",
        identifier(800),
        {"questionnaire": FORM, "total": 14, "status": "completed", "at": "2026-01-01T09:00:09.000000+00:00"},
    )


def test_an_utterance_committed_before_its_session_is_not_lost(store: GraphStore) -> None:
    snapshots = []
    for order in (a_day(), [*a_day()[2:6], a_day()[1], *a_day()[6:]]):
        store.clear()
        for item in order:
            store.apply(batch_of(*item))
        snapshots.append(store.snapshot())
    assert snapshots[0] == snapshots[1]


@given(cuts=st.sets(st.integers(1, 10)), again=st.booleans())
@settings(max_examples=15, deadline=None)
def test_any_steps_and_any_repetition_give_the_same_graph(store: GraphStore, cuts: set[int], *, again: bool) -> None:
    batches = [batch_of(*item) for item in a_day()]
    store.clear()
    store.apply(merge(batches))
    whole = store.snapshot()
    store.clear()
    bounds = [0, *sorted(cuts), len(batches)]
    for first, last in pairwise(bounds):
        for _ in range(2 if again else 1):
            store.apply(merge(batches[first:last]))
    assert store.snapshot() == whole
    assert store.position() == 11


def test_a_rebuild_in_a_new_file_gives_the_same_graph(tmp_path: Path, store: GraphStore) -> None:
    store.clear()
    store.apply(merge([batch_of(*item) for item in a_day()]))
    other = EmbeddedGraphStore(tmp_path / "graph.lbdb")
    other.apply(merge([batch_of(*item) for item in a_day()]))
    assert other.snapshot() == store.snapshot()
    other.close()


def test_without_consent_to_inference_an_utterance_stands_without_any(store: GraphStore) -> None:
    store.clear()
    events = [
        Logged(*event(1, SessionStarted(session=identifier(900), consent=identifier(1))), BEGAN),
        Logged(*said(2, SAID[0]), BEGAN),
    ]
    asked: list[tuple[str, datetime]] = []

    def may_infer(subject: str, at: datetime) -> bool:
        asked.append((subject, at))
        return False

    GraphProjection(store, lambda _: may_infer).apply(events)
    counts = store.counts()
    assert asked == [("p-1", BEGAN + timedelta(seconds=2))]
    assert counts["Utterance"] == 1
    assert store.fusion(identifier(2)) is None or not counts.get("SHOWS_DISTORTION")
    store.clear()
    GraphProjection(store, lambda _: lambda *_: True).apply(events)
    assert store.counts() != counts, "with consent there is something to infer"
