"""The closed vocabulary of the graph: which nodes and edges exist, and what they may carry.

Vocabulary nodes (`Distortion`, `Emotion`, `LifeStage`, `Quadrant`) are shared by everyone. What is true of one person
starts at an utterance of that person, so nothing personal ever hangs between two vocabulary nodes.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from forge_hub.graph.errors import GraphRefusedError

VERSION = 1
"""Raise it with every change below: a store of another version empties itself when opened and is derived anew."""

Kind = Literal["text", "integer", "number"]
Value = str | int | float | None

INT64 = range(-(2**63), 2**63)
"""Both databases store integers in 64 bits."""


@dataclass(frozen=True, slots=True)
class NodeShape:
    """A node's key property and its other properties, each of which may be absent."""

    key: str
    properties: Mapping[str, Kind] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EdgeShape:
    """Where an edge starts and ends and what it carries, none of it optional.

    ``identity`` names the properties that tell two edges between the same nodes apart.
    """

    start: str
    end: str
    properties: Mapping[str, Kind] = field(default_factory=dict)
    identity: tuple[str, ...] = ()


NODES: Mapping[str, NodeShape] = {
    "Person": NodeShape("pseudonym"),
    "Session": NodeShape("id", {"started_at": "text"}),
    "Utterance": NodeShape("id", {"text": "text", "at": "text", "ordinal": "integer", "speaker": "text"}),
    "FormResponse": NodeShape("id", {"questionnaire": "text", "total": "integer", "status": "text", "at": "text"}),
    "Distortion": NodeShape("id"),
    "Emotion": NodeShape("id"),
    "LifeStage": NodeShape("id"),
    "Quadrant": NodeShape("id"),
}

_EVIDENCE: Mapping[str, Kind] = {"start": "integer", "end": "integer", "confidence": "number", "source": "text"}
"""The span in the utterance's text, in code points, half-open; how sure (0 to 1); which pass said so."""

_EVIDENCE_IDENTITY = ("start", "end", "source")

EDGES: Mapping[str, EdgeShape] = {
    "HAD_SESSION": EdgeShape("Person", "Session"),
    "HAS_UTTERANCE": EdgeShape("Session", "Utterance"),
    "COMPLETED": EdgeShape("Person", "FormResponse"),
    "SHOWS_DISTORTION": EdgeShape("Utterance", "Distortion", _EVIDENCE, _EVIDENCE_IDENTITY),
    "SHOWS_EMOTION": EdgeShape("Utterance", "Emotion", _EVIDENCE, _EVIDENCE_IDENTITY),
    "REFLECTS_STAGE": EdgeShape("Utterance", "LifeStage", _EVIDENCE, _EVIDENCE_IDENTITY),
    "FEELS": EdgeShape(
        "Utterance", "Quadrant", {**_EVIDENCE, "valence": "number", "arousal": "number"}, _EVIDENCE_IDENTITY
    ),
}

TAGS = tuple(label for label, shape in EDGES.items() if shape.start == "Utterance")
"""Edges from an utterance to the shared vocabulary."""


def node_values(label: str, key: str, properties: Mapping[str, Value]) -> dict[str, Value]:
    """Return what is to be stored of a node, numbers as floats.

    Raises:
        GraphRefusedError: Label, key, a property or a value is outside the schema.
    """
    shape = NODES.get(label)
    if shape is None:
        raise GraphRefusedError("a node label outside the schema")
    if not key:
        raise GraphRefusedError(f"a {label} without a key")
    _text(label, key)
    return {name: _value(label, shape.properties, name, value) for name, value in properties.items()}


def edge_values(label: str, start: str, end: str, properties: Mapping[str, Value]) -> dict[str, Value]:
    """Return what is to be stored of an edge, numbers as floats.

    Args:
        label: The edge's label.
        start: Label of the node it starts at.
        end: Label of the node it ends at.
        properties: What it carries.

    Raises:
        GraphRefusedError: Label, ends, a property or a value is outside the schema, or a property is missing.
    """
    shape = EDGES.get(label)
    if shape is None:
        raise GraphRefusedError("an edge label outside the schema")
    if (start, end) != (shape.start, shape.end):
        raise GraphRefusedError(f"{label} leads from {shape.start} to {shape.end} and nowhere else")
    if set(properties) != set(shape.properties) or None in properties.values():
        raise GraphRefusedError(f"{label} carries exactly: {', '.join(shape.properties) or 'nothing'}")
    return {name: _value(label, shape.properties, name, value) for name, value in properties.items()}


def _value(label: str, kinds: Mapping[str, Kind], name: str, value: Value) -> Value:
    kind = kinds.get(name)
    if kind is None:
        raise GraphRefusedError(f"{label} has a property outside the schema")
    match kind, value:
        case _, None:
            return None
        case "text", str():
            return _text(label, value)
        case "integer", int() if not isinstance(value, bool) and value in INT64:
            return value
        case "number", int() | float() if not isinstance(value, bool) and math.isfinite(value):
            return float(value)
        case _:
            raise GraphRefusedError(f"{label}.{name} takes a finite value of kind {kind}")


def _text(label: str, value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise GraphRefusedError(f"{label} has text that is no Unicode") from None
    return value
