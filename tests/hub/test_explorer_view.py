"""What the explorer draws and lists: words for everything, and nothing that chance alone would put there."""

import pytest

from forge_hub.graph.ports import Edge, Node, NodeRef, Subgraph
from forge_hub.web.explorer_view import elements_of, relations_of, title_of, worth_showing

PERSON = Node("Persona", "stay-1")
SESSION = Node("Session", "s-1", {"started_at": "2026-11-06T10:04:00+00:00"})
LABELLING = Node("Distortion", "labelling")


def together(weight: float, utterances: int = 85) -> Edge:
    return Edge(
        "CORRELATED_WITH", PERSON.ref, LABELLING.ref, {"other": "joy", "weight": weight, "evidence": utterances}
    )


def graph(*edges: Edge) -> Subgraph:
    had = Edge("HAD_SESSION", PERSON.ref, SESSION.ref)
    return Subgraph((LABELLING, PERSON, SESSION), (had, *edges))


# With 85 utterances the 95 % interval of Pearson's r by Fisher's z leaves out none from .2133 on.
@pytest.mark.parametrize(("weight", "is_shown"), [(0.2, False), (-0.2, False), (0.22, True), (-0.22, True), (1, True)])
def test_what_goes_together_is_drawn_only_where_its_interval_leaves_out_none(weight: float, *, is_shown: bool) -> None:
    shown = worth_showing(graph(together(weight)), PERSON.ref)
    assert (together(weight) in shown.edges) is is_shown
    assert (LABELLING in shown.nodes) is is_shown
    assert SESSION in shown.nodes


def test_the_point_that_it_was_opened_at_is_always_there() -> None:
    assert LABELLING in worth_showing(graph(together(0.01)), LABELLING.ref).nodes


def test_points_are_named_as_a_clinician_names_them() -> None:
    [said] = [each for each in relations_of(graph(together(0.5))) if each.relation == "goes together with joy in"]
    assert (said.start, said.end) == ("Person: stay-1", "Thinking pattern: Labelling")
    assert title_of(graph(), SESSION.ref) == "Session: 6 Nov 2026, 10:04"
    assert title_of(graph(), NodeRef("Session", "gone")) == "gone"
    assert {each["label"] for each in elements_of(graph(), PERSON.ref)["nodes"]} >= {"stay-1", "6 Nov 2026, 10:04"}
