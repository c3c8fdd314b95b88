"""A part of the graph as the explorer draws it and as its table lists it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from forge_hub.graph.ports import Edge, Node, NodeRef, Subgraph
from forge_hub.web.mind_wording import certainty, words_of

EXCERPT_LENGTH: Final = 60

PERSON_LABELS: Final = ("Persona", "Session", "Utterance", "FormResponse", "PatternSummary")
"""Nodes that belong to one person; all others are vocabulary."""

_RELATIONS: Final[Mapping[str, str]] = {
    "HAD_SESSION": "had the session",
    "SAID": "said",
    "INCLUDES": "contains",
    "COMPLETED": "filled in",
    "HAS_DISTORTION": "shows the pattern",
    "TRIGGERS_EMOTION": "shows the emotion",
    "HAS_SENTIMENT": "lies in the quadrant",
    "REFLECTS_STAGE": "reflects the stage",
    "REFLECTS_SCHEMA": "reflects the belief",
    "INDICATES": "hints at",
    "SHOWS_DEFENSE": "may show the defence",
    "SHOWS_TRANSFERENCE": "may show the theme",
    "NOTES": "mentions",
    "IN_LIFE_STAGE": "is perhaps in the stage",
    "HAS_ATTACHMENT": "has perhaps the attachment",
    "HAS_TRAIT": "has perhaps the trait",
    "HAS_SCHEMA": "has perhaps the schema",
    "CAN_REPHRASE_USING": "can be answered by",
    "CORRELATED_WITH": "goes together with",
    "HAS_PATTERN": "is summed up in",
}
_KINDS: Final[Mapping[str, str]] = {
    "Persona": "Person",
    "Distortion": "Thinking pattern",
    "LifeStage": "Stage of life",
    "FormResponse": "Form",
    "Sentiment": "Mood",
    "PatternSummary": "Summary",
    "Schema": "Belief",
    "Transference": "Theme",
}
_STATES: Final[Mapping[str, str]] = {"approved": "approved", "rejected": "rejected", "hypothesis": "hypothesis"}


@dataclass(frozen=True, slots=True)
class Relation:
    """An edge in words. ``start_at`` and ``end_at`` open the explorer there."""

    start: str
    start_at: str
    relation: str
    end: str
    end_at: str
    evidence: str
    state: str


def identity(ref: NodeRef) -> str:
    """Return a node's identity as addresses carry it."""
    return f"{ref.label}:{ref.key}"


def reference(text: str) -> NodeRef | None:
    """Return the node that an address names; None where it names none."""
    label, colon, key = text.partition(":")
    return NodeRef(label, key) if colon and label and key else None


def worth_showing(graph: Subgraph, focus: NodeRef) -> Subgraph:
    """Return a graph without what goes together no more than by chance, and of the rest what the focus reaches."""
    told = [edge for edge in graph.edges if _is_told(edge)]
    held, grown = {focus}, True
    while grown:
        reached = {end for edge in told if held & {edge.start, edge.end} for end in (edge.start, edge.end)}
        grown, held = not reached <= held, held | reached
    edges = tuple(edge for edge in told if edge.start in held)
    return Subgraph(tuple(node for node in graph.nodes if node.ref in held), edges)


def relations_of(graph: Subgraph) -> list[Relation]:
    """Return the edges in words: what a screen reader or a printed page gets instead of the drawing."""
    names = {node.ref: f"{kind_of(node)}: {name_of(node)}" for node in graph.nodes}
    return [
        Relation(
            start=names.get(edge.start, edge.start.key),
            start_at=identity(edge.start),
            relation=_relation(edge),
            end=names.get(edge.end, edge.end.key),
            end_at=identity(edge.end),
            evidence=_evidence(edge),
            state=_STATES.get(str(edge.properties.get("state", "")), ""),
        )
        for edge in sorted(graph.edges, key=lambda edge: (edge.label, edge.start, edge.end))
    ]


def elements_of(graph: Subgraph, focus: NodeRef) -> dict[str, list[dict[str, Any]]]:
    """Return the graph as Cytoscape.js takes it, the node that it was opened at marked ``focus``."""
    return {
        "nodes": [
            {"id": identity(node.ref), "label": name_of(node), "kind": node.label, "focus": node.ref == focus}
            for node in graph.nodes
        ],
        "edges": [
            {
                "id": f"{identity(edge.start)}>{edge.label}>{identity(edge.end)}>{number}",
                "source": identity(edge.start),
                "target": identity(edge.end),
                "label": _relation(edge),
                "state": str(edge.properties.get("state", "")),
            }
            for number, edge in enumerate(graph.edges)
        ],
    }


def title_of(graph: Subgraph, focus: NodeRef) -> str:
    """Return what the explorer was opened at, in words."""
    return next((f"{kind_of(node)}: {name_of(node)}" for node in graph.nodes if node.ref == focus), focus.key)


def kinds_in(graph: Subgraph) -> Sequence[str]:
    """Return the kinds of nodes that are there, in words."""
    return sorted({kind_of(node) for node in graph.nodes})


def kind_of(node: Node) -> str:
    """Return what a node is, in words."""
    return _KINDS.get(node.label, node.label)


def name_of(node: Node) -> str:
    """Return a node's name: an utterance's own words, a session's time, a vocabulary id in words."""
    match node.label:
        case "Utterance":
            text = str(node.properties.get("text") or node.key)
            return text if len(text) <= EXCERPT_LENGTH else text[: EXCERPT_LENGTH - 1].rstrip() + "…"
        case "Session":
            at = node.properties.get("started_at")
            return datetime.fromisoformat(str(at)).strftime("%-d %b %Y, %H:%M UTC") if at else node.key
        case "PatternSummary":
            return f"of {node.properties.get('utterances', '?')} utterances"
        case "Persona":
            return node.key
        case "FormResponse":
            name = str(node.properties.get("questionnaire") or node.key).rsplit("/", 1)[-1].split("|")[0].upper()
            total = node.properties.get("total")
            return f"{name}, stopped" if total is None else f"{name}, total {total}"
        case _:
            return words_of(node.key)


def _is_told(edge: Edge) -> bool:
    """Tell whether a correlation's interval leaves out none; all other edges are told."""
    low, high = edge.properties.get("low"), edge.properties.get("high")
    if edge.label != "CORRELATED_WITH" or not isinstance(low, int | float) or not isinstance(high, int | float):
        return True
    return low > 0 or high < 0


def _relation(edge: Edge) -> str:
    words = _RELATIONS.get(edge.label, words_of(edge.label.lower()))
    other = edge.properties.get("other")
    return f"{words} {words_of(str(other)).lower()} in" if other else words


def _evidence(edge: Edge) -> str:
    confidence, weight = edge.properties.get("confidence"), edge.properties.get("weight")
    if isinstance(confidence, int | float):
        return certainty(float(confidence))
    if isinstance(weight, int | float):
        return f"{weight:+.2f} from {edge.properties.get('evidence', '?')} utterances"
    return "recorded"
