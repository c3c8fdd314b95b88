"""What the explorer draws and lists: words for everything, and nothing that chance alone would put there."""

import pytest

from forge_hub.graph.ports import Edge, Node, NodeRef, Subgraph
from forge_hub.graph.schema import Value
from forge_hub.web.explorer_view import elements_of, relations_of, title_of, worth_showing

PERSON = Node("Persona", "stay-1")
SESSION = Node("Session", "s-1", {"started_at": "2026-11-06T10:04:00+00:00"})
LABELLING = Node("Distortion", "labelling")


STRATEGY = Node("Strategy", "name-the-deed")


def together(low: float, high: float) -> Edge:
    said: dict[str, Value] = {"other": "joy", "weight": (low + high) / 2, "low": low, "high": high, "evidence": 85}
    return Edge("CORRELATED_WITH", PERSON.ref, LABELLING.ref, said)


def graph(*edges: Edge) -> Subgraph:
    had = Edge("HAD_SESSION", PERSON.ref, SESSION.ref)
    return Subgraph((LABELLING, PERSON, SESSION), (had, *edges))


@pytest.mark.parametrize(
    ("low", "high", "is_shown"), [(-0.1, 0.3, False), (-0.3, 0.1, False), (0.01, 0.4, True), (-0.4, -0.01, True)]
)
def test_what_goes_together_is_drawn_only_where_its_interval_leaves_out_none(
    low: float, high: float, *, is_shown: bool
) -> None:
    shown = worth_showing(graph(together(low, high)), PERSON.ref)
    assert (together(low, high) in shown.edges) is is_shown
    assert (LABELLING in shown.nodes) is is_shown
    assert SESSION in shown.nodes


def test_what_only_chance_joined_to_the_point_that_it_was_opened_at_is_left_out_with_what_hangs_on_it() -> None:
    answer = Edge("CAN_REPHRASE_USING", LABELLING.ref, STRATEGY.ref)
    found = graph(together(-0.1, 0.3), answer)
    whole = Subgraph((*found.nodes, STRATEGY), found.edges)
    assert [node.label for node in worth_showing(whole, PERSON.ref).nodes] == ["Persona", "Session"]
    assert [node.label for node in worth_showing(whole, LABELLING.ref).nodes] == ["Distortion", "Strategy"]


def test_the_point_that_it_was_opened_at_is_always_there() -> None:
    assert LABELLING in worth_showing(graph(together(-0.1, 0.1)), LABELLING.ref).nodes


def test_points_are_named_as_a_clinician_names_them() -> None:
    [said] = [each for each in relations_of(graph(together(0.4, 0.6))) if each.relation == "goes together with joy in"]
    assert (said.start, said.end) == ("Person: stay-1", "Thinking pattern: Labelling")
    assert title_of(graph(), SESSION.ref) == "Session: 6 Nov 2026, 10:04 UTC"
    assert title_of(graph(), NodeRef("Session", "gone")) == "gone"
    assert {each["label"] for each in elements_of(graph(), PERSON.ref)["nodes"]} >= {"stay-1", "6 Nov 2026, 10:04 UTC"}
