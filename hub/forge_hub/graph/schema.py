"""The closed schema of the graph: which nodes and edges exist, and what they may carry.

Vocabulary nodes are shared by everyone. What is true of one person starts at that person, a session or an utterance of
theirs, so nothing personal ever hangs between two vocabulary nodes. Two times are kept: ``at`` is when something was
said or holds for, ``known_at`` when the hub came to know it: when it had the words, or when a clinician decided.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from forge_hub.graph.errors import GraphRefusedError
from forge_hub.graph.vocabulary import AXES, EVIDENCE_OF, VOCABULARY

VERSION = 2
"""Raise it with every change below: a store of another version empties itself when opened and is derived anew."""

KEY = "id"
"""The key property of every node. A persona's is the pseudonym of the stay."""

Kind = Literal["text", "integer", "number"]
Value = str | int | float | None
State = Literal["hypothesis", "approved", "rejected"]

STATES = frozenset({"hypothesis", "approved", "rejected"})
"""What a clinician said of an inference: nothing yet, that it is right, that it is wrong."""

INT64 = range(-(2**63), 2**63)
"""Both databases store integers in 64 bits."""


@dataclass(frozen=True, slots=True)
class NodeShape:
    """A node's properties besides its key, each of which may be absent.

    ``keys`` are the only keys that nodes of this label may have; None: any. ``closed`` names the only values that a
    property may have.
    """

    properties: Mapping[str, Kind] = field(default_factory=dict)
    keys: frozenset[str] | None = None
    closed: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EdgeShape:
    """Between which labels an edge leads and what it carries.

    ``identity`` names the properties that tell two edges between the same nodes apart; ``optional`` those that may be
    absent; ``closed`` the only values that a property may have.
    """

    between: tuple[tuple[str, str], ...]
    properties: Mapping[str, Kind] = field(default_factory=dict)
    identity: tuple[str, ...] = ()
    optional: frozenset[str] = frozenset()
    closed: Mapping[str, frozenset[str]] = field(default_factory=dict)


_RATES: Mapping[str, Kind] = {f"{distortion}_rate": "number" for distortion in sorted(VOCABULARY["Distortion"])}
"""Share of a person's utterances, 0 to 1, that show a distortion."""

NODES: Mapping[str, NodeShape] = {
    "Persona": NodeShape(),
    "Session": NodeShape({"started_at": "text", "ended_at": "text", "known_at": "text"}),
    "Utterance": NodeShape(
        {
            "text": "text",
            "question": "text",
            "speaker": "text",
            "ordinal": "integer",
            "at": "text",
            "known_at": "text",
            "corrected_by": "text",
        }
    ),
    "FormResponse": NodeShape(
        {"questionnaire": "text", "total": "integer", "status": "text", "at": "text", "known_at": "text"}
    ),
    "PatternSummary": NodeShape(
        {
            "session": "text",
            "since": "text",
            "until": "text",
            "known_at": "text",
            "utterances": "integer",
            "readings": "integer",
            "avg_valence": "number",
            "avg_arousal": "number",
            "dominant_emotion": "text",
            **_RATES,
        },
        closed={"dominant_emotion": VOCABULARY["Emotion"]},
    ),
    **{label: NodeShape(keys=keys) for label, keys in VOCABULARY.items()},
}

_EVIDENCE: Mapping[str, Kind] = {
    "inference": "text",
    "start": "integer",
    "end": "integer",
    "confidence": "number",
    "source": "text",
    "state": "text",
    "at": "text",
    "known_at": "text",
}
"""The inference's id in the records; its span in the utterance's text, in code points, half-open; how sure (0 to 1);
which method said so; what a clinician said of it; when it was said, and since when that is known.
"""

_PERSONAL: Mapping[str, Kind] = {
    "weight": "number",
    "low": "number",
    "high": "number",
    "evidence": "integer",
    "source": "text",
    "state": "text",
    "at": "text",
    "known_at": "text",
}
"""How much, 0 to 1, with its interval where there is one; the number of utterances it rests on; the rest as above."""

_STATED = {"state": STATES}


def _evidence(label: str) -> EdgeShape:
    ends = tuple(end for edge, end in EVIDENCE_OF.values() if edge == label)
    extra: Mapping[str, Kind] = {"valence": "number", "arousal": "number"} if label == "HAS_SENTIMENT" else {}
    return EdgeShape(
        tuple(("Utterance", end) for end in ends),
        {**_EVIDENCE, **extra},
        ("inference",),
        optional=frozenset(extra),
        closed=_STATED,
    )


def _personal(end: str, **extra: Kind) -> EdgeShape:
    return EdgeShape(
        (("Persona", end),),
        {**_PERSONAL, **extra},
        optional=frozenset({"weight", "low", "high", *extra}),
        closed=_STATED,
    )


EDGES: Mapping[str, EdgeShape] = {
    "HAD_SESSION": EdgeShape((("Persona", "Session"),)),
    "SAID": EdgeShape((("Persona", "Utterance"),)),
    "INCLUDES": EdgeShape((("Session", "Utterance"),)),
    "COMPLETED": EdgeShape((("Persona", "FormResponse"),)),
    **{label: _evidence(label) for label, _ in EVIDENCE_OF.values()},
    "IN_LIFE_STAGE": _personal("LifeStage"),
    "HAS_ATTACHMENT": _personal("Attachment", anxiety="number", avoidance="number"),
    "HAS_TRAIT": _personal("Trait"),
    "HAS_SCHEMA": _personal("Schema"),
    # Of one person, hence from the persona: how a distortion goes together with an emotion or an axis of affect.
    "CORRELATED_WITH": EdgeShape(
        (("Persona", "Distortion"),),
        {
            "other": "text",
            "weight": "number",
            "low": "number",
            "high": "number",
            "evidence": "integer",
            "at": "text",
            "known_at": "text",
        },
        ("other",),
        closed={"other": VOCABULARY["Emotion"] | AXES},
    ),
    "HAS_PATTERN": EdgeShape((("Session", "PatternSummary"), ("Persona", "PatternSummary"))),
    "CAN_REPHRASE_USING": EdgeShape((("Distortion", "Strategy"),)),
}

INFERRED = tuple(dict.fromkeys(label for label, _ in EVIDENCE_OF.values()))
"""Edges from an utterance to the shared vocabulary, each an inference with its evidence."""

PERSONAL = ("IN_LIFE_STAGE", "HAS_ATTACHMENT", "HAS_TRAIT", "HAS_SCHEMA", "CORRELATED_WITH")
"""Edges from a persona to the shared vocabulary, each computed out of many utterances."""


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
    if shape.keys is not None and key not in shape.keys:
        raise GraphRefusedError(f"a {label} outside the vocabulary")
    _text(label, key)
    return {name: _value(label, shape, name, value) for name, value in properties.items()}


def edge_values(label: str, start: str, end: str, properties: Mapping[str, Value]) -> dict[str, Value]:
    """Return what is to be stored of an edge, numbers as floats, ``None`` for what is optional and not there.

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
    if (start, end) not in shape.between:
        ways = " or ".join(f"from {first} to {last}" for first, last in shape.between)
        raise GraphRefusedError(f"{label} leads {ways} and nowhere else")
    given = {name for name, value in properties.items() if value is not None}
    if not set(shape.properties) - shape.optional <= given:
        raise GraphRefusedError(f"{label} lacks one of: {', '.join(shape.properties)}")
    values = {name: _value(label, shape, name, value) for name, value in properties.items()}
    return dict.fromkeys(shape.properties) | values


def _value(label: str, shape: NodeShape | EdgeShape, name: str, value: Value) -> Value:
    kind = shape.properties.get(name)
    if kind is None:
        raise GraphRefusedError(f"{label} has a property outside the schema")
    if value is not None and name in shape.closed and value not in shape.closed[name]:
        raise GraphRefusedError(f"{label}.{name} has a value outside the vocabulary")
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
